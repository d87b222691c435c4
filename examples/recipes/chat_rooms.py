"""Chat rooms in which a member that reads too slowly delays no other member."""

from collections import defaultdict
from typing import Annotated

import msgspec

from asgiwire import Limits, WebSocket
from asgiwire.connection.outbox import Outbox
from asgiwire.exceptions import ClientException, WebSocketDisconnect
from asgiwire.types import Receive, Scope, Send

Name = Annotated[str, msgspec.Meta(pattern=r"^[\w-]{1,32}$")]


class Join(msgspec.Struct):
    """The query of the handshake."""

    room: Name
    name: Name


class ChatSocket(WebSocket):
    """A WebSocket with small messages."""

    limits = Limits(max_message_size=4000)


class Chat:
    """The outboxes of the members, by room."""

    def __init__(self) -> None:
        self.rooms = defaultdict[str, set[Outbox]](set)

    async def join(self, socket: WebSocket, room: str, name: str) -> None:
        """Broadcast the messages of one member until it leaves, or reads too slowly."""
        async with socket, socket.outbox(max_messages=100, on_full="close") as outbox:
            self.rooms[room].add(outbox)
            try:
                self.broadcast(room, name, "joined")
                async for text in socket.iter_data():
                    self.broadcast(room, name, text)
            finally:
                self.rooms[room].discard(outbox)
                self.broadcast(room, name, "left")
                if not self.rooms[room]:
                    del self.rooms[room]

    def broadcast(self, room: str, name: str, text: str) -> None:
        """Queue a message for every member of a room; this never waits."""
        # JSON separates the name from the text, so that no text can look like that of another member.
        message = msgspec.json.encode({"name": name, "text": text}).decode()
        for outbox in [*self.rooms[room]]:
            outbox.put_nowait(message)


chat = Chat()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Let a client join the room that its query names."""
    socket = ChatSocket(scope, receive, send)
    try:
        if socket.fetch_site == "cross-site":
            raise ClientException("open the chat from its own site", status_code=403)
        join = socket.query(type=Join)
        await chat.join(socket, join.room, join.name)
    except ClientException as error:
        if not socket.accepted:  # otherwise the WebSocket is closed with the code of the error
            await socket.deny(error.status_code, body=error.detail.encode())
    except WebSocketDisconnect:
        pass
