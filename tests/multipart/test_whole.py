"""The one pass over a form that is in memory whole: that it is taken, and says what the decoder says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiwire._body import form as _form
from asgiwire._body.form import MultipartForm
from asgiwire._multipart.whole import parse_whole
from asgiwire.datastructures.upload_file import UploadFile
from asgiwire.exceptions import ClientException
from asgiwire.limits import Limits
from tests.floods import must_end
from tests.multipart_bodies import Part, encode, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypothesis.strategies import DrawFn

DEFAULT = Limits()
OCTETS = "application/octet-stream"


def shown(pairs: Iterable[tuple[str, Any]]) -> list[tuple[Any, ...]]:
    """All that there is to see of a form's fields and files."""
    return [
        (
            name,
            *(value.filename, value.content_type, value.headers, value._max_spool_size),
            *(value.rolled_to_disk, value.file.tell(), value.file.read(), value.file.close()),
        )
        if isinstance(value, UploadFile)
        else (name, value)
        for name, value in pairs
    ]


def whole(body: bytes, limits: Limits = DEFAULT) -> list[tuple[Any, ...]] | None:
    pairs = parse_whole(body, b"B", limits)
    return None if pairs is None else shown(pairs)


def read(chunks: Iterable[bytes], limits: Limits, parameters: dict[str, str], whole_size: int) -> object:
    """What comes of a form, or the error that it ends in."""

    async def run() -> object:
        form = MultipartForm(parameters, limits)
        try:
            for chunk in chunks:
                await form.write(chunk)
            return shown((await form.complete()).items())
        except ClientException as error:
            form.abort()
            return type(error), str(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_form, "WHOLE_SIZE", whole_size)
        return anyio.run(run)


def decoded(body: bytes, limits: Limits = DEFAULT) -> object:
    """What comes of a form whose bytes go to the decoder from the first one on."""
    return read([body], limits, {"boundary": "B"}, 0)


HEAD = b'--B\r\nContent-Disposition: form-data; name="a"'
FIELD = HEAD + b"\r\n\r\n1\r\n--B--"
PLAIN = {
    "empty": b"--B--",
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
    "text that is UTF-8": encode([Part("\u20ac", "\xe9".encode(), "\xe9.txt")]),
    "text that is none": HEAD[:-1] + b'\xff"; filename="\xff"\r\n\r\n\xff\r\n--B--',
    "line ends and hyphens": encode([Part("a", b"\r\n-\r\n--\r\n--A\r\r\n\r\n--")]),
}
ODD = {
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


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_what_browsers_send_is_read_in_one_pass(body: bytes) -> None:
    assert whole(body) is not None
    assert whole(body) == decoded(body)


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
def test_what_is_out_of_the_ordinary_is_left_to_the_decoder(body: bytes) -> None:
    assert whole(body) is None
    assert decoded(body) == read([body], DEFAULT, {"boundary": "B"}, 1000)


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_no_prefix_of_a_form_passes_for_the_whole(body: bytes) -> None:
    assert [whole(body[:end]) for end in range(body.index(b"--B--", 0) + 5 if body == b"--B--" else 5)] == (
        [None] * 5
    )
    ends = [end for end in range(len(body)) if whole(body[:end]) is not None]
    assert ends == ([len(body) - 2] if body.endswith(b"\r\n") else [])


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
def test_a_limit_that_may_be_exceeded_is_left_to_the_decoder(
    parts: list[Part], within: Limits, beyond: Limits
) -> None:
    body = encode(parts)
    assert whole(body, within) == decoded(body, within)
    assert whole(body, within) is not None
    assert whole(body, beyond) is None


TEXT = st.text(st.characters(exclude_characters="%\0", codec="utf-8"), max_size=5)
TYPES = st.none() | st.sampled_from(["text/plain", "IMAGE/png", "text/plain; charset=latin1", "x"])
CONTENT = st.binary(max_size=5) | st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"\r\n--", b"\r\n--B", b"B", b"x"]), max_size=4
).map(b"".join)
PARTS = st.lists(
    st.builds(Part, TEXT | st.just("_charset_"), CONTENT, st.none() | TEXT, TYPES), min_size=1, max_size=4
)
PIECES = st.sampled_from([
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
    """A form of which some pieces are replaced by others."""
    body = encode(draw(PARTS)) + draw(st.sampled_from([b"", b"\r\n", b"\r\n--B"]))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(body)))
        body = body[:place] + draw(PIECES) + body[place + draw(st.integers(0, 3)) :]
    return body


@settings(deadline=None)
@given(PARTS.map(encode) | damaged(), ANY_LIMITS)
def test_where_it_answers_it_says_what_the_decoder_says(body: bytes, limits: Limits) -> None:
    sizes = (limits.max_field_size, limits.max_file_size, limits.max_memory, limits.spool_size)
    if all(size is None or len(body) <= size for size in sizes):
        assert whole(body, limits) in (None, decoded(body, limits))


@settings(deadline=None)
@given(
    PARTS.map(encode) | damaged(),
    ANY_LIMITS,
    st.sampled_from([{}, {"charset": "latin1"}, {"charset": "unknown"}]),
    st.sampled_from([1, 50, 10**6]),
    st.sampled_from([1, 7, 10**6]),
)
def test_nobody_can_tell_how_a_form_was_read(
    body: bytes, limits: Limits, charset: dict[str, str], whole_size: int, size: int
) -> None:
    parameters = {"boundary": "B", **charset}
    assert read(pieces(body, size), limits, parameters, whole_size) == read([body], limits, parameters, 0)


SLOW: dict[str, Callable[[int], bytes]] = {
    "tiny parts": lambda n: (HEAD + b"\r\n\r\n\r\n") * n + b"--B--",
    "nearly boundaries": lambda n: encode([Part("a", b"\r\n--A" * 20 * n)]),
    "CR": lambda n: encode([Part("a", b"\r" * 100 * n)]),
    "a name": lambda n: encode([Part("a" * 100 * n, b"1")]),
    "a type": lambda n: encode([Part("a", b"1", None, "x" * 100 * n)]),
}


@must_end
@pytest.mark.parametrize("build", SLOW.values(), ids=SLOW)
def test_cost_is_linear(build: Callable[[int], bytes]) -> None:
    parse_whole(build(20_000), b"B", Limits(max_fields=None, max_part_header_size=None))
