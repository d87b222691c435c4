"""The fast path for a form that is in memory: when it applies, and that it agrees with the decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiwire import Request
from asgiwire._multipart.decoder import MultipartDecoder, PartStart
from asgiwire._multipart.whole import DEFAULT_CONTENT_TYPE, parse_whole
from asgiwire.datastructures import UploadFile
from asgiwire.exceptions import ClientException
from asgiwire.limits import Limits
from asgiwire.testing import ScriptedReceive, http_scope
from tests.floods import must_end
from tests.multipart_bodies import Part, chunked, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypothesis.strategies import DrawFn

DEFAULT = Limits()
OCTETS = "application/octet-stream"


def described(pairs: Iterable[tuple[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the fields and files of a form as comparable tuples, and close the files."""
    return [
        (name, value.filename, value.content_type, value.headers, value.file.read(), value.file.close())
        if isinstance(value, UploadFile)
        else (name, value)
        for name, value in pairs
    ]


def whole(body: bytes, limits: Limits = DEFAULT) -> list[tuple[Any, ...]] | None:
    """Parse a form on the fast path."""
    pairs = parse_whole(body, b"B", limits)
    return None if pairs is None else described(pairs)


def decoded(body: bytes, limits: Limits = DEFAULT) -> list[tuple[Any, ...]] | str:
    """Parse a form with the decoder; return its text if there is an error."""
    decoder = MultipartDecoder({"boundary": "B"}, limits)
    parts: list[tuple[PartStart, bytearray]] = []
    try:
        for event in decoder.feed(body):
            if isinstance(event, PartStart):
                parts.append((event, bytearray()))
            elif isinstance(event, bytes):
                parts[-1][1].extend(event)
        decoder.finish()
    except ClientException as error:
        return str(error)
    text = decoder.decode
    return [
        (
            *(text(part.name), text(part.filename), part.content_type or DEFAULT_CONTENT_TYPE),
            *({text(name): text(value) for name, value in part.headers}, bytes(content), None),
        )
        if part.filename or (content and part.filename is not None)
        else (text(part.name), decoder.decode_value(part, content))
        for part, content in parts
    ]


def read(chunks: Iterable[bytes], limits: Limits, parameters: str = "") -> object:
    """Read a form through a request; return its fields and files, or the type and text of the error."""

    async def run() -> object:
        content_type = f"multipart/form-data; boundary=B{parameters}"
        scope = http_scope("POST", headers={"content-type": content_type})
        try:
            form = await Request(scope, ScriptedReceive.body(*chunks)).form(limits=limits)
        except ClientException as error:
            return type(error), str(error)
        uploads = [value for value in form.values() if isinstance(value, UploadFile)]
        states = [(upload.rolled_to_disk, upload.file.tell()) for upload in uploads]
        return states, described(form.items())

    return anyio.run(run)


