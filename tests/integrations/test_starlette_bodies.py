"""Bodies and forms in a Starlette application: read in a middleware and in the endpoint, by either class."""

from __future__ import annotations

import gzip
import inspect
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio.lowlevel
import pytest
import starlette.requests
from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

import asgiwire
from asgiwire import Limits
from asgiwire.datastructures import FormMultiDict, Headers
from asgiwire.exceptions import ClientDisconnect, RequestEntityTooLarge
from asgiwire.integrations.starlette import Request, install
from asgiwire.testing import RecordedSend, RequestFactory, ScriptedReceive, http_scope

from .starlette_apps import MULTIPART, call, compare, multipart

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

FORM = multipart('name="field"\r\n\r\nvalue', 'name="file"; filename="a.txt"\r\n\r\ncontent')


async def summary(form: Any) -> list[Any]:
    """Return the items of a form, with the content of its files."""
    items = []
    for name, value in FormMultiDict(form.multi_items()).items():
        items.append(
            [name, value if isinstance(value, str) else [value.filename, (await value.read()).decode()]]
        )
    return items


async def read_body(request: Any) -> Any:
    return (await request.body()).decode()


async def read_json_type(request: Any) -> Any:
    return await request.json(type=list[int])


async def read_form(request: Any) -> Any:
    return await summary(await request.form())


async def read_closed_form(request: Any) -> Any:
    async with request.form() as form:
        return await summary(form)


async def read_wire_form(request: Any) -> Any:
    return await summary(await asgiwire.Request(request.scope, request.receive).form())


async def read_wire_body(request: Any) -> Any:
    return (await asgiwire.Request(request.scope, request.receive).body()).decode()


async def read_stream(request: Any) -> Any:
    return b"".join([chunk async for chunk in request.stream()]).decode()


async def read_messages(request: Any) -> Any:
    body = b""
    while True:
        message = await request.receive()
        body += message["body"]
        if not message["more_body"]:
            return body.decode()


async def read_nothing(_request: Any) -> Any:
    return None


BASE_HTTP, PURE, WRAPPED = "BaseHTTPMiddleware", "pure ASGI", "pure ASGI with its own receive"


def middleware_that(kind: str, read: Callable[[Any], Any]) -> Middleware:
    class Base(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            assert isinstance(request, asgiwire.Request)
            request.state.seen = await read(request)
            return await call_next(request)

    class Pure:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            request = starlette.requests.Request(scope, receive)
            assert isinstance(request, asgiwire.Request)
            request.state.seen = await read(request)

            async def own_receive() -> Any:
                return await receive()

            await self.app(scope, own_receive if kind == WRAPPED else receive, send)

    return Middleware(Base if kind == BASE_HTTP else Pure)


def app_that(read: Callable[[Any], Any], *middleware: Middleware) -> Starlette:
    async def endpoint(request: Any) -> JSONResponse:
        return JSONResponse([request.state.seen if middleware else None, await read(request)])

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])], middleware=middleware)
    install(app)
    return app


BOTH_FORM = [["field", "value"], ["file", ["a.txt", "content"]]]
RESULTS = {
    read_form: BOTH_FORM,
    read_closed_form: BOTH_FORM,
    read_wire_form: BOTH_FORM,
    read_body: FORM.decode(),
    read_wire_body: FORM.decode(),
    read_stream: FORM.decode(),
    read_messages: FORM.decode(),
    read_nothing: None,
}
BUFFERING = (read_form, read_closed_form, read_body, read_wire_body, read_nothing)


@pytest.mark.parametrize("kind", [BASE_HTTP, PURE, WRAPPED])
@pytest.mark.parametrize("first", BUFFERING, ids=lambda read: read.__name__)
@pytest.mark.parametrize("second", RESULTS, ids=lambda read: read.__name__)
async def test_body_read_in_a_middleware_is_readable_in_the_endpoint(
    kind: str, first: Callable[[Any], Any], second: Callable[[Any], Any]
) -> None:
    app = app_that(second, middleware_that(kind, first))
    answer = await call(app, "POST", content=FORM, headers=MULTIPART)
    assert answer.json() == [RESULTS[first], RESULTS[second]]


@pytest.mark.parametrize("outer", [BASE_HTTP, PURE])
@pytest.mark.parametrize("inner", [BASE_HTTP, PURE])
async def test_body_read_in_two_middlewares(outer: str, inner: str) -> None:
    app = app_that(read_form, middleware_that(outer, read_form), middleware_that(inner, read_body))
    answer = await call(app, "POST", content=FORM, headers=MULTIPART)
    assert answer.json() == [FORM.decode(), BOTH_FORM]


