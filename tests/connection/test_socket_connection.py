"""The life of a WebSocket: construction, handshake, close, and what the object says of itself."""

from __future__ import annotations

import gc
import inspect
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire.connection import WebSocket, empty_receive
from asgiwire.exceptions import (
    ImproperlyConfiguredException,
    ProtocolError,
    WebSocketDisconnect,
    WebSocketStateError,
)
from tests.websocket_server import ACCEPTED, CONNECT, Server, disconnect, scope, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asgiwire.types import Receive, Send

pytestmark = pytest.mark.anyio


def connected(server: Server, **values: Any) -> WebSocket:
    return WebSocket(scope(**values), server.receive, server.send)


class TestConstruction:
    """What holds before anything was received."""

    @pytest.mark.parametrize("kind", ["http", "lifespan"])
    async def test_the_wrong_type_of_scope(self, kind: str) -> None:
        with pytest.raises(ImproperlyConfiguredException, match="'websocket'"):
            WebSocket(scope(type=kind))

    async def test_nothing_is_received_or_sent(self) -> None:
        server = Server()
        connected(server)
        assert (server.asked, server.sent) == (0, [])

    async def test_without_receive(self) -> None:
        with pytest.raises(ImproperlyConfiguredException, match="cannot receive"):
            await WebSocket(scope()).accept()

    async def test_without_send(self) -> None:
        with pytest.raises(ImproperlyConfiguredException, match="cannot send"):
            await WebSocket(scope(), Server().receive).accept()

    async def test_it_has_slots(self) -> None:
        assert not hasattr(WebSocket(scope()), "__dict__")

    async def test_a_subclass_may_add_attributes(self) -> None:
        class Chatter(WebSocket):
            name = ""

        chatter = Chatter(scope())
        chatter.name = "a"
        assert vars(chatter) == {"name": "a"}

    async def test_it_goes_away_with_its_last_reference(self) -> None:
        """The wrapped callables do not hold the object that holds them."""
        gc.collect()
        gc.disable()
        try:
            dropped = list[str]()

            class Watched(WebSocket):
                def __del__(self) -> None:
                    dropped.append("gone")

            Watched(scope())
            assert dropped == ["gone"]
        finally:
            gc.enable()

    async def test_the_wrapped_callables_are_coroutine_functions(self) -> None:
        websocket = WebSocket(scope())
        assert inspect.iscoroutinefunction(websocket.receive)
        assert inspect.iscoroutinefunction(websocket.send)


