"""Exceptions that subclass one of asgiwire and one of Starlette; see ``integrations/_exceptions.py``."""

from __future__ import annotations

import json
from typing import Any, Final

import starlette.exceptions
import starlette.requests
import starlette.routing
import starlette.websockets
from starlette.formparsers import MultiPartException

from asgiwire import exceptions as ours
from asgiwire.integrations._exceptions import HeadersAsDict, Translation, subclass_of_both

# The exceptions that a connection raises, and the exceptions that handlers of an application catch.
STARLETTE_BASES: Final[dict[type[ours.AsgiwireException], tuple[type[Exception], ...]]] = {
    # Starlette asserts that there is a session, a user and credentials; ["app"] raises KeyError.
    ours.ImproperlyConfiguredException: (AssertionError, KeyError, RuntimeError),
    ours.NoRouteMatchFoundException: (starlette.routing.NoMatchFound, RuntimeError),
    ours.StreamConsumed: (),
    ours.ProtocolError: (RuntimeError,),
    ours.ClientException: (starlette.exceptions.HTTPException,),
    ours.ValidationException: (starlette.exceptions.HTTPException,),
    ours.SerializationException: (starlette.exceptions.HTTPException,),
    ours.RequestEntityTooLarge: (starlette.exceptions.HTTPException,),
    ours.ClientDisconnect: (starlette.requests.ClientDisconnect,),
    ours.WebSocketDisconnect: (starlette.websockets.WebSocketDisconnect,),
}

MAX_REASON_SIZE: Final = 123  # RFC 6455 section 5.5

SUBCLASSES: Final = {
    cls: subclass_of_both(cls, *bases, module=__name__) for cls, bases in STARLETTE_BASES.items()
}
# Pickle looks a class up by its name in its module.
globals().update({cls.__name__: cls for cls in SUBCLASSES.values()})


def _name_the_cause(error: Any) -> None:
    """Begin the message of a ``StreamConsumed`` with the text of Starlette's ``RuntimeError``."""
    if isinstance(error, ours.StreamConsumed):
        error.detail = f"Stream consumed: {error.detail}"


TRANSLATION: Final = Translation(SUBCLASSES, _name_the_cause)


class JSONDecodeError(SUBCLASSES[ours.SerializationException], json.JSONDecodeError):  # type: ignore[misc]  # a computed base
    """The body is not JSON; FastAPI answers a ``json.JSONDecodeError`` with its own 422."""


def json_decode_error(error: json.JSONDecodeError) -> Exception:
    """Return the error of the standard library as one of all three; its message holds no text of the body."""
    both: Any = ours.SerializationException(str(error))
    both.__class__ = JSONDecodeError
    both.__dict__.update(vars(error))
    return both


class _FormError(MultiPartException):
    """Starlette's exception for every error of a form."""

    @property
    def message(self: Any) -> Any:
        """The detail, under the name that Starlette's parser uses."""
        return self.detail


class MalformedForm(SUBCLASSES[ours.ValidationException], _FormError):  # type: ignore[misc]  # as above
    """The form is malformed or has an invalid boundary."""


class FormTooLarge(SUBCLASSES[ours.RequestEntityTooLarge], _FormError):  # type: ignore[misc]  # as above
    """The form exceeds a limit.

    For the limits that Starlette's ``form()`` has too, the response is Starlette's and FastAPI's: a 400 with
    their message. For the others it is a 413.
    """


FORM_SUBCLASSES: Final = {
    **SUBCLASSES,
    ours.ValidationException: MalformedForm,
    ours.RequestEntityTooLarge: FormTooLarge,
}


def _form_translation(part: str) -> Translation:
    messages = {
        "max_files": "Too many files. Maximum number of files is {maximum}.",
        "max_fields": "Too many fields. Maximum number of fields is {maximum}.",
        "max_field_size": f"{part} exceeded maximum size of {{kilobytes}}KB.",
    }

    def finish(error: Any) -> None:
        _name_the_cause(error)
        message = messages.get(error.limit) if isinstance(error, FormTooLarge) else None
        if message is not None:
            error.status_code = 400
            error.detail = message.format(maximum=error.maximum, kilobytes=error.maximum // 1024)

    return Translation(FORM_SUBCLASSES, finish)


MULTIPART_TRANSLATION: Final = _form_translation("Part")
URLENCODED_TRANSLATION: Final = _form_translation("Field")


class WebSocketDisconnected(  # type: ignore[misc]  # as above
    SUBCLASSES[ours.WebSocketDisconnect], starlette.websockets.WebSocketDisconnected
):
    """The WebSocket was closed before the call. In Starlette it is a ``RuntimeError``."""


class _SocketError(HeadersAsDict):
    """Attributes that the ``WebSocketException`` of Starlette has."""

    code: int = 1008

    @property
    def reason(self: Any) -> str:
        """The detail, cut to what a close frame can hold."""
        detail: str = self.detail
        return detail.encode()[:MAX_REASON_SIZE].decode(errors="ignore")


class InvalidMessage(
    _SocketError, ours.ValidationException, starlette.exceptions.WebSocketException, KeyError
):
    """The message is of the other kind; Starlette raises a ``KeyError``."""

    code = 1003


class MessageTooLarge(_SocketError, ours.RequestEntityTooLarge, starlette.exceptions.WebSocketException):
    """The message exceeds a limit."""

    code = 1009


class InvalidData(_SocketError, ours.ValidationException, starlette.exceptions.WebSocketException):
    """The message does not match the type."""

    code = 1007


class UndecodableData(_SocketError, ours.SerializationException, starlette.exceptions.WebSocketException):
    """The message cannot be decoded."""

    code = 1007


class UndecodableJSON(UndecodableData, json.JSONDecodeError):
    """The message is not JSON."""


class SocketClientException(_SocketError, ours.ClientException, starlette.exceptions.WebSocketException):
    """Another error of the client."""


# Of a WebSocket, an exception that nobody handles closes it with a code that fits.
SOCKET_TRANSLATION: Final = Translation(
    {
        **SUBCLASSES,
        ours.ClientException: SocketClientException,
        ours.ValidationException: InvalidMessage,
        ours.SerializationException: UndecodableData,
        ours.RequestEntityTooLarge: MessageTooLarge,
    }
)
DECODING_TRANSLATION: Final = Translation(
    {
        **SUBCLASSES,
        ours.ValidationException: InvalidData,
        ours.SerializationException: UndecodableData,
        ours.RequestEntityTooLarge: MessageTooLarge,
        JSONDecodeError: UndecodableJSON,
    }
)
