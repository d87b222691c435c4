"""Exceptions that subclass one of asgiwire and one of Litestar; see ``integrations/_exceptions.py``."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import litestar.exceptions as theirs
from litestar.exceptions.http_exceptions import RequestEntityTooLarge as LitestarRequestEntityTooLarge

from asgiwire import exceptions as ours
from asgiwire.integrations._exceptions import Translation, subclass_of_both


class _HTTPExceptionDefaults:
    """Attributes that ``HTTPException.__init__`` of Litestar would set."""

    headers: ClassVar[dict[str, str] | None] = None  # of one that is not a ClientException
    extra: ClassVar[dict[str, Any] | list[Any] | None] = None


# The exceptions that a connection object raises, and the exceptions that a Litestar application expects.
LITESTAR_BASES: Final[dict[type[ours.AsgiwireException], tuple[type[theirs.LitestarException], ...]]] = {
    ours.InternalServerException: (theirs.InternalServerException,),
    ours.UsageError: (theirs.InternalServerException,),
    ours.ImproperlyConfiguredException: (theirs.ImproperlyConfiguredException,),
    ours.MissingCallableError: (theirs.ImproperlyConfiguredException,),
    ours.NoRouteMatchFoundException: (theirs.NoRouteMatchFoundException,),
    ours.StreamConsumed: (theirs.InternalServerException,),
    ours.WebSocketStateError: (theirs.InternalServerException,),
    ours.ProtocolError: (theirs.InternalServerException,),
    ours.ClientException: (theirs.ClientException,),
    ours.ValidationException: (theirs.ValidationException,),
    ours.SerializationException: (theirs.ClientException, theirs.SerializationException),
    ours.RequestEntityTooLarge: (LitestarRequestEntityTooLarge,),
    ours.InsufficientStorage: (theirs.HTTPException,),
    ours.WebSocketException: (theirs.WebSocketException,),
    ours.WebSocketDisconnect: (theirs.WebSocketDisconnect,),
    # Litestar answers it with a 500, which no client receives.
    ours.ClientDisconnect: (theirs.InternalServerException,),
}


def _subclass(cls: type[ours.AsgiwireException], bases: tuple[type, ...]) -> type[Any]:
    defaults = (_HTTPExceptionDefaults,) if issubclass(bases[0], theirs.HTTPException) else ()
    return subclass_of_both(cls, *defaults, *bases, name=cls.__name__, module=__name__)


SUBCLASSES: Final = {cls: _subclass(cls, bases) for cls, bases in LITESTAR_BASES.items()}
# Pickle looks a class up by its name in its module.
globals().update({cls.__name__: cls for cls in SUBCLASSES.values()})

# The limits that are settings of Litestar.
SETTINGS: Final = {
    "max_body_size": "request_max_body_size",
    "max_fields": "multipart_form_part_limit",
    "max_files": "multipart_form_part_limit",
}


def _name_the_setting(error: ours.AsgiwireException) -> None:
    """Replace the default text, which names a class attribute of asgiwire, if the limit is a setting."""
    if not isinstance(error, ours.RequestEntityTooLarge):
        return
    default = ours.RequestEntityTooLarge(limit=error.limit, maximum=error.maximum)
    setting = SETTINGS.get(error.limit)
    if setting is not None and error.detail == default.detail:
        error.detail = (
            f"the request exceeds {error.limit}={error.maximum}; raise it with Litestar's {setting}"
        )


TRANSLATION: Final = Translation(SUBCLASSES, _name_the_setting)
translated: Final = TRANSLATION.wrap
