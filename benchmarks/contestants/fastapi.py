"""FastAPI, for the rows in which it adds something to Starlette: typed queries and forms, with Pydantic."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import date  # noqa: TC003 - Pydantic reads the annotation
from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Query, Request
from fastapi.dependencies.utils import get_dependant, request_body_to_args, request_params_to_args
from pydantic import BaseModel

if TYPE_CHECKING:
    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "fastapi"


class Search(BaseModel):
    """The model of the typed query."""

    q: str
    page: int
    per_page: int
    sort: str
    in_stock: bool
    max_price: float


class Registration(BaseModel):
    """The model of the typed form."""

    name: str
    email: str
    age: int
    height: float
    newsletter: bool
    birthday: date
    street: str
    postcode: int
    city: str
    country: str


def search(page: Annotated[Search, Query()]) -> None:
    """Path operation with the typed query."""


def register(data: Annotated[Registration, Form()]) -> None:
    """Path operation with the typed form."""


query_fields = get_dependant(path="/", call=search).query_params
form_fields = get_dependant(path="/", call=register).body_params


def construct(scope: Scope, receive: Receive, send: Send) -> Request:
    return Request(scope, receive, send)


# What a route does before it calls its path operation, without the dependencies, which would add to the time.


async def typed_query(scope: Scope, receive: Receive, send: Send) -> Search:
    values, errors = request_params_to_args(query_fields, Request(scope, receive, send).query_params)
    if errors:
        raise ValueError(errors)
    return values["page"]


async def typed_form(scope: Scope, receive: Receive, send: Send) -> Registration:
    async with AsyncExitStack() as stack:
        body = await Request(scope, receive, send).form()
        stack.push_async_callback(body.close)
        values, errors = await request_body_to_args(form_fields, body, embed_body_fields=False)
    if errors:
        raise ValueError(errors)
    return values["data"]
