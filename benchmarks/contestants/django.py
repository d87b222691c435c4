"""Django: its request, made of a scope and of a body that its handler has read into a spooled file.

Left out: WebSockets, which it has not; two requests over one scope, of which the second would wait for a body
for ever.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import django
import msgspec
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest

from benchmarks.inputs import Order

if TYPE_CHECKING:
    from django.http import QueryDict

    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "django"
IMPORT = "from django.core.handlers.asgi import ASGIHandler, ASGIRequest"

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"], DATA_UPLOAD_MAX_NUMBER_FIELDS=1001, DATA_UPLOAD_MAX_MEMORY_SIZE=None
    )
    django.setup()
handler = ASGIHandler()

decode_order = msgspec.json.Decoder(Order).decode


def construct(scope: Scope, receive: Receive, send: Send) -> ASGIRequest:
    return ASGIRequest(scope, None)


def one_header(scope: Scope, receive: Receive, send: Send) -> str:
    return construct(scope, receive, send).headers["x-request-id"]


def three_headers(scope: Scope, receive: Receive, send: Send) -> tuple[str, str, str]:
    headers = construct(scope, receive, send).headers
    return headers["host"], headers["user-agent"], headers["x-request-id"]


def content_type(scope: Scope, receive: Receive, send: Send) -> tuple[str, str]:
    request = construct(scope, receive, send)
    return request.content_type, request.content_params["boundary"]


def query(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = construct(scope, receive, send).GET
    return values["q"], values["page"], values["per_page"], values["sort"], values["order"], values["in"]


def cookies(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = construct(scope, receive, send).COOKIES
    return values["session"], values["csrftoken"], values["theme"], values["_ga"], values["lang"]


def url(scope: Scope, receive: Receive, send: Send) -> str:
    return construct(scope, receive, send).build_absolute_uri()


def typical(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    request = construct(scope, receive, send)
    headers = request.headers
    return (
        request.method,
        request.path,
        headers["host"],
        headers["user-agent"],
        headers["x-request-id"],
        request.GET["page"],
        request.COOKIES["session"],
        request.META["REMOTE_ADDR"],
    )


async def received(scope: Scope, receive: Receive) -> ASGIRequest:
    return ASGIRequest(scope, await handler.read_body(receive))


async def body(scope: Scope, receive: Receive, send: Send) -> bytes:
    request = await received(scope, receive)
    content = request.body
    request.close()
    return content


async def json_small(scope: Scope, receive: Receive, send: Send) -> Any:
    return json.loads(await body(scope, receive, send))


json_large = json_small


async def json_typed(scope: Scope, receive: Receive, send: Send) -> Order:
    return decode_order(await body(scope, receive, send))


async def stream(scope: Scope, receive: Receive, send: Send) -> int:
    request, size = await received(scope, receive), 0
    while chunk := request.read(65536):
        size += len(chunk)
    request.close()
    return size


async def urlencoded(scope: Scope, receive: Receive, send: Send) -> QueryDict:
    request = await received(scope, receive)
    form = request.POST
    request.close()
    return form


multipart_fields = multipart_many = urlencoded


async def multipart_files(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, bytes]]:
    request = await received(scope, receive)
    files = [(name, file.name, file.content_type, file.read()) for name, file in request.FILES.items()]
    request.close()
    return files


multipart_file = multipart_files


def pairs(form: QueryDict) -> list[tuple[str, str]]:
    return [(name, value) for name, values in form.lists() for value in values]