HEAD = b'--B\r\nContent-Disposition: form-data; name="a"'
FIELD = HEAD + b"\r\n\r\n1\r\n--B--"
COMMON = {
    "no parts": b"--B--",
    "a field": FIELD,
    "a line end after it": FIELD + b"\r\n",
    "an empty field": HEAD + b"\r\n\r\n\r\n--B--",
    "an empty name": encode([Part("", b"1")]),
    "a field with a type": encode([Part("a", b"{}", None, "application/json")]),
    "a file": encode([Part("f", b"\0\xff\r\n", "x.bin", OCTETS)]),
    "a file without a type": encode([Part("f", b"1", "x")]),
    "a type in capitals": encode([Part("f", b"1", "x", "Image/SVG+xml")]),
    "an empty file": encode([Part("f", b"", "x", OCTETS)]),
    "no file chosen": encode([Part("f", b"", "", OCTETS)]),
    "a file without a name": encode([Part("f", b"1", "")]),
    "order and duplicates": encode([Part("a", b"1"), Part("b", b"2", "x"), Part("a", b"1")]),
    "valid UTF-8": encode([Part("\u20ac", "\xe9".encode(), "\xe9.txt")]),
    "invalid UTF-8": HEAD[:-1] + b'\xff"; filename="\xff"\r\n\r\n\xff\r\n--B--',
    "line ends and hyphens": encode([Part("a", b"\r\n-\r\n--\r\n--A\r\r\n\r\n--")]),
}
UNCOMMON = {
    "nothing": b"",
    "no boundary": b"text",
    "another boundary": FIELD.replace(b"--B", b"--C"),
    "a preamble": b"\r\n" + FIELD,
    "an epilogue": FIELD + b"\r\n\r\n",
    "text after it": FIELD + b"x",
    "a second form after it": FIELD + b"\r\n" + FIELD,
    "padding": FIELD.replace(b"--B\r\n", b"--B \r\n"),
    "half a final boundary": FIELD[:-1],
    "no final boundary": FIELD[:-2],
    "nothing after the first boundary": b"--B",
    "a longer boundary in a field": FIELD.replace(b"1", b"1\r\n--Bx"),
    "no content": HEAD + b"\r\n--B--",
    "no line before the boundary": HEAD + b"\r\n\r\n--B--",
    "an escape": FIELD.replace(b'"a"', b'"%22"'),
    "a backslash": FIELD.replace(b'"a"', b'"a\\\\"'),
    "no quotes": FIELD.replace(b'"a"', b"a"),
    "no name": FIELD.replace(b'; name="a"', b""),
    "two names": FIELD.replace(b'"a"', b'"a"; name="b"'),
    "filename*": FIELD.replace(b'"a"', b"\"a\"; filename*=utf-8''x"),
    "another order": FIELD.replace(b'name="a"', b'filename="x"; name="a"'),
    "another case": FIELD.replace(b"Disposition", b"disposition"),
    "another header": HEAD + b"\r\nX: y\r\n\r\n1\r\n--B--",
    "a charset": encode([Part("a", b"\xe9", None, "text/plain; charset=latin1")]),
    "an empty type": HEAD + b"\r\nContent-Type: \r\n\r\n1\r\n--B--",
    "two types": HEAD + b"\r\nContent-Type: a/b" * 2 + b"\r\n\r\n1\r\n--B--",
    "a charset for all": encode([Part("a", b"\xe9"), Part("_charset_", b"windows-1252")]),
    "LF": FIELD.replace(b"\r\n", b"\n"),
    "NUL in a name": FIELD.replace(b'"a"', b'"\0"'),
}


@pytest.mark.parametrize("body", COMMON.values(), ids=COMMON)
def test_forms_of_browsers_take_the_fast_path(body: bytes) -> None:
    assert whole(body) == decoded(body)
    assert read([body], DEFAULT) == read(chunked(body, 3), DEFAULT)


@pytest.mark.parametrize("body", UNCOMMON.values(), ids=UNCOMMON)
def test_uncommon_forms_are_left_to_the_decoder(body: bytes) -> None:
    assert whole(body) is None
    assert read([body], DEFAULT) == read([body], DEFAULT, "; charset=unknown")


@pytest.mark.parametrize("body", COMMON.values(), ids=COMMON)
def test_no_prefix_of_a_form_is_taken_for_the_whole(body: bytes) -> None:
    complete = [end for end in range(len(body)) if whole(body[:end]) is not None]
    assert complete == ([len(body) - 2] if body.endswith(b"\r\n") else [])


HEADERS = Part("a", b"1", "x", "a/b")
LINE = len(b'\r\nContent-Disposition: form-data; name="a"; filename="x"\r\nContent-Type: a/b\r\n\r\n')
LIMITS = {
    "max_fields": ([Part("a", b""), Part("b", b"")], Limits(max_fields=2), Limits(max_fields=1)),
    "max_fields of zero": ([Part("f", b"", "")], Limits(max_fields=0), Limits(max_files=0)),
    "max_files": ([Part("f", b"1", "x")] * 3, Limits(max_files=3), Limits(max_files=2)),
    "no limit of numbers": ([Part("a", b"")], Limits(max_fields=None, max_files=None), Limits(max_fields=0)),
    "max_part_headers": ([HEADERS], Limits(max_part_headers=2), Limits(max_part_headers=1)),
    "no limit of headers": ([HEADERS], Limits(max_part_headers=None), Limits(max_part_headers=0)),
    "max_part_header_size": (
        [HEADERS],
        Limits(max_part_header_size=LINE),
        Limits(max_part_header_size=LINE - 1),
    ),
    "no limit of a line": ([HEADERS], Limits(max_part_header_size=None), Limits(max_part_header_size=0)),
}


