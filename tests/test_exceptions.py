"""The exceptions: who can catch what, each sentence to the letter, and the way through a pickle."""

from __future__ import annotations

import copy
import pickle
from typing import TypeAlias

import pytest

from asgiwire import exceptions
from asgiwire.exceptions import (
    AsgiwireException,
    AsgiwireWarning,
    ClientDisconnect,
    ClientException,
    Disconnected,
    ImproperlyConfiguredException,
    InternalServerException,
    NoRouteMatchFoundException,
    ProtocolError,
    RequestEntityTooLarge,
    SerializationException,
    StreamConsumed,
    UsageError,
    ValidationException,
    WebSocketDisconnect,
    WebSocketException,
    WebSocketStateError,
)

Bases: TypeAlias = tuple[type[BaseException], ...]

TREE: dict[type[BaseException], Bases] = {
    AsgiwireWarning: (UserWarning,),
    AsgiwireException: (Exception,),
    InternalServerException: (AsgiwireException,),
    UsageError: (InternalServerException,),
    ImproperlyConfiguredException: (UsageError, ValueError),
    NoRouteMatchFoundException: (UsageError, LookupError),
    StreamConsumed: (UsageError, RuntimeError),
    WebSocketStateError: (UsageError, RuntimeError),
    ProtocolError: (InternalServerException,),
    ClientException: (AsgiwireException,),
    ValidationException: (ClientException, ValueError),
    SerializationException: (ClientException, ValueError),
    RequestEntityTooLarge: (ClientException,),
    WebSocketException: (AsgiwireException,),
    WebSocketDisconnect: (WebSocketException, Disconnected),
    Disconnected: (AsgiwireException,),
    ClientDisconnect: (Disconnected,),
}

SENTENCES = {
    "plain": (AsgiwireException("no"), "no"),
    "route": (NoRouteMatchFoundException(name="user"), "no route matches 'user'"),
    "route-detail": (NoRouteMatchFoundException("user needs id", name="user"), "user needs id"),
    "consumed": (StreamConsumed(), "the request body was consumed by stream()"),
    "consumed-by-form": (StreamConsumed(consumer="form()"), "the request body was consumed by form()"),
    "consumed-detail": (StreamConsumed("being streamed", consumer="tee()"), "being streamed"),
    "state": (
        WebSocketStateError(
            event="websocket.send", state="init", expected=("websocket.accept", "websocket.close")
        ),
        "'websocket.send' is not allowed in state 'init', expected 'websocket.accept' or 'websocket.close'",
    ),
    "state-final": (
        WebSocketStateError(event="websocket.accept", state="disconnect"),
        "'websocket.accept' is not allowed in state 'disconnect', nothing is allowed any more",
    ),
    "state-detail": (
        WebSocketStateError("one reader at a time", event="receive", state="connect"),
        "one reader at a time",
    ),
    "protocol": (
        ProtocolError(message_type="http.reqest", expected=("http.request", "http.disconnect")),
        "unexpected ASGI message type 'http.reqest', expected 'http.request' or 'http.disconnect'",
    ),
    "protocol-none": (
        ProtocolError(message_type=None, expected=("http.request",)),
        "unexpected ASGI message type None, expected 'http.request'",
    ),
    "client": (ClientException(), "Bad Request"),
    "client-detail": (ClientException("Invalid content-length: '-1'"), "Invalid content-length: '-1'"),
    "too-large": (RequestEntityTooLarge(), "Request Entity Too Large"),
    "too-large-limit": (
        RequestEntityTooLarge(limit="max_fields", maximum=1000),
        "the request exceeds max_fields=1000; raise it with Limits(max_fields=...) on the class",
    ),
    "too-large-detail": (RequestEntityTooLarge("too much", limit="max_fields", maximum=1), "too much"),
    "left": (ClientDisconnect(), "the client disconnected before the request body was complete"),
    "socket": (WebSocketException("bad greeting"), "bad greeting"),
    "closed": (WebSocketDisconnect(), "the WebSocket is closed (code 1000)"),
    "closed-reason": (
        WebSocketDisconnect(code=1001, reason="going away"),
        "the WebSocket is closed (code 1001, reason 'going away')",
    ),
    "closed-detail": (WebSocketDisconnect("the client left", 1006), "the client left (code 1006)"),
}


