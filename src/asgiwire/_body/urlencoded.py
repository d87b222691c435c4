"""Urlencoded forms: their limits are checked as the chunks arrive, and the whole body is parsed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from asgiwire._parsers.query import parse_urlencoded
from asgiwire.datastructures.form import FormMultiDict

if TYPE_CHECKING:
    from asgiwire.limits import Limits
    from asgiwire.types import Receive

    from .channel import BodyChannel

LARGE = 64 * 1024
"""A form of fewer bytes, without a charset, is decoded as a whole."""


async def read_urlencoded(
    channel: BodyChannel,
    receive: Receive,
    limits: Limits,
    read_body: Callable[[], Awaitable[bytes]] | None,
) -> FormMultiDict:
    """Parse the urlencoded form in a channel, and cache it in the channel.

    Args:
        channel: The channel.
        receive: The callable that the channel belongs to.
        limits: The limits of the form.
        read_body: Returns the body, if it is not the one that the channel receives.

    Raises:
        SerializationException: A field does not decode in the charset that the form declares.
        RequestEntityTooLarge: The form exceeds a limit.
        StreamConsumed: Another consumer has claimed the body.
        Exception: The failure of the body.
    """
    if read_body is None:
        await channel.buffer(receive, limits.max_body_size, check=_new_check(limits))
        body = await channel.read_buffered(0, channel.size)
    else:
        body = await read_body()
    form = channel.cached_form
    if form is not None:
        _new_check(limits)(body)
        return form
    if len(body) < LARGE and b"_charset_" not in body:
        pairs = parse_urlencoded(body, max_fields=limits.max_fields, max_field_size=limits.max_field_size)
    else:
        from asgiwire._parsers.form_fields import declared_codec, parse_fields

        _new_check(limits)(body)
        pairs = parse_fields(body, declared_codec(body))
    channel.cached_form = form = FormMultiDict(pairs)
    return form


def _new_check(limits: Limits) -> Callable[[bytes], None]:
    """Return a function that checks the chunks of a form against the limits."""
    counter: Callable[[bytes], None] | None = None

    def check(chunk: bytes) -> None:
        nonlocal counter
        if counter is None:
            # Imported for a form that is large or arrives in chunks.
            from asgiwire._parsers.form_fields import FieldCounter

            counter = FieldCounter(limits.max_fields, limits.max_field_size).feed
        counter(chunk)

    return check
