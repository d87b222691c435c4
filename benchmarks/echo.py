"""The application of the server part: it answers with the body that it was sent.

It is written four times, and differs only in how the body is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .contestants import OURS, RAW

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    from .inputs import Receive, Scope, Send

    Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


async def answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def raw() -> Application:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        pieces = []
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        await answer(send, pieces[0] if len(pieces) == 1 else b"".join(pieces))

    return application


def asgiwire() -> Application:
    from asgiwire import Request  # noqa: PLC0415 - each is served by a process that needs no other

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, await Request(scope, receive, send).body())

    return application


def starlette() -> Application:
    from starlette.requests import Request  # noqa: PLC0415 - as above

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, await Request(scope, receive, send).body())

    return application


def litestar() -> Application:
    from .contestants.litestar import Request, prepare  # noqa: PLC0415 - as above

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        prepare(scope)  # two entries, which its router would set
        await answer(send, await Request(scope, receive, send).body())

    return application


APPLICATIONS = {RAW: raw, OURS: asgiwire, "starlette": starlette, "litestar": litestar}
