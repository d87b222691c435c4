"""Exceptions that subclass one of both libraries, and the parts of Litestar that the integration uses."""

from __future__ import annotations

import importlib.util
import inspect
import pickle
import subprocess
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import litestar.exceptions as theirs
import pytest
from litestar import Litestar, Request, get, post
from litestar._kwargs import extractors
from litestar.testing import TestClient

import asgiwire
import asgiwire.exceptions as ours_exceptions
from asgiwire import Limits
from asgiwire.integrations import litestar as integration
from asgiwire.integrations.litestar._connection import ConnectionMembers
from asgiwire.integrations.litestar._data import parse_forms_of_data
from asgiwire.integrations.litestar._exceptions import TRANSLATION, translated
from asgiwire.testing import RequestFactory, http_scope, websocket_scope

from .litestar_apps import ask_asgiwire

SOURCE = Path(asgiwire.__file__).parent.parent

if TYPE_CHECKING:
    from types import ModuleType

SAMPLES: list[tuple[ours_exceptions.AsgiwireException, type[Exception], int | None]] = [
    (ours_exceptions.ClientException("a"), theirs.ClientException, 400),
    (ours_exceptions.ClientException("a", status_code=415), theirs.ClientException, 415),
    (ours_exceptions.ValidationException("a"), theirs.ValidationException, 400),
    (ours_exceptions.SerializationException("a"), theirs.SerializationException, 400),
    (ours_exceptions.SerializationException("a"), theirs.ClientException, 400),
    (ours_exceptions.RequestEntityTooLarge(limit="max_files", maximum=1), theirs.ClientException, 413),
    (ours_exceptions.InsufficientStorage(), theirs.HTTPException, 507),
    (ours_exceptions.ImproperlyConfiguredException("a"), theirs.ImproperlyConfiguredException, 500),
    (ours_exceptions.MissingCallableError("a"), theirs.ImproperlyConfiguredException, 500),
    (ours_exceptions.NoRouteMatchFoundException(name="a"), theirs.NoRouteMatchFoundException, 500),
    (ours_exceptions.StreamConsumed(), theirs.InternalServerException, 500),
    (ours_exceptions.ClientDisconnect(), theirs.InternalServerException, 500),
    (ours_exceptions.WebSocketStateError(event="a", state="b"), theirs.InternalServerException, 500),
    (ours_exceptions.ProtocolError(message_type="a", expected=()), theirs.InternalServerException, 500),
    (ours_exceptions.UsageError("a"), theirs.InternalServerException, 500),
    (ours_exceptions.WebSocketException("a", 4001), theirs.WebSocketException, None),
    (ours_exceptions.WebSocketDisconnect("a", 1001, "bye"), theirs.WebSocketDisconnect, None),
]


@pytest.mark.parametrize(("error", "framework", "status"), SAMPLES)
def test_an_exception_becomes_litestars_and_keeps_its_values(
    error: ours_exceptions.AsgiwireException, framework: type[Exception], status: int | None
) -> None:
    kind, before = type(error), dict(vars(error))
    with pytest.raises(framework) as caught, TRANSLATION:
        raise error
    assert caught.value is error
    assert isinstance(error, kind)
    assert kind.__name__ in str(type(error))
    assert getattr(error, "status_code", None) == status
    assert {name: value for name, value in vars(error).items() if name != "detail"} == {
        name: value for name, value in before.items() if name != "detail"
    }
    with TRANSLATION, pytest.raises(framework):
        raise error
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_every_exception_has_an_equivalent_in_litestar() -> None:
    everything = {getattr(ours_exceptions, name) for name in ours_exceptions.__all__}
    never_raised = {
        ours_exceptions.AsgiwireException,
        ours_exceptions.AsgiwireWarning,
        ours_exceptions.Disconnected,
    }
    sampled = {cls for error, _, _ in SAMPLES for cls in type(error).__mro__}
    assert everything - sampled == never_raised - sampled


