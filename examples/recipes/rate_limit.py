"""A rate limit for each client: requests and WebSocket handshakes over it are a 429."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import monotonic

from asgiwire import ASGIConnection, WebSocket
from asgiwire.sending import send_response
from asgiwire.types import ASGIApp, Receive, Scope, Send


class RateLimit:
    """Allows ``limit`` requests at once, then one every ``seconds / limit`` (token bucket).

    Args:
        app: The application.
        limit: The number of tokens in a full bucket; each request takes one.
        seconds: The time in which an empty bucket becomes full.
        max_clients: The maximum number of buckets in memory.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int,
        seconds: float,
        max_clients: int = 100_000,
    ) -> None:
        self.app, self.limit, self.rate = app, limit, limit / seconds
        self.max_clients = max_clients
        # The tokens of each client, and the time when a request took one.
        self.buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, or respond with 429."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        delay = self.take_token(client_key(ASGIConnection(scope)))
        if delay == 0:
            return await self.app(scope, receive, send)
        headers, body = {"retry-after": str(ceil(delay))}, b"too many requests\n"
        if scope["type"] == "http":
            await send_response(send, 429, body, headers)
        else:
            await WebSocket(scope, receive, send).deny(429, headers, body)
        return None

    def take_token(self, key: str) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now = monotonic()
        tokens, changed = self.buckets.get(key, (self.limit, now))
        tokens = min(self.limit, tokens + (now - changed) * self.rate)
        if tokens < 1:
            return (1 - tokens) / self.rate
        self.buckets[key] = tokens - 1, now
        self.buckets.move_to_end(key)
        if len(self.buckets) > self.max_clients:
            self.buckets.popitem(last=False)  # unused for the longest time
        return 0


def client_key(connection: ASGIConnection) -> str:
    """Return the IPv4 address of the client, or the first 64 bits of its IPv6 address."""
    try:
        address = ip_address(connection.client.host if connection.client else "")
    except ValueError:
        return ""  # clients without an IP address share one bucket
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or address.exploded[:19])
    return str(address)


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond to a request, or accept a WebSocket and send one message."""
    if scope["type"] == "http":
        await send_response(send, 200, b"hello\n")
    else:
        async with WebSocket(scope, receive, send) as socket:
            await socket.send_text("hello")


app = RateLimit(hello, limit=5, seconds=60)
