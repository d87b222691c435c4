"""The rows of the table: what each does, and with which input.

A row has the name of its function in each contestant's module. The function takes scope, receive and send.
A plain function is called and a coroutine function is awaited; its result is compared with the expected
one.

The 10 MB file is written to disk and read back, outside the event loop. A contestant that writes it from the
event loop, or keeps it in memory, is faster, but a server with many uploads would stall or run out of memory.
Its time is shown with the reason, and is not the time of the best peer; a test checks the reasons.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from . import inputs
from .inputs import Case, Multipart, http_case, websocket_case

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

MEGABYTE: Final = 1_000_000

BLOCKS: Final = "blocks the event loop"
IN_MEMORY: Final = "in memory"


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        name: Name of the function in a contestant's module.
        title: Title in the table.
        make: Makes the input with a given number.
        count: Calls in one round.
        result: Returns the value to compare, from the contestant, the case and the returned value.
        unequal: Why a contestant is not compared as a peer, by contestant.
    """

    name: str
    title: str
    make: Callable[[int], Case]
    count: int
    result: Callable[[ModuleType, Case, Any], Any] = lambda _contestant, _case, returned: returned
    unequal: dict[str, str] = field(default_factory=dict)


def query(seed: int) -> Case:
    parameters = inputs.query_parameters(seed)
    text = "&".join(f"{name}={value}" for name, value in parameters.items())
    return http_case(seed, tuple(parameters.values()), query=text.encode())


def url(seed: int) -> Case:
    path, parameters = f"/items/{seed}/reviews", "page=2&sort=new"
    expected = f"https://shop.example.org{path}?{parameters}"
    return http_case(seed, expected, path=path, query=parameters.encode())


def content_type(seed: int) -> Case:
    form = Multipart(seed)
    expected = "multipart/form-data", form.boundary.decode()
    return http_case(seed, expected, content_type=form.content_type, body=b"")


def typical(seed: int) -> Case:
    path = f"/items/{seed}"
    headers = "shop.example.org", inputs.USER_AGENT, str(seed)
    expected = ("GET", path, *headers, str(seed), f"{seed:032x}", "203.0.113.9")
    return http_case(seed, expected, path=path, query=b"page=%d&sort=price" % seed)


def json_small(seed: int) -> Case:
    body = msgspec.json.encode(inputs.order(seed))
    return http_case(seed, json.loads(body), content_type=b"application/json", body=body)


def json_large(seed: int) -> Case:
    body = msgspec.json.encode([inputs.order(seed + number) for number in range(95)])
    chunks = inputs.split_body(body)
    return http_case(seed, json.loads(body), content_type=b"application/json", body=chunks)


def json_typed(seed: int) -> Case:
    order = inputs.order(seed)
    body = msgspec.json.encode(order)
    return http_case(seed, order, content_type=b"application/json", body=body)


def body(seed: int) -> Case:
    chunks = inputs.split_body(inputs.file_content(seed, 16 * inputs.CHUNK_SIZE))
    return http_case(seed, b"".join(chunks), content_type=b"application/octet-stream", body=chunks)


def stream(seed: int) -> Case:
    case = body(seed)
    case.expected = len(case.expected)
    return case


def two_requests(seed: int) -> Case:
    content = inputs.file_content(seed, 1000)
    return http_case(seed, (content, content), content_type=b"application/octet-stream", body=content)


def urlencoded_form(seed: int) -> Case:
    expected = inputs.form_fields(seed, 10)
    encoded = inputs.urlencoded(seed, 10)
    return http_case(seed, expected, content_type=b"application/x-www-form-urlencoded", body=encoded)


def typed_query(seed: int) -> Case:
    value = inputs.search(seed)
    return http_case(seed, fields_of(value), query=inputs.encode_fields(value))


def typed_form(seed: int) -> Case:
    value = inputs.registration(seed)
    encoded = inputs.encode_fields(value)
    return http_case(seed, fields_of(value), content_type=b"application/x-www-form-urlencoded", body=encoded)


def fields_of(value: Any) -> dict[str, Any]:
    """Return the fields of a model of any library, or of the arguments of a handler."""
    if isinstance(value, dict):
        return value
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    fields: dict[str, Any] = value.model_dump()
    return fields


def typed_fields(_contestant: ModuleType, _case: Case, returned: object) -> dict[str, Any]:
    return fields_of(returned)


def multipart_fields(seed: int, count: int) -> Case:
    form, expected = Multipart(seed), inputs.form_fields(seed, count)
    for name, value in expected:
        form.add_field(name, value)
    return http_case(seed, expected, content_type=form.content_type, body=inputs.split_body(form.body()))


