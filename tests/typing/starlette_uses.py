"""Code of Starlette and FastAPI users, checked by mypy and pyright in strict mode, and never run.

A line with ``type: ignore[code]`` must be an error, as in ``uses.py``.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

import fastapi
import starlette.datastructures
import starlette.requests
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

import asgiwire
from asgiwire import Limits
from asgiwire.integrations.starlette import Request, WebSocket, install
from asgiwire.integrations.starlette.datastructures import URL, FormData, Headers, QueryParams


@dataclass
class User:
    name: str


class ShopRequest(Request[User]):
    base_limits = Limits(max_file_size=1000)


app = Starlette(routes=[])
install(app)
install(fastapi.FastAPI(), request_class=ShopRequest, websocket_class=WebSocket)
install(1)  # type: ignore[arg-type]


async def read(request: ShopRequest) -> JSONResponse:
    assert_type(request.user, User)
    assert_type(request.headers, Headers)
    assert_type(request.headers.getlist("a"), list[str])
    assert_type(request.query_params, QueryParams)
    assert_type(request.query_params["a"], str)
    assert_type(request.url, URL)
    assert_type(request.url_for("a"), URL)
    assert_type(await request.body(), bytes)
    assert_type(await request.json(type=User), User)
    assert_type(await request.form(max_files=1), FormData)
    async with request.form() as form:
        assert_type(form, FormData)
    async for chunk in request.stream():
        assert_type(chunk, bytes)
    return JSONResponse(None)


async def talk(websocket: WebSocket) -> None:
    await websocket.accept("soap")
    assert_type(await websocket.receive_json(type=User), User)
    async for text in websocket.iter_text():
        assert_type(text, str)


def as_starlette(request: starlette.requests.Request) -> None: ...
def as_asgiwire(request: asgiwire.Request) -> None: ...
def values(headers: starlette.datastructures.Headers, url: starlette.datastructures.URL) -> None: ...


def both(request: Request) -> None:
    as_starlette(request)
    as_asgiwire(request)
    values(request.headers, request.url)


async def endpoint(request: starlette.requests.Request) -> Any:
    return await request.json()


Route("/", endpoint)
