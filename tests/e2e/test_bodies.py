"""A request's body in every form, over real servers."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from .app import LIMIT, SPOOL_SIZE
from .clients import HTTP2Connection, RawHTTP
from .servers import HTTP1, HTTP2, each

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90), each(HTTP1 | HTTP2)]

FIVE_MEGABYTES = bytes(range(256)) * (5 * 4096)
BOUNDARY = "----e2e"
MULTIPART = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def digest(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def in_pieces(data: bytes, size: int = 60_000) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("chunked", [False, True], ids=["Content-Length", "without"])
def test_five_megabytes_as_a_body(client: httpx.Client, chunked: bool) -> None:
    content = in_pieces(FIVE_MEGABYTES) if chunked else FIVE_MEGABYTES
    assert client.post("/body", content=content).json() == digest(FIVE_MEGABYTES) | {"again": True}


def test_five_megabytes_as_a_stream(client: httpx.Client) -> None:
    seen = client.post("/stream", content=FIVE_MEGABYTES).json()
    assert seen == digest(FIVE_MEGABYTES) | {"last": 0, "empty": 1}


@pytest.mark.parametrize("route", ["body", "stream"])
def test_a_slow_upload_is_read_to_its_end(client: httpx.Client, route: str) -> None:
    def slowly() -> Iterator[bytes]:
        for piece in in_pieces(FIVE_MEGABYTES[:1000], 200):
            yield piece
            time.sleep(0.02)

    seen = client.post(f"/{route}", content=slowly()).json()
    assert {"size": seen["size"], "sha256": seen["sha256"]} == digest(FIVE_MEGABYTES[:1000])


@pytest.mark.parametrize("route", ["body", "stream"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_no_body_is_an_empty_one(client: httpx.Client, route: str, method: str) -> None:
    seen = client.request(method, f"/{route}").json()
    assert {"size": seen["size"], "sha256": seen["sha256"]} == digest(b"")


@pytest.mark.parametrize(
    "query", ["", "copied=1", "at_once=1"], ids=["same scope", "copied scope", "at once"]
)
def test_two_requests_share_one_body(client: httpx.Client, query: str) -> None:
    body = FIVE_MEGABYTES[:200_000]
    assert client.post(f"/twice?{query}", content=body).json() == {
        "first": digest(body),
        "second": digest(body),
    }


@pytest.mark.parametrize("how", ["body", "stream"])
@pytest.mark.parametrize("chunked", [False, True], ids=["Content-Length", "without"])
def test_a_body_over_the_limit_is_413(client: httpx.Client, server: Running, how: str, chunked: bool) -> None:
    server.require("early answer")
    content = b"x" * (LIMIT + 1)
    response = client.post(f"/limited?how={how}", content=in_pieces(content) if chunked else content)
    assert response.status_code == 413
    assert response.json()["error"] == "RequestEntityTooLarge"
    assert "max_body_size" in response.json()["detail"]
    assert str(LIMIT) in response.json()["detail"]


def test_a_form_over_the_limit_is_413(client: httpx.Client, server: Running) -> None:
    server.require("early answer")
    response = client.post("/limited?how=form", files={"file": b"x" * LIMIT})
    assert response.status_code == 413
    assert response.json()["error"] == "RequestEntityTooLarge"


def test_a_body_at_the_limit_is_not_over_it(client: httpx.Client) -> None:
    assert client.post("/limited?how=body", content=b"x" * LIMIT).json() == digest(b"x" * LIMIT)


@pytest.mark.parametrize("how", ["body", "stream"])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "counted"])
def test_413_comes_before_the_body_has(server: Running, key: str, how: str, declared: bool) -> None:
    """A client that never sends the rest is answered all the same, and at once."""
    server.require("streaming", "early answer")
    target, sent = f"/limited?how={how}&then={key}", b"x" * (1000 if declared else LIMIT + 1)
    started = time.monotonic()
    if server.server.http2:
        answer = _answer_to_an_unfinished_stream(server, target, sent, declared=declared)
    else:
        answer = _answer_to_an_unfinished_request(server, target, sent, declared=declared)
    assert answer[0] == 413
    assert b"max_body_size" in answer[1]
    assert time.monotonic() - started < 5


def _answer_to_an_unfinished_stream(
    server: Running, target: str, sent: bytes, *, declared: bool
) -> tuple[int, bytes]:
    with HTTP2Connection(server) as client:
        length: list[tuple[str | bytes, str | bytes]] = [("content-length", "5000000")] if declared else []
        stream = client.begin("POST", target, length, end=False)
        client.send(stream, sent)
        answer = client.read_answer(stream)
        server.record(target.rpartition("=")[2], "answered")
    return answer


def _answer_to_an_unfinished_request(
    server: Running, target: str, sent: bytes, *, declared: bool
) -> tuple[int, bytes]:
    framing = b"content-length: 5000000" if declared else b"transfer-encoding: chunked"
    with RawHTTP(server) as raw:
        raw.send_head(f"POST {target} HTTP/1.1".encode(), framing)
        raw.socket.sendall(sent if declared else b"%x\r\n%s\r\n" % (len(sent), sent))
        head, _, body = raw.read_answer().partition(b"\r\n\r\n")
        server.record(target.rpartition("=")[2], "answered")
    return int(head.split()[1]), body


JSON_VALUES: list[Any] = [{"a": [1, 2.5, None, True, "é ✓ 😀"]}, [], "text", None, 10**15]


@pytest.mark.parametrize("value", JSON_VALUES, ids=repr)
def test_json(client: httpx.Client, value: Any) -> None:
    assert client.post("/json", json=value).json() == value


@pytest.mark.parametrize("value", JSON_VALUES, ids=repr)
def test_msgpack(client: httpx.Client, value: Any) -> None:
    assert client.post("/msgpack", content=msgspec.msgpack.encode(value)).json() == value


@pytest.mark.parametrize("route", ["json", "msgpack"])
def test_an_empty_document_is_null(client: httpx.Client, route: str) -> None:
    assert client.post(f"/{route}").json() is None


@pytest.mark.parametrize(
    ("route", "content"),
    [
        pytest.param("json", b'{"a": ', id="JSON truncated"),
        pytest.param("json", b'"\xff"', id="JSON not UTF-8"),
        pytest.param("json", b"[" * 100_000, id="JSON too deep"),
        pytest.param("msgpack", b"\x92\x01", id="MessagePack truncated"),
        pytest.param("msgpack", b"\x91" * 100_000, id="MessagePack too deep"),
    ],
)
def test_a_malformed_document_is_400(client: httpx.Client, route: str, content: bytes) -> None:
    response = client.post(f"/{route}", content=content)
    assert response.status_code == 400
    assert response.json()["error"] == "SerializationException"


def test_urlencoded_form(client: httpx.Client) -> None:
    content = "b=2&a=1&b=&name=Gr%C3%B6%C3%9Fe+%E2%9C%93&raw=é".encode()
    response = client.post(
        "/form", content=content, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert response.json() == [["b", "2"], ["a", "1"], ["b", ""], ["name", "Größe ✓"], ["raw", "é"]]


def test_multipart_form_with_files(client: httpx.Client) -> None:
    small, large = bytes(range(256)), FIVE_MEGABYTES[: 5 * SPOOL_SIZE + 7]
    files: list[tuple[str, Any]] = [
        ("note", (None, "Größe ✓")),
        ("file", ("small.bin", small, "application/octet-stream")),
        ("note", (None, "")),
        ("file", ("größe.png", large, "image/png")),
        ("empty", ("empty.txt", b"", "text/plain")),
    ]
    assert client.post("/form", files=files).json() == [
        ["note", "Größe ✓"],
        [
            "file",
            digest(small)
            | {"filename": "small.bin", "content_type": "application/octet-stream", "on_disk": False},
        ],
        ["note", ""],
        ["file", digest(large) | {"filename": "größe.png", "content_type": "image/png", "on_disk": True}],
        ["empty", digest(b"") | {"filename": "empty.txt", "content_type": "text/plain", "on_disk": False}],
    ]


def test_a_body_that_is_no_form_has_no_fields(server: Running, client: httpx.Client) -> None:
    server.require("early answer")  # nothing of the body is read
    assert client.post("/form", json={"a": 1}).json() == []


PART = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n\r\n'.encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(PART[:40], id="in the headers of a part"),
        pytest.param(PART + b"x" * 100_000, id="in a file"),
        pytest.param(PART + b"x\r\n--" + BOUNDARY.encode(), id="in the final boundary"),
    ],
)
def test_a_truncated_multipart_form_is_400(client: httpx.Client, content: bytes) -> None:
    response = client.post("/form", content=content, headers=MULTIPART)
    assert response.status_code == 400
    assert "boundary" in response.json()["detail"]
