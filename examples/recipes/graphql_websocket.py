"""GraphQL over WebSocket: the subprotocol ``graphql-transport-ws``, without a GraphQL library."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

import msgspec

from asgiwire import Limits, WebSocket
from asgiwire.exceptions import ClientException, WebSocketException
from asgiwire.types import Receive, Scope, Send

SUBPROTOCOL = "graphql-transport-ws"
INIT_TIMEOUT = float(os.environ.get("INIT_TIMEOUT", "3"))  # seconds
MAX_OPERATIONS = 20  # of one client at a time


class ConnectionInit(msgspec.Struct, tag="connection_init"):
    """The first message of the client."""

    payload: dict[str, Any] | None = None


class Ping(msgspec.Struct, tag="ping"):
    """Requests a pong, at any time."""


class Pong(msgspec.Struct, tag="pong"):
    """Answers a ping, or is a heartbeat."""


class Query(msgspec.Struct):
    """The payload of a ``subscribe`` message."""

    query: str


class Subscribe(msgspec.Struct, tag="subscribe"):
    """Starts an operation, whose results have this id."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    payload: Query


class Complete(msgspec.Struct, tag="complete"):
    """Stops an operation."""

    id: str


ClientMessage = ConnectionInit | Ping | Pong | Subscribe | Complete


class GraphQLError(Exception):
    """The operation is invalid."""


def is_authorized(payload: dict[str, Any] | None) -> bool:
    """Check the token of the client; browsers cannot send an ``Authorization`` header."""
    return (payload or {}).get("token") == "t0ken"


async def execute(query: str) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the results of one operation; call a GraphQL library here."""
    found = re.fullmatch(r"\s*subscription\s*\{\s*countdown\(from:\s*(\d{1,3})\)\s*\}\s*", query)
    if found is None:
        raise GraphQLError("expected 'subscription { countdown(from: 3) }'")
    for number in range(int(found[1]), -1, -1):
        yield {"data": {"countdown": number}}
        await asyncio.sleep(0.1)


class Session:
    """The state of one connection: whether it is acknowledged, and its operations."""

    def __init__(self, socket: WebSocket, tasks: asyncio.TaskGroup) -> None:
        self.socket, self.tasks = socket, tasks
        self.acknowledged = False
        self.operations: dict[str, asyncio.Task[None]] = {}

    async def handle_next(self) -> None:
        """Receive one message and handle it."""
        try:
            message: ClientMessage = await self.socket.receive_json(type=ClientMessage)
        except ClientException as error:  # not JSON, or not a message of the protocol
            raise WebSocketException(error.detail, code=4400) from error
        match message:
            case Ping():
                await self.socket.send_json({"type": "pong"})
            case Pong():
                pass
            case ConnectionInit() if self.acknowledged:
                raise WebSocketException("Too many initialisation requests", code=4429)
            case ConnectionInit(payload):
                if not is_authorized(payload):
                    raise WebSocketException("Forbidden", code=4403)
                self.acknowledged = True
                await self.socket.send_json({"type": "connection_ack"})
            case _ if not self.acknowledged:
                raise WebSocketException("Unauthorized", code=4401)
            case Subscribe(id) if id in self.operations:
                raise WebSocketException("Subscriber for this id already exists", code=4409)
            case Subscribe(id) if len(self.operations) >= MAX_OPERATIONS:
                await self.send_error(id, f"expected at most {MAX_OPERATIONS} operations at a time")
            case Subscribe(id, payload):
                self.operations[id] = self.tasks.create_task(self.run(id, payload.query))
            case Complete(id):
                if task := self.operations.pop(id, None):
                    task.cancel()

    async def run(self, id: str, query: str) -> None:
        """Send the results of one operation."""
        try:
            async with aclosing(execute(query)) as results:
                async for result in results:
                    await self.socket.send_json({"type": "next", "id": id, "payload": result})
        except GraphQLError as error:
            self.operations.pop(id, None)
            await self.send_error(id, str(error))
        else:
            self.operations.pop(id, None)  # before the message, after which the client may use the id again
            await self.socket.send_json({"type": "complete", "id": id})

    async def send_error(self, id: str, message: str) -> None:
        """End an operation with an error."""
        await self.socket.send_json({"type": "error", "id": id, "payload": [{"message": message}]})


class GraphQLSocket(WebSocket):
    """A WebSocket with small messages."""

    limits = Limits(max_message_size=64_000)


async def serve(socket: WebSocket) -> None:
    """Handle one connection until one side closes it."""
    async with socket, asyncio.TaskGroup() as tasks:
        session = Session(socket, tasks)
        try:
            async with asyncio.timeout(INIT_TIMEOUT):
                while not session.acknowledged:
                    await session.handle_next()
        except TimeoutError:
            raise WebSocketException("Connection initialisation timeout", code=4408) from None
        while True:
            await session.handle_next()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept the subprotocol from pages of this site and from clients that are not browsers."""
    socket = GraphQLSocket(scope, receive, send)
    try:
        if socket.fetch_site == "cross-site":
            await socket.deny(403)
            return
        subprotocol = socket.select_subprotocol([SUBPROTOCOL])
        await socket.accept(subprotocol)
        if subprotocol is None:
            await socket.close(4406, "Subprotocol not acceptable")
            return
        await serve(socket)
    except* WebSocketException:  # the client has received the code
        pass
