"""The urlencoded parser of the WHATWG (https://url.spec.whatwg.org/#urlencoded-parsing)."""

from __future__ import annotations

import re
from typing import Final

from asgiwire.exceptions import RequestEntityTooLarge

from .percent import ESCAPE, LONE_PERCENT, PERCENT, percent_decode

SEQUENCE: Final = re.compile(rb"[^&]+")


def parse_urlencoded(
    data: bytes, max_fields: int | None = None, max_field_size: int | None = None, /
) -> list[tuple[str, str]]:
    """Parse a query or an ``application/x-www-form-urlencoded`` body into pairs, with order and duplicates.

    Args:
        data: The bytes as sent. Invalid UTF-8 becomes U+FFFD.
        max_fields: Maximum number of pairs; ``None`` for no limit.
        max_field_size: Maximum bytes of the name and value of one pair, as sent; ``None`` for no limit.

    Raises:
        RequestEntityTooLarge: A limit is exceeded. No pair has been built then.
    """
    if not data:
        return []
    size = len(data)
    # n separators make at most n + 1 fields; empty ones do not count. A body of fewer bytes than `max_fields`
    # cannot exceed the limit.
    if max_fields is not None and size >= max_fields and data.count(b"&") >= max_fields:
        data = _check_count(data, max_fields)
    if max_field_size is not None and size > max_field_size:
        _check_sizes(data, max_field_size)
    data = data.replace(b"+", b" ")
    has_escapes = PERCENT in data
    if has_escapes and not data.isascii():
        decode = _decoded_if_escaped if LONE_PERCENT.search(data) else _decoded
        return [decode(sequence) for sequence in data.split(b"&") if sequence]
    if has_escapes and not ESCAPE.search(data):
        has_escapes = False
    # A separator is never part of a malformed UTF-8 sequence, so the data can be decoded before it is split.
    pairs: list[tuple[str, str]] = []
    for sequence in data.decode("utf-8", "replace").split("&"):
        if has_escapes and "%" in sequence:
            pairs.append(_decoded(sequence.encode()))
        elif sequence:
            name, _, value = sequence.partition("=")
            pairs.append((name, value))
    return pairs


def _check_count(data: bytes, max_fields: int) -> bytes:
    """Return the data without empty fields; raise before more than ``max_fields`` of them are in memory."""
    sequences: list[bytes] = []
    for match in SEQUENCE.finditer(data):
        if len(sequences) == max_fields:
            raise RequestEntityTooLarge(limit="max_fields", maximum=max_fields)
        sequences.append(match[0])
    return b"&".join(sequences)


def _check_sizes(data: bytes, max_field_size: int) -> None:
    for match in SEQUENCE.finditer(data):
        if match.end() - match.start() - (b"=" in match[0]) > max_field_size:
            raise RequestEntityTooLarge(limit="max_field_size", maximum=max_field_size)


def _decoded(sequence: bytes) -> tuple[str, str]:
    if PERCENT not in sequence:
        return _split_text(sequence)
    name, _, value = sequence.partition(b"=")
    # Percent-decode before UTF-8: b"\xc3%A9" is one letter.
    return percent_decode(name).decode("utf-8", "replace"), percent_decode(value).decode("utf-8", "replace")


def _decoded_if_escaped(sequence: bytes) -> tuple[str, str]:
    # Only malformed data has a "%" without digits. A check for digits takes a third of the time of decoding.
    return _decoded(sequence) if ESCAPE.search(sequence) else _split_text(sequence)


def _split_text(sequence: bytes) -> tuple[str, str]:
    name, _, value = sequence.decode("utf-8", "replace").partition("=")
    return name, value
