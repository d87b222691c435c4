"""The scripted receive and the recording send do what servers do, and tell what servers do not allow."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from asgiwire.exceptions import AsgiwireException
from asgiwire.testing import RecordedSend, ScriptedReceive, ScriptError

pytestmark = pytest.mark.anyio

DISCONNECT = {"type": "http.disconnect"}


async def messages_of(receive: ScriptedReceive) -> list[Any]:
    """Everything until it blocks."""
    messages = []
    with anyio.move_on_after(0.05):
        while True:
            messages.append(await receive())
            if messages[-1]["type"].endswith("disconnect"):
                break
    return messages


def part(body: bytes, more_body: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more_body}


class TestScriptedReceive:
    async def test_returns_its_messages_and_counts_the_calls(self) -> None:
        script = [part(b"a", True), {"type": "http.request"}]
        receive = ScriptedReceive(*script)
        assert receive.calls == 0
        assert [await receive(), await receive()] == script
        assert receive.calls == 2

    async def test_blocks_after_the_last_message_and_can_be_cancelled(self) -> None:
        receive = ScriptedReceive()
        for _ in range(2):
            with anyio.move_on_after(0.01) as scope:
                await receive()
            assert scope.cancelled_caught
        assert receive.calls == 2

    async def test_raises_at_the_end_if_told(self) -> None:
        receive = ScriptedReceive(part(b"", False), at_end=EOFError("end"))
        await receive()
        for _ in range(2):
            with pytest.raises(EOFError, match="end"):
                await receive()

    async def test_raises_in_its_turn(self) -> None:
        receive = ScriptedReceive(OSError("lost"), part(b"a", False))
        with pytest.raises(OSError, match="lost"):
            await receive()
        assert await receive() == part(b"a", False)

    @pytest.mark.parametrize("kind", ["http.disconnect", "websocket.disconnect"])
    async def test_a_call_after_a_disconnect_is_an_error(self, kind: str) -> None:
        receive = ScriptedReceive({"type": kind}, {"type": kind})
        await receive()
        for _ in range(2):
            with pytest.raises(ScriptError, match=f"called again after it had returned '{kind}'"):
                await receive()

    async def test_a_second_call_at_once_is_an_error(self) -> None:
        receive = ScriptedReceive()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(ScriptError, match="while another call"):
                await receive()
            tasks.cancel_scope.cancel()

    @pytest.mark.parametrize(
        ("receive", "script"),
        [
            (ScriptedReceive.body(), [part(b"", False)]),
            (ScriptedReceive.body(b"a"), [part(b"a", False)]),
            (ScriptedReceive.body(b"a", b"", b"b"), [part(b"a", True), part(b"", True), part(b"b", False)]),
            (ScriptedReceive.body(disconnect=True), [DISCONNECT]),
            (
                ScriptedReceive.body(b"a", b"b", disconnect=True),
                [part(b"a", True), part(b"b", True), DISCONNECT],
            ),
            (ScriptedReceive.websocket(), [{"type": "websocket.connect"}]),
            (
                ScriptedReceive.websocket(
                    "a", b"b", {"type": "websocket.receive", "text": None, "bytes": b""}
                ),
                [
                    {"type": "websocket.connect"},
                    {"type": "websocket.receive", "text": "a"},
                    {"type": "websocket.receive", "bytes": b"b"},
                    {"type": "websocket.receive", "text": None, "bytes": b""},
                ],
            ),
            (
                ScriptedReceive.websocket(disconnect=1001),
                [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001, "reason": ""}],
            ),
        ],
        ids=["empty", "one", "three", "gone", "gone in the middle", "connect", "messages", "leave"],
    )
    @pytest.mark.parametrize("anyio_backend", ["asyncio"])  # a script can be followed only once
    async def test_scripts(self, receive: ScriptedReceive, script: list[dict[str, Any]]) -> None:
        assert await messages_of(receive) == script

    def test_makes_the_class_it_is_called_on(self) -> None:
        class Own(ScriptedReceive):
            pass

        assert type(Own.body()) is type(Own.websocket()) is Own


class TestRecordedSend:
    async def test_response(self) -> None:
        send = RecordedSend()
        script: list[Any] = [
            {"type": "http.response.start", "status": 201, "headers": [(b"X-A", b"1"), (b"x-a", b"2")]},
            {"type": "http.response.body", "body": b"ab", "more_body": True},
            {"type": "http.response.body", "more_body": True},
            {"type": "http.response.body", "body": b"c"},
        ]
        for message in script:
            await send(message)
        assert send.messages == script
        assert (send.status, send.body, send.headers.getall("X-A")) == (201, b"abc", ["1", "2"])

    async def test_response_without_headers(self) -> None:
        send = RecordedSend()
        await send({"type": "http.response.start", "status": 204})
        assert (send.status, len(send.headers), send.body) == (204, 0, b"")

    async def test_denial_response(self) -> None:
        send = RecordedSend()
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"no"})
        assert (send.status, send.body) == (401, b"no")

    async def test_no_response(self) -> None:
        send = RecordedSend()
        await send({"type": "websocket.accept"})
        for ask in (lambda: send.status, lambda: send.headers):
            with pytest.raises(ScriptError, match=r"no response was begun; sent was \['websocket.accept'\]"):
                ask()
        assert send.body == b""

    @pytest.mark.parametrize("after", [0, 1, 3])
    async def test_fails_from_then_on(self, after: int) -> None:
        send = RecordedSend()
        send.fail_with(OSError("gone"), after=after)
        for number in range(after):
            await send({"type": "http.response.body", "body": b"%d" % number})
        for _ in range(2):
            with pytest.raises(OSError, match="gone"):
                await send({"type": "http.response.body"})
        assert len(send.messages) == after


def test_a_script_error_fails_a_test_as_an_assertion_does() -> None:
    assert issubclass(ScriptError, AssertionError)
    assert issubclass(ScriptError, AsgiwireException)
