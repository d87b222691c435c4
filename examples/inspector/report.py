"""The report: everything that the client sent, as values that can be encoded as JSON."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgiwire import ASGIConnection, Request
    from asgiwire.datastructures import URL, UploadFile

PREVIEW_SIZE = 256

Value: TypeAlias = "bool | int | float | str | bytes | list[Value] | dict[object, Value] | None"


async def describe_request(request: Request) -> dict[str, Any]:
    """Describe the request and its body."""
    return {
        "method": request.method,
        **describe_connection(request),
        "accept": list(request.accept),
        "body": await describe_body(request),
    }


def describe_connection(connection: ASGIConnection[Any, Any, Any, Any]) -> dict[str, Any]:
    """Describe a request without its body, or a WebSocket handshake."""
    client = connection.client
    return {
        "url": describe_url(connection.url),
        "http_version": connection.scope.get("http_version"),
        "client": f"{client.host}:{client.port}" if client else None,
        "query": list(connection.query_params.multi_items()),
        "headers": list(connection.headers.multi_items()),
        "cookies": connection.cookies,
    }


def describe_url(url: URL) -> dict[str, Any]:
    """Describe the URL by its parts."""
    return {
        "full": str(url),
        "scheme": url.scheme,
        "hostname": url.hostname,
        "port": url.port,
        "path": url.path,
        "query": url.query,
    }


async def describe_body(request: Request) -> dict[str, Any]:
    """Read the body as its ``Content-Type`` declares it."""
    media_type, parameters = request.content_type
    body: dict[str, Any] = {
        "media_type": media_type,
        "parameters": parameters,
        "content_length": request.content_length,
    }
    # `application/problem+json` is JSON (RFC 6839 section 3.1).
    _, _, suffix = media_type.rpartition("+")
    read = READERS.get(media_type) or READERS.get(f"application/{suffix}") or read_bytes
    return body | await read(request)


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
        "filename": file.filename,
        "content_type": file.content_type,
        "size": file.size,
        "sha256": digest.hexdigest(),
        "on_disk": file.rolled_to_disk,
    }


async def read_json(request: Request) -> dict[str, Any]:
    """Read JSON."""
    return {"kind": "json", "value": await request.json()}


async def read_msgpack(request: Request) -> dict[str, Any]:
    """Read MessagePack, whose maps may have keys that JSON does not support."""
    return {"kind": "msgpack", "value": with_string_keys(await request.msgpack())}


def with_string_keys(value: Value) -> Value:
    """Return a copy in which all keys are strings."""
    if isinstance(value, dict):
        return {
            key if isinstance(key, str) else repr(key): with_string_keys(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [with_string_keys(item) for item in value]
    return value


async def read_bytes(request: Request) -> dict[str, Any]:
    """Read any other body, as text if it is UTF-8, otherwise as digest and first bytes."""
    body = await request.body()
    if not body:
        return {"kind": "empty"}
    try:
        return {"kind": "text", "size": len(body), "text": body.decode()}
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
}
