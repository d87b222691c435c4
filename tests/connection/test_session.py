"""``session``, ``set_session()`` and ``clear_session()``."""

from __future__ import annotations

import dataclasses
from typing import Any

import attrs
import msgspec
import pydantic
import pytest

from asgiwire.types import Empty
from tests.connection.test_base import BARE_HTTP, connection


class Struct(msgspec.Struct):
    user: str


@dataclasses.dataclass
class Data:
    user: str


@attrs.define
class Attrs:
    user: str


class Model(pydantic.BaseModel):
    user: str


@pytest.mark.parametrize("kind", [dict, Struct, Data, Attrs, Model])
def test_session_is_set_from(kind: Any) -> None:
    one = connection(dict(BARE_HTTP))
    one.set_session(kind(user="ann"))

    assert one.session == one.scope["session"] == {"user": "ann"}
    one.session["more"] = 1
    assert one.session == {"user": "ann", "more": 1}


def test_session_dict_is_stored_unchanged() -> None:
    session: dict[str, Any] = {}
    one = connection(dict(BARE_HTTP))
    one.set_session(session)

    assert one.session is session


@pytest.mark.parametrize("value", [None, "user", [("user", "ann")], Data])
def test_unsupported_session_raises_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match="dataclass"):
        connection(dict(BARE_HTTP)).set_session(value)


@pytest.mark.parametrize("clear", ["clear_session", "set_session"])
def test_cleared_session_is_empty(clear: str) -> None:
    one = connection({**BARE_HTTP, "session": {"user": "ann"}})
    one.clear_session() if clear == "clear_session" else one.set_session(Empty)

    assert one.session == {}
    assert "user" not in one.session
    assert one.scope["session"] is Empty


WRITES = {
    "item": lambda session: session.__setitem__("a", 1),
    "update": lambda session: session.update(a=1),
    "setdefault": lambda session: session.setdefault("a", 1),
    "in-place union": lambda session: session.__ior__({"a": 1}),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("cleared", [None, Empty])
def test_cleared_session_is_stored_on_first_write(write: Any, cleared: Any) -> None:
    one = connection({**BARE_HTTP, "session": cleared})
    session = one.session
    write(session)

    assert one.scope["session"] == {"a": 1}
    assert one.session is session
    assert one.session | {"b": 2} == {"a": 1, "b": 2}


def test_cleared_session_is_the_same_object_each_time() -> None:
    one = connection({**BARE_HTTP, "session": Empty})
    first, second = one.session, one.session
    first["a"] = 1
    second["b"] = 2

    assert one.session == {"a": 1, "b": 2}


def test_stale_cleared_session_does_not_replace_a_new_one() -> None:
    one = connection({**BARE_HTTP, "session": Empty})
    stale = one.session
    one.set_session({"user": "ann"})
    stale["a"] = 1

    assert one.session == {"user": "ann"}


def test_session_cleared_again_is_empty() -> None:
    one = connection({**BARE_HTTP, "session": Empty})
    one.session["a"] = 1
    one.clear_session()

    assert one.session == {}


class TrackedSession(dict[str, Any]):
    """A session as Starlette's middleware stores it, which records reads and changes."""

    accessed = modified = False

    def mark_accessed(self) -> None:
        self.accessed = True

    def mark_modified(self) -> None:
        self.modified = True

    def update(self, *args: Any, **kwargs: Any) -> None:
        self.mark_modified()
        super().update(*args, **kwargs)

    def clear(self) -> None:
        self.mark_modified()
        super().clear()


def test_tracked_session_records_the_read() -> None:
    session = TrackedSession(a=1)
    one = connection({**BARE_HTTP, "session": session})
    assert not session.accessed
    assert one.session is session
    assert (session.accessed, session.modified) == (True, False)


@pytest.mark.parametrize(
    ("change", "content"),
    [
        (lambda one: one.set_session({"b": 2}), {"b": 2}),
        (lambda one: one.set_session(one.session), {"a": 1}),
        (lambda one: one.set_session(Empty), {}),
        (lambda one: one.clear_session(), {}),
    ],
    ids=["set", "set the same", "Empty", "clear"],
)
def test_tracked_session_stays_in_the_scope(change: Any, content: Any) -> None:
    session = TrackedSession(a=1)
    one = connection({**BARE_HTTP, "session": session})
    change(one)
    assert one.scope["session"] is session
    assert session == content
    assert session.modified == (content != {"a": 1})


def test_cleared_session_is_copied_as_a_plain_dict() -> None:
    import copy
    import pickle

    one = connection({**BARE_HTTP, "session": Empty})
    one.session["a"] = 1

    for made in (copy.deepcopy(one.session), pickle.loads(pickle.dumps(one.session))):
        assert type(made) is dict
        assert made == {"a": 1}
