"""The tables in docs/how-to/starlette.md: each public member of Starlette has a row, and each row a test.

A test compares Starlette's object and asgiwire's, each over its own equal scope.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asgiwire import Limits, Request, WebSocket, datastructures
from asgiwire.exceptions import (
    AsgiwireWarning,
    ImproperlyConfiguredException,
    NoRouteMatchFoundException,
    SerializationException,
    StreamConsumed,
    ValidationException,
    WebSocketDisconnect,
)
from asgiwire.testing import RecordedSend, ScriptedReceive, http_scope, websocket_scope

pytest.importorskip("starlette", reason="needs starlette")

import starlette.datastructures
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.websockets import WebSocket as StarletteWebSocket
from starlette.websockets import WebSocketDisconnect as StarletteDisconnect
from starlette.websockets import WebSocketState

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "starlette.md"
SENT: list[RecordedSend] = []  # the first belongs to Starlette's WebSocket, the second to asgiwire's
ROW = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \| `(\w+)` \|", re.MULTILINE)

REQUESTS: dict[str, Callable[..., Any]] = {}
WEBSOCKETS: dict[str, Callable[..., Any]] = {}


def rows(title: str) -> dict[str, str]:
    """Return the counterpart of each member in a table."""
    section = PAGE.read_text(encoding="utf-8").partition(f"### {title}\n")[2].partition("### ")[0]
    return {name: ours for names, ours in ROW.findall(section) for name in re.findall(r"\w+", names)}


def members(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")} | {"scope"}


def row(tests: dict[str, Callable[..., Any]]) -> Callable[[Any], Any]:
    def register(test: Any) -> Any:
        tests[test.__name__.rstrip("_")] = test
        return test

    return register


def pair(body: bytes = b"", **keys: Any) -> tuple[StarletteRequest, Request]:
    """Return a Starlette request and an asgiwire request over equal scopes and bodies."""
    made = []
    for cls in (StarletteRequest, Request):
        scope = http_scope("POST", "/tea", **keys)
        made.append(cls(scope, ScriptedReceive.body(body), RecordedSend()))
    return made[0], made[1]


def sockets(*messages: Any, code: int | None = 1001, **keys: Any) -> tuple[StarletteWebSocket, WebSocket]:
    made: list[Any] = []
    SENT.clear()
    for cls in (StarletteWebSocket, WebSocket):
        SENT.append(RecordedSend())
        receive = ScriptedReceive.websocket(*messages, disconnect=code)
        made.append(cls(websocket_scope(**keys), receive, SENT[-1]))
    return made[0], made[1]


def test_every_member_has_a_row_and_every_row_has_a_test() -> None:
    shared = members(StarletteRequest) & members(StarletteWebSocket) - {"close", "receive"}
    assert rows("Request").keys() == members(StarletteRequest)
    own = members(StarletteWebSocket) - shared | {"client_state", "application_state"}
    assert rows("WebSocket").keys() == own
    assert REQUESTS.keys() == rows("Request").keys() - {"items", "keys", "values"}
    assert WEBSOCKETS.keys() == rows("WebSocket").keys()


def test_every_counterpart_exists() -> None:
    assert [name for name in rows("Request").values() if name not in dir(Request)] == []
    assert [name for name in rows("WebSocket").values() if name not in dir(WebSocket)] == []


@row(REQUESTS)
async def get() -> None:
    theirs, ours = pair()
    assert theirs["method"] == theirs.get("method") == ours.scope["method"]
    assert dict(theirs).keys() == ours.scope.keys()


@row(REQUESTS)
async def scope() -> None:
    theirs, ours = pair()
    assert theirs.scope == ours.scope


@row(REQUESTS)
async def app() -> None:
    theirs, ours = pair(app="the app")
    assert theirs.app == ours.app == "the app"
    theirs, ours = pair()
    with pytest.raises(KeyError):
        theirs.app  # noqa: B018
    with pytest.raises(ImproperlyConfiguredException) as raised:
        ours.app  # noqa: B018
    assert isinstance(raised.value, ValueError)


@row(REQUESTS)
async def url() -> None:
    theirs, ours = pair(query_params="a=1")
    assert str(theirs.url) == str(ours.url) == "http://test.org/tea?a=1"
    changed = theirs.url.include_query_params(b=2)
    assert str(changed) == str(ours.url.with_replacements(query="a=1&b=2"))
    theirs, ours = pair(headers=[(b"host", b"evil.org/x?")])
    assert "evil.org" not in str(ours.url)


@row(REQUESTS)
async def base_url() -> None:
    theirs, ours = pair(root_path="/tea")
    assert str(theirs.base_url) == str(ours.base_url) == "http://test.org/tea/"


@row(REQUESTS)
async def headers() -> None:
    theirs, ours = pair(headers=[("X-A", "1"), ("x-a", "2")])
    assert theirs.headers["x-a"] == ours.headers["X-A"] == "1"
    assert theirs.headers.getlist("x-a") == ours.headers.getall("x-a", []) == ["1", "2"]
    assert theirs.headers.getlist("none") == ours.headers.getall("none", []) == []
    assert theirs.headers.raw == ours.headers.to_header_list()


@row(REQUESTS)
async def query_params() -> None:
    theirs, ours = pair(query_params="a=1&a=2&b=")
    assert (theirs.query_params["a"], ours.query_params["a"]) == ("2", "1")
    assert theirs.query_params.getlist("a") == ours.query_params.getall("a", []) == ["1", "2"]
    assert theirs.query_params.getlist("c") == ours.query_params.getall("c", []) == []
    assert theirs.query_params.multi_items() == list(ours.query_params.multi_items())


@row(REQUESTS)
async def path_params() -> None:
    theirs, ours = pair(path_params={"a": 1})
    assert theirs.path_params == ours.path_params == {"a": 1}
    theirs, ours = pair()
    assert theirs.path_params == ours.path_params == {}


@row(REQUESTS)
async def cookies() -> None:
    theirs, ours = pair(headers={"cookie": 'a=1; b="x y"'})
    assert theirs.cookies == ours.cookies == {"a": "1", "b": "x y"}
    theirs, ours = pair(headers={"cookie": "a=%41"})
    assert (theirs.cookies, ours.cookies) == ({"a": "%41"}, {"a": "A"})


@row(REQUESTS)
async def client() -> None:
    theirs, ours = pair()
    assert theirs.client == ours.client == ("127.0.0.1", 50000)
    assert theirs.client is not None
    assert ours.client is not None
    assert theirs.client.host == ours.client.host
    theirs, ours = pair(client=None)
    assert theirs.client is ours.client is None


async def _set_by_middleware(name: str) -> None:
    theirs, ours = pair(**{name: {"a": 1}})
    assert getattr(theirs, name) == getattr(ours, name) == {"a": 1}
    theirs, ours = pair()
    with pytest.raises(AssertionError):
        getattr(theirs, name)
    with pytest.raises(ImproperlyConfiguredException):
        getattr(ours, name)


@row(REQUESTS)
async def session() -> None:
    await _set_by_middleware("session")
    _, ours = pair(session={"a": 1})
    ours.set_session({"b": 2})
    assert ours.session == {"b": 2}
    ours.clear_session()
    assert ours.session == {}


@row(REQUESTS)
async def auth() -> None:
    await _set_by_middleware("auth")


@row(REQUESTS)
async def user() -> None:
    await _set_by_middleware("user")


@row(REQUESTS)
async def state() -> None:
    theirs, ours = pair(state={"a": 1})
    assert theirs.state.a == ours.state.a == ours.state["a"] == 1
    ours.state.b = 2
    assert StarletteRequest(ours.scope).state.b == 2


@row(REQUESTS)
async def url_for() -> None:
    router = Router([Route("/orders/{number}", PlainTextResponse("x"), name="order")])
    theirs, ours = pair(router=router)
    made = ours.url_for("order", number=7)
    assert made == str(theirs.url_for("order", number=7)) == "http://test.org/orders/7"
    assert type(made) is str
    with pytest.raises(NoRouteMatchFoundException) as raised:
        ours.url_for("none")
    assert isinstance(raised.value, LookupError)
    with pytest.raises(TypeError, match="name"):
        ours.url_for("order", name="x")


@row(REQUESTS)
async def method() -> None:
    theirs, ours = pair()
    assert theirs.method == ours.method == "POST"


@row(REQUESTS)
async def receive() -> None:
    theirs, ours = pair(b"tea")
    assert await theirs.receive() == await ours.receive()
    await ours.send({"type": "http.response.start", "status": 204})


@row(REQUESTS)
async def stream() -> None:
    theirs, ours = pair(b"tea")
    assert [one async for one in theirs.stream()] == [one async for one in ours.stream()] == [b"tea", b""]
    for request in (theirs, ours):
        with pytest.raises(RuntimeError):
            [one async for one in request.stream()]
    assert issubclass(StreamConsumed, RuntimeError)
    request = Request(http_scope(), ScriptedReceive.body(b"a", b"b"))
    chunks = request.stream()
    assert await anext(chunks) == b"a"
    await chunks.aclose()
    with pytest.raises(StreamConsumed):
        await request.body()


@row(REQUESTS)
async def body() -> None:
    theirs, ours = pair(b"tea")
    assert await theirs.body() == await ours.body() == b"tea"
    theirs, ours = pair(bytes(10_000_001))
    assert len(await theirs.body()) == 10_000_001
    with pytest.raises(Exception, match="max_body_size"):
        await ours.body()


@row(REQUESTS)
async def json() -> None:
    theirs, ours = pair(b'{"a": 1}')
    assert await theirs.json() == await ours.json() == {"a": 1}
    assert await theirs.json() is await theirs.json()
    assert await ours.json() is not await ours.json()
    theirs, ours = pair(b"")
    with pytest.raises(ValueError, match="Expecting value"):
        await theirs.json()
    assert await ours.json() is None
    theirs, ours = pair(b"{")
    with pytest.raises(ValueError, match="Expecting"):
        await theirs.json()
    with pytest.raises(SerializationException) as raised:
        await ours.json()
    assert isinstance(raised.value, ValueError)
    assert raised.value.status_code == 400


FORM = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
FORM_HEADERS = {"content-type": "multipart/form-data; boundary=x"}


@row(REQUESTS)
async def form() -> None:
    theirs, ours = pair(FORM, headers=FORM_HEADERS)
    async with theirs.form() as their_form, await ours.form() as our_form:
        assert their_form["a"] == our_form["a"] == "1"
    theirs, ours = pair(FORM, headers=FORM_HEADERS)
    with pytest.raises(Exception, match="Too many fields"):
        await theirs.form(max_fields=0)
    with pytest.raises(Exception, match="max_fields"):
        await ours.form(limits=Limits(max_fields=0))


@row(REQUESTS)
async def close() -> None:
    file = FORM.replace(b'name="a"', b'name="a"; filename="a"')
    theirs, ours = pair(file, headers=FORM_HEADERS)
    their_file, our_file = (await theirs.form())["a"], (await ours.form())["a"]
    await theirs.close()
    await (await ours.form()).close()
    assert their_file.file.closed  # type: ignore[union-attr]
    assert our_file.file.closed


@row(REQUESTS)
async def is_disconnected() -> None:
    theirs, ours = pair(b"tea")
    assert (await theirs.is_disconnected(), await ours.is_disconnected()) == (False, False)
    assert await ours.body() == b"tea"


@row(REQUESTS)
async def send_push_promise() -> None:
    theirs, ours = pair(extensions={"http.response.push": {}}, headers={"accept": "a/b"})
    for request in (theirs, ours):
        await request.send_push_promise("/x")
    assert theirs._send.messages == ours.send.messages  # type: ignore[attr-defined]
    theirs, ours = pair()
    await theirs.send_push_promise("/x")
    with pytest.warns(AsgiwireWarning):
        await ours.send_push_promise("/x")


@row(REQUESTS)
async def send_early_hints() -> None:
    theirs, ours = pair(extensions={"http.response.early_hint": {}})
    for request in (theirs, ours):
        await request.send_early_hints("</a>; rel=preload", "</b>; rel=preload")
    assert theirs._send.messages == ours.send.messages  # type: ignore[attr-defined]


@row(WEBSOCKETS)
async def accept() -> None:
    theirs, ours = sockets(subprotocols=["tea"])
    await theirs.accept(subprotocol="tea")
    await ours.accept(subprotocols="tea")
    await ours.accept()
    assert [one["subprotocol"] for one in SENT[1].messages] == ["tea"]
    theirs, ours = sockets()
    await theirs.accept("cake")
    with pytest.raises(ValueError, match="expected a subprotocol"):
        await ours.accept("cake")
    with pytest.raises(RuntimeError):
        await theirs.accept()


@row(WEBSOCKETS)
async def receive_() -> None:
    theirs, ours = sockets()
    assert await theirs.receive() == await ours.receive() == {"type": "websocket.connect"}


@row(WEBSOCKETS)
async def send_() -> None:
    theirs, ours = sockets()
    for socket in (theirs, ours):
        await socket.receive()
        await socket.send({"type": "websocket.accept"})
    assert theirs.client_state is WebSocketState.CONNECTED
    assert not ours.disconnected


@row(WEBSOCKETS)
async def receive_text() -> None:
    theirs, ours = sockets("tea")
    with pytest.raises(RuntimeError):
        await theirs.receive_text()
    await theirs.accept()
    assert await theirs.receive_text() == await ours.receive_text() == "tea"
    with pytest.raises(StarletteDisconnect) as their_end:
        await theirs.receive_text()
    with pytest.raises(WebSocketDisconnect) as our_end:
        await ours.receive_text()
    assert their_end.value.code == our_end.value.code == 1001
    theirs, ours = sockets(b"tea")
    await theirs.accept()
    with pytest.raises(KeyError):
        await theirs.receive_text()
    with pytest.raises(ValidationException) as caught:
        await ours.receive_text()
    assert caught.value.message is not None
    assert caught.value.message["bytes"] == b"tea"


@row(WEBSOCKETS)
async def receive_bytes() -> None:
    theirs, ours = sockets(b"tea")
    await theirs.accept()
    assert await theirs.receive_bytes() == await ours.receive_bytes() == b"tea"
    _, ours = sockets("tea")
    with pytest.raises(ValidationException) as caught:
        await ours.receive_bytes()
    assert caught.value.message is not None
    assert caught.value.message["text"] == "tea"


@row(WEBSOCKETS)
async def receive_json() -> None:
    theirs, ours = sockets("[1]", b"[2]", "3", "{")
    await theirs.accept()
    assert await theirs.receive_json() == await ours.receive_json() == [1]
    assert await theirs.receive_json(mode="binary") == await ours.receive_json(mode="binary") == [2]
    assert await ours.receive_json(type=int) == 3
    with pytest.raises(SerializationException):
        await ours.receive_json()


async def _all(iterator: Any) -> list[Any]:
    return [one async for one in iterator]


@row(WEBSOCKETS)
async def iter_text() -> None:
    theirs, ours = sockets("a", "b")
    await theirs.accept()
    assert await _all(theirs.iter_text()) == await _all(ours.iter_data("text")) == ["a", "b"]
    _, ours = sockets("a", b"b")
    assert await _all(ours) == ["a", b"b"]


@row(WEBSOCKETS)
async def iter_bytes() -> None:
    theirs, ours = sockets(b"a", b"b")
    await theirs.accept()
    assert await _all(theirs.iter_bytes()) == await _all(ours.iter_data("binary")) == [b"a", b"b"]


@row(WEBSOCKETS)
async def iter_json() -> None:
    theirs, ours = sockets("1", "2")
    await theirs.accept()
    assert await _all(theirs.iter_json()) == await _all(ours.iter_json(type=int)) == [1, 2]
    _, ours = sockets(b"1")
    assert await _all(ours.iter_json("binary")) == [1]


async def _sends(name: str, value: Any) -> None:
    theirs, ours = sockets(code=None)
    await theirs.accept()
    for socket in (theirs, ours):
        await getattr(socket, name)(value)
    assert SENT[0].messages[1:] == SENT[1].messages[1:]
    for socket, error in ((theirs, RuntimeError), (ours, WebSocketDisconnect)):
        await socket.close(3000)
        with pytest.raises(error) as raised:
            await getattr(socket, name)(value)
    assert raised.value.code == 3000  # type: ignore[union-attr]


@row(WEBSOCKETS)
async def send_text() -> None:
    await _sends("send_text", "tea")


@row(WEBSOCKETS)
async def send_bytes() -> None:
    await _sends("send_bytes", b"tea")


@row(WEBSOCKETS)
async def send_json() -> None:
    await _sends("send_json", {"a": "é"})


@row(WEBSOCKETS)
async def close_() -> None:
    theirs, ours = sockets()
    for socket in (theirs, ours):
        await socket.accept()
        await socket.close(3000, "bye")
    assert SENT[0].messages[1:] == SENT[1].messages[1:]
    with pytest.raises(RuntimeError):
        await theirs.close()
    await ours.close()
    assert len(SENT[1].messages) == 2


@row(WEBSOCKETS)
async def send_denial_response() -> None:
    theirs, ours = sockets(extensions={"websocket.http.response": {}})
    await theirs.receive()
    await theirs.send_denial_response(PlainTextResponse("no", 401))
    await ours.send_denial_response(401, {"content-type": "text/plain"}, b"no")
    for sent in SENT:
        assert (sent.status, sent.body) == (401, b"no")


@row(WEBSOCKETS)
async def client_state() -> None:
    theirs, ours = sockets()
    seen = [ours.connection_state]
    await ours.accept()
    seen.append(ours.connection_state)
    assert not ours.disconnected
    assert await _all(ours) == []
    assert [*seen, ours.connection_state] == ["init", "connect", "disconnect"]
    assert ours.disconnected
    assert theirs.client_state is WebSocketState.CONNECTING


@row(WEBSOCKETS)
async def application_state() -> None:
    _, ours = sockets()
    await ours.accept()
    await ours.close()
    assert (ours.connection_state, ours.disconnected) == ("disconnect", True)


@pytest.mark.parametrize(
    ("title", "theirs", "ours"),
    [
        ("UploadFile", starlette.datastructures.UploadFile, datastructures.UploadFile),
        ("FormData", starlette.datastructures.FormData, datastructures.FormMultiDict),
        ("Headers", starlette.datastructures.Headers, datastructures.Headers),
        ("QueryParams", starlette.datastructures.QueryParams, datastructures.MultiDict),
    ],
)
def test_every_member_of_a_value_has_a_row(title: str, theirs: type, ours: type) -> None:
    attributes = {"file", "filename", "headers", "size"} if title == "UploadFile" else set()
    table = rows(title)
    assert set(table) == (members(theirs) - {"scope"}) | attributes
    assert [name for name in table.values() if not hasattr(ours, name)] == []


@pytest.mark.parametrize("name", REQUESTS)
async def test_request(name: str) -> None:
    await REQUESTS[name]()


@pytest.mark.parametrize("name", WEBSOCKETS)
async def test_websocket(name: str) -> None:
    await WEBSOCKETS[name]()
