"""Scopes and messages as a server passes them to an application.

Every input contains a different number, always with the same count of digits. No contestant parses the same
bytes twice, so a cache that outlives a request gives no advantage.
"""

from __future__ import annotations

import datetime
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
"""Bytes in one message of a body: the read size of uvicorn."""

USER_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


class Product(msgspec.Struct):
    """One line of an order."""

    id: int
    name: str
    price: float
    tags: list[str]


class Order(msgspec.Struct):
    """The value that the JSON rows send."""

    id: int
    customer: str
    paid: bool
    products: list[Product]


class Search(msgspec.Struct):
    """The value that the row of a typed query sends."""

    q: str
    page: int
    per_page: int
    sort: str
    in_stock: bool
    max_price: float


class Registration(msgspec.Struct):
    """The value that the row of a typed form sends."""

    name: str
    email: str
    age: int
    height: float
    newsletter: bool
    birthday: datetime.date
    street: str
    postcode: int
    city: str
    country: str


@dataclass(slots=True)
class Case:
    """One call of an application and its expected result.

    Attributes:
        arguments: The scope, receive and send of the call.
        expected: The result that every contestant must return.
        sent: The messages that were sent.
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
    """Return a GET request of a browser or, with a content type, a POST request with a body."""
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
    chunks = [body] if isinstance(body, bytes) else body or []
    if content_type is not None:
        headers.append((b"content-type", content_type))
        headers.append((b"content-length", b"%d" % sum(map(len, chunks))))
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
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if messages:
        messages[-1]["more_body"] = False
    sent: list[Message] = []
    return Case((scope, scripted_receive(messages), recording_send(sent)), expected, sent)


def websocket_case(seed: int, messages: list[Message], expected: object) -> Case:
    """Return a WebSocket whose client sends these messages and then nothing."""
    case = http_case(seed, expected)
    scope, _, send = case.arguments
    del scope["method"]
    scope |= {"type": "websocket", "scheme": "wss", "subprotocols": []}
    case.arguments = scope, scripted_receive([{"type": "websocket.connect"}, *messages]), send
    return case


def scripted_receive(messages: list[Message]) -> Receive:
    """Return a ``receive`` that returns these messages and then raises, where a server would block."""
    next_message = iter(messages).__next__

    async def receive() -> Message:
        return next_message()  # a coroutine turns StopIteration into RuntimeError

    return receive


def recording_send(sent: list[Message]) -> Send:
    """Return a ``send`` that appends every message to a list."""
    append = sent.append

    async def send(message: Message) -> None:
        append(message)

    return send


def split_body(body: bytes, size: int = CHUNK_SIZE) -> list[bytes]:
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


def search(seed: int) -> Search:
    return Search(
        q=f"shoes {seed}", page=seed % 1000, per_page=50, sort="price", in_stock=True, max_price=99.5
    )


def registration(seed: int) -> Registration:
    return Registration(
        name="grace",
        email=f"grace{seed}@example.org",
        age=36,
        height=1.68,
        newsletter=True,
        birthday=datetime.date(1906, 12, 9),
        street="navy yard 3",
        postcode=seed,
        city="arlington",
        country="us",
    )


def encode_fields(value: msgspec.Struct) -> bytes:
    """Encode the fields of a value as a query or an urlencoded form."""
    fields = msgspec.structs.asdict(value)
    return urlencode({name: str(field).lower() for name, field in fields.items()}).encode()


def form_fields(seed: int, count: int) -> list[tuple[str, str]]:
    return [(f"field{number}", f"value {number} of {seed}") for number in range(count)]


def order(seed: int) -> Order:
    """Return an order that is 1 KB of JSON."""
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
def random_bytes() -> bytes:
    return random.Random(1).randbytes(10_000_000)


def file_content(seed: int, size: int) -> bytes:
    """Return random bytes, which contain line ends."""
    head = b"%d" % seed
    return head + random_bytes()[: size - len(head)]


@dataclass(slots=True)
class Multipart:
    """Builder of a multipart/form-data body."""

    seed: int
    chunks: list[bytes] = field(default_factory=list)

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
        self.chunks += (b"--", self.boundary, head, content, b"\r\n")

    def body(self) -> bytes:
        return b"".join([*self.chunks, b"--", self.boundary, b"--\r\n"])
