"""Code of Litestar users, checked by mypy and pyright in strict mode, and never run.

A line with ``type: ignore[code]`` must be an error, as in ``uses.py``.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

import litestar
import litestar.connection
from litestar import Controller, Litestar, Router, get, post, websocket

import asgiwire
from asgiwire import Limits
from asgiwire.datastructures import URL, FormMultiDict, Headers, State
from asgiwire.integrations.litestar import Request, WebSocket


@dataclass
class User:
    name: str


class AppState(State):
    pass


class MyRequest(Request[User, str, AppState]):
    base_limits = Limits(max_file_size=1000)


Litestar([], request_class=Request, websocket_class=WebSocket)
Litestar([], request_class=MyRequest, websocket_class=WebSocket[User, str, AppState])
Router("/", route_handlers=[], request_class=Request, websocket_class=WebSocket)


class OwnController(Controller):
    request_class = MyRequest


@get("/", request_class=MyRequest)
async def own_request_class(request: MyRequest) -> str:
    assert_type(request.user, User)
    assert_type(request.auth, str)
    assert_type(request.headers, Headers)
    assert_type(request.limits, Limits)
    return request.user.name


@post("/")
async def bodies(request: Request[User]) -> None:
    assert_type(await request.body(), bytes)
    assert_type(await request.json(type=User), User)
    assert_type(await request.form(), FormMultiDict)
    assert_type(await request.form(limits=Limits(max_files=1)), FormMultiDict)
    assert_type(request.url, URL)
    assert_type(request.app, Litestar)
    assert_type(request.user, User)
    async for chunk in request.stream():
        assert_type(chunk, bytes)
    async for part in request.multipart():
        assert_type(part.name, str)
    request.logger.info("a member of Litestar's request only")
    await request.json(type=User, strict=True)  # type: ignore[call-overload]
    request.jsn()  # type: ignore[attr-defined]


@websocket("/")
async def sockets(socket: WebSocket[User, str, AppState]) -> None:
    assert_type(await socket.receive_text(), str)
    assert_type(await socket.receive_json(type=User), User)
    assert_type(socket.close_code, int | None)
    async for message in socket:
        assert_type(message, str | bytes)


def takes_asgiwire(request: asgiwire.Request[User], socket: asgiwire.WebSocket[User]) -> None: ...


def takes_litestar(
    request: litestar.Request[User, Any, Any],
    socket: litestar.WebSocket[User, Any, Any],
    connection: litestar.connection.ASGIConnection[Any, User, Any, Any],
) -> None: ...


def passed_on(request: Request[User], socket: WebSocket[User]) -> None:
    takes_asgiwire(request, socket)
    takes_litestar(request, socket, request)
    takes_litestar(request, socket, socket)
