"""``Request``: headers, decoded bodies, forms and server push."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from asgiwire import Limits, Request
from asgiwire.exceptions import (
    AsgiwireWarning,
    ClientException,
    ImproperlyConfiguredException,
    RequestEntityTooLarge,
    SerializationException,
    UsageError,
    ValidationException,
)
from asgiwire.serialization import encode_json, encode_msgpack
from asgiwire.testing import RecordedSend, ScriptedReceive, http_scope

pytestmark = pytest.mark.anyio

URLENCODED = {"content-type": "application/x-www-form-urlencoded"}


def request(body: bytes = b"", **scope: Any) -> Request:
    return Request(http_scope(**scope), ScriptedReceive.body(body))


# --- headers ------------------------------------------------------------------------------------------


async def test_content_type_is_the_media_type_and_its_parameters() -> None:
    made = request(headers={"content-type": 'Multipart/Form-Data; Boundary="a b"; CHARSET=utf-8'})

    assert made.content_type == ("multipart/form-data", {"boundary": "a b", "charset": "utf-8"})
    assert made.content_type is made.content_type


async def test_content_length() -> None:
    assert request().content_length is None
    assert request(headers={"content-length": " 12 "}).content_length == 12
    assert request(headers={"content-length": "0"}).content_length == 0


async def test_accept_joins_all_accept_headers() -> None:
    made = request(headers=[("accept", "text/html;q=0.5"), ("accept", "application/json")])

    assert made.accept.best_match(["text/html", "application/json"]) == "application/json"
    assert made.accept is made.accept


async def test_accept_without_a_header_accepts_everything() -> None:
    assert request().accept.best_match(["text/html"]) == "text/html"


@pytest.mark.parametrize("method", ["GET", "PATCH", "PROPFIND", "get"])
async def test_method_is_the_value_of_the_scope(method: str) -> None:
    assert Request({**http_scope(), "method": method}).method == method


# --- json and msgpack ---------------------------------------------------------------------------------


class Item(msgspec.Struct):
    price: int


async def test_json() -> None:
    assert await request(b'{"a": [1, "\xc3\xa9"]}').json() == {"a": [1, "é"]}


async def test_json_in_many_chunks() -> None:
    chunks = [bytes([byte]) for byte in b'{"a":1}']

    assert await Request(http_scope(), ScriptedReceive.body(*chunks)).json() == {"a": 1}


async def test_msgpack() -> None:
    assert await request(encode_msgpack({"a": b"\xff"})).msgpack() == {"a": b"\xff"}


async def test_empty_body_decodes_to_none() -> None:
    assert await request().json() is None
    assert await request().msgpack() is None


async def test_each_call_of_json_returns_a_new_value() -> None:
    made = request(b'{"a":1}')
    (await made.json())["a"] = 2

    assert await made.json() == {"a": 1}


async def test_typed_json_and_msgpack() -> None:
    assert await request(b'[{"price":1}]').json(type=list[Item]) == [Item(1)]
    assert await request(encode_msgpack({"price": 1})).msgpack(type=Item) == Item(1)


@pytest.mark.parametrize("reader", ["json", "msgpack"])
async def test_malformed_body_raises_serialization_exception(reader: str) -> None:
    made = request(b"\xc1")

    for _ in range(2):
        with pytest.raises(SerializationException) as caught:
            await getattr(made, reader)()
        assert caught.value.status_code == 400


async def test_validation_error_names_the_place() -> None:
    with pytest.raises(ValidationException, match=re.escape("`$[1].price`")):
        await request(b'[{"price":1},{"price":"2"}]').json(type=list[Item])


class Point:
    def __init__(self, value: str) -> None:
        self.value = value


async def test_type_decoders_may_be_a_class_variable_or_a_property() -> None:
    decoders = [(lambda kind: kind is Point, lambda kind, value: kind(value))]

    class ByClass(Request):
        type_decoders = decoders

    class ByProperty(Request):
        @property
        def type_decoders(self) -> Any:  # type: ignore[override] # the library documents that this is allowed
            return decoders

    for kind in (ByClass, ByProperty):
        made = kind(http_scope(), ScriptedReceive.body(b'"x"'))
        assert (await made.json(type=Point)).value == "x"


async def test_json_msgpack_and_form_call_an_overridden_body() -> None:
    class Decrypting(Request):
        async def body(self) -> bytes:
            return (await super().body())[::-1]

    assert await Decrypting(http_scope(), ScriptedReceive.body(b"]1[")).json() == [1]
    assert await Decrypting(http_scope(), ScriptedReceive.body(b"\x01\x91")).msgpack() == [1]
    made = Decrypting(http_scope(headers=URLENCODED), ScriptedReceive.body(b"1=a"))
    assert (await made.form()).dict() == {"a": ["1"]}


# --- forms --------------------------------------------------------------------------------------------


async def test_urlencoded_form_preserves_order_and_duplicates() -> None:
    form = await request(b"a=1&b=%C3%A9&a=3&c=&d=\xc3\xa9", headers=URLENCODED).form()

    assert list(form.multi_items()) == [("a", "1"), ("b", "é"), ("a", "3"), ("c", ""), ("d", "é")]


async def test_semicolon_does_not_separate_fields() -> None:
    """CVE-2026-53538: ``a=1;role=admin`` is one field."""
    assert (await request(b"a=1;role=admin", headers=URLENCODED).form()).dict() == {"a": ["1;role=admin"]}


async def test_multipart_form() -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n\r\nhello\r\n--B--\r\n'
    )
    form = await request(body, headers={"content-type": "multipart/form-data; boundary=B"}).form()

    assert form["a"] == "1"
    assert (form["f"].filename, await form["f"].read()) == ("x.txt", b"hello")
    await form.close()


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}, {"content-type": "nonsense"}])
async def test_form_of_another_content_type_is_empty_and_reads_nothing(headers: dict[str, str]) -> None:
    receive = ScriptedReceive.body(b"{}")
    made = Request(http_scope(headers=headers), receive)

    assert (await made.form()).dict() == {}
    assert receive.calls == 0
    assert await made.body() == b"{}"


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(max_fields=2), "max_fields"),
        (Limits(max_field_size=1), "max_field_size"),
        (Limits(max_body_size=10), "max_body_size"),
    ],
)
async def test_limits_apply_to_urlencoded_forms(limits: Limits, limit: str) -> None:
    """CVE-2026-54283: the limits applied to multipart forms only."""
    made = type("Limited", (Request,), {"limits": limits})(
        http_scope(headers=URLENCODED), ScriptedReceive.body(b"a=1&b=2&c=3")
    )
    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge) as caught:
            await made.form()
        assert caught.value.limit == limit


# --- server push --------------------------------------------------------------------------------------

PUSH = {"http.response.push": {}}


@pytest.mark.parametrize("extensions", [None, {}, {"other": {}}])
async def test_push_without_the_extension_warns_or_raises(extensions: Any) -> None:
    send = RecordedSend()
    made = Request({**http_scope(), "extensions": extensions}, send=send)

    assert not made.supports_push_promise
    with pytest.warns(AsgiwireWarning, match=r"http\.response\.push"):
        await made.send_push_promise("/style.css")
    with pytest.raises(ImproperlyConfiguredException, match=r"http\.response\.push"):
        await made.send_push_promise("/style.css", raise_if_unavailable=True)
    assert send.messages == []


async def test_push_sends_the_headers_of_the_pushed_request() -> None:
    send = RecordedSend()
    headers = [("Accept", "text/css"), ("accept", "*/*"), ("User-Agent", "test"), ("cookie", "s3cret")]
    made = Request(http_scope(headers=headers, extensions=PUSH), send=send)

    assert made.supports_push_promise
    await made.send_push_promise("/style.css?v=1")
    assert send.messages == [
        {
            "type": "http.response.push",
            "path": "/style.css?v=1",
            "headers": [(b"accept", b"text/css"), (b"accept", b"*/*"), (b"user-agent", b"test")],
        }
    ]


async def test_pushed_path_is_percent_encoded() -> None:
    send = RecordedSend()
    await Request(http_scope(extensions=PUSH), send=send).send_push_promise("/é?a=%C3%A9&b=ü")

    assert send.messages[0]["path"] == "/%C3%A9?a=%C3%A9&b=%C3%BC"


@pytest.mark.parametrize(
    "path",
    [
        "/a\r\nx: y",
        "/a\nb",
        "/a\x00",
        "/a\x7f",
        "/a b",
        "/a\tb",
        "http://evil.test/x",
        "//evil.test/x",
        "/\\evil.test",
        "a",
        "",
        "*",
        "/a#b",
        "?a",
    ],
)
async def test_pushed_path_that_is_invalid_raises(path: str) -> None:
    send = RecordedSend()

    with pytest.raises(ValueError, match="path of a push promise must begin with one slash"):
        await Request(http_scope(extensions=PUSH), send=send).send_push_promise(path)
    assert send.messages == []


async def test_pushed_header_with_a_line_break_raises() -> None:
    scope = http_scope(extensions=PUSH)
    scope["headers"] = [(b"accept", b"a\r\nx: y")]
    send = RecordedSend()

    with pytest.raises(ValueError, match="accept"):
        await Request(scope, send=send).send_push_promise("/")
    assert send.messages == []


def test_client_exceptions_have_status_code_and_detail() -> None:
    for error in (
        ClientException(),
        ValidationException(),
        SerializationException(),
        RequestEntityTooLarge(),
    ):
        assert error.status_code in {400, 413}
        assert error.detail


# --- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", ["json", "msgpack"])
async def test_max_values(read: str) -> None:
    class Small(Request):
        limits = Limits(max_values=3)

    encode = encode_json if read == "json" else encode_msgpack
    for data, type_, allowed in (
        ([1, 2], Any, True), ([1, 2, 3], Any, False), ([1, 2, 3], list, False), ([1, 2, 3], list[int], True),
    ):  # fmt: skip
        made = Small(http_scope("POST"), ScriptedReceive.body(encode(data)))
        if allowed:
            assert await getattr(made, read)(type=type_) == data
            continue
        with pytest.raises(RequestEntityTooLarge, match="max_values=3"):
            await getattr(made, read)(type=type_)
        # It is a limit of the reader, not of the body.
        assert await getattr(made, read)(limits=Limits(max_values=4)) == data
        assert await getattr(made, read)(limits=Limits(max_values=None)) == data


@pytest.mark.parametrize(
    "data", [b"[" + b"{}," * 3_000_000 + b"{}]", b"[" * 9_900_000], ids=["objects", "arrays"]
)
async def test_json_that_multiplies_in_memory(data: bytes) -> None:
    with pytest.raises(RequestEntityTooLarge, match="max_values=1000000"):
        await Request(http_scope("POST"), ScriptedReceive.body(data)).json()


async def test_msgpack_that_multiplies_in_memory() -> None:
    receive = ScriptedReceive.body(b"\x91" * 9_900_000)
    with pytest.raises(RequestEntityTooLarge, match="max_values=1000000"):
        await Request(http_scope("POST"), receive).msgpack()


async def test_type_without_a_decoder_is_an_error_of_the_program() -> None:
    for read, data in (("json", b"{}"), ("msgpack", b"\x80")):
        with pytest.raises(UsageError, match="add a decoder for it to type_decoders"):
            await getattr(Request(http_scope("POST"), ScriptedReceive.body(data)), read)(type=Request)


@pytest.mark.parametrize("reader", ["form", "multipart"])
async def test_two_different_content_types_are_refused_by_readers_of_forms(reader: str) -> None:
    scope = http_scope()
    scope["headers"] = [
        (b"content-type", b"multipart/form-data; boundary=A"),
        (b"content-type", b"multipart/form-data; boundary=B"),
    ]
    request = Request(scope, ScriptedReceive.body(b""))
    with pytest.raises(ValidationException, match="expected one Content-Type header"):
        if reader == "form":
            await request.form()
        else:
            request.multipart()
