"""Exports of ``asgiwire.datastructures``."""

from __future__ import annotations

import asgiwire.datastructures
from tests.test_architecture import run_python

NAMES = {
    "URL", "Accept", "AcceptCharset", "AcceptEncoding", "AcceptLanguage", "Address",
    "Authorization",
    "CacheControlHeader", "Capabilities", "Cookie", "ETag", "EntityTags", "FormMultiDict",
    "Header", "Headers", "IfMatch", "IfNoneMatch", "IfRange",
    "ImmutableMultiDict", "ImmutableState", "MultiDict", "MultiMixin", "MutableScopeHeaders",
    "Preferences", "Range", "RequestCacheControl", "State",
    "TLS", "UploadFile",
}  # fmt: skip


def test_exports() -> None:
    assert set(asgiwire.datastructures.__all__) == NAMES
    assert all(hasattr(asgiwire.datastructures, name) for name in NAMES)
    assert set(dir(asgiwire.datastructures)) >= NAMES
    assert not hasattr(asgiwire.datastructures, "Accepts")


def test_classes_are_imported_on_first_use() -> None:
    code = "import sys; from asgiwire import datastructures; print('Range' in vars(datastructures), end=' ')"
    code += "; datastructures.Range; print('Range' in vars(datastructures))"
    assert run_python(code).split() == ["False", "True"]
