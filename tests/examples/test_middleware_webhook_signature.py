"""Webhook signatures, for applications of three frameworks."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

import pytest

from asgiwire.testing import RecordedSend, ScriptedReceive, http_scope
from examples.middleware.webhook_signature import WebhookSignature
from tests.examples.applications import client, each_application

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.types import Receive, Scope, Send

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

SECRET = b"It's a Secret to Everybody"
BODY = b"Hello, World!"
# Example from GitHub's documentation of webhooks.
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


@each_application
async def test_a_valid_signature_is_accepted(make: Callable[[], Any]) -> None:
    async with client(WebhookSignature(make(), SECRET)) as http:
        response = await http.post("/hook", content=BODY, headers={"x-hub-signature-256": SIGNATURE})
    assert response.status_code == 200
    assert response.json() == BODY.decode()


@each_application
@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (BODY + b" ", SIGNATURE),
        (b"", SIGNATURE),
        (BODY, ""),
        (BODY, SIGNATURE[:-1]),
        (BODY, SIGNATURE.removeprefix("sha256=")),
        (BODY, "sha256=" + hmac.new(b"", BODY, "sha256").hexdigest()),
        (BODY, "sha256=ä"),
    ],
)
async def test_an_invalid_signature_is_rejected(make: Callable[[], Any], body: bytes, signature: str) -> None:
    headers = {b"x-hub-signature-256": signature.encode()}
    async with client(WebhookSignature(make(), SECRET)) as http:
        response = await http.post("/hook", content=body, headers=headers)
    assert response.status_code == 401
    assert response.text == "the signature does not match the body"


@each_application
async def test_a_body_above_the_maximum_size_is_rejected(make: Callable[[], Any]) -> None:
    middleware = WebhookSignature(make(), SECRET, "x-signature", max_body_size=12)
    async with client(middleware) as http:
        response = await http.post("/hook", content=BODY, headers={"x-signature": SIGNATURE})
    assert response.status_code == 413


async def test_a_disconnect_within_the_body_sends_nothing() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        pytest.fail("the application was called")

    sent = RecordedSend()
    receive = ScriptedReceive.body(BODY[:5], disconnect=True)
    await WebhookSignature(application, SECRET)(http_scope("POST", "/hook"), receive, sent)
    assert sent.messages == []


async def test_lifespan_passes_through() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope == {"type": "lifespan"}

    await WebhookSignature(application, SECRET)({"type": "lifespan"}, ScriptedReceive(), RecordedSend())
