"""``replay`` and ``tee`` in front of applications of other frameworks.

Each application returns a digest of the body that it read. At ``/wait`` it waits for the client to
disconnect, and records the disconnect in ``DISCONNECTS``.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from asgiwire import Limits, Request
from asgiwire.testing import RecordedSend, http_scope
from tests.django_handlers import django_handler
from tests.receives import DISCONNECT, Live, part, parts, run_other_tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.types import Receive, Scope, Send

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

LARGE = bytes(range(256)) * 4096 * 3  # 3 MiB
DISCONNECTS: list[str] = []


@pytest.fixture(autouse=True)
def _clear_disconnects() -> None:
    DISCONNECTS.clear()


def digest(body: bytes) -> dict[str, Any]:
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def starlette_application() -> Any:
    starlette = pytest.importorskip("starlette.applications")
    from starlette.requests import ClientDisconnect
    from starlette.requests import Request as StarletteRequest
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def body(request: StarletteRequest) -> JSONResponse:
        return JSONResponse(digest(await request.body()))

    async def wait(request: StarletteRequest) -> JSONResponse:
        try:
            await request.body()
        except ClientDisconnect:
            DISCONNECTS.append("starlette")
            raise
        while not await request.is_disconnected():
            await anyio.sleep(0.001)
        DISCONNECTS.append("starlette")
        return JSONResponse(None)

    async def form(request: StarletteRequest) -> JSONResponse:
        async with request.form() as form:
            return JSONResponse([form["a"], digest(await form["f"].read())])  # type: ignore[union-attr] # a file

    return starlette.Starlette(
        routes=[Route(f"/{view.__name__}", view, methods=["POST"]) for view in (body, wait, form)]
    )


def fastapi_application() -> Any:
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    async def body(request: Any) -> Any:
        return digest(await request.body())

    async def form(a: Any, f: Any) -> Any:
        return [a, digest(await f.read())]

    async def wait(request: Any) -> Any:
        await request.body()
        while not await request.is_disconnected():
            await anyio.sleep(0.001)
        DISCONNECTS.append("fastapi")

    # FastAPI would look up string annotations in this module.
    body.__annotations__ = wait.__annotations__ = {"request": fastapi.Request}
    form.__annotations__ = {"a": str, "f": fastapi.UploadFile}
    form.__defaults__ = (fastapi.Form(), fastapi.File())
    for view in (body, form, wait):
        app.post(f"/{view.__name__}")(view)
    return app


def litestar_application() -> Any:
    litestar = pytest.importorskip("litestar")

    async def body(request: Any) -> Any:
        return digest(await request.body())

    async def form(request: Any) -> Any:
        form = await request.form()
        try:
            return [form["a"], digest(await form["f"].read())]
        finally:
            await form.close()

    async def wait(request: Any) -> Any:
        await request.body()
        message = await request.receive()
        DISCONNECTS.append(message["type"])

    for view in (body, form, wait):
        view.__annotations__ = {"request": litestar.Request, "return": Any}
    handlers = [
        litestar.post(f"/{view.__name__}", status_code=200)(view)  # type: ignore[arg-type] # Litestar's own
        for view in (body, form, wait)
    ]
    return litestar.Litestar(handlers, request_max_body_size=None)


def quart_application() -> Any:
    quart = pytest.importorskip("quart")
    app = quart.Quart("downstream")
    app.config["MAX_CONTENT_LENGTH"] = None

    async def body() -> Any:
        return digest(await quart.request.get_data())

    async def form() -> Any:
        fields, files = await quart.request.form, await quart.request.files
        return [fields["a"], digest(files["f"].read())]

    async def wait() -> Any:
        await quart.request.get_data()
        try:
            await anyio.sleep_forever()
        finally:
            DISCONNECTS.append("quart")  # the framework cancels the view

    for view in (body, form, wait):
        app.post(f"/{view.__name__}")(view)
    return app


def django_application() -> Any:
    pytest.importorskip("django")
    from django.http import JsonResponse
    from django.urls import path

    async def body(request: Any) -> Any:
        return JsonResponse(digest(request.body))

    async def form(request: Any) -> Any:
        return JsonResponse([request.POST["a"], digest(request.FILES["f"].read())], safe=False)

    async def wait(request: Any) -> Any:
        assert len(request.body) > 0
        try:
            await anyio.sleep_forever()
        finally:
            DISCONNECTS.append("django")  # the framework cancels the view

    return django_handler(*(path(view.__name__, view) for view in (body, form, wait)))


def raw_application() -> Any:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        chunks, more = [], True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                DISCONNECTS.append("raw")
                return
            chunks.append(message["body"])
            more = message["more_body"]
        if scope["path"] == "/wait":
            DISCONNECTS.append((await receive())["type"])
            return
        content = json.dumps(digest(b"".join(chunks))).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": content})

    return application


def asgiwire_application() -> Any:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        if scope["path"] == "/wait":
            await request.body()
            async with request.cancel_on_disconnect() as watch:
                await anyio.sleep_forever()
            assert watch.cancelled_caught
            DISCONNECTS.append("asgiwire")
            return
        if scope["path"] == "/form":
            async with await request.form() as form:
                answer: Any = [form["a"], digest(await form["f"].read())]
        else:
            answer = digest(await request.body())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return application


APPLICATIONS: dict[str, Callable[[], Any]] = {
    "Starlette": starlette_application,
    "FastAPI": fastapi_application,
    "Litestar": litestar_application,
    "Quart": quart_application,
    "Django": django_application,
    "asgiwire": asgiwire_application,
    "raw": raw_application,
}
each_application = pytest.mark.parametrize("make", APPLICATIONS.values(), ids=APPLICATIONS)


class Unlimited(Request):
    limits = Limits(max_body_size=None, spool_size=100_000)


class Replaying:
    """A middleware that passes the body on with ``replay``, and reads it first if ``read`` is ``body``."""

    def __init__(self, application: Any, read: str) -> None:
        self.application = application
        self.read = read
        self.body = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Unlimited(scope, receive, send)
        if self.read == "body":
            self.body = await request.body()
        await self.application(scope, request.replay, send)


class Teeing:
    """A middleware that hashes the body with ``tee``."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.sha256 = hashlib.sha256()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Unlimited(scope, receive, send)
        await self.application(scope, request.tee(self.sha256.update), send)


