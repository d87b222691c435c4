"""Values of a connection that are instances of asgiwire's class and of Starlette's.

Starlette's classes have no slots, so each class here inherits from both. If the two differ, the behaviour is
Starlette's. The other members of asgiwire's class are available.
"""

# mypy and pyright report members whose types differ in the two bases. Starlette's type is the right one here.
# mypy: disable-error-code="misc, override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

from __future__ import annotations

import builtins
from collections.abc import Mapping
from operator import itemgetter
from typing import Any, ClassVar, Final, Self, cast
from urllib.parse import SplitResult, urlsplit

import starlette.datastructures as theirs
from multidict import MultiDictProxy

from asgiwire import datastructures as ours
from asgiwire.types import Scope

__all__ = ("URL", "Address", "FormData", "Headers", "QueryParams", "State", "UploadFile")

# Not `super()`: the two bases have constructors with different arguments.
init_proxy: Final = cast("Any", ours.ImmutableMultiDict).__init__
init_pairs: Final = cast("Any", theirs.ImmutableMultiDict).__init__

content_type_slot: Final = cast("Any", ours.UploadFile).content_type


class Address(ours.Address, theirs.Address):
    """A network address: ``host`` and ``port``."""

    __slots__ = ()


class Headers(ours.Headers, theirs.Headers):
    """Immutable, case-insensitive headers.

    As in Starlette, ``keys()``, ``values()`` and ``items()`` return lists. The ``repr`` masks credentials.
    """

    @property
    def _list(self) -> list[tuple[bytes, bytes]]:
        # Starlette's members and MutableHeaders read it.
        return list(self._pairs)

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """The headers as pairs of bytes."""
        return list(self._pairs)

    def keys(self) -> list[str]:
        """Return every name, duplicates included."""
        return list(self)

    def values(self) -> list[str]:
        """Return every value."""
        return [value for _, value in self.multi_items()]

    def items(self) -> list[tuple[str, str]]:
        """Return every name and value, duplicates included."""
        return list(self.multi_items())

    def getlist(self, key: str) -> list[str]:
        """Return every value of a header; an empty list if it is absent."""
        return self.getall(key, [])


class _MultiDict:
    """Members that precede those of multidict, which return the first value of a key, not the last."""

    @classmethod
    def _from_pairs(cls, pairs: list[tuple[str, Any]]) -> Self:
        """Create an object from pairs that need no conversion."""
        values: Self = MultiDictProxy.__new__(cast("Any", cls))
        init_pairs(values, pairs)
        init_proxy(values, pairs)
        return values

    def get(self: Any, key: str, default: Any = None) -> Any:
        """Return the last value of a key, or ``default``."""
        return self[key] if key in self else default  # noqa: SIM401 - this is get()

    def dict(self: Any) -> builtins.dict[str, list[Any]]:
        """Return the values of each key, in order."""
        values: dict[str, list[Any]] = {}
        for key, value in self.multi_items():
            values.setdefault(key, []).append(value)
        return values

    def mutable_copy(self: Any) -> ours.MultiDict[Any]:
        """Return a mutable copy of asgiwire's class, whose ``[]`` returns the first value."""
        return ours.MultiDict(self.multi_items())

    def copy(self: Any) -> Any:
        """Return a shallow copy."""
        return type(self)(self.multi_items())

    def __eq__(self: Any, other: object) -> bool:
        if not isinstance(other, theirs.ImmutableMultiDict):
            return False
        # As in Starlette, where two objects of its own classes are compared.
        return sorted(self._list, key=itemgetter(0)) == sorted(other._list, key=itemgetter(0))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # as in Starlette

    def __reduce__(self: Any) -> tuple[Any, ...]:
        return cast("Any", type(self)), (self.multi_items(),)


class QueryParams(_MultiDict, theirs.QueryParams, ours.ImmutableMultiDict[str]):
    """Immutable query parameters; as in Starlette, ``[]`` and ``get`` return the last value of a name.

    ``getlist`` or ``getall`` return every value, ``getone`` the first.

    Args:
        *args: A mapping, pairs, or a query string.
        **kwargs: More parameters.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        theirs.QueryParams.__init__(self, *args, **kwargs)
        init_proxy(self, self._list)


# The files are instances of both classes of uploads.
class FormData(_MultiDict, theirs.FormData, ours.FormMultiDict):  # pyright: ignore[reportGeneralTypeIssues]  # as above
    """The fields and files of a form; as in Starlette, ``[]`` and ``get`` return the last value of a name.

    ``getlist`` or ``getall`` return every value, ``getone`` the first.

    Args:
        *args: A mapping or pairs.
        **kwargs: More fields.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        theirs.FormData.__init__(self, *args, **kwargs)
        init_proxy(self, self._list)

    @classmethod
    def from_form_data(cls, form_data: Mapping[str, Any]) -> Self:
        """Build a form from a mapping; a list contains several values of one key."""
        return cls(list(ours.FormMultiDict.from_form_data(form_data).items()))

    async def close(self) -> None:
        """Close every file, even if closing one of them fails; then raise that exception."""
        # A copy without Starlette's `values()`, which has one value for each name.
        items: list[tuple[str, Any]] = self.multi_items()
        await ours.FormMultiDict(items).close()


class State(ours.State, theirs.State):
    """The state of a connection, with attribute and mapping access.

    A value with the name of a method, such as ``items``, replaces the method, as Starlette's class has none.
    """

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name[0] != "_":
            values = super().__getattribute__("_state")
            if name in values:
                return values[name]
        return super().__getattribute__(name)


class UploadFile(ours.UploadFile, theirs.UploadFile):
    """An uploaded file; ``headers`` is a :class:`Headers`.

    ``content_type`` is ``None`` if the client sent none, as in Starlette.
    """

    @classmethod
    def _share(cls, upload: ours.UploadFile) -> Self:
        """Return an upload with the content and position of another, which must not be used afterwards."""
        shared = cls.__new__(cls)
        for slot in SLOTS:
            setattr(shared, slot, getattr(upload, slot))
        shared.headers = Headers(upload.headers)
        return shared

    @property
    def content_type(self) -> str | None:
        """The media type that the client declared, or ``None``."""
        headers: Any = self.headers
        if isinstance(headers, Headers):
            return headers.get("content-type")
        content_type: str = content_type_slot.__get__(self)
        return content_type

    @content_type.setter
    def content_type(self, value: str) -> None:
        content_type_slot.__set__(self, value)


SLOTS: Final = [name for name in ours.UploadFile.__slots__ if name != "__weakref__"]


class URL(ours.URL, theirs.URL):
    """A URL with the members of both classes. It equals a ``str`` with the same text."""

    def __init__(self, url: Any = "", scope: Scope | None = None, **components: Any) -> None:
        pass

    def __new__(cls, url: Any = "", scope: Scope | None = None, **components: Any) -> Self:
        """Create a URL from the arguments that Starlette's class takes: text, a scope, or components."""
        if scope is not None or components:
            url = str(theirs.URL(url, scope, **components))
        elif isinstance(url, theirs.URL):
            url = str(url)
        return super().__new__(cls, url)

    @property
    def components(self) -> SplitResult:
        """The parts, as ``urlsplit`` returns them."""
        return urlsplit(self._text)

    def __hash__(self) -> int:
        return ours.URL.__hash__(self)
