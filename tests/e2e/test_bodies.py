"""Request bodies on real servers: bytes, streams, JSON, MessagePack and forms."""

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


def split(data: bytes, size: int = 60_000) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("chunked", [False, True], ids=["Content-Length", "chunked"])
def test_body_of_five_megabytes(client: httpx.Client, chunked: bool) -> None:
    content = split(FIVE_MEGABYTES) if chunked else FIVE_MEGABYTES
    assert client.post("/body", content=content).json() == digest(FIVE_MEGABYTES) | {"again": True}


def test_stream_of_five_megabytes(client: httpx.Client) -> None:
    response = client.post("/stream", content=FIVE_MEGABYTES).json()
    assert response == digest(FIVE_MEGABYTES) | {"last": 0, "empty": 1}


@pytest.mark.parametrize("route", ["body", "stream"])
def test_slow_upload_is_read_completely(client: httpx.Client, route: str) -> None:
    def slow_chunks() -> Iterator[bytes]:
        for chunk in split(FIVE_MEGABYTES[:1000], 200):
            yield chunk
            time.sleep(0.02)

    response = client.post(f"/{route}", content=slow_chunks()).json()
    assert {"size": response["size"], "sha256": response["sha256"]} == digest(FIVE_MEGABYTES[:1000])


@pytest.mark.parametrize("route", ["body", "stream"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_request_without_a_body(client: httpx.Client, route: str, method: str) -> None:
    response = client.request(method, f"/{route}").json()
    assert {"size": response["size"], "sha256": response["sha256"]} == digest(b"")


@pytest.mark.parametrize(
    "query", ["", "copied=1", "at_once=1"], ids=["same scope", "copied scope", "concurrent"]
)
def test_two_requests_share_one_body(client: httpx.Client, query: str) -> None:
    body = FIVE_MEGABYTES[:200_000]
    assert client.post(f"/twice?{query}", content=body).json() == {
        "first": digest(body),
        "second": digest(body),
    }


@pytest.mark.parametrize("how", ["body", "stream"])
@pytest.mark.parametrize("chunked", [False, True], ids=["Content-Length", "chunked"])
def test_body_over_the_limit_is_413(client: httpx.Client, server: Running, how: str, chunked: bool) -> None:
    server.require("early answer")
    content = b"x" * (LIMIT + 1)
    response = client.post(f"/limited?how={how}", content=split(content) if chunked else content)
    assert response.status_code == 413
    assert response.json()["error"] == "RequestEntityTooLarge"
    assert "max_body_size" in response.json()["detail"]
    assert str(LIMIT) in response.json()["detail"]


def test_form_over_the_limit_is_413(client: httpx.Client, server: Running) -> None:
    server.require("early answer")
    response = client.post("/limited?how=form", files={"file": b"x" * LIMIT})
    assert response.status_code == 413
    assert response.json()["error"] == "RequestEntityTooLarge"


def test_body_of_the_maximum_size_is_accepted(client: httpx.Client) -> None:
    assert client.post("/limited?how=body", content=b"x" * LIMIT).json() == digest(b"x" * LIMIT)


@pytest.mark.parametrize("how", ["body", "stream"])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "counted"])
def test_413_is_sent_before_the_body_is_complete(server: Running, key: str, how: str, declared: bool) -> None:
    """The response does not wait for the rest of the body."""
    server.require("streaming", "early answer")
    target, sent = f"/limited?how={how}&then={key}", b"x" * (1000 if declared else LIMIT + 1)
    started = time.monotonic()
    if server.server.http2:
        answer = _response_to_an_unfinished_stream(server, target, sent, declared=declared)
    else:
        answer = _response_to_an_unfinished_request(server, target, sent, declared=declared)
    assert answer[0] == 413
    assert b"max_body_size" in answer[1]
    assert time.monotonic() - started < 5


def _response_to_an_unfinished_stream(
    server: Running, target: str, sent: bytes, *, declared: bool
) -> tuple[int, bytes]:
    with HTTP2Connection(server) as client:
        length: list[tuple[str | bytes, str | bytes]] = [("content-length", "5000000")] if declared else []
        stream = client.begin("POST", target, length, end=False)
        client.send(stream, sent)
        answer = client.read_response(stream)
        server.record(target.rpartition("=")[2], "answered")
    return answer


def _response_to_an_unfinished_request(
    server: Running, target: str, sent: bytes, *, declared: bool
) -> tuple[int, bytes]:
    framing = b"content-length: 5000000" if declared else b"transfer-encoding: chunked"
    with RawHTTP(server) as raw:
        raw.send_head(f"POST {target} HTTP/1.1".encode(), framing)
        raw.socket.sendall(sent if declared else b"%x\r\n%s\r\n" % (len(sent), sent))
        head, _, body = raw.read_response().partition(b"\r\n\r\n")
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
def test_empty_body_decodes_to_null(client: httpx.Client, route: str) -> None:
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
def test_malformed_document_is_400(client: httpx.Client, route: str, content: bytes) -> None:
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


def test_form_of_another_content_type_is_empty(server: Running, client: httpx.Client) -> None:
    server.require("early answer")  # the body is not read
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
def test_truncated_multipart_form_is_400(client: httpx.Client, content: bytes) -> None:
    response = client.post("/form", content=content, headers=MULTIPART)
    assert response.status_code == 400
    assert "boundary" in response.json()["detail"]
