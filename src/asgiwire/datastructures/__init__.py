"""The values of a connection: headers, cookies, multidicts, URL, Accept, state, uploads.

What is made from bytes here is parsed by ``asgiwire._parsers``; what awaits is only a form and its files.
The values of the rare headers are imported when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .accept import Accept
from .address import Address
from .capabilities import Capabilities
from .cookie import Cookie
from .form import FormMultiDict
from .header_values import CacheControlHeader, ETag, Header
from .headers import Headers, MutableScopeHeaders
from .multi_dicts import ImmutableMultiDict, MultiDict, MultiMixin
from .state import ImmutableState, State
from .upload_file import UploadFile
from .url import URL

if TYPE_CHECKING:
    from .authorization import Authorization
    from .conditional import EntityTags, IfMatch, IfNoneMatch, IfRange
    from .preferences import AcceptCharset, AcceptEncoding, AcceptLanguage, Preferences
    from .range import Range
else:
    # Hidden from type checkers, which would take any name for one that is here.
    _MODULES = {
        "AcceptCharset": "preferences",
        "AcceptEncoding": "preferences",
        "AcceptLanguage": "preferences",
        "Authorization": "authorization",
        "EntityTags": "conditional",
        "IfMatch": "conditional",
        "IfNoneMatch": "conditional",
        "IfRange": "conditional",
        "Preferences": "preferences",
        "Range": "range",
    }

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        from importlib import import_module

        value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = (
    "URL",
    "Accept",
    "AcceptCharset",
    "AcceptEncoding",
    "AcceptLanguage",
    "Address",
    "Authorization",
    "CacheControlHeader",
    "Capabilities",
    "Cookie",
    "ETag",
    "EntityTags",
    "FormMultiDict",
    "Header",
    "Headers",
    "IfMatch",
    "IfNoneMatch",
    "IfRange",
    "ImmutableMultiDict",
    "ImmutableState",
    "MultiDict",
    "MultiMixin",
    "MutableScopeHeaders",
    "Preferences",
    "Range",
    "State",
    "UploadFile",
)