async def test_chunks_pass_through_middleware_as_they_arrive() -> None:
    sizes: list[int] = []

    async def read_sizes(request: Any) -> None:
        sizes.extend([len(chunk) async for chunk in request.stream()])

    app = app_that(
        read_sizes, middleware_that(BASE_HTTP, read_nothing), middleware_that(WRAPPED, read_nothing)
    )
    await app(http_scope("POST"), ScriptedReceive.body(b"ab", b"cde"), RecordedSend())
    assert sizes == [2, 3, 0]


async def test_stream_consumed_in_base_http_middleware_reads_as_empty() -> None:
    app = app_that(read_body, middleware_that(BASE_HTTP, read_stream))
    assert (await call(app, "POST", content=b"abc")).json() == ["abc", ""]


async def test_stream_consumed_in_pure_middleware_is_an_error() -> None:
    app = app_that(read_body, middleware_that(PURE, read_stream))
    assert (await call(app, "POST", content=b"abc")).status_code == 500


async def test_streaming_response_waits_for_the_disconnect() -> None:
    async def endpoint(request: Any) -> StreamingResponse:
        await summary(await request.form())

        async def chunks() -> Any:
            yield b"a"
            await anyio.lowlevel.checkpoint()
            yield b"b"

        return StreamingResponse(chunks())

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    install(app)
    factory = RequestFactory()
    request = factory.post("/", content=FORM, headers=MULTIPART)
    request.scope["asgi"] = {"version": "3.0", "spec_version": "2.3"}
    await app(request.scope, request.receive, request.send)
    assert request.send.body == b"ab"


@pytest.mark.parametrize("replays", [True, False])
async def test_asgiwire_middleware_around_the_application_shares_its_body(replays: bool) -> None:
    app = app_that(read_form)

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        request = asgiwire.Request(scope, receive, send)
        assert await request.body() == FORM
        await app(scope, request.replay if replays else receive, send)

    assert (await call(outer, "POST", content=FORM, headers=MULTIPART)).json() == [None, BOTH_FORM]


