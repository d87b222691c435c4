"""The real servers: their command lines and their known differences.

The differences are data, so that a test states the expectation without naming a server.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .certificate import Certificate

HOST: Final = "127.0.0.1"
APP: Final = "tests.e2e.app:app"

# The ways in which a client may end a WebSocket, and the (code, reason) that the application sees.
Closings = dict[str, tuple[int, str]]
COMPLETE: Final[Closings] = {
    "1000": (1000, "done"),
    "3001": (3001, "café ✓"),
    "no code": (1005, ""),
    "FIN": (1006, ""),
    "RST": (1006, ""),
}
LOSS_IS_1005: Final[Closings] = COMPLETE | {"FIN": (1005, ""), "RST": (1005, "")}
WITHOUT_REASONS: Final[Closings] = {how: (code, "") for how, (code, _) in COMPLETE.items()}
ALWAYS_1006: Final[Closings] = dict.fromkeys(COMPLETE, (1006, ""))


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server and its differences from the specification and from other servers.

    Attributes:
        arguments: Its command line after ``python -m``, with fields for port, certificate and key.
        modules: The modules that it needs.
        http2: Whether the tests use HTTP/2 with TLS, else HTTP/1.1 without TLS.
        header_order: Whether it preserves the order of headers with different names.
        closings: The code and reason that the application sees, by the way in which the client ends.
        closes_with_1xxx: Whether the application may close with 1001 to 1014.
        sends_reasons: Whether the close reason reaches the client.
        notices_loss: Whether a send fails after the client disconnected, without a receive before it.
        cannot: Missing features, and the reason for skipping their tests.
    """

    name: str
    arguments: str
    modules: tuple[str, ...]
    http2: bool = False
    header_order: bool = True
    closings: Closings = field(default_factory=lambda: COMPLETE)
    closes_with_1xxx: bool = True
    sends_reasons: bool = True
    notices_loss: bool = False
    cannot: Mapping[str, str] = field(default_factory=dict)

    def command(self, port: int, certificate: Certificate) -> list[str]:
        """Return the command line."""
        values = {"port": port, "certificate": certificate.chain, "key": certificate.key}
        return [sys.executable, "-m", *(part.format(**values) for part in self.arguments.split())]

    def closes_as(self, code: int, reason: str) -> tuple[int, str]:
        """Return the code and reason that the client sees if the application closes with these."""
        known = code == 1000 or code >= 3000 or self.closes_with_1xxx
        return code if known else 1000, reason if self.sends_reasons else ""


REFUSES_RAW_UTF8: Final = (
    "this server answers 400 to a target that is not ASCII, as RFC 9112 section 3.2 allows"
)
NO_PUSH: Final = "this server has no http.response.push"
LATE_DATA: Final = (
    "hypercorn drops the HTTP/2 connection (on trio: exits) at DATA of a stream that it has answered:"
    " KeyError in hypercorn/protocol/h2.py"
)
PLAIN: Final = {"raw query": REFUSES_RAW_UTF8, "push": NO_PUSH}


def _uvicorn(http: str, ws: str, closings: Closings) -> Server:
    return Server(
        name=f"uvicorn-{http}-{ws.removeprefix('websockets-')}",
        arguments=f"uvicorn --host {HOST} --port {{port}} --http {http} --ws {ws} --no-access-log {APP}",
        modules=("uvicorn", http, "wsproto" if ws == "wsproto" else "websockets"),
        closings=closings,
        notices_loss=True,
        cannot=PLAIN,
    )


SHIELDED_SEND: Final = (
    "hypercorn on trio shields its send from cancellation: trio/tcp_server.py, protocol_send()"
)


def _hypercorn(worker: str, *, http2: bool = False) -> Server:
    tls = "--certfile {certificate} --keyfile {key}" if http2 else ""
    return Server(
        name=f"hypercorn-{worker}{'-h2' if http2 else ''}",
        # Without workers it serves from the started process, so that no other process has to be stopped.
        arguments=f"hypercorn -w 0 -k {worker} -b {HOST}:{{port}} {tls} {APP}",
        modules=("hypercorn", worker),
        http2=http2,
        closings=ALWAYS_1006,
        cannot={"raw query": REFUSES_RAW_UTF8}
        | ({"cancelled send": SHIELDED_SEND} if worker == "trio" else {})
        | ({"early answer": LATE_DATA} if http2 else {"push": NO_PUSH}),
    )


def _granian(*, http2: bool = False) -> Server:
    tls = "--http auto --ssl-certificate {certificate} --ssl-keyfile {key}" if http2 else "--http 1"
    return Server(
        name="granian-h2" if http2 else "granian",
        arguments=f"granian --interface asgi --host {HOST} --port {{port}} {tls} {APP}",
        modules=("granian",),
        http2=http2,
        header_order=False,
        closings=WITHOUT_REASONS | {"FIN": (1005, ""), "RST": (1005, "")},
        cannot={"push": NO_PUSH, "accept headers": "granian ignores the headers of websocket.accept"},
    )


def _daphne() -> Server:
    return Server(
        name="daphne",
        arguments=f"daphne -b {HOST} -p {{port}} {APP}",
        modules=("daphne",),
        header_order=False,
        closings=WITHOUT_REASONS,
        closes_with_1xxx=False,
        sends_reasons=False,
        cannot=PLAIN
        | {
            "denial": "daphne has no websocket.http.response",
            "streaming": "daphne calls the application after it has received the whole body",
            "accept headers": "daphne ignores the headers of websocket.accept",
            "split WebSocket cookies": "daphne joins repeated handshake headers with a comma, also Cookie",
            "empty messages": "daphne drops empty messages",
        },
    )


UVICORNS: Final = [
    _uvicorn(http, ws, closings)
    for http in ("h11", "httptools")
    for ws, closings in (
        ("websockets", COMPLETE),
        ("wsproto", LOSS_IS_1005),
        ("websockets-sansio", LOSS_IS_1005),
    )
]
OTHERS: Final = [_hypercorn("asyncio"), _hypercorn("trio"), _granian(), _daphne()]

HTTP1: Final = {"uvicorn-h11": UVICORNS[0], "uvicorn-httptools": UVICORNS[3]} | {
    server.name: server for server in OTHERS
}
HTTP2: Final = {
    server.name: server
    for server in (_hypercorn("asyncio", http2=True), _hypercorn("trio", http2=True), _granian(http2=True))
}
WEBSOCKET: Final = {server.name: server for server in (*UVICORNS, *OTHERS)}


def each(servers: Mapping[str, Server]) -> pytest.MarkDecorator:
    """Run a test, or all tests of a module, against each server."""
    return pytest.mark.parametrize(
        "server", [pytest.param(server, id=name) for name, server in servers.items()], indirect=True
    )