def test_the_tree_is_whole() -> None:
    assert sorted(cls.__name__ for cls in TREE) == sorted(exceptions.__all__)


@pytest.mark.parametrize(("cls", "bases"), TREE.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_tree(cls: type[BaseException], bases: Bases) -> None:
    assert cls.__bases__ == bases


@pytest.mark.parametrize(("cls", "bases"), TREE.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_the_drawing_shows_the_class(cls: type[BaseException], bases: Bases) -> None:
    assert exceptions.__doc__ is not None
    (line, *_) = (line for line in exceptions.__doc__.splitlines() if f"{cls.__name__} " in f"{line} ")
    if cls is AsgiwireWarning:
        assert "a UserWarning" in line
        return
    builtin = [base.__name__ for base in bases if base.__module__ == "builtins" and base is not Exception]
    assert [name for name in builtin if f"(also {name})" not in line] == []


@pytest.mark.parametrize(("exception", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_sentence(exception: AsgiwireException, sentence: str) -> None:
    assert str(exception) == sentence


@pytest.mark.parametrize(("exception", "sentence"), SENTENCES.values(), ids=SENTENCES)
@pytest.mark.parametrize(
    "travel",
    [
        copy.copy,
        copy.deepcopy,
        *(lambda e, p=protocol: pickle.loads(pickle.dumps(e, p)) for protocol in range(6)),
    ],
    ids=["copy", "deepcopy", *(f"pickle{protocol}" for protocol in range(6))],
)
def test_values_survive_copies_and_pickles(
    travel: object, exception: AsgiwireException, sentence: str
) -> None:
    assert callable(travel)
    arrived = travel(exception)
    assert type(arrived) is type(exception)
    assert vars(arrived) == vars(exception)
    assert arrived.args == exception.args
    assert str(arrived) == sentence


@pytest.mark.parametrize(
    ("exception", "status_code"),
    [
        (ClientException(), 400),
        (ValidationException(), 400),
        (SerializationException(), 400),
        (RequestEntityTooLarge(), 413),
        (ClientException(status_code=415), 415),
        (InternalServerException(), 500),
        (UsageError(), 500),
        (ProtocolError(message_type="x", expected=()), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_status_code(exception: ClientException | InternalServerException, status_code: int) -> None:
    assert exception.status_code == status_code


def test_a_status_code_of_one_exception_is_its_own() -> None:
    ClientException(status_code=415)
    assert ClientException.status_code == 400


@pytest.mark.parametrize("cls", [cls for cls in TREE if issubclass(cls, Disconnected)])
def test_a_peer_that_left_has_no_status(cls: type[Disconnected]) -> None:
    """Nobody is there to answer, so a handler that answers from ``status_code`` must not find one."""
    assert not hasattr(cls, "status_code")


@pytest.mark.parametrize(
    ("exception", "code"),
    [
        (WebSocketException("x"), 4500),
        (WebSocketException("x", 4001), 4001),
        (WebSocketException("x", 0), 0),
        (WebSocketDisconnect(), 1000),
        (WebSocketDisconnect(detail="gone", code=1006), 1006),
    ],
)
def test_close_code(exception: WebSocketException, code: int) -> None:
    assert exception.code == code


def test_the_published_keywords_of_a_disconnect() -> None:
    exception = WebSocketDisconnect(detail="disconnect event", code=1001)
    assert (exception.detail, exception.code, exception.reason) == ("disconnect event", 1001, "")


def test_values_are_kept() -> None:
    state = WebSocketStateError(event="websocket.send", state="init", expected=("websocket.accept",))
    assert (state.event, state.state, state.expected) == ("websocket.send", "init", ("websocket.accept",))
    protocol = ProtocolError(message_type="x", expected=("y",))
    assert (protocol.message_type, protocol.expected) == ("x", ("y",))
    too_large = RequestEntityTooLarge(limit="max_files", maximum=2)
    assert (too_large.limit, too_large.maximum) == ("max_files", 2)
    assert too_large.detail == str(too_large)
    assert StreamConsumed(consumer="multipart()").consumer == "multipart()"
    assert NoRouteMatchFoundException(name="user").name == "user"
