"""Each kind of type, alone and inside containers, in each reader."""

from __future__ import annotations

import traceback
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from asgiwire import WebSocket
from asgiwire.exceptions import ValidationException
from asgiwire.serialization import decode_json, decode_msgpack, decode_params, encode_json, encode_msgpack
from asgiwire.testing import RecordedSend, RequestFactory, ScriptedReceive, websocket_scope

from .kinds import KINDS, is_array

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

SECRET = "s3cr3t"


def websocket(message: str | bytes) -> WebSocket:
    return WebSocket(websocket_scope(), ScriptedReceive.websocket(message), RecordedSend())


async def receive_json(value: Any, kind: Any) -> Any:
    return await websocket(encode_json(value).decode()).receive_json(type=kind)


async def receive_msgpack(value: Any, kind: Any) -> Any:
    return await websocket(encode_msgpack(value)).receive_msgpack(type=kind)


async def iter_json(value: Any, kind: Any) -> Any:
    async with aclosing(websocket(encode_json(value)).iter_json("binary", type=kind)) as messages:
        return await anext(messages)


async def iter_msgpack(value: Any, kind: Any) -> Any:
    async with aclosing(websocket(encode_msgpack(value)).iter_msgpack(type=kind)) as messages:
        return await anext(messages)


async def request_json(value: Any, kind: Any) -> Any:
    return await RequestFactory().post("/", json=value).json(type=kind)


async def request_msgpack(value: Any, kind: Any) -> Any:
    return await RequestFactory().post("/", msgpack=value).msgpack(type=kind)


async def json_document(value: Any, kind: Any) -> Any:
    return decode_json(encode_json(value), kind)


async def msgpack_document(value: Any, kind: Any) -> Any:
    return decode_msgpack(encode_msgpack(value), kind)


DOCUMENT_READERS = {
    "decode_json": json_document,
    "decode_msgpack": msgpack_document,
    "Request.json": request_json,
    "Request.msgpack": request_msgpack,
    "WebSocket.receive_json": receive_json,
    "WebSocket.receive_msgpack": receive_msgpack,
    "WebSocket.iter_json": iter_json,
    "WebSocket.iter_msgpack": iter_msgpack,
}

# By name: the type, the value and the expected result around those of a page, and the place of the page.
CONTAINERS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], str]] = {
    "alone": (lambda kind: kind, lambda page: page, ""),
    "list": (lambda kind: list[kind], lambda page: [page, page], "[0]"),
    "dict": (lambda kind: dict[str, kind], lambda page: {SECRET: page}, "[...]"),
    "tuple": (lambda kind: tuple[int, kind], lambda page: (1, page), "[1]"),
    "optional": (lambda kind: kind | None, lambda page: page, ""),
    "union": (lambda kind: kind | int, lambda page: page, ""),
    "list of unions": (lambda kind: list[kind | None], lambda page: [None, page], "[1]"),
}


@pytest.mark.parametrize("read", DOCUMENT_READERS.values(), ids=DOCUMENT_READERS)
@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_documents(read: Callable[..., Awaitable[Any]], container: Any, kind: Any) -> None:
    make_type, make_value, place = container
    page = [2, ["a", "b"]] if is_array(kind) else {"number": 2, "tags": ["a", "b"]}

    assert await read(make_value(page), make_type(kind)) == make_value(kind(number=2, tags=["a", "b"]))

    page = [SECRET] if is_array(kind) else {"number": SECRET}
    with pytest.raises(ValidationException) as caught:
        await read(make_value(page), make_type(kind))
    assert_place(caught.value, place + ("[0]" if is_array(kind) else ".number"))


def assert_place(error: ValidationException, place: str) -> None:
    assert place in error.detail
    assert SECRET not in "".join(traceback.format_exception(error))
    assert len(error.detail) < 200


async def query(pairs: list[tuple[str, str]], kind: Any) -> Any:
    return RequestFactory().get("/", query_params=pairs).query(type=kind)


async def query_after_query_params(pairs: list[tuple[str, str]], kind: Any) -> Any:
    request = RequestFactory().get("/", query_params=pairs)
    assert list(request.query_params.items()) == pairs
    return request.query(type=kind)


async def websocket_query(pairs: list[tuple[str, str]], kind: Any) -> Any:
    return WebSocket(websocket_scope(query_params=pairs)).query(type=kind)


async def urlencoded_form(pairs: list[tuple[str, str]], kind: Any) -> Any:
    return await RequestFactory().post("/", data=pairs).form(type=kind)


async def multipart_form(pairs: list[tuple[str, str]], kind: Any) -> Any:
    return await RequestFactory().post("/", data=pairs, files=[]).form(type=kind)


async def params(pairs: list[tuple[str, str]], kind: Any) -> Any:
    return decode_params(pairs, kind)


TEXT_READERS = {
    "Request.query": query,
    "Request.query after query_params": query_after_query_params,
    "WebSocket.query": websocket_query,
    "Request.form, urlencoded": urlencoded_form,
    "Request.form, multipart": multipart_form,
    "decode_params": params,
}


@pytest.mark.parametrize("read", TEXT_READERS.values(), ids=TEXT_READERS)
@pytest.mark.parametrize("is_optional", [False, True])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_texts(read: Callable[..., Awaitable[Any]], is_optional: bool, kind: Any) -> None:
    target = kind | None if is_optional else kind

    assert await read([("number", "2"), ("tags", "a")], target) == kind(number=2, tags=["a"])
    pairs = [("tags", "a"), ("number", "2"), ("tags", "b"), ("number", "3"), ("exact", "on")]
    assert await read(pairs, target) == kind(number=2, tags=["a", "b"], exact=True)

    with pytest.raises(ValidationException) as caught:
        await read([("number", SECRET), ("tags", SECRET)], target)
    assert_place(caught.value, "$.number")
    with pytest.raises(ValidationException, match="number"):
        await read([("tags", SECRET)], target)
    with pytest.raises(ValidationException, match="number"):
        await read([("number", "")], target)  # what a browser sends for an empty input
