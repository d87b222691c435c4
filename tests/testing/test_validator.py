"""``validate``: one wrong application for each rule, wrong servers, and right ones that pass unchanged."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any, get_type_hints

import anyio
import pytest

from asgiwire.testing import (
    RecordedSend,
    ScriptedConnection,
    ScriptedReceive,
    ScriptError,
    SpecificationError,
    Validator,
    http_scope,
    lifespan_scope,
    validate,
    websocket_scope,
)

pytestmark = pytest.mark.anyio

START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
BODY: dict[str, Any] = {"type": "http.response.body", "body": b"a"}
PART: dict[str, Any] = BODY | {"more_body": True}
TRAILERS: dict[str, Any] = {"type": "http.response.trailers", "headers": []}
PUSH: dict[str, Any] = {"type": "http.response.push", "path": "/a", "headers": []}
HINT: dict[str, Any] = {"type": "http.response.early_hint", "links": [b"</a>"]}
PATH: dict[str, Any] = {"type": "http.response.pathsend", "path": "/a"}
COPY: dict[str, Any] = {"type": "http.response.zerocopysend", "file": 0}
DEBUG: dict[str, Any] = {"type": "http.response.debug", "info": {"template": object()}}
ACCEPT: dict[str, Any] = {"type": "websocket.accept"}
SEND: dict[str, Any] = {"type": "websocket.send", "text": "a"}
CLOSE: dict[str, Any] = {"type": "websocket.close"}
DENIAL: dict[str, Any] = {"type": "websocket.http.response.start", "status": 401, "headers": []}
DENIAL_BODY: dict[str, Any] = {"type": "websocket.http.response.body", "body": b"no"}
STARTED: dict[str, Any] = {"type": "lifespan.startup.complete"}
STOPPED: dict[str, Any] = {"type": "lifespan.shutdown.complete"}
EVERYTHING: dict[str, Any] = {
    name: {}
    for name in (
        "http.response.trailers", "http.response.push", "http.response.early_hint", "http.response.pathsend",
        "http.response.zerocopysend", "http.response.debug", "websocket.http.response",
    )
}  # fmt: skip

RECEIVE = object()


def sending(*steps: Any) -> Any:
    """Make an application that sends messages, and calls receive where a step says so."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        for step in steps:
            if step is RECEIVE:
                await receive()
            else:
                await send(step)

    return application


def headers(*pairs: Any) -> list[dict[str, Any]]:
    """The messages of a response with these header pairs."""
    return [START | {"headers": list(pairs)}, BODY]


async def errors_of(application: Any, scope: Any, receive: Any = None) -> list[SpecificationError]:
    checked = validate(application, collect=True)
    await checked(scope, receive or ScriptedReceive.body(), RecordedSend())
    return checked.errors