class TestStates:
    """What the object says of itself."""

    async def test_through_a_conversation(self) -> None:
        server = Server(text("a"), disconnect(code=1001, reason="away"))
        websocket = connected(server)
        seen = []

        def look() -> None:
            seen.append(
                (
                    websocket.connection_state,
                    websocket.disconnected,
                    websocket.close_code,
                    websocket.close_reason,
                )
            )

        look()
        await websocket.receive()
        look()
        await websocket.accept()
        look()
        await websocket.receive_text()
        look()
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive_text()
        look()
        assert seen == [
            ("init", False, None, None),
            ("connect", False, None, None),
            ("connect", False, None, None),
            ("receive", False, None, None),
            ("disconnect", True, 1001, "away"),
        ]

    async def test_after_our_own_close(self) -> None:
        websocket = connected(Server())
        await websocket.accept()
        await websocket.close(4000, "bye")
        assert (websocket.connection_state, websocket.disconnected) == ("disconnect", True)
        assert (websocket.close_code, websocket.close_reason) == (4000, "bye")

    async def test_during_a_denial(self) -> None:
        """Nothing is closed yet, and yet there is nothing left to close."""
        websocket = connected(Server())
        await websocket.receive()
        await websocket.send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        assert (websocket.connection_state, websocket.disconnected) == ("disconnect", False)
        assert (websocket.close_code, websocket.close_reason) == (None, None)

    async def test_repr_names_the_state_and_no_secret(self) -> None:
        websocket = connected(
            Server(), query_string=b"token=secret", headers=[(b"host", b"h.test"), (b"cookie", b"sid=secret")]
        )
        assert repr(websocket).startswith("<WebSocket initial ")
        await websocket.accept()
        assert repr(websocket).startswith("<WebSocket open ")
        assert "/chat" in repr(websocket)
        assert "secret" not in repr(websocket)

    async def test_the_state_cannot_be_written(self) -> None:
        websocket: Any = WebSocket(scope())
        with pytest.raises(AttributeError):
            websocket.connection_state = "receive"


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
        ids=["absent", "None", "empty", "list", "tuple"],
    )
    async def test_any_scope_that_is_allowed(self, values: dict[str, Any], offered: tuple[str, ...]) -> None:
        websocket = WebSocket(scope(**values))
        assert websocket.subprotocols == offered

    async def test_a_one_shot_iterator_is_read_once_for_all(self) -> None:
        values = scope(subprotocols=iter(["soap", "wamp"]))
        for websocket in (WebSocket(values), WebSocket(values)):
            assert websocket.subprotocols == websocket.subprotocols == ("soap", "wamp")

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
        ids=["order", "not the first", "one", "none of them", "nothing", "empty name"],
    )
    async def test_selection(self, supported: Any, selected: str | None) -> None:
        """In the order of this side's preference: section 4.2.2 leaves the choice to the server."""
        websocket = WebSocket(scope(subprotocols=["", "soap", "wamp"]))
        assert websocket.select_subprotocol(iter(supported)) == selected

    async def test_accepting_with_the_selected_one(self) -> None:
        server = Server()
        websocket = connected(server, subprotocols=["soap", "wamp"])
        await websocket.accept(subprotocols=websocket.select_subprotocol(["wamp"]))
        assert server.sent == [{"type": "websocket.accept", "subprotocol": "wamp"}]

    async def test_one_that_was_not_offered_sends_nothing(self) -> None:
        server = Server()
        websocket = connected(server, subprotocols=["soap"])
        with pytest.raises(ValueError, match=r"'wamp'; it offered 'soap'$"):
            await websocket.accept("wamp")
        assert (server.asked, server.sent) == (0, [])
        await websocket.accept("soap")
        assert server.sent_types == ["accept"]


