"""The urlencoded parser of the WHATWG (https://url.spec.whatwg.org/#urlencoded-parsing).

Left out: ``;`` as a separator, any charset but UTF-8, and everything lenient: the algorithm has a result
for every input.
"""

from __future__ import annotations

import re
from typing import Final

from asgiwire.exceptions import RequestEntityTooLarge

from .percent import PERCENT, percent_decode

SEQUENCE: Final = re.compile(rb"[^&]+")


def parse_urlencoded(
    data: bytes, *, max_fields: int | None = None, max_field_size: int | None = None
) -> list[tuple[str, str]]:
    """Parse a query or an ``application/x-www-form-urlencoded`` body, order and duplicates kept.

    Args:
        data: The bytes as sent. Invalid UTF-8 is read as U+FFFD.
        max_fields: How many pairs there may be; ``None`` for any number.
        max_field_size: Bytes of one pair's name and value together, as sent; ``None`` for any number.

    Raises:
        RequestEntityTooLarge: There are more pairs, or one is larger; found before any pair is built.
    """
    if not data:
        return []
    size = len(data)
    # There is one separator less than there are sequences, of which the empty ones do not count. Few bytes
    # are never too many sequences, and need not be searched.
    if max_fields is not None and size >= max_fields and data.count(b"&") >= max_fields:
        data = _counted(data, max_fields)
    if max_field_size is not None and size > max_field_size:
        _measure(data, max_field_size)
    data = data.replace(b"+", b" ")
    if PERCENT in data:
        return [_decoded(sequence) for sequence in data.split(b"&") if sequence]
    # No separator is part of a malformed UTF-8 sequence, so the whole may be decoded before it is split.
    pairs: list[tuple[str, str]] = []
    for sequence in data.decode("utf-8", "replace").split("&"):
        if sequence:
            name, _, value = sequence.partition("=")
            pairs.append((name, value))
    return pairs


def _counted(data: bytes, max_fields: int) -> bytes:
    """Drop the empty sequences, without ever holding more of them than are allowed."""
    sequences: list[bytes] = []
    for match in SEQUENCE.finditer(data):
        if len(sequences) == max_fields:
            raise RequestEntityTooLarge(limit="max_fields", maximum=max_fields)
        sequences.append(match[0])
    return b"&".join(sequences)


def _measure(data: bytes, max_field_size: int) -> None:
    for match in SEQUENCE.finditer(data):
        if match.end() - match.start() - (b"=" in match[0]) > max_field_size:
            raise RequestEntityTooLarge(limit="max_field_size", maximum=max_field_size)


def _decoded(sequence: bytes) -> tuple[str, str]:
    if PERCENT not in sequence:
        text, _, rest = sequence.decode("utf-8", "replace").partition("=")
        return text, rest
    name, _, value = sequence.partition(b"=")
    # Percent first, UTF-8 second: b"\xc3%A9" is one letter.
    return percent_decode(name).decode("utf-8", "replace"), percent_decode(value).decode("utf-8", "replace")
