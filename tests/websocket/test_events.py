"""The events of a WebSocket: what is built of arguments, and what is read of the messages of servers."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._websocket.events import (
    accept_event,
    close_event,
    closed_with,
    closing_words,
    denial_body,
    denial_start,
    exceeds,
    is_of_mode,
    payload,
    send_event,
)
from asgiwire.exceptions import (
    ProtocolError,
    SerializationException,
    ValidationException,
    WebSocketDisconnect,
    WebSocketException,
)


class TestCloseEvent:
    """RFC 6455 sections 5.5 and 7.4."""

    @pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999])
    def test_codes_that_may_be_sent(self, code: int) -> None:
        assert close_event(code, None) == {"type": "websocket.close", "code": code, "reason": ""}

    @pytest.mark.parametrize(
        "code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65536]
    )
    def test_codes_that_may_not(self, code: int) -> None:
        with pytest.raises(ValueError, match=r"^a close code is 1000 to 1003, ") as caught:
            close_event(code, None)
        assert str(caught.value) == f"a close code is 1000 to 1003, 1007 to 1014 or 3000 to 4999, not {code}"

    def test_a_code_is_sent_as_a_plain_int(self) -> None:
        class Code(IntEnum):
            GONE = 1001

        assert type(close_event(Code.GONE, None).get("code")) is int

    @pytest.mark.parametrize("reason", ["", "a" * 123, "é" * 61, "✓" * 41, "😀" * 30])
    def test_reasons_that_fit(self, reason: str) -> None:
        """Section 5.5: "All control frames MUST have a payload length of 125 bytes or less"."""
        assert close_event(1000, reason).get("reason") == reason

    @pytest.mark.parametrize("reason", ["a" * 124, "é" * 62, "✓" * 42, "😀" * 31])
    def test_reasons_that_do_not_fit(self, reason: str) -> None:
        with pytest.raises(ValueError, match="at most 123 bytes") as caught:
            close_event(1000, reason)
        size = len(reason.encode())
        assert str(caught.value) == f"a close reason has at most 123 bytes in UTF-8, this one {size}"

    def test_a_reason_that_is_not_unicode(self) -> None:
        with pytest.raises(ValueError, match="surrogates not allowed"):
            close_event(1000, "\ud800")


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
    ids=["absent", "None", "both", "no reason", "IntEnum", "no number"],
)
def test_code_and_reason_of_a_disconnect(event: dict[str, Any], expected: tuple[int, str]) -> None:
    """ASGI: "code" defaults to 1005 and "reason" to the empty string; servers leave them out or None."""
    code, reason = closed_with(event, 1005)
    assert (code, reason) == expected
    assert type(code) is int


class TestPayload:
    """ASGI: "At least one of bytes or text must be non-None"; the other key may be there or not."""

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
    def test_text_where_binary_is_wanted(self, text: str) -> None:
        with pytest.raises(ValidationException) as caught:
            payload({"text": text}, "binary")
        assert str(caught.value) == (
            "a binary message was wanted and a text one came; it is kept, and receive_text() reads it"
        )
        assert caught.value.status_code == 400

    @pytest.mark.parametrize("data", [b"", b"secret"])
    def test_binary_where_text_is_wanted(self, data: bytes) -> None:
        with pytest.raises(ValidationException) as caught:
            payload({"bytes": data, "text": None}, "text")
        assert str(caught.value) == (
            "a text message was wanted and a binary one came; it is kept, and receive_bytes() reads it"
        )

    @pytest.mark.parametrize("mode", ["text", "binary", None])
    @pytest.mark.parametrize("message", [{}, {"text": None}, {"bytes": None, "text": None}], ids=repr)
    def test_neither(self, mode: Any, message: dict[str, Any]) -> None:
        with pytest.raises(ProtocolError) as caught:
            payload({"type": "websocket.receive", **message}, mode)
        assert str(caught.value) == "the server sent 'websocket.receive' without text or bytes"

    def test_the_mode_decides_between_two(self) -> None:
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


class TestSendEvent:
    """Exactly ``str`` or ``bytes``, under the one key: what every server takes."""

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
    def test_neither_text_nor_bytes(self, data: Any, mode: Any) -> None:
        """An int would become that many zero bytes."""
        with pytest.raises(
            TypeError, match=f"a WebSocket message is str or bytes, not {type(data).__name__}"
        ):
            send_event(data, mode, "utf-8")

    def test_no_such_mode(self) -> None:
        mode: Any = "bytes"
        with pytest.raises(ValueError, match=r"^mode is 'text' or 'binary', not 'bytes'$"):
            send_event("a", mode, "utf-8")

    def test_bytes_that_do_not_decode(self) -> None:
        with pytest.raises(UnicodeDecodeError):
            send_event(b"\xff", "text", "utf-8")


class TestAcceptEvent:
    """The answer to the handshake."""

    def test_without_anything(self) -> None:
        """The headers key is newer than the event, so it is there only when it says something."""
        event = {"type": "websocket.accept", "subprotocol": None}
        assert accept_event(None, (), None) == event
        assert accept_event(None, ("chat",), {}) == event
        assert accept_event(None, ("chat",), []) == event

    def test_a_subprotocol_that_was_offered(self) -> None:
        assert accept_event("chat", ("soap", "chat"), None).get("subprotocol") == "chat"

    @pytest.mark.parametrize(
        ("subprotocol", "offered", "sentence"),
        [
            ("chat", (), "the client did not offer the subprotocol 'chat'; it offered none"),
            (
                "chat",
                ("soap", "wamp"),
                "the client did not offer the subprotocol 'chat'; it offered 'soap', 'wamp'",
            ),
            ("CHAT", ("chat",), "the client did not offer the subprotocol 'CHAT'; it offered 'chat'"),
            ("", (), "the client did not offer the subprotocol ''; it offered none"),
            ("", ("",), "the client did not offer the subprotocol ''; it offered ''"),
        ],
    )
    def test_one_that_was_not(self, subprotocol: str, offered: tuple[str, ...], sentence: str) -> None:
        """RFC 6455 section 4.2.2: "the value chosen MUST be derived from the client's handshake"."""
        with pytest.raises(ValueError, match="did not offer") as caught:
            accept_event(subprotocol, offered, None)
        assert str(caught.value) == sentence

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
    def test_headers_become_a_concrete_lower_case_list(self, headers: Any) -> None:
        assert accept_event(None, (), headers).get("headers") == [(b"x-version", b"1")]

    @pytest.mark.parametrize("name", ["sec-websocket-protocol", "Sec-WebSocket-Protocol"])
    def test_the_subprotocol_is_no_header(self, name: str) -> None:
        """ASGI has it that the headers of an accept event do not name the subprotocol."""
        with pytest.raises(ValueError, match="an argument of accept"):
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
def test_sizes_are_bytes_at_the_limit_and_one_above(data: str | bytes, maximum: int, expected: bool) -> None:
    assert exceeds(data, maximum) is expected


@given(st.text(st.characters(exclude_categories=())), st.integers(0, 60))
def test_text_is_measured_in_utf_8(text: str, maximum: int) -> None:
    assert exceeds(text, maximum) is (len(text.encode(errors="surrogatepass")) > maximum)


@pytest.mark.parametrize(
    ("message", "modes"),
    [
        ({"text": ""}, {"text", None}),
        ({"text": "a", "bytes": None}, {"text", None}),
        ({"bytes": b""}, {"binary", None}),
        ({"bytes": b"a", "text": None}, {"binary", None}),
        ({"text": "a", "bytes": b"b"}, {"text", "binary", None}),
    ],
    ids=["text", "text and None", "bytes", "bytes and None", "both"],
)
def test_modes_that_a_message_is_of(message: dict[str, Any], modes: set[Any]) -> None:
    candidates: list[Any] = ["text", "binary", None]
    assert {mode for mode in candidates if is_of_mode(message, mode)} == modes


class TestDenial:
    """The events of ``websocket.http.response``."""

    @pytest.mark.parametrize("status", [300, 302, 401, 403, 404, 429, 500, 503, 599])
    def test_statuses_that_deny(self, status: int) -> None:
        """Every key is there: some servers fail without one."""
        event = denial_start(status, None)
        assert event == {"type": "websocket.http.response.start", "status": status, "headers": []}

    @pytest.mark.parametrize("status", [-1, 0, 99, 100, 101, 199, 200, 204, 299, 600, 1000])
    def test_statuses_that_do_not(self, status: int) -> None:
        """RFC 8441 section 5: over HTTP/2 a 2xx response is the one that accepts."""
        with pytest.raises(ValueError, match="the status of a denial") as caught:
            denial_start(status, None)
        assert str(caught.value) == f"the status of a denial response is 300 to 599, not {status}"

    def test_the_status_is_sent_as_a_plain_int(self) -> None:
        class Status(IntEnum):
            UNAUTHORIZED = 401

        assert type(denial_start(Status.UNAUTHORIZED, None)["status"]) is int

    @pytest.mark.parametrize(
        "headers",
        [{"X-A": "1"}, [(b"X-A", b"1")], iter([("X-A", "1")])],
        ids=["mapping", "pairs", "iterator"],
    )
    def test_headers_become_a_concrete_lower_case_list(self, headers: Any) -> None:
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
    def test_a_body_of_anything_else(self, body: Any) -> None:
        """Of 5, five zero bytes would be made."""
        with pytest.raises(TypeError, match="the body of a denial") as caught:
            denial_body(body)
        assert str(caught.value) == (
            "the body of a denial response is bytes or an asynchronous iterable of bytes,"
            f" not {type(body).__name__}"
        )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, (1000, "")),
        (ValueError("secret"), (1011, "")),
        (SerializationException("JSON is malformed"), (1011, "")),
        (WebSocketException("log in first", code=4401), (4401, "log in first")),
        (WebSocketException(), (4500, "")),
        (WebSocketException("é" * 100, code=4000), (4000, "é" * 61)),
        (WebSocketException("\ud800", code=4000), (4000, "?")),
        (WebSocketException("made up", code=1005), (1011, "")),
        (WebSocketException("made up", code=99), (1011, "")),
        (WebSocketDisconnect(code=1001, reason="another one"), (1011, "")),
    ],
    ids=["none", "any", "client", "its own", "default", "long", "surrogate", "1005", "99", "disconnect"],
)
def test_what_to_close_with_after_a_block(error: BaseException | None, words: tuple[int, str]) -> None:
    assert closing_words(error) == words
    close_event(*words)
