"""Forms that are injected as ``data``: parsed by asgiwire, shaped by Litestar.

Litestar's extractors of forms call their parser directly, and ask the connection for no more than its bytes.
They skip it where the scope's state holds a form already, so that is where the form of our requests is put
before they begin; all that follows (lists, optional files, DTOs) stays theirs. There is no other place for it
between the guards and the extractor in which something can be awaited. So the two functions that make the
extractors are wrapped, once, when this package is imported. For any other request class they do what they
did, and where another version of Litestar has not got them, its parser reads our stream.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from litestar._kwargs import extractors
from msgspec.structs import replace

from .request import MULTIPART, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgiwire.limits import Limits

    Extractor = Callable[[Any], Awaitable[Any]]

URLENCODED: Final = "application/x-www-form-urlencoded"


def parse_forms_of_data() -> None:
    """Have Litestar's extractors use what asgiwire parses, in applications that are made from now on."""
    for name, media_type in (
        ("create_multipart_extractor", MULTIPART),
        ("create_url_encoded_data_extractor", URLENCODED),
    ):
        create = getattr(extractors, name, None)
        if create is not None:
            setattr(extractors, name, _parsing_first(create, media_type))


def _parsing_first(create: Callable[..., Extractor], media_type: str) -> Callable[..., Extractor]:
    @wraps(create)
    def create_parsing_first(*args: Any, **kwargs: Any) -> Extractor:
        extract = create(*args, **kwargs)
        body = getattr(kwargs.get("field_definition"), "kwarg_definition", None)
        limit: int | None = getattr(body, "multipart_form_part_limit", None)

        async def extractor(connection: Any) -> Any:
            if issubclass(type(connection), Request) and connection.content_type[0] == media_type:
                await connection.form(limits=_limits(connection, limit))
            return await extract(connection)

        return extractor

    return create_parsing_first


def _limits(request: Request[Any, Any, Any], part_limit: int | None) -> Limits | None:
    """The limits of ``Body(multipart_form_part_limit=...)``, if it has one."""
    if part_limit is None:
        return None
    return replace(request.limits, max_fields=part_limit, max_files=part_limit)
