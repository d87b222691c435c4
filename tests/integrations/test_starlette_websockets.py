"""WebSockets in a Starlette application with the integration on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import starlette.exceptions
import starlette.websockets
from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketState

import asgiwire
from asgiwire import Limits
from asgiwire.exceptions import (
    ImproperlyConfiguredException,
    RequestEntityTooLarge,
    SerializationException,
    ValidationException,
    WebSocketDisconnect,
)
from asgiwire.integrations.starlette import WebSocket, install
from asgiwire.testing import RecordedSend, ScriptedReceive, websocket_scope

from .starlette_apps import talk

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

ACCEPT = {"type": "websocket.accept", "subprotocol": None, "headers": []}


def new_websocket(
    *messages: Any, disconnect: int | None = 1000, scope: dict[str, Any] | None = None
) -> WebSocket:
    receive = ScriptedReceive.websocket(*messages, disconnect=disconnect)
    return WebSocket(websocket_scope(**(scope or {})), receive, RecordedSend())


def app_of(endpoint: Callable[[Any], Any]) -> Starlette:
    app = Starlette(routes=[WebSocketRoute("/{name}", endpoint)])
    install(app)
    return app


async def test_websocket_is_of_both_classes() -> None:
    seen: list[Any] = []

    async def endpoint(websocket: Any) -> None:
        seen.append(websocket)
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text.upper())

    events = await talk(app_of(endpoint), "/a", "x", "y")
    assert events == [
        ACCEPT,
        {"type": "websocket.send", "text": "X"},
        {"type": "websocket.send", "text": "Y"},
    ]
    (websocket,) = seen
    assert isinstance(websocket, asgiwire.WebSocket)
    assert isinstance(websocket, starlette.websockets.WebSocket)
    assert websocket.path_params == {"name": "a"}
    assert websocket["type"] == "websocket"
    assert websocket.close_code == 1000


async def test_iteration_as_in_both_libraries() -> None:
    assert [data async for data in new_websocket(b"a", b"b").iter_bytes()] == [b"a", b"b"]
    assert [data async for data in new_websocket("[1]", "2").iter_json()] == [[1], 2]
    assert [data async for data in new_websocket("a", b"b")] == ["a", b"b"]
    assert [data async for data in new_websocket("[1]").iter_json(type=list[int])] == [[1]]


async def test_endpoint_class() -> None:
    class Endpoint(WebSocketEndpoint):
        encoding = "json"

        async def on_receive(self, websocket: Any, data: Any) -> None:
            assert isinstance(websocket, asgiwire.WebSocket)
            await websocket.send_json({"got": data})

    app = Starlette(routes=[WebSocketRoute("/", Endpoint)])
    install(app)
    events = await talk(app, "/", '{"a":1}')
    assert events[1] == {"type": "websocket.send", "text": '{"got":{"a":1}}'}


async def test_states_are_starlettes() -> None:
    websocket = new_websocket("a")
    states = [(websocket.client_state, websocket.application_state)]
    await websocket.receive()
    states.append((websocket.client_state, websocket.application_state))
    await websocket.accept()
    states.append((websocket.client_state, websocket.application_state))
    await websocket.close()
    states.append((websocket.client_state, websocket.application_state))
    assert [(client.name, application.name) for client, application in states] == [
        ("CONNECTING", "CONNECTING"),
        ("CONNECTED", "CONNECTING"),
        ("CONNECTED", "CONNECTED"),
        ("CONNECTED", "DISCONNECTED"),
    ]
    assert (await websocket.receive())["type"] == "websocket.receive"
    assert (await websocket.receive())["type"] == "websocket.disconnect"
    assert websocket.client_state is WebSocketState.DISCONNECTED
    await websocket.close()


async def test_accept_takes_the_arguments_of_both() -> None:
    headers = [(b"x-a", b"1")]
    for arguments in ({"subprotocol": "soap"}, {"subprotocols": "soap"}):
        websocket = new_websocket(scope={"subprotocols": ["other"]})
        await websocket.accept(headers=headers, **arguments)
        await websocket.accept()
        send: Any = websocket._channel.sink
        assert send.messages == [{"type": "websocket.accept", "subprotocol": "soap", "headers": headers}]


async def test_accept_after_the_connect_event_and_twice_at_once() -> None:
    sent: list[Any] = []

    async def slow_send(event: Any) -> None:
        await anyio.sleep(0.01)
        sent.append(event)

    websocket = WebSocket(websocket_scope(), ScriptedReceive.websocket(), slow_send)
    await websocket.receive()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(websocket.accept)
        tasks.start_soon(websocket.accept)
    assert sent == [ACCEPT]


async def test_disconnect_is_starlettes_too() -> None:
    websocket = new_websocket(disconnect=4000)
    await websocket.accept()
    with pytest.raises(starlette.websockets.WebSocketDisconnect) as caught:
        await websocket.receive_text()
    error: Any = caught.value
    assert isinstance(error, WebSocketDisconnect)
    assert (error.code, error.reason) == (4000, "")
    assert not isinstance(error, RuntimeError)


@pytest.mark.parametrize("action", ["receive", "receive_text", "send_text", "send_json"])
async def test_call_after_the_end_is_a_runtime_error_too(action: str) -> None:
    websocket = new_websocket()
    await websocket.accept()
    with pytest.raises(WebSocketDisconnect):
        await websocket.receive_text()
    call: Any = getattr(websocket, action)
    with pytest.raises(RuntimeError) as caught:
        await (call("a") if action.startswith("send") else call())
    assert isinstance(caught.value, starlette.websockets.WebSocketDisconnect)
    assert isinstance(caught.value, WebSocketDisconnect)


async def test_lost_connection_is_a_disconnect() -> None:
    websocket = new_websocket()
    await websocket.accept()
    send: Any = websocket._channel.sink
    send.fail_with(OSError())
    with pytest.raises(starlette.websockets.WebSocketDisconnect) as caught:
        await websocket.send_bytes(b"a")
    assert caught.value.code == 1006


async def test_message_that_the_specification_forbids_is_a_runtime_error() -> None:
    websocket = new_websocket({"type": "websocket.connect"})
    await websocket.accept()
    with pytest.raises(RuntimeError, match=r"unexpected ASGI message type 'websocket\.connect'"):
        await websocket.receive()


@pytest.mark.parametrize(
    ("read", "message", "kind", "code"),
    [
        pytest.param(lambda socket: socket.receive_text(), b"a", ValidationException, 1003, id="binary"),
        pytest.param(lambda socket: socket.receive_bytes(), "a", ValidationException, 1003, id="text"),
        pytest.param(lambda socket: socket.receive_json(), "{", SerializationException, 1007, id="malformed"),
        pytest.param(
            lambda socket: socket.receive_json("binary", type=list[int]),
            b"[1,",
            SerializationException,
            1007,
            id="malformed binary",
        ),
        pytest.param(
            lambda socket: socket.receive_json(type=int), '"a"', ValidationException, 1007, id="wrong type"
        ),
        pytest.param(
            lambda socket: socket.receive_json(type=int), b"1", ValidationException, 1003, id="wrong kind"
        ),
        pytest.param(
            lambda socket: socket.receive_msgpack(), b"\xc1", SerializationException, 1007, id="msgpack"
        ),
        pytest.param(
            lambda socket: socket.receive_text(), "a" * 9, RequestEntityTooLarge, 1009, id="too large"
        ),
    ],
)
async def test_error_of_the_client_closes_with_a_code(
    read: Callable[[Any], Any], message: str | bytes, kind: type, code: int
) -> None:
    class Small(WebSocket):
        limits = Limits(max_message_size=8)

    errors: list[Any] = []

    async def endpoint(websocket: Any) -> None:
        await websocket.accept()
        try:
            await read(websocket)
        except kind as error:
            errors.append(error)
            raise

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    install(app, websocket_class=Small)
    events = await talk(app, "/", message)
    (error,) = errors
    assert isinstance(error, starlette.exceptions.WebSocketException)
    assert (error.code, error.reason) == (code, error.detail)
    assert (events[-1]["type"], events[-1]["code"]) == ("websocket.close", code)


async def test_malformed_json_is_a_json_error_too() -> None:
    websocket = new_websocket("{", "NaN")
    with pytest.raises(json.JSONDecodeError) as caught:
        await websocket.receive_json()
    assert caught.value.pos == 1
    assert caught.value.message == {"type": "websocket.receive", "text": "{"}
    assert repr(await websocket.receive_json()) == "nan"


async def test_wrong_kind_is_a_key_error_too() -> None:
    with pytest.raises(KeyError, match="expected a text message, got a binary one"):
        await new_websocket(b"a").receive_text()


@pytest.mark.parametrize(
    "call", [lambda s: s.receive_json("x"), lambda s: s.send_json(1, "x")], ids=["receive", "send"]
)
async def test_invalid_mode_is_a_runtime_error(call: Callable[[Any], Any]) -> None:
    with pytest.raises(RuntimeError, match='The "mode" argument should be "text" or "binary"'):
        await call(new_websocket())


async def test_denial_with_a_response_or_a_status() -> None:
    scope = {"extensions": {"websocket.http.response": {}}}
    for arguments in ((PlainTextResponse("no", 403),), (403, {"content-length": "2"}, b"no")):
        websocket = new_websocket(scope=scope)
        await websocket.send_denial_response(*arguments)
        send: Any = websocket._channel.sink
        start, body = send.messages
        assert (start["status"], body["body"]) == (403, b"no")
        assert websocket.application_state is WebSocketState.DISCONNECTED


@pytest.mark.parametrize("response", [PlainTextResponse("no", 403), 403])
async def test_denial_without_support_is_a_runtime_error(response: Any) -> None:
    with pytest.raises(RuntimeError) as caught:
        await new_websocket().send_denial_response(response)
    assert isinstance(caught.value, ImproperlyConfiguredException | RuntimeError)


async def test_reason_is_cut_and_a_list_is_sent_as_it_is() -> None:
    for reason, sent in (("é" * 100, "é" * 61), ([{"type": "missing"}], [{"type": "missing"}])):
        websocket = new_websocket()
        await websocket.accept()
        await websocket.close(1008, reason)
        await websocket.close(1008, reason)
        send: Any = websocket._channel.sink
        assert send.messages[1:] == [{"type": "websocket.close", "code": 1008, "reason": sent}]


async def test_typed_query() -> None:
    assert new_websocket(scope={"query_string": b"a=1"}).query(type=dict[str, int]) == {"a": 1}
    with pytest.raises(starlette.exceptions.WebSocketException) as caught:
        new_websocket(scope={"query_string": b"a=x"}).query(type=dict[str, int])
    assert caught.value.code == 1007


async def test_short_path_of_text_messages_stays() -> None:
    websocket = new_websocket("a")
    await websocket.accept()
    assert websocket._channel.reads_directly
    assert websocket._channel.sends_directly
