"""Conditional requests: 304, 412 and 428, on a real server and with every combination of conditions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from asgiwire.testing import RecordedSend, ScriptedReceive, SyncClient, http_scope
from examples.recipes.conditional_requests import Document, Notes, app

if TYPE_CHECKING:
    from collections.abc import Iterator

BEFORE, AT, AFTER = (f"Fri, 06 Nov 2026 08:49:{second} GMT" for second in (36, 37, 38))


@pytest.mark.e2e
def test_on_a_real_server(address: str) -> None:
    with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
        first = client.get("/")
        assert (first.text, first.headers["cache-control"]) == ("buy tea\n", "no-cache")
        etag, modified = first.headers["etag"], first.headers["last-modified"]
        head = client.head("/")
        assert (head.headers["content-length"], head.content) == ("8", b"")
        for condition in ({"if-none-match": etag}, {"if-modified-since": modified}):
            response = client.get("/", headers=condition)
            assert (response.status_code, response.content) == (304, b"")
            assert response.headers["etag"] == etag
        assert client.put("/", content=b"drink tea\n").status_code == 428
        response = client.put("/", content=b"drink tea\n", headers={"if-match": etag})
        assert (response.status_code, client.get("/").text) == (204, "drink tea\n")
        assert response.headers["etag"] == client.get("/").headers["etag"] != etag
        assert client.put("/", content=b"lost", headers={"if-match": etag}).status_code == 412
        assert client.get("/", headers={"if-none-match": etag}).text == "drink tea\n"
        assert client.post("/").headers["allow"] == "GET, HEAD, PUT"


@pytest.fixture
def client() -> Iterator[SyncClient]:
    """A client of an application whose document is of a fixed time and has the entity tag "7"."""
    notes = Notes()
    notes.document.modified = datetime(2026, 11, 6, 8, 49, 37, tzinfo=UTC)
    notes.document.etag = '"7"'
    with SyncClient(notes) as client:
        yield client


@pytest.mark.parametrize(
    ("conditions", "read", "put"),
    [
        ({}, 200, 428),
        ({"if-none-match": '"7"'}, 304, 412),
        ({"if-none-match": 'W/"6", W/"7"'}, 304, 412),
        ({"if-none-match": "*"}, 304, 412),
        ({"if-none-match": '"6"'}, 200, 428),
        ({"if-none-match": '"6"', "if-modified-since": AFTER}, 200, 428),
        ({"if-modified-since": BEFORE}, 200, 428),
        ({"if-modified-since": AT}, 304, 428),
        ({"if-modified-since": AFTER}, 304, 428),
        ({"if-modified-since": "yesterday"}, 200, 428),
        ({"if-match": '"7"'}, 200, 204),
        ({"if-match": "*"}, 200, 204),
        ({"if-match": '"6"'}, 412, 412),
        ({"if-match": 'W/"7"'}, 412, 412),
        ({"if-match": "7"}, 412, 412),
        ({"if-match": '"7"', "if-unmodified-since": BEFORE}, 200, 204),
        ({"if-match": '"7"', "if-none-match": '"7"'}, 304, 412),
        ({"if-unmodified-since": BEFORE}, 412, 412),
        ({"if-unmodified-since": AT}, 200, 428),
    ],
)
def test_conditions(client: SyncClient, conditions: dict[str, str], read: int, put: int) -> None:
    for method in ("GET", "HEAD"):
        response = client.request(method, headers=conditions)
        assert (response.status, response.body) == (
            read,
            b"buy tea\n" if (method, read) == ("GET", 200) else b"",
        )
        assert response.headers["last-modified"] == AT
    assert client.put(content=b"tea", headers=conditions).status == put
    assert client.get().body == (b"tea" if put == 204 else b"buy tea\n")


@pytest.mark.anyio
async def test_a_client_that_disconnects_changes_nothing() -> None:
    notes, send = Notes(), RecordedSend()
    before = notes.document
    scope = http_scope("PUT", headers={"if-match": before.etag})
    await notes(scope, ScriptedReceive.body(b"te", disconnect=True), send)
    assert (notes.document, send.messages) == (before, [])


def test_a_body_that_is_too_large_is_a_413(client: SyncClient) -> None:
    assert client.put(content=bytes(10_000_001), headers={"if-match": "*"}).status == 413


def test_the_entity_tag_is_that_of_the_content() -> None:
    assert Document(b"a").etag == Document(b"a").etag != Document(b"b").etag
    assert app.document.etag  # the program has a document from the start