# By name of the rule: the messages, what the error says, and the section.
WRONG_HTTP: dict[str, tuple[list[Any], str, str]] = {
    "message is a dict": ([["http.response.start"]], "expected a dict, got list", "Events"),
    "message has a type": ([{"status": 200}], "expected the key 'type', of type str", "Events"),
    "type is str": ([{"type": b"http.response.start"}], "of type str", "Events"),
    "known type": ([{"type": "http.response.end"}], "of the specification", "Events"),
    "type of the protocol": ([ACCEPT], "another message", "Accept"),
    "no bytearray in an event": ([START | {"x": bytearray()}, BODY], "bytearray", "Events"),
    "no object in an event": ([START | {"x": [object()]}, BODY], "object", "Events"),
    "no set in an event": ([START | {"x": {"y": {1}}}, BODY], "set", "Events"),
    "ints of 64 bits": ([START | {"x": 2**63}, BODY], "64 bits", "Events"),
    "finite floats": ([START | {"x": float("nan")}, BODY], "not finite", "Events"),
    "keys are str": ([START | {"x": {1: 2}}, BODY], "keys that are not str", "Events"),
    "status is present": ([{"type": START["type"]}, BODY], "the key 'status'", "Response Start"),
    "status is int": ([START | {"status": "200"}, BODY], "expected int, got str", "Response Start"),
    "status is no bool": ([START | {"status": True}, BODY], "got bool", "Response Start"),
    "status is final": ([START | {"status": 103}, BODY], "from 200 to 599", "Response Start"),
    "status is below 600": ([START | {"status": 600}, BODY], "got 600", "Response Start"),
    "headers is iterable": ([START | {"headers": None}, BODY], "pairs, got NoneType", "Response Start"),
    "headers is no dict": ([START | {"headers": {}}, BODY], "pairs, got dict", "Response Start"),
    "headers are pairs": (headers(b"a"), "pairs of bytes, got bytes", "Response Start"),
    "pairs are iterable": (headers(1), "pairs of bytes, got int", "Response Start"),
    "pairs have two items": (headers((b"a", b"b", b"c")), "pairs of bytes", "Response Start"),
    "header name is bytes": (headers(("a", b"b")), r"\('str', 'bytes'\)", "Response Start"),
    "header value is bytes": (headers((b"a", "b")), r"\('bytes', 'str'\)", "Response Start"),
    "header name is lower": (headers((b"X-A", b"b")), "lower case, got b'X-A'", "Response Start"),
    "header name is a token": (headers((b"a b", b"c")), "token", "Response Start"),
    "header name is not empty": (headers((b"", b"c")), "token", "Response Start"),
    "no pseudo header": (headers((b":status", b"200")), "pseudo", "Response Start"),
    "no line break in a header": (headers((b"a", b"b\r\nc: d")), "control", "Response Start"),
    "no NUL in a header": (headers((b"a", b"\0")), "control", "Response Start"),
    "trailers is bool": ([START | {"trailers": 1}, BODY, TRAILERS], "expected bool", "Response Start"),
    "body is bytes": ([START, BODY | {"body": "a"}], "expected bytes, got str", "Response Body"),
    "body is not None": ([START, BODY | {"body": None}], "got NoneType", "Response Body"),
    "more_body is bool": ([START, BODY | {"more_body": 0}], "expected bool, got int", "Response Body"),
    "start before body": ([BODY], "another message", "Response Body"),
    "one start": ([START, START, BODY], "another message", "Response Start"),
    "no start after the end": ([START, BODY, START], "another message", "Response Start"),
    "no body after the end": ([START, BODY, BODY], "another message", "Response Body"),
    "a response": ([RECEIVE], "expected 'http.response.start' before", "Response Start"),
    "a body": ([START], "expected 'http.response.body' without 'more_body'", "Response Body"),
    "a last body": ([START, PART], "without 'more_body' before", "Response Body"),
    "body is not too long": (
        [headers((b"content-length", b"2"))[0], PART, PART, PART, BODY],
        "expected a body of 2 bytes, as in Content-Length, got 3 so far", "RFC 9110 section 8.6",
    ),
    "body is not too short": (headers((b"content-length", b"2")), "2 bytes, .* got 1", "RFC 9110"),
    "Content-Length is a number": (headers((b"content-length", b"+1")), "digits", "RFC 9110"),
    "one Content-Length": (
        headers((b"content-length", b"1"), (b"content-length", b"2")),
        "one Content-Length", "RFC 9110",
    ),
    "no body with 204": ([START | {"status": 204}, BODY], "no body in a 204", "RFC 9110 section 15.3.5"),
    "no length with 204": (
        [START | {"status": 204, "headers": [(b"content-length", b"0")]}, {"type": BODY["type"]}],
        "no Content-Length in a 204", "RFC 9110 section 8.6",
    ),
    "trailers have headers": (
        [START | {"trailers": True}, BODY, {"type": TRAILERS["type"]}],
        "'headers'", "HTTP Trailers",
    ),
    "trailers are headers": (
        [START | {"trailers": True}, BODY, TRAILERS | {"headers": [(b"A", b"b")]}],
        "lower case", "HTTP Trailers",
    ),
    "more_trailers is bool": (
        [START | {"trailers": True}, BODY, TRAILERS | {"more_trailers": "no"}, TRAILERS],
        "expected bool, got str", "HTTP Trailers",
    ),
    "trailers were announced": ([START, BODY, TRAILERS], "another message", "HTTP Trailers"),
    "trailers after the body": (
        [START | {"trailers": True}, TRAILERS, BODY, TRAILERS],
        "another", "HTTP Trailers",
    ),
    "announced trailers are sent": ([START | {"trailers": True}, BODY], "http.response.trailers", "HTTP"),
    "no trailers after the last": (
        [START | {"trailers": True}, BODY, TRAILERS, TRAILERS],
        "another", "HTTP Trailers",
    ),
    "push has a path": ([START, {"type": PUSH["type"], "headers": []}, BODY], "'path'", "Server Push"),
    "push path is str": ([START, PUSH | {"path": b"/a"}, BODY], "expected str", "Server Push"),
    "push has headers": ([START, {"type": PUSH["type"], "path": "/"}, BODY], "'headers'", "Server Push"),
    "push after the start": ([PUSH, START, BODY], "another message", "Server Push"),
    "push before the end": ([START, BODY, PUSH], "another message", "Server Push"),
    "hint has links": ([{"type": HINT["type"]}, START, BODY], "the key 'links'", "Early Hints"),
    "links are iterable": ([HINT | {"links": b"</a>"}, START, BODY], "got bytes", "Early Hints"),
    "links are bytes": ([HINT | {"links": ["</a>"]}, START, BODY], "bytes, got str", "Early Hints"),
    "hint before the start": ([START, HINT, BODY], "another message", "Early Hints"),
    "file path is str": ([START, PATH | {"path": b"/a"}], "expected str, got bytes", "Path Send"),
    "file path is absolute": ([START, PATH | {"path": "a"}], "absolute", "Path Send"),
    "no file path in a body": ([START, PART, PATH, BODY], "another message", "Path Send"),
    "one file path": ([START, PATH, PATH], "another message", "Path Send"),
    "file is a descriptor": ([START, COPY | {"file": "/a"}], "descriptor, got str", "Zero Copy Send"),
    "offset is int": ([START, COPY | {"offset": "1"}], "'offset': expected int", "Zero Copy Send"),
    "count is int": ([START, COPY | {"count": 1.5}], "'count': expected int", "Zero Copy Send"),
    "debug info is a dict": ([DEBUG | {"info": []}, START, BODY], "expected dict", "Debug"),
    "debug before the start": ([START, DEBUG, BODY], "another message", "Debug"),
    "debug once": ([DEBUG, DEBUG, START, BODY], "the message once", "Debug"),
}  # fmt: skip

