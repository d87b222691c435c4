"""The connection classes as Python classes: bases, mixins, weak references and method names."""

from __future__ import annotations

import gc
import inspect
import weakref
from typing import Any, Generic

import pytest

from asgiwire import ASGIConnection, Request, WebSocket, empty_receive, empty_send
from asgiwire.testing import http_scope, websocket_scope

CONNECTIONS: dict[type[ASGIConnection], Any] = {
    ASGIConnection: http_scope,
    Request: http_scope,
    WebSocket: websocket_scope,
}
SPECIAL_METHODS = {"__init__", "__repr__", "__aenter__", "__aexit__", "__aiter__"}
each_class = pytest.mark.parametrize("kind", CONNECTIONS, ids=lambda kind: kind.__name__)
request_and_websocket = pytest.mark.parametrize("kind", [Request, WebSocket], ids=lambda kind: kind.__name__)


# --- bases --------------------------------------------------------------------------------------------


def test_public_classes_have_no_private_base() -> None:
    assert ASGIConnection.__mro__ == (ASGIConnection, Generic, object)
    assert Request.__mro__ == (Request, ASGIConnection, Generic, object)
    assert WebSocket.__mro__ == (WebSocket, ASGIConnection, Generic, object)


def public_functions(kind: type) -> dict[str, Any]:
    """Return the functions behind the public methods and properties of a class."""
    functions: dict[str, Any] = {}
    for name in dir(kind):
        if name.startswith("_") and name not in SPECIAL_METHODS:
            continue
        member = inspect.getattr_static(kind, name)
        function = member.fget if isinstance(member, property) else member
        if inspect.isfunction(function):
            functions[name] = function
    return functions


@each_class
def test_every_method_is_named_after_a_public_class(kind: type) -> None:
    prefixes = tuple(f"{base.__name__}." for base in (kind, ASGIConnection))
    functions = public_functions(kind)
    assert len(functions) > 10
    assert [
        name for name, function in functions.items() if not function.__qualname__.startswith(prefixes)
    ] == []


@each_class
def test_unexpected_argument_names_a_public_class(kind: Any) -> None:
    connection = kind(CONNECTIONS[kind]())
    prefixes = tuple(f"{base.__name__}." for base in (kind, ASGIConnection))
    called = 0
    for name, function in public_functions(kind).items():
        if isinstance(inspect.getattr_static(kind, name), property) or name == "url_for":
            continue  # url_for takes any keyword argument
        with pytest.raises(TypeError) as caught:
            function(connection, nonsense=1)
        assert str(caught.value).startswith(prefixes), name
        called += 1
    assert called >= 4


# --- attributes and mixins ----------------------------------------------------------------------------


@each_class
def test_instance_has_no_dict(kind: Any) -> None:
    assert not hasattr(kind(CONNECTIONS[kind]()), "__dict__")


@request_and_websocket
def test_subclass_may_add_attributes_or_slots(kind: Any) -> None:
    class WithAttributes(kind):
        tenant: str

    class WithSlots(kind):
        __slots__ = ("tenant",)

    for subclass in (WithAttributes, WithSlots):
        connection = subclass(CONNECTIONS[kind]())
        connection.tenant = "acme"
        assert connection.tenant == "acme"
    assert not hasattr(connection, "__dict__")


class TenantMixin(ASGIConnection):
    """A mixin with attributes, derived from the common base class."""

    def __init__(self, scope: Any, receive: Any = empty_receive, send: Any = empty_send) -> None:
        super().__init__(scope, receive, send)
        self.tenant = self.headers.get("x-tenant", "none")


class SlottedTenantMixin(ASGIConnection):
    """The same mixin without a ``__dict__``."""

    __slots__ = ()

    def __init__(self, scope: Any, receive: Any = empty_receive, send: Any = empty_send) -> None:
        super().__init__(scope, receive, send)
        self.scope["tenant"] = self.headers.get("x-tenant", "none")

    @property
    def tenant(self) -> str:
        tenant: str = self.scope["tenant"]
        return tenant


class PlainMixin:
    """A mixin of a framework that does not derive from a connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.tenant = "plain"


@request_and_websocket
@pytest.mark.parametrize("mixin", [TenantMixin, SlottedTenantMixin], ids=lambda mixin: mixin.__name__)
@pytest.mark.parametrize("mixin_first", [False, True])
def test_init_of_a_connection_mixin_runs(kind: Any, mixin: Any, mixin_first: bool) -> None:
    bases = (mixin, kind) if mixin_first else (kind, mixin)
    combined = type("Combined", bases, {"__slots__": ()} if mixin is SlottedTenantMixin else {})
    scope = CONNECTIONS[kind](headers={"x-tenant": "acme"})
    connection = combined(scope)

    assert connection.tenant == "acme"
    assert connection.scope is scope
    assert connection.headers["x-tenant"] == "acme"
    assert hasattr(connection, "__dict__") is (mixin is TenantMixin)


def test_mixin_with_its_own_slot_can_be_combined_with_request() -> None:
    """``Request`` adds no slots to the base class, so that another subclass may add some."""

    class Slotted(ASGIConnection):
        __slots__ = ("tenant",)

        def __init__(self, scope: Any, receive: Any = empty_receive, send: Any = empty_send) -> None:
            super().__init__(scope, receive, send)
            self.tenant = "acme"

    class Combined(Request, Slotted):
        __slots__ = ()

    request = Combined(http_scope())
    assert request.tenant == "acme"
    assert not hasattr(request, "__dict__")


@request_and_websocket
def test_init_of_a_plain_mixin_runs(kind: Any) -> None:
    class Combined(PlainMixin, kind):
        pass

    connection = Combined(CONNECTIONS[kind]())
    assert connection.tenant == "plain"
    assert connection.url.path == "/"


@request_and_websocket
def test_init_of_a_subclass_runs_once_with_every_argument(kind: Any) -> None:
    calls: list[tuple[Any, ...]] = []

    class Counting(ASGIConnection):
        __slots__ = ()

        def __init__(self, *arguments: Any) -> None:
            calls.append(arguments)
            super().__init__(*arguments)

    class Combined(kind, Counting):
        __slots__ = ()

    async def receive() -> Any: ...

    async def send(message: Any) -> None: ...

    scope = CONNECTIONS[kind]()
    connection = Combined(scope, receive, send)
    assert calls == [(scope, receive, send)]
    assert connection.scope is scope


def test_mixin_does_not_change_the_scope_type_of_the_class() -> None:
    class Combined(Request, TenantMixin):
        pass

    with pytest.raises(ValueError, match="http"):
        Combined(websocket_scope())


# --- identity and references --------------------------------------------------------------------------


@each_class
def test_connections_compare_by_identity(kind: Any) -> None:
    scope = CONNECTIONS[kind]()
    first = kind(scope)
    assert first != kind(scope)
    assert first == first  # noqa: PLR0124 - identity is tested
    assert hash(first) == hash(first)


@each_class
def test_connection_can_be_weakly_referenced(kind: Any) -> None:
    connection = kind(CONNECTIONS[kind]())
    reference = weakref.ref(connection)
    assert reference() is connection
    mapping = weakref.WeakKeyDictionary({connection: "value"})
    assert mapping[connection] == "value"

    gc.disable()
    try:
        del connection
        assert reference() is None
    finally:
        gc.enable()
    assert len(mapping) == 0
