"""Validation and encoding of headers to send. Received headers are not validated: the server did that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from asgiwire.types import HeaderPairs

# RFC 9110 section 5.6.2: tchar.
TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# RFC 9110 section 5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous". Of the
# other control characters the grammar allows HTAB only.
CONTROLS: Final = bytes({*range(0x20), 0x7F} - {0x09})


# RFC 9110 section 6.5.1: fields for framing, routing, authentication, request modifiers, controls or content
# format must not be trailers.
NOT_IN_TRAILERS: Final = frozenset(
    b"age authorization cache-control connection content-encoding content-length content-range content-type"
    b" date expires host keep-alive location proxy-authenticate proxy-authorization retry-after set-cookie te"
    b" trailer transfer-encoding upgrade vary warning www-authenticate".split()
)


def encode_header(name: str | bytes, value: str | bytes) -> tuple[bytes, bytes]:
    """Validate one header and encode it for ASGI: ISO-8859-1, the name in lower case.

    Leading and trailing blanks of the value are removed (RFC 9110 section 5.5: "A field value does not
    include leading or trailing whitespace"). They make an HTTP/2 message malformed.

    Raises:
        TypeError: The name or value is neither ``str`` nor ``bytes``.
        ValueError: The name is not a token, or the value contains a control character or a character outside
            of ISO-8859-1. The message contains the name, but not the value.
    """
    encoded_name = _encode(name, "a header name").lower()
    if not encoded_name or encoded_name.translate(None, TOKEN):
        raise ValueError(f"a header name must be a token (RFC 9110 section 5.6.2), got {name!r}")
    encoded_value = _encode(value, f"the value of header {name!r}").strip(b" \t")
    if len(encoded_value.translate(None, CONTROLS)) < len(encoded_value):
        raise ValueError(
            f"the value of header {name!r} must not hold CR, LF, NUL or any other control character"
        )
    return encoded_name, encoded_value


def encode_headers(headers: HeaderPairs | None) -> list[tuple[bytes, bytes]]:
    """Validate and encode all headers, in order and with duplicates.

    In a mapping, a list or tuple stands for one header per item. Values of other types are converted with
    ``str()``, except ``None``.

    Raises:
        TypeError: See :func:`encode_header`.
        ValueError: See :func:`encode_header`.
    """
    if headers is None:
        return []
    if isinstance(headers, Mapping):
        # For the type checker, a mapping could also be an iterable of pairs.
        items = _items(cast("Mapping[str, Any]", headers))
        return [encode_header(name, text) for name, value in items for text in _texts(value)]
    return [encode_header(name, value) for name, value in headers]


def encode_trailers(headers: HeaderPairs) -> list[tuple[bytes, bytes]]:
    """Validate and encode trailer fields as :func:`encode_headers` does.

    Raises:
        ValueError: A header is invalid, or must not be a trailer.
    """
    pairs = encode_headers(headers)
    if forbidden := sorted({name.decode() for name, _ in pairs if name in NOT_IN_TRAILERS}):
        raise ValueError(f"{', '.join(forbidden)} must not be sent as a trailer (RFC 9110 section 6.5.1)")
    return pairs


def _encode(text: str | bytes, what: str) -> bytes:
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str):
        raise TypeError(f"{what} must be str or bytes, got {type(text).__name__}")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"{what} must be text that ISO-8859-1 can encode") from None


def _items(headers: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    # In some multidicts `items()` omits or joins duplicates, and `multi_items()` returns all of them.
    multi_items = getattr(headers, "multi_items", None)
    return headers.items() if multi_items is None else multi_items()


def _texts(value: Any) -> Iterator[Any]:
    items = cast("Iterable[Any]", value) if isinstance(value, list | tuple) else (value,)
    for item in items:
        yield item if item is None or isinstance(item, str | bytes) else str(item)
