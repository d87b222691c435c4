"""The events of a WebSocket: built from arguments that are checked, read from messages as servers send them.

Left out: which event may follow which (``_websocket_states``), and whatever awaits. What is built here is
what every server takes: plain ``str``, ``bytes`` and ``int``, and every key that one cannot do without.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from asgiwire._parsers.header_fields import encode_headers
from asgiwire.exceptions import ProtocolError, ValidationException, WebSocketDisconnect, WebSocketException

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgiwire.types import (
        HeaderPairs,
        WebSocketAcceptEvent,
        WebSocketCloseEvent,
        WebSocketMode,
        WebSocketResponseBodyEvent,
        WebSocketResponseStartEvent,
        WebSocketSendEvent,
    )

NORMAL_CLOSURE: Final = 1000
"""RFC 6455 section 7.4.1: what the connection was for is done."""

NO_STATUS_RECEIVED: Final = 1005
"""RFC 6455 section 7.4.1: the close frame had no code."""

ABNORMAL_CLOSURE: Final = 1006
"""RFC 6455 section 7.4.1: there was no close frame."""

MESSAGE_TOO_BIG: Final = 1009
"""RFC 6455 section 7.4.1: the peer sent a message that is too big to process."""

INTERNAL_ERROR: Final = 1011
"""RFC 6455 section 7.4.1: something unexpected keeps the server from going on."""

MOST_OF_A_REASON: Final = 123
"""Bytes: a control frame has at most 125 (RFC 6455 section 5.5), and the code takes two."""

MODES: Final = ("text", "binary", None)


def accept_event(
    subprotocol: str | None, offered: tuple[str, ...], headers: HeaderPairs | None
) -> WebSocketAcceptEvent:
    """Build ``websocket.accept``.

    Args:
        subprotocol: One of those offered. Any other makes the client fail the connection (RFC 6455 section
            4.1), and some servers break it before that.
        offered: What the client offered.
        headers: Headers of the handshake's response. The subprotocol is not among them: the server writes
            that header, and the specification forbids another one.

    Raises:
        ValueError: The subprotocol was not offered, or the headers cannot be sent.
    """
    if subprotocol is not None and (not subprotocol or subprotocol not in offered):
        msg = f"the client did not offer the subprotocol {subprotocol!r}; it offered {_listed(offered)}"
        raise ValueError(msg)
    event: WebSocketAcceptEvent = {"type": "websocket.accept", "subprotocol": subprotocol}
    # The key is newer (2.1) than the event, so it is there only when it says something.
    if headers is not None and (pairs := encode_headers(headers)):
        if any(name == b"sec-websocket-protocol" for name, _ in pairs):
            msg = "the subprotocol is an argument of accept(), not a header: 'sec-websocket-protocol'"
            raise ValueError(msg)
        event["headers"] = pairs
    return event


def _listed(offered: tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in offered) or "none"


def close_event(code: int, reason: str | None) -> WebSocketCloseEvent:
    """Build ``websocket.close``.

    Args:
        code: 1000 to 1003, 1007 to 1014, or 3000 to 4999. RFC 6455 section 7.4.1 reserves 1004, and each of
            1005, 1006 and 1015 "MUST NOT be set as a status code in a Close control frame by an endpoint";
            section 7.4.2 leaves 3000 to 4999 to libraries and applications.
        reason: At most 123 bytes in UTF-8.

    Raises:
        ValueError: The code or the reason cannot be sent.
    """
    code = int(code)
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        msg = f"a close code is 1000 to 1003, 1007 to 1014 or 3000 to 4999, not {code}"
        raise ValueError(msg)
    reason = reason or ""
    size = len(reason.encode())
    if size > MOST_OF_A_REASON:
        msg = f"a close reason has at most {MOST_OF_A_REASON} bytes in UTF-8, this one {size}"
        raise ValueError(msg)
    return {"type": "websocket.close", "code": code, "reason": reason}


def denial_start(status: int, headers: HeaderPairs | None) -> WebSocketResponseStartEvent:
    """Build ``websocket.http.response.start``.

    Args:
        status: 300 to 599. Any status of the 200s accepts the handshake over HTTP/2 (RFC 8441 section 5), and
            those of the 100s end no exchange.
        headers: Headers of the response. One server cannot do without the key.

    Raises:
        ValueError: The status or the headers cannot be sent.
    """
    status = int(status)
    if not 300 <= status <= 599:
        msg = f"the status of a denial response is 300 to 599, not {status}"
        raise ValueError(msg)
    return {"type": "websocket.http.response.start", "status": status, "headers": encode_headers(headers)}


def denial_body(body: bytes) -> WebSocketResponseBodyEvent:
    """Build ``websocket.http.response.body``.

    Raises:
        TypeError: The body is not bytes.
    """
    if not isinstance(body, bytes | bytearray | memoryview):
        kind = type(body).__name__
        msg = f"the body of a denial response is bytes or an asynchronous iterable of bytes, not {kind}"
        raise TypeError(msg)
    return {"type": "websocket.http.response.body", "body": bytes(body), "more_body": False}


def closing_words(error: BaseException | None) -> tuple[int, str]:
    """The code and the reason to close with after an error, or after none; both can be sent.

    A :class:`WebSocketDisconnect` has the code of a WebSocket that is closed, which says nothing of another.
    """
    if error is None:
        return NORMAL_CLOSURE, ""
    if isinstance(error, WebSocketException) and not isinstance(error, WebSocketDisconnect):
        with suppress(ValueError):
            # A reason is for whoever debugs: better the first half of it than none.
            reason = error.detail.encode(errors="replace")[:MOST_OF_A_REASON].decode(errors="ignore")
            close_event(error.code, reason)
            return error.code, reason
    return INTERNAL_ERROR, ""


def closed_with(event: Mapping[str, Any], default: int) -> tuple[int, str]:
    """The code and the reason in a close or disconnect event; servers leave either out, or have ``None``."""
    code = event.get("code")
    # Some servers give members of an IntEnum: equal to a number, but neither printed nor pickled as one.
    return int(code) if isinstance(code, int) else default, str(event.get("reason") or "")


def is_of_mode(message: Mapping[str, Any], mode: WebSocketMode | None) -> bool:
    """Whether a ``websocket.receive`` is what a reader of this mode wants."""
    return mode is None or message.get("text" if mode == "text" else "bytes") is not None


def payload(message: Mapping[str, Any], mode: WebSocketMode | None) -> str | bytes:
    """What is in a ``websocket.receive``: one key, the other being absent or ``None``; it may be empty.

    Raises:
        ValidationException: It is of the other mode than the wanted one.
        ProtocolError: The message has neither text nor bytes.
    """
    text: str | None = message.get("text")
    if text is not None and mode != "binary":
        return text
    data: bytes | None = message.get("bytes")
    if data is not None and mode != "text":
        return data if type(data) is bytes else bytes(data)
    if text is not None:
        detail = "a binary message was wanted and a text one came; it is kept, and receive_text() reads it"
        raise ValidationException(detail)
    if data is not None:
        detail = "a text message was wanted and a binary one came; it is kept, and receive_bytes() reads it"
        raise ValidationException(detail)
    kind = "websocket.receive"
    raise ProtocolError(
        f"the server sent {kind!r} without text or bytes", message_type=kind, expected=(kind,)
    )


def send_event(data: str | bytes, mode: WebSocketMode, encoding: str) -> WebSocketSendEvent:
    """Build ``websocket.send`` with one key and a plain ``str`` or ``bytes``: what every server takes.

    Args:
        data: What to send; ``bytearray`` and ``memoryview`` will do for bytes.
        mode: What to send it as.
        encoding: How to come from one to the other where ``data`` is not what ``mode`` says.

    Raises:
        TypeError: ``data`` is neither text nor bytes.
        ValueError: There is no such mode, or ``data`` does not encode or decode.
    """
    if not isinstance(data, (str, bytes, bytearray, memoryview)):
        msg = f"a WebSocket message is str or bytes, not {type(data).__name__}"
        raise TypeError(msg)
    if mode == "text":
        # str() of a subclass may be anything, an enum's is its name.
        text = str.__str__(data) if isinstance(data, str) else bytes(data).decode(encoding)
        return {"type": "websocket.send", "text": text}
    if mode == "binary":
        return {
            "type": "websocket.send",
            "bytes": data.encode(encoding) if isinstance(data, str) else bytes(data),
        }
    raise no_such_mode(mode)


def no_such_mode(mode: object) -> ValueError:
    """The error of a mode that is none."""
    return ValueError(f"mode is 'text' or 'binary', not {mode!r}")


def exceeds(data: str | bytes, maximum: int) -> bool:
    """Whether a message has more than ``maximum`` bytes, text being counted in UTF-8."""
    if len(data) > maximum:
        return True
    # Encoding copies the text, so it is done only where it decides: no character has more than four bytes.
    if isinstance(data, bytes) or len(data) * 4 <= maximum or data.isascii():
        return False
    return len(data.encode(errors="surrogatepass")) > maximum
