"""The address of the client and the scheme of the URL, as trusted proxies report them."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from asgiwire import ASGIConnection, Request
from asgiwire.sending import send_response
from asgiwire.types import ASGIApp, Receive, Scope, Send

SCHEMES = {"http": ("http", "https"), "websocket": ("ws", "wss")}


class TrustedProxies:
    """Sets ``client`` and ``scheme`` of the scope if a trusted proxy sent the request.

    Args:
        app: The application.
        *networks: The addresses of the proxies, such as ``10.0.0.7`` or ``10.0.0.0/24``.
    """

    def __init__(self, app: ASGIApp, *networks: str) -> None:
        self.app, self.networks = app, [ip_network(network) for network in networks]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with a scope that has the values of the proxy."""
        if scope["type"] in SCHEMES:
            connection = ASGIConnection(scope)
            peer = connection.client.host if connection.client else ""
            if self.trusts(peer):
                addresses = values(connection, "x-forwarded-for")
                scope = {**scope, "client": (self.rightmost_untrusted(peer, addresses), 0)}
                if protocols := values(connection, "x-forwarded-proto"):
                    is_secure = protocols[-1] in {"https", "wss"}
                    scope["scheme"] = SCHEMES[scope["type"]][is_secure]
        await self.app(scope, receive, send)

    def rightmost_untrusted(self, client: str, addresses: list[str]) -> str:
        """Return the client. Each proxy appends the address that connected to it."""
        for address in reversed(addresses):
            # A client can send the header too. What a trusted proxy appended is reliable.
            if not self.trusts(client) or parse_address(address) is None:
                break
            client = address
        return client

    def trusts(self, text: str) -> bool:
        """Return whether this is the address of a trusted proxy."""
        address = parse_address(text)
        return address is not None and any(address in network for network in self.networks)


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, or ``None`` if the text is something else."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # An IPv6 socket reports the address of an IPv4 client as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address


def values(connection: ASGIConnection, header: str) -> list[str]:
    """Return the elements of a list, which one or several headers contain."""
    lines = connection.headers.getall(header, [])
    return [value.strip() for line in lines for value in line.split(",")]


async def whoami(scope: Scope, receive: Receive, send: Send) -> None:
    """Return the address and the URL that the application receives."""
    request = Request(scope)
    host = request.client.host if request.client else "unknown"
    await send_response(send, 200, f"{host} requested {request.url}\n".encode())


app = TrustedProxies(whoami, "127.0.0.1", "10.0.0.0/24")
