"""Scopes and messages as a server hands them to an application.

Every input has a number of its own in it, in as many digits as every other. So no cache that lives longer
than a request can help anybody, and what one contestant parses has been seen by none before.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import msgspec

Message: TypeAlias = dict[str, Any]
Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Arguments: TypeAlias = tuple[Scope, Receive, Send]

CHUNK_SIZE: Final = 65536
"""Bytes that a server reads from its socket at once."""

USER_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


class Product(msgspec.Struct):
    """One line of an order."""

    id: int
    name: str
    price: float
    tags: list[str]


class Order(msgspec.Struct):
    """What the JSON rows send."""

    id: int
    customer: str
    paid: bool
    products: list[Product]


@dataclass(slots=True)
class Case:
    """One call of an application, and what should come of it.

    Attributes:
        arguments: Its scope, receive and send.
        expected: What every contestant has to read.
        sent: What was sent.
    """

    arguments: Arguments
    expected: Any
    sent: list[Message]


def http_case(
    seed: int,
    expected: object = None,
    *,
    path: str = "/items",
    query: bytes = b"",
    content_type: bytes | None = None,
    body: bytes | list[bytes] | None = None,
) -> Case:
    """A GET as a browser sends it, or, with a content type, a POST with its body."""
    headers = [
        (b"host", b"shop.example.org"),
        (b"user-agent", USER_AGENT.encode()),
        (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        (b"accept-language", b"en-GB,en;q=0.7,de;q=0.3"),
        (b"accept-encoding", b"gzip, deflate, br, zstd"),
        (b"referer", b"https://shop.example.org/"),
        (b"connection", b"keep-alive"),
        (b"cookie", cookie_header(seed)),
        (b"sec-fetch-mode", b"navigate"),
        (b"x-request-id", b"%d" % seed),
    ]
    pieces = [body] if isinstance(body, bytes) else body or []
    if content_type is not None:
        headers.append((b"content-type", content_type))
        headers.append((b"content-length", b"%d" % sum(map(len, pieces))))
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("10.0.0.7", 8000),
        "client": ("203.0.113.9", 50000),
        "scheme": "https",
        "root_path": "",
        "method": "GET" if content_type is None else "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": headers,
        "state": {},
    }
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if messages:
        messages[-1]["more_body"] = False
    sent: list[Message] = []
    return Case((scope, scripted(messages), recording(sent)), expected, sent)


def websocket_case(seed: int, messages: list[Message], expected: object) -> Case:
    """A WebSocket whose client sends these messages and is never heard of again."""
    case = http_case(seed, expected)
    scope, _, send = case.arguments
    del scope["method"]
    scope |= {"type": "websocket", "scheme": "wss", "subprotocols": []}
    case.arguments = scope, scripted([{"type": "websocket.connect"}, *messages]), send
    return case


def scripted(messages: list[Message]) -> Receive:
    """A receive that gives these messages. Where a server would block after the last one, it raises."""
    following = iter(messages).__next__

    async def receive() -> Message:
        return following()  # StopIteration leaves a coroutine as a RuntimeError

    return receive


def recording(sent: list[Message]) -> Send:
    """A send that only keeps what it is given."""
    keep = sent.append

    async def send(message: Message) -> None:
        keep(message)

    return send


def chunked(body: bytes, size: int = CHUNK_SIZE) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def cookies(seed: int) -> dict[str, str]:
    return {
        "session": f"{seed:032x}",
        "csrftoken": f"{seed:016x}",
        "theme": "dark",
        "_ga": f"GA1.1.{seed}.1700000000",
        "lang": "en-GB",
    }


def cookie_header(seed: int) -> bytes:
    return "; ".join(f"{name}={value}" for name, value in cookies(seed).items()).encode()


def query_parameters(seed: int) -> dict[str, str]:
    return {"q": f"shoes{seed}", "page": "2", "per_page": "50", "sort": "price", "order": "asc", "in": "new"}


def form_fields(seed: int, count: int) -> list[tuple[str, str]]:
    return [(f"field{number}", f"value {number} of {seed}") for number in range(count)]


def order(seed: int) -> Order:
    """An order that is 1 KB of JSON."""
    return Order(
        id=seed,
        customer="Grace Hopper",
        paid=True,
        products=[
            Product(id=seed + number, name=f"Shoes no. {number}", price=39.95, tags=["new", "red", "size-38"])
            for number in range(11)
        ],
    )


def urlencoded(seed: int, count: int) -> bytes:
    return urlencode(form_fields(seed, count)).encode()


@cache
def noise() -> bytes:
    return random.Random(1).randbytes(10_000_000)


def file_content(seed: int, size: int) -> bytes:
    """Bytes that do not repeat, line ends among them."""
    head = b"%d" % seed
    return head + noise()[: size - len(head)]


@dataclass(slots=True)
class Multipart:
    """A multipart/form-data body in the making."""

    seed: int
    pieces: list[bytes] = field(default_factory=list)

    @property
    def boundary(self) -> bytes:
        return b"----WebKitFormBoundary%d" % self.seed

    @property
    def content_type(self) -> bytes:
        return b"multipart/form-data; boundary=" + self.boundary

    def add_field(self, name: str, value: str) -> None:
        self._add(f'name="{name}"', "", value.encode())

    def add_file(self, name: str, filename: str, content: bytes) -> None:
        self._add(f'name="{name}"; filename="{filename}"', "Content-Type: image/png\r\n", content)

    def _add(self, parameters: str, header: str, content: bytes) -> None:
        head = f"\r\nContent-Disposition: form-data; {parameters}\r\n{header}\r\n".encode()
        self.pieces += (b"--", self.boundary, head, content, b"\r\n")

    def body(self) -> bytes:
        return b"".join([*self.pieces, b"--", self.boundary, b"--\r\n"])
