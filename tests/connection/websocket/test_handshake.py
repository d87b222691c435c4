"""The handshake of a WebSocket: subprotocols, accept, and denial responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from asgiwire.connection import WebSocket
from asgiwire.exceptions import (
    ImproperlyConfiguredException,
    ProtocolError,
    WebSocketDisconnect,
    WebSocketStateError,
)
from tests.websocket_server import ACCEPTED, CONNECT, Server, connected, disconnect, scope, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


class TestSubprotocols:
    """RFC 6455 section 1.9."""

    @pytest.mark.parametrize(
        ("values", "offered"),
        [
            ({}, ()),
            ({"subprotocols": None}, ()),
            ({"subprotocols": []}, ()),
            ({"subprotocols": ["soap", "wamp"]}, ("soap", "wamp")),
            ({"subprotocols": ("soap", "wamp")}, ("soap", "wamp")),
        ],
        ids=["missing", "None", "empty", "list", "tuple"],
    )
    async def test_offered(self, values: dict[str, Any], offered: tuple[str, ...]) -> None:
        assert WebSocket(scope(**values)).subprotocols == offered

    async def test_iterator_in_the_scope_is_read_once(self) -> None:
        values = scope(subprotocols=iter(["soap", "wamp"]))
        for socket in (WebSocket(values), WebSocket(values)):
            assert socket.subprotocols == socket.subprotocols == ("soap", "wamp")

    @pytest.mark.parametrize(
        ("supported", "selected"),
        [
            (["wamp", "soap"], "wamp"),
            (["mqtt", "soap", "wamp"], "soap"),
            ({"wamp"}, "wamp"),
            (("mqtt",), None),
            ([], None),
            (["", "wamp"], "wamp"),
        ],
        ids=["order", "second", "one", "unsupported", "empty", "empty name"],
    )
    async def test_selection_in_the_order_of_the_application(
        self, supported: Any, selected: str | None
    ) -> None:
        """RFC 6455 section 4.2.2 leaves the choice to the server."""
        socket = WebSocket(scope(subprotocols=["", "soap", "wamp"]))
        assert socket.select_subprotocol(iter(supported)) == selected

    async def test_blanks_around_the_offered_ones(self) -> None:
        """One test transport splits `a, b` at the comma only."""
        server = Server()
        socket = connected(server, subprotocols=["a", " b", "\tc "])
        assert socket.subprotocols == ("a", "b", "c")
        assert socket.select_subprotocol(["c", "b"]) == "c"
        await socket.accept("b")
        assert server.sent == [{"type": "websocket.accept", "subprotocol": "b", "headers": []}]

    async def test_accept_with_the_selected_one(self) -> None:
        server = Server()
        socket = connected(server, subprotocols=["soap", "wamp"])
        await socket.accept(subprotocols=socket.select_subprotocol(["wamp"]))
        assert server.sent == [{"type": "websocket.accept", "subprotocol": "wamp", "headers": []}]

    async def test_accept_with_one_that_was_not_offered(self) -> None:
        server = Server()
        socket = connected(server, subprotocols=["soap"])
        with pytest.raises(ValueError, match=r"got 'wamp'; see \.subprotocols$"):
            await socket.accept("wamp")
        assert (server.calls, server.sent) == (0, [])
        await socket.accept("soap")
        assert server.sent_types == ["accept"]


class TestAccept:
    async def test_receives_the_connect_event_first(self) -> None:
        server = Server()
        await connected(server).accept()
        assert server.sent == [ACCEPTED]
        assert type(server.sent[0]) is dict

    async def test_second_call_does_nothing(self) -> None:
        server = Server()
        socket = connected(server)
        await socket.accept()
        await socket.accept("not offered", {"bad\n": "header"})
        assert server.sent == [ACCEPTED]

    async def test_after_a_raw_receive_of_the_connect_event(self) -> None:
        server = Server()
        socket = connected(server)
        assert await socket.receive() == CONNECT
        await socket.accept()
        assert server.sent == [ACCEPTED]

    @pytest.mark.parametrize(
        "headers",
        [{"X-Version": "1"}, [(b"X-Version", b"1")], ((b"x-version", b"1"),), {("X-Version", "1")}],
        ids=["dict", "raw list", "tuple", "set"],
    )
    @pytest.mark.parametrize("once", [False, True], ids=["collection", "iterator"])
    async def test_headers(self, headers: Any, once: bool) -> None:
        server = Server()
        if once:
            headers = iter(headers.items() if isinstance(headers, dict) else headers)
        await connected(server).accept(headers=headers)
        assert server.sent == [{**ACCEPTED, "headers": [(b"x-version", b"1")]}]

    @pytest.mark.parametrize(
        "headers",
        [{"a": "b\r\nc: d"}, {"a\n": "b"}, [("a", "b\0")], {"sec-websocket-protocol": "chat"}],
        ids=["CRLF", "name", "NUL", "subprotocol"],
    )
    async def test_invalid_headers_send_nothing(self, headers: Any) -> None:
        server = Server()
        with pytest.raises(ValueError, match="header"):
            await connected(server).accept(headers=headers)
        assert (server.calls, server.sent) == (0, [])

    async def test_after_the_client_disconnected(self) -> None:
        server = Server(disconnect(code=1006), connect=False)
        with pytest.raises(WebSocketDisconnect) as caught:
            await connected(server).accept()
        assert caught.value.code == 1006
        assert server.sent == []

    async def test_after_close(self) -> None:
        """One server would answer the accept with HTTP 101."""
        server = Server()
        socket = connected(server)
        await socket.close()
        with pytest.raises(WebSocketDisconnect, match=r"^the WebSocket is closed \(code 1000\)$"):
            await socket.accept()
        assert server.sent_types == ["close"]

    async def test_after_a_denial_was_started(self) -> None:
        server = Server()
        socket = connected(server)
        await socket.receive()
        await socket.send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        for action in (socket.accept, socket.close):
            with pytest.raises(WebSocketStateError, match=r"in state 'denying'"):
                await action()
        await socket.send({"type": "websocket.http.response.body", "body": b""})
        await socket.close()
        assert server.sent_types == ["http.response.start", "http.response.body"]

    async def test_unexpected_first_message(self) -> None:
        server = Server(text("a"), connect=False)
        with pytest.raises(ProtocolError, match=r"'websocket\.receive', expected 'websocket\.connect' or"):
            await connected(server).accept()
        assert server.sent == []

    async def test_unknown_argument(self) -> None:
        """The error names the public class."""
        socket: Any = connected(Server())
        with pytest.raises(TypeError, match=r"^WebSocket\.accept\(\) got an unexpected keyword argument"):
            await socket.accept(nonsense=1)

    async def test_concurrent_calls_accept_once(self) -> None:
        server = Server()
        socket = connected(server)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(socket.accept)
        assert server.sent == [ACCEPTED]

    async def test_concurrent_calls_after_the_client_disconnected(self) -> None:
        server, codes = Server(disconnect(code=1001), connect=False), list[int]()
        socket = connected(server)

        async def accept() -> None:
            with pytest.raises(WebSocketDisconnect) as caught:
                await socket.accept()
            codes.append(caught.value.code)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(accept)
                group.start_soon(accept)
        assert (codes, server.calls) == ([1001, 1001], 1)

    async def test_cancelled_while_waiting_for_the_connect_event(self) -> None:
        server = Server(connect=False)
        socket = connected(server)
        with anyio.move_on_after(0):
            await socket.accept()
        assert socket.connection_state == "init"
        server.script.append(CONNECT)
        await socket.accept()
        assert server.sent == [ACCEPTED]

    async def test_cancelled_while_sending(self) -> None:
        """It is unknown whether the server took the event; a close is allowed in either case."""
        server = Server()
        socket = connected(server)
        await socket.receive()
        with anyio.CancelScope() as scope_:
            scope_.cancel()
            await socket.accept()
        assert socket.connection_state == "connect"
        await socket.close()
        assert server.sent_types == ["close"]

    async def test_connection_lost(self) -> None:
        server = Server()
        server.error = lambda _event: OSError()
        socket = connected(server)
        with pytest.raises(WebSocketDisconnect) as caught:
            await socket.accept()
        assert caught.value.code == socket.close_code == 1006

    async def test_raw_events_are_checked(self) -> None:
        server = Server()
        socket = connected(server)
        with pytest.raises(WebSocketStateError, match=r"before 'websocket\.connect' is received"):
            await socket.send({"type": "websocket.accept"})
        await socket.receive()
        await socket.send({"type": "websocket.accept"})
        with pytest.raises(WebSocketStateError, match=r"expected 'websocket\.send' or 'websocket\.close'"):
            await socket.send({"type": "websocket.accept"})
        assert server.sent_types == ["accept"]


EXTENSION: dict[str, Any] = {"extensions": {"websocket.http.response": {}}}
DENIAL = {"type": "websocket.http.response.start", "status": 401, "headers": []}


def body(data: bytes) -> dict[str, Any]:
    return {"type": "websocket.http.response.body", "body": data, "more_body": False}


async def chunks(*data: Any) -> AsyncIterator[Any]:
    for chunk in data:
        await checkpoint()
        yield chunk


class Iterable:
    """An asynchronous iterable that is not a generator."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return chunks(b"a", b"b")