@pytest.mark.parametrize(("parts", "within", "beyond"), LIMITS.values(), ids=LIMITS)
def test_a_form_that_may_exceed_a_limit_is_left_to_the_decoder(
    parts: list[Part], within: Limits, beyond: Limits
) -> None:
    body = encode(parts)
    assert whole(body, within) == decoded(body, within)
    assert whole(body, beyond) is None


TEXT = st.text(st.characters(exclude_characters="%\0", codec="utf-8"), max_size=5)
TYPES = st.none() | st.sampled_from(["text/plain", "IMAGE/png", "text/plain; charset=latin1", "x"])
CONTENT = st.binary(max_size=5) | st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"\r\n--", b"\r\n--B", b"B", b"x"]), max_size=4
).map(b"".join)
PARTS = st.lists(
    st.builds(Part, TEXT | st.just("_charset_"), CONTENT, st.none() | TEXT, TYPES), min_size=1, max_size=4
)
REPLACEMENTS = st.sampled_from([
    b"", b"\r\n", b"\r", b"\n", b"--B", b"\r\n--B", b"\r\n--B\r\n", b"\r\n--B--", b"--", b"-", b"B", b" ",
    b"\t",
    b'"', b"\\", b"%22", b";", b":", b"=", b"\0", b"\xff", b"name", b"filename", b'; name="b"', b"_charset_",
    HEAD, HEAD + b"\r\n\r\n", b"Content-Type: a/b\r\n", b"X: y\r\n", b"x" * 60,
])  # fmt: skip
ANY_LIMITS = st.sampled_from([
    DEFAULT, Limits(max_fields=2), Limits(max_files=1), Limits(max_part_headers=1),
    Limits(max_part_header_size=50), Limits(spool_size=200), Limits(max_memory=150, spool_size=100),
    Limits(max_field_size=100), Limits(max_file_size=90, max_part_header_size=None),
])  # fmt: skip


@st.composite
def damaged(draw: DrawFn) -> bytes:
    """A form with a few bytes replaced."""
    body = encode(draw(PARTS)) + draw(st.sampled_from([b"", b"\r\n", b"\r\n--B"]))
    for _ in range(draw(st.integers(0, 3))):
        position = draw(st.integers(0, len(body)))
        body = body[:position] + draw(REPLACEMENTS) + body[position + draw(st.integers(0, 3)) :]
    return body


@settings(deadline=None)
@given(PARTS.map(encode) | damaged(), ANY_LIMITS)
def test_the_fast_path_agrees_with_the_decoder(body: bytes, limits: Limits) -> None:
    sizes = (limits.max_field_size, limits.max_file_size, limits.max_memory, limits.spool_size)
    if all(size is None or len(body) <= size for size in sizes):
        assert whole(body, limits) in (None, decoded(body, limits))


@settings(deadline=None)
@given(
    PARTS.map(encode) | damaged(), ANY_LIMITS, st.sampled_from(["", "; charset=latin1"]), st.integers(1, 70)
)
def test_a_form_does_not_depend_on_its_chunks(
    body: bytes, limits: Limits, parameters: str, size: int
) -> None:
    assert read(chunked(body, size), limits, parameters) == read([body], limits, parameters)


@settings(deadline=None)
@given(PARTS.map(encode) | damaged(), ANY_LIMITS)
def test_an_unknown_charset_changes_nothing(body: bytes, limits: Limits) -> None:
    """A form with a charset never takes the fast path."""
    assert read([body], limits) == read([body], limits, "; charset=unknown")


SLOW: dict[str, Callable[[int], bytes]] = {
    "tiny parts": lambda n: (HEAD + b"\r\n\r\n\r\n") * n + b"--B--",
    "nearly boundaries": lambda n: encode([Part("a", b"\r\n--A" * 20 * n)]),
    "CR": lambda n: encode([Part("a", b"\r" * 100 * n)]),
    "a name": lambda n: encode([Part("a" * 100 * n, b"1")]),
    "a type": lambda n: encode([Part("a", b"1", None, "x" * 100 * n)]),
}


@must_end
@pytest.mark.parametrize("build", SLOW.values(), ids=SLOW)
def test_time_is_linear(build: Callable[[int], bytes]) -> None:
    parse_whole(build(20_000), b"B", Limits(max_fields=None, max_part_header_size=None))