WRONG_WEBSOCKETS: dict[str, tuple[list[Any], str, str]] = {
    "receive first": ([ACCEPT, RECEIVE], "another message", "Accept"),
    "answer the handshake": ([RECEIVE], "expected 'websocket.accept' or 'websocket.close'", "Connect"),
    "accept before send": ([RECEIVE, SEND, ACCEPT], "another message", "Send"),
    "accept once": ([RECEIVE, ACCEPT, ACCEPT], "another message", "Accept"),
    "no accept after close": ([RECEIVE, CLOSE, ACCEPT], "another message", "Accept"),
    "no send after close": ([RECEIVE, ACCEPT, CLOSE, SEND], "another message", "Send"),
    "close once": ([RECEIVE, ACCEPT, CLOSE, CLOSE], "another message", "Close"),
    "subprotocol is str": ([RECEIVE, ACCEPT | {"subprotocol": b"a"}], "str or None", "Accept"),
    "subprotocol was offered": (
        [RECEIVE, ACCEPT | {"subprotocol": "other"}],
        "one that the client offers", "Accept",
    ),
    "accept headers": ([RECEIVE, ACCEPT | {"headers": [("a", "b")]}], "pairs of bytes", "Accept"),
    "subprotocol is no header": (
        [RECEIVE, ACCEPT | {"headers": [(b"sec-websocket-protocol", b"chat")]}],
        "another key", "Accept",
    ),
    "a message has content": (
        [RECEIVE, ACCEPT, {"type": "websocket.send"}],
        "exactly one of 'bytes' and 'text'", "Send",
    ),
    "a message has one content": ([RECEIVE, ACCEPT, SEND | {"bytes": b""}], "exactly one", "Send"),
    "text is str": ([RECEIVE, ACCEPT, SEND | {"text": b"a"}], "expected str or None", "Send"),
    "bytes is bytes": ([RECEIVE, ACCEPT, {"type": "websocket.send", "bytes": "a"}], "bytes or None", "Send"),
    "code is int": ([RECEIVE, ACCEPT, CLOSE | {"code": "1000"}], "expected int", "Close"),
    "code can be sent": ([RECEIVE, ACCEPT, CLOSE | {"code": 1005}], "got 1005", "Close"),
    "reason is str": ([RECEIVE, ACCEPT, CLOSE | {"reason": b"a"}], "expected str or None", "Close"),
    "reason is short": (
        [RECEIVE, ACCEPT, CLOSE | {"reason": "é" * 62}],
        "at most 123 bytes .* got 124", "Close",
    ),
    "denial before accept": ([RECEIVE, ACCEPT, DENIAL], "another message", "Denial Response"),
    "denial is complete": (
        [RECEIVE, DENIAL, DENIAL_BODY | {"more_body": True}],
        "without 'more_body'", "Connect",
    ),
    "denial status": ([RECEIVE, DENIAL | {"status": 200}, DENIAL_BODY], "from 300", "Denial"),
    "denial body": ([RECEIVE, DENIAL, DENIAL_BODY | {"body": "a"}], "bytes, got str", "Denial"),
    "nothing after a denial": ([RECEIVE, DENIAL, DENIAL_BODY, CLOSE], "another message", "Close"),
}  # fmt: skip

