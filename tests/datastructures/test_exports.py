"""What ``asgiwire.datastructures`` exports, name by name."""

from __future__ import annotations

import asgiwire.datastructures

NAMES = {
    "URL", "Accept", "AcceptCharset", "AcceptEncoding", "AcceptLanguage", "Address",
    "Authorization",
    "CacheControlHeader", "Capabilities", "Cookie", "ETag", "EntityTags", "FormMultiDict",
    "Header", "Headers", "IfMatch", "IfNoneMatch", "IfRange",
    "ImmutableMultiDict", "ImmutableState", "MultiDict", "MultiMixin", "MutableScopeHeaders",
    "Preferences", "Range", "State",
    "UploadFile",
}  # fmt: skip


def test_exports_are_exact() -> None:
    assert set(asgiwire.datastructures.__all__) == NAMES
    assert all(hasattr(asgiwire.datastructures, name) for name in NAMES)