def multipart_files(seed: int, count: int, size: int) -> Case:
    form, expected = Multipart(seed), []
    for number in range(count):
        content = inputs.file_content(seed + number, size)
        form.add_file(f"file{number}", f"photo{number}.png", content)
        expected.append((f"file{number}", f"photo{number}.png", "image/png", content))
    return http_case(seed, expected, content_type=form.content_type, body=inputs.split_body(form.body()))


def multipart_stream(seed: int) -> Case:
    case = multipart_files(seed, 10, MEGABYTE)
    case.expected = [(*names, len(content)) for *names, content in case.expected]
    return case


def websocket_texts(seed: int) -> Case:
    texts = [f"message {number} of {seed}" for number in range(100)]
    messages = [{"type": "websocket.receive", "text": text} for text in texts]
    return websocket_case(seed, messages, texts)


def websocket_json(seed: int) -> Case:
    values = [{"id": number, "of": seed, "text": "hello", "tags": ["a", "b"]} for number in range(100)]
    messages = [{"type": "websocket.receive", "text": json.dumps(value)} for value in values]
    return websocket_case(seed, messages, values)


def form_pairs(contestant: ModuleType, _case: Case, returned: object) -> list[tuple[str, Any]]:
    """Return the names and values of a form of any class, in order."""
    pairs: list[tuple[str, Any]] = contestant.pairs(returned)
    return pairs


def sent_texts(_contestant: ModuleType, case: Case, _returned: object) -> list[str]:
    """Return the sent messages as text; some contestants send bytes."""
    sent = [message for message in case.sent if message["type"] == "websocket.send"]
    payloads = [message.get("text") or message["bytes"] for message in sent]
    return [payload if isinstance(payload, str) else payload.decode() for payload in payloads]


def sent_json(contestant: ModuleType, case: Case, returned: object) -> list[Any]:
    return [json.loads(text) for text in sent_texts(contestant, case, returned)]


def is_constructed(_contestant: ModuleType, _case: Case, returned: object) -> bool:
    return returned is not None


ROWS: Final = (
    Row("construct", "construct", lambda seed: http_case(seed, True), 5000, is_constructed),
    Row("one_header", "one header", lambda seed: http_case(seed, str(seed)), 3000),
    Row(
        "three_headers",
        "three headers",
        lambda seed: http_case(seed, ("shop.example.org", inputs.USER_AGENT, str(seed))),
        3000,
    ),
    Row("content_type", "content type", content_type, 2000),
    Row("query", "query, 6 parameters", query, 2000),
    Row("cookies", "cookies, 5", lambda seed: http_case(seed, tuple(inputs.cookies(seed).values())), 2000),
    Row("url", "URL as text", url, 2000),
    Row("typical", "typical read", typical, 1000),
    Row("json_small", "JSON 1 KB", json_small, 1000),
    Row("json_large", "JSON 100 KB, 2 chunks", json_large, 20),
    Row("json_typed", "typed JSON 1 KB", json_typed, 1000),
    Row("body", "body 1 MB, 16 chunks", body, 50),
    Row("stream", "stream 1 MB, 16 chunks", stream, 50),
    Row("urlencoded", "urlencoded, 10 fields", urlencoded_form, 1000, form_pairs),
    Row("typed_query", "typed query, 6 parameters", typed_query, 1000, typed_fields),
    Row("typed_form", "typed form, 10 fields", typed_form, 1000, typed_fields),
    Row("multipart_fields", "multipart, 10 fields", lambda seed: multipart_fields(seed, 10), 300, form_pairs),
    Row(
        "multipart_many", "multipart, 1,000 fields", lambda seed: multipart_fields(seed, 1000), 4, form_pairs
    ),
    Row(
        "multipart_file",
        "one 10 MB file",
        lambda seed: multipart_files(seed, 1, 10 * MEGABYTE),
        2,
        unequal={"blacksheep": BLOCKS, "falcon": BLOCKS, "asgi_tools": IN_MEMORY},
    ),
    Row("multipart_files", "100 files of 8 KB", lambda seed: multipart_files(seed, 100, 8000), 5),
    Row("multipart_stream", "10 files of 1 MB, streamed part by part", multipart_stream, 3),
    Row("websocket_texts", "WebSocket, 100 texts", websocket_texts, 100, sent_texts),
    Row("websocket_json", "WebSocket, 100 JSON", websocket_json, 60, sent_json),
    Row("two_requests", "two requests, one scope", two_requests, 1000),
)