class TestAccept:
    """The handshake."""

    async def test_the_connect_event_is_taken_first(self) -> None:
        server = Server()
        await connected(server).accept()
        assert server.sent == [ACCEPTED]
        assert type(server.sent[0]) is dict

    async def test_twice_is_once(self) -> None:
        server = Server()
        websocket = connected(server)
        await websocket.accept()
        await websocket.accept("not offered", {"bad\n": "header"})
        assert server.sent == [ACCEPTED]

    async def test_after_the_connect_event_was_received_by_hand(self) -> None:
        server = Server()
        websocket = connected(server)
        assert await websocket.receive() == CONNECT
        await websocket.accept()
        assert server.sent == [ACCEPTED]

    @pytest.mark.parametrize(
        "headers",
        [{"X-Version": "1"}, [(b"X-Version", b"1")], ((b"x-version", b"1"),), {("X-Version", "1")}],
        ids=["dict", "raw list", "tuple", "set"],
    )
    @pytest.mark.parametrize("once", [False, True], ids=["as it is", "iterator"])
    async def test_headers_of_any_shape(self, headers: Any, once: bool) -> None:
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
    async def test_headers_that_cannot_be_sent(self, headers: Any) -> None:
        server = Server()
        with pytest.raises(ValueError, match="header"):
            await connected(server).accept(headers=headers)
        assert (server.asked, server.sent) == (0, [])

    async def test_the_client_left_before(self) -> None:
        server = Server(disconnect(code=1006), connect=False)
        websocket = connected(server)
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.accept()
        assert caught.value.code == 1006
        assert server.sent == []

    async def test_after_a_close(self) -> None:
        """One server would answer this with HTTP 101."""
        server = Server()
        websocket = connected(server)
        await websocket.close()
        with pytest.raises(WebSocketDisconnect, match=r"^the WebSocket is closed \(code 1000\)$"):
            await websocket.accept()
        assert server.sent_types == ["close"]

    async def test_after_a_denial_was_begun(self) -> None:
        server = Server()
        websocket = connected(server)
        await websocket.receive()
        await websocket.send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        for action in (websocket.accept, websocket.close):
            with pytest.raises(WebSocketStateError, match=r"in state 'denying'"):
                await action()
        await websocket.send({"type": "websocket.http.response.body", "body": b""})
        await websocket.close()
        assert server.sent_types == ["http.response.start", "http.response.body"]

    async def test_something_else_than_the_connect_event(self) -> None:
        server = Server(text("a"), connect=False)
        with pytest.raises(ProtocolError, match=r"'websocket\.receive', expected 'websocket\.connect' or"):
            await connected(server).accept()
        assert server.sent == []

    async def test_two_tasks_accept_once(self) -> None:
        server = Server()
        websocket = connected(server)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(websocket.accept)
        assert server.sent == [ACCEPTED]

    async def test_nothing_of_the_handshake_is_kept(self) -> None:
        """There may be many that wait for their client."""
        websocket = connected(Server())
        await websocket.accept()
        assert websocket._channel._handshake is None

    async def test_two_tasks_and_the_client_has_left(self) -> None:
        server, codes = Server(disconnect(code=1001), connect=False), list[int]()
        websocket = connected(server)

        async def attempt() -> None:
            with pytest.raises(WebSocketDisconnect) as caught:
                await websocket.accept()
            codes.append(caught.value.code)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(attempt)
                group.start_soon(attempt)
        assert (codes, server.asked) == ([1001, 1001], 1)

    async def test_cancelled_while_waiting_for_the_connect_event(self) -> None:
        server = Server(connect=False)
        websocket = connected(server)
        with anyio.move_on_after(0):
            await websocket.accept()
        assert websocket.connection_state == "init"
        server.script.append(CONNECT)
        await websocket.accept()
        assert server.sent == [ACCEPTED]

    async def test_cancelled_while_the_event_is_sent(self) -> None:
        """What the server has made of it is not known; a close is allowed in either case."""
        server = Server()
        websocket = connected(server)
        await websocket.receive()
        with anyio.CancelScope() as cancelled:
            cancelled.cancel()
            await websocket.accept()
        assert websocket.connection_state == "connect"
        await websocket.close()
        assert server.sent_types == ["close"]

    async def test_the_server_finds_the_connection_lost(self) -> None:
        server = Server()
        server.refuse = lambda _event: OSError()
        websocket = connected(server)
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.accept()
        assert caught.value.code == websocket.close_code == 1006

    async def test_raw_events_are_held_to_the_table_too(self) -> None:
        server = Server()
        websocket = connected(server)
        with pytest.raises(WebSocketStateError, match=r"before 'websocket\.connect' was received"):
            await websocket.send({"type": "websocket.accept"})
        await websocket.receive()
        await websocket.send({"type": "websocket.accept"})
        with pytest.raises(WebSocketStateError, match=r"expected 'websocket\.send' or 'websocket\.close'"):
            await websocket.send({"type": "websocket.accept"})
        assert server.sent_types == ["accept"]


