"""Data structures of a connection: headers, cookies, multidicts, URL, Accept, state, uploads.

Each class is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .accept import Accept
    from .address import Address
    from .authorization import Authorization
    from .cache_control import RequestCacheControl
    from .capabilities import Capabilities
    from .conditional import EntityTags, IfMatch, IfNoneMatch, IfRange
    from .cookie import Cookie
    from .form import FormMultiDict
    from .header_values import CacheControlHeader, ETag, Header
    from .headers import Headers
    from .multi_dicts import ImmutableMultiDict, MultiDict, MultiMixin
    from .mutable_scope_headers import MutableScopeHeaders
    from .preferences import AcceptCharset, AcceptEncoding, AcceptLanguage, Preferences
    from .range import Range
    from .state import ImmutableState, State
    from .tls import TLS
    from .upload_file import UploadFile
    from .url import URL
else:
    # Hidden from type checkers, for which a module with `__getattr__` has every name.
    _MODULES = {
        "TLS": "tls",
        "URL": "url",
        "Accept": "accept",
        "AcceptCharset": "preferences",
        "AcceptEncoding": "preferences",
        "AcceptLanguage": "preferences",
        "Address": "address",
        "Authorization": "authorization",
        "CacheControlHeader": "header_values",
        "Capabilities": "capabilities",
        "Cookie": "cookie",
        "ETag": "header_values",
        "EntityTags": "conditional",
        "FormMultiDict": "form",
        "Header": "header_values",
        "Headers": "headers",
        "IfMatch": "conditional",
        "IfNoneMatch": "conditional",
        "IfRange": "conditional",
        "ImmutableMultiDict": "multi_dicts",
        "ImmutableState": "state",
        "MultiDict": "multi_dicts",
        "MultiMixin": "multi_dicts",
        "MutableScopeHeaders": "mutable_scope_headers",
        "Preferences": "preferences",
        "Range": "range",
        "RequestCacheControl": "cache_control",
        "State": "state",
        "UploadFile": "upload_file",
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
    "TLS",
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
    "RequestCacheControl",
    "State",
    "UploadFile",
)
