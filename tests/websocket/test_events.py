"""Events that a WebSocket sends, and data that it reads from messages."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._websocket.events import (
    accept_event,
    close_arguments,
    close_event,
    code_and_reason,
    denial_body,
    denial_start,
    exceeds,
    payload,
    receive_event,
    send_event,
)
from asgiwire.exceptions import (
    ClientException,
    ProtocolError,
    RequestEntityTooLarge,
    SerializationException,
    ValidationException,
    WebSocketDisconnect,
    WebSocketException,
)


class TestCloseEvent:
    """RFC 6455 sections 5.5 and 7.4."""

    @pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999])
    def test_valid_codes(self, code: int) -> None:
        assert close_event(code, None) == {"type": "websocket.close", "code": code, "reason": ""}

    @pytest.mark.parametrize(
        "code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65536]
    )
    def test_invalid_codes(self, code: int) -> None:
        with pytest.raises(ValueError, match="close code") as caught:
            close_event(code, None)
        assert str(caught.value) == (
            f"expected a close code of 1000 to 1003, 1007 to 1014 or 3000 to 4999, got {code}"
        )

    def test_code_is_a_plain_int(self) -> None:
        class Code(IntEnum):
            GONE = 1001

        assert type(close_event(Code.GONE, None).get("code")) is int

    @pytest.mark.parametrize("reason", ["", "a" * 123, "é" * 61, "✓" * 41, "😀" * 30])
    def test_valid_reasons(self, reason: str) -> None:
        """Section 5.5: "All control frames MUST have a payload length of 125 bytes or less"."""
        assert close_event(1000, reason).get("reason") == reason

    @pytest.mark.parametrize(
        ("reason", "expected"),
        [("a" * 124, "a" * 123), ("é" * 62, "é" * 61), ("✓" * 42, "✓" * 41), ("😀" * 31, "😀" * 30)],
    )
    def test_long_reason_is_cut_at_a_character(self, reason: str, expected: str) -> None:
        assert close_event(1000, reason).get("reason") == expected

    def test_lone_surrogate_in_a_reason_is_replaced(self) -> None:
        assert close_event(1000, "a\ud800").get("reason") == "a?"


class _Code(IntEnum):
    ABNORMAL_CLOSURE = 1006


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({}, (1005, "")),
        ({"code": None, "reason": None}, (1005, "")),
        ({"code": 1001, "reason": "bye"}, (1001, "bye")),
        ({"code": 4999}, (4999, "")),
        ({"code": _Code.ABNORMAL_CLOSURE, "reason": ""}, (1006, "")),
        ({"code": "1000"}, (1005, "")),
    ],
    ids=["missing", "None", "both", "no reason", "IntEnum", "not a number"],
)
def test_code_and_reason_of_a_disconnect(event: dict[str, Any], expected: tuple[int, str]) -> None:
    """ASGI: "code" defaults to 1005 and "reason" to the empty string; servers omit them or send None."""
    code, reason = code_and_reason(event, 1005)
    assert (code, reason) == expected
    assert type(code) is int


class TestPayload:
    """ASGI: "At least one of bytes or text must be non-None"; the other key may be missing."""

    @pytest.mark.parametrize("mode", ["text", None])
    @pytest.mark.parametrize("text", ["", "a", "é"])
    @pytest.mark.parametrize("other", [{}, {"bytes": None}], ids=["one key", "both keys"])
    def test_text(self, mode: Any, text: str, other: dict[str, None]) -> None:
        assert payload({"type": "websocket.receive", "text": text, **other}, mode) == text

    @pytest.mark.parametrize("mode", ["binary", None])
    @pytest.mark.parametrize(
        "data",
        [b"", b"a", bytearray(b"a"), memoryview(b"\xff")],
        ids=["empty", "bytes", "bytearray", "memoryview"],
    )
    @pytest.mark.parametrize("other", [{}, {"text": None}], ids=["one key", "both keys"])
    def test_bytes(self, mode: Any, data: bytes, other: dict[str, None]) -> None:
        received = payload({"type": "websocket.receive", "bytes": data, **other}, mode)
        assert received == data
        assert type(received) is bytes

    @pytest.mark.parametrize("text", ["", "secret"])
    def test_text_instead_of_binary(self, text: str) -> None:
        message: Any = {"text": text}
        with pytest.raises(ValidationException) as caught:
            payload(message, "binary")
        assert str(caught.value) == (
            "expected a binary message, got a text one; the exception has it as 'message'"
        )
        assert caught.value.status_code == 400
        assert caught.value.message is message

    @pytest.mark.parametrize("data", [b"", b"secret"])
    def test_binary_instead_of_text(self, data: bytes) -> None:
        message: Any = {"bytes": data, "text": None}
        with pytest.raises(ValidationException) as caught:
            payload(message, "text")
        assert str(caught.value) == (
            "expected a text message, got a binary one; the exception has it as 'message'"
        )
        assert caught.value.message is message

    @pytest.mark.parametrize("mode", ["text", "binary", None])
    @pytest.mark.parametrize("message", [{}, {"text": None}, {"bytes": None, "text": None}], ids=repr)
    def test_neither_text_nor_bytes(self, mode: Any, message: dict[str, Any]) -> None:
        with pytest.raises(ProtocolError) as caught:
            payload({"type": "websocket.receive", **message}, mode)
        assert str(caught.value) == "expected text or bytes in 'websocket.receive', got neither"

    def test_mode_selects_the_key(self) -> None:
        message = {"text": "a", "bytes": b"b"}
        assert [payload(message, mode) for mode in ("text", "binary", None)] == ["a", b"b", "a"]


class _Shout(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


class _Colour(StrEnum):
    RED = "red"


class _Tagged(bytes):
    __slots__ = ()


@pytest.mark.parametrize(("data", "key"), [("a", "text"), ("", "text"), (b"a", "bytes"), (b"", "bytes")])
def test_receive_event(data: Any, key: str) -> None:
    assert receive_event(data) == {"type": "websocket.receive", key: data}


class TestSendEvent:
    """Every server accepts an event with one key and exactly ``str`` or ``bytes``."""

    @pytest.mark.parametrize(
        ("data", "encoding", "text"),
        [
            ("a", "utf-8", "a"),
            ("", "utf-8", ""),
            (_Shout("a"), "utf-8", "a"),
            (_Colour.RED, "utf-8", "red"),
            (b"\xc3\xa9", "utf-8", "é"),
            (b"\xe9", "latin-1", "é"),
            (bytearray(b"a"), "utf-8", "a"),
            (memoryview(b"a"), "utf-8", "a"),
            (b"", "utf-8", ""),
        ],
        ids=[
            "str",
            "empty",
            "str subclass",
            "StrEnum",
            "utf-8",
            "latin-1",
            "bytearray",
            "memoryview",
            "no bytes",
        ],
    )
    def test_text(self, data: Any, encoding: str, text: str) -> None:
        event = send_event(data, "text", encoding)
        assert event == {"type": "websocket.send", "text": text}
        assert type(event.get("text")) is str

    @pytest.mark.parametrize(
        ("data", "encoding", "sent"),
        [
            (b"a", "utf-8", b"a"),
            (b"", "utf-8", b""),
            (_Tagged(b"a"), "utf-8", b"a"),
            (bytearray(b"a"), "utf-8", b"a"),
            (memoryview(b"abcd")[::2], "utf-8", b"ac"),
            ("é", "utf-8", b"\xc3\xa9"),
            ("é", "latin-1", b"\xe9"),
            ("", "utf-8", b""),
        ],
        ids=["bytes", "empty", "bytes subclass", "bytearray", "memoryview", "utf-8", "latin-1", "no text"],
    )
    def test_binary(self, data: Any, encoding: str, sent: bytes) -> None:
        event = send_event(data, "binary", encoding)
        assert event == {"type": "websocket.send", "bytes": sent}
        assert type(event.get("bytes")) is bytes

    @pytest.mark.parametrize("data", [5, None, ["a"], {"a": 1}], ids=repr)
    @pytest.mark.parametrize("mode", ["text", "binary"])
    def test_unsupported_type(self, data: Any, mode: Any) -> None:
        """bytes() of an int would return that many zero bytes."""
        with pytest.raises(
            TypeError, match=f"^expected a message of str or bytes, got {type(data).__name__}$"
        ):
            send_event(data, mode, "utf-8")

    def test_invalid_mode(self) -> None:
        mode: Any = "bytes"
        with pytest.raises(ValueError, match=r"^expected mode 'text' or 'binary', got 'bytes'$"):
            send_event("a", mode, "utf-8")

    def test_bytes_that_cannot_be_decoded(self) -> None:
        with pytest.raises(UnicodeDecodeError):
            send_event(b"\xff", "text", "utf-8")


class TestAcceptEvent:
    def test_without_arguments(self) -> None:
        """Starlette and Litestar always send a list, and tests of their users compare the event."""
        event = {"type": "websocket.accept", "subprotocol": None, "headers": []}
        assert accept_event(None, (), None) == event
        assert accept_event(None, ("chat",), {}) == event
        assert accept_event(None, ("chat",), []) == event

    def test_offered_subprotocol(self) -> None:
        assert accept_event("chat", ("soap", "chat"), None).get("subprotocol") == "chat"

    @pytest.mark.parametrize(
        ("subprotocol", "offered"),
        [("chat", ()), ("chat", ("soap", "wamp")), ("CHAT", ("chat",)), ("", ()), ("", ("",))],
    )
    def test_subprotocol_that_was_not_offered(self, subprotocol: str, offered: tuple[str, ...]) -> None:
        """RFC 6455 section 4.2.2: "the value chosen MUST be derived from the client's handshake".

        The error does not show the offered names: they are text of the client.
        """
        with pytest.raises(ValueError, match="subprotocol") as caught:
            accept_event(subprotocol, offered, None)
        assert str(caught.value) == (
            f"expected a subprotocol that the client offers, got {subprotocol!r}; see .subprotocols"
        )

    @pytest.mark.parametrize(
        "subprotocol", ["a\r\nset-cookie: b", "a\n", "a b", "a,b", "\0", "\xe9", "\u20ac", "\ud800"]
    )
    def test_subprotocol_that_is_no_token(self, subprotocol: str) -> None:
        """RFC 6455 section 4.1. The scope can hold anything, and servers write it to the response."""
        with pytest.raises(ValueError, match=r"^expected a subprotocol that is a token"):
            accept_event(subprotocol, (subprotocol,), None)

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-Version": "1"},
            [(b"X-Version", b"1")],
            [("X-Version", "1")],
            ((b"x-version", b"1"),),
            iter([("X-Version", b"1")]),
        ],
        ids=["dict", "raw list", "str pairs", "tuple", "iterator"],
    )
    def test_headers_are_a_list_with_lower_case_names(self, headers: Any) -> None:
        assert accept_event(None, (), headers).get("headers") == [(b"x-version", b"1")]

    @pytest.mark.parametrize("name", ["sec-websocket-protocol", "Sec-WebSocket-Protocol"])
    def test_subprotocol_header_is_rejected(self, name: str) -> None:
        """ASGI: the headers of an accept event must not contain the subprotocol."""
        with pytest.raises(ValueError, match=r"pass it to accept\(subprotocols=\.\.\.\)$"):
            accept_event(None, ("chat",), {name: "chat"})

    @pytest.mark.parametrize("value", ["a\r\nX: b", "a\nb", "a\0b"], ids=repr)
    def test_header_injection(self, value: str) -> None:
        with pytest.raises(ValueError, match="must not hold CR, LF, NUL"):
            accept_event(None, (), {"x-version": value})


@pytest.mark.parametrize(
    ("data", "maximum", "expected"),
    [
        ("", 0, False),
        ("a", 0, True),
        ("aaaa", 4, False),
        ("aaaaa", 4, True),
        ("éé", 4, False),
        ("ééa", 4, True),
        ("😀", 4, False),
        ("😀", 3, True),
        ("\ud800", 3, False),
        ("\ud800", 2, True),
        (b"", 0, False),
        (b"\xff" * 4, 4, False),
        (b"\xff" * 5, 4, True),
    ],
    ids=repr,
)
def test_size_in_bytes_at_the_limit_and_above(data: str | bytes, maximum: int, expected: bool) -> None:
    assert exceeds(data, maximum) is expected


@given(st.text(st.characters(exclude_categories=())), st.integers(0, 60))
def test_text_size_is_counted_in_utf_8(text: str, maximum: int) -> None:
    assert exceeds(text, maximum) is (len(text.encode(errors="surrogatepass")) > maximum)


class TestDenial:
    """The events of ``websocket.http.response``."""

    @pytest.mark.parametrize("status", [300, 302, 401, 403, 404, 429, 500, 503, 599])
    def test_valid_statuses(self, status: int) -> None:
        """Every key is present: some servers fail without one."""
        event = denial_start(status, None)
        assert event == {"type": "websocket.http.response.start", "status": status, "headers": []}

    @pytest.mark.parametrize("status", [-1, 0, 99, 100, 101, 199, 200, 204, 299, 600, 1000])
    def test_invalid_statuses(self, status: int) -> None:
        """RFC 8441 section 5: over HTTP/2 a 2xx response accepts the handshake."""
        with pytest.raises(ValueError, match="denial status") as caught:
            denial_start(status, None)
        assert str(caught.value) == f"expected a denial status of 300 to 599, got {status}"

    def test_status_is_a_plain_int(self) -> None:
        class Status(IntEnum):
            UNAUTHORIZED = 401

        assert type(denial_start(Status.UNAUTHORIZED, None)["status"]) is int

    @pytest.mark.parametrize(
        "headers",
        [{"X-A": "1"}, [(b"X-A", b"1")], iter([("X-A", "1")])],
        ids=["mapping", "pairs", "iterator"],
    )
    def test_headers_are_a_list_with_lower_case_names(self, headers: Any) -> None:
        assert denial_start(401, headers)["headers"] == [(b"x-a", b"1")]

    def test_header_injection(self) -> None:
        with pytest.raises(ValueError, match="must not hold CR, LF, NUL"):
            denial_start(401, {"x-a": "1\r\nx-b: 2"})

    @pytest.mark.parametrize(
        "body",
        [b"", b"no", bytearray(b"no"), memoryview(b"no")],
        ids=["empty", "bytes", "bytearray", "memoryview"],
    )
    def test_body(self, body: bytes) -> None:
        event = denial_body(body)
        assert event == {"type": "websocket.http.response.body", "body": bytes(body), "more_body": False}
        assert type(event["body"]) is bytes

    @pytest.mark.parametrize("body", ["no", 5, None, [b"no"]], ids=repr)
    def test_unsupported_body(self, body: Any) -> None:
        """bytes(5) would return five zero bytes."""
        with pytest.raises(TypeError, match="denial body") as caught:
            denial_body(body)
        assert str(caught.value) == (
            f"expected a denial body of bytes or an asynchronous iterable of bytes, got {type(body).__name__}"
        )


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (None, (1000, "")),
        (ValueError("secret"), (1011, "")),
        (SerializationException("JSON is malformed"), (1007, "JSON is malformed")),
        (ValidationException("Expected `str`"), (1007, "Expected `str`")),
        (RequestEntityTooLarge("the message exceeds 1"), (1009, "the message exceeds 1")),
        (ClientException("no"), (1008, "no")),
        (ExceptionGroup("", [WebSocketDisconnect(), WebSocketException(code=4001)]), (4001, "")),
        (ExceptionGroup("", [ExceptionGroup("", [ClientException("no")])]), (1008, "no")),
        (ExceptionGroup("", [ValueError(), ClientException("no")]), (1011, "")),
        (ExceptionGroup("", [WebSocketDisconnect()]), (1011, "")),
        (WebSocketException("log in first", code=4401), (4401, "log in first")),
        (WebSocketException(), (4500, "")),
        (WebSocketException("invalid", code=1005), (1011, "")),
        (WebSocketException("invalid", code=99), (1011, "")),
        (WebSocketDisconnect(code=1001, reason="other socket"), (1011, "")),
    ],
    ids=[
        "none",
        "any",
        "malformed",
        "invalid",
        "too large",
        "client",
        "group with a disconnect",
        "nested group",
        "group of two",
        "group of disconnects",
        "own code",
        "default",
        "1005",
        "99",
        "disconnect",
    ],
)
def test_close_arguments(error: BaseException | None, arguments: tuple[int, str]) -> None:
    assert close_arguments(error) == arguments
    close_event(*arguments)
