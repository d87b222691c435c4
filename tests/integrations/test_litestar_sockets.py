"""WebSockets in Litestar applications: handlers, listeners, streams and channels."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import anyio
import msgspec
import pytest
from litestar import Litestar, WebSocket, websocket, websocket_listener
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.memory import MemoryChannelsBackend
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.dto import DataclassDTO, DTOConfig
from litestar.exceptions import PermissionDeniedException, WebSocketDisconnect, WebSocketException
from litestar.handlers import WebsocketListener, send_websocket_stream, websocket_stream
from litestar.params import FromPath, FromQuery
from litestar.testing import TestClient

import asgiwire
from asgiwire import exceptions
from asgiwire.integrations import litestar as integration
from asgiwire.testing import websocket_scope

from .litestar_apps import ask_asgiwire, ask_both

Client = TestClient[Litestar]


def closed(client: Client, path: str, *sent: str | bytes) -> list[Any]:
    """Return what the application sends, then the code and the reason of its close."""
    got: list[Any] = []
    try:
        with client.websocket_connect(path) as socket:
            for message in sent:
                if isinstance(message, str):
                    socket.send_text(message)
                else:
                    socket.send_bytes(message)
            while True:
                message = socket.receive()
                got.append(message.get("text") or message.get("bytes"))
    except WebSocketDisconnect as error:
        return [*got, error.code, error.detail]


def sent_to_idle_client(client: Client, path: str) -> list[Any]:
    """Return what the application sends to a client that sends nothing.

    The test client is not used, because its thread may receive the messages late.
    """
    messages: list[Any] = [{"type": "websocket.connect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        if not messages:
            await anyio.sleep_forever()
        return messages.pop()

    async def send(event: Any) -> None:
        sent.append(event)

    async def connect() -> None:
        with anyio.fail_after(10):
            await client.app(websocket_scope(path), receive, send)

    anyio.run(connect)
    return [event.get("text") or event["code"] for event in sent if event["type"] != "websocket.accept"]


@dataclass
class Tea:
    name: str
    cups: int = 1


class TeaDTO(DataclassDTO[Tea]):
    config = DTOConfig(rename_strategy="upper")


def test_a_handler_uses_every_receive_and_send_method() -> None:
    @websocket("/")
    async def handler(socket: WebSocket[Any, Any, Any], q: FromQuery[str] = "x") -> None:
        await socket.accept(headers={"x-tea": "mint"})
        await socket.send_json([q, socket.url.path, socket.query_params.get("q"), socket.connection_state])
        await socket.send_text(await socket.receive_text())
        await socket.send_bytes(await socket.receive_bytes())
        await socket.send_json({"json": await socket.receive_json()})
        await socket.send_msgpack(await socket.receive_msgpack())
        await socket.send_data((await socket.receive_data("binary")).decode(), mode="text")
        await socket.close(4001, "done")

    def talk(client: Client) -> list[Any]:
        with client.websocket_connect("/?q=1") as socket:
            got = [socket.receive_json()]
            socket.send_text("é")
            socket.send_bytes(b"\x00")
            socket.send_json({"a": 1})
            socket.send_msgpack([1])
            socket.send_bytes(b"bytes")
            got += [
                socket.receive_text(),
                socket.receive_bytes(),
                socket.receive_json(),
                socket.receive_msgpack(),
            ]
            got += [socket.receive_text()]
            with pytest.raises(WebSocketDisconnect) as caught:
                socket.receive()
            return [*got, caught.value.code, caught.value.detail]

    answers = ask_both([handler], talk)
    assert answers[0] == ["1", "/", "1", "connect"]
    assert answers[1:] == ["é", b"\x00", {"json": {"a": 1}}, [1], "bytes", 4001, "done"]


def test_iteration_ends_when_the_client_disconnects() -> None:
    ended: list[Any] = []

    @websocket("/")
    async def handler(socket: WebSocket[Any, Any, Any]) -> None:
        async for value in socket.iter_json():
            await socket.send_json(value)
        with pytest.raises(WebSocketDisconnect):
            await socket.send_json("late")
        ended.append(socket.connection_state)

    def talk(client: Client) -> list[Any]:
        with client.websocket_connect("/") as socket:
            socket.send_json(1)
            return [socket.receive_json()]

    assert ask_both([handler], talk) == [1]
    assert ended == ["disconnect"] * 2


@pytest.mark.parametrize("annotation", [str, bytes, dict[str, Any], Tea])
def test_listeners(annotation: Any) -> None:
    @websocket_listener("/")
    async def listener(data: annotation) -> annotation:
        return data

    def talk(client: Client) -> list[Any]:
        with client.websocket_connect("/") as socket:
            socket.send_text('{"name": "mint", "cups": 2}')
            return [socket.receive_text()]

    (answer,) = ask_both([listener], talk)
    assert msgspec.json.decode(answer) == {"name": "mint", "cups": 2}


def test_listeners_with_dtos_dependencies_and_modes() -> None:
    async def name(socket: WebSocket[Any, Any, Any]) -> str:
        return socket.query_params["name"]

    def make() -> list[Any]:  # once per application: a listener belongs to its first application
        @websocket_listener("/dto", dto=TeaDTO, dependencies={"name": Provide(name)})
        async def dto(data: Tea, socket: WebSocket[Any, Any, Any], name: NamedDependency[str]) -> Tea:
            return Tea(f"{name} {data.name} {socket.url.path}", data.cups)

        @websocket_listener("/binary", receive_mode="binary", send_mode="binary")
        async def binary(data: dict[str, int]) -> dict[str, int]:
            return data

        return [dto, binary]

    def talk(client: Client) -> list[Any]:
        with client.websocket_connect("/dto?name=jo") as socket:
            socket.send_json({"NAME": "mint", "CUPS": 2})
            got = [socket.receive_json()]
        with client.websocket_connect("/binary") as socket:
            socket.send_bytes(b'{"a": 1}')
            return [*got, socket.receive_bytes()]

    assert ask_both(make, talk) == [{"NAME": "jo mint /dto", "CUPS": 2}, b'{"a":1}']


def test_the_hooks_of_a_listener_class() -> None:
    hooks: list[str] = []

    class Listener(WebsocketListener):
        path = "/"

        async def on_accept(self, socket: WebSocket[Any, Any, Any]) -> None:
            hooks.append(f"accept {socket.connection_state}")

        async def on_disconnect(self, socket: WebSocket[Any, Any, Any]) -> None:
            hooks.append(f"disconnect {socket.connection_state}")

        async def on_receive(self, data: str) -> str:
            return data.upper()

    def talk(client: Client) -> list[Any]:
        with client.websocket_connect("/") as socket:
            socket.send_text("tea")
            return [socket.receive_text()]

    assert ask_both([Listener], talk) == ["TEA"]
    assert hooks == ["accept connect", "disconnect disconnect"] * 2


@pytest.mark.parametrize("listen", [True, False])
def test_streams(listen: bool) -> None:
    async def numbers() -> AsyncGenerator[Any, None]:
        for number in range(3):
            yield {"number": number}

    @websocket_stream("/stream", listen_for_disconnect=listen)
    async def stream() -> AsyncGenerator[Any, None]:
        async for number in numbers():
            yield number

    @websocket("/send")
    async def handler(socket: WebSocket[Any, Any, Any]) -> None:
        async def texts() -> AsyncGenerator[str, None]:
            async for number in numbers():
                yield str(number)

        await socket.accept()
        await send_websocket_stream(socket, texts(), listen_for_disconnect=listen, close=True)

    answers = ask_both(
        [stream, handler], lambda client: [sent_to_idle_client(client, path) for path in ("/stream", "/send")]
    )
    assert answers[0] == ['{"number":0}', '{"number":1}', '{"number":2}', 1000]
    assert answers[1] == ["{'number': 0}", "{'number': 1}", "{'number': 2}", 1000]


def test_a_stream_stops_when_the_client_disconnects() -> None:
    stopped: list[bool] = []

    @websocket_stream("/", warn_on_data_discard=False)
    async def stream() -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "tick"
                await anyio.sleep(0.001)
        finally:
            stopped.append(True)

    def talk(client: Client) -> list[Any]:
        with client.websocket_connect("/") as socket:
            socket.send_text("discarded")
            return [socket.receive_text(), socket.receive_text()]

    assert ask_asgiwire([stream], talk) == ["tick", "tick"]
    assert stopped == [True]


def test_channels() -> None:
    plugin = ChannelsPlugin(
        MemoryChannelsBackend(history=10),
        channels=["tea"],
        create_ws_route_handlers=True,
        ws_handler_send_history=1,
    )

    @websocket("/publish")
    async def publish(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        plugin.publish(await socket.receive_text(), "tea")

    def talk(client: Client) -> list[Any]:
        with (
            client.websocket_connect("/tea") as subscriber,
            client.websocket_connect("/publish") as publisher,
        ):
            publisher.send_text("mint")
            return [subscriber.receive_text()]

    assert ask_asgiwire([publish], talk, plugins=[plugin]) == ["mint"]


def test_exceptions_close_with_their_code() -> None:
    @websocket("/{what:str}")
    async def handler(socket: WebSocket[Any, Any, Any], what: FromPath[str]) -> None:
        await socket.accept()
        if what == "theirs":
            raise WebSocketException(detail="no tea", code=4999)
        if what == "other":
            raise PermissionDeniedException(detail="not you")
        raise RuntimeError

    answers = ask_both(
        [handler], lambda client: [closed(client, path) for path in ("/theirs", "/other", "/any")]
    )
    assert answers == [[4999, "no tea"], [4500, "not you"], [4500, "Internal Server Error"]]


def test_exceptions_of_asgiwire_are_litestars() -> None:
    class Small(integration.WebSocket[Any, Any, Any]):
        limits = asgiwire.Limits(max_message_size=10)

    @websocket("/json", websocket_class=Small)
    async def json(socket: Small) -> None:
        await socket.receive_json(type=list[int])

    @websocket("/text")
    async def text(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.receive_text()

    @websocket("/disconnected")
    async def disconnected(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        assert (await socket.receive())["type"] == "websocket.disconnect"
        for late in (
            socket.receive,
            socket.receive_text,
            lambda: socket.send({"type": "websocket.send", "text": ""}),
        ):
            try:
                await late()
            except WebSocketDisconnect as error:
                caught.append(isinstance(error, exceptions.WebSocketDisconnect))

    caught: list[bool] = []

    def talk(client: Client) -> list[Any]:
        return [
            closed(client, "/json", "[]["),
            closed(client, "/json", '["a"]'),
            closed(client, "/json", "[1,1,1,1,1]"),
            closed(client, "/text", b"binary"),
        ]

    answers = ask_asgiwire([json, text], talk)
    assert [answer[0] for answer in answers] == [4500, 4500, 1009, 4500]
    assert answers[1][1] == "Expected `int`, got `str` - at `$[0]`"

    def disconnect(client: Client) -> list[Any]:
        with client.websocket_connect("/disconnected"):
            return []

    ask_asgiwire([disconnected], disconnect)
    assert caught == [True] * 3


def test_guards_and_sessions() -> None:
    from litestar.middleware.session.server_side import ServerSideSessionConfig

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: Any) -> None:
        if connection.query_params.get("key") != "1":
            raise PermissionDeniedException(detail="no key")

    @websocket("/", guards=[guard])
    async def handler(socket: WebSocket[Any, Any, Any]) -> None:
        socket.set_session({"a": 1})
        socket.session["b"] = 2
        await socket.send_json(socket.session)
        socket.clear_session()
        await socket.send_json(socket.headers.get("x-tea"))
        await socket.close()

    def talk(client: Client) -> list[Any]:
        return [closed(client, "/"), closed(client, "/?key=1")]

    answers = ask_both([handler], talk, middleware=[ServerSideSessionConfig().middleware])
    assert answers == [[4500, "no key"], ['{"a":1,"b":2}', "null", 1000, ""]]


@pytest.mark.parametrize(
    "annotation",
    [
        WebSocket,
        WebSocket[Any, str, Any],
        ASGIConnection,
        integration.WebSocket,
        asgiwire.WebSocket[str, str],
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*Reserved kwarg 'socket' declared as")
def test_the_websocket_is_injected_for_every_annotation(annotation: Any) -> None:
    @websocket("/")
    async def handler(socket: annotation) -> None:
        await socket.send_json(isinstance(socket, asgiwire.WebSocket) and isinstance(socket, WebSocket))
        await socket.close()

    assert ask_asgiwire([handler], lambda client: [closed(client, "/")]) == [["true", 1000, ""]]


def test_type_encoders_and_decoders_of_the_handler() -> None:
    class Leaf:
        pass

    @websocket(
        "/", type_encoders={Leaf: lambda _: "leaf"}, type_decoders=[(lambda t: t is Leaf, lambda t, v: t())]
    )
    async def handler(socket: integration.WebSocket[Any, Any, Any]) -> None:
        await socket.send_json(await socket.receive_json(type=list[Leaf]))
        await socket.close()

    assert ask_asgiwire([handler], lambda client: [closed(client, "/", "[1, 2]")]) == [
        ['["leaf","leaf"]', 1000, ""]
    ]
