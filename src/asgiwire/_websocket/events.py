"""Build the events that a WebSocket sends, from validated arguments; read the messages that it receives.

Servers accept only plain ``str``, ``bytes`` and ``int`` in events, and some need every optional key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeGuard

from asgiwire._parsers.header_fields import TOKEN, encode_headers
from asgiwire.exceptions import (
    ClientException,
    ProtocolError,
    ValidationException,
    WebSocketDisconnect,
    WebSocketException,
)
from asgiwire.types import (
    HeaderPairs,
    Message,
    WebSocketAcceptEvent,
    WebSocketCloseEvent,
    WebSocketMode,
    WebSocketResponseBodyEvent,
    WebSocketResponseStartEvent,
    WebSocketSendEvent,
)

NORMAL_CLOSURE: Final = 1000
"""RFC 6455 section 7.4.1: the purpose of the connection was fulfilled."""

UNSUPPORTED_DATA: Final = 1003
"""RFC 6455 section 7.4.1: the client sent a kind of data that the server does not accept."""

NO_STATUS_RECEIVED: Final = 1005
"""RFC 6455 section 7.4.1: the close frame had no code."""

ABNORMAL_CLOSURE: Final = 1006
"""RFC 6455 section 7.4.1: there was no close frame."""

MESSAGE_TOO_BIG: Final = 1009
"""RFC 6455 section 7.4.1: the client sent a message that is too big to process."""

INTERNAL_ERROR: Final = 1011
"""RFC 6455 section 7.4.1: the server met an unexpected condition."""

MAX_REASON_SIZE: Final = 123
"""Bytes: a control frame has at most 125 (RFC 6455 section 5.5), and the code takes two."""

MODES: Final = ("text", "binary", None)


def accept_event(
    subprotocol: str | None, offered: tuple[str, ...], headers: HeaderPairs | None
) -> WebSocketAcceptEvent:
    """Build ``websocket.accept``.

    Args:
        subprotocol: One of the offered subprotocols. With any other, the client fails the connection (RFC
            6455 section 4.1), and some servers do so earlier.
        offered: The subprotocols that the client offers.
        headers: Headers of the handshake response, without the subprotocol: the server writes that header,
            and ASGI forbids it here.

    Raises:
        ValueError: The subprotocol was not offered or is not a token, or a header is invalid.
    """
    if subprotocol is not None and (not subprotocol or subprotocol not in offered):
        # The offered names come from the client, and may contain credentials.
        msg = f"expected a subprotocol that the client offers, got {subprotocol!r}; see .subprotocols"
        raise ValueError(msg)
    if subprotocol is not None and subprotocol.encode("utf-8", "replace").translate(None, TOKEN):
        msg = "expected a subprotocol that is a token (RFC 6455 section 4.1), got other characters"
        raise ValueError(msg)
    pairs = encode_headers(headers)
    if any(name == b"sec-websocket-protocol" for name, _ in pairs):
        msg = "'sec-websocket-protocol' is not allowed in headers; pass it to accept(subprotocols=...)"
        raise ValueError(msg)
    return {"type": "websocket.accept", "subprotocol": subprotocol, "headers": pairs}


def close_event(code: int, reason: str | None) -> WebSocketCloseEvent:
    """Build ``websocket.close``.

    Args:
        code: 1000 to 1003, 1007 to 1014, or 3000 to 4999. RFC 6455 section 7.4.1 reserves 1004, and each of
            1005, 1006 and 1015 "MUST NOT be set as a status code in a Close control frame by an endpoint";
            section 7.4.2 leaves 3000 to 4999 to libraries and applications.
        reason: Truncated to 123 bytes in UTF-8, at the end of a character.

    Raises:
        ValueError: The code is invalid.
    """
    code = int(code)
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        msg = f"expected a close code of 1000 to 1003, 1007 to 1014 or 3000 to 4999, got {code}"
        raise ValueError(msg)
    # A reason helps with debugging, so a long reason is truncated instead of dropped or rejected.
    reason = (reason or "").encode(errors="replace")[:MAX_REASON_SIZE].decode(errors="ignore")
    return {"type": "websocket.close", "code": code, "reason": reason}


def denial_start(status: int, headers: HeaderPairs | None) -> WebSocketResponseStartEvent:
    """Build ``websocket.http.response.start``.

    Args:
        status: 300 to 599. Over HTTP/2 every 2xx status accepts the handshake (RFC 8441 section 5), and a 1xx
            status does not end a response.
        headers: Headers of the response. One server fails if the key is missing.

    Raises:
        ValueError: The status or a header is invalid.
    """
    status = int(status)
    if not 300 <= status <= 599:
        msg = f"expected a denial status of 300 to 599, got {status}"
        raise ValueError(msg)
    return {"type": "websocket.http.response.start", "status": status, "headers": encode_headers(headers)}


def denial_body(body: bytes) -> WebSocketResponseBodyEvent:
    """Build the last ``websocket.http.response.body``.

    Raises:
        TypeError: The body is not bytes.
    """
    if not isinstance(body, bytes | bytearray | memoryview):
        kind = type(body).__name__
        msg = f"expected a denial body of bytes or an asynchronous iterable of bytes, got {kind}"
        raise TypeError(msg)
    return {"type": "websocket.http.response.body", "body": bytes(body), "more_body": False}


def close_arguments(error: BaseException | None) -> tuple[int, str]:
    """Return the code and reason to close with after a block that raised ``error``, or ``None``.

    An exception group counts as the one exception in it that is not a disconnect. The code of a
    :class:`WebSocketDisconnect` is not used: it describes another WebSocket that is closed.
    """
    if error is None:
        return NORMAL_CLOSURE, ""
    if is_group(error):
        leaves = [leaf for leaf in _leaves(error) if not isinstance(leaf, WebSocketDisconnect)]
        return close_arguments(leaves[0]) if len(leaves) == 1 else (INTERNAL_ERROR, "")
    if isinstance(error, ClientException):
        return error.close_code, error.detail
    if isinstance(error, WebSocketException) and not isinstance(error, WebSocketDisconnect):
        with suppress(ValueError):
            close_event(error.code, "")
            return error.code, error.detail
    return INTERNAL_ERROR, ""


def without_disconnects(error: BaseException | None) -> BaseException | None:
    """Return an exception or an exception group without ``WebSocketDisconnect``, or ``None``."""
    if is_group(error):
        return error.split(WebSocketDisconnect)[1]
    return None if isinstance(error, WebSocketDisconnect) else error


def is_group(error: BaseException | None) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    """Whether an exception is a group."""
    return isinstance(error, BaseExceptionGroup)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if is_group(error):
        for member in error.exceptions:
            yield from _leaves(member)
    else:
        yield error


def code_and_reason(event: Mapping[str, Any], default_code: int) -> tuple[int, str]:
    """Return the code and reason of a close or disconnect event; either may be missing or ``None``."""
    code = event.get("code")
    # Some servers use an IntEnum, which does not print or pickle as a plain int.
    return int(code) if isinstance(code, int) else default_code, str(event.get("reason") or "")


def payload(message: Message, mode: WebSocketMode | None) -> str | bytes:
    """Return the data of a ``websocket.receive`` event; the other key may be missing or ``None``.

    Raises:
        ValidationException: The message is of the other mode; ``.message`` is the message.
        ProtocolError: The message has neither text nor bytes.
    """
    text: str | None = message.get("text")
    if text is not None and mode != "binary":
        return text
    data: bytes | None = message.get("bytes")
    if data is not None and mode != "text":
        return data if type(data) is bytes else bytes(data)
    if text is None and data is None:
        kind = "websocket.receive"
        detail = f"expected text or bytes in {kind!r}, got neither"
        raise ProtocolError(detail, message_type=kind, expected=(kind,))
    expected, got = ("binary", "text") if mode == "binary" else ("text", "binary")
    error = ValidationException(
        f"expected a {expected} message, got a {got} one; the exception has it as 'message'"
    )
    error.message = message
    error.close_code = UNSUPPORTED_DATA
    raise error


def receive_event(data: str | bytes) -> Message:
    """Build a ``websocket.receive`` event."""
    return {"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data}


def send_event(data: str | bytes, mode: WebSocketMode, encoding: str) -> WebSocketSendEvent:
    """Build ``websocket.send`` with one key and a plain ``str`` or ``bytes``.

    Args:
        data: The message; ``bytearray`` and ``memoryview`` are accepted for bytes.
        mode: Whether to send a text or a binary message.
        encoding: Used if ``data`` is bytes and ``mode`` is text, or the reverse.

    Raises:
        TypeError: ``data`` is neither text nor bytes.
        ValueError: The mode is invalid, or ``data`` cannot be encoded or decoded.
    """
    if not isinstance(data, (str, bytes, bytearray, memoryview)):
        msg = f"expected a message of str or bytes, got {type(data).__name__}"
        raise TypeError(msg)
    if mode == "text":
        # str() of a subclass may differ from its value.
        text = str.__str__(data) if isinstance(data, str) else bytes(data).decode(encoding)
        return {"type": "websocket.send", "text": text}
    if mode == "binary":
        binary = data.encode(encoding) if isinstance(data, str) else bytes(data)
        return {"type": "websocket.send", "bytes": binary}
    raise invalid_mode(mode)


def invalid_mode(mode: object) -> ValueError:
    """Create the exception for an invalid mode."""
    return ValueError(f"expected mode 'text' or 'binary', got {mode!r}")


def exceeds(data: str | bytes, maximum: int) -> bool:
    """Return whether a message has more than ``maximum`` bytes; text is counted in UTF-8."""
    if len(data) > maximum:
        return True
    # Encoding copies the text, so it is avoided if possible. A character has at most four bytes.
    if isinstance(data, bytes) or len(data) * 4 <= maximum or data.isascii():
        return False
    return len(data.encode(errors="surrogatepass")) > maximum
