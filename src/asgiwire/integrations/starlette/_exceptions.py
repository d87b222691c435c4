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
from asgiwire.integrations._exceptions import Translation, subclass_of_both

# The exceptions that a connection raises, and the exceptions that handlers of an application catch.
STARLETTE_BASES: Final[dict[type[ours.AsgiwireException], tuple[type[Exception], ...]]] = {
    # Starlette asserts that there is a session, a user and credentials; ["app"] raises KeyError.
    ours.ImproperlyConfiguredException: (AssertionError, KeyError, RuntimeError),
    ours.NoRouteMatchFoundException: (starlette.routing.NoMatchFound,),
    ours.ProtocolError: (RuntimeError,),
    ours.ClientException: (starlette.exceptions.HTTPException,),
    ours.ValidationException: (starlette.exceptions.HTTPException,),
    ours.SerializationException: (starlette.exceptions.HTTPException,),
    ours.RequestEntityTooLarge: (starlette.exceptions.HTTPException,),
    ours.ClientDisconnect: (starlette.requests.ClientDisconnect,),
}

SUBCLASSES: Final = {
    cls: subclass_of_both(cls, *bases, module=__name__) for cls, bases in STARLETTE_BASES.items()
}
# Pickle looks a class up by its name in its module.
globals().update({cls.__name__: cls for cls in SUBCLASSES.values()})

TRANSLATION: Final = Translation(SUBCLASSES)


class JSONDecodeError(SUBCLASSES[ours.SerializationException], json.JSONDecodeError):  # type: ignore[misc]  # a computed base
    """The body is not JSON; FastAPI answers a ``json.JSONDecodeError`` with its own 422."""


def json_decode_error(error: json.JSONDecodeError) -> Exception:
    """Return the error of the standard library as one of all three; its message holds no text of the body."""
    both: Any = ours.SerializationException(str(error))
    both.__class__ = JSONDecodeError
    both.__dict__.update(vars(error))
    return both


class MalformedForm(SUBCLASSES[ours.ValidationException], MultiPartException):  # type: ignore[misc]  # as above
    """The form is malformed or has an invalid boundary."""

    @property
    def message(self) -> Any:
        """The detail, under the name that Starlette's parser uses."""
        return self.detail


# Errors of a form are those of Starlette's parser too.
FORM_TRANSLATION: Final = Translation({**SUBCLASSES, ours.ValidationException: MalformedForm})
