"""WebSocket messages on real servers: every mode, in both directions, complete and in order."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from .clients import TIMEOUT, open_websocket, receive_until_close
from .servers import WEBSOCKET, each
from .websocket_routes import LIMIT, MESSAGES, SIZE, TASKS

if TYPE_CHECKING:
    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90), each(WEBSOCKET)]

VALUES: list[Any] = [{"a": [1, 2.5, None, True]}, [], "é ✓ 😀", None, "x" * 100_000]


@pytest.mark.parametrize(
    ("mode", "messages"),
    [
        pytest.param("text", ["hello", "é ✓ 😀", "\x00", "x" * 100_000], id="text"),
        pytest.param("binary", [b"hello", bytes(range(256)), b"x" * 100_000], id="binary"),
        pytest.param("either", ["text", b"binary", "é", b"\xff"], id="either"),
        pytest.param("json", [json.dumps(value) for value in VALUES], id="JSON in text"),
        pytest.param("binary-json", [msgspec.json.encode(value) for value in VALUES], id="JSON in binary"),
        pytest.param("msgpack", [msgspec.msgpack.encode(value) for value in VALUES], id="MessagePack"),
    ],
)
def test_echo(server: Running, mode: str, messages: list[str | bytes]) -> None:
    """The first read of the application accepts the handshake."""
    with open_websocket(server, f"/echo?mode={mode}") as socket:
        for message in messages:
            socket.send(message)
        received = [socket.recv(timeout=TIMEOUT) for _ in messages]
    if mode == "json":  # the white space may differ
        assert [json.loads(text) for text in received] == [json.loads(text) for text in messages]
    assert [type(message) for message in received] == [type(message) for message in messages]
    if mode != "json":
        assert received == messages


@pytest.mark.parametrize(
    ("mode", "empty"), [("text", ""), ("binary", b""), ("either", ""), ("either", b"")], ids=repr
)
def test_empty_message_is_received(server: Running, mode: str, empty: str | bytes) -> None:
    server.require("empty messages")
    with open_websocket(server, f"/echo?mode={mode}") as socket:
        socket.send(empty)
        assert socket.recv(timeout=TIMEOUT) == empty


def test_fragments_are_one_message(server: Running) -> None:
    with open_websocket(server, "/echo?mode=text") as socket:
        socket.send(iter(["caf", "é ", "✓"]))
        assert socket.recv(timeout=TIMEOUT) == "café ✓"


@pytest.mark.parametrize("size", [10, 1000])
def test_a_thousand_messages_arrive_in_order_in_both_directions(server: Running, size: int) -> None:
    messages = [f"{number}:".ljust(size, "x") for number in range(1000)]
    with open_websocket(server, "/echo?mode=text") as socket:
        for message in messages:
            socket.send(message)
        assert [socket.recv(timeout=TIMEOUT) for _ in messages] == messages


def test_concurrent_sends_do_not_interleave(server: Running) -> None:
    with open_websocket(server, "/send_from_tasks") as socket:
        received = [socket.recv(timeout=TIMEOUT) for _ in range(TASKS * MESSAGES)]
        socket.send("all of it")
        assert receive_until_close(socket) == []
    texts = [str(message).split(":") for message in received]
    for task in range(TASKS):
        task_messages = [(int(number), text) for sender, number, text in texts if int(sender) == task]
        assert task_messages == [(number, chr(ord("a") + task) * SIZE) for number in range(MESSAGES)]


@pytest.mark.parametrize(
    ("fits", "too_large"),
    [
        pytest.param("x" * LIMIT, "x" * (LIMIT + 1), id="text"),
        pytest.param("é" * (LIMIT // 2), "é" * (LIMIT // 2) + "x", id="text counted in bytes"),
        pytest.param(b"x" * LIMIT, b"x" * (LIMIT + 1), id="binary"),
    ],
)
def test_message_over_the_limit_closes_with_1009(
    server: Running, key: str, fits: str | bytes, too_large: str | bytes
) -> None:
    with open_websocket(server, f"/limited?key={key}") as socket:
        socket.send(fits)
        socket.send(too_large)
        assert receive_until_close(socket) == []
        assert (socket.close_code, socket.close_reason) == server.server.closes_as(1009, "")
    record = server.record(key, "over")
    assert record["sizes"] == [len(fits)]
    assert record["error"] == {"limit": "max_message_size", "maximum": LIMIT}
    assert record["after"]["send"] == list(server.server.closes_as(1009, ""))


def test_handshake_request_and_response(server: Running) -> None:
    with open_websocket(
        server,
        "/handshake/%C3%A9%2F?q=%C3%A9+1&q=",
        subprotocols=["other", "chat", "superchat"],
        additional_headers=[("X-Multi", "one"), ("X-Multi", "two"), ("Cookie", "a=1; b=2")],
    ) as socket:
        seen = json.loads(socket.recv(timeout=TIMEOUT))
        local = socket.local_address
        assert socket.subprotocol == "superchat"  # the first choice of the application
    assert seen["subprotocols"] == ["other", "chat", "superchat"]
    assert seen["url"] == f"ws://127.0.0.1:{server.port}/handshake/%C3%A9%2F?q=%C3%A9+1&q="
    assert seen["query"] == [["q", "é 1"], ["q", ""]]
    assert seen["cookies"] == {"a": "1", "b": "2"}
    assert (
        ", ".join(value for name, value in seen["headers"] if name == "x-multi").replace(", ", ",")
        == "one,two"
    )
    assert seen["client"] == list(local)
    assert seen["server"] == ["127.0.0.1", server.port]


def test_cookies_in_several_headers(server: Running) -> None:
    server.require("split WebSocket cookies")
    headers = [("Cookie", "a=1; b=2"), ("Cookie", "c=3")]
    with open_websocket(server, "/handshake", additional_headers=headers) as socket:
        assert json.loads(socket.recv(timeout=TIMEOUT))["cookies"] == {"a": "1", "b": "2", "c": "3"}


def test_headers_of_the_handshake_response(server: Running) -> None:
    server.require("accept headers")
    with open_websocket(server, "/handshake") as socket:
        socket.recv(timeout=TIMEOUT)
        assert socket.response is not None
        assert socket.response.headers["x-accepted"] == "yes"
        assert socket.response.headers["set-cookie"] == "session=1; Path=/"
        assert socket.subprotocol is None


def test_many_concurrent_websockets(server: Running) -> None:
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(open_websocket(server, "/echo?mode=text")) for _ in range(10)]
        for number, socket in enumerate(sockets):
            socket.send(f"to {number}")
        assert [socket.recv(timeout=TIMEOUT) for socket in sockets] == [
            f"to {number}" for number in range(10)
        ]
    assert time.monotonic() - started < TIMEOUT
