"""The values of a connection: headers, cookies, multidicts, URL, Accept, state, uploads.

What is made from bytes here is parsed by ``asgiwire._parsers``; what awaits is only a form and its files.
"""

from __future__ import annotations

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

__all__ = (
    "URL",
    "Accept",
    "Address",
    "CacheControlHeader",
    "Capabilities",
    "Cookie",
    "ETag",
    "FormMultiDict",
    "Header",
    "Headers",
    "ImmutableMultiDict",
    "ImmutableState",
    "MultiDict",
    "MultiMixin",
    "MutableScopeHeaders",
    "State",
    "UploadFile",
)
