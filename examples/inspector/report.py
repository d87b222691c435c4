"""The report: everything that the client sent, as values that can be encoded as JSON.

The keys are the names of the attributes that return the values, so ``report["url"]["path"]`` is
``request.url.path``. The page shows these expressions.
"""

from __future__ import annotations

import hashlib
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from asgiwire.exceptions import ClientException, SerializationException

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from asgiwire import ASGIConnection, Request
    from asgiwire.datastructures import UploadFile

PREVIEW_SIZE = 256

Value: TypeAlias = (
    "bool | int | float | str | bytes | msgspec.msgpack.Ext | list[Value] | dict[object, Value] | None"
)

URL = ("scheme", "hostname", "port", "path", "query")
CONNECTION = ("client", "server", "capabilities", "authorization", "fetch_site")
TLS = ("version", "cipher_suite", "client_names", "client_error")
CONDITIONS = (
    "if_match",
    "if_none_match",
    "if_modified_since",
    "if_unmodified_since",
    "if_range",
    "range",
    "cache_control.max_age",
    "cache_control.no_cache",
    "last_event_id",
)

JSON = "application/json"
HTML = "text/html"

# What a server could offer, for each header with which a client selects one.
OFFERED = {
    "accept": [JSON, HTML],
    "accept_language": ["en", "de", "fr"],
    "accept_encoding": ["br", "gzip", "identity"],
}


class Paging(msgspec.Struct):
    """A page of a list."""

    page: int = 1
    size: int = 20
    sort: Literal["name", "date"] = "name"


async def describe_request(request: Request) -> dict[str, Any]:
    """Describe the request and its body."""
    return {
        "method": request.method,
        **describe_connection(request),
        "paging": describe_paging(request),
        "negotiation": describe_negotiation(request),
        "conditions": read_attributes(request, CONDITIONS),
        "body": await describe_body(request),
    }


def describe_connection(connection: ASGIConnection[Any, Any, Any, Any]) -> dict[str, Any]:
    """Describe a request without its body, or a WebSocket handshake."""
    tls = connection.tls
    return {
        "url": {"full": str(connection.url), **read_attributes(connection.url, URL)},
        "http_version": connection.scope.get("http_version"),
        "query_params": list(connection.query_params.multi_items()),
        "headers": list(connection.headers.multi_items()),
        "cookies": connection.cookies,
        "connection": read_attributes(connection, CONNECTION),
        "tls": tls and read_attributes(tls, TLS),
    }


def read_attributes(owner: object, names: Iterable[str]) -> dict[str, Any]:
    """Return the attributes; those that JSON does not support as text."""
    values = {name: attrgetter(name)(owner) for name in names}
    return {
        name: value if isinstance(value, int | str | tuple | None) else str(value)
        for name, value in values.items()
    }


def describe_paging(request: Request) -> dict[str, Any]:
    """Decode the query to a type, or return why it does not match."""
    try:
        return {"value": request.query(type=Paging)}
    except ClientException as error:
        return {"error": describe_error(error)}


def describe_negotiation(request: Request) -> dict[str, Any]:
    """Describe what the client accepts, and which of the offers it prefers."""
    preferences = read_attributes(request, OFFERED)
    matches = {
        f"{name}.best_match({offers})": getattr(request, name).best_match(offers)
        for name, offers in OFFERED.items()
    }
    return preferences | matches


async def describe_body(request: Request) -> dict[str, Any]:
    """Read the body as its ``Content-Type`` declares it, or return why it is invalid."""
    media_type, parameters = request.content_type
    body: dict[str, Any] = {"media_type": media_type, "parameters": parameters}
    # `application/problem+json` is JSON (RFC 6839 section 3.1), and `text/csv` is text.
    kind, _, _ = media_type.partition("/")
    _, _, suffix = media_type.rpartition("+")
    read = READERS.get(media_type) or READERS.get(f"application/{suffix}") or READERS.get(kind, read_bytes)
    try:
        body["content_length"] = request.content_length
        return body | await read(request)
    except ClientException as error:
        return body | {"kind": "error", "error": describe_error(error)}
    except RecursionError:
        too_deep = SerializationException("expected fewer levels of nesting")
        return body | {"kind": "error", "error": describe_error(too_deep)}


def describe_error(error: ClientException) -> dict[str, Any]:
    """Return what an error response needs, and the name of the exception."""
    return {"status_code": error.status_code, "exception": type(error).__name__, "detail": error.detail}


async def read_form(request: Request) -> dict[str, Any]:
    """Read the fields and the files of a form; leaving the block closes the files."""
    async with await request.form() as form:
        items = list(form.multi_items())
        return {
            "kind": "form",
            "fields": [item for item in items if isinstance(item[1], str)],
            "files": [await describe_file(name, file) for name, file in items if not isinstance(file, str)],
        }


async def describe_file(field: str, file: UploadFile) -> dict[str, Any]:
    """Describe one uploaded file, read in chunks because it may be larger than the memory."""
    digest = hashlib.sha256()
    async for chunk in file:
        digest.update(chunk)
    return {
        "field": field,
        **read_attributes(file, ("filename", "content_type", "size", "rolled_to_disk")),
        "sha256": digest.hexdigest(),
    }


async def read_json(request: Request) -> dict[str, Any]:
    """Read JSON."""
    return {"kind": "json", "value": json_value(await request.json())}


async def read_msgpack(request: Request) -> dict[str, Any]:
    """Read MessagePack, which has keys and extensions that JSON does not support."""
    return {"kind": "msgpack", "value": json_value(await request.msgpack())}


def json_value(value: Value) -> Value:
    """Return a copy in which all keys are strings and all extensions are dicts.

    Raises:
        RecursionError: The value is nested too deep to be shown.
    """
    match value:
        case dict():
            return {
                key if isinstance(key, str) else repr(key): json_value(item) for key, item in value.items()
            }
        case list():
            return [json_value(item) for item in value]
        case msgspec.msgpack.Ext():
            return {"extension": value.code, "data": bytes(value.data)}
        case _:
            return value


async def read_text(request: Request) -> dict[str, Any]:
    """Read text in its declared charset."""
    return {"kind": "text", "text": await request.text()}


async def read_bytes(request: Request) -> dict[str, Any]:
    """Read any other body, as text if it is UTF-8, otherwise as digest and first bytes."""
    body = await request.body()
    if not body:
        return {"kind": "empty"}
    try:
        return {"kind": "text", "text": body.decode()}
    except UnicodeDecodeError:
        digest = hashlib.sha256(body).hexdigest()
        return {"kind": "binary", "size": len(body), "sha256": digest, "hex": body[:PREVIEW_SIZE].hex(" ")}


READERS: dict[str, Callable[[Request], Awaitable[dict[str, Any]]]] = {
    "application/json": read_json,
    "application/msgpack": read_msgpack,
    "application/vnd.msgpack": read_msgpack,
    "application/x-msgpack": read_msgpack,
    "application/x-www-form-urlencoded": read_form,
    "multipart/form-data": read_form,
    "text": read_text,
}
