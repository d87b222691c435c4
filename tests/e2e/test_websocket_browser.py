"""The WebSocket of Chromium: the close codes, reasons and subprotocols that a page sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .servers import each
from .socket_servers import SOCKETS
from .test_inspector_browser import browser
from .test_inspector_browser import pytestmark as browser_marks

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from .processes import Running

__all__ = ("browser",)  # a fixture

pytestmark = [*browser_marks, pytest.mark.timeout(60), each(SOCKETS)]

# Opens, sends, closes after one answer for each message, and reports everything after the close.
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


def run_script(
    browser: Chrome,
    server: Running,
    target: str,
    *,
    protocols: list[str] | None = None,
    messages: list[str] | None = None,
) -> dict[str, Any]:
    """Run the script, and return its report. Without messages, the server has to close."""
    # Chromium asks the user for permission if a page without an origin connects to this machine.
    browser.get(f"{server.base_url}/token")
    browser.set_script_timeout(10)
    url = f"ws://127.0.0.1:{server.port}{target}"
    seen: dict[str, Any] = {}
    for _ in range(5 if server.server.name.startswith("daphne") else 1):
        seen = browser.execute_async_script(SCRIPT, url, protocols or [], messages)
        # daphne aborts a connection if the client does not answer the close within a second. Chromium may be
        # slower on a busy machine, and the page sees no code then.
        if seen["code"] != 1006 or not seen["opened"]:
            break
    return seen


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, "done"), (1008, "policy"), (1012, ""), (3000, ""), (4001, "café ✓"), (4999, "x" * 123)],
)
def test_page_sees_code_and_reason(
    browser: Chrome, server: Running, key: str, code: int, reason: str
) -> None:
    seen = run_script(browser, server, f"/close?key={key}&code={code}&reason={reason}")
    assert (seen["code"], seen["reason"]) == server.server.closes_as(code, reason)
    assert seen["opened"]


def test_page_sees_the_code_of_a_websocket_exception(browser: Chrome, server: Running, key: str) -> None:
    seen = run_script(browser, server, f"/block?key={key}&how=exception")
    assert (seen["code"], seen["reason"]) == server.server.closes_as(4404, "no café here")


def test_page_sends_messages_and_closes(browser: Chrome, server: Running) -> None:
    messages = ["hello", "é ✓ 😀", "x" * 10_000]
    seen = run_script(browser, server, "/echo?mode=text", messages=messages)
    assert (seen["received"], seen["clean"]) == (messages, True)


def test_page_receives_validation_errors(browser: Chrome, server: Running) -> None:
    seen = run_script(browser, server, "/typed?kind=json", messages=['{"name":7}', '{"name":"tea"}'])
    assert [message[:8] for message in seen["received"]] == ['{"error"', '{"ordere']


def test_page_sees_the_subprotocol(browser: Chrome, server: Running) -> None:
    seen = run_script(browser, server, "/negotiate", protocols=["v1", "v2"], messages=[])
    assert seen["protocol"] == "v2"


def test_denial_response_is_a_failure_for_the_page(browser: Chrome, server: Running, key: str) -> None:
    """The WebSocket standard hides the response from the page."""
    seen = run_script(browser, server, f"/deny?key={key}&status=401&how=bytes")
    assert (seen["opened"], seen["code"], seen["clean"]) == (False, 1006, False)
