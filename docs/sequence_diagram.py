"""Sequence diagrams as SVG, recorded while the code that they show runs.

Each function below runs an application. The labels of calls are the code that is evaluated, and the messages
are those that pass through ``receive`` and ``send``.
"""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asgiwire import Request, WebSocket
from asgiwire.exceptions import Disconnected
from asgiwire.sending import send_response
from asgiwire.testing import ScriptedReceive, http_scope, websocket_scope
from examples.middleware.access_log import LOGGER, AccessLog
from examples.middleware.authentication import BearerAuthentication
from examples.middleware.body_size import BodySizeCap

from .drawing import arrow, box, figure, group, line, text

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from asgiwire.types import Message, Receive, Scope, Send

TOP, ROW, MARGIN, HALF_HEAD = 44, 34, 80, 74


class Step(NamedTuple):
    """An arrow from one lane to another, or to itself."""

    kind: str  # "call", "received", "sent" or "result"
    source: str
    target: str
    label: str


@dataclass
class Recording:
    """The steps of one run.

    Attributes:
        name: What the diagram shows.
        lanes: From the server to the application.
        gap: Pixels between two lanes.
    """

    name: str
    lanes: tuple[str, ...]
    gap: int
    steps: list[Step] = field(default_factory=list)

    def add(self, kind: str, source: str, target: str, label: str) -> None:
        """Record a step."""
        self.steps.append(Step(kind, source, target, label))

    def receive(self, receive: Any, source: str, target: str) -> Receive:
        """Record the messages that ``receive`` returns."""

        async def recorded() -> Any:
            message = await receive()
            self.add("received", source, target, summary(message))
            return message

        return recorded

    def send(self, send: Any, source: str, target: str) -> Send:
        """Record the messages that are sent."""

        async def recorded(message: Message) -> None:
            self.add("sent", source, target, summary(message))
            await send(message)

        return recorded

    async def call(self, code: str, source: str, target: str, **names: object) -> Any:
        """Evaluate an expression, await it if necessary, and record it and its result."""
        position = len(self.steps)
        try:
            result = eval(code, {}, names)  # noqa: S307  # the label and the code cannot differ
            if awaited := inspect.isawaitable(result):
                result = await result
        except Disconnected as error:
            result, awaited, shown = None, True, f"raises {type(error).__name__}"
        else:
            shown = "" if result is None or isinstance(result, Request | WebSocket) else repr(result)
        self.steps.insert(position, Step("call", source, target, f"{'await ' if awaited else ''}{code}"))
        if shown:
            self.add("result", target, source, shown)
        return result

    def rows(self) -> list[list[Step]]:
        """Steps with one label that continue each other, from lane to lane, share a row."""
        rows: list[list[Step]] = []
        for step in self.steps:
            last = rows[-1][-1] if rows else None
            if last and (last.kind, last.label, last.target) == (step.kind, step.label, step.source):
                rows[-1].append(step)
            else:
                rows.append([step])
        return rows

    def svg(self) -> str:
        """Draw the recording."""
        x = {lane: MARGIN + self.gap * number for number, lane in enumerate(self.lanes)}
        rows = self.rows()
        bottom = TOP + ROW * len(rows) + 16
        parts = [
            line(f"M{x[lane]} {TOP}V{bottom}")
            + box(x[lane] - HALF_HEAD, 4, 2 * HALF_HEAD, TOP - 10)
            + text(x[lane], 28, lane, "label name")
            for lane in self.lanes
        ]
        parts = [group("lane", lane, part) for lane, part in zip(self.lanes, parts, strict=True)]
        for number, row in enumerate(rows, 1):
            y = TOP + ROW * number
            arrows = "".join(arrow(f"M{x[step.source]} {y}H{x[step.target]}") for step in row)
            left, right = sorted((x[row[0].source], x[row[-1].target]))
            title = f"{row[0].source} to {row[-1].target}: {row[0].label}"
            parts.append(
                group(
                    row[0].kind, title, arrows + text((left + right) / 2, y - 9, row[0].label, "label code")
                )
            )
        return figure(self.name, (x[self.lanes[-1]] + MARGIN, bottom + 6), "".join(parts))


def summary(message: Message) -> str:
    """Return the type of a message, and the values that matter for its meaning."""
    shown = [
        key if message[key] is True else f"{key}={message[key]!r}"
        for key in ("status", "body", "text", "bytes", "subprotocol", "code", "more_body")
        if message.get(key)
    ]
    return " ".join([message["type"], *shown])


async def discard(_message: Message) -> None:
    """Take a message, as a server does."""


def chunks(*bodies: bytes) -> ScriptedReceive:
    """Return a ``receive`` with one message for each chunk of a body."""
    return ScriptedReceive(
        *(
            {"type": "http.request", "body": body, "more_body": number < len(bodies)}
            for number, body in enumerate(bodies, 1)
        ),
        {"type": "http.disconnect"},
    )


