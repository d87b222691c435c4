"""Uploads, middleware, disconnects and early hints on real servers."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import h2.events
import pytest

from .clients import HTTP2Connection, RawHTTP, disconnect
from .servers import each
from .upload_servers import UPLOADS, UPLOADS1, UPLOADS2

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

MEGABYTES_12 = bytes(range(256)) * (12 * 4096)
BODY = b"hello" * 1000


def digest(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


FILES: list[tuple[str, Any]] = [
    ("note", (None, "Größe ✓")),
    ("file", ("../large.bin", MEGABYTES_12, "application/octet-stream")),
    ("file", ("small.txt", b"small", "text/plain")),
]


@each(UPLOADS)
def test_parts_are_saved_while_they_arrive(client: httpx.Client) -> None:
    assert client.post("/copy", files=FILES, timeout=60).json() == [
        ["note", "Größe ✓"],
        ["file", {"filename": "../large.bin", "written": len(MEGABYTES_12), **digest(MEGABYTES_12)}],
        ["file", {"filename": "small.txt", "written": 5, **digest(b"small")}],
    ]


@each(UPLOADS)
def test_form_with_large_files(client: httpx.Client) -> None:
    assert client.post("/upload", files=FILES[1:], timeout=60).json() == [
        ["file", digest(MEGABYTES_12), True],
        ["file", digest(b"small"), False],
        5,
    ]


@each(UPLOADS)
def test_block_is_not_cancelled_while_the_client_waits(client: httpx.Client) -> None:
    assert client.post("/work", content=MEGABYTES_12[:300_000]).json() == {
        **digest(MEGABYTES_12[:300_000]),
        "cancelled": False,
    }


@each(UPLOADS)
@pytest.mark.parametrize("how", ["replay", "tee"])
def test_downstream_application_reads_the_body(client: httpx.Client, key: str, how: str) -> None:
    body = MEGABYTES_12[:3_000_000]
    assert client.post(f"/downstream?how={how}&key={key}", content=body, timeout=60).json() == {
        "downstream": digest(body),
        "upstream": digest(body),
    }


@each(UPLOADS)
def test_is_disconnected_within_a_slow_upload_loses_nothing(client: httpx.Client) -> None:
    def slow_chunks() -> Iterator[bytes]:
        for start in range(0, 400_000, 8_000):
            yield MEGABYTES_12[start : start + 8_000]
            time.sleep(0.002)

    assert client.post("/ask_while_streaming", content=slow_chunks()).json() == digest(MEGABYTES_12[:400_000])


# --- disconnects --------------------------------------------------------------------------------------


def send_request(server: Running, target: str) -> RawHTTP:
    raw = RawHTTP(server)
    raw.send_head(f"POST {target} HTTP/1.1".encode(), b"content-length: %d" % len(BODY))
    raw.socket.sendall(BODY)
    return raw


each_ending = pytest.mark.parametrize("ending", ["FIN", "RST"])


@each(UPLOADS1)
@each_ending
@pytest.mark.parametrize("when", ["before", "after"])
def test_is_disconnected_after_the_client_disconnects(
    server: Running, key: str, ending: str, when: str
) -> None:
    with send_request(server, f"/poll?key={key}&when={when}") as raw:
        server.record(key, "polling")
        time.sleep(0.1)
        disconnect(raw.socket, ending)
        assert server.record(key, "over") == {
            "state": "over",
            "answers": [],
            "disconnected": True,
            "connected": False,
            **digest(BODY),
        }


@each(UPLOADS1)
@each_ending
def test_block_is_cancelled_when_the_client_disconnects(server: Running, key: str, ending: str) -> None:
    with send_request(server, f"/watch?key={key}") as raw:
        server.record(key, "working")
        time.sleep(0.1)
        disconnect(raw.socket, ending)
        assert server.record(key, "over") == {
            "state": "over",
            "cancelled": True,
            "connected": False,
            **digest(BODY),
        }


@each(UPLOADS1)
@pytest.mark.parametrize("how", ["replay", "tee"])
def test_downstream_application_receives_the_disconnect(server: Running, key: str, how: str) -> None:
    with send_request(server, f"/downstream?how={how}&key={key}&disconnect=1") as raw:
        server.record(key, "waiting")
        disconnect(raw.socket, "FIN")
        assert server.record(key, "over")["received"] == "http.disconnect"


@each(UPLOADS2)
@pytest.mark.parametrize("route", ["poll", "watch", "downstream"])
def test_reset_stream_is_a_disconnect(server: Running, key: str, route: str) -> None:
    waiting = {"poll": "polling", "watch": "working", "downstream": "waiting"}[route]
    with HTTP2Connection(server) as client:
        target = f"/{route}?key={key}&when=after&how=replay&disconnect=1"
        stream = client.begin("POST", target, [], end=False)
        client.send_last(stream, BODY)
        server.record(key, waiting)
        time.sleep(0.1)
        client.reset(stream, h2.errors.ErrorCodes.CANCEL)
        record = server.record(key, "over")

    field = {"poll": "disconnected", "watch": "cancelled", "downstream": "received"}[route]
    assert record[field] == ("http.disconnect" if route == "downstream" else True)


# --- early hints --------------------------------------------------------------------------------------


@each(UPLOADS2)
def test_early_hints(server: Running) -> None:
    with HTTP2Connection(server) as client:
        stream = client.begin("GET", "/hint", [], end=True)
        client.read_until(lambda it: isinstance(it, h2.events.StreamEnded) and it.stream_id == stream)
    hints = [
        dict(event.headers)
        for event in client.events
        if isinstance(event, h2.events.InformationalResponseReceived)
    ]
    supported = b"".join(event.data for event in client.events if isinstance(event, h2.events.DataReceived))

    assert (supported == b"true") is server.name.startswith("hypercorn")
    if supported == b"true":
        links = list(links_of(client))
        assert hints[0][b":status"] == b"103"
        assert links == [b"</style.css>; rel=preload; as=style", b"</a.js>; rel=preload; as=script"]
    else:
        assert hints == []


def links_of(client: HTTP2Connection) -> Iterator[bytes]:
    for event in client.events:
        if isinstance(event, h2.events.InformationalResponseReceived):
            yield from (value for name, value in event.headers if name == b"link")


@each(UPLOADS1)
def test_server_without_early_hints_sends_only_the_response(client: httpx.Client) -> None:
    response = client.get("/hint")

    assert response.status_code == 200
    assert response.json() is False
