"""Sessions: instances as dicts, cleared sessions, and the session objects of other frameworks.

Starlette's middleware stores an object that records whether it was read (for ``Vary: Cookie``) and changed
(for ``Set-Cookie``). Such an object is not replaced, and is notified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from asgiwire.types import Empty

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Self

    from asgiwire.types import EmptyType, Scope


def session_from(value: object) -> dict[str, Any]:
    """Return the fields of a dict, msgspec Struct, dataclass, attrs or Pydantic instance, values unchanged.

    Raises:
        TypeError: The value is of another type.
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
            "expected a dict or a Struct, dataclass, attrs or Pydantic instance as the session,"
            f" got {type(value).__name__}"
        )
        raise TypeError(msg)
    return {name: getattr(value, name) for name in fields}


def read_session(scope: Scope, session: Any, cache: dict[str, Any]) -> dict[str, Any]:
    """Return the session in a scope, and notify it if it records reads.

    Args:
        scope: The scope.
        session: The value in the scope: a mapping, or ``None`` or ``Empty`` for a cleared session.
        cache: Stores the :class:`UnstoredSession` for the next call.
    """
    if session is not None and session is not Empty:
        mark_accessed = getattr(session, "mark_accessed", None)
        if mark_accessed is not None:
            mark_accessed()
        return cast("dict[str, Any]", session)
    unstored: dict[str, Any] | None = cache.get("session")
    if unstored is None or unstored:  # one that was written to was stored, and is no longer this session
        unstored = cache["session"] = UnstoredSession(scope)
    return unstored


def store_session(scope: Scope, value: dict[str, Any] | EmptyType) -> None:
    """Store a session in the scope, or its items in the current session if that records changes."""
    session: Any = scope.get("session")
    if session is value or not hasattr(session, "mark_modified"):
        scope["session"] = value
    else:
        session.clear()
        session.update(value or {})


class UnstoredSession(dict[str, Any]):
    """An empty dict that becomes ``scope["session"]`` when it is first written to.

    The value in the scope tells a session middleware whether the session was cleared, so reading a cleared
    session must not store a dict there.
    """

    __slots__ = ("_scope",)

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        super().__init__()
        self._scope = scope

    def _store(self) -> None:
        # Not if another session was set in the meantime.
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

    # The stubs expect a plain dict, as `|` returns.
    def __ior__(self, value: Any, /) -> Self:  # type: ignore[override, misc]  # as above
        self.update(value)
        return self

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        # A copy in another process or in a store is an ordinary dict.
        return dict, (dict(self),)
