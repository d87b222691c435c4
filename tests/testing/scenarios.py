"""Eighteen tasks of a test, each written with asgiwire and with every other tool that can do it.

The functions are named ``task__tool``. ``test_scenarios.py`` runs them and compares their lengths. A task
without a function for a tool cannot be done with it, or not without code for ``receive`` and ``send``.
"""

import asyncio
import io
import warnings

import anyio
import httpx
import pytest
from asgiref.testing import ApplicationCommunicator
from starlette.websockets import WebSocketDisconnect

from asgiwire import Request, WebSocket
from asgiwire.exceptions import ClientDisconnect
from asgiwire.testing import (
    Client,
    RecordedSend,
    RequestFactory,
    ScriptedReceive,
    WaitTimeout,
    http_scope,
    multipart_body,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette's client warns about httpx
    from starlette.testclient import TestClient, WebSocketDenialResponse

EVENTS = []


async def respond(send, body=b"", status=200, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


async def app(scope, receive, send):
    """The application of every scenario."""
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
    elif scope["type"] == "websocket":
        await talk(WebSocket(scope, receive, send))
    else:
        request = Request(scope, receive, send)
        try:
            await HANDLERS[scope["path"]](request)
        except ClientDisconnect:
            EVENTS.append("client disconnected")


async def lifespan(scope, receive, send):
    scope.setdefault("state", {})["database"] = "open"
    for kind in ("startup", "shutdown"):
        await receive()
        EVENTS.append(kind)
        await send({"type": f"lifespan.{kind}.complete"})


async def total(request):
    await respond(request.send, b"%d" % sum((await request.json()).values()))


async def upload(request):
    async with await request.form() as form:
        await respond(request.send, form["file"].filename.encode() + b" " + await form["file"].read())


async def count(request):
    await request.send({"type": "http.response.start", "status": 200, "headers": []})
    async for chunk in request.stream():
        await request.send({"type": "http.response.body", "body": b"%d" % len(chunk), "more_body": True})
    await request.send({"type": "http.response.body"})


async def events(request):
    await request.body()
    headers = [(b"content-type", b"text/event-stream")]
    await request.send({"type": "http.response.start", "status": 200, "headers": headers})
    async with request.cancel_on_disconnect():
        for number in range(1_000_000):
            await request.send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
            await anyio.sleep(0.001)
    EVENTS.append("stopped")


async def login(request):
    await respond(request.send, b"", 303, [(b"location", b"/me"), (b"set-cookie", b"user=ada; Path=/")])


async def me(request):
    await respond(request.send, request.cookies["user"].encode())


async def fail(_request):
    raise KeyError("missing")


async def hang(request):
    await request.body()
    await asyncio.sleep(3600)


async def state(request):
    await respond(request.send, request.state.database.encode())


async def address(request):
    client = "nobody" if request.client is None else request.client.host
    await respond(request.send, client.encode())


async def poll(request):
    await request.body()
    await request.receive()
    EVENTS.append("client disconnected")


HANDLERS = {
    "/total": total, "/upload": upload, "/count": count, "/events": events, "/login": login, "/me": me,
    "/fail": fail, "/hang": hang, "/state": state, "/address": address, "/poll": poll,
}  # fmt: skip


async def talk(socket):
    if "token" not in socket.headers:
        await socket.receive()
        await socket.send_denial_response(401, {"www-authenticate": "Bearer"}, b"token missing")
        return
    await socket.accept(socket.select_subprotocol(["chat"]))
    async for message in socket:
        if message == "bye":
            await socket.close(4000, "bye")
        else:
            await socket.send_text(message.upper())
    EVENTS.append(socket.close_code)


TOKEN = {"token": "x"}


def asgiref_scope(path, method="GET", headers=(), **keys):
    """A scope, which ApplicationCommunicator does not make; it is not counted."""
    return http_scope(method, path, headers=list(headers), **keys)


def websocket(headers=((b"token", b"x"),), subprotocols=(), **keys):
    scope = http_scope(path="/talk", headers=list(headers), **keys)
    return scope | {"type": "websocket", "subprotocols": list(subprotocols)}


# A request.


async def request__asgiwire():
    response = await Client(app).post("/total", json={"tea": 2, "cake": 1})
    assert (response.status, response.text) == (200, "3")


def request__starlette():
    response = TestClient(app).post("/total", json={"tea": 2, "cake": 1})
    assert (response.status_code, response.text) == (200, "3")


async def request__httpx():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        response = await client.post("/total", json={"tea": 2, "cake": 1})
    assert (response.status_code, response.text) == (200, "3")


# An upload.


async def upload__asgiwire():
    response = await Client(app).post("/upload", files={"file": ("a.txt", io.BytesIO(b"tea"))})
    assert response.text == "a.txt tea"


def upload__starlette():
    response = TestClient(app).post("/upload", files={"file": ("a.txt", io.BytesIO(b"tea"))})
    assert response.text == "a.txt tea"


async def upload__httpx():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        response = await client.post("/upload", files={"file": ("a.txt", b"tea")})
    assert response.text == "a.txt tea"


# The client disconnects in the middle of an upload.


async def cut_body__asgiwire():
    content, headers = multipart_body(files={"file": b"tea"})
    async with Client(app).stream("POST", "/upload", content=content[:50], headers=headers, more_body=True):
        pass
    assert EVENTS == ["client disconnected"]


async def cut_body__asgiref():
    content, headers = multipart_body(files={"file": b"tea"})
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    communicator = ApplicationCommunicator(app, asgiref_scope("/upload", "POST", pairs))
    await communicator.send_input({"type": "http.request", "body": content[:50], "more_body": True})
    await communicator.send_input({"type": "http.disconnect"})
    await communicator.wait()
    assert EVENTS == ["client disconnected"]


# A body in chunks: the answer to each is checked before the next is sent.


async def in_step__asgiwire():
    async with Client(app).stream("POST", "/count", more_body=True) as exchange:
        await exchange.send(b"abc")
        assert await exchange.receive() == b"3"
        await exchange.send(b"ab", more_body=False)
        assert await exchange.receive() == b"2"


async def in_step__asgiref():
    communicator = ApplicationCommunicator(app, asgiref_scope("/count", "POST"))
    await communicator.send_input({"type": "http.request", "body": b"abc", "more_body": True})
    assert (await communicator.receive_output())["type"] == "http.response.start"
    assert (await communicator.receive_output())["body"] == b"3"
    await communicator.send_input({"type": "http.request", "body": b"ab"})
    assert (await communicator.receive_output())["body"] == b"2"
    await communicator.wait()


# Server-sent events: the first is checked, and the application stops when the client disconnects.


async def events_stop__asgiwire():
    async with Client(app).stream("GET", "/events") as exchange:
        assert await exchange.receive() == b"0"
    assert EVENTS == ["stopped"]


async def events_stop__asgiref():
    communicator = ApplicationCommunicator(app, asgiref_scope("/events"))
    await communicator.send_input({"type": "http.request"})
    assert (await communicator.receive_output())["type"] == "http.response.start"
    assert (await communicator.receive_output())["body"] == b"0"
    await communicator.send_input({"type": "http.disconnect"})
    await communicator.wait()
    assert EVENTS == ["stopped"]


# The client disconnects before the response.


async def disconnect__asgiwire():
    async with Client(app).stream("GET", "/poll"):
        pass
    assert EVENTS == ["client disconnected"]


async def disconnect__asgiref():
    communicator = ApplicationCommunicator(app, asgiref_scope("/poll"))
    await communicator.send_input({"type": "http.request"})
    await communicator.send_input({"type": "http.disconnect"})
    await communicator.wait()
    assert EVENTS == ["client disconnected"]


# A redirect that sets a cookie.


async def redirect__asgiwire():
    response = await Client(app).post("/login", follow_redirects=True)
    assert (response.text, response.history[0].status) == ("ada", 303)


def redirect__starlette():
    response = TestClient(app).post("/login", follow_redirects=True)
    assert (response.text, response.history[0].status_code) == ("ada", 303)


async def redirect__httpx():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        response = await client.post("/login", follow_redirects=True)
    assert (response.text, response.history[0].status_code) == ("ada", 303)


# An exception of the application.


async def exception__asgiwire():
    with pytest.raises(KeyError, match="missing"):
        await Client(app).get("/fail")


def exception__starlette():
    with pytest.raises(KeyError, match="missing"):
        TestClient(app).get("/fail")


async def exception__httpx():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        with pytest.raises(KeyError, match="missing"):
            await client.get("/fail")


async def exception__asgiref():
    communicator = ApplicationCommunicator(app, asgiref_scope("/fail"))
    with pytest.raises(KeyError, match="missing"):
        await communicator.wait()


# The 500 that a client sees.


async def server_error__asgiwire():
    assert (await Client(app, raise_exceptions=False).get("/fail")).status == 500


def server_error__starlette():
    assert TestClient(app, raise_server_exceptions=False).get("/fail").status_code == 500


# A conversation.


async def conversation__asgiwire():
    async with Client(app).websocket("/talk", headers=TOKEN) as socket:
        await socket.send_text("tea")
        assert await socket.receive_text() == "TEA"


def conversation__starlette():
    with TestClient(app).websocket_connect("/talk", headers=TOKEN) as socket:
        socket.send_text("tea")
        assert socket.receive_text() == "TEA"


async def conversation__asgiref():
    communicator = ApplicationCommunicator(app, websocket())
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output())["type"] == "websocket.accept"
    await communicator.send_input({"type": "websocket.receive", "text": "tea"})
    assert (await communicator.receive_output())["text"] == "TEA"
    communicator.stop()


# The subprotocol that the application selects.


async def subprotocol__asgiwire():
    async with Client(app).websocket("/talk", headers=TOKEN, subprotocols=["log", "chat"]) as socket:
        assert socket.subprotocol == "chat"


def subprotocol__starlette():
    with TestClient(app).websocket_connect("/talk", ["log", "chat"], headers=TOKEN) as socket:
        assert socket.accepted_subprotocol == "chat"


async def subprotocol__asgiref():
    communicator = ApplicationCommunicator(app, websocket(subprotocols=["log", "chat"]))
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output())["subprotocol"] == "chat"
    communicator.stop()