WRONG_LIFESPANS: dict[str, tuple[list[Any], str, str]] = {
    "raise if not supported": ([], "expected an exception", "Startup"),
    "receive first": ([STARTED, RECEIVE], "another message", "Startup Complete"),
    "answer the startup": ([RECEIVE], "'lifespan.startup.complete' or 'lifespan.startup.failed'", "Startup"),
    "startup once": ([RECEIVE, STARTED, STARTED], "another message", "Startup Complete"),
    "answer the shutdown": ([RECEIVE, STARTED, RECEIVE], "'lifespan.shutdown.complete'", "Shutdown"),
    "shutdown after its message": ([RECEIVE, STARTED, STOPPED], "another", "Shutdown Complete"),
    "reason is str": (
        [RECEIVE, {"type": "lifespan.startup.failed", "message": OSError("x")}],
        "expected str, got OSError", "Startup Failed",
    ),
    "shutdown reason is str": (
        [RECEIVE, STARTED, RECEIVE, {"type": "lifespan.shutdown.failed", "message": None}],
        "expected str, got NoneType", "Shutdown Failed",
    ),
}  # fmt: skip


def lifespan_script() -> ScriptedReceive:
    return ScriptedReceive({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})


def case(protocol: str) -> tuple[Any, Any]:
    """A scope that offers everything, and a client that stays."""
    if protocol == "http":
        return http_scope("POST", extensions=EVERYTHING), ScriptedReceive.body(b"a")
    if protocol == "websocket":
        return websocket_scope(subprotocols=["chat"], extensions=EVERYTHING), ScriptedReceive.websocket("a")
    return lifespan_scope(), lifespan_script()


WRONG = [
    pytest.param(protocol, *row, id=f"{protocol}: {name}")
    for protocol, rows in (
        ("http", WRONG_HTTP),
        ("websocket", WRONG_WEBSOCKETS),
        ("lifespan", WRONG_LIFESPANS),
    )
    for name, row in rows.items()
]


def test_there_are_enough_wrong_applications() -> None:
    assert len(WRONG) >= 100


@pytest.mark.parametrize(("protocol", "steps", "problem", "section"), WRONG)
async def test_a_wrong_application_is_found(
    protocol: str, steps: list[Any], problem: str, section: str
) -> None:
    scope, receive = case(protocol)
    error, *more = await errors_of(sending(*steps), scope, receive)
    assert error.side == "application"
    types = {step.get("type") for step in steps if isinstance(step, dict)}
    assert error.event in {"message", "return", *types}
    assert section in error.section
    with pytest.raises(SpecificationError, match=problem):
        raise error
    assert len(more) <= 1  # a message that is refused may leave the response incomplete

    scope, receive = case(protocol)
    with pytest.raises(SpecificationError, match=problem):
        await validate(sending(*steps))(scope, receive, RecordedSend())


