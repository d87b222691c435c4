"""WebSocket messages over real servers: every mode, both ways, in order and whole."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from .clients import TIMEOUT, conversation, read_to_the_end
from .conversations import LIMIT, MESSAGES, SIZE, TASKS
from .servers import WEBSOCKET, each

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
    """The application reads first, which accepts."""
    with conversation(server, f"/echo?mode={mode}") as socket:
        for message in messages:
            socket.send(message)
        received = [socket.recv(timeout=TIMEOUT) for _ in messages]
    if mode == "json":  # the spaces are not ours
        assert [json.loads(text) for text in received] == [json.loads(text) for text in messages]
    assert [type(message) for message in received] == [type(message) for message in messages]
    if mode != "json":
        assert received == messages


@pytest.mark.parametrize(
    ("mode", "empty"), [("text", ""), ("binary", b""), ("either", ""), ("either", b"")], ids=repr
)
def test_an_empty_message_is_a_message(server: Running, mode: str, empty: str | bytes) -> None:
    server.require("empty messages")
    with conversation(server, f"/echo?mode={mode}") as socket:
        socket.send(empty)
        assert socket.recv(timeout=TIMEOUT) == empty


def test_a_message_in_fragments_is_one(server: Running) -> None:
    with conversation(server, "/echo?mode=text") as socket:
        socket.send(iter(["caf", "é ", "✓"]))
        assert socket.recv(timeout=TIMEOUT) == "café ✓"


@pytest.mark.parametrize("size", [10, 1000])
def test_a_thousand_messages_keep_their_order_both_ways(server: Running, size: int) -> None:
    messages = [f"{number}:".ljust(size, "x") for number in range(1000)]
    with conversation(server, "/echo?mode=text") as socket:
        for message in messages:
            socket.send(message)
        assert [socket.recv(timeout=TIMEOUT) for _ in messages] == messages


def test_sends_of_several_tasks_come_whole(server: Running) -> None:
    with conversation(server, "/chatter") as socket:
        received = [socket.recv(timeout=TIMEOUT) for _ in range(TASKS * MESSAGES)]
        socket.send("all of it")
        assert read_to_the_end(socket) == []
    texts = [str(message).split(":") for message in received]
    for task in range(TASKS):
        mine = [(int(number), text) for sender, number, text in texts if int(sender) == task]
        assert mine == [(number, chr(ord("a") + task) * SIZE) for number in range(MESSAGES)]


@pytest.mark.parametrize(
    ("fits", "too_big"),
    [
        pytest.param("x" * LIMIT, "x" * (LIMIT + 1), id="text"),
        pytest.param("é" * (LIMIT // 2), "é" * (LIMIT // 2) + "x", id="text counted in bytes"),
        pytest.param(b"x" * LIMIT, b"x" * (LIMIT + 1), id="binary"),
    ],
)
def test_a_message_over_the_limit_closes_with_1009(
    server: Running, key: str, fits: str | bytes, too_big: str | bytes
) -> None:
    with conversation(server, f"/limited?key={key}") as socket:
        socket.send(fits)
        socket.send(too_big)
        assert read_to_the_end(socket) == []
        assert (socket.close_code, socket.close_reason) == server.server.closes_as(1009, "")
    record = server.record(key, "over")
    assert record["sizes"] == [len(fits)]
    assert record["error"] == {"limit": "max_message_size", "maximum": LIMIT}
    assert record["after"]["send"] == list(server.server.closes_as(1009, ""))


def test_the_handshake_is_seen_and_answered(server: Running) -> None:
    with conversation(
        server,
        "/handshake/%C3%A9%2F?q=%C3%A9+1&q=",
        subprotocols=["other", "chat", "superchat"],
        additional_headers=[("X-Multi", "one"), ("X-Multi", "two"), ("Cookie", "a=1; b=2")],
    ) as socket:
        seen = json.loads(socket.recv(timeout=TIMEOUT))
        local = socket.local_address
        assert socket.subprotocol == "superchat"  # what the application wants most
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


def test_cookies_split_over_headers(server: Running) -> None:
    server.require("split WebSocket cookies")
    headers = [("Cookie", "a=1; b=2"), ("Cookie", "c=3")]
    with conversation(server, "/handshake", additional_headers=headers) as socket:
        assert json.loads(socket.recv(timeout=TIMEOUT))["cookies"] == {"a": "1", "b": "2", "c": "3"}


def test_headers_of_the_answer(server: Running) -> None:
    server.require("accept headers")
    with conversation(server, "/handshake") as socket:
        socket.recv(timeout=TIMEOUT)
        assert socket.response is not None
        assert socket.response.headers["x-accepted"] == "yes"
        assert socket.response.headers["set-cookie"] == "session=1; Path=/"
        assert socket.subprotocol is None


def test_many_conversations_at_once(server: Running) -> None:
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(conversation(server, "/echo?mode=text")) for _ in range(10)]
        for number, socket in enumerate(sockets):
            socket.send(f"to {number}")
        assert [socket.recv(timeout=TIMEOUT) for socket in sockets] == [
            f"to {number}" for number in range(10)
        ]
    assert time.monotonic() - started < TIMEOUT