class TestClose:
    """The end."""

    async def test_before_accept_it_is_a_rejection(self) -> None:
        """ASGI: the server answers a close in the place of an accept with HTTP 403."""
        server = Server()
        await connected(server).close()
        assert server.sent == [{"type": "websocket.close", "code": 1000, "reason": ""}]

    async def test_code_and_reason(self) -> None:
        server = Server()
        websocket = connected(server)
        await websocket.accept()
        await websocket.close(code=4001, reason="café")
        assert server.sent[1:] == [{"type": "websocket.close", "code": 4001, "reason": "café"}]

    async def test_twice_is_one_event(self) -> None:
        server = Server()
        websocket = connected(server)
        await websocket.accept()
        await websocket.close(4001)
        await websocket.close(1005)
        assert server.sent_types == ["accept", "close"]
        assert websocket.close_code == 4001

    async def test_from_two_tasks_it_is_one_event(self) -> None:
        server = Server()
        websocket = connected(server)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(websocket.close)
                group.start_soon(websocket.close)
        assert server.sent_types == ["close"]

    async def test_after_the_client_left_nothing_is_sent(self) -> None:
        server = Server(disconnect(code=1001))
        websocket = connected(server)
        await websocket.accept()
        await websocket.receive()
        await websocket.close()
        assert server.sent_types == ["accept"]
        assert websocket.close_code == 1001

    async def test_the_client_left_before_the_handshake(self) -> None:
        server = Server(disconnect(code=1006), connect=False)
        await connected(server).close()
        assert server.sent == []

    async def test_the_server_finds_the_connection_lost(self) -> None:
        """It is closed, which is what was asked for."""
        server = Server()
        websocket = connected(server)
        await websocket.accept()
        server.refuse = lambda _event: ConnectionResetError()
        await websocket.close()
        assert (websocket.disconnected, websocket.close_code) == (True, 1006)

    @pytest.mark.parametrize(
        ("code", "reason"), [(1005, None), (999, None), (1000, "a" * 124)], ids=["1005", "999", "reason"]
    )
    async def test_what_cannot_be_sent_is_not(self, code: int, reason: str | None) -> None:
        server = Server()
        websocket = connected(server)
        with pytest.raises(ValueError, match=r"^a close (code|reason)"):
            await websocket.close(code, reason)
        assert (server.asked, server.sent) == (0, [])
        await websocket.close()

    async def test_a_server_that_knows_few_codes(self) -> None:
        """One takes 1000 and 3000 to 4999 alone, and leaves the connection open after any other."""
        server = Server()
        server.refuse = lambda event: ValueError("invalid close code") if event.get("code") == 1011 else None
        websocket = connected(server)
        await websocket.accept()
        await websocket.close(1011, "broken")
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1000, "reason": "broken"}]
        assert websocket.close_code == 1000

    @pytest.mark.parametrize(("code", "tried"), [(1000, [1000]), (1001, [1001, 1000]), (3000, [3000])])
    async def test_a_server_that_cannot_close(self, code: int, tried: list[int]) -> None:
        server, refused = Server(), list[int]()
        websocket = connected(server)
        await websocket.accept()

        def refuse(event: Any) -> Exception:
            refused.append(event["code"])
            return ValueError("no")

        server.refuse = refuse
        with pytest.raises(ValueError, match=r"^no$"):
            await websocket.close(code)
        assert refused == tried
        assert not websocket.disconnected

    async def test_a_cancelled_close_may_be_tried_again(self) -> None:
        server = Server()
        websocket = connected(server)
        await websocket.accept()
        with anyio.CancelScope() as cancelled:
            cancelled.cancel()
            await websocket.close()
        assert not websocket.disconnected
        await websocket.close()
        assert server.sent_types == ["accept", "close"]

    async def test_while_another_task_accepts(self) -> None:
        server = Server()
        websocket = connected(server)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(websocket.accept)
                await anyio.lowlevel.checkpoint()
                group.start_soon(websocket.close)
        assert server.sent_types in (["accept", "close"], ["close"])


EXTENDED: dict[str, Any] = {"extensions": {"websocket.http.response": {}}}
DENIAL = {"type": "websocket.http.response.start", "status": 401, "headers": []}


def body(data: bytes) -> dict[str, Any]:
    return {"type": "websocket.http.response.body", "body": data, "more_body": False}


async def pieces(*data: Any) -> AsyncIterator[Any]:
    for piece in data:
        await anyio.lowlevel.checkpoint()
        yield piece


