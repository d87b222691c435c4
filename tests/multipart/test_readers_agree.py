"""``form()`` and ``multipart()`` agree: the same fields and files, the same error, at the same message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiwire import Limits, Request
from asgiwire.datastructures import UploadFile
from asgiwire.exceptions import ClientException, RequestEntityTooLarge, ValidationException
from asgiwire.testing import http_scope
from tests.multipart_bodies import Part, chunked, chunkings, encode
from tests.receives import part

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from hypothesis.strategies import DrawFn

TYPE = "multipart/form-data; boundary=B"
DEFAULT = Limits()


async def read_form(request: Request, limits: Limits) -> list[tuple[Any, ...]]:
    async with await request.form(limits=limits) as form:
        return [
            (name, value.filename, value.content_type, sorted(value.headers), await value.read())
            if isinstance(value, UploadFile)
            else (name, value)
            for name, value in form.multi_items()
        ]


async def read_parts(request: Request, limits: Limits) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    async for one in request.multipart(limits=limits):
        content = await one.read()
        if one.filename or (content and one.filename is not None):
            found.append((one.name, one.filename, one.content_type, sorted(one.headers), content))
        else:
            # read() and not text(), which needs the charset of fields that follow
            found.append((one.name, content.decode("utf-8", "replace")))
    return found


READERS: dict[str, Callable[[Request, Limits], Awaitable[Any]]] = {"form": read_form, "multipart": read_parts}
each_reader = pytest.mark.parametrize("reader", READERS)


def outcome(
    reader: str, chunks: Iterable[bytes], limits: Limits = DEFAULT, content_type: str = TYPE
) -> tuple[Any, int]:
    """Return the fields and files, or the type and text of the error, and the number of messages received."""
    messages = [*map(part, chunks), part(b"", more_body=False)]
    received = 0

    async def receive() -> Any:
        nonlocal received
        received += 1
        return messages[received - 1]

    async def run() -> Any:
        request = Request(http_scope("POST", headers={"content-type": content_type}), receive)
        try:
            return await READERS[reader](request, limits)
        except ClientException as error:
            return type(error), str(error)

    return anyio.run(run), received


def field(name: str, rest: bytes) -> bytes:
    return b'--B\r\nContent-Disposition: form-data; name="%s"' % name.encode() + rest


ONE = field("a", b"\r\n\r\n1\r\n--B--\r\n")
FORMS: dict[str, tuple[bytes, list[tuple[Any, ...]]]] = {
    "empty part before another": (
        field("a", b"\r\n\r\n") + field("b", b"\r\n\r\nv\r\n--B--\r\n"),
        [("a", ""), ("b", "v")],
    ),
    "empty part at the end": (field("a", b"\r\n\r\n--B--\r\n"), [("a", "")]),
    "empty parts only": (field("a", b"\r\n\r\n") * 3 + b"--B--", [("a", "")] * 3),
    "padding after the first boundary": (ONE.replace(b"--B\r\n", b"--B \r\n"), [("a", "1")]),
    "padding after a middle boundary": (
        field("a", b"\r\n\r\n1\r\n") + field("b", b"\r\n\r\n2\r\n--B--").replace(b"--B\r\n", b"--B\t \r\n"),
        [("a", "1"), ("b", "2")],
    ),
    "padding after the final boundary": (ONE.replace(b"--B--", b"--B-- \t"), [("a", "1")]),
    "preamble": (b"some text\r\nand more\r\n" + ONE, [("a", "1")]),
    "epilogue": (ONE + b"text\r\n" + ONE, [("a", "1")]),
    "encoded word and filename*": (
        field(
            "f",
            b"; filename=\"=?utf-8?B?Y2Fmw6kudHh0?=\"; filename*=utf-8''caf%C3%A9.txt\r\n\r\n1\r\n--B--",
        ),
        [
            (
                "f",
                "caf\xe9.txt",
                "text/plain",
                ["content-disposition"],
                b"1",
            )
        ],
    ),
}
REJECTED = {
    "CR after a boundary": field("a", b"\r\n\r\n1\r\n--B\rContent-Disposition: x\r\n\r\n\r\n--B--"),
    "LF after a boundary": field("a", b"\r\n\r\n1\r\n--B\nx\r\n--B--"),
    "text after a boundary": field("a", b"\r\n\r\n1\r\n--BZ\r\n--B--"),
    "a hyphen after a boundary": field("a", b"\r\n\r\n1\r\n--B-\r\n--B--"),
    "no boundary": b"a=1&b=2",
    "two Content-Disposition": field("a", b'\r\nContent-Disposition: form-data; name="b"\r\n\r\n\r\n--B--'),
    "two names": field("a", b'; name="b"\r\n\r\n\r\n--B--'),
    "name and name*": field("a", b"; name*=utf-8''b\r\n\r\n\r\n--B--"),
    "name and name*0": field("a", b"; name*0=b\r\n\r\n\r\n--B--"),
    "two filenames": field("a", b'; filename="x"; filename="y"\r\n\r\n\r\n--B--'),
    "filename in parts": field("a", b"; filename*0=x; filename*1=y\r\n\r\n\r\n--B--"),
    "two Content-Types": field("a", b"\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n\r\n--B--"),
    "a folded header": field("a", b"\r\nX: y\r\n z\r\n\r\n\r\n--B--"),
    "CR in a header": field("a", b"\r\nX: y\rz\r\n\r\n\r\n--B--"),
    "LF in a header": field("a", b"\r\nX: y\nz\r\n\r\n\r\n--B--"),
    "NUL in a header": field("a", b"\r\nX: \0\r\n\r\n\r\n--B--"),
}


@each_reader
@pytest.mark.parametrize(("body", "expected"), FORMS.values(), ids=FORMS)
def test_forms_in_any_chunks(reader: str, body: bytes, expected: list[tuple[Any, ...]]) -> None:
    for chunks in chunkings(body):
        assert outcome(reader, chunks)[0] == expected


@each_reader
@pytest.mark.parametrize("body", [body for body, _ in FORMS.values()], ids=FORMS)
def test_truncated_forms_raise(reader: str, body: bytes) -> None:
    complete = body.index(b"--B--") + 5
    for end in range(complete):
        result, _ = outcome(reader, [body[:end]])
        assert result[0] is ValidationException


@each_reader
@pytest.mark.parametrize("body", REJECTED.values(), ids=REJECTED)
def test_what_readers_disagree_about_raises(reader: str, body: bytes) -> None:
    expected, _ = outcome(reader, [body])
    assert expected[0] is ValidationException
    for chunks in chunkings(body):
        assert outcome(reader, chunks)[0] == expected


@each_reader
@pytest.mark.parametrize(
    "content_type",
    [f"{TYPE}; boundary=B", f"{TYPE}; boundary=C", f"{TYPE}; Boundary*0=C", f'{TYPE};boundary="C"'],
)
def test_two_boundaries_raise(reader: str, content_type: str) -> None:
    assert outcome(reader, [ONE], content_type=content_type)[0] == (
        ValidationException,
        "expected one boundary in the Content-Type, got several",
    )
    assert outcome(reader, [ONE], content_type=f'{TYPE}; x="boundary=C"')[0] == [("a", "1")]


@each_reader
@pytest.mark.parametrize("other", ["multipart/form-data; boundary=C", "application/x-www-form-urlencoded"])
@pytest.mark.anyio
async def test_two_content_types_raise(reader: str, other: str) -> None:
    async def receive() -> Any:
        return part(ONE, more_body=False)

    def request(*types: str) -> Request:
        return Request(http_scope(headers=[("content-type", value) for value in types]), receive)

    for types in ((TYPE, other), (other, TYPE)):
        with pytest.raises(ValidationException, match="one Content-Type"):
            await READERS[reader](request(*types), DEFAULT)
    assert await READERS[reader](request(TYPE, TYPE), DEFAULT) == [("a", "1")]


ENDLESS: dict[str, tuple[bytes, bytes, str]] = {
    "a header value": (field("a", b"\r\nX: "), b"y" * 500, "max_part_header_size"),
    "a header name": (field("a", b"\r\n"), b"y" * 500, "max_part_header_size"),
    "headers": (field("a", b"\r\n"), b"X: y\r\n" * 10, "max_part_headers"),
    "a field": (field("a", b"\r\n\r\n"), b"y" * 1000, "max_field_size"),
    "a file": (field("a", b'; filename="x"\r\n\r\n'), b"y" * 1000, "max_file_size"),
    "fields": (b"", field("a", b"\r\n\r\n1\r\n"), "max_fields"),
    "files": (b"", field("a", b'; filename="x"\r\n\r\n1\r\n'), "max_files"),
    "empty fields": (b"", field("a", b"\r\n\r\n"), "max_fields"),
    "preamble": (b"", b"y" * 500, "max_part_header_size"),
}
SMALL = Limits(
    max_part_headers=16,
    max_part_header_size=4000,
    max_fields=5,
    max_files=5,
    max_field_size=4000,
    max_file_size=4000,
)


@each_reader
@pytest.mark.parametrize(("start", "repeated", "limit"), ENDLESS.values(), ids=ENDLESS)
def test_limit_is_noticed_with_the_chunk_that_exceeds_it(
    reader: str, start: bytes, repeated: bytes, limit: str
) -> None:
    chunks = [start, *([repeated] * 100)]
    result, received = outcome(reader, chunks, SMALL)
    assert result == (
        RequestEntityTooLarge,
        str(RequestEntityTooLarge(limit=limit, maximum=getattr(SMALL, limit))),
    )
    # The last message is the one that exceeded the limit, or begins the part that is one too many.
    body = b"".join(chunks[:received])
    assert len(b"".join(chunks[: received - 2])) < 4000 or limit not in {"max_field_size", "max_file_size"}
    assert received <= {"max_part_headers": 4, "max_fields": 7, "max_files": 7}.get(limit, 10), body


TEXT = st.text(st.characters(exclude_characters="%\0", codec="utf-8"), max_size=5)
CONTENT = st.binary(max_size=5) | st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"\r\n--", b"\r\n--B", b"B", b"x" * 30]), max_size=4
).map(b"".join)
TYPES = st.none() | st.sampled_from(["text/plain", "IMAGE/png", "x"])
PARTS = st.lists(st.builds(Part, TEXT, CONTENT, st.none() | TEXT, TYPES), min_size=1, max_size=4)
HEAD = b'--B\r\nContent-Disposition: form-data; name="a"'
REPLACEMENTS = st.sampled_from([
    b"", b"\r\n", b"\r", b"\n", b"--B", b"\r\n--B", b"\r\n--B\r\n", b"\r\n--B--", b"--", b"-", b"B", b" ",
    b"\t", b'"', b"\\", b"%22", b";", b":", b"=", b"\0", b"\xff", b"name", b"filename", b'; name="b"',
    HEAD, HEAD + b"\r\n\r\n", b"Content-Type: a/b\r\n", b"X: y\r\n", b"x" * 60, b"=?a?b?c?=", b"filename*=",
])  # fmt: skip
LIMITS = st.builds(
    Limits,
    max_fields=st.sampled_from([None, 0, 1, 2]),
    max_files=st.sampled_from([None, 0, 1, 2]),
    max_field_size=st.sampled_from([None, 0, 5, 30]),
    max_file_size=st.sampled_from([None, 0, 5, 30]),
    max_part_headers=st.sampled_from([None, 1, 2]),
    max_part_header_size=st.sampled_from([None, 45, 70]),
    max_body_size=st.sampled_from([None, 100, 300]),
    spool_size=st.sampled_from([0, 20, 1000]),
)


@st.composite
def damaged(draw: DrawFn) -> bytes:
    """A form with a few bytes replaced."""
    body = encode(draw(PARTS)) + draw(st.sampled_from([b"", b"\r\n", b"\r\n--B"]))
    for _ in range(draw(st.integers(0, 3))):
        position = draw(st.integers(0, len(body)))
        body = body[:position] + draw(REPLACEMENTS) + body[position + draw(st.integers(0, 3)) :]
    return body


@settings(deadline=None, max_examples=300)
@given(damaged(), st.just(DEFAULT) | LIMITS, st.integers(1, 80))
def test_readers_agree(body: bytes, limits: Limits, size: int) -> None:
    chunks = chunked(body, size)
    form, messages = outcome("form", chunks, limits)
    assert outcome("multipart", chunks, limits) == (form, messages)
    # The chunks change nothing, except which bytes are there when max_body_size is exceeded.
    if limits.max_body_size is None:
        assert outcome("form", [body], limits)[0] == form


@settings(deadline=None, max_examples=200)
@given(damaged(), st.integers(1, 80), st.integers(0, 400), st.integers(0, 100))
def test_max_memory_does_not_depend_on_the_chunks(
    body: bytes, size: int, max_memory: int, spool_size: int
) -> None:
    limits = Limits(max_memory=max_memory, spool_size=spool_size)
    assert outcome("form", chunked(body, size), limits)[0] == outcome("form", [body], limits)[0]
