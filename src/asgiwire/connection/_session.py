"""Sessions as dicts: from the objects that may be set as one, in place of a cleared one, and those of others.

A middleware of Starlette's asks the very object that it has put into the scope whether it was read, for
``Vary: Cookie``, and whether it was changed, for ``Set-Cookie``. Such an object is told, and stays there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from asgiwire.types import Empty

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Self

    from asgiwire.types import EmptyType, Scope


def session_from(value: object) -> dict[str, Any]:
    """The fields of a dict, msgspec Struct, dataclass, attrs or pydantic instance; values stay as they are.

    Raises:
        TypeError: The value is none of these.
    """
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    fields = getattr(type(value), "__struct_fields__", None)  # msgspec
    if fields is None:
        fields = getattr(type(value), "__dataclass_fields__", None)  # a dict by name
    if fields is None:
        attributes = getattr(type(value), "__attrs_attrs__", None)
        fields = None if attributes is None else [attribute.name for attribute in attributes]
    if fields is None:
        fields = getattr(type(value), "model_fields", None)  # pydantic, a dict by name
    if fields is None or isinstance(value, type):
        msg = (
            f"a session is a dict, Struct, dataclass, attrs or pydantic instance, not {type(value).__name__}"
        )
        raise TypeError(msg)
    return {name: getattr(value, name) for name in fields}


def read_session(scope: Scope, session: Any, kept: dict[str, Any]) -> dict[str, Any]:
    """The session in a scope as whoever reads it wants it; one that keeps account of its readers is told.

    Args:
        scope: The scope.
        session: What it has for a session: a mapping, or ``None`` or ``Empty`` in the place of a cleared one.
        kept: Where an :class:`UnstoredSession` stays for the next reader.
    """
    if session is not None and session is not Empty:
        mark_accessed = getattr(session, "mark_accessed", None)
        if mark_accessed is not None:
            mark_accessed()
        return cast("dict[str, Any]", session)
    unstored: dict[str, Any] | None = kept.get("session")
    if unstored is None or unstored:  # one that was written to was a session of its own
        unstored = kept["session"] = UnstoredSession(scope)
    return unstored


def store_session(scope: Scope, value: dict[str, Any] | EmptyType) -> None:
    """Put a session into the scope; where one is that keeps account of its changes, into that one."""
    session: Any = scope.get("session")
    if session is value or not hasattr(session, "mark_modified"):
        scope["session"] = value
    else:
        session.clear()
        session.update(value or {})


class UnstoredSession(dict[str, Any]):
    """An empty dict that becomes ``scope["session"]`` when it is first written to.

    A session middleware tells a cleared session from an emptied one by what is in the scope, so reading
    a cleared session must not put a dict there.
    """

    __slots__ = ("_scope",)

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        super().__init__()
        self._scope = scope

    def _store(self) -> None:
        # Only in the place of nothing: a session that was set since then is somebody's own.
        session = self._scope.get("session")
        if session is None or session is Empty:
            self._scope["session"] = self

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._store()

    def setdefault(self, key: str, default: Any = None) -> Any:
        value = super().setdefault(key, default)
        self._store()
        return value

    def update(self, *args: Any, **kwargs: Any) -> None:
        super().update(*args, **kwargs)
        self._store()

    # The stubs want it to return what `|` does, which for dict is a plain dict.
    def __ior__(self, value: Any, /) -> Self:  # type: ignore[override, misc]  # as above
        self.update(value)
        return self

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        # A copy of it, in another process or in a store, is a session like any other.
        return dict, (dict(self),)
