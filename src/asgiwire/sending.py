"""Send a complete response from middleware, error handlers and applications without a framework."""

from __future__ import annotations

from typing import Final

from ._parsers.header_fields import encode_headers
from .types import HeaderPairs, HTTPResponseBodyEvent, HTTPResponseStartEvent, Send

__all__ = ("send_response",)

# RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5.
WITHOUT_CONTENT: Final = frozenset({204, 205, 304})
# RFC 9110 section 8.6: in a 304, Content-Length is the length of the corresponding 200 response.
WITHOUT_LENGTH: Final = frozenset({204, 304})


async def send_response(send: Send, status: int, body: bytes = b"", headers: HeaderPairs = ()) -> None:
    """Send a complete response: ``http.response.start`` and ``http.response.body``.

    ``Content-Length`` is added unless ``headers`` contains it, or the status is 204 or 304. For a response to
    ``HEAD``, pass the length of the response to ``GET`` in ``headers``, and no body.

    Args:
        send: The ASGI send callable.
        status: The status code, from 200 to 599.
        body: The whole content.
        headers: A mapping or an iterable of pairs of ``str`` or ``bytes``. In a mapping, a list contains the
            values of several headers with one name.

    Raises:
        ValueError: A header or the status is invalid, the status does not allow a body, or ``Content-Length``
            does not match the body. Nothing was sent.
        TypeError: The body is not bytes, or a header is neither text nor bytes.
    """
    if not 200 <= status <= 599:
        raise ValueError(f"expected a status code from 200 to 599, got {status!r}")
    if not isinstance(body, bytes | bytearray | memoryview):
        raise TypeError(f"expected bytes as body, got {type(body).__name__}; encode text with .encode()")
    content = bytes(body)
    if content and status in WITHOUT_CONTENT:
        raise ValueError(f"expected no body for status {status}, got {len(content)} bytes")
    pairs = encode_headers(headers)
    declared = [value for name, value in pairs if name == b"content-length"]
    length = b"%d" % len(content)
    if content and declared and {*declared} != {length}:
        raise ValueError(f"expected a content-length of {len(content)}, got another one")
    if not declared and status not in WITHOUT_LENGTH:
        pairs.append((b"content-length", length))
    start: HTTPResponseStartEvent = {"type": "http.response.start", "status": status, "headers": pairs}
    end: HTTPResponseBodyEvent = {"type": "http.response.body", "body": content}
    await send(start)
    await send(end)