async def request_life() -> Recording:
    """A request from its construction to the disconnect."""
    lanes = server, owner, application = "server", "Request", "application"
    recording = Recording("life of a request", lanes, 320)
    headers = {"content-type": "application/json"}
    recording.add("call", server, application, "application(scope, receive, send)")
    names: dict[str, Any] = {
        "scope": http_scope("POST", headers=headers),
        "receive": recording.receive(chunks(b'{"tea"', b": 2}"), server, owner),
        "send": recording.send(discard, owner, server),
        "Request": Request,
    }
    names["request"] = await recording.call("Request(scope, receive, send)", application, owner, **names)
    for code in ('request.headers["content-type"]', "request.json()", "request.body()"):
        await recording.call(code, application, owner, **names)
    names |= {"send_response": send_response, "send": names["request"].send}
    await recording.call('send_response(send, 200, b"2 cups")', application, owner, **names)
    await recording.call("request.is_disconnected()", application, owner, **names)
    return recording


async def websocket_life() -> Recording:
    """A WebSocket from the handshake to the disconnect."""
    lanes = server, owner, application = "server", "WebSocket", "application"
    recording = Recording("life of a WebSocket", lanes, 320)
    receive = ScriptedReceive.websocket('{"tea": 2}', disconnect=1001)
    recording.add("call", server, application, "application(scope, receive, send)")
    names: dict[str, Any] = {
        "scope": websocket_scope(subprotocols=["orders"]),
        "receive": recording.receive(receive, server, owner),
        "send": recording.send(discard, owner, server),
        "WebSocket": WebSocket,
    }
    names["socket"] = await recording.call("WebSocket(scope, receive, send)", application, owner, **names)
    for code in (
        'socket.accept("orders")',
        "socket.receive_json()",
        'socket.send_json({"cups": 2})',
        "socket.receive_json()",
        "socket.close_code",
        "socket.close()",
    ):
        await recording.call(code, application, owner, **names)
    return recording


async def body_buffer() -> Recording:
    """A middleware that reads the body, and an application that receives it again."""
    lanes = server, owner, middleware, application = "server", "body channel", "middleware", "application"
    recording = Recording("buffer and replay", lanes, 255)
    receive = recording.receive(chunks(b"[1,", b" 2]"), server, owner)
    request = Request(http_scope("POST"), receive)
    await recording.call("request.buffer()", middleware, owner, request=request)
    await recording.call("request.json()", middleware, owner, request=request)
    await recording.call("request.body()", middleware, owner, request=request)
    recording.add("call", middleware, application, "app(scope, request.replay, send)")
    replay = recording.receive(request.replay, owner, application)
    await replay()
    return recording


async def body_tee() -> Recording:
    """A middleware that sees each chunk while the application receives it."""
    lanes = server, owner, middleware, application = "server", "body channel", "middleware", "application"
    recording = Recording("tee", lanes, 255)
    receive = recording.receive(chunks(b"tea", b" cake"), server, owner)

    def update(chunk: bytes) -> None:
        if chunk:
            recording.add("result", owner, middleware, f"digest.update({bytes(chunk)!r})")

    tee = Request(http_scope("POST"), receive).tee(update)
    recording.add("call", middleware, owner, "request.tee(digest.update)")
    recording.add("call", middleware, application, "app(scope, tee, send)")
    received = recording.receive(tee, owner, application)
    while (await received()).get("more_body"):
        pass
    return recording


async def middleware_order() -> Recording:
    """Three middleware of the examples around an application."""
    lanes = ("server", "AccessLog", "Authentication", "BodySizeCap", "application")
    recording = Recording("order of middleware", lanes, 190)

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive, send).body()
        await send_response(send, 200, b"2 cups")

    async def find_user(_token: str) -> str:
        return "ada"

    def between(outer: str, inner: str, app: Any) -> Any:
        async def recorded(scope: Any, receive: Any, send: Any) -> None:
            recording.add("call", outer, inner, "app(scope, receive, send)")
            await app(scope, recording.receive(receive, outer, inner), recording.send(send, inner, outer))

        return recorded

    app: Any = between("BodySizeCap", "application", endpoint)
    app = between("Authentication", "BodySizeCap", BodySizeCap(app, 1000))
    app = between("AccessLog", "Authentication", BearerAuthentication(app, find_user))
    app = between("server", "AccessLog", AccessLog(app))
    LOGGER.disabled = True
    try:
        await app(http_scope("POST", headers={"authorization": "Bearer t"}), chunks(b"tea"), discard)
    finally:
        LOGGER.disabled = False
    return recording


DIAGRAMS: Final[Mapping[str, Callable[[], Coroutine[Any, Any, Recording]]]] = {
    "body-buffer": body_buffer,
    "body-tee": body_tee,
    "middleware-order": middleware_order,
    "request-life": request_life,
    "websocket-life": websocket_life,
}
"""The recording of each diagram."""


def diagram(name: str) -> str:
    """Return a diagram as HTML."""
    return asyncio.run(DIAGRAMS[name]()).svg()
