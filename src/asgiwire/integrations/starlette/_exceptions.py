"""Exceptions with a base class of asgiwire and one of Starlette; see ``integrations/_exceptions.py``."""

from __future__ import annotations

import json
from typing import Any, Final, TypeAlias

import starlette.routing
import starlette.websockets
from starlette.exceptions import HTTPException, WebSocketException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect

from asgiwire import exceptions as ours
from asgiwire.integrations._exceptions import Translation, subclass_of_both

Classes: TypeAlias = dict[type[ours.AsgiwireException], type[Any]]

MAX_REASON_SIZE: Final = 123  # RFC 6455 section 5.5


def _subclasses(
    prefix: str, bases: dict[type[ours.AsgiwireException], tuple[type[Exception], ...]]
) -> Classes:
    """Return a subclass for each exception of asgiwire, and define it in this module for pickle."""
    classes: Classes = {}
    for cls, others in bases.items():
        name = prefix + cls.__name__
        classes[cls] = globals()[name] = subclass_of_both(cls, *others, name=name, module=__name__)
    return classes


# The exceptions that a connection raises, and the exceptions that handlers of an application catch.
SUBCLASSES: Final = _subclasses(
    "",
    {
        # In Starlette, a missing session, user or auth is an AssertionError, and a missing app a KeyError.
        ours.ImproperlyConfiguredException: (AssertionError, KeyError, RuntimeError),
        ours.NoRouteMatchFoundException: (starlette.routing.NoMatchFound, RuntimeError),
        ours.StreamConsumed: (),
        ours.ProtocolError: (RuntimeError,),
        ours.ClientException: (HTTPException,),
        ours.ValidationException: (HTTPException,),
        ours.SerializationException: (HTTPException,),
        ours.RequestEntityTooLarge: (HTTPException,),
        ours.InsufficientStorage: (HTTPException,),
        ours.ClientDisconnect: (ClientDisconnect,),
        ours.WebSocketDisconnect: (starlette.websockets.WebSocketDisconnect,),
    },
)

# Errors of a form. Starlette's parser raises MultiPartException.
FORM_SUBCLASSES: Final = SUBCLASSES | _subclasses(
    "Form",
    {
        ours.ValidationException: (HTTPException, MultiPartException),
        ours.RequestEntityTooLarge: (HTTPException, MultiPartException),
    },
)

# Errors of a WebSocket. Starlette closes the WebSocket if no handler catches them.
SOCKET_SUBCLASSES: Final = SUBCLASSES | _subclasses(
    "WebSocket",
    {
        ours.ClientException: (WebSocketException,),
        ours.ValidationException: (WebSocketException, KeyError),  # Starlette: message["text"]
        ours.SerializationException: (WebSocketException,),
        ours.RequestEntityTooLarge: (WebSocketException,),
    },
)

JSON_ERROR: Final = subclass_of_both(
    ours.SerializationException, HTTPException, json.JSONDecodeError, name="JSON_ERROR", module=__name__
)
SOCKET_JSON_ERROR: Final = subclass_of_both(
    ours.SerializationException,
    WebSocketException,
    json.JSONDecodeError,
    name="SOCKET_JSON_ERROR",
    module=__name__,
)
# In Starlette, a call after the end raises a RuntimeError; in newer versions, a subclass of it.
DISCONNECTED: Final = subclass_of_both(
    ours.WebSocketDisconnect,
    starlette.websockets.WebSocketDisconnect,
    getattr(starlette.websockets, "WebSocketDisconnected", RuntimeError),
    name="DISCONNECTED",
    module=__name__,
)


def json_decode_error(error: json.JSONDecodeError) -> ours.SerializationException:
    """Return a subclass of all three errors, whose message contains no text of the body."""
    both = ours.SerializationException(str(error))
    both.__class__ = JSON_ERROR
    vars(both).update(vars(error))
    return both


def cut_reason(reason: str) -> str:
    """Truncate a close reason to the size of a close frame, at the end of a character."""
    return reason.encode()[:MAX_REASON_SIZE].decode(errors="ignore")


def _begin_as_starlette(error: Any) -> None:
    if isinstance(error, ours.StreamConsumed):
        error.detail = f"Stream consumed: {error.detail}"


def _form_translation(part: str) -> Translation:
    """Return the translation of the errors of a form.

    For the limits that Starlette's ``form()`` has too, the error is a 400 with the message of Starlette and
    FastAPI. For the other limits, it is a 413.
    """
    messages = {
        "max_files": "Too many files. Maximum number of files is {maximum}.",
        "max_fields": "Too many fields. Maximum number of fields is {maximum}.",
        "max_field_size": f"{part} exceeded maximum size of {{kilobytes}}KB.",
    }

    def finish(error: Any) -> None:
        _begin_as_starlette(error)
        if isinstance(error, ours.RequestEntityTooLarge) and error.limit in messages:
            maximum = error.maximum or 0
            error.status_code = 400
            error.detail = messages[error.limit].format(maximum=maximum, kilobytes=maximum // 1024)
        if isinstance(error, MultiPartException):
            error.message = error.detail  # type: ignore[attr-defined]  # it is a ClientException too

    return Translation(FORM_SUBCLASSES, finish)


def _socket_translation(invalid: int) -> Translation:
    """Return the translation of the errors of a WebSocket.

    Args:
        invalid: The close code for a ``ValidationException``: 1003 for a message with the wrong mode, 1007
            for one that does not match a type.
    """

    def finish(error: Any) -> None:
        if not isinstance(error, ours.ClientException):
            return
        code = 1008
        if isinstance(error, ours.ValidationException):
            code = invalid
        elif isinstance(error, ours.SerializationException):
            code = 1007
        elif isinstance(error, ours.RequestEntityTooLarge):
            code = 1009
        vars(error).update(code=code, reason=cut_reason(error.detail))

    return Translation(SOCKET_SUBCLASSES | {JSON_ERROR: SOCKET_JSON_ERROR}, finish)


TRANSLATION: Final = Translation(SUBCLASSES, _begin_as_starlette)
MULTIPART_TRANSLATION: Final = _form_translation("Part")
URLENCODED_TRANSLATION: Final = _form_translation("Field")
SOCKET_TRANSLATION: Final = _socket_translation(invalid=1003)
DECODING_TRANSLATION: Final = _socket_translation(invalid=1007)