class Iterable:
    """Asynchronous, and no generator."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return pieces(b"a", b"b")


class Mixed:
    def __aiter__(self) -> AsyncIterator[Any]:
        return pieces(b"a", "b")


class TestDenial:
    """An HTTP response in the place of the handshake's answer."""

    async def test_the_connect_event_is_taken_first(self) -> None:
        server = Server()
        websocket = connected(server, **EXTENDED)
        await websocket.send_denial_response(401, {"WWW-Authenticate": "Basic"}, b"log in")
        headers = [(b"www-authenticate", b"Basic")]
        assert server.sent == [{**DENIAL, "headers": headers}, body(b"log in")]
        assert (websocket.disconnected, websocket.close_code) == (True, 1006)

    async def test_nothing_is_received_after_it(self) -> None:
        """One server never sends the disconnect event of a handshake that was denied."""
        server = Server()
        websocket = connected(server, **EXTENDED)
        await websocket.send_denial_response(401)
        with anyio.fail_after(1), pytest.raises(WebSocketDisconnect):
            await websocket.receive_text()
        assert server.asked == 1

    async def test_headers_and_body_are_always_there(self) -> None:
        server = Server()
        await connected(server, **EXTENDED).send_denial_response(401)
        assert server.sent == [DENIAL, body(b"")]

    async def test_after_the_connect_event_was_received_by_hand(self) -> None:
        server = Server()
        websocket = connected(server, **EXTENDED)
        await websocket.receive()
        await websocket.send_denial_response(401, body=bytearray(b"no"))  # type: ignore[arg-type]  # taken, not promised
        assert server.sent == [DENIAL, body(b"no")]

    @pytest.mark.parametrize(
        ("data", "whole"),
        [
            (lambda: pieces(b"a", b"", b"b"), b"ab"),
            (Iterable, b"ab"),
            (lambda: pieces(b"a", bytearray(b"b")), b"ab"),
            (pieces, b""),
        ],
        ids=["generator", "iterable", "bytearray", "none"],
    )
    async def test_pieces_go_out_as_one(self, data: Any, whole: bytes) -> None:
        """One server loses what comes later than the start, and one takes no second event of body."""
        server = Server()
        await connected(server, **EXTENDED).send_denial_response(401, body=data())
        assert server.sent == [DENIAL, body(whole)]

    async def test_pieces_that_do_not_come(self) -> None:
        """Nothing was sent, so that there is still a way to answer."""

        class Broken:
            async def __aiter__(self) -> AsyncIterator[bytes]:
                yield b"a"
                raise KeyError("database")

        server = Server()
        websocket = connected(server, **EXTENDED)
        with pytest.raises(KeyError, match="database"):
            await websocket.send_denial_response(401, body=Broken())
        await websocket.close()
        assert server.sent_types == ["close"]

    @pytest.mark.parametrize("extensions", [{}, {"extensions": None}, {"extensions": {"tls": {}}}], ids=repr)
    async def test_a_server_without_the_extension(self, extensions: dict[str, Any]) -> None:
        """One swallows the events, and its client waits for ever; so none is sent, and close() is left."""
        server = Server()
        websocket = connected(server, **extensions)
        with pytest.raises(ImproperlyConfiguredException) as caught:
            await websocket.send_denial_response(401)
        assert str(caught.value) == (
            "the server does not offer websocket.http.response; close() answers with HTTP 403 on every server"
        )
        assert (server.asked, server.sent) == (0, [])
        await websocket.close()
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
        ids=["status", "header", "text", "list", "pieces"],
    )
    async def test_what_cannot_be_sent_is_not(self, arguments: Any) -> None:
        server = Server()
        with pytest.raises((ValueError, TypeError)):
            await connected(server, **EXTENDED).send_denial_response(*arguments)
        assert (server.asked, server.sent) == (0, [])

    async def test_after_accept(self) -> None:
        server = Server()
        websocket = connected(server, **EXTENDED)
        await websocket.accept()
        with pytest.raises(WebSocketStateError) as caught:
            await websocket.send_denial_response(401)
        assert str(caught.value) == (
            "'websocket.http.response.start' is not allowed in state 'open',"
            " expected 'websocket.send' or 'websocket.close'"
        )
        assert server.sent_types == ["accept"]

    async def test_after_a_close(self) -> None:
        server = Server()
        websocket = connected(server, **EXTENDED)
        await websocket.close()
        with pytest.raises(WebSocketDisconnect):
            await websocket.send_denial_response(401)
        assert server.sent_types == ["close"]

    async def test_the_client_left_before(self) -> None:
        server = Server(disconnect(code=1006), connect=False)
        with pytest.raises(WebSocketDisconnect) as caught:
            await connected(server, **EXTENDED).send_denial_response(401)
        assert (caught.value.code, server.sent) == (1006, [])

    async def test_nothing_goes_on_afterwards(self) -> None:
        server = Server()
        websocket = connected(server, **EXTENDED)
        await websocket.send_denial_response(401)
        for action in (websocket.accept, websocket.receive_text, lambda: websocket.send_text("a")):
            with anyio.move_on_after(0.01), pytest.raises(WebSocketDisconnect):
                await action()
        await websocket.close()
        assert server.sent == [DENIAL, body(b"")]

    async def test_two_tasks_and_one_denial(self) -> None:
        server, refused = Server(), list[type[Exception]]()
        websocket = connected(server, **EXTENDED)

        async def deny() -> None:
            try:
                await websocket.send_denial_response(401)
            except (WebSocketStateError, WebSocketDisconnect) as error:
                refused.append(type(error))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(deny)
                group.start_soon(deny)
        assert server.sent == [DENIAL, body(b"")]
        assert len(refused) == 1


