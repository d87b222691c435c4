"""The inspector, in process: the JSON report, the HTML page, and WebSockets."""

from __future__ import annotations

import hashlib
import json
from html.parser import HTMLParser
from typing import Any

import httpx
import msgpack
import pytest

from asgiwire.testing import RecordedSend, ScriptedReceive, http_scope, websocket_scope
from examples.inspector import app

pytestmark = pytest.mark.anyio

ADDRESS = "http://testserver:8000"
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
HOSTILE = '<script>alert("x")</script>&"\''


async def ask(method: str, target: str, **options: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        return await client.request(method, target, **options)


async def body_of(**options: Any) -> dict[str, Any]:
    response = await ask("POST", "/", **options)
    assert response.status_code == 200
    body: dict[str, Any] = response.json()["body"]
    return body


# --- The JSON report ---


async def test_request_line_and_url() -> None:
    report = (await ask("DELETE", "/a%20b/ü?x=1&y=%C3%A9&x=2")).json()
    assert report["method"] == "DELETE"
    assert report["client"] == "127.0.0.1:50000"
    assert report["http_version"] == "1.1"
    assert report["query"] == [["x", "1"], ["y", "é"], ["x", "2"]]
    assert report["url"] == {
        "full": f"{ADDRESS}/a%20b/%C3%BC?x=1&y=%C3%A9&x=2",
        "scheme": "http",
        "hostname": "testserver",
        "port": 8000,
        "path": "/a%20b/%C3%BC",
        "query": "x=1&y=%C3%A9&x=2",
    }


async def test_headers_keep_their_order_and_duplicates() -> None:
    report = (await ask("GET", "/", headers=[("x-b", "1"), ("x-a", "2"), ("x-b", "3")])).json()
    assert [pair for pair in report["headers"] if pair[0].startswith("x-")] == [
        ["x-b", "1"],
        ["x-a", "2"],
        ["x-b", "3"],
    ]


async def test_cookies() -> None:
    report = (await ask("GET", "/", headers=[("cookie", "a=1"), ("cookie", "b=zwei")])).json()
    assert report["cookies"] == {"a": "1", "b": "zwei"}


async def test_no_body() -> None:
    body = (await ask("GET", "/")).json()["body"]
    assert body == {"media_type": "", "parameters": {}, "content_length": None, "kind": "empty"}


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/problem+json", "Application/JSON; charset=utf-8"]
)
async def test_json(media_type: str) -> None:
    body = await body_of(content=b'{"a": [1, null, "\xc3\xa9"]}', headers={"content-type": media_type})
    assert (body["kind"], body["value"]) == ("json", {"a": [1, None, "é"]})


@pytest.mark.parametrize(
    "media_type", ["application/msgpack", "application/vnd.msgpack", "application/x-msgpack"]
)
async def test_msgpack(media_type: str) -> None:
    """Values that JSON does not support are converted."""
    content = msgpack.packb({"a": [1.5, b"\x00"], 7: {None: True}})
    body = await body_of(content=content, headers={"content-type": media_type})
    assert (body["kind"], body["value"]) == ("msgpack", {"a": [1.5, "AA=="], "7": {"None": True}})


async def test_urlencoded_form() -> None:
    body = await body_of(data={"b": ["1", "2"], "a": "é & ü"})
    assert (body["kind"], body["files"]) == ("form", [])
    assert body["fields"] == [["b", "1"], ["b", "2"], ["a", "é & ü"]]


@pytest.mark.parametrize(("size", "on_disk"), [(0, False), (10, False), (3_000_000, True)])
async def test_multipart_form(size: int, on_disk: bool) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    body = await body_of(data={"note": "Größe"}, files=[("file", ("ä.bin", content, "application/x-thing"))])
    assert body["media_type"] == "multipart/form-data"
    assert body["fields"] == [["note", "Größe"]]
    assert body["files"] == [
        {
            "field": "file",
            "filename": "ä.bin",
            "content_type": "application/x-thing",
            "size": size,
            "sha256": hashlib.sha256(content).hexdigest(),
            "on_disk": on_disk,
        }
    ]


async def test_text_of_any_type() -> None:
    body = await body_of(
        content="größer".encode(), headers={"content-type": "application/xml; charset=utf-8"}
    )
    assert (body["kind"], body["text"], body["size"]) == ("text", "größer", 8)
    assert (body["media_type"], body["parameters"]) == ("application/xml", {"charset": "utf-8"})


