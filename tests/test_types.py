"""``Empty``, and the keys of the TypedDicts according to the ASGI specification."""

from __future__ import annotations

import copy
import pickle
from typing import NotRequired, get_origin, get_type_hints, is_typeddict

import pytest

from asgiwire import types
from asgiwire.types import Empty, EmptyType

SCOPE_OPTIONAL = "asgi raw_path root_path client server state extensions http_version scheme query_string"

# By TypedDict: the message type, the required keys, the optional keys.
EVENTS = {
    "HTTPScope": ("http", "path headers method", SCOPE_OPTIONAL),
    "WebSocketScope": ("websocket", "path headers", f"{SCOPE_OPTIONAL} subprotocols"),
    "LifespanScope": ("lifespan", "", "asgi state"),
    "LifespanStartupEvent": ("lifespan.startup", "", ""),
    "LifespanStartupCompleteEvent": ("lifespan.startup.complete", "", ""),
    "LifespanStartupFailedEvent": ("lifespan.startup.failed", "", "message"),
    "LifespanShutdownEvent": ("lifespan.shutdown", "", ""),
    "LifespanShutdownCompleteEvent": ("lifespan.shutdown.complete", "", ""),
    "LifespanShutdownFailedEvent": ("lifespan.shutdown.failed", "", "message"),
    "HTTPRequestEvent": ("http.request", "", "body more_body"),
    "HTTPDisconnectEvent": ("http.disconnect", "", ""),
    "HTTPResponseStartEvent": ("http.response.start", "status", "headers trailers"),
    "HTTPResponseBodyEvent": ("http.response.body", "", "body more_body"),
    "HTTPResponseTrailersEvent": ("http.response.trailers", "headers", "more_trailers"),
    "HTTPServerPushEvent": ("http.response.push", "path headers", ""),
    "HTTPEarlyHintEvent": ("http.response.early_hint", "links", ""),
    "HTTPResponsePathsendEvent": ("http.response.pathsend", "path", ""),
    "HTTPResponseDebugEvent": ("http.response.debug", "info", ""),
    "HTTPZeroCopySendEvent": ("http.response.zerocopysend", "file", "offset count more_body"),
    "WebSocketConnectEvent": ("websocket.connect", "", ""),
    "WebSocketAcceptEvent": ("websocket.accept", "", "subprotocol headers"),
    "WebSocketReceiveEvent": ("websocket.receive", "", "bytes text"),
    "WebSocketSendEvent": ("websocket.send", "", "bytes text"),
    "WebSocketDisconnectEvent": ("websocket.disconnect", "", "code reason"),
    "WebSocketCloseEvent": ("websocket.close", "", "code reason"),
    "WebSocketResponseStartEvent": ("websocket.http.response.start", "status headers", ""),
    "WebSocketResponseBodyEvent": ("websocket.http.response.body", "body", "more_body"),
}


def test_table_is_complete() -> None:
    exported = {name for name in types.__all__ if is_typeddict(getattr(types, name))}
    assert exported - {"ASGIVersions"} == EVENTS.keys()


@pytest.mark.parametrize(("name", "row"), EVENTS.items(), ids=EVENTS)
def test_event_keys(name: str, row: tuple[str, str, str]) -> None:
    message_type, required, optional = row
    hints = get_type_hints(getattr(types, name), include_extras=True)
    assert hints.pop("type").__args__ == (message_type,)
    assert {key for key, hint in hints.items() if get_origin(hint) is not NotRequired} == set(
        required.split()
    )
    assert {key for key, hint in hints.items() if get_origin(hint) is NotRequired} == set(optional.split())


def test_asgi_versions() -> None:
    hints = get_type_hints(types.ASGIVersions, include_extras=True)
    assert get_origin(hints["spec_version"]) is NotRequired
    assert hints["version"] is str


def test_empty() -> None:
    assert not Empty
    assert repr(Empty) == "Empty"
    assert isinstance(Empty, EmptyType)


@pytest.mark.parametrize("protocol", range(6))
def test_empty_is_a_singleton_after_pickling(protocol: int) -> None:
    assert pickle.loads(pickle.dumps({"session": Empty}, protocol))["session"] is Empty


def test_empty_is_a_singleton_after_copying() -> None:
    assert copy.copy(Empty) is Empty
    assert copy.deepcopy([Empty])[0] is Empty
