"""Forms injected as ``data``: asgiwire parses them, Litestar converts them.

Litestar's extractors of forms call its own parser with the bytes of the body. They skip the parser if the
state in the scope already holds a form. So the form of asgiwire's request is put there before the extractor
runs; everything after that (lists, optional files, DTOs) stays Litestar's. Between the guards and the
extractor nothing else can await. So this module wraps the two functions that create extractors, once, when
the package is imported. Other request classes are not affected. If another version of Litestar lacks these
functions, its own parser reads the body.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from litestar._kwargs import extractors
from litestar.enums import RequestEncodingType
from msgspec.structs import replace

from .request import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgiwire.limits import Limits

    Extractor = Callable[[Any], Awaitable[Any]]


def parse_forms_of_data() -> None:
    """Make Litestar's extractors use asgiwire's forms, in applications created from now on."""
    for name, media_type in (
        ("create_multipart_extractor", RequestEncodingType.MULTI_PART),
        ("create_url_encoded_data_extractor", RequestEncodingType.URL_ENCODED),
    ):
        create = getattr(extractors, name, None)
        if create is not None:
            setattr(extractors, name, _parse_first(create, media_type))


def _parse_first(create: Callable[..., Extractor], media_type: str) -> Callable[..., Extractor]:
    @wraps(create)
    def create_extractor(*args: Any, **kwargs: Any) -> Extractor:
        extract = create(*args, **kwargs)
        body = getattr(kwargs.get("field_definition"), "kwarg_definition", None)
        part_limit: int | None = getattr(body, "multipart_form_part_limit", None)

        async def extractor(connection: Any) -> Any:
            if isinstance(connection, Request) and connection.content_type[0] == media_type:
                await connection.form(limits=_limits(connection.limits, part_limit))
            return await extract(connection)

        return extractor

    return create_extractor


def _limits(limits: Limits, part_limit: int | None) -> Limits | None:
    """Return the limits with ``Body(multipart_form_part_limit=...)``, or ``None`` if it is not set."""
    if part_limit is None:
        return None
    return replace(limits, max_fields=part_limit, max_files=part_limit)
