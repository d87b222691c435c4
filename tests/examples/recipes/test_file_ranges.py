"""File ranges on real servers: parts, resumed downloads, paths out of the folder, disconnects."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

pytest.importorskip("h2", reason="needs h2")

from tests.e2e.clients import disconnect

from .servers_streaming import BOTH, RunningProgram, run_program, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

CONTENT = random.Random(7).randbytes(1_000_000)  # the same in each process that runs the tests
HUGE = 10**12  # takes minutes to read


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("file_ranges")
    folder = parent / "public"
    folder.mkdir()
    (folder / "film.mp4").write_bytes(CONTENT)
    (folder / "empty.txt").touch()
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(HUGE)  # it has no content on disk
    (parent / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(parent / "secret.txt")
    return folder


@pytest.fixture(scope="module", params=BOTH)
def program(request: pytest.FixtureRequest, folder: Path) -> Iterator[RunningProgram]:
    with run_program("file_ranges", folder.parent, request.param, {"FOLDER": str(folder)}) as program:
        yield program


@pytest.fixture
def client(program: RunningProgram) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=program.url, trust_env=False, timeout=10) as client:
        yield client


def test_the_whole_file(client: httpx.Client) -> None:
    response = client.get("/film.mp4")
    assert (response.status_code, response.headers["content-type"]) == (200, "video/mp4")
    assert response.headers["accept-ranges"] == "bytes"
    assert response.content == CONTENT


@pytest.mark.parametrize(
    ("wanted", "part", "content_range"),
    [
        ("bytes=0-0", CONTENT[:1], "bytes 0-0/1000000"),
        ("bytes=999-600000", CONTENT[999:600_001], "bytes 999-600000/1000000"),
        ("bytes=999990-", CONTENT[-10:], "bytes 999990-999999/1000000"),
        ("bytes=-7", CONTENT[-7:], "bytes 999993-999999/1000000"),
        ("bytes=5-9999999", CONTENT[5:], "bytes 5-999999/1000000"),
        ("bytes=0-4,5-9", CONTENT[:10], "bytes 0-9/1000000"),
    ],
)
def test_a_part(client: httpx.Client, wanted: str, part: bytes, content_range: str) -> None:
    response = client.get("/film.mp4", headers={"range": wanted})
    assert (response.status_code, response.headers["content-range"]) == (206, content_range)
    assert response.headers["content-length"] == str(len(part))
    assert response.content == part


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "lines=1-2", "bytes=9-1", "tea"])
def test_a_range_that_is_ignored(client: httpx.Client, wanted: str) -> None:
    response = client.get("/film.mp4", headers={"range": wanted})
    assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize(
    ("path", "wanted", "size"), [("/film.mp4", "bytes=1000000-", 1_000_000), ("/empty.txt", "bytes=0-", 0)]
)
def test_a_range_that_does_not_exist(client: httpx.Client, path: str, wanted: str, size: int) -> None:
    response = client.get(path, headers={"range": wanted})
    assert (response.status_code, response.headers["content-range"]) == (416, f"bytes */{size}")


def test_an_interrupted_download_is_resumed_only_if_the_file_is_the_same(
    client: httpx.Client, folder: Path
) -> None:
    file = folder / "changing.bin"
    file.write_bytes(b"old content")
    etag = client.get("/changing.bin").headers["etag"]
    headers = {"range": "bytes=4-", "if-range": etag}
    resumed = client.get("/changing.bin", headers=headers)
    assert (resumed.status_code, resumed.content) == (206, b"content")
    file.write_bytes(b"quite new content")
    restarted = client.get("/changing.bin", headers=headers)
    assert (restarted.status_code, restarted.content) == (200, b"quite new content")


def test_a_file_that_the_client_has(client: httpx.Client) -> None:
    etag = client.get("/empty.txt").headers["etag"]
    response = client.get("/empty.txt", headers={"if-none-match": etag, "range": "bytes=0-"})
    assert (response.status_code, response.headers["etag"]) == (304, etag)


def test_head_ignores_the_range(client: httpx.Client) -> None:
    response = client.head("/film.mp4", headers={"range": "bytes=0-1"})
    assert (response.status_code, response.headers["content-length"], response.content) == (
        200,
        "1000000",
        b"",
    )


def test_another_method(client: httpx.Client) -> None:
    response = client.post("/film.mp4")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "target", ["/", "/missing", "/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "//etc/passwd", "/a%00b"]
)
def test_nothing_outside_of_the_folder_is_served(program: RunningProgram, target: str) -> None:
    with socket.create_connection(("127.0.0.1", program.port), timeout=10) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 404"


def has_open(program: RunningProgram, file: Path) -> bool:
    return file in {Path(link).resolve() for link in Path(f"/proc/{program.process.pid}/fd").iterdir()}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_the_file_is_closed_when_the_client_disconnects(
    program: RunningProgram, folder: Path, how: str
) -> None:
    huge = (folder / "huge.bin").resolve()
    connection = socket.create_connection(("127.0.0.1", program.port), timeout=10)
    connection.sendall(b"GET /huge.bin HTTP/1.1\r\nhost: test\r\n\r\n")
    assert connection.recv(12) == b"HTTP/1.1 200"
    wait_for(lambda: has_open(program, huge))
    disconnect(connection, how)
    wait_for(lambda: not has_open(program, huge))
