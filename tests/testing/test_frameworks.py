"""Applications of five frameworks in ``validate``: what they violate, which the page on validation lists."""

from __future__ import annotations

import gc
import logging
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from asgiwire.testing import Client, validate

pytestmark = pytest.mark.anyio

FRAMEWORKS = ("starlette", "fastapi", "litestar", "quart", "django")
PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "validation.md"

REQUESTS = [
    ("GET", "/", 200), ("POST", "/echo", 200), ("GET", "/stream", 200), ("GET", "/redirect", None),
    ("GET", "/empty", 204), ("GET", "/cookie", 200), ("GET", "/file", 200), ("GET", "/fail", 500),
    ("GET", "/missing", 404), ("DELETE", "/echo", None), ("HEAD", "/", None), ("OPTIONS", "/", None),
]  # fmt: skip

# By framework: the event, and what the error says. Each is a line in the table of the page.
FINDINGS: dict[str, set[tuple[str, str]]] = {
    "starlette": {("websocket.close", "expected another message")},
    "fastapi": {
        ("websocket.close", "expected another message"),
        ("websocket.close", "'reason': expected str or None, got list"),
    },
    "litestar": {("websocket.close", "expected another message")},
    "quart": {("http.response.start", "expected no Content-Length in a 204 response")},
    "django": {
        ("http.response.start", "'headers': expected header names in lower case, got b'Content-Type'")
    },
}

# Found in some runs only: Quart may answer a handshake after it has received the disconnect.
SOMETIMES: dict[str, set[tuple[str, str]]] = {
    "quart": {
        ("websocket.accept", "expected another message"),
        ("websocket.http.response.start", "expected another message"),
    },
}


def load(framework: str) -> Any:
    pytest.importorskip(framework)
    logging.disable(logging.CRITICAL)
    return import_module(f"tests.testing.frameworks.{framework}_app").app


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    yield
    logging.disable(logging.NOTSET)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # some frameworks leave temporary files open


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # not every framework supports trio
@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_findings(framework: str) -> None:
    checked = validate(load(framework), collect=True)
    async with Client(checked, raise_exceptions=False) as client:
        for method, path, status in REQUESTS:
            content = {"content": b"abc"} if method == "POST" else {}
            response = await client.request(method, path, **content)  # type: ignore[arg-type]
            assert response.status == (status or response.status)
        async with client.stream("GET", "/stream") as exchange:
            await exchange.wait_started()
        if framework != "django":
            await talk(client)
        if framework == "fastapi":
            async with client.websocket("/typed"):
                pass
    found = {(error.event, str(error).partition(": ")[2].partition(" (state")[0]) for error in checked.errors}
    assert {error.side for error in checked.errors} <= {"application"}
    assert found - SOMETIMES.get(framework, set()) == FINDINGS[framework]


async def talk(client: Client) -> None:
    for subprotocols in ([], ["chat"]):
        async with client.websocket("/talk", subprotocols=subprotocols) as conversation:
            await conversation.send_text("a")
            assert await conversation.receive_text() == "a"
            assert conversation.subprotocol == next(iter(subprotocols), None)
    for path in ("/talk?deny=1", "/missing"):
        async with client.websocket(path) as conversation:
            assert not conversation.accepted


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_page_lists_every_finding(framework: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.lower().startswith(f"| {framework} ")]
    assert len(rows) == len(FINDINGS[framework])
    assert all(any(f"`{event}`" in row for row in rows) for event, _ in FINDINGS[framework])
