"""The applications in ``examples/`` follow the specification."""

from __future__ import annotations

import pytest

from asgiwire.testing import Client, validate
from examples.framework.app import app as shop
from examples.inspector.app import app as inspector
from examples.middleware.authentication import BearerAuthentication
from examples.middleware.body_size import BodySizeCap
from examples.middleware.session import SignedCookieSession

pytestmark = pytest.mark.anyio


async def test_the_shop() -> None:
    checked = validate(shop)
    async with Client(checked) as client:
        assert (await client.post("/orders", json={"tea": "green"})).status == 401
        await client.post("/login", json={"name": "ada"})
        for method, path in (
            ("GET", "/orders"),
            ("GET", "/nowhere"),
            ("DELETE", "/orders"),
            ("HEAD", "/orders"),
        ):
            assert (await client.request(method, path)).status < 500
        async with client.websocket("/counter/green") as conversation:
            await conversation.send_json({"tea": "green", "cups": 2})
            assert await conversation.receive()
        async with client.websocket("/nowhere") as conversation:
            assert not conversation.accepted
    assert checked.errors == []


async def test_the_inspector() -> None:
    checked = validate(inspector)
    async with Client(checked) as client:
        for path in ("/", "/static/nowhere", "/nowhere"):
            assert (await client.get(path)).status < 500
        assert (await client.post("/", files={"f": b"x"}, data={"a": "1"})).status < 500
    assert checked.errors == []


@pytest.mark.parametrize(
    "wrap",
    [
        lambda application: BodySizeCap(application, 10),
        lambda application: SignedCookieSession(application, "secret"),
        lambda application: BearerAuthentication(application, find_user),
    ],
    ids=["body size", "session", "authentication"],
)
async def test_middleware(wrap: object) -> None:
    inner = validate(shop)
    checked = validate(wrap(inner))  # type: ignore[operator]
    client = Client(checked)
    for content in (b"{}", b"{" + b" " * 100):
        assert (await client.post("/orders", content=content)).status < 500
    async with client.websocket("/counter/green"):
        pass
    assert checked.errors == inner.errors == []


async def find_user(token: str) -> str | None:
    return token or None