async def test_binary() -> None:
    content = b"\x00\xff" * 500
    body = await body_of(content=content)
    assert (body["kind"], body["size"]) == ("binary", 1000)
    assert body["sha256"] == hashlib.sha256(content).hexdigest()
    assert body["hex"] == " ".join(["00 ff"] * 128)


# A limit is exceeded before the client has sent everything, and httpx leaves its generator.
@pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning")
@pytest.mark.parametrize(
    ("headers", "content", "status_code"),
    [
        ({"content-type": "application/json"}, b'{"secret": ', 400),
        ({"content-type": "application/msgpack"}, b"\xc1", 400),
        ({"content-type": "multipart/form-data"}, b"--x", 400),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=secret&" * 1001, 413),
    ],
    ids=["json", "msgpack", "no-boundary", "fields"],
)
@pytest.mark.parametrize("accept", ["*/*", BROWSER["accept"]], ids=["program", "browser"])
async def test_an_error_of_the_client_becomes_a_response(
    headers: dict[str, str], content: bytes, status_code: int, accept: str
) -> None:
    response = await ask("POST", "/", content=content, headers={**headers, "accept": accept})
    assert response.status_code == status_code
    problem = response.json()
    assert problem["status_code"] == status_code
    assert problem["detail"]
    assert "secret" not in problem["detail"]


async def test_nothing_is_sent_after_a_client_disconnect() -> None:
    send = RecordedSend()
    await app(http_scope("POST"), ScriptedReceive.body(b"half", disconnect=True), send)
    assert send.messages == []


# --- The HTML page ---


