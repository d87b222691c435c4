"""JSON as in Starlette: decoded by msgspec, or by ``json.loads()`` if only that accepts it."""

from __future__ import annotations

import json
from typing import Any

from asgiwire.exceptions import SerializationException, ValidationException
from asgiwire.serialization import decode_json

from ._exceptions import json_decode_error


def load_json(document: bytes | str) -> Any:
    """Decode a document.

    Raises:
        SerializationException: It is malformed; also a ``json.JSONDecodeError``, with position.
    """
    if document:
        try:
            return decode_json(document)
        except (SerializationException, ValidationException):
            pass  # json.loads() accepts NaN, numbers beyond the range of a float, lone surrogates and UTF-16
    try:
        return json.loads(document)
    except json.JSONDecodeError as error:
        raise json_decode_error(error) from None
    except (RecursionError, UnicodeDecodeError) as error:
        msg = "the JSON is nested too deep" if isinstance(error, RecursionError) else "the JSON is not UTF-8"
        raise SerializationException(msg) from None
