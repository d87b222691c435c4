"""JSON Patch on a real server: each operation, failures that change nothing, and the limits."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from .servers_streaming import RunningProgram, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

START = {"name": "Assam", "price": 5, "tags": ["black", "strong"]}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProgram]:
    with run_program("json_patch", tmp_path_factory.mktemp("json_patch")) as program:
        yield program


@pytest.fixture
def client(program: RunningProgram) -> Iterator[httpx.Client]:
    headers = {"content-type": "application/json-patch+json"}
    with httpx.Client(base_url=program.url, headers=headers, trust_env=False, timeout=10) as client:
        assert client.patch("/", json=[{"op": "replace", "path": "", "value": START}]).json() == START
        yield client


def patch(*operations: tuple[str, str, Any]) -> list[dict[str, Any]]:
    sources = {"move": "from", "copy": "from", "remove": "ignored"}
    return [{"op": op, "path": path, sources.get(op, "value"): value} for op, path, value in operations]


@pytest.mark.parametrize(
    ("operations", "changes"),
    [
        ([("replace", "/price", 7)], {"price": 7}),
        ([("add", "/tags/0", "malty")], {"tags": ["malty", "black", "strong"]}),
        ([("add", "/tags/2", "malty")], {"tags": ["black", "strong", "malty"]}),
        ([("add", "/tags/-", "malty")], {"tags": ["black", "strong", "malty"]}),
        ([("remove", "/tags/0", None)], {"tags": ["strong"]}),
        ([("remove", "/tags", None)], {"tags": []}),
        ([("move", "/name", "/tags/0")], {"name": "black", "tags": ["strong"]}),
        ([("copy", "/tags/-", "/name")], {"tags": ["black", "strong", "Assam"]}),
        ([("test", "/price", 5), ("replace", "/price", 6)], {"price": 6}),
        ([("test", "", START)], {}),
        (
            [("add", "/a~1b~0c", 1), ("test", "/a~1b~0c", 1), ("move", "/price", "/a~1b~0c")],
            {"price": 1},
        ),
    ],
)
def test_operations(
    client: httpx.Client, operations: list[tuple[str, str, Any]], changes: dict[str, Any]
) -> None:
    response = client.patch("/", json=patch(*operations))
    assert (response.status_code, response.json()) == (200, START | changes)
    assert client.get("/").json() == START | changes


@pytest.mark.parametrize(
    ("operations", "status"),
    [
        ([("test", "/price", 6)], 409),
        ([("replace", "/missing", 6)], 422),
        ([("remove", "/tags/2", None)], 422),
        ([("remove", "/tags/-", None)], 422),
        ([("add", "/tags/3", "x")], 422),
        ([("add", "/tags/00", "x")], 422),
        ([("add", "/tags/-1", "x")], 422),
        ([("add", "/name/x", "x")], 422),
        ([("add", "price", 6)], 400),
        ([("add", "/unknown", 6)], 422),
        ([("move", "/tags/0/x", "/tags")], 422),
        ([("remove", "", None)], 422),
        ([("replace", "/price", 0)], 422),
        ([("replace", "/price", "6")], 422),
        ([("copy", f"/{number}", "") for number in range(50)], 413),
    ],
)
def test_a_patch_that_fails_changes_nothing(
    client: httpx.Client, operations: list[tuple[str, str, Any]], status: int
) -> None:
    response = client.patch("/", json=patch(("replace", "/name", "changed"), *operations))
    assert response.status_code == status
    assert client.get("/").json() == START


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{}", 400),
        ("[{}]", 400),
        ('[{"op":"increment","path":"/price"}]', 400),
        ('[{"op":"add","path":"/price"}]', 400),
        ('[{"op":"remove","path":"/price"}', 400),
        ('[{"op":"add","path":"/x","value":' + "[" * 4000 + "]" * 4000 + "}]", 413),
        ('[{"op":"add","path":"/x","value":' + "[" * 900 + "]" * 900 + "}]", 422),
        ("[" + ",".join(['{"op":"remove","path":"/x"}'] * 101) + "]", 400),
        ('[{"op":"add","path":"/x","value":[' + "1," * 1000 + "1]}]", 413),
        (" " * 10_001, 413),
    ],
)
def test_a_body_that_is_no_patch(client: httpx.Client, body: str, status: int) -> None:
    assert client.patch("/", content=body).status_code == status


def test_deep_values_are_an_error_of_the_client(client: httpx.Client) -> None:
    deep = '{"op":"add","path":"/x","value":' + "[" * 800 + "]" * 800 + "}"
    copies = ',{"op":"copy","path":"/y","from":"/x"},{"op":"test","path":"/y","value":1}'
    assert client.patch("/", content=f"[{deep}{copies}]").status_code in {409, 422}


def test_another_media_type(client: httpx.Client) -> None:
    response = client.patch("/", content="[]", headers={"content-type": "application/json"})
    assert (response.status_code, response.headers["accept-patch"]) == (415, "application/json-patch+json")


def test_a_slow_patch_loses_no_other_change(program: RunningProgram, client: httpx.Client) -> None:
    body = b'[{"op":"replace","path":"/price","value":9}]'
    head = b"content-type: application/json-patch+json\r\ncontent-length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", program.port), timeout=10) as slow:
        slow.sendall(b"PATCH / HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\n" + head)
        assert slow.recv(1024).startswith(b"HTTP/1.1 100")  # the application waits for the body
        client.patch("/", json=patch(("replace", "/name", "changed")))
        slow.sendall(body)
        assert slow.recv(1024).startswith(b"HTTP/1.1 200")
    assert client.get("/").json() == START | {"name": "changed", "price": 9}
