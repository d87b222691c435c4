"""Exceptions: class tree, messages, values, copies and pickles."""

from __future__ import annotations

import copy
import pickle
from typing import Any, TypeAlias

import pytest
from multidict import MultiDict

from asgiwire import exceptions
from asgiwire.exceptions import (
    AsgiwireException,
    AsgiwireWarning,
    ClientDisconnect,
    ClientException,
    Disconnected,
    ImproperlyConfiguredException,
    InsufficientStorage,
    InternalServerException,
    MissingCallableError,
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
    MissingCallableError: (ImproperlyConfiguredException, RuntimeError),
    NoRouteMatchFoundException: (UsageError, LookupError),
    StreamConsumed: (UsageError, RuntimeError),
    WebSocketStateError: (UsageError, RuntimeError),
    ProtocolError: (InternalServerException,),
    ClientException: (AsgiwireException,),
    ValidationException: (ClientException, ValueError),
    SerializationException: (ClientException, ValueError),
    InsufficientStorage: (ClientException,),
    RequestEntityTooLarge: (ClientException,),
    WebSocketException: (AsgiwireException,),
    WebSocketDisconnect: (WebSocketException, Disconnected),
    Disconnected: (AsgiwireException,),
    ClientDisconnect: (Disconnected,),
}

CHALLENGE = {"WWW-Authenticate": "Bearer"}

MESSAGES = {
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
        "'websocket.accept' is not allowed in state 'disconnect', no further event is allowed",
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
    "client-headers": (ClientException("no token", status_code=401, headers=CHALLENGE), "no token"),
    "validation-headers": (ValidationException("no", headers=list(CHALLENGE.items())), "no"),
    "too-large": (RequestEntityTooLarge(), "Request Entity Too Large"),
    "too-large-limit": (
        RequestEntityTooLarge(limit="max_fields", maximum=1000),
        "the request exceeds max_fields=1000; raise it with Limits(max_fields=...) on the class",
    ),
    "too-large-detail": (RequestEntityTooLarge("too much", limit="max_fields", maximum=1), "too much"),
    "disconnect": (ClientDisconnect(), "the client disconnected before the request body was complete"),
    "socket": (WebSocketException("bad greeting"), "bad greeting"),
    "closed": (WebSocketDisconnect(), "the WebSocket is closed (code 1000)"),
    "closed-reason": (
        WebSocketDisconnect(code=1001, reason="going away"),
        "the WebSocket is closed (code 1001, reason 'going away')",
    ),
    "closed-detail": (WebSocketDisconnect("connection lost", 1006), "connection lost (code 1006)"),
}


def test_tree_is_complete() -> None:
    assert sorted(cls.__name__ for cls in TREE) == sorted(exceptions.__all__)


