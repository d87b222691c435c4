"""``ScriptedReceive`` and ``RecordedSend`` behave as servers do and report errors of the code under test."""

from __future__ import annotations

from typing import Any, get_type_hints

import anyio
import pytest

from asgiwire.datastructures import Headers
from asgiwire.exceptions import AsgiwireException
from asgiwire.testing import RecordedSend, ScriptedConnection, ScriptedReceive, ScriptError, WaitTimeout

pytestmark = pytest.mark.anyio

DISCONNECT = {"type": "http.disconnect"}


async def messages_of(receive: ScriptedReceive) -> list[Any]:
    """Return the messages up to a disconnect, or until it blocks."""
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

    async def test_a_call_after_the_last_message_does_not_block_for_ever(self) -> None:
        receive = ScriptedReceive(part(b"", False), timeout=0.01)
        await receive()
        with pytest.raises(WaitTimeout, match=r"after the last message .*, call 2 has waited for 0.01 s$"):
            await receive()
        connection = ScriptedConnection.body(timeout=0.01)
        await connection.receive()
        await connection.send({"type": "http.response.start", "status": 200})
        with pytest.raises(WaitTimeout, match=r"the application sent: http.response.start \(status 200\)"):
            await connection.receive()

    async def test_raises_at_end(self) -> None:
        receive = ScriptedReceive(part(b"", False), at_end=EOFError("end"))
        await receive()
        for _ in range(2):
            with pytest.raises(EOFError, match="end"):
                await receive()

    async def test_raises_an_exception_among_the_messages(self) -> None:
        receive = ScriptedReceive(OSError("lost"), part(b"a", False))
        with pytest.raises(OSError, match="lost"):
            await receive()
        assert await receive() == part(b"a", False)

    async def test_a_call_after_a_websocket_disconnect_is_an_error(self) -> None:
        receive = ScriptedReceive({"type": "websocket.disconnect"}, {"type": "websocket.disconnect"})
        await receive()
        for _ in range(2):
            with pytest.raises(
                ScriptError, match=r"expected no call of receive after 'websocket.disconnect'"
            ):
                await receive()

    async def test_an_http_disconnect_is_returned_again(self) -> None:
        receive = ScriptedReceive(DISCONNECT)
        messages = [await receive() for _ in range(3)]
        assert messages == [DISCONNECT] * 3
        assert messages[1] is not messages[2]
        assert receive.calls == 3

    async def test_a_concurrent_call_is_an_error(self) -> None:
        receive = ScriptedReceive()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(ScriptError, match="one call of receive at a time"):
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
        ids=["empty", "one", "three", "disconnect", "disconnect in the body", "connect", "messages", "close"],
    )
    @pytest.mark.parametrize("anyio_backend", ["asyncio"])  # a script can be used only once
    async def test_scripts(self, receive: ScriptedReceive, script: list[dict[str, Any]]) -> None:
        assert await messages_of(receive) == script

    def test_class_methods_return_the_subclass(self) -> None:
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
        for read in (lambda: send.status, lambda: send.headers):
            with pytest.raises(ScriptError, match=r"expected a response, got .* \['websocket.accept'\]"):
                read()
        assert send.body == b""

    @pytest.mark.parametrize("after", [0, 1, 3])
    async def test_fail_with_raises_in_every_later_call(self, after: int) -> None:
        send = RecordedSend()
        send.fail_with(OSError("connection lost"), after=after)
        for number in range(after):
            await send({"type": "http.response.body", "body": b"%d" % number})
        for _ in range(2):
            with pytest.raises(OSError, match="connection lost"):
                await send({"type": "http.response.body"})
        assert len(send.messages) == after


def test_a_script_error_is_an_assertion_error() -> None:
    assert issubclass(ScriptError, AssertionError)
    assert issubclass(ScriptError, AsgiwireException)


def test_type_hints_can_be_evaluated() -> None:
    methods = [ScriptedReceive.__init__, ScriptedReceive.body, ScriptedReceive.websocket]
    assert all(get_type_hints(method) for method in methods)
    assert get_type_hints(RecordedSend.__call__)["return"] is type(None)
    assert get_type_hints(RecordedSend.headers.fget)["return"] is Headers