class TestWrappers:
    """Both are public, and an override is honoured by everything."""

    async def test_an_override_wraps_what_it_inherits(self) -> None:
        log = list[str]()

        class Logged(WebSocket):
            def receive_wrapper(self, receive: Receive) -> Receive:
                inherited = super().receive_wrapper(receive)

                async def logged() -> Any:
                    message = await inherited()
                    log.append(f"{self.scope['path']} < {message['type']}")
                    return message

                return logged

            def send_wrapper(self, send: Send) -> Send:
                inherited = super().send_wrapper(send)

                async def logged(event: Any) -> None:
                    await inherited(event)
                    log.append(f"{self.scope['path']} > {event['type']}")

                return logged

        server = Server(text("a"))
        websocket = Logged(scope(), server.receive, server.send)
        await websocket.send_text(await websocket.receive_text())
        assert log == [
            "/chat < websocket.connect",
            "/chat > websocket.accept",
            "/chat < websocket.receive",
            "/chat > websocket.send",
        ]
        assert server.sent_types == ["accept", "send"]

    async def test_attributes_that_were_replaced_are_used(self) -> None:
        server, sent = Server(), list[Any]()
        websocket = connected(server)
        inner = websocket.send

        async def send(event: Any) -> None:
            sent.append(event)
            await inner(event)

        websocket.send = send
        await websocket.send_text("a")
        assert sent == server.sent

    async def test_one_may_stand_on_another(self) -> None:
        """A middleware hands its own wrapped callables on."""
        server = Server(text("a"))
        outer = connected(server)
        inner = WebSocket(outer.scope, outer.receive, outer.send)
        assert await inner.receive_text() == "a"
        await inner.close(4001)
        assert server.sent_types == ["accept", "close"]
        assert outer.close_code == 4001

    async def test_the_wrapped_callables_are_the_same_ones_each_time(self) -> None:
        server = Server(text("a"))
        websocket = connected(server)
        receive, send = websocket.receive, websocket.send
        assert await websocket.receive_text() == "a"
        assert (websocket.receive, websocket.send) == (receive, send)
        assert websocket.receive is receive

    async def test_nothing_is_wrapped_for_who_only_looks(self) -> None:
        called = list[str]()

        class Watched(WebSocket):
            def receive_wrapper(self, receive: Receive) -> Receive:
                called.append("receive")
                return super().receive_wrapper(receive)

            def send_wrapper(self, send: Send) -> Send:
                called.append("send")
                return super().send_wrapper(send)

        server = Server()
        websocket = Watched(scope(), server.receive, server.send)
        seen = (websocket.connection_state, websocket.disconnected, websocket.subprotocols)
        assert seen == ("init", False, ())
        assert repr(websocket).startswith("<Watched initial ")
        assert called == []
        await websocket.accept()
        assert called == ["receive", "send"]

    async def test_what_is_replaced_before_the_first_event_is_the_servers(self) -> None:
        websocket, server = WebSocket(scope()), Server(text("a"))
        websocket.receive, websocket.send = server.receive, server.send
        await websocket.send_text(await websocket.receive_text())
        assert server.sent_types == ["accept", "send"]
        assert websocket.connection_state == "receive"

    async def test_another_source_is_read_and_looked_at(self) -> None:
        websocket, other = connected(Server(text("a"))), Server(disconnect(code=1001), connect=False)
        await websocket.accept()
        websocket.receive = websocket.receive_wrapper(other.receive)
        with anyio.fail_after(5):
            while not await websocket.is_disconnected():
                pass
        assert websocket.close_code == 1001

    async def test_a_reader_that_was_replaced_is_called(self) -> None:
        websocket = connected(Server(text("a"), text("b")))
        assert await websocket.receive_text() == "a"
        inner = websocket.receive

        async def receive() -> Any:
            return {**await inner(), "text": "replaced"}

        websocket.receive = receive
        assert await websocket.receive_text() == "replaced"

    async def test_without_arguments_the_placeholders_are_wrapped(self) -> None:
        assert WebSocket(scope()).receive is not empty_receive
