"""Chromium's own WebSocket: the codes, the reasons and the subprotocols that a page sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .servers import each
from .socket_servers import SOCKETS
from .test_inspector_browser import browser
from .test_inspector_browser import pytestmark as needs_a_browser

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from .processes import Running

__all__ = ("browser",)  # a fixture is found by its name

pytestmark = [*needs_a_browser, pytest.mark.timeout(60), each(SOCKETS)]

# Opens, sends, closes when it has had an answer to each message, and tells everything when it is over.
SCRIPT = """
const [url, protocols, messages, done] = arguments;
const socket = new WebSocket(url, protocols);
const seen = {received: [], opened: false};
const close = () => { if (messages && seen.received.length === messages.length) socket.close(4321, "bye") };
socket.onopen = () => {
  seen.opened = true;
  seen.protocol = socket.protocol;
  (messages || []).forEach(message => socket.send(message));
  close();
};
socket.onmessage = event => { seen.received.push(event.data); close() };
socket.onclose = event => done({...seen, code: event.code, reason: event.reason, clean: event.wasClean});
"""


def talk(
    browser: Chrome,
    server: Running,
    target: str,
    *,
    protocols: list[str] | None = None,
    messages: list[str] | None = None,
) -> dict[str, Any]:
    """What the page has seen; without messages, it is the server that has to close."""
    # From a page of no origin, Chromium would ask the person at it whether it may connect to this machine.
    browser.get(f"{server.base_url}/token")
    browser.set_script_timeout(10)
    url = f"ws://127.0.0.1:{server.port}{target}"
    seen: dict[str, Any] = {}
    for _ in range(5 if server.server.name.startswith("daphne") else 1):
        seen = browser.execute_async_script(SCRIPT, url, protocols or [], messages)
        # daphne cuts a connection whose client has not answered the close within a second, as Chromium on a
        # crowded machine may not: nothing can be seen then.
        if seen["code"] != 1006 or not seen["opened"]:
            break
    return seen


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, "done"), (1008, "policy"), (1012, ""), (3000, ""), (4001, "café ✓"), (4999, "x" * 123)],
)
def test_codes_and_reasons(browser: Chrome, server: Running, key: str, code: int, reason: str) -> None:
    seen = talk(browser, server, f"/close?key={key}&code={code}&reason={reason}")
    assert (seen["code"], seen["reason"]) == server.server.closes_as(code, reason)
    assert seen["opened"]


def test_a_block_that_raises(browser: Chrome, server: Running, key: str) -> None:
    seen = talk(browser, server, f"/block?key={key}&how=exception")
    assert (seen["code"], seen["reason"]) == server.server.closes_as(4404, "no café here")


def test_messages_and_a_close_of_the_page(browser: Chrome, server: Running) -> None:
    messages = ["hello", "é ✓ 😀", "x" * 10_000]
    seen = talk(browser, server, "/echo?mode=text", messages=messages)
    assert (seen["received"], seen["clean"]) == (messages, True)


def test_the_page_is_told_of_its_mistakes(browser: Chrome, server: Running) -> None:
    seen = talk(browser, server, "/typed?kind=json", messages=['{"name":7}', '{"name":"tea"}'])
    assert [message[:8] for message in seen["received"]] == ['{"error"', '{"ordere']


def test_the_subprotocol(browser: Chrome, server: Running) -> None:
    seen = talk(browser, server, "/negotiate", protocols=["v1", "v2"], messages=[])
    assert seen["protocol"] == "v2"


def test_a_page_sees_no_more_of_a_denial_than_of_a_failure(
    browser: Chrome, server: Running, key: str
) -> None:
    """The WebSocket standard hides the response from it, whatever the status."""
    seen = talk(browser, server, f"/deny?key={key}&status=401&how=bytes")
    assert (seen["opened"], seen["code"], seen["clean"]) == (False, 1006, False)
