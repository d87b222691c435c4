"""Header fields on their way out: names and values are checked and encoded, pairs put in ASGI's form.

Left out: what a peer sent. A server has checked that already, and whoever reads it wants it as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asgiwire.types import HeaderPairs

# RFC 9110 section 5.6.2: tchar.
TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# RFC 9110 section 5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous"; the
# other controls are not in its grammar either, HTAB alone is.
CONTROLS: Final = bytes({*range(0x20), 0x7F} - {0x09})


def encode_header(name: str | bytes, value: str | bytes) -> tuple[bytes, bytes]:
    """Check one header, and encode it as ASGI sends it: the name in lower case, both in ISO-8859-1.

    Blanks around the value are dropped (RFC 9110 section 5.5: "A field value does not include leading or
    trailing whitespace"); HTTP/2 calls a message that has them malformed.

    Raises:
        TypeError: If one of the two is neither ``str`` nor ``bytes``.
        ValueError: If the name is no token, or the value holds a control character or what ISO-8859-1
            lacks. The sentence names the header and never shows its value.
    """
    encoded_name = _encode(name, "a header name").lower()
    if not encoded_name or encoded_name.translate(None, TOKEN):
        raise ValueError(f"a header name must be a token (RFC 9110 section 5.6.2), got {name!r}")
    encoded_value = _encode(value, f"the value of header {name!r}").strip(b" \t")
    if len(encoded_value.translate(None, CONTROLS)) < len(encoded_value):
        raise ValueError(
            f"the value of header {name!r} must not hold CR, LF, NUL or another control character"
        )
    return encoded_name, encoded_value


def encode_headers(headers: HeaderPairs | None) -> list[tuple[bytes, bytes]]:
    """Check and encode every header, in order, duplicates included.

    In a mapping a value that is no text is written as ``str()`` writes it, and a list or tuple is one header
    for each of its items.

    Raises:
        TypeError: As :func:`encode_header`; ``None`` is no value.
        ValueError: As :func:`encode_header`.
    """
    if headers is None:
        return []
    if isinstance(headers, Mapping):
        # An iterable of pairs can be a mapping too, says the type; no such thing is a header's.
        items = _items(cast("Mapping[str, Any]", headers))
        return [encode_header(name, text) for name, value in items for text in _texts(value)]
    return [encode_header(name, value) for name, value in headers]


def _encode(text: str | bytes, what: str) -> bytes:
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str):
        raise TypeError(f"{what} must be str or bytes, got {type(text).__name__}")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"{what} must be text that ISO-8859-1 can hold") from None


def _items(headers: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    # The `items()` of some multidicts leave the duplicates out or join them; `multi_items()`, where there is
    # one, never does.
    multi_items = getattr(headers, "multi_items", None)
    return headers.items() if multi_items is None else multi_items()


def _texts(value: Any) -> Iterator[Any]:
    items = cast("Iterable[Any]", value) if isinstance(value, list | tuple) else (value,)
    for item in items:
        yield item if item is None or isinstance(item, str | bytes) else str(item)
