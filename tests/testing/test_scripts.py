"""``ScriptedConnection``: ``receive`` knows what ``send`` was given."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from asgiwire.testing import (
    AfterSend,
    RecordedSend,
    ScriptedConnection,
    ScriptedReceive,
    ScriptError,
    WaitTimeout,
)

pytestmark = pytest.mark.anyio

START: dict[str, Any] = {"type": "http.response.start", "status": 200}
BODY: dict[str, Any] = {"type": "http.response.body", "body": b"a"}
PART: dict[str, Any] = BODY | {"more_body": True}
DISCONNECT = {"type": "http.disconnect"}


async def blocks(receive: ScriptedReceive) -> bool:
    with anyio.move_on_after(0.02) as scope:
        await receive()
    return scope.cancelled_caught


async def test_a_disconnect_follows_the_complete_response_at_every_call() -> None:
    connection = ScriptedConnection.body(b"a")
    await connection.receive()
    assert await blocks(connection.receive)
    for message in (START, PART):
        await connection.send(message)
        assert await blocks(connection.receive)
    await connection.send(BODY)
    assert [await connection.receive(), await connection.receive()] == [DISCONNECT, DISCONNECT]


async def test_a_waiting_receive_notices_the_end_of_the_response() -> None:
    connection = ScriptedConnection()
    received = []

    async def wait() -> None:
        received.append(await connection.receive())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        for message in (START, BODY):
            assert received == []
            await connection.send(message)
    assert received == [DISCONNECT]


async def test_trailers_complete_a_response() -> None:
    connection = ScriptedConnection()
    for message in (START | {"trailers": True}, BODY):
        await connection.send(message)
    assert not connection.send.complete
    await connection.send({"type": "http.response.trailers", "headers": []})
    assert connection.send.complete


async def test_a_websocket_gets_no_disconnect_by_itself() -> None:
    connection = ScriptedConnection.websocket()
    await connection.receive()
    await connection.send({"type": "websocket.accept"})
    await connection.send({"type": "websocket.close"})
    assert await blocks(connection.receive)


@pytest.mark.parametrize(
    ("step", "before"),
    [
        (AfterSend(), 1),
        (AfterSend(count=4), 4),
        (AfterSend("http.response.start"), 1),
        (AfterSend("http.response.body"), 2),
        (AfterSend("http.response.body", 2), 3),
        (AfterSend(count=0), 0),
    ],
    ids=str,
)
async def test_steps_wait_for_messages(step: AfterSend, before: int) -> None:
    connection = ScriptedConnection.body(b"a", step, disconnect=True)
    received = []

    async def receive_all() -> None:
        received.extend([await connection.receive(), await connection.receive()])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive_all)
        for number in range(before):
            await anyio.wait_all_tasks_blocked()
            assert received == []
            await connection.send([START, PART, PART, PART][number])
    assert received == [{"type": "http.request", "body": b"a", "more_body": True}, DISCONNECT]


async def test_steps_wait_in_every_form() -> None:
    step = AfterSend(count=0)
    body = ScriptedConnection.body(step, b"a", step, b"b", step)
    assert [(await body.receive())["more_body"] for _ in range(2)] == [True, False]
    empty = ScriptedConnection.body(step)
    assert await empty.receive() == {"type": "http.request", "body": b"", "more_body": False}
    socket = ScriptedConnection.websocket(step, "a", step, disconnect=1001)
    types = [(await socket.receive())["type"] for _ in range(3)]
    assert types == ["websocket.connect", "websocket.receive", "websocket.disconnect"]
    steps = ScriptedConnection(step, DISCONNECT)
    assert await steps.receive() == DISCONNECT


async def test_a_step_that_waits_too_long_says_for_what() -> None:
    connection = ScriptedConnection.body(AfterSend("http.response.body", 2), disconnect=True, timeout=0.01)
    await connection.send(START)
    with pytest.raises(
        WaitTimeout, match=r"2 sent .* 'http.response.body' within 0.01 s; .* sent: http.response.start"
    ):
        await connection.receive()
    with pytest.raises(WaitTimeout, match=r"1 sent message.* any type within 0.01 s"):
        await ScriptedConnection(AfterSend(), timeout=0.01).receive()


async def test_a_step_needs_the_send_of_the_connection() -> None:
    with pytest.raises(ScriptError, match="ScriptedConnection"):
        await ScriptedReceive(AfterSend())()
    sent = RecordedSend()
    await sent(START)
    assert await ScriptedReceive(AfterSend(), DISCONNECT, send=sent)() == DISCONNECT


async def test_a_second_call_while_a_step_waits_is_an_error() -> None:
    connection = ScriptedConnection(AfterSend(), DISCONNECT)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(connection.receive)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(ScriptError, match="one call of receive at a time"):
            await connection.receive()
        await connection.send(START)


@pytest.mark.parametrize(
    "receive",
    [
        lambda error: ScriptedReceive.body(b"a", at_end=error),
        lambda error: ScriptedReceive.websocket(at_end=error),
        lambda error: ScriptedConnection.body(b"a", at_end=error).receive,
        lambda error: ScriptedConnection.websocket(at_end=error).receive,
        lambda error: ScriptedConnection({"type": "http.request"}, at_end=error).receive,
    ],
    ids=["body", "websocket", "connection body", "connection websocket", "connection"],
)
async def test_at_end_works_in_every_form(receive: Any) -> None:
    scripted = receive(EOFError("end"))
    await scripted()
    for _ in range(2):
        with pytest.raises(EOFError, match="end"):
            await scripted()


class TestRecordedSend:
    async def test_messages_are_copied(self) -> None:
        sent = RecordedSend()
        message = dict(PART)
        buffer = bytearray(b"x")
        for number in range(3):
            message["body"] = b"%d" % number
            await sent(message)
        await sent({"type": "http.response.body", "body": buffer, "headers": (headers := [])})
        buffer[:] = b"y"
        headers.append((b"a", b"b"))
        assert sent.body == b"012x"
        assert sent.messages[3]["headers"] == []

    async def test_messages_that_are_no_dict_are_recorded_too(self) -> None:
        sent = RecordedSend()
        await sent(None)  # type: ignore[arg-type]
        assert sent.messages == [None]
        assert (sent.count(), sent.count("x")) == (1, 0)
        receive = ScriptedReceive(AfterSend("x"), send=sent, timeout=0.01)
        with pytest.raises(WaitTimeout, match="the application sent: a message of type NoneType"):
            await receive()

    async def test_count(self) -> None:
        sent = RecordedSend()
        for message in (START, PART, PART):
            await sent(message)
        counts = [sent.count(), sent.count("http.response.start"), sent.count(PART["type"]), sent.count("x")]
        assert counts == [3, 1, 2, 0]

    async def test_complete_ignores_messages_in_the_wrong_order(self) -> None:
        sent = RecordedSend()
        await sent(BODY)
        assert not sent.complete
        await sent(START)
        await sent(BODY)
        assert sent.complete


def test_class_methods_return_the_subclass() -> None:
    class Own(ScriptedConnection):
        pass

    assert type(Own.body()) is type(Own.websocket()) is Own
