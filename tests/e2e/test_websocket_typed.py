"""Typed messages, ``async with`` blocks and senders that never receive, on real servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from .clients import TIMEOUT, RawWebSocket, disconnect, open_websocket, receive_until_close
from .servers import each
from .socket_servers import SOCKETS

if TYPE_CHECKING:
    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60), each(SOCKETS)]


def exchange(server: Running, target: str, *messages: str | bytes) -> list[Any]:
    with open_websocket(server, target) as socket:
        for message in messages:
            socket.send(message)
        return [json.loads(socket.recv(timeout=TIMEOUT)) for _ in messages]


def test_typed_json_raises_each_error_once_and_continues(server: Running) -> None:
    seen = exchange(
        server,
        "/typed?kind=json",
        '{"name":"tea"}',
        '{"name":7}',
        "{",
        b'{"name":"binary"}',
        '{"name":"cake","count":2}',
    )
    assert seen == [
        {"ordered": ["tea", 1]},
        {"error": "ValidationException", "detail": "Expected `str`, got `int` - at `$.name`"},
        {"error": "SerializationException", "detail": "Input data was truncated"},
        {
            "error": "ValidationException",
            "detail": "expected a text message, got a binary one; the exception has it as 'message'",
        },
        {"ordered": ["cake", 2]},
    ]


def test_typed_binary_json(server: Running) -> None:
    seen = exchange(server, "/typed?kind=json&mode=binary", b'{"name":"tea"}', "text", b'{"name":"cake"}')
    assert [next(iter(answer)) for answer in seen] == ["ordered", "error", "ordered"]


def test_typed_msgpack(server: Running) -> None:
    good, bad = msgspec.msgpack.encode({"name": "tea"}), msgspec.msgpack.encode({"name": 7})
    assert exchange(server, "/typed?kind=msgpack", good, bad, b"\xc1", good) == [
        {"ordered": ["tea", 1]},
        {"error": "ValidationException", "detail": "Expected `str`, got `int` - at `$.name`"},
        {
            "error": "SerializationException",
            "detail": "MessagePack data is malformed: invalid opcode '\\xc1' (byte 0)",
        },
        {"ordered": ["tea", 1]},
    ]


@pytest.mark.parametrize(
    ("how", "code", "reason", "raised"),
    [
        ("end", 1000, "", None),
        ("error", 1011, "", "ValueError"),
        ("exception", 4404, "no café here", "WebSocketException"),
    ],
)
def test_async_with_closes_the_websocket(
    server: Running, key: str, how: str, code: int, reason: str, raised: str | None
) -> None:
    with open_websocket(server, f"/block?key={key}&how={how}") as socket:
        assert receive_until_close(socket) == (["bye"] if how == "end" else [])
        assert (socket.close_code, socket.close_reason) == server.server.closes_as(code, reason)
    assert server.record(key, "over")["raised"] == raised


def test_disconnect_inside_async_with_is_no_error(server: Running, key: str) -> None:
    with open_websocket(server, f"/block?key={key}&how=client") as socket:
        socket.close(1000, "done")
    record = server.record(key, "over")
    assert (record["code"], record["reason"]) == server.server.closings["1000"]
    assert record["raised"] is None


@pytest.mark.parametrize("ending", ["close", "FIN", "RST"])
def test_sender_that_never_receives_detects_the_disconnect(server: Running, key: str, ending: str) -> None:
    """Messages that the client sent before stay readable."""
    if ending == "close":
        with open_websocket(server, f"/tick?key={key}") as socket:
            socket.send("hello")
            assert socket.recv(timeout=TIMEOUT) == "tick 0"
    else:
        with RawWebSocket(server, f"/tick?key={key}") as raw:
            server.record(key, "open")
            raw.send_text("hello")
            disconnect(raw.socket, ending)
    record = server.record(key, "over")
    assert not record["hangs"]
    assert record["read"] == ["hello"]
    assert record["after"]["disconnected"]
