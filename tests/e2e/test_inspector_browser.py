"""The page of the inspector in headless Chromium: its forms and its console."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="needs Chromium and its driver: on Debian, apt-get install chromium chromium-driver",
    ),
]

ROOT = Path(__file__).parent.parent.parent
# The first four allow root and no display. The others prevent network access of the browser.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOSTILE = '<img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    command = [sys.executable, "-m", "examples.inspector", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+/", process.stdout.readline())
            assert found
            yield found[0]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}", "--window-size=1280,1600"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


class Page:
    """The page as a user sees it; buttons are found by their text."""

    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser = browser
        browser.get(address)
        self.browser_errors()

    def css(self, selector: str) -> WebElement:
        return self.browser.find_element("css selector", selector)

    def choose(self, form: str, value: str) -> None:
        self.css(f"input[form={form}][value={value}], #{form} input[value={value}]").find_element(
            "xpath", ".."
        ).click()

    def fill(self, selector: str, text: str) -> None:
        element = self.css(selector)
        element.clear()
        element.send_keys(text)

    def press(self, words: str) -> None:
        self.browser.find_element("xpath", f"//button[normalize-space()='{words}']").click()

    def wait(self, script: str, seconds: float = 20) -> Any:
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.browser, seconds, 0.02).until(
            lambda driver: driver.execute_script(f"return {script}")
        )

    def report(self, words: str) -> str:
        """Wait until the report contains the text, and return the report."""
        self.browser.execute_script("window.wanted = arguments[0]", words)
        self.wait("document.getElementById('report-body').innerText.includes(window.wanted)")
        return self.css("#report-body").text

    def log(self, words: str) -> str:
        """Wait until the console contains the text, and return its messages."""
        self.browser.execute_script("window.wanted = arguments[0]", words)
        self.wait("document.getElementById('log').innerText.includes(window.wanted)")
        return self.css("#log").text

    def browser_errors(self) -> list[str]:
        """Return the errors and policy violations that the browser logged since the last call."""
        return [entry["message"] for entry in self.browser.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture
def page(browser: Chrome, address: str) -> Iterator[Page]:
    page = Page(browser, f"{address}orders/7?x=1&name=%C3%A9")
    yield page
    assert page.browser_errors() == []


def test_page_reports_its_own_request(page: Page) -> None:
    text = page.css("#report-body").text
    assert "GET" in text
    assert "/orders/7?x=1&name=%C3%A9" in text
    assert "Chrom" in text
    assert "answered as text/html" in text
    assert page.browser.execute_script("return document.contentType") == "text/html"


def test_form_with_files(page: Page, tmp_path: Path) -> None:
    first, second = tmp_path / 'a "b".txt', tmp_path / "größe.bin"
    first.write_text("hello")
    second.write_bytes(bytes(range(256)) * 20_000)
    page.fill("[name=name]", HOSTILE)
    page.css("[name=files]").send_keys(f"{first}\n{second}")
    page.press("Send")
    text = page.report(hashlib.sha256(second.read_bytes()).hexdigest())
    assert hashlib.sha256(b"hello").hexdigest() in text
    assert 'a "b".txt' in text
    assert "größe.bin" in text
    assert "5,120,000 bytes, on disk" in text
    assert HOSTILE in text
    assert page.browser.title.startswith("Inspector")


def test_upload_shows_its_progress(page: Page, tmp_path: Path) -> None:
    """The bar moves from the start to the end, and disappears after the response."""
    file = tmp_path / "large.bin"
    file.write_bytes(b"x" * 30_000_000)
    page.css("[name=files]").send_keys(str(file))
    page.browser.execute_script("""
        const bar = document.querySelector("progress");
        window.seen = [];
        new MutationObserver(() => window.seen.push(bar.value)).observe(bar, { attributes: true });
    """)
    page.press("Send")
    page.report("30,000,000 bytes, on disk")
    seen = page.browser.execute_script("return window.seen")
    assert seen == sorted(seen)
    assert len(seen) >= 2  # the browser reports every 50 ms; a fast machine may need less
    assert seen[-1] == 1
    assert not page.css("#progress").is_displayed()


def test_upload_can_be_cancelled(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "large.bin"
    file.write_bytes(b"x" * 200_000_000)
    page.css("[name=files]").send_keys(str(file))
    page.press("Send")
    page.press("Cancel")
    page.wait("document.getElementById('problem').textContent.startsWith('Cancelled')")
    assert not page.css("#cancel").is_displayed()


def test_form_without_a_file(page: Page) -> None:
    page.press("Send")
    assert "files" in page.report("multipart/form-data")


def test_urlencoded_form(page: Page) -> None:
    page.choose("options", "urlencoded")
    page.fill("[name=name]", "Zoë & co")
    page.press("Send")
    assert "Zoë & co" in page.report("application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("mode", "media_type"), [("json", "application/json"), ("msgpack", "application/vnd.msgpack")]
)
def test_json_and_msgpack(page: Page, mode: str, media_type: str) -> None:
    value = '{"a": [1, -1, 1.5, 70000, null, true], "ü": "' + "long " * 60 + '"}'
    page.choose("options", mode)
    page.fill("#raw", value)
    page.press("Send")
    text = page.report(media_type)
    assert re.search(r'"a": \[\s*1,\s*-1,\s*1\.5,\s*70000,\s*null,\s*true\s*\]', text)
    assert "long " * 59 in text


def test_method_path_and_text(page: Page) -> None:
    from selenium.webdriver.support.select import Select

    page.choose("options", "text")
    Select(page.css("#method")).select_by_visible_text("PATCH")
    page.fill("#target", "/elsewhere?y=2")
    page.fill("#raw", HOSTILE)
    page.press("Send")
    text = page.report("/elsewhere?y=2")
    assert "PATCH" in text
    assert HOSTILE in text


def test_typed_headers_are_sent(page: Page) -> None:
    page.css("#send summary").click()
    page.fill("#headers", 'If-None-Match: "a:b"\n\nx-empty:')
    page.press("Send")
    assert "x-empty" in page.report('"a:b"')
    assert page.css("#report-body details").get_attribute("open")


def test_report_as_json_is_shown(page: Page) -> None:
    page.css("#send summary").click()
    page.fill("#headers", "Accept: application/json")
    page.press("Send")
    assert '"method": "POST"' in page.report('"kind": "form"')


def test_invalid_header_is_not_sent(page: Page) -> None:
    page.css("#send summary").click()
    page.fill("#headers", "no colon")
    page.press("Send")
    assert page.css("#problem").text.startswith("This is not a header")


def test_get_has_no_body(page: Page) -> None:
    from selenium.webdriver.support.select import Select

    method = Select(page.css("#method"))
    page.choose("options", "json")
    method.select_by_visible_text("GET")
    assert not page.css("#raw").is_displayed()
    page.fill("#target", "/got")
    page.press("Send")
    assert "Body" not in page.report("/got")
    page.choose("options", "text")
    assert method.first_selected_option.text == "POST"


@pytest.mark.parametrize("secure", [True, False], ids=["https", "http"])
def test_expression_is_copied_by_a_click(page: Page, secure: bool) -> None:
    """Over HTTP to another machine, a browser has no ``navigator.clipboard``."""
    if not secure:
        page.browser.execute_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.fill("#text", "")
    page.press("request.query_params")
    page.wait("document.getElementById('copied').textContent === 'Copied request.query_params'")
    page.css("#text").send_keys("\ue009v")  # Ctrl+V
    assert page.css("#text").get_attribute("value") == "request.query_params"


def test_invalid_json_is_not_sent(page: Page) -> None:
    page.choose("options", "msgpack")
    page.fill("#raw", "{")
    page.press("Send")
    assert page.css("#problem").text.startswith("This is not JSON")


def test_error_response_is_shown(browser: Chrome, address: str) -> None:
    page = Page(browser, address)
    page.choose("options", "json")
    page.fill("#raw", "{")
    page.press("Send")
    page.wait("document.getElementById('problem').textContent.startsWith('Answered with 400')")
    page.browser_errors()  # Chromium logs the status 400 as an error


def test_form_works_without_javascript(page: Page) -> None:
    """The response to a plain form is a page."""
    page.browser.execute_script("document.getElementById('send').submit()")
    page.wait("document.readyState === 'complete' && document.body.innerText.includes('POST')")
    assert "multipart/form-data" in page.css("#report-body").text


@pytest.mark.parametrize(
    ("mode", "message", "answer"),
    [
        ("text", f"hello {HOSTILE}", f"hello {HOSTILE}"),
        ("binary", "00 FF 7f", "00 ff 7f"),
        ("json", '{"a": "ü"}', '"received": {\n    "a": "ü"'),
        (
            "msgpack",
            '{"a": [1, 300, -5, 2.5, "ü"]}',
            '"received": {\n    "a": [\n      1,\n      300,\n      -5,\n      2.5,\n      "ü"',
        ),
    ],
)
def test_console(page: Page, mode: str, message: str, answer: str) -> None:
    page.choose("connect", mode)
    page.press("Connect")
    page.wait("document.getElementById('status').dataset.state === 'open'")
    page.fill("#text", message)
    page.press("Send message")
    page.wait("document.querySelectorAll('#log [data-kind=out]').length")
    assert answer in page.log(answer)
    page.press("Disconnect")
    page.log("Closed with 1000")


def test_console_shows_the_handshake(page: Page) -> None:
    page.press("Connect")
    text = page.log("handshake")
    assert "ws://" in text
    assert "/orders/7?x=1&name=%C3%A9" in text


@pytest.mark.parametrize(("words", "code"), [("Close", "3001"), ("Have the server close", "4001")])
def test_console_closes_with_code_and_reason(page: Page, words: str, code: str) -> None:
    page.press("Connect")
    page.log("handshake")
    page.fill("#code", code)
    page.fill("#reason", "genug für heute")
    page.press(words)
    page.log(f"Closed with {code}: genug für heute")
    assert page.css("#status").get_attribute("data-state") == "closed"


def test_console_shows_why_a_message_cannot_be_sent(page: Page) -> None:
    page.choose("connect", "binary")
    page.press("Connect")
    page.wait("document.getElementById('status').dataset.state === 'open'")
    page.fill("#text", "0g")
    page.press("Send message")
    assert "two digits" in page.css("#message-problem").text


def test_every_control_has_a_name(page: Page) -> None:
    unnamed = page.browser.execute_script("""
        return [...document.querySelectorAll("input, select, textarea, button, progress")]
            .filter((control) => !(control.labels?.length || control.textContent || control.ariaLabel))
            .map((control) => control.outerHTML);
    """)
    assert unnamed == []


def test_console_is_one_click_away_on_a_phone(browser: Chrome, address: str) -> None:
    emulate(browser, 390, "light")
    try:
        page = Page(browser, address)
        link = page.css("nav a[href='#console']")
        for _ in range(2):  # from the top, and from below the headers
            link.click()
            assert 0 < page.css("#connect button").rect["y"] - browser.execute_script("return scrollY") < 900
            browser.execute_script("document.getElementById('docs').scrollIntoView()")
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_fits_the_width_of_the_window(browser: Chrome, address: str, width: int, theme: str) -> None:
    emulate(browser, width, theme)
    try:
        page = Page(browser, f"{address}{'long-' * 60}?{'q' * 300}=1")
        assert page.browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert page.browser.execute_script("return matchMedia('(prefers-color-scheme: dark)').matches") == (
            theme == "dark"
        )
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def emulate(browser: Chrome, width: int, theme: str) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