async def test_receive_that_a_middleware_replaced() -> None:
    class Replacing(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            body = await request.body()

            async def receive() -> Any:
                return {"type": "http.request", "body": body.upper()}

            request._receive = receive
            return await call_next(request)

    app = Starlette(routes=app_that(read_body).routes, middleware=[Middleware(Replacing)])
    install(app)
    assert (await call(app, "POST", content=b"abc")).json() == [None, "ABC"]


class GzipRequest(starlette.requests.Request):
    """From FastAPI's documentation."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            body = await super().body()
            if "gzip" in self.headers.getlist("Content-Encoding"):
                body = gzip.decompress(body)
            self._body = body
        return self._body


@pytest.mark.parametrize("read", [read_body, read_json_type, read_stream])
async def test_subclass_that_decompresses(read: Callable[[Any], Any]) -> None:
    async def endpoint(original: Any) -> JSONResponse:
        request = GzipRequest(original.scope, original.receive)
        assert isinstance(request, GzipRequest)
        assert isinstance(request, asgiwire.Request)
        first = await request.body()
        assert first == await request.body()
        return JSONResponse(await read(request))

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    install(app)
    headers = {"content-encoding": "gzip"}
    answer = await call(app, "POST", content=gzip.compress(b"[1]" + b" " * 99), headers=headers)
    assert answer.json() == ([1] if read is read_json_type else "[1]" + " " * 99)


async def test_endpoint_class_gets_a_request_of_both_classes() -> None:
    class Endpoint(HTTPEndpoint):
        async def post(self, request: Any) -> JSONResponse:
            assert isinstance(request, asgiwire.Request)
            return JSONResponse(await request.json())

    app = Starlette(routes=[Route("/", Endpoint)])
    install(app)
    assert (await call(app, "POST", json=[1])).json() == [1]


# JSON


async def new_request(body: bytes = b"", **headers: str) -> Request:
    built = RequestFactory().post("/", content=body, headers=headers)
    return Request(built.scope, built.receive, built.send)


@pytest.mark.parametrize(
    "document",
    [b"[1, NaN]", b'"\\ud800"', b"1e999", "[1]".encode("utf-16"), b'{"a": 1, "a": 2}', b"null", b"9" * 50],
)
async def test_json_accepts_what_json_loads_accepts(document: bytes) -> None:
    request = await new_request(document)
    value = await request.json()
    assert repr(value) == repr(json.loads(document))
    assert await request.json() is value


@pytest.mark.parametrize("document", [b"", b"{", b"[1,]", b"nul"])
async def test_malformed_json_is_an_error_of_each_kind(document: bytes) -> None:
    with pytest.raises(json.JSONDecodeError) as expected:
        json.loads(document)
    with pytest.raises(json.JSONDecodeError) as caught:
        await (await new_request(document)).json()
    error: Any = caught.value
    assert (error.msg, error.pos, error.doc) == (
        expected.value.msg,
        expected.value.pos,
        expected.value.doc,
    )
    assert isinstance(error, HTTPException)
    assert isinstance(error, asgiwire.exceptions.SerializationException)
    assert (error.status_code, error.detail, str(error)) == (400, str(expected.value), str(expected.value))


@pytest.mark.parametrize("document", [b"[" * 100_000, b"\xff\xff\xff"])
async def test_other_malformed_json_is_an_http_exception(document: bytes) -> None:
    with pytest.raises(HTTPException) as caught:
        await (await new_request(document)).json()
    assert caught.value.status_code == 400


async def test_typed_json_and_other_readers() -> None:
    assert await (await new_request(b"[1]")).json(type=list[int]) == [1]
    with pytest.raises(HTTPException, match="Expected `str`, got `int`"):
        await (await new_request(b"[1]")).json(type=list[str])
    assert await (await new_request(b"\x01")).msgpack() == 1
    with pytest.raises(HTTPException):
        await (await new_request(b"\xc1")).msgpack()
    request = await new_request(b"\xff", **{"content-type": "text/plain; charset=utf-8"})
    with pytest.raises(HTTPException):
        await request.text()


# Forms


async def test_form_is_of_both_classes() -> None:
    request = await new_request(FORM, **MULTIPART)
    form = await request.form()
    assert isinstance(form, FormData)
    assert isinstance(form, FormMultiDict)
    assert isinstance(form["file"], UploadFile)
    assert isinstance(form["file"], asgiwire.datastructures.UploadFile)
    assert await request.form() is form
    assert form["file"].headers["content-disposition"] == 'form-data; name="file"; filename="a.txt"'
    assert form["file"].content_type is None
    await request.close()
    with pytest.raises(ValueError, match="closed"):
        await form["file"].read()


async def test_close_without_a_form_does_nothing() -> None:
    await (await new_request()).close()


@pytest.mark.parametrize("chunk_size", [1, 7, 10_000])
async def test_file_input_without_a_file_is_an_empty_upload(chunk_size: int) -> None:
    body = multipart('name="file"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n')
    chunks = [body[i : i + chunk_size] for i in range(0, len(body), chunk_size)]
    headers = [(b"content-type", MULTIPART["content-type"].encode())]
    request = Request(http_scope("POST", headers=headers), ScriptedReceive.body(*chunks))
    upload = (await request.form(limits=Limits(spool_size=1)))["file"]
    assert isinstance(upload, UploadFile)
    assert (upload.filename, upload.size, upload.content_type) == ("", 0, "application/octet-stream")


async def test_empty_multipart_body_is_an_empty_form() -> None:
    assert len(await (await new_request(b"", **MULTIPART)).form()) == 0
    with pytest.raises(MultiPartException):
        await (await new_request(b"--b", **MULTIPART)).form()


async def test_urlencoded_form_and_other_bodies() -> None:
    request = await new_request(b"a=1&a=2&b=", **{"content-type": "application/x-www-form-urlencoded"})
    assert (await request.form()).multi_items() == [("a", "1"), ("a", "2"), ("b", "")]
    assert len(await (await new_request(b"{}", **{"content-type": "application/json"})).form()) == 0


@pytest.mark.parametrize(
    ("body", "arguments", "message"),
    [
        (b"a=1&b=2", {"max_fields": 1}, "Too many fields. Maximum number of fields is 1."),
        (b"a=" + b"x" * 3000, {"max_part_size": 2048}, "Field exceeded maximum size of 2KB."),
    ],
)
async def test_limits_of_an_urlencoded_form(body: bytes, arguments: dict[str, int], message: str) -> None:
    request = await new_request(body, **{"content-type": "application/x-www-form-urlencoded"})
    with pytest.raises(HTTPException, match=message) as caught:
        await request.form(**arguments)
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_fields": 0}, "Too many fields. Maximum number of fields is 0."),
        ({"max_files": 0}, "Too many files. Maximum number of files is 0."),
        ({"max_part_size": 1}, "Part exceeded maximum size of 0KB."),
    ],
)
async def test_limits_of_a_multipart_form(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(MultiPartException) as caught:
        await (await new_request(FORM, **MULTIPART)).form(**arguments)
    error: Any = caught.value
    assert (error.message, error.detail, error.status_code) == (message, message, 400)
    assert isinstance(error, RequestEntityTooLarge)
    assert isinstance(error, HTTPException)


async def test_infinite_limits_and_limits_of_asgiwire() -> None:
    form = await (await new_request(FORM, **MULTIPART)).form(max_files=float("inf"), max_fields=float("inf"))
    assert len(form) == 2
    with pytest.raises(RequestEntityTooLarge) as caught:
        await (await new_request(FORM, **MULTIPART)).form(limits=Limits(max_file_size=1))
    assert caught.value.status_code == 413


async def test_form_after_stream_is_an_error() -> None:
    request = await new_request(FORM, **MULTIPART)
    await read_stream(request)
    with pytest.raises(RuntimeError, match="Stream consumed"):
        await request.form()


async def test_parts_raise_exceptions_of_both_libraries() -> None:
    request = await new_request(FORM, **MULTIPART)
    names = [part.name async for part in request.multipart()]
    assert names == ["field", "file"]
    request = await new_request(FORM, **MULTIPART)
    with pytest.raises(MultiPartException):
        async for part in request.multipart(limits=Limits(max_file_size=1)):
            await part.read()
    with pytest.raises(HTTPException):
        (await new_request(b"", **{"content-type": "text/plain"})).multipart()


@pytest.mark.parametrize("headers", [None, Headers([(b"x-part", b"1")])], ids=["dict", "Headers"])
async def test_two_request_objects_in_an_endpoint_share_a_streamed_form(headers: Headers | None) -> None:
    async def endpoint(request: Any) -> JSONResponse:
        first = await asgiwire.Request(request.scope, request.receive).form()
        await first["file"].read()
        if headers is not None:
            first["file"].headers = headers
        second = await request.form()
        third = await Request(request.scope, request.receive).form()
        assert third["file"] is second["file"]
        assert second["file"].headers.get("x-part") == (None if headers is None else "1")
        return JSONResponse(await summary(third))

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    install(app)
    assert (await call(app, "POST", content=FORM, headers=MULTIPART)).json() == BOTH_FORM


async def test_content_length_of_the_original_body_does_not_limit_a_replaced_one() -> None:
    request = await new_request(b"abc")
    request._body = b"other"
    receive = request.replay
    assert (await receive())["body"] == b"other"
    assert await request.body() == b"other"


# Streams and disconnects


async def test_stream_that_was_left_continues() -> None:
    request = Request(http_scope("POST"), ScriptedReceive.body(b"ab", b"cd"))
    async with aclosing(request.stream()) as stream:
        assert await anext(stream) == b"ab"
    assert [chunk async for chunk in request.stream()] == [b"cd", b""]
    with pytest.raises(RuntimeError, match="Stream consumed"):
        await anext(request.stream())


async def test_tee_of_a_consumed_body_is_an_error() -> None:
    request = await new_request(b"ab")
    seen: list[bytes] = []
    receive = request.tee(seen.append)
    assert (await receive())["body"] == b"ab"
    assert seen == [b"ab"]


async def test_client_disconnect_is_starlettes_too() -> None:
    request = Request(http_scope("POST"), ScriptedReceive({"type": "http.disconnect"}))
    with pytest.raises(starlette.requests.ClientDisconnect) as caught:
        await request.body()
    assert isinstance(caught.value, ClientDisconnect)
    assert await request.is_disconnected()


async def test_disconnect_in_base_http_middleware_is_passed_on() -> None:
    seen: list[Any] = []

    async def read_disconnect(request: Any) -> None:
        with pytest.raises(starlette.requests.ClientDisconnect):
            await request.body()
        seen.append(await request.is_disconnected())

    app = app_that(read_disconnect, middleware_that(BASE_HTTP, read_nothing))
    request = RequestFactory().post("/")
    await app(request.scope, ScriptedReceive({"type": "http.disconnect"}), request.send)
    assert seen == [True]


# Limits


class SmallRequest(Request):
    base_limits = Limits(max_body_size=3)


async def test_limits_of_the_request_class() -> None:
    app = app_that(read_body)
    install(app, request_class=SmallRequest)
    assert (await call(app, "POST", content=b"abc")).status_code == 200
    answer = await call(app, "POST", content=b"abcd")
    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/plain; charset=utf-8")
    assert answer.text.startswith("the request exceeds max_body_size=3")


@pytest.mark.skipif(
    "max_body_size" not in inspect.signature(Starlette).parameters, reason="needs a newer Starlette"
)
async def test_max_body_size_of_starlette_replaces_that_of_the_class() -> None:
    routes = app_that(read_body).routes
    app = Starlette(routes=routes, max_body_size=5)
    install(app, request_class=SmallRequest)
    assert (await call(app, "POST", content=b"abcde")).status_code == 200
    answer = await call(app, "POST", content=b"abcdef")
    assert (answer.status_code, answer.text) == (413, "Content Too Large")


async def test_answers_of_a_plain_application_are_the_same() -> None:
    async def endpoint(request: Any) -> PlainTextResponse:
        return PlainTextResponse(await read_body(request))

    def new_app() -> Starlette:
        return Starlette(routes=[Mount("/sub", routes=[Route("/", endpoint, methods=["POST"])])])

    await compare(new_app, "POST", "/sub/", content=b"abc")
    await compare(new_app, "GET", "/sub/")
    await compare(new_app, "GET", "/missing")
