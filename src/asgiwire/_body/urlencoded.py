"""Urlencoded forms. Limits are checked for each chunk, and the form is parsed when the body is complete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from asgiwire._parsers.query import parse_urlencoded

if TYPE_CHECKING:
    from asgiwire.limits import Limits
    from asgiwire.types import Receive

    from .channel import BodyChannel

LARGE: Final = 64 * 1024
"""A form with fewer bytes and without a charset is decoded in one call."""


async def read_pairs(
    channel: BodyChannel,
    receive: Receive,
    limits: Limits,
    read_body: Callable[[], Awaitable[bytes]] | None,
) -> list[tuple[str, str]]:
    """Return the names and values of the urlencoded form in a channel; the body is buffered.

    Args:
        channel: The channel.
        receive: The callable that the channel belongs to.
        limits: The limits of the form.
        read_body: Returns the body, if it differs from the body that the channel receives.

    Raises:
        SerializationException: A field does not decode in the charset that the form declares.
        RequestEntityTooLarge: The form exceeds a limit.
        StreamConsumed: Another consumer has claimed the body.
        Exception: The error that ended the body.
    """
    if read_body is None:
        await channel.buffer(receive, limits.max_body_size, check=_new_check(limits))
        in_memory = channel.in_memory
        body = await channel.read_buffered(0, channel.size) if in_memory is None else in_memory
    else:
        body = await read_body()
    if len(body) < LARGE and b"_charset_" not in body:
        return parse_urlencoded(body, max_fields=limits.max_fields, max_field_size=limits.max_field_size)
    from asgiwire._parsers.form_fields import declared_codec, parse_fields

    _new_check(limits)(body)
    return parse_fields(body, declared_codec(body))


def _new_check(limits: Limits) -> Callable[[bytes], None]:
    """Return a function that checks the chunks of a form against the limits."""
    feed: Callable[[bytes], None] | None = None

    def check(chunk: bytes) -> None:
        nonlocal feed
        if feed is None:
            # Imported only for a form that is large or arrives in chunks.
            from asgiwire._parsers.form_fields import FieldCounter

            feed = FieldCounter(limits.max_fields, limits.max_field_size).feed
        feed(chunk)

    return check