def test_other_exceptions_are_not_changed() -> None:
    class Own(ours_exceptions.ClientException): ...

    for error in (Own("a"), ValueError("a"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, TRANSLATION:
            raise error
        assert type(caught.value) is type(error)


def test_other_members_are_not_wrapped() -> None:
    assert translated(3) == 3


@pytest.mark.parametrize(
    ("limit", "setting"),
    [("max_body_size", "request_max_body_size"), ("max_fields", "multipart_form_part_limit")],
)
def test_the_message_of_a_limit_names_the_setting_of_litestar(limit: str, setting: str) -> None:
    with pytest.raises(theirs.ClientException) as caught, TRANSLATION:
        raise ours_exceptions.RequestEntityTooLarge(limit=limit, maximum=1)
    assert caught.value.detail == f"the request exceeds {limit}=1; raise it with Litestar's {setting}"


@pytest.mark.parametrize(("limit", "detail"), [("max_file_size", ""), ("max_files", "too many")])
def test_other_messages_of_limits_are_not_changed(limit: str, detail: str) -> None:
    error = ours_exceptions.RequestEntityTooLarge(detail, limit=limit, maximum=1)
    message = str(error)
    with pytest.raises(theirs.ClientException), TRANSLATION:
        raise error
    assert str(error) == message


def test_url_for_an_unknown_route() -> None:
    @get("/")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        try:
            return request.url_for("nowhere")
        except theirs.NoRouteMatchFoundException:
            return ["none"]

    assert ask_asgiwire([handler], lambda client: [client.get("/")]) == [(200, ["none"])]


def test_reading_a_consumed_body() -> None:
    @post("/")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        async for _ in request.stream():
            break
        try:
            return await request.body()
        except RuntimeError as error:
            return [isinstance(error, theirs.InternalServerException)]

    assert ask_asgiwire([handler], lambda client: [client.post("/", content=b"a")]) == [(201, [True])]


def test_content_length_that_is_not_a_number() -> None:
    request = integration.Request[Any, Any, Any](
        {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", b"+5")]}
    )
    with pytest.raises(theirs.ClientException):
        _ = request.content_length


@pytest.mark.anyio
async def test_a_request_without_an_application() -> None:
    plain = RequestFactory().post("/", data={"a": "1"})
    request: integration.Request[Any, Any, Any] = integration.Request(plain.scope, plain.receive)
    assert (await request.form())["a"] == "1"
    assert await request.text() == "a=1"
    assert repr(request).startswith("<Request POST ")
    assert not hasattr(request, "__dict__")


def test_the_error_if_litestar_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec("asgiwire.integrations.litestar")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ModuleNotFoundError, match="needs Litestar 2, which is not installed"):
        spec.loader.exec_module(module)


def test_a_litestar_without_these_extractors_is_not_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(extractors, "create_multipart_extractor")
    monkeypatch.setattr(
        extractors, "create_url_encoded_data_extractor", extractors.create_url_encoded_data_extractor
    )
    parse_forms_of_data()
    assert not hasattr(extractors, "create_multipart_extractor")


def test_asgiwire_does_not_import_litestar() -> None:
    code = "import sys, asgiwire, asgiwire.integrations; print('litestar' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd=SOURCE).strip() == "False"


def test_the_classes_are_passed_to_the_application() -> None:
    app = Litestar([], request_class=integration.Request, websocket_class=integration.WebSocket)
    with TestClient(app) as client:
        assert client.get("/").status_code == 404
    assert issubclass(integration.Request, Request)
    assert not issubclass(integration.Request, asgiwire.Request)  # isinstance() only

    request = integration.Request[Any, Any, Any](http_scope())
    assert isinstance(request, Request)
    assert isinstance(request, asgiwire.Request)


def test_connections_can_be_weakly_referenced() -> None:
    request: integration.Request[Any, Any, Any] = integration.Request(http_scope())
    websocket: integration.WebSocket[Any, Any, Any] = integration.WebSocket(websocket_scope())
    assert weakref.ref(request)() is request
    assert weakref.ref(websocket)() is websocket


@pytest.mark.parametrize(
    "name",
    [name for name in vars(ConnectionMembers) | vars(integration.Request) if not name.startswith("_")],
)
def test_type_hints_can_be_evaluated(name: str) -> None:
    member = inspect.getattr_static(integration.Request, name)
    assert isinstance(member, Limits) or get_type_hints(getattr(member, "fget", member))["return"]
