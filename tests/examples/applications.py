"""One application in raw ASGI, Starlette and Django. It responds with the JSON that ``result`` returns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from asgiwire import ASGIConnection
from tests.django_handlers import django_handler

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.types import Receive, Scope, Send


def result(scope: Scope, body: bytes) -> Any:
    """Read or change the scope as the path says, and return a value."""
    connection = ASGIConnection(scope)
    match scope["path"]:
        case "/who":
            return [connection.user, connection.auth]
        case "/id":
            return connection.state.request_id
        case "/set":
            connection.set_session({"user": "ada"})
        case "/count":
            connection.session["count"] = connection.session.get("count", 0) + 1
        case "/clear":
            connection.clear_session()
        case "/empty":
            connection.session.clear()
        case _:
            return body.decode()
    return connection.session


def raw_application() -> Any:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            assert message["type"] == "http.request"
            body += message["body"]
            more = message["more_body"]
        content = json.dumps(result(scope, body)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]})
        await send({"type": "http.response.body", "body": content})

    return application


def starlette_application() -> Any:
    starlette = pytest.importorskip("starlette.applications")
    from starlette.responses import JSONResponse
    from starlette.routing import Mount, Route

    async def view(request: Any) -> JSONResponse:
        return JSONResponse(result(request.scope, await request.body()), headers={"x-a": "1"})

    routes = [Route("/{path:path}", view, methods=["GET", "POST"])]
    return starlette.Starlette(routes=[Mount("/", routes=routes)])


def django_application() -> Any:
    pytest.importorskip("django")
    from django.http import JsonResponse
    from django.urls import path

    async def view(request: Any, **_: str) -> JsonResponse:
        return JsonResponse(result(request.scope, request.body), safe=False, headers={"x-a": "1"})

    return django_handler(path("<path:path>", view))


APPLICATIONS: dict[str, Callable[[], Any]] = {
    "raw": raw_application,
    "Starlette": starlette_application,
    "Django": django_application,
}
each_application = pytest.mark.parametrize("make", APPLICATIONS.values(), ids=APPLICATIONS)


def client(application: Any) -> httpx.AsyncClient:
    """Return an HTTP client, which stores cookies."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://test")