@pytest.mark.parametrize(("cls", "bases"), TREE.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_tree(cls: type[BaseException], bases: Bases) -> None:
    assert cls.__bases__ == bases


@pytest.mark.parametrize(("cls", "bases"), TREE.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_class_is_in_the_tree_of_the_docstring(cls: type[BaseException], bases: Bases) -> None:
    assert exceptions.__doc__ is not None
    (line, *_) = (line for line in exceptions.__doc__.splitlines() if f"{cls.__name__} " in f"{line} ")
    if cls is AsgiwireWarning:
        assert "a UserWarning" in line
        return
    builtin = [base.__name__ for base in bases if base.__module__ == "builtins" and base is not Exception]
    assert [name for name in builtin if f"(also {name})" not in line] == []


@pytest.mark.parametrize(("exception", "message"), MESSAGES.values(), ids=MESSAGES)
def test_message(exception: AsgiwireException, message: str) -> None:
    assert str(exception) == message


@pytest.mark.parametrize(("exception", "message"), MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize(
    "duplicate",
    [
        copy.copy,
        copy.deepcopy,
        *(lambda e, p=protocol: pickle.loads(pickle.dumps(e, p)) for protocol in range(6)),
    ],
    ids=["copy", "deepcopy", *(f"pickle{protocol}" for protocol in range(6))],
)
def test_values_are_copied_and_pickled(duplicate: object, exception: AsgiwireException, message: str) -> None:
    assert callable(duplicate)
    copied = duplicate(exception)
    assert type(copied) is type(exception)
    assert vars(copied) == vars(exception)
    assert copied.args == exception.args
    assert str(copied) == message


@pytest.mark.parametrize(
    ("exception", "status_code"),
    [
        (ClientException(), 400),
        (ValidationException(), 400),
        (SerializationException(), 400),
        (RequestEntityTooLarge(), 413),
        (InsufficientStorage(), 507),
        (ClientException(status_code=415), 415),
        (InternalServerException(), 500),
        (UsageError(), 500),
        (ProtocolError(message_type="x", expected=()), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_status_code(exception: ClientException | InternalServerException, status_code: int) -> None:
    assert exception.status_code == status_code


def test_status_code_of_an_instance() -> None:
    ClientException(status_code=415)
    assert ClientException.status_code == 400


@pytest.mark.parametrize("cls", [cls for cls in TREE if issubclass(cls, ClientException)])
class TestHeaders:
    def test_default(self, cls: type[ClientException]) -> None:
        assert cls().headers == cls("no", headers={}).headers == ()

    @pytest.mark.parametrize(
        "headers",
        [
            {"Retry-After": "5", "Allow": "GET"},
            [("Retry-After", "5"), ("Allow", "GET")],
            {"Retry-After": "5", "Allow": "GET"}.items(),
            [["Retry-After", "5"], ["Allow", "GET"]],
            MultiDict([("Retry-After", "5"), ("Allow", "GET")]),
        ],
        ids=["mapping", "pairs", "view", "lists", "multidict"],
    )
    def test_mapping_or_pairs(self, cls: type[ClientException], headers: Any) -> None:
        exception = cls("no", headers=headers)
        assert exception.headers == (("Retry-After", "5"), ("Allow", "GET"))
        assert hash(exception.headers)
        assert "Retry-After" not in str(exception)

    def test_iterator(self, cls: type[ClientException]) -> None:
        assert cls("no", headers=iter(CHALLENGE.items())).headers == (("WWW-Authenticate", "Bearer"),)

    def test_duplicates(self, cls: type[ClientException]) -> None:
        challenges = [("WWW-Authenticate", "Basic"), ("WWW-Authenticate", "Bearer")]
        assert cls("no", headers=MultiDict(challenges)).headers == tuple(challenges)

    def test_pickle(self, cls: type[ClientException]) -> None:
        exception = cls("no", headers=CHALLENGE)
        assert pickle.loads(pickle.dumps(exception)).headers == (("WWW-Authenticate", "Bearer"),)

    def test_class_is_unchanged(self, cls: type[ClientException]) -> None:
        cls("no", headers=CHALLENGE)
        assert cls.headers == ()

    def test_subclass_can_define_headers(self, cls: type[ClientException]) -> None:
        class Unauthorized(cls):  # type: ignore[valid-type, misc]  # mypy needs a static base class
            status_code = 401
            headers = (("WWW-Authenticate", "Basic"),)

        assert Unauthorized("no").headers == (("WWW-Authenticate", "Basic"),)
        assert Unauthorized("no", headers=CHALLENGE).headers == (("WWW-Authenticate", "Bearer"),)


@pytest.mark.parametrize("cls", [cls for cls in TREE if issubclass(cls, Disconnected)])
def test_disconnects_have_no_status_code(cls: type[Disconnected]) -> None:
    """An exception handler that reads ``status_code`` must not send a response to a disconnected client."""
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


def test_keywords_of_websocket_disconnect() -> None:
    exception = WebSocketDisconnect(detail="disconnect event", code=1001)
    assert (exception.detail, exception.code, exception.reason) == ("disconnect event", 1001, "")


def test_values() -> None:
    state = WebSocketStateError(event="websocket.send", state="init", expected=("websocket.accept",))
    assert (state.event, state.state, state.expected) == ("websocket.send", "init", ("websocket.accept",))
    protocol = ProtocolError(message_type="x", expected=("y",))
    assert (protocol.message_type, protocol.expected) == ("x", ("y",))
    too_large = RequestEntityTooLarge(limit="max_files", maximum=2)
    assert (too_large.limit, too_large.maximum) == ("max_files", 2)
    assert too_large.detail == str(too_large)
    assert StreamConsumed(consumer="multipart()").consumer == "multipart()"
    assert NoRouteMatchFoundException(name="user").name == "user"


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("a" * 200, "a" * 200),
        ("a" * 201, "a" * 197 + "..."),
        ("a" * 5_000_000, "a" * 197 + "..."),
        ("a\r\n\0b\x7f\x85\u2028c\td", "a b c d"),
        ("\n" * 500, " "),
    ],
    ids=["200", "201", "5 MB", "controls", "500 controls"],
)
@pytest.mark.parametrize("cls", [ClientException, ValidationException, RequestEntityTooLarge])
def test_detail_of_a_client_exception_is_short_and_one_line(
    cls: type[ClientException], detail: str, shown: str
) -> None:
    error = cls(detail)
    assert error.detail == str(error) == shown
    assert pickle.loads(pickle.dumps(error)).detail == shown
