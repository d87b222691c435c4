"""Receive callables that behave as servers do, and say so where the code under test does not behave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Iterable

DISCONNECT = {"type": "http.disconnect"}


def part(body: bytes, more_body: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more_body}


def parts(body: bytes, size: int) -> list[dict[str, Any]]:
    """A whole body in parts of so many bytes; the last is an empty one, as some servers have it."""
    pieces = [part(body[start : start + size]) for start in range(0, len(body), size)]
    return [*pieces, part(b"", more_body=False)]


class Live:
    """A receive over a queue that messages are put into while it runs.

    It never gives a message to a call that was cancelled, and refuses what blocks on real servers: two calls
    at once, and a call after the disconnect.

    Args:
        checkpoint: Whether it has one before it looks, as the channels of trio and anyio do.

    Attributes:
        calls: How often it was called.
        given: How many messages it has given.
        waiting: Whether somebody waits in it.
    """

    def __init__(self, *messages: dict[str, Any] | Exception, checkpoint: bool = True) -> None:
        self.messages: list[dict[str, Any] | Exception] = list(messages)
        self.checkpoint = checkpoint
        self.calls = self.given = 0
        self.waiting = False
        self._told = False
        self._changed = anyio.Event()

    async def __call__(self) -> Any:
        assert not self.waiting, "two calls of receive at once"
        assert not self._told, "receive was called after a disconnect"
        self.calls += 1
        self.waiting = True
        try:
            if self.checkpoint:
                await anyio.lowlevel.checkpoint()
            while not self.messages:
                await self._changed.wait()
        finally:
            self.waiting = False
        return self._give(self.messages.pop(0))

    def put(self, *messages: dict[str, Any] | Exception) -> None:
        self.messages += messages
        self._changed.set()
        self._changed = anyio.Event()

    def _give(self, message: dict[str, Any] | Exception) -> dict[str, Any]:
        self.given += 1
        if isinstance(message, Exception):
            raise message
        self._told = message["type"] == "http.disconnect"
        return message


async def settle() -> None:
    """Let the other tasks run until they wait."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


async def received(receive: Any) -> tuple[list[bytes], bool]:
    """What an application gets that reads one body, and whether it was told of a disconnect instead."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return pieces, True
        pieces.append(message["body"])
        if not message["more_body"]:
            return pieces, False


def form_body(*fields: tuple[str, str | None, bytes], boundary: str = "B") -> bytes:
    """A multipart form of names, filenames and contents."""
    lines: Iterable[bytes] = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        + (b"" if filename is None else f'; filename="{filename}"'.encode())
        + b"\r\n\r\n"
        + content
        + b"\r\n"
        for name, filename, content in fields
    )
    return b"".join((*lines, f"--{boundary}--\r\n".encode()))