class Mixed:
    def __aiter__(self) -> AsyncIterator[Any]:
        return chunks(b"a", "b")


class TestDenial:
    """An HTTP response as the answer to the handshake."""

    async def test_receives_the_connect_event_first(self) -> None:
        server = Server()
        socket = connected(server, **EXTENSION)
        await socket.send_denial_response(401, {"WWW-Authenticate": "Basic"}, b"log in")
        headers = [(b"www-authenticate", b"Basic")]
        assert server.sent == [{**DENIAL, "headers": headers}, body(b"log in")]
        assert (socket.disconnected, socket.close_code) == (True, 1006)

    async def test_nothing_is_received_afterwards(self) -> None:
        """One server never sends the disconnect event after a denied handshake."""
        server = Server()
        socket = connected(server, **EXTENSION)
        await socket.send_denial_response(401)
        with anyio.fail_after(1), pytest.raises(WebSocketDisconnect):
            await socket.receive_text()
        assert server.calls == 1

    async def test_headers_and_body_are_always_sent(self) -> None:
        server = Server()
        await connected(server, **EXTENSION).send_denial_response(401)
        assert server.sent == [DENIAL, body(b"")]

    async def test_after_a_raw_receive_of_the_connect_event(self) -> None:
        server = Server()
        socket = connected(server, **EXTENSION)
        await socket.receive()
        await socket.send_denial_response(401, body=bytearray(b"no"))  # type: ignore[arg-type]  # accepted, not documented
        assert server.sent == [DENIAL, body(b"no")]

    @pytest.mark.parametrize(
        ("data", "joined"),
        [
            (lambda: chunks(b"a", b"", b"b"), b"ab"),
            (Iterable, b"ab"),
            (lambda: chunks(b"a", bytearray(b"b")), b"ab"),
            (chunks, b""),
        ],
        ids=["generator", "iterable", "bytearray", "empty"],
    )
    async def test_chunks_are_sent_in_one_event(self, data: Any, joined: bytes) -> None:
        """One server loses what comes after the start, and one accepts only one body event."""
        server = Server()
        await connected(server, **EXTENSION).send_denial_response(401, body=data())
        assert server.sent == [DENIAL, body(joined)]

    async def test_failing_iterable_sends_nothing(self) -> None:
        class Broken:
            async def __aiter__(self) -> AsyncIterator[bytes]:
                yield b"a"
                raise KeyError("database")

        server = Server()
        socket = connected(server, **EXTENSION)
        with pytest.raises(KeyError, match="database"):
            await socket.send_denial_response(401, body=Broken())
        await socket.close()
        assert server.sent_types == ["close"]

    @pytest.mark.parametrize("extensions", [{}, {"extensions": None}, {"extensions": {"tls": {}}}], ids=repr)
    async def test_server_without_the_extension(self, extensions: dict[str, Any]) -> None:
        """One such server ignores the events, and the client waits forever. So none is sent."""
        server = Server()
        socket = connected(server, **extensions)
        with pytest.raises(ImproperlyConfiguredException) as caught:
            await socket.send_denial_response(401)
        assert str(caught.value) == (
            "the server does not support the extension 'websocket.http.response';"
            " close() answers with HTTP 403 on every server"
        )
        assert (server.calls, server.sent) == (0, [])
        await socket.close()
        assert server.sent_types == ["close"]

    @pytest.mark.parametrize(
        "arguments",
        [
            (200,),
            (401, {"a": "b\r\nc: d"}),
            (401, None, "text"),
            (401, None, [b"list"]),
            (401, None, Mixed()),
        ],
        ids=["status", "header", "text", "list", "chunks"],
    )
    async def test_invalid_arguments_send_nothing(self, arguments: Any) -> None:
        server = Server()
        with pytest.raises((ValueError, TypeError)):
            await connected(server, **EXTENSION).send_denial_response(*arguments)
        assert (server.calls, server.sent) == (0, [])

    async def test_after_accept(self) -> None:
        server = Server()
        socket = connected(server, **EXTENSION)
        await socket.accept()
        with pytest.raises(WebSocketStateError) as caught:
            await socket.send_denial_response(401)
        assert str(caught.value) == (
            "'websocket.http.response.start' is not allowed in state 'open',"
            " expected 'websocket.send' or 'websocket.close'"
        )
        assert server.sent_types == ["accept"]

    async def test_after_close(self) -> None:
        server = Server()
        socket = connected(server, **EXTENSION)
        await socket.close()
        with pytest.raises(WebSocketDisconnect):
            await socket.send_denial_response(401)
        assert server.sent_types == ["close"]

    async def test_after_the_client_disconnected(self) -> None:
        server = Server(disconnect(code=1006), connect=False)
        with pytest.raises(WebSocketDisconnect) as caught:
            await connected(server, **EXTENSION).send_denial_response(401)
        assert (caught.value.code, server.sent) == (1006, [])

    async def test_other_methods_afterwards(self) -> None:
        server = Server()
        socket = connected(server, **EXTENSION)
        await socket.send_denial_response(401)
        for action in (socket.accept, socket.receive_text, lambda: socket.send_text("a")):
            with anyio.move_on_after(0.01), pytest.raises(WebSocketDisconnect):
                await action()
        await socket.close()
        assert server.sent == [DENIAL, body(b"")]

    async def test_concurrent_calls_send_one_response(self) -> None:
        server, errors = Server(), list[type[Exception]]()
        socket = connected(server, **EXTENSION)

        async def deny() -> None:
            try:
                await socket.send_denial_response(401)
            except (WebSocketStateError, WebSocketDisconnect) as error:
                errors.append(type(error))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(deny)
                group.start_soon(deny)
        assert server.sent == [DENIAL, body(b"")]
        assert len(errors) == 1