# A denial response.


async def denial__asgiwire():
    async with Client(app).websocket("/talk") as socket:
        assert (socket.status, socket.body) == (401, b"token missing")


def denial__starlette():
    with pytest.raises(WebSocketDenialResponse) as caught, TestClient(app).websocket_connect("/talk"):
        pass
    assert (caught.value.status_code, caught.value.content) == (401, b"token missing")


async def denial__asgiref():
    scope = websocket((), extensions={"websocket.http.response": {}})
    communicator = ApplicationCommunicator(app, scope)
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output())["status"] == 401
    assert (await communicator.receive_output())["body"] == b"token missing"


# The application closes with a code.


async def application_closes__asgiwire():
    async with Client(app).websocket("/talk", headers=TOKEN) as socket:
        await socket.send_text("bye")
        assert await socket.wait_closed() == 4000


def application_closes__starlette():
    with TestClient(app).websocket_connect("/talk", headers=TOKEN) as socket:
        socket.send_text("bye")
        with pytest.raises(WebSocketDisconnect) as caught:
            socket.receive_text()
    assert caught.value.code == 4000


async def application_closes__asgiref():
    communicator = ApplicationCommunicator(app, websocket())
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output())["type"] == "websocket.accept"
    await communicator.send_input({"type": "websocket.receive", "text": "bye"})
    assert (await communicator.receive_output())["code"] == 4000
    await communicator.wait()


