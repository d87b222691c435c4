"""Run one test against two applications: with Litestar's connection classes, and with asgiwire's.

Both must answer the same, including the headers. The test checks the answers themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from asgiwire.integrations.litestar import Request, WebSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Handlers = Sequence[Any] | Callable[[], Sequence[Any]]

# Headers whose values differ in each run.
RANDOM_HEADERS = {"set-cookie"}

# The classes that Litestar has created instances of.
CREATED: list[type] = []


class CountedRequest(Request[Any, Any, Any]):
    """A request that records its creation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        CREATED.append(Request)
        super().__init__(*args, **kwargs)


class CountedWebSocket(WebSocket[Any, Any, Any]):
    """A WebSocket that records its creation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        CREATED.append(WebSocket)
        super().__init__(*args, **kwargs)


ASGIWIRE_CLASSES: dict[str, Any] = {"request_class": CountedRequest, "websocket_class": CountedWebSocket}


def talk_to(
    handlers: Handlers, talk: Callable[[TestClient[Litestar]], list[Any]], options: dict[str, Any]
) -> list[Any]:
    route_handlers = handlers() if callable(handlers) else handlers
    app = Litestar(list(route_handlers), **{"openapi_config": None, "logging_config": None, **options})
    with TestClient(app, raise_server_exceptions=False) as client:
        return talk(client)


def ask_asgiwire(
    handlers: Handlers, talk: Callable[[TestClient[Litestar]], list[Any]], **options: Any
) -> list[Any]:
    """Return the answers of an application with asgiwire's classes; responses as (status, content)."""
    return [content(answer) for answer in talk_to(handlers, talk, options | ASGIWIRE_CLASSES)]


def ask_both(
    handlers: Handlers, talk: Callable[[TestClient[Litestar]], list[Any]], **options: Any
) -> list[Any]:
    """Return the answers of both applications, which must be equal; responses as (status, content).

    Args:
        handlers: The route handlers, or a function that creates them for each application.
        talk: A function that uses the client and returns the answers.
        **options: The arguments of the applications.
    """
    CREATED.clear()
    with_litestar = talk_to(handlers, talk, options)
    assert not CREATED
    with_asgiwire = talk_to(handlers, talk, options | ASGIWIRE_CLASSES)
    assert CREATED
    CREATED.clear()
    assert [complete(answer) for answer in with_asgiwire] == [complete(answer) for answer in with_litestar]
    return [content(answer) for answer in with_asgiwire]


def content(answer: Any) -> Any:
    if not isinstance(answer, httpx.Response):
        return answer
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    return answer.status_code, answer.json() if is_json else answer.text


def complete(answer: Any) -> Any:
    if not isinstance(answer, httpx.Response):
        return answer
    headers = [
        (name, None if name in RANDOM_HEADERS else value) for name, value in answer.headers.multi_items()
    ]
    return answer.status_code, headers, answer.content