RIGHT: dict[str, tuple[str, list[Any]]] = {
    "one message": ("http", [START, BODY]),
    "without optional keys": ("http", [{"type": START["type"], "status": 200}, {"type": BODY["type"]}]),
    "streaming": ("http", [START, PART, PART | {"body": b""}, BODY]),
    "headers as lists": ("http", headers([b"a", b"b"])),
    "headers as a tuple": ("http", [START | {"headers": ((b"a", b"b"),)}, BODY]),
    "obsolete text": ("http", headers((b"a", b"caf\xe9\t"))),
    "length": ("http", headers((b"content-length", b"1"))),
    "length twice": ("http", headers((b"content-length", b"1"), (b"content-length", b"1"))),
    "204": ("http", [START | {"status": 204}, {"type": BODY["type"]}]),
    "304 with length": ("http", [
        START | {"status": 304, "headers": [(b"content-length", b"9")]}, {"type": BODY["type"]},
    ]),
    "extra keys": ("http", [START | {"x": [1, 1.5, "a", b"b", None, True, {"y": (1,)}]}, BODY]),
    "debug and hints": ("http", [DEBUG, HINT, HINT, START, BODY]),
    "push": ("http", [START, PUSH, PART, PUSH, BODY]),
    "trailers": ("http", [START | {"trailers": True}, BODY, TRAILERS | {"more_trailers": True}, TRAILERS]),
    "file": ("http", [START | {"headers": [(b"content-length", b"9")]}, PATH]),
    "file of another system": ("http", [START, PATH | {"path": "C:\\a"}]),
    "copies": ("http", [
        START | {"headers": [(b"content-length", b"9")]},
        COPY | {"more_body": True, "offset": 0, "count": 3}, BODY,
    ]),
    "file object": ("http", [START, COPY | {"file": sys.stdout}]),
    "trailers after a file": ("http", [START | {"trailers": True}, PATH, TRAILERS]),
    "receive after the end": ("http", [RECEIVE, START, BODY, RECEIVE, RECEIVE]),
    "talk": ("websocket", [RECEIVE, ACCEPT, RECEIVE, SEND, SEND | {"bytes": b"", "text": None}]),
    "accept": ("websocket", [RECEIVE, ACCEPT | {"subprotocol": "chat", "headers": [(b"a", b"b")]}]),
    "close": ("websocket", [RECEIVE, ACCEPT, CLOSE | {"code": 3000, "reason": "é" * 61}]),
    "close without reason": ("websocket", [RECEIVE, ACCEPT, CLOSE | {"reason": None}]),
    "reject": ("websocket", [RECEIVE, CLOSE]),
    "denial": ("websocket", [RECEIVE, DENIAL, DENIAL_BODY | {"more_body": True}, DENIAL_BODY]),
    "lifespan": ("lifespan", [RECEIVE, STARTED, RECEIVE, STOPPED]),
    "startup fails": ("lifespan", [RECEIVE, {"type": "lifespan.startup.failed", "message": "no"}]),
    "shutdown fails": ("lifespan", [RECEIVE, STARTED, RECEIVE, {"type": "lifespan.shutdown.failed"}]),
    "returns before shutdown": ("lifespan", [RECEIVE, STARTED]),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
async def test_a_right_application_passes_unchanged(name: str) -> None:
    protocol, steps = RIGHT[name]
    scope, _ = case(protocol)
    connection = {
        "http": ScriptedConnection.body(b"a"),
        "websocket": ScriptedConnection.websocket("a"),
        "lifespan": ScriptedConnection({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}),
    }[protocol]
    checked = validate(sending(*steps))
    assert isinstance(checked, Validator)
    await checked(scope, connection.receive, connection.send)
    assert checked.errors == []
    assert connection.send.messages == [step for step in steps if step is not RECEIVE]


async def test_one_shot_iterators_are_passed_on_whole() -> None:
    sent = RecordedSend()
    messages = [
        {"type": HINT["type"], "links": iter([b"</a>"])},
        START | {"headers": iter([(b"a", b"b")])},
        BODY,
    ]
    await validate(sending(*messages))(http_scope(extensions=EVERYTHING), ScriptedReceive.body(), sent)
    assert [list(sent.messages[0]["links"]), list(sent.messages[1]["headers"])] == [[b"</a>"], [(b"a", b"b")]]


async def test_one_shot_iterators_of_a_scope_are_passed_on_whole() -> None:
    seen: dict[str, Any] = {}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await sending(RECEIVE, ACCEPT | {"subprotocol": "b"})(scope, receive, send)

    scope = websocket_scope() | {"headers": iter([(b"a", b"b")]), "subprotocols": iter(["a", "b"])}
    assert await errors_of(application, scope, ScriptedReceive.websocket()) == []
    assert (seen["headers"], seen["subprotocols"]) == ([(b"a", b"b")], ["a", "b"])


async def test_a_scope_is_passed_on_itself() -> None:
    scopes = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await sending(START, BODY)(scope, receive, send)

    scope = http_scope()
    assert await errors_of(application, scope) == []
    assert scopes[0] is scope


async def test_a_scope_without_a_method_is_collected() -> None:
    scope = without(http_scope(), "method")
    errors = await errors_of(sending(*headers((b"content-length", b"1"))), scope)
    assert [error.event for error in errors] == ["http scope"]


async def test_the_body_of_a_head_response_may_differ_from_its_length() -> None:
    assert await errors_of(sending(*headers((b"content-length", b"9"))), http_scope("HEAD")) == []


@pytest.mark.parametrize("name", EVERYTHING)
async def test_extensions_must_be_offered(name: str) -> None:
    message, steps = {
        "http.response.trailers": (START | {"trailers": True}, [START | {"trailers": True}, BODY, TRAILERS]),
        "http.response.push": (PUSH, [START, PUSH, BODY]),
        "http.response.early_hint": (HINT, [HINT, START, BODY]),
        "http.response.pathsend": (PATH, [START, PATH]),
        "http.response.zerocopysend": (COPY, [START, COPY]),
        "http.response.debug": (DEBUG, [DEBUG, START, BODY]),
        "websocket.http.response": (DENIAL, [RECEIVE, DENIAL, DENIAL_BODY]),
    }[name]
    make, receive = (
        (websocket_scope, ScriptedReceive.websocket())
        if name.startswith("websocket")
        else (http_scope, ScriptedReceive.body())
    )
    error, *_ = await errors_of(sending(*steps), make(), receive)
    assert (error.side, error.event) == ("application", message["type"])
    assert "does not offer" in str(error)
    assert "Extensions" in error.section


class TestApplications:
    async def test_the_call_must_return_an_awaitable(self) -> None:
        with pytest.raises(
            SpecificationError, match="expected a coroutine callable, got a call that returns Non"
        ):
            await validate(lambda _scope, _receive, _send: None)(  # type: ignore[arg-type]
                http_scope(), ScriptedReceive.body(), RecordedSend()
            )

    async def test_an_error_that_the_application_catches_is_raised_in_the_end(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            with suppress(ScriptError):
                await send(BODY)
            await sending(START, BODY)(scope, receive, send)

        sent = RecordedSend()
        checked = validate(application)
        with pytest.raises(SpecificationError, match="another message"):
            await checked(http_scope(), ScriptedReceive.body(), sent)
        assert sent.messages == [START, BODY]
        assert len(checked.errors) == 1

    async def test_an_error_is_raised_in_place_of_what_the_application_makes_of_it(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            try:
                await send(BODY)
            except ScriptError:
                raise KeyError from None

        with pytest.raises(SpecificationError) as caught:
            await validate(application)(http_scope(), ScriptedReceive.body(), RecordedSend())
        assert isinstance(caught.value.__cause__, KeyError)

    async def test_other_exceptions_of_the_application_are_its_own(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            raise KeyError

        checked = validate(application)
        for scope in (http_scope(), lifespan_scope()):
            with pytest.raises(KeyError):
                await checked(scope, ScriptedReceive.body(), RecordedSend())
        assert checked.errors == []

    @pytest.mark.parametrize(("call", "problem"), [("receive", "call of receive"), ("send", "call of send")])
    async def test_no_call_after_the_application_has_returned(self, call: str, problem: str) -> None:
        kept: dict[str, Any] = {}

        async def application(scope: Any, receive: Any, send: Any) -> None:
            kept.update(receive=receive, send=send)
            await sending(RECEIVE, START, BODY)(scope, receive, send)

        checked = validate(application)
        connection = ScriptedConnection.body()
        await checked(http_scope(), connection.receive, connection.send)
        arguments = [BODY] if call == "send" else []
        with pytest.raises(
            SpecificationError, match=f"expected no {problem} after the application has returned"
        ):
            await kept[call](*arguments)
        assert checked.errors[0].event == call

    @pytest.mark.parametrize(
        "steps", [[RECEIVE, RECEIVE], [START, RECEIVE, RECEIVE], [START, PART, RECEIVE, RECEIVE]]
    )
    async def test_a_response_may_be_incomplete_after_a_disconnect(self, steps: list[Any]) -> None:
        receive = ScriptedReceive({"type": "http.request"}, {"type": "http.disconnect"})
        assert await errors_of(sending(*steps), http_scope(), receive) == []

    async def test_a_handshake_needs_no_answer_after_a_disconnect(self) -> None:
        receive = ScriptedReceive.websocket(disconnect=1006)
        assert await errors_of(sending(RECEIVE, RECEIVE), websocket_scope(), receive) == []

    async def test_a_message_may_cross_a_disconnect(self) -> None:
        receive = ScriptedReceive.websocket(disconnect=1001)
        assert (
            await errors_of(sending(RECEIVE, ACCEPT, RECEIVE, SEND, CLOSE), websocket_scope(), receive) == []
        )

    async def test_other_protocols_are_passed_on(self) -> None:
        sent = RecordedSend()
        await validate(sending({"type": "telnet.line"}))({"type": "telnet"}, ScriptedReceive(), sent)
        assert sent.messages == [{"type": "telnet.line"}]


def without(scope: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in scope.items() if name != key}


TLS = {"server_cert": None, "tls_version": None, "cipher_suite": None}

WRONG_SCOPES: dict[str, tuple[dict[str, Any], str]] = {
    "no path": (without(http_scope(), "path"), "expected the key 'path'"),
    "no method": (without(http_scope(), "method"), "expected the key 'method'"),
    "no headers": (without(http_scope(), "headers"), "expected the key 'headers'"),
    "no query": (without(http_scope(), "query_string"), "expected the key 'query_string'"),
    "no version": (without(http_scope(), "http_version"), "expected the key 'http_version'"),
    "path is bytes": (http_scope(path="/") | {"path": b"/"}, "'path': expected str, got bytes"),
    "method is lower": (http_scope() | {"method": "get"}, "expected a method in upper case"),
    "method is bytes": (http_scope() | {"method": b"GET"}, "'method': expected str, got bytes"),
    "version": (http_scope(http_version="1"), "'http_version': expected '1.0' or '1.1' or '2'"),
    "version is float": (http_scope() | {"http_version": 1.1}, "got float"),
    "scheme is empty": (http_scope(scheme=""), "'scheme': expected a text that is not empty"),
    "query is str": (http_scope() | {"query_string": "a=1"}, "'query_string': expected bytes, got str"),
    "query is None": (http_scope() | {"query_string": None}, "got NoneType"),
    "raw_path is str": (http_scope() | {"raw_path": "/"}, "'raw_path': expected bytes or None, got str"),
    "raw_path with query": (http_scope(raw_path=b"/?a=1"), "expected a path without the query"),
    "root_path is None": (http_scope() | {"root_path": None}, "'root_path': expected str"),
    "headers of text": (http_scope() | {"headers": [("a", "b")]}, "'headers': expected pairs of bytes"),
    "pseudo headers": (http_scope(headers=[(b":path", b"/")]), "pseudo header"),
    "client is text": (
        http_scope() | {"client": "127.0.0.1"},
        "'client': expected a host and a port, got str",
    ),
    "client has three": (http_scope() | {"client": ("h", 1, 2)}, "expected a host and a port, got 3 items"),
    "client has no host": (http_scope() | {"client": (None, 1)}, "a host of type str, got NoneType"),
    "port is text": (http_scope() | {"client": ("127.0.0.1", "1")}, "expected a port of type int, got str"),
    "client port is None": (http_scope() | {"client": ("a", None)}, "a port of type int, got NoneType"),
    "server port is text": (http_scope() | {"server": ("a", "80")}, "a port of type int, or None, got str"),
    "state is None": (http_scope() | {"state": None}, "'state': expected dict"),
    "extensions is a list": (http_scope() | {"extensions": ["tls"]}, "'extensions': expected dict or None"),
    "options are None": (
        http_scope() | {"extensions": {"tls": None}},
        "a dict for each extension, got NoneType",
    ),
    "tls": (http_scope(extensions={"tls": {"server_cert": None}}), "the key 'tls_version' in 'tls'"),
    "asgi is text": (http_scope(asgi="3.0"), "'asgi': expected dict, got str"),
    "asgi version": (http_scope(asgi={"version": 3}), "expected 'version' to be str"),
    "asgi spec version": (
        http_scope(asgi={"version": "3.0", "spec_version": 2.5}),
        "expected 'spec_version'",
    ),
    "websocket path": (without(websocket_scope(), "path"), "expected the key 'path'"),
    "subprotocols is text": (websocket_scope() | {"subprotocols": "chat"}, "an iterable of str, got str"),
    "subprotocols are bytes": (
        websocket_scope() | {"subprotocols": [b"chat"]},
        "items of type str, got bytes",
    ),
    "lifespan state": (lifespan_scope() | {"state": []}, "'state': expected dict, got list"),
}

# What was received before, the wrong message, and what the error says.
WRONG_MESSAGES: dict[str, tuple[list[Any], Any, str]] = {
    "text": ([], "http.request", "expected a dict, got str"),
    "no type": ([], {"body": b""}, "expected the key 'type'"),
    "unknown": ([], {"type": "http.body"}, "of the specification"),
    "other protocol": ([], {"type": "websocket.connect"}, "another message"),
    "body is str": ([], {"type": "http.request", "body": ""}, "'body': expected bytes, got str"),
    "more_body is None": ([], {"type": "http.request", "more_body": None}, "'more_body': expected bool"),
    "body after the end": ([{"type": "http.request"}], {"type": "http.request"}, "another message"),
    "body after a disconnect": ([{"type": "http.disconnect"}], {"type": "http.request"}, "another message"),
    "no connect": ([], {"type": "websocket.receive", "text": ""}, "another message"),
    "connect twice": ([{"type": "websocket.connect"}], {"type": "websocket.connect"}, "another message"),
    "no content": ([{"type": "websocket.connect"}], {"type": "websocket.receive"}, "exactly one"),
    "code is text": (
        [{"type": "websocket.connect"}],
        {"type": "websocket.disconnect", "code": "1"},
        "expected int",
    ),
    "reason": (
        [{"type": "websocket.connect"}],
        {"type": "websocket.disconnect", "reason": b""},
        "str or None",
    ),
    "a message after a disconnect": (
        [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}],
        {"type": "websocket.receive", "text": ""},
        "another message",
    ),
    "shutdown first": ([], {"type": "lifespan.shutdown"}, "another message"),
    "startup twice": ([{"type": "lifespan.startup"}], {"type": "lifespan.startup"}, "another message"),
}


class TestServers:
    @pytest.mark.parametrize("name", WRONG_SCOPES)
    async def test_a_wrong_scope_is_found(self, name: str) -> None:
        scope, problem = WRONG_SCOPES[name]
        with pytest.raises(SpecificationError, match=problem) as caught:
            await validate(sending())(scope, ScriptedReceive(), RecordedSend())
        assert (caught.value.side, caught.value.event) == ("server", f"{scope['type']} scope")
        assert "state" not in str(caught.value).partition(" (")[2]
        assert "cope" in caught.value.section

    @pytest.mark.parametrize("scope", [[], {}, {"type": b"http"}])
    async def test_a_scope_is_a_dict_with_a_type(self, scope: Any) -> None:
        with pytest.raises(SpecificationError, match="expected a dict with a 'type' of type str"):
            await validate(sending())(scope, ScriptedReceive(), RecordedSend())

    @pytest.mark.parametrize(
        "scope",
        [
            {
                "type": "http",
                "http_version": "1.1",
                "method": "GET",
                "path": "/",
                "query_string": b"",
                "headers": [],
            },
            http_scope(client=None, server=("/run/app.sock", None), raw_path=None, headers=[[b"Host", b"a"]]),
            http_scope(extensions={"tls": TLS}, http_version="2") | {"client": ["::1", 1]},
            http_scope() | {"extensions": None},
        ],
        ids=["minimal", "socket", "lists", "no extensions"],
    )
    async def test_right_scopes_pass(self, scope: Any) -> None:
        assert await errors_of(sending(START, BODY), scope) == []

    @pytest.mark.parametrize("name", WRONG_MESSAGES)
    async def test_a_wrong_message_is_found(self, name: str) -> None:
        before, message, problem = WRONG_MESSAGES[name]
        kind = next(iter([*before, message]))
        first = kind["type"] if isinstance(kind, dict) and "type" in kind else "http.request"
        protocol = "http" if name == "other protocol" else str(first).partition(".")[0]
        script = [*before, message]

        async def receive() -> Any:
            return script.pop(0)

        scope, _ = case(protocol)
        checked = validate(sending(*[RECEIVE] * len(script)))
        with pytest.raises(SpecificationError, match=problem) as caught:
            await checked(scope, receive, RecordedSend())
        assert caught.value.side == "server"
        assert len(checked.errors) == 1

    async def test_messages_of_the_server_are_passed_on(self) -> None:
        received = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            received.extend([await receive(), await receive()])
            await sending(START, BODY)(scope, receive, send)

        script = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.request", "x": 1}]
        assert await errors_of(application, http_scope(), ScriptedReceive(*script)) == []
        assert received == script

    async def test_disconnects_may_be_repeated(self) -> None:
        assert (
            await errors_of(sending(*[RECEIVE] * 4), http_scope(), ScriptedReceive.body(disconnect=True))
            == []
        )


async def test_errors_have_values_and_a_message() -> None:
    with pytest.raises(SpecificationError) as caught:
        await validate(sending(BODY))(http_scope(), ScriptedReceive.body(), RecordedSend())
    error = caught.value
    assert (error.side, error.event, error.state) == ("application", "http.response.body", "request")
    assert error.expected == ("http.response.start", "http.response.early_hint", "http.response.debug")
    assert error.section == "HTTP, Response Body - send event"
    assert str(error) == (
        "'http.response.body' of the application: expected another message (state 'request', which allows "
        "'http.response.start' or 'http.response.early_hint' or 'http.response.debug'; "
        "see HTTP, Response Body - send event)"
    )
    assert isinstance(error, ScriptError)


async def test_errors_show_no_contents() -> None:
    secret = "hunter2"
    steps = [
        START | {"headers": [(b"x", f"{secret}\n".encode())]},
        {"type": "http.response.body", "body": secret},
    ]
    errors = await errors_of(sending(*steps), http_scope())
    assert len(errors) == 2
    assert secret not in "".join(map(str, errors))


async def test_connections_are_checked_apart() -> None:
    checked = validate(sending(RECEIVE, START, BODY))
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            connection = ScriptedConnection.body(b"a")
            tasks.start_soon(checked, http_scope(), connection.receive, connection.send)
    assert checked.errors == []


def test_type_hints_can_be_evaluated() -> None:
    assert get_type_hints(validate)["return"] is Validator
    assert get_type_hints(Validator.__call__)["return"] is type(None)
    assert get_type_hints(SpecificationError.__init__)["section"] is str