# The client closes with a code.


async def client_closes__asgiwire():
    async with Client(app).websocket("/talk", headers=TOKEN) as socket:
        await socket.close(3000)
    assert EVENTS == [3000]


def client_closes__starlette():
    with TestClient(app).websocket_connect("/talk", headers=TOKEN) as socket:
        socket.close(3000)
    assert EVENTS == [3000]


async def client_closes__asgiref():
    communicator = ApplicationCommunicator(app, websocket())
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output())["type"] == "websocket.accept"
    await communicator.send_input({"type": "websocket.disconnect", "code": 3000})
    await communicator.wait()
    assert EVENTS == [3000]


# Startup, state and shutdown.


async def lifespan__asgiwire():
    async with Client(app) as client:
        assert (await client.get("/state")).text == "open"
    assert EVENTS == ["startup", "shutdown"]


def lifespan__starlette():
    with TestClient(app) as client:
        assert client.get("/state").text == "open"
    assert EVENTS == ["startup", "shutdown"]


# An application that hangs: the error says where.


async def time_out__asgiwire():
    with pytest.raises(WaitTimeout, match=r"the application waits in .*hang \(scenarios.py"):
        await Client(app).get("/hang", timeout=0.05)


# An unusual scope: a client without an address.


async def odd_scope__asgiwire():
    assert (await Client(app, client=None).get("/address")).text == "nobody"


async def odd_scope__asgiref():
    communicator = ApplicationCommunicator(app, asgiref_scope("/address", client=None))
    assert (await communicator.receive_output())["status"] == 200
    assert (await communicator.receive_output())["body"] == b"nobody"


# A send that fails after the client disconnected.


async def failing_send__asgiwire():
    request = RequestFactory().post("/total", json={"tea": 2})
    request.send.fail_with(ConnectionResetError(), after=1)
    with pytest.raises(ConnectionResetError):
        await app(request.scope, request.receive, request.send)


# A scripted connection: the whole receive side in one line.


async def script__asgiwire():
    sent = RecordedSend()
    await app(http_scope("POST", "/total"), ScriptedReceive.body(b'{"te', b'a": 2}'), sent)
    assert sent.body == b"2"


async def script__asgiref():
    communicator = ApplicationCommunicator(app, asgiref_scope("/total", "POST"))
    await communicator.send_input({"type": "http.request", "body": b'{"te', "more_body": True})
    await communicator.send_input({"type": "http.request", "body": b'a": 2}'})
    assert (await communicator.receive_output())["status"] == 200
    assert (await communicator.receive_output())["body"] == b"2"
