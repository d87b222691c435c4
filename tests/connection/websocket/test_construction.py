"""Construction of a WebSocket, and the properties that describe its state."""

from __future__ import annotations

import gc
import inspect
import typing
from typing import Any

import pytest

from asgiwire._websocket import channel, events, states
from asgiwire.connection import ASGIConnection, WebSocket, empty_receive, websocket
from asgiwire.exceptions import ImproperlyConfiguredException, WebSocketDisconnect
from tests.websocket_server import Server, connected, disconnect, scope, text

pytestmark = pytest.mark.anyio


class TestConstruction:
    @pytest.mark.parametrize("kind", ["http", "lifespan"])
    async def test_wrong_type_of_scope(self, kind: str) -> None:
        with pytest.raises(ImproperlyConfiguredException, match="'websocket'"):
            WebSocket(scope(type=kind))

    async def test_nothing_is_received_or_sent(self) -> None:
        server = Server()
        connected(server)
        assert (server.calls, server.sent) == (0, [])

    async def test_without_receive(self) -> None:
        with pytest.raises(ImproperlyConfiguredException, match="cannot receive"):
            await WebSocket(scope()).accept()

    async def test_without_send(self) -> None:
        with pytest.raises(ImproperlyConfiguredException, match="cannot send"):
            await WebSocket(scope(), Server().receive).accept()

    async def test_has_no_private_base_class(self) -> None:
        assert WebSocket.__mro__[:2] == (WebSocket, ASGIConnection)

    async def test_has_slots(self) -> None:
        assert not hasattr(WebSocket(scope()), "__dict__")

    async def test_subclass_may_have_attributes(self) -> None:
        class Chat(WebSocket):
            name = ""

        chat = Chat(scope())
        chat.name = "a"
        assert vars(chat) == {"name": "a"}

    async def test_is_freed_with_its_last_reference(self) -> None:
        """The wrapped callables do not reference the WebSocket."""
        gc.collect()
        gc.disable()
        try:
            deleted = list[str]()

            class Watched(WebSocket):
                def __del__(self) -> None:
                    deleted.append("deleted")

            Watched(scope())
            assert deleted == ["deleted"]
        finally:
            gc.enable()

    async def test_wrapped_callables_are_coroutine_functions(self) -> None:
        socket = WebSocket(scope())
        assert inspect.iscoroutinefunction(socket.receive)
        assert inspect.iscoroutinefunction(socket.send)
        assert socket.receive is not empty_receive


class TestState:
    async def test_during_a_conversation(self) -> None:
        server = Server(text("a"), disconnect(code=1001, reason="away"))
        socket = connected(server)
        seen = list[Any]()

        def record() -> None:
            seen.append(
                (socket.connection_state, socket.disconnected, socket.close_code, socket.close_reason)
            )

        record()
        await socket.receive()
        record()
        await socket.accept()
        record()
        await socket.receive_text()
        record()
        with pytest.raises(WebSocketDisconnect):
            await socket.receive_text()
        record()
        assert seen == [
            ("init", False, None, None),
            ("connect", False, None, None),
            ("connect", False, None, None),
            ("receive", False, None, None),
            ("disconnect", True, 1001, "away"),
        ]

    async def test_after_close(self) -> None:
        socket = connected(Server())
        await socket.accept()
        await socket.close(4000, "bye")
        assert (socket.connection_state, socket.disconnected) == ("disconnect", True)
        assert (socket.close_code, socket.close_reason) == (4000, "bye")

    async def test_during_a_denial(self) -> None:
        """The response is not complete, so the WebSocket is not closed yet."""
        socket = connected(Server())
        await socket.receive()
        await socket.send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        assert (socket.connection_state, socket.disconnected) == ("disconnect", False)
        assert (socket.close_code, socket.close_reason) == (None, None)

    async def test_repr_has_the_state_and_no_secret(self) -> None:
        socket = connected(
            Server(), query_string=b"token=secret", headers=[(b"host", b"h.test"), (b"cookie", b"sid=secret")]
        )
        assert repr(socket).startswith("<WebSocket initial ")
        await socket.accept()
        assert repr(socket).startswith("<WebSocket open ")
        assert "/chat" in repr(socket)
        assert "secret" not in repr(socket)

    async def test_state_is_read_only(self) -> None:
        socket: Any = WebSocket(scope())
        with pytest.raises(AttributeError):
            socket.connection_state = "receive"


def public_callables() -> list[Any]:
    found = list[Any]()
    for owner in (WebSocket, channel, channel.WebSocketChannel, events, states, websocket):
        module = getattr(owner, "__module__", owner.__name__)
        for name, value in vars(owner).items():
            function = value.fget if isinstance(value, property) else value
            public = name == "__init__" or not name.startswith("_")
            if public and inspect.isfunction(function) and function.__module__ == module:
                found.append(function)
    return found


@pytest.mark.parametrize("function", public_callables(), ids=lambda function: str(function.__qualname__))
def test_type_hints_can_be_resolved(function: Any) -> None:
    assert "return" in typing.get_type_hints(function)


def test_type_hints_are_tested_for_all_members() -> None:
    names = {function.__qualname__ for function in public_callables()}
    assert {"WebSocket.__init__", "WebSocket.accept", "WebSocket.receive_json"} < names
    assert len(names) > 40
