"""One application with Litestar's connection classes and with ours, and the same conversation with both.

The two have to answer alike to the last header; what the answers are is for the test to say.
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

# What differs from one run to the next by itself.
UNLIKE = {"set-cookie"}

MADE: list[type] = []


class SeenRequest(Request[Any, Any, Any]):
    """Ours, and it is known whether Litestar has made one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        MADE.append(Request)
        super().__init__(*args, **kwargs)


class SeenWebSocket(WebSocket[Any, Any, Any]):
    """As above."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        MADE.append(WebSocket)
        super().__init__(*args, **kwargs)


OURS: dict[str, Any] = {"request_class": SeenRequest, "websocket_class": SeenWebSocket}


def talk_to(
    handlers: Handlers, talk: Callable[[TestClient[Litestar]], list[Any]], options: dict[str, Any]
) -> list[Any]:
    made = handlers() if callable(handlers) else handlers
    app = Litestar(list(made), **{"openapi_config": None, "logging_config": None, **options})
    with TestClient(app, raise_server_exceptions=False) as client:
        return talk(client)


def ours(handlers: Handlers, talk: Callable[[TestClient[Litestar]], list[Any]], **options: Any) -> list[Any]:
    """What an application with our classes answers: responses as (status, content)."""
    return [content(answer) for answer in talk_to(handlers, talk, options | OURS)]


def twice(handlers: Handlers, talk: Callable[[TestClient[Litestar]], list[Any]], **options: Any) -> list[Any]:
    """What the two applications answer: responses as (status, content), anything else as it is.

    Args:
        handlers: The route handlers of both, or what makes them for each.
        talk: Uses the client that it is given, and returns what came.
        **options: Those of the application.
    """
    MADE.clear()
    theirs = talk_to(handlers, talk, options)
    assert not MADE
    mine = talk_to(handlers, talk, options | OURS)
    assert MADE
    MADE.clear()
    assert [whole(answer) for answer in mine] == [whole(answer) for answer in theirs]
    return [content(answer) for answer in mine]


def content(answer: Any) -> Any:
    if not isinstance(answer, httpx.Response):
        return answer
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    return answer.status_code, answer.json() if is_json else answer.text


def whole(answer: Any) -> Any:
    if not isinstance(answer, httpx.Response):
        return answer
    headers = [(name, None if name in UNLIKE else value) for name, value in answer.headers.multi_items()]
    return answer.status_code, headers, answer.content
