"""Server-sent events: a client that reconnects receives the events that it missed."""

import asyncio
import os
import secrets
from collections import deque
from contextlib import suppress

import msgspec

from asgiwire import Request
from asgiwire.exceptions import ClientDisconnect, ClientException
from asgiwire.sending import send_response
from asgiwire.types import Receive, Scope, Send

HEARTBEAT = float(os.environ.get("HEARTBEAT", "15"))  # seconds; proxies close idle responses after 30 to 60
HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]


class News(msgspec.Struct):
    """The content of an event."""

    text: str


class Feed:
    """The latest events, with ids that differ from those of an earlier run of the server."""

    def __init__(self, size: int = 1000) -> None:
        self.events: deque[tuple[str, bytes]] = deque(maxlen=size)
        self.run, self.count, self.clients = secrets.token_hex(4), 0, 0
        self.published = asyncio.Event()

    def publish(self, news: News) -> str:
        """Store an event, notify all streams, and return the id of the event."""
        self.count += 1
        event_id = f"{self.run}-{self.count}"
        # JSON has no line breaks, so that a text cannot add fields to the event.
        data = msgspec.json.encode(news)
        self.events.append((event_id, b"id: %b\ndata: %b\n\n" % (event_id.encode(), data)))
        self.published.set()
        self.published = asyncio.Event()
        return event_id

    def since(self, last_id: str) -> list[tuple[str, bytes]]:
        """Return the events after this one; all that are stored if the id is not among them."""
        ids = [event_id for event_id, _ in self.events]
        return [*self.events][ids.index(last_id) + 1 if last_id in ids else 0 :]

    async def stream(self, request: Request) -> None:
        """Send the missed and all later events until the client disconnects."""
        last_id = request.last_event_id or f"{self.run}-{self.count}"
        async with request.cancel_on_disconnect():
            await request.send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            body = b"retry: 2000\n\n"  # milliseconds before the client reconnects
            while True:
                await request.send({"type": "http.response.body", "body": body, "more_body": True})
                if not (events := self.since(last_id)):
                    with suppress(TimeoutError):
                        async with asyncio.timeout(HEARTBEAT):
                            await self.published.wait()
                    events = self.since(last_id)
                last_id = events[-1][0] if events else last_id
                body = b"".join(event for _, event in events) or b": heartbeat\n\n"


feed = Feed()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """``GET`` streams the events, ``POST`` publishes one."""
    request = Request(scope, receive, send)
    try:
        if request.method == "GET":
            feed.clients += 1
            try:
                return await feed.stream(request)
            finally:
                feed.clients -= 1
        event_id = feed.publish(await request.json(type=News))
        answer = msgspec.json.encode({"id": event_id, "clients": feed.clients})
        await send_response(send, 202, answer, {"content-type": "application/json"})
    except ClientException as error:
        await send_response(send, error.status_code, error.detail.encode(), error.headers)
    except ClientDisconnect:
        pass
