"""Code of users, checked by mypy, pyright and pyrefly in strict mode, and never run.

A line with ``type: ignore[code]`` must be an error: all three report an unused ignore.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    BinaryIO,
    ClassVar,
    Literal,
    NamedTuple,
    TextIO,
    TypedDict,
    TypeVar,
    assert_type,
)

import attrs
import msgspec
import pydantic
import pydantic.dataclasses

from asgiwire import ASGIConnection, Limits, Request, WebSocket
from asgiwire.connection.multipart import MultipartPart
from asgiwire.connection.snapshot import ConnectionSnapshot, Redaction
from asgiwire.datastructures import (
    TLS,
    URL,
    Accept,
    AcceptCharset,
    AcceptEncoding,
    AcceptLanguage,
    Address,
    Authorization,
    Capabilities,
    Cookie,
    FormMultiDict,
    Headers,
    IfMatch,
    IfNoneMatch,
    IfRange,
    MultiDict,
    MutableScopeHeaders,
    Range,
    RequestCacheControl,
    State,
    UploadFile,
)
from asgiwire.exceptions import ClientException, RequestEntityTooLarge, WebSocketDisconnect
from asgiwire.sending import send_response
from asgiwire.serialization import decode_json, decode_params, encode_json
from asgiwire.testing import (
    Client,
    RecordedSend,
    RequestFactory,
    ScriptedReceive,
    SyncClient,
    http_scope,
    validate,
    websocket_scope,
)
from asgiwire.types import Empty

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime
    from pathlib import Path

    from asgiwire.types import (
        HTTPRequestEvent,
        HTTPResponseStartEvent,
        Message,
        Method,
        Receive,
        Scope,
        Send,
    )


# --- Constructor arguments; neighbours.py has the types of other projects ---


async def typed_receive_and_send(scope: Scope) -> None:
    async def receive() -> HTTPRequestEvent:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        del message

    Request(scope, receive, send)


def wrong_arguments(scope: Scope, receive: Receive) -> None:
    Request()  # type: ignore[call-arg]  # missing scope
    Request(scope, "receive")  # type: ignore[arg-type]  # not callable
    Request(scope, receive, receive)  # type: ignore[arg-type]  # it takes no message
    Request([("type", "http")])  # type: ignore[arg-type]  # not a mapping


def wrong_event() -> HTTPResponseStartEvent:
    return {"type": "http.response.begin", "status": 200}  # type: ignore[typeddict-item]  # unknown message type


# --- Accessors ---


def accessors(request: Request) -> None:
    assert_type(request.method, Method)
    assert_type(request.url, URL)
    assert_type(request.base_url, URL)
    assert_type(request.headers, Headers)
    assert_type(request.query_params, MultiDict[str])
    assert_type(request.path_params, dict[str, Any])
    assert_type(request.cookies, dict[str, str])
    assert_type(request.session, dict[str, Any])
    assert_type(request.client, Address | None)
    assert_type(request.content_type, tuple[str, dict[str, str]])
    assert_type(request.content_length, int | None)
    assert_type(request.accept, Accept)
    assert_type(request.is_connected, bool)
    assert_type(request.supports_push_promise, bool)
    assert_type(request.url_for("orders", order=17), str)
    request.method = "GET"  # type: ignore[misc]  # read-only


async def bodies(request: Request) -> None:
    assert_type(await request.body(), bytes)
    assert_type(await request.form(), FormMultiDict)
    assert_type(request.stream(), AsyncGenerator[bytes, None])
    async for chunk in request.stream():
        assert_type(chunk, bytes)
    assert_type(await request.json(), Any)
    assert_type(await request.msgpack(), Any)
    await request.send_push_promise("/style.css", raise_if_unavailable=True)
    await request.send_early_hints("</style.css>; rel=preload; as=style")
    request.body().decode()  # type: ignore[attr-defined]  # a coroutine


async def typed_bodies(request: Request) -> None:
    assert_type(await request.json(type=Order), Order)
    assert_type(await request.json(type=list[Order]), list[Order])
    assert_type(await request.msgpack(type=dict[str, int], limits=Limits(max_body_size=100)), dict[str, int])
    assert_type(await request.text(), str)
    order_or_cancel: Order | Cancel = await request.json(type=Order | Cancel)
    del order_or_cancel
    (await request.json(type=Order)).nmae  # type: ignore[attr-defined]  # misspelled on purpose
    await request.json(Order)  # type: ignore[call-overload]  # keyword-only
    await request.json(type=Order, limits=100)  # type: ignore[call-overload]  # limits must be Limits
    (await request.msgpack(type=Order)).upper()  # type: ignore[attr-defined]  # an Order, not a string


@dataclass
class DataclassPage:
    """One kind of a target type; below are the others."""

    number: int


@attrs.define
class AttrsPage:
    number: int


class TypedDictPage(TypedDict):
    number: int


class NamedTuplePage(NamedTuple):
    number: int


class PydanticPage(pydantic.BaseModel):
    number: int


@pydantic.dataclasses.dataclass
class PydanticDataclassPage:
    number: int


async def kinds_of_types(request: Request, socket: WebSocket) -> None:
    assert_type(await request.json(type=DataclassPage), DataclassPage)
    assert_type(await request.json(type=AttrsPage), AttrsPage)
    assert_type(await request.json(type=TypedDictPage), TypedDictPage)
    assert_type(await request.json(type=NamedTuplePage), NamedTuplePage)
    assert_type(await request.json(type=PydanticPage), PydanticPage)
    assert_type(await request.json(type=PydanticDataclassPage), PydanticDataclassPage)
    assert_type(await request.json(type=list[PydanticPage]), list[PydanticPage])
    assert_type(await request.json(type=dict[str, AttrsPage]), dict[str, AttrsPage])
    assert_type(await request.msgpack(type=PydanticPage), PydanticPage)
    assert_type(await socket.receive_json(type=TypedDictPage), TypedDictPage)
    assert_type(await socket.receive_msgpack(type=PydanticDataclassPage), PydanticDataclassPage)
    (await request.json(type=TypedDictPage))["nmuber"]  # type: ignore[typeddict-item]  # misspelled on purpose
    (await request.json(type=PydanticPage)).nmuber  # type: ignore[attr-defined]  # misspelled on purpose


async def queries_and_forms(request: Request, socket: WebSocket, headers: Headers) -> None:
    assert_type(request.query(type=Order), Order)
    assert_type(request.query(type=DataclassPage), DataclassPage)
    assert_type(request.query(type=AttrsPage), AttrsPage)
    assert_type(request.query(type=TypedDictPage), TypedDictPage)
    assert_type(request.query(type=NamedTuplePage), NamedTuplePage)
    assert_type(request.query(type=PydanticPage), PydanticPage)
    assert_type(request.query(type=dict[str, int]), dict[str, int])
    assert_type(socket.query(type=PydanticDataclassPage), PydanticDataclassPage)
    assert_type(await request.form(type=Order), Order)
    assert_type(await request.form(type=PydanticPage, limits=Limits(max_fields=5)), PydanticPage)
    assert_type(await request.form(limits=Limits()), FormMultiDict)
    assert_type(decode_params(headers, type=Order), Order)
    assert_type(decode_params([("number", "1")], NamedTuplePage), NamedTuplePage)
    assert_type(decode_params(request.cookies, TypedDictPage, type_decoders=None), TypedDictPage)
    order_or_cancel: Order | Cancel = request.query(type=Order | Cancel)
    del order_or_cancel
    request.query(Order)  # type: ignore[call-overload]  # keyword-only
    request.query()  # type: ignore[call-overload]  # the type is required
    request.query(type=Order).nmae  # type: ignore[attr-defined]  # misspelled on purpose
    (await request.form(type=Order)).multi_items()  # type: ignore[attr-defined]  # an Order, not a form
    request.query_params["page"].isoformat()  # type: ignore[attr-defined]  # text
    (await request.form())["name"].upper()  # type: ignore[union-attr]  # it may be a file


async def files_of_forms(file: UploadFile, target: BinaryIO, text: TextIO) -> None:
    assert_type(await file.readline(), bytes)
    async for line in file.lines():
        assert_type(line, bytes)
    assert_type(await file.text(), str)
    assert_type(await file.text("latin1"), str)
    await file.save("path")
    await file.save(target)
    await file.save(text)  # type: ignore[arg-type]  # a file for text


async def more_of_a_connection(request: Request, socket: WebSocket, send: Send) -> None:
    assert_type(socket.tls, TLS | None)
    assert_type(socket.fetch_site, Literal["same-origin", "same-site", "cross-site", "none"] | None)
    assert_type(request.cache_control, RequestCacheControl)
    assert_type(request.cache_control.max_age, int | None)
    assert_type(request.last_event_id, str | None)
    assert_type(request.supports_trailers, bool)
    if request.tls is not None:
        assert_type(request.tls.client_names, tuple[tuple[str, str], ...])
        assert_type(request.tls.version, str | None)
    await request.send_trailers({"server-timing": "db;dur=1"})
    await send_response(send, 200, b"hello", {"content-type": "text/plain"})
    await send_response(send, 204, headers=[(b"x", b"1")])
    await send_response(send, 200, "text")  # type: ignore[arg-type]  # bytes


async def parts(request: Request, folder: Path) -> None:
    async for part in request.multipart():
        assert_type(part, MultipartPart)
        assert_type(part.name, str)
        assert_type(part.filename, str | None)
        async for chunk in part:
            assert_type(chunk, bytes)
        assert_type(await part.text(), str)
        await part.save(folder / "part")
    async with await request.form() as form:
        assert_type(form["file"], str | UploadFile)


async def downstream_applications(request: Request, seen: list[bytes]) -> None:
    assert_type(request.replay, Receive)
    assert_type(request.tee(seen.append), Receive)
    request.tee("sink")  # type: ignore[arg-type]  # not callable


async def client_disconnects(request: Request) -> None:
    assert_type(await request.is_disconnected(), bool)
    async with request.cancel_on_disconnect() as watch:
        await request.body()
    assert_type(watch.cancelled_caught, bool)


def server_capabilities(connection: ASGIConnection) -> None:
    assert_type(connection.capabilities, Capabilities)
    assert_type(connection.server, Address | None)
    assert_type("http.response.push" in connection.capabilities, bool)


async def sockets(socket: WebSocket) -> None:
    await socket.accept("chat", headers={"x-a": "1"})
    await socket.accept(headers=[(b"x-a", b"1")])
    assert_type(await socket.receive_data("text"), str)
    assert_type(await socket.receive_data("binary"), bytes)
    assert_type(await socket.receive_text(), str)
    assert_type(await socket.receive_bytes(), bytes)
    assert_type(await socket.receive_json(), Any)
    assert_type(await socket.receive_msgpack(), Any)
    async for text in socket.iter_data():
        assert_type(text, str)
    async for data in socket.iter_data("binary"):
        assert_type(data, bytes)
    await socket.send_data("x", mode="binary")
    await socket.send_json({"a": 1}, serializer=str)
    await socket.send_msgpack([1])
    await socket.close(4001, reason="enough")
    await socket.receive_data("frame")  # type: ignore[call-overload]  # unknown mode
    await socket.close("enough")  # type: ignore[arg-type]  # the first argument is the code


# --- Generics ---


@dataclass
class User:
    name: str


class ShopState(State):
    orders: int


def bare_generics(request: Request, socket: WebSocket, connection: ASGIConnection) -> None:
    assert_type(request, Request[Any, Any, State])
    assert_type(socket, WebSocket[Any, Any, State])
    assert_type(connection, ASGIConnection[Any, Any, Any, State])
    assert_type(request.state, State)


def partial_generics(request: Request[User], socket: WebSocket[User, str]) -> None:
    assert_type(request.user, User)
    assert_type(request.auth, Any)
    assert_type(request.state, State)
    assert_type(socket.user, User)
    assert_type(socket.auth, str)
    request.user.nmae  # type: ignore[attr-defined]  # misspelled on purpose


def whole_generics(request: Request[User, str, ShopState]) -> None:
    assert_type(request.auth, str)
    assert_type(request.state, ShopState)
    assert_type(request.state.orders, int)


def any_connection(connection: ASGIConnection[Any, User, Any, Any]) -> str:
    return connection.user.name


def request_is_a_connection(request: Request[User, str, ShopState]) -> str:
    return any_connection(request)


@dataclass
class Token:
    subject: str


def named_generics(
    request: Request[User, Token, ShopState], socket: WebSocket[User, Token, ShopState]
) -> None:
    assert_type(request.auth.subject, str)
    assert_type(socket.state.orders, int)
    takes_a_request_of_users(request)  # type: ignore[arg-type]  # StateT is invariant


def takes_a_request_of_users(request: Request[User, Token]) -> str:
    return request.user.name


def too_many_type_parameters(request: Request[User, Token, State, int]) -> None:  # type: ignore[type-arg]  # it has three
    del request


ModelT = TypeVar("ModelT")
PersonT = TypeVar("PersonT", bound=User)


class AppRequest(Request[PersonT, Token, ShopState]):
    """The request of a framework: two type parameters are bound, one is free."""

    async def read(self, model: type[ModelT]) -> ModelT:
        return await self.json(type=model)

    async def body(self, *, limits: Limits | None = None) -> bytes:
        return (await super().body(limits=limits)).strip()


class Admin(User):
    level: int


async def subclasses(request: AppRequest[Admin], scope: Scope, receive: Receive) -> None:
    assert_type(request.user, Admin)
    assert_type(request.auth, Token)
    assert_type(request.state.orders, int)
    assert_type(await request.read(Admin), Admin)
    any_connection(request)  # type: ignore[arg-type]  # UserT is invariant
    made: AppRequest[Admin] = AppRequest(scope, receive)
    assert_type(made.limits, Limits)


def no_user(request: AppRequest[int]) -> None:  # type: ignore[type-var]  # the bound is User
    del request


class UploadRequest(Request[User]):
    """A subclass with its own limits, encoders and attributes."""

    limits = Limits(max_body_size=None)
    type_encoders: ClassVar = {URL: str}

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self.started = 0.0


class SizedRequest(Request):
    """A property instead of the class variable."""

    @property
    def limits(self) -> Limits:
        return Limits(max_body_size=1000)


# --- Datastructures ---


async def datastructures(form: FormMultiDict, headers: Headers, url: URL, scope: Scope) -> None:
    assert_type(headers.get("host"), str | None)
    assert_type(headers.get("host", ""), str)
    assert_type(headers["host"], str)
    assert_type(headers.getall("accept"), list[str])
    assert_type(headers.to_header_list(), list[tuple[bytes, bytes]])
    assert_type(url.port, int | None)
    assert_type(url.with_replacements(path="/x"), URL)
    assert_type(Cookie("a", value="b").to_header(), str)
    for _name, value in form.multi_items():
        if isinstance(value, UploadFile):
            assert_type(await value.read(), bytes)
            assert_type(value.filename, str)
    MutableScopeHeaders(scope)["x-a"] = "1"
    headers["host"] = "x"  # type: ignore[index]  # immutable


def negotiation(accept: Accept) -> None:
    assert_type(accept.best_match(["text/html"]), str | None)
    assert_type(accept.best_match(["text/html"], default="text/html"), str)


def errors(error: ClientException, large: RequestEntityTooLarge, disconnect: WebSocketDisconnect) -> None:
    assert_type(error.status_code, int)
    assert_type(error.detail, str)
    assert_type(large.maximum, int | None)
    assert_type(disconnect.code, int)
    assert_type(disconnect.reason, str)


def rare_headers(request: Request) -> None:
    assert_type(request.accept_language, AcceptLanguage)
    assert_type(request.accept_language.best_match(["en"]), str | None)
    assert_type(request.accept_language.best_match(["en"], "en"), str)
    assert_type(request.accept_encoding, AcceptEncoding)
    assert_type(request.accept_encoding.best_match(("br",), default="identity"), str)
    assert_type(request.accept_charset, AcceptCharset)
    assert_type(request.accept_charset.quality("utf-8"), float)
    assert_type(request.if_match, IfMatch | None)
    assert_type(request.if_none_match, IfNoneMatch | None)
    assert_type(request.if_modified_since, datetime | None)
    assert_type(request.if_unmodified_since, datetime | None)
    assert_type(request.if_range, IfRange | None)
    assert_type(request.range, Range | None)
    if request.range:
        assert_type(request.range.for_size(10), list[range] | None)
    if request.if_none_match:
        assert_type(request.if_none_match.matches('"a"'), bool)
    request.range.for_size(10)  # type: ignore[union-attr]  # it may be None


def credentials(connection: ASGIConnection, socket: WebSocket) -> None:
    assert_type(socket.authorization, Authorization | None)
    if connection.authorization is not None:
        assert_type(connection.authorization.username, str | None)
        assert_type(connection.authorization.parameters, dict[str, str])
        connection.authorization.token.encode()  # type: ignore[union-attr]  # only the scheme Bearer has a token


class AuditedRequest(Request):
    """The redaction of snapshots is set on the class or for one call."""

    redaction = Redaction(names=frozenset({"x-tenant"}))


def snapshots(request: AuditedRequest, socket: WebSocket) -> None:
    assert_type(request.snapshot(), ConnectionSnapshot)
    assert_type(socket.snapshot(Redaction(max_headers=10)).headers, tuple[tuple[str, str], ...])
    socket.snapshot().url = ""  # type: ignore[misc]  # frozen


class Order(msgspec.Struct):
    """A type to decode JSON to."""

    number: int


class Cancel(msgspec.Struct, tag=True):
    """The other member of the union."""

    number: int


def serialization(data: bytes) -> None:
    assert_type(encode_json({"a": 1}), bytes)
    assert_type(decode_json(data), Any)
    assert_type(decode_json(data, Order), Order)


def sessions(connection: ASGIConnection, order: Order) -> None:
    connection.set_session({"id": 1})
    connection.set_session(order)
    connection.set_session(Empty)
    connection.clear_session()


# --- WebSockets: features beyond Litestar's ---


async def typed_messages(socket: WebSocket) -> None:
    assert_type(await socket.receive_json(type=Order), Order)
    assert_type(await socket.receive_json("binary", type=Order), Order)
    assert_type(await socket.receive_json(mode=None, type=list[int]), list[int])
    order_or_none: Order | None = await socket.receive_json(type=Order | None)
    del order_or_none
    assert_type(await socket.receive_msgpack(type=Order), Order)
    assert_type(socket.iter_json(type=Order), AsyncGenerator[Order, None])
    async for order in socket.iter_json("binary", type=Order):
        assert_type(order, Order)
    async for order in socket.iter_msgpack(type=Order):
        assert_type(order.number, int)
    async for value in socket.iter_json():
        assert_type(value, Any)
    async for message in socket:
        assert_type(message, str | bytes)
    (await socket.receive_json(type=Order)).nmae  # type: ignore[attr-defined]  # misspelled on purpose
    await socket.receive_json("text", Order)  # type: ignore[call-overload]  # keyword-only
    await socket.receive_json("frame", type=Order)  # type: ignore[call-overload]  # unknown mode


async def blocks(socket: WebSocket[User]) -> str:
    async with socket as entered:
        assert_type(entered, WebSocket[User, Any, State])
        return entered.user.name
    return "the client disconnected"


async def handshakes(socket: WebSocket, chunks: AsyncGenerator[bytes, None], headers: Headers) -> None:
    assert_type(socket.subprotocols, tuple[str, ...])
    assert_type(socket.select_subprotocol(["v2", "v1"]), str | None)
    await socket.accept(socket.select_subprotocol({"v1"}))
    await socket.send_denial_response(401)
    await socket.send_denial_response(401, {"www-authenticate": "Basic"}, b"log in")
    await socket.send_denial_response(401, headers, chunks)
    await socket.send_denial_response(401, [(b"x-a", b"1")], body=b"")
    await socket.send_denial_response(401, body="text")  # type: ignore[arg-type]  # bytes


async def ends(socket: WebSocket) -> None:
    assert_type(socket.disconnected, bool)
    assert_type(await socket.is_disconnected(), bool)
    assert_type(socket.close_code, int | None)
    assert_type(socket.close_reason, str | None)


# --- Test helpers ---


def test_doubles() -> None:
    factory = RequestFactory(headers={"user-agent": "test"})
    request = factory.post("/orders", data={"tea": "2"}, session={"id": 7}, user=User("ada"))
    sent = RecordedSend()
    UploadRequest(request.scope, request.receive, sent)
    assert_type(sent.body, bytes)
    assert_type(sent.headers, Headers)
    Request(http_scope("POST", path="/orders"), ScriptedReceive.body(b"{}"), RecordedSend())
    WebSocket(websocket_scope("/talk"), ScriptedReceive.websocket("hello"), RecordedSend())
    factory.post("/", json={}, jsno={})  # type: ignore[call-arg]  # misspelled on purpose
    assert_type(request.send, RecordedSend)
    assert_type(request.send.status, int)
    assert_type(request.receive.calls, int)
    assert_type(factory.websocket("/").send.messages, list[Message])
    own = RequestFactory(request_class=UploadRequest)
    assert_type(own.get(), UploadRequest)


async def clients(application: Any) -> None:
    async with Client(validate(application), timeout=1) as client:
        response = await client.post("/orders", json={"tea": 2}, user=User("ada"), follow_redirects=True)
        assert_type(response.json(type=dict[str, int]), dict[str, int])
        assert_type(response.headers, Headers)
        await client.get("/", params={})  # type: ignore[call-arg]  # it is query_params
        async with client.stream("POST", "/", more_body=True) as exchange:
            assert_type(await exchange.receive(), bytes)
            assert_type([chunk async for chunk in exchange], list[bytes])
        async with client.websocket("/talk", subprotocols=["chat"]) as conversation:
            assert_type(await conversation.receive_text(), str)
            assert_type(await conversation.receive_json(type=list[int]), list[int])
            assert_type(conversation.close_code, int | None)
    with SyncClient(application, cookies={"a": "1"}) as sync, sync.websocket("/talk") as talk:
        assert_type(talk.receive_bytes(), bytes)
        assert_type(sync.get("/").text, str)