async def post(application: Any, path: str, **options: Any) -> Any:
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.post(path, **options)
    assert response.status_code == 200, response.text
    return response.json()


@each_application
@pytest.mark.parametrize("read", ["body", "replay"])
@pytest.mark.parametrize("body", [b"", b"hello", LARGE], ids=["empty", "small", "large"])
async def test_application_reads_the_replayed_body(make: Callable[[], Any], read: str, body: bytes) -> None:
    middleware = Replaying(make(), read)

    assert await post(middleware, "/body", content=body) == digest(body)
    assert middleware.body == (body if read == "body" else b"")


@each_application
@pytest.mark.parametrize("body", [b"", b"hello", LARGE], ids=["empty", "small", "large"])
async def test_application_and_sink_receive_the_body(make: Callable[[], Any], body: bytes) -> None:
    middleware = Teeing(make())

    assert await post(middleware, "/body", content=body) == digest(body)
    assert middleware.sha256.digest() == hashlib.sha256(body).digest()


@each_application
@pytest.mark.parametrize(
    "middleware", [lambda application: Replaying(application, "body"), Teeing], ids=["replay", "tee"]
)
async def test_application_reads_a_form_with_a_file(
    make: Callable[[], Any], middleware: Callable[[Any], Any]
) -> None:
    if make is raw_application:
        pytest.skip("the raw application parses no forms")
    answer = await post(
        middleware(make()),
        "/form",
        data={"a": "1"},
        files={"f": ("x.bin", LARGE, "image/png")},
    )

    assert answer == ["1", digest(LARGE)]


@each_application
@pytest.mark.parametrize(
    "middleware", [lambda application: Replaying(application, "body"), Teeing], ids=["replay", "tee"]
)
async def test_application_receives_the_disconnect(
    make: Callable[[], Any], middleware: Callable[[Any], Any]
) -> None:
    # Starlette cancels its receive at the first checkpoint, so that there must be none where a message is.
    live = Live(*parts(b"hello", 2), checkpoint=False)
    scope = http_scope("POST", "/wait", headers={"content-type": "text/plain", "content-length": "5"})
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(middleware(make()), scope, live, RecordedSend())
            await run_other_tasks()
            await anyio.sleep(0.05)
            assert DISCONNECTS == []
            live.put(DISCONNECT)

    assert len(DISCONNECTS) == 1


@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (starlette_application, "ClientDisconnect"),
        (asgiwire_application, "ClientDisconnect"),
        (raw_application, "raw"),
    ],
    ids=["Starlette", "asgiwire", "raw"],
)
async def test_disconnect_within_the_body_is_passed_on_by_tee(make: Callable[[], Any], outcome: str) -> None:
    live = Live(part(b"hel"), DISCONNECT)
    raised = ""
    try:
        await Teeing(make())(http_scope("POST", "/wait"), live, RecordedSend())
    except Exception as error:
        raised = type(error).__name__

    assert outcome in {raised, *DISCONNECTS}
    assert live.calls == 2
