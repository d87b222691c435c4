"""The multipart decoder: events, errors and limits, however the body is split into chunks."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiwire._multipart.decoder import CommonParts, Event, MultipartDecoder, PartEnd, PartStart
from asgiwire._parsers.charsets import not_text
from asgiwire._parsers.content_headers import parse_content_disposition
from asgiwire.exceptions import (
    ClientException,
    RequestEntityTooLarge,
    SerializationException,
    ValidationException,
)
from asgiwire.limits import Limits
from tests.floods import must_end
from tests.multipart_bodies import Part, chunked, chunkings, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

B = {"boundary": "B"}
DEFAULT = Limits()
UNLIMITED = Limits(
    max_fields=None,
    max_files=None,
    max_field_size=None,
    max_file_size=None,
    max_part_headers=None,
    max_part_header_size=None,
)


class Decoded(NamedTuple):
    name: bytes
    content: bytes
    filename: bytes | str | None = None
    content_type: str = "text/plain"
    charset: str = ""


def feed(decoder: MultipartDecoder, chunk: bytes) -> list[Event]:
    """Decode a chunk; return its events, with those of each complete part, or raise its error."""
    events: list[Event] = []
    for event in decoder.feed(chunk):
        events += event.events() if isinstance(event, CommonParts) else [event]
    decoder.check()
    return events


def decode(
    chunks: Iterable[bytes], limits: Limits = DEFAULT, parameters: dict[str, str] = B
) -> list[Decoded]:
    """Decode a whole body, and check that every part is one PartStart, its data, and one PartEnd."""
    decoder = MultipartDecoder(parameters, limits)
    decoded: list[Decoded] = []
    part: PartStart | None = None
    content = b""
    for chunk in chunks:
        for event in feed(decoder, chunk):
            if isinstance(event, PartStart):
                assert part is None
                part, content = event, b""
            elif isinstance(event, bytes):
                assert part is not None
                assert event
                assert type(event) is bytes
                content += event
            else:
                assert part is not None
                decoded.append(Decoded(part.name, content, part.filename, part.content_type, part.charset))
                part = None
    decoder.finish()
    assert part is None
    return decoded


def outcome(chunks: Iterable[bytes], limits: Limits = DEFAULT) -> object:
    """Return what a body decodes to, or the type and text of the error."""
    try:
        return decode(chunks, limits)
    except ClientException as error:
        return type(error), str(error)


def too_large(limits: Limits, limit: str) -> object:
    """Return the outcome of a body that exceeds this limit."""
    return RequestEntityTooLarge, str(RequestEntityTooLarge(limit=limit, maximum=getattr(limits, limit)))


def field(rest: bytes) -> bytes:
    """Return the start of a field, followed by ``rest``."""
    return b'--B\r\nContent-Disposition: form-data; name="a"' + rest


HEADER_B = b'Content-Disposition: form-data; name="b"'
FORMS = {
    "no parts": (b"--B--", []),
    "a field": (field(b"\r\n\r\n1\r\n--B--"), [Decoded(b"a", b"1")]),
    "an empty field": (field(b"\r\n\r\n\r\n--B--"), [Decoded(b"a", b"")]),
    "two fields of one name": (
        encode([Part("a", b"1"), Part("b", b"2"), Part("a", b"3")]),
        [Decoded(b"a", b"1"), Decoded(b"b", b"2"), Decoded(b"a", b"3")],
    ),
    "a file": (
        encode([Part("f", b"\0\xff\r\n", "x.bin", "application/octet-stream")]),
        [Decoded(b"f", b"\0\xff\r\n", b"x.bin", "application/octet-stream")],
    ),
    "no file chosen": (
        encode([Part("f", b"", "", "application/octet-stream")]),
        [Decoded(b"f", b"", b"", "application/octet-stream")],
    ),
    "a Content-Type with parameters": (
        encode([Part("a", b"1", None, 'Text/Plain; charset="latin1"')]),
        [Decoded(b"a", b"1", None, "text/plain", "latin1")],
    ),
    "filename* alone": (
        field(b"; filename*=utf-8''%e2%82%ac\r\n\r\n\r\n--B--"),
        [Decoded(b"a", b"", "\u20ac")],
    ),
    "a trailing backslash in the name": (
        b'--B\r\nContent-Disposition: form-data; name="a\\"; filename="x.bin"\r\n\r\n1\r\n--B--',
        [Decoded(b"a\\", b"1", b"x.bin")],
    ),
    "headers in any case and order": (
        b'--B\r\ncontent-type: a/b\r\nX: y\r\nCONTENT-DISPOSITION: form-data; name="a"\r\n\r\n1\r\n--B--',
        [Decoded(b"a", b"1", None, "a/b")],
    ),
    "space around header values": (
        b'--B\r\nContent-Disposition:\t  form-data; name="a"\t \r\nX:\r\n\r\n1\r\n--B--',
        [Decoded(b"a", b"1")],
    ),
    "Content-Transfer-Encoding is not decoded": (
        field(b"\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n--B--"),
        [Decoded(b"a", b"QQ==")],
    ),
    "empty lines before it": (b"\r\n\n\r\r\n" + encode([Part("a", b"1")]), [Decoded(b"a", b"1")]),
    "nearly boundaries in the data": (
        field(b"\r\n\r\n\r\n-\r\n--\r\n--A\r--Bx\n--B-x\n--B\rx\r--B\n--B--B\r\r\n\r\n--B--"),
        [Decoded(b"a", b"\r\n-\r\n--\r\n--A\r--Bx\n--B-x\n--B\rx\r--B\n--B--B\r\r\n")],
    ),
    # RFC 2046 section 5.1.1: body-part := MIME-part-headers [CRLF *OCTET]. The CRLF of the boundary is the
    # empty line.
    "no content, then a part": (
        field(b'\r\n\r\n--B\r\nContent-Disposition: form-data; name="b"\r\n\r\nv\r\n--B--\r\n'),
        [Decoded(b"a", b""), Decoded(b"b", b"v")],
    ),
    "no content in the last part": (field(b"\r\n\r\n--B--"), [Decoded(b"a", b"")]),
    "no content after other headers": (field(b"\r\nX: y\r\n\r\n--B--"), [Decoded(b"a", b"")]),
    "no content in a file": (
        field(b'; filename="x"\r\n\r\n--B\r\nContent-Disposition: form-data; name="b"\r\n\r\nv\r\n--B--'),
        [Decoded(b"a", b"", b"x"), Decoded(b"b", b"v")],
    ),
    "hyphens as content": (field(b"\r\n\r\n--\r\n--B--"), [Decoded(b"a", b"--")]),
    "half a boundary as content": (field(b"\r\n\r\n-\r\n--B--"), [Decoded(b"a", b"-")]),
    # RFC 2046 section 5.1.1: receivers "MUST be able to handle padding".
    "padding after the first boundary": (
        b'--B \t \r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B--',
        [Decoded(b"a", b"1")],
    ),
    "padding after an inner boundary": (
        field(b"\r\n\r\n1\r\n--B \t\r\n") + HEADER_B + b"\r\n\r\n2\r\n--B--",
        [Decoded(b"a", b"1"), Decoded(b"b", b"2")],
    ),
    "padding after the final boundary": (field(b"\r\n\r\n1\r\n--B-- \t \r\n"), [Decoded(b"a", b"1")]),
    "preamble": (b"This is a form.\r\n" + field(b"\r\n\r\n1\r\n--B--"), [Decoded(b"a", b"1")]),
    "preamble with hyphens": (b"\r\n-a\r\n--\r\r\n" + field(b"\r\n\r\n1\r\n--B--"), [Decoded(b"a", b"1")]),
    "preamble with a boundary inside a line": (
        b"text --B\r\n" + field(b"\r\n\r\n1\r\n--B--"),
        [Decoded(b"a", b"1")],
    ),
}


@pytest.mark.parametrize(("body", "expected"), FORMS.values(), ids=FORMS)
def test_forms_are_decoded_from_any_chunks(body: bytes, expected: list[Decoded]) -> None:
    for chunks in chunkings(body):
        assert decode(chunks) == expected


@pytest.mark.parametrize("body", [body for body, _ in FORMS.values()], ids=FORMS)
def test_every_prefix_of_a_form_is_an_error(body: bytes) -> None:
    message = "^the multipart body ended before the (first|final) boundary$"
    for end in range(body.rindex(b"--B--") + 5):
        with pytest.raises(ValidationException, match=message):
            decode([body[:end]])
        with pytest.raises(ValidationException, match=message):
            decode(chunked(body[:end], 1))


# RFC 2046 section 5.1.1: "Implementations must ignore anything that appears ... after the last one."
@pytest.mark.parametrize("epilogue", [b"\r\n", b"junk", b"\r\n--B\r\nX", b"--", b"\r\n\0" * 1000])
def test_what_follows_the_final_boundary_is_ignored(epilogue: bytes) -> None:
    body = encode([Part("a", b"1")]) + epilogue
    assert decode([body]) == decode(chunked(body, 1)) == [Decoded(b"a", b"1")]


NO_BOUNDARY = "the multipart body ended before the first boundary"
AFTER_FIRST, AFTER_SECOND = (
    f"expected a line end or '--' after boundary {number} of the multipart body" for number in (1, 2)
)
BAD_LINE_ENDS = {
    "text": b"Z\r\n",
    "CR": b"\rContent-Disposition: form-data",
    "LF": b"\nContent-Disposition: form-data",
    "a hyphen": b"-\r\n",
    "a hyphen and text": b"-x\r\n",
    "padding and text": b" x\r\n",
    "padding and hyphens": b" --\r\n",
    "padding and CR": b" \rx",
    "NUL": b"\0\r\n",
    "another white space": b"\x0b\r\n",
}
MALFORMED = {
    "no boundary": (b"text", NO_BOUNDARY),
    "another boundary": (b"--A\r\n", NO_BOUNDARY),
    "nothing": (b"", NO_BOUNDARY),
    "LF before the boundary": (b"text\n--B\r\n", NO_BOUNDARY),
    **{
        f"{name} after the first boundary": (b"--B" + rest + b"x\r\n--B--", AFTER_FIRST)
        for name, rest in BAD_LINE_ENDS.items()
    },
    **{
        f"{name} after the first boundary with a preamble": (
            b"text\r\n--B" + rest + b"x\r\n--B--",
            AFTER_FIRST,
        )
        for name, rest in BAD_LINE_ENDS.items()
    },
    **{
        f"{name} after a boundary": (field(b"\r\n\r\n1\r\n--B" + rest + b"x\r\n--B--"), AFTER_SECOND)
        for name, rest in BAD_LINE_ENDS.items()
    },
    **{
        f"{name} after a boundary without content": (
            field(b"\r\n\r\n--B" + rest + b"x\r\n--B--"),
            AFTER_SECOND,
        )
        for name, rest in BAD_LINE_ENDS.items()
    },
    "no headers": (b"--B\r\n\r\n1", "multipart part 1: missing Content-Disposition header"),
    "no Content-Disposition": (
        b"--B\r\nX: y\r\n\r\n",
        "multipart part 1: missing Content-Disposition header",
    ),
    "no headers in the second part": (
        field(b"\r\n\r\n1\r\n--B\r\n\r\n"),
        "multipart part 2: missing Content-Disposition header",
    ),
    "a second Content-Disposition": (
        field(b'\r\ncontent-disposition: form-data; name="a"\r\n\r\n'),
        "multipart part 1: duplicate Content-Disposition header",
    ),
    "LF in a header": (field(b"\nX: y\r\n\r\n"), "multipart part 1: LF is not allowed in a header value"),
    "NUL in a header": (
        field(b"\r\nX: \0\r\n\r\n"),
        "multipart part 1: NUL is not allowed in a header value",
    ),
    "a second Content-Type": (
        field(b"\r\nContent-Type: a/b\r\nContent-type: a/b\r\n\r\n"),
        "multipart part 1: duplicate Content-Type header",
    ),
    **{
        name: (b"--B\r\n" + line, "multipart part 1: a header line must be a name, a colon, a value and CRLF")
        for name, line in (
            ("a folded header", b"X: y\r\n z\r\n"),
            ("CR in a header", b"X: y\rX: z\r\n\r\n"),
            ("CR alone at the end of the headers", b"X: y\r\n\rx"),
            ("a boundary instead of headers", b"--B--\r\n"),
            ("a boundary after the headers", b"X: y\r\n--B--\r\n"),
            ("space before the colon", b"X : y\r\n"),
            ("no colon", b"X\r\nY: z\r\n"),
            ("an empty header name", b": y\r\n"),
            ("a header name that is not a token", b"X\xe9: y\r\n"),
        )
    },
}


@pytest.mark.parametrize(("body", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_an_error_in_any_chunks(body: bytes, message: str) -> None:
    for chunks in chunkings(body):
        assert outcome(chunks) == (ValidationException, message)


@pytest.mark.parametrize(
    "disposition",
    [
        b"form-data",
        b'form-data; name="a"; name="b"',
        b'form-data; name="a"; filename="x"; filename="y"',
        b'attachment; name="a"',
    ],
)
def test_an_invalid_content_disposition_is_an_error_of_its_part(disposition: bytes) -> None:
    with pytest.raises(ValidationException) as caught:
        parse_content_disposition(disposition)
    body = b"--B\r\nContent-Disposition: %b\r\n\r\n" % disposition
    for chunks in chunkings(body):
        assert outcome(chunks) == (ValidationException, f"multipart part 1: {caught.value}")


@pytest.mark.parametrize(
    "parameters",
    [{}, {"boundary": ""}, {"boundary": "x" * 257}, {"boundary": "\n"}],
    ids=["missing", "empty", "too long", "illegal"],
)
def test_a_missing_or_invalid_boundary_is_an_error(parameters: dict[str, str]) -> None:
    with pytest.raises(ValidationException, match="boundary"):
        MultipartDecoder(parameters, Limits())


@pytest.mark.parametrize("boundary", ["*****", "a'()+_,-./:=? b", "-", "--", "0" * 256])
def test_unusual_boundaries(boundary: str) -> None:
    body = encode([Part("a", b"\r\n--\r\n-"), Part("b", b"2")], boundary=boundary.encode())
    for chunks in chunkings(body):
        assert decode(chunks, parameters={"boundary": boundary}) == [
            Decoded(b"a", b"\r\n--\r\n-"),
            Decoded(b"b", b"2"),
        ]


def test_the_events_of_a_part() -> None:
    decoder = MultipartDecoder(B, Limits())
    body = field(b'; filename="x"\r\nContent-Type: a/b; charset=utf-8\r\nX-Y:  z \r\n\r\n1')
    headers = [
        (b"content-disposition", b'form-data; name="a"; filename="x"'),
        (b"content-type", b"a/b; charset=utf-8"),
        (b"x-y", b"z"),
    ]
    events: list[Event] = [PartStart(b"a", b"x", "a/b", "utf-8", headers, 102), b"1"]
    assert decoder.feed(body) == events
    assert decoder.feed(b"2") == [b"2"]
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\r\n--B--") == [PartEnd()]
    assert decoder.feed(b"\r\n") == []
    decoder.finish()


def test_the_events_before_an_error_do_not_depend_on_the_chunks() -> None:
    body = field(b"\r\n\r\n1\r\n--B\r\n") + HEADER_B + b"\r\n\r\n23\r\n--BZ"
    for chunks in chunkings(body):
        decoder = MultipartDecoder(B, Limits())
        events: list[Event] = []
        for chunk in filter(None, chunks):
            for event in decoder.feed(chunk):
                events += event.events() if isinstance(event, CommonParts) else [event]
        names = [event.name for event in events if isinstance(event, PartStart)]
        content = b"".join(event for event in events if isinstance(event, bytes))
        assert (names, content, events.count(PartEnd())) == ([b"a", b"b"], b"123", 2)
        with pytest.raises(ValidationException, match=AFTER_SECOND.replace("2", "3")):
            decoder.check()


@pytest.mark.parametrize(
    "part", [Part("a", b"1"), Part("f", b"123", "x"), Part("f", b"1", "x", "a/b"), Part("f", b"", "")]
)
def test_common_parts_have_the_events_of_other_parts(part: Part) -> None:
    body = encode([part])
    (common,) = MultipartDecoder(B, DEFAULT).feed(body)
    assert isinstance(common, CommonParts)
    start, *rest = common.events()
    assert isinstance(start, PartStart)
    # A header name in lower case is not common.
    other, *other_rest = feed(MultipartDecoder(B, DEFAULT), body.replace(b"Content-Disp", b"content-disp"))
    assert isinstance(other, PartStart)
    assert start.headers == other.headers
    assert (start.name, start.filename, start.content_type, start.charset, start.size) == (
        *(other.name, other.filename, other.content_type, other.charset, other.size),
    )
    assert rest == other_rest
    assert common.size == start.size + len(part.content)
    is_file = part.filename is not None
    assert common.file_size == common.largest_file == (len(part.content) if is_file else 0)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_events_hold_no_reference_to_the_buffer(kind: type[bytearray]) -> None:
    decoder = MultipartDecoder(B, Limits())
    chunk = bytearray(field(b"\r\n\r\n123"))
    events = decoder.feed(kind(chunk))
    chunk[:] = bytes(len(chunk))
    assert events[-1] == b"123"


def test_a_chunk_of_content_only_is_not_copied() -> None:
    decoder = MultipartDecoder(B, Limits())
    decoder.feed(field(b"\r\n\r\n"))
    chunk = b"x" * 1000
    (event,) = decoder.feed(chunk)
    assert isinstance(event, bytes)
    assert event is chunk


def test_after_an_error_every_call_raises_it() -> None:
    """python-multipart itself would continue from the start of the malformed chunk."""
    decoder = MultipartDecoder(B, Limits(max_fields=0))
    with pytest.raises(RequestEntityTooLarge) as first:
        feed(decoder, encode([Part("a", b"1")]))
    for again in (decoder.check, lambda: decoder.feed(b"--B--"), lambda: decoder.feed(b""), decoder.finish):
        with pytest.raises(RequestEntityTooLarge) as later:
            again()
        assert vars(later.value) == vars(first.value)


def test_after_finish_raised_every_call_raises() -> None:
    decoder = MultipartDecoder(B, Limits())
    with pytest.raises(ValidationException) as first:
        decoder.finish()
    with pytest.raises(ValidationException) as later:
        decoder.feed(b"--B--")
    assert str(later.value) == str(first.value)


@pytest.mark.parametrize(
    ("chunks", "limits"),
    [
        ([b"--A\r\n"], DEFAULT),
        ([b"--B\r\nX\r\n"], DEFAULT),
        ([b"--B\r\n\r\n"], DEFAULT),
        ([b"--B\r\nContent-Disposition: form-data\r\n\r\n"], DEFAULT),
        ([field(b"\r\n\r\n1")], DEFAULT),
        ([field(b"\r\n\r\n"), b"12"], Limits(max_field_size=2)),
        ([field(b"\r\n\r\n1\r\n--B--")], Limits(max_part_header_size=5)),
    ],
)
def test_an_error_leaves_no_reference_cycle(chunks: list[bytes], limits: Limits) -> None:
    decoder = MultipartDecoder(B, limits)
    gc.collect()
    gc.disable()
    try:
        for _ in range(2):
            with suppress(ClientException):
                for chunk in chunks:
                    decoder.feed(chunk)
                decoder.finish()
        del decoder
        assert gc.collect() == 0
    finally:
        gc.enable()


FIELD_LIMITS = {
    "max_fields": (Limits(max_fields=2), [Part("a", b""), Part("b", b"")], Part("c", b"")),
    "max_fields of zero": (Limits(max_fields=0), [Part("f", b"", "x")], Part("a", b"")),
    "max_files": (Limits(max_files=1), [Part("f", b"", "x"), Part("a", b"")], Part("f", b"", "")),
    "max_field_size": (
        Limits(max_field_size=5),
        [Part("ab", b"123"), Part("f", b"1" * 9, "x")],
        Part("ab", b"1234"),
    ),
    "max_field_size by the name alone": (Limits(max_field_size=2), [Part("ab", b"")], Part("abc", b"")),
    "max_field_size of zero": (Limits(max_field_size=0), [Part("", b"")], Part("", b"1")),
    "max_file_size": (
        Limits(max_file_size=3),
        [Part("fff", b"123", "x"), Part("a", b"1234")],
        Part("f", b"1234", "x"),
    ),
    "max_file_size of zero": (Limits(max_file_size=0), [Part("f", b"", "x")], Part("f", b"1", "x")),
}


@pytest.mark.parametrize(("limits", "within", "beyond"), FIELD_LIMITS.values(), ids=FIELD_LIMITS)
def test_one_more_than_a_limit_is_an_error(
    limits: Limits, within: list[Part], beyond: Part, request: pytest.FixtureRequest
) -> None:
    limit = request.node.callspec.id.split()[0].rpartition("-")[2]
    assert len(decode([encode(within)], limits)) == len(within)
    body = encode([*within, beyond])
    for chunks in chunkings(body):
        assert outcome(chunks, limits) == too_large(limits, limit)
    assert len(decode([body], UNLIMITED)) == len(within) + 1


def test_limits_are_enforced_inside_one_chunk() -> None:
    """CVE-2026-54283: the rest of the chunk after the limit is not parsed."""
    body = encode([Part("a", b"1")] * 3)[:-5] + b"\r\nnot a part"
    with pytest.raises(RequestEntityTooLarge):
        decode([body], Limits(max_fields=2))
    decoder = MultipartDecoder(B, Limits(max_field_size=10))
    with pytest.raises(RequestEntityTooLarge):
        feed(decoder, field(b"\r\n\r\n") + b"x" * 10)  # the field is not complete yet


HEADER = b'Content-Disposition: form-data; name="a"'


LONG_HEADERS = {
    "one header too many": ([HEADER, b"X: 1", b"X: 1"], "max_part_headers"),
    "Content-Disposition is one too many": ([b"X: 1", b"X: 1", HEADER], "max_part_headers"),
    "a long value": ([HEADER, b"X: " + b"y" * 38], "max_part_header_size"),
    "a long line": ([HEADER, b"X:" + b" " * 37 + b"yy"], "max_part_header_size"),
    "spaces": ([HEADER, b"X:" + b" " * 100], "max_part_header_size"),
    "a long name": ([HEADER, b"X" * 40 + b":"], "max_part_header_size"),
    "a name that is invalid after the limit": ([HEADER, b"X" * 40 + b"\xff: y"], "max_part_header_size"),
    "a line that does not end": ([b"X" * 500], "max_part_header_size"),
}


@pytest.mark.parametrize(("headers", "limit"), LONG_HEADERS.values(), ids=LONG_HEADERS)
def test_header_limits(headers: list[bytes], limit: str) -> None:
    limits = Limits(max_part_headers=2, max_part_header_size=40)
    assert len(HEADER) == 40
    body = b"--B\r\n%s\r\n\r\n1\r\n--B--" % b"\r\n".join(headers)
    for chunks in chunkings(body):
        assert outcome(chunks, limits) == too_large(limits, limit)


LATER_HEADERS = {
    "one header too many": (Part("a", b"1", "x", "a/b"), Limits(max_part_headers=1), "max_part_headers"),
    "a long name": (Part("a" * 50, b"1"), Limits(max_part_header_size=80), "max_part_header_size"),
    "a long type": (
        Part("f", b"", "x", "a/" + "b" * 100),
        Limits(max_part_header_size=100),
        "max_part_header_size",
    ),
}


@pytest.mark.parametrize(("part", "limits", "limit"), LATER_HEADERS.values(), ids=LATER_HEADERS)
def test_header_limits_in_a_later_part(part: Part, limits: Limits, limit: str) -> None:
    body = encode([Part("a", b"1"), Part("b", b"2"), part])
    for chunks in chunkings(body):
        assert outcome(chunks, limits) == too_large(limits, limit)
    assert len(decode([body])) == 3


PREAMBLES = {
    "text": (b"x" * 40, b"x" * 41),
    "lines": (b"x\r\n" * 13 + b"x", b"x\r\n" * 13 + b"xx"),
    "half boundaries": (b"x" * 36 + b"\r\n--", b"x" * 37 + b"\r\n--"),
}


@pytest.mark.parametrize("ended", [True, False], ids=["with a boundary", "without"])
@pytest.mark.parametrize(("within", "beyond"), PREAMBLES.values(), ids=PREAMBLES)
def test_the_preamble_has_the_limit_of_a_header_line(within: bytes, beyond: bytes, ended: bool) -> None:
    limits = Limits(max_part_header_size=40)
    end = b"\r\n--B--" if ended else b""
    expected: object = [] if ended else (ValidationException, NO_BOUNDARY)
    for chunks in chunkings(within + end):
        assert outcome(chunks, limits) == expected
    for chunks in chunkings(beyond + (end or b"x")):
        assert outcome(chunks, limits) == too_large(limits, "max_part_header_size")
    assert outcome([beyond + b"\r\n--B--"], UNLIMITED) == []


def test_headers_within_their_limits() -> None:
    limits = Limits(max_part_headers=2, max_part_header_size=40)
    body = b"--B\r\n%s\r\nX: %s\r\n\r\n1\r\n--B--" % (HEADER, b"y" * 37)
    for chunks in chunkings(body):
        assert decode(chunks, limits) == [Decoded(b"a", b"1")]


def test_the_first_of_two_errors_in_a_header_line_is_reported() -> None:
    limits = Limits(max_part_header_size=90)
    for line, expected in (
        (b"X" * 89 + b"\xff", ValidationException),
        (b"X" * 90 + b"\xff", RequestEntityTooLarge),
    ):
        for chunks in (
            *chunkings(b"--B\r\n" + line + b"X" * 50 + b": y\r\n"),
            *chunkings(
                encode([Part("a", b"1"), Part("b", b"2")])[:-2] + b"\r\n" + line + b"X" * 50 + b": y\r\n"
            ),
        ):
            result = outcome(chunks, limits)
            assert isinstance(result, tuple)
            assert result[0] is expected


LATIN1, BOGUS = (f"text/plain; charset={charset}" for charset in ("latin1", "bogus"))
CHARSETS = {
    "none": ({}, [Part("a", b"\xc3\xa9")], "\xe9"),
    "none, and not UTF-8": ({}, [Part("a", b"\xe9")], "\ufffd"),
    "the form's": ({"charset": "latin1"}, [Part("a", b"\xe9\x80")], "\xe9\u20ac"),
    "the form's, unknown": ({"charset": "undefined"}, [Part("a", b"\xe9")], "\ufffd"),
    "the form's, UTF-16": ({"charset": "utf-16"}, [Part("a", b"\xc3\xa9")], "\xe9"),
    "the part's": ({}, [Part("a", b"\xe9", None, LATIN1)], "\xe9"),
    "the part's, unknown": ({}, [Part("a", b"\xe9", None, BOGUS)], "\ufffd"),
    "the part's, UTF-16": ({}, [Part("a", b"\xe9\0", None, "text/plain; charset=utf-16le")], "\xe9"),
    "the part's before the form's": ({"charset": "koi8-r"}, [Part("a", b"\xe9", None, LATIN1)], "\xe9"),
    "the form's, the part's unknown": ({"charset": "koi8-r"}, [Part("a", b"\xc1", None, BOGUS)], "\u0430"),
    "a field's": ({}, [Part("a", b"\xc1"), Part("_charset_", b"koi8-r")], "\u0430"),
    "a field's before the form's": (
        {"charset": "utf-8"},
        [Part("a", b"\xc1"), Part("_charset_", b"koi8-r")],
        "\u0430",
    ),
    "the form's, the field's unknown": (
        {"charset": "koi8-r"},
        [Part("a", b"\xc1"), Part("_charset_", b"idna")],
        "\u0430",
    ),
    "the part's before a field's": (
        {},
        [Part("a", b"\xe9", None, LATIN1), Part("_charset_", b"koi8-r")],
        "\xe9",
    ),
    "a file named _charset_": ({}, [Part("a", b"\xe9"), Part("_charset_", b"koi8-r", "x")], "\ufffd"),
}


@pytest.mark.parametrize(("parameters", "parts", "text"), CHARSETS.values(), ids=CHARSETS)
def test_the_charset_of_a_field(parameters: dict[str, str], parts: list[Part], text: str) -> None:
    """The part's own charset, else a ``_charset_`` field, else the form's, else UTF-8 with replacement."""
    for chunks in chunkings(encode(parts)):
        decoder = MultipartDecoder({**B, **parameters}, Limits())
        events = [event for chunk in chunks for event in feed(decoder, chunk)]
        start, *rest = events
        assert isinstance(start, PartStart)
        content = b""
        for event in rest:
            if not isinstance(event, bytes):
                break
            content += event
        assert decoder.decode_value(1, start.charset, content) == text


UNDECODABLE = {
    "the form's": ({**B, "charset": "utf-8"}, [Part("a\xe9", b"\xff")], "utf-8"),
    "the part's": (B, [Part("a\xe9", b"\xff", None, "text/plain; charset=gbk")], "gb18030"),
    "a field's": (B, [Part("a\xe9", b"\xff"), Part("_charset_", b"UTF-8")], "utf-8"),
}


@pytest.mark.parametrize(("parameters", "parts", "codec"), UNDECODABLE.values(), ids=UNDECODABLE)
def test_bytes_that_are_invalid_in_the_declared_charset(
    parameters: dict[str, str], parts: list[Part], codec: str
) -> None:
    decoder = MultipartDecoder(parameters, Limits())
    start = feed(decoder, encode(parts))[0]
    assert isinstance(start, PartStart)
    with pytest.raises(SerializationException) as caught:
        decoder.decode_value(2, start.charset, b"\xff")
    assert str(caught.value) == str(not_text("multipart part 2", codec))
    assert caught.value.__context__ is None, "the UnicodeDecodeError holds the content"


def test_names_are_decoded_in_the_charset_of_the_form() -> None:
    decoder = MultipartDecoder({**B, "charset": "koi8-r"}, Limits())
    assert decoder.decode(b"\xc1") == "\u0430"
    assert decoder.decode("\u20ac") == "\u20ac"
    assert MultipartDecoder(B, Limits()).decode(b"a\xff") == "a\ufffd"


TEXT = st.text(st.characters(exclude_characters="%\0", codec="utf-8"))
# Content that nearly contains a boundary line.
CONTENT = st.lists(st.sampled_from([b"\r", b"\n", b"-", b"\r\n--", b"bound", b"x" * 50])).map(b"".join)


@settings(deadline=None)
@given(
    st.lists(st.builds(Part, TEXT, CONTENT, st.none() | TEXT, st.none()), max_size=5),
    st.integers(1, 100),
)
def test_decoding_reverses_encoding(parts: list[Part], size: int) -> None:
    body = encode(parts, boundary=b"boundary")
    expected = [
        Decoded(part.name.encode(), part.content, None if part.filename is None else part.filename.encode())
        for part in parts
    ]
    parameters = {"boundary": "boundary"}
    assert decode([body], parameters=parameters) == expected
    assert decode(chunked(body, size), parameters=parameters) == expected


TOKENS = [
    b"--B", b"--B\r\n", b"\r\n--B", b"\r\n--B\r\n", b"\r\n--B--", b"--", b"-", b"B", b"\r", b"\n", b"\0",
    b"\r\n", b"\r\n\r\n",
    b" ", b" " * 30, b"\t", b":", b'"', b"\xff", b"x", b"x" * 20, b"a" * 48, b"X: 1\r\n", HEADER,
    HEADER + b"\r\n\r\n", HEADER + b'; filename="x"\r\n\r\n', b"\r\n--B\r\n" + HEADER + b"\r\n\r\n",
    b'\r\n--B\r\nContent-Disposition: form-data; name="_charset_"; filename=""\r\n\r\n',
    b"Content-Type: text/plain; charset=latin1\r\n",
]  # fmt: skip
TIGHT = Limits(
    max_part_header_size=48, max_part_headers=2, max_fields=3, max_files=2, max_field_size=8, max_file_size=6
)


@settings(deadline=None)
@given(
    st.sampled_from([b"", b"--B\r\n", b"--B\r\n" + HEADER, b"--B\r\n" + HEADER + b"\r\n\r\n"]),
    st.lists(st.sampled_from(TOKENS) | st.binary(max_size=3), max_size=10).map(b"".join),
    st.sampled_from([b"", b"\r\n--B--"]),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_the_outcome_does_not_depend_on_the_chunks(
    head: bytes, middle: bytes, tail: bytes, positions: tuple[float, float]
) -> None:
    body = head + middle + tail
    first, second = sorted(round(position * len(body)) for position in positions)
    whole = outcome([body], TIGHT)
    assert outcome(chunked(body, 1), TIGHT) == whole
    assert outcome([body[:first], body[first:second], body[second:]], TIGHT) == whole


SLOW = {
    "tiny parts": lambda n: encode([Part("a", b"")]) [:-5] * n + b"--B--",
    "empty lines before": lambda n: b"\r\n" * 100 * n + encode([Part("a", b"1")]),
    "junk after": lambda n: encode([Part("a", b"1")]) + b"\r\n--B\r\n" * 30 * n,
    "CR": lambda n: encode([Part("a", b"\r" * 100 * n)]),
    "nearly boundaries": lambda n: encode([Part("a", b"\r\n--Ax" * 5 * n)]),
    "header lines": lambda n: field(b"\r\nX: y" * n + b"\r\n\r\n\r\n--B--"),
    "a header line": lambda n: field(b"\r\nX: " + b"y" * 100 * n + b"\r\n\r\n\r\n--B--"),
    "a name": lambda n: encode([Part("a" * 100 * n, b"1")]),
    "semicolons": lambda n: field(b";" * 50 * n + b"\r\n\r\n\r\n--B--"),
}  # fmt: skip


@must_end
@pytest.mark.parametrize("build", SLOW.values(), ids=SLOW)
def test_time_is_linear(build: Callable[[int], bytes]) -> None:
    assert decode(chunked(build(20_000), 65536), UNLIMITED)


@must_end
def test_a_long_header_in_chunks_of_one_byte_takes_linear_time() -> None:
    body = encode([Part("a" * 200_000, b"1")])
    assert decode(chunked(body, 1), UNLIMITED)


def test_a_malformed_form_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """python-multipart would log a byte of the body for every malformed form."""
    with pytest.raises(ValidationException):
        decode([b"--B\r\nno header\r\n"])

    assert caplog.records == []
