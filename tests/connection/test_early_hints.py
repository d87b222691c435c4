"""``send_early_hints()`` (RFC 8297, ASGI extension ``http.response.early_hint``)."""

from __future__ import annotations

from typing import Any

import pytest

from asgiwire import Request
from asgiwire.testing import RecordedSend, http_scope

pytestmark = pytest.mark.anyio

EARLY_HINT: dict[str, Any] = {"http.response.early_hint": {}}
LINK = "</style.css>; rel=preload; as=style"


async def test_links_are_sent_in_one_event() -> None:
    send = RecordedSend()
    request = Request(http_scope(extensions=EARLY_HINT), send=send)
    assert request.supports_early_hints
    await request.send_early_hints(LINK, "</a.js>; rel=preload; as=script")

    assert send.messages == [
        {
            "type": "http.response.early_hint",
            "links": [LINK.encode(), b"</a.js>; rel=preload; as=script"],
        }
    ]


async def test_hints_may_be_sent_several_times() -> None:
    send = RecordedSend()
    request = Request(http_scope(extensions=EARLY_HINT), send=send)
    await request.send_early_hints(LINK)
    await request.send_early_hints(LINK)

    assert len(send.messages) == 2


@pytest.mark.parametrize("extensions", [None, {}, {"http.response.push": {}}])
async def test_without_the_extension_nothing_is_sent(extensions: Any) -> None:
    """Hints are optional, so a server without support is not an error."""
    send = RecordedSend()
    request = Request({**http_scope(), "extensions": extensions}, send=send)

    assert not request.supports_early_hints
    await request.send_early_hints(LINK)
    assert send.messages == []


async def test_no_link_sends_no_event() -> None:
    send = RecordedSend()
    await Request(http_scope(extensions=EARLY_HINT), send=send).send_early_hints()

    assert send.messages == []


@pytest.mark.parametrize("extensions", [EARLY_HINT, {}], ids=["supported", "unsupported"])
@pytest.mark.parametrize("link", ["</a>\r\nset-cookie: a=b", "</a>\n", "</a>\0", "\r"])
async def test_invalid_link_raises_before_anything_is_sent(link: str, extensions: dict[str, Any]) -> None:
    send = RecordedSend()

    with pytest.raises(ValueError, match="link"):
        await Request(http_scope(extensions=extensions), send=send).send_early_hints(LINK, link)
    assert send.messages == []