class Page(HTMLParser):
    """Collects the visible text, and fails on markup that came from the request."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.sources: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        assert tag != "script" or names.get("src"), "an inline script"
        assert not any(name == "style" or name.startswith("on") for name in names)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


async def page_of(method: str, target: str, **options: Any) -> Page:
    headers = {**BROWSER, **options.pop("headers", {})}
    response = await ask(method, target, headers=headers, **options)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return Page(response.text)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (BROWSER["accept"], "text/html"),
        ("text/html", "text/html"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("image/png", "application/json"),
    ],
)
async def test_one_resource_has_two_representations(accept: str, media_type: str) -> None:
    response = await ask("GET", "/x", headers={"accept": accept})
    assert response.headers["content-type"].startswith(media_type)
    assert response.headers["vary"] == "accept"


async def test_text_of_the_client_is_escaped() -> None:
    page = await page_of(
        "POST",
        f"/?q={HOSTILE}",
        headers={"x-test": HOSTILE, "cookie": f"c={HOSTILE}"},
        data={HOSTILE: HOSTILE},
        files={"f": (HOSTILE, b"", "text/plain")},
    )
    assert page.text.count(HOSTILE) >= 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"json": {"tea": HOSTILE}}, '"tea": "<script>'),
        ({"content": HOSTILE.encode()}, HOSTILE),
        ({"content": b"\xff\x00"}, "ff 00"),
        ({"content": b"x" * 30_000}, "… and 10,000 more characters"),
        ({"files": {"f": ("a.txt", b"abc", "text/plain")}}, hashlib.sha256(b"abc").hexdigest()),
    ],
    ids=["json", "text", "binary", "long", "file"],
)
async def test_page_shows_the_body(options: dict[str, Any], words: str) -> None:
    page = await page_of("POST", "/", **options)
    assert any(words in text for text in page.text)


async def test_page_loads_only_its_own_files() -> None:
    page = await page_of("GET", "/deep/path")
    assert page.sources
    for source in page.sources:
        assert source.startswith("/-/")
        assert (await ask("GET", source)).status_code == 200


async def test_page_loads_its_files_below_a_root_path() -> None:
    transport = httpx.ASGITransport(app, root_path="/tools")
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        page = Page((await client.get("/tools/x", headers=BROWSER)).text)
        assert page.sources
        for source in page.sources:
            assert source.startswith("/tools/-/")
            assert (await client.get(source)).headers["content-type"].split("/")[0] in {"text", "image"}


async def test_content_security_policy_forbids_other_sources() -> None:
    response = await ask("GET", "/", headers=BROWSER)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_head_has_the_headers_of_get_and_no_body() -> None:
    head, get = await ask("HEAD", "/", headers=BROWSER), await ask("GET", "/", headers=BROWSER)
    assert head.content == b""
    assert head.headers["content-type"] == get.headers["content-type"]
    assert int(head.headers["content-length"]) > 1000


async def test_unknown_file_is_an_ordinary_path() -> None:
    assert (await ask("GET", "/-/secrets.txt")).json()["url"]["path"] == "/-/secrets.txt"


# --- WebSockets ---


async def talk(*messages: str | bytes, subprotocol: str | None = None) -> list[Any]:
    """Send the messages and disconnect; return the replies, and last the code and reason of a close."""
    scope = websocket_scope("/talk", cookies={"a": "1"}, subprotocols=[subprotocol] if subprotocol else [])
    send = RecordedSend()
    await app(scope, ScriptedReceive.websocket(*messages, disconnect=1001), send)
    accept, *replies = send.messages
    assert (accept["type"], accept["subprotocol"]) == ("websocket.accept", subprotocol)
    return [
        (reply["code"], reply["reason"]) if reply["type"] == "websocket.close"
        else reply["bytes"] if reply.get("text") is None else reply["text"]
        for reply in replies
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("subprotocol", "messages"),
    [
        (None, ["a", b"\xff", ""]),
        ("inspector.text", ["a", "ü"]),
        ("inspector.binary", [b"", b"\xff\x00"]),
    ],
)
async def test_echo(subprotocol: str | None, messages: list[str | bytes]) -> None:
    assert await talk(*messages, subprotocol=subprotocol) == messages


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [((), None), (("chat",), None), (("chat", "inspector.binary"), "inspector.binary")],
    ids=["none", "unknown", "several"],
)
async def test_subprotocol_is_supported_by_both_sides(offered: tuple[str, ...], chosen: str | None) -> None:
    send = RecordedSend()
    await app(websocket_scope(subprotocols=offered), ScriptedReceive.websocket(disconnect=1000), send)
    assert send.messages[0]["subprotocol"] == chosen


async def test_conversation_in_json() -> None:
    handshake, *replies = map(json.loads, await talk("[1, null]", '"ü"', subprotocol="inspector.json"))
    assert handshake["handshake"]["cookies"] == {"a": "1"}
    assert handshake["handshake"]["url"]["full"] == "ws://test.org/talk"
    assert handshake["handshake"]["subprotocols"] == ["inspector.json"]
    assert replies == [{"received": [1, None]}, {"received": "ü"}]


async def test_conversation_in_msgpack() -> None:
    message = msgpack.packb({"a": b"\x00"})
    _, reply = map(msgpack.unpackb, await talk(message, subprotocol="inspector.msgpack"))
    assert reply == {"received": {"a": b"\x00"}}


async def test_server_closes_on_request() -> None:
    replies = await talk('{"close": 4001, "reason": "enough"}', subprotocol="inspector.json")
    assert replies[1:] == [(4001, "enough")]


async def test_reason_is_truncated_to_the_close_frame() -> None:
    """A control frame has at most 125 bytes (RFC 6455 section 5.5), two of which are the code."""
    request = json.dumps({"close": 4001, "reason": "ü" * 100})
    assert (await talk(request, subprotocol="inspector.json"))[1:] == [(4001, "ü" * 61)]


async def test_invalid_close_code_is_reported() -> None:
    replies = await talk('{"close": 99999}', "1", subprotocol="inspector.json")
    _, problem, reply = map(json.loads, replies)
    assert "99999" in problem["error"]
    assert reply == {"received": 1}


@pytest.mark.parametrize(
    ("subprotocol", "message", "code"),
    [
        ("inspector.json", "{", 1007),
        ("inspector.msgpack", b"\xc1", 1007),
        ("inspector.text", b"binary", 1003),
        ("inspector.binary", "text", 1003),
    ],
)
async def test_invalid_message_closes_the_websocket(
    subprotocol: str, message: str | bytes, code: int
) -> None:
    *_, (closed, reason) = await talk(message, subprotocol=subprotocol)
    assert closed == code
    assert reason


async def test_client_that_disconnects_before_the_handshake() -> None:
    send = RecordedSend()
    await app(websocket_scope(), ScriptedReceive({"type": "websocket.disconnect", "code": 1006}), send)
    assert send.messages == []


async def test_lifespan() -> None:
    send = RecordedSend()
    await app(
        {"type": "lifespan"},
        ScriptedReceive({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}),
        send,
    )
    assert [message["type"] for message in send.messages] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_unknown_scope_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="'carrier-pigeon'"):
        await app({"type": "carrier-pigeon"}, ScriptedReceive(), RecordedSend())
