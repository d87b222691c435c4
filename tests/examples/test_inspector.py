"""The inspector, in process: the JSON report, the HTML page, and WebSockets."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
from html.parser import HTMLParser
from typing import Any

import httpx
import msgpack
import pytest

import asgiwire
from asgiwire import Request
from asgiwire.testing import RecordedSend, ScriptedReceive, http_scope, websocket_scope
from examples.inspector import app
from examples.inspector.report import Paging

pytestmark = pytest.mark.anyio

ADDRESS = "http://testserver:8000"
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
TABLES = {"request.query_params", "request.query(type=Paging)", "request.cookies", "request.headers"}
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
    assert report["connection"]["client"] == ["127.0.0.1", 50_000]
    assert report["http_version"] == "1.1"
    assert report["query_params"] == [["x", "1"], ["y", "é"], ["x", "2"]]
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
            "rolled_to_disk": on_disk,
        }
    ]


async def test_text_of_any_type() -> None:
    body = await body_of(
        content="größer".encode(), headers={"content-type": "application/xml; charset=utf-8"}
    )
    assert (body["kind"], body["text"]) == ("text", "größer")
    assert (body["media_type"], body["parameters"]) == ("application/xml", {"charset": "utf-8"})


async def test_text_in_its_declared_charset() -> None:
    body = await body_of(
        content="grün".encode("latin-1"), headers={"content-type": "text/csv; charset=iso-8859-1"}
    )
    assert (body["kind"], body["text"]) == ("text", "grün")


async def test_msgpack_extension() -> None:
    content = msgpack.packb([msgpack.ExtType(5, b"x")])
    body = await body_of(content=content, headers={"content-type": "application/msgpack"})
    assert body["value"] == [{"extension": 5, "data": "eA=="}]


async def test_json_is_indented_with_each_pair_in_one_line() -> None:
    """The report is read in a terminal too."""
    text = (await ask("GET", "/?q=[%0A", headers={"x-a": 'b"\\'})).text
    assert '\n    ["x-a", "b\\"\\\\"]' in text
    assert '\n    ["q", "[\\n"]\n' in text
    assert text.endswith("}\n")


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
        ({"content-type": "application/msgpack"}, b"\x91" * 5000 + b"\xc0", 400),
        ({"content-type": "multipart/form-data"}, b"--x", 400),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=secret&" * 1001, 413),
    ],
    ids=["json", "msgpack", "nested", "no-boundary", "fields"],
)
async def test_invalid_body_is_an_error_beside_the_rest_of_the_report(
    headers: dict[str, str], content: bytes, status_code: int
) -> None:
    response = await ask("POST", "/?x=1", content=content, headers=headers)
    assert response.status_code == status_code
    report = response.json()
    assert report["query_params"] == [["x", "1"]]
    error = report["body"]["error"]
    assert error["status_code"] == status_code
    assert error["detail"]
    assert "secret" not in response.text
    page = await ask("POST", "/?x=1", content=content, headers={**headers, **BROWSER})
    assert page.status_code == status_code
    assert f"{error['exception']} ({status_code}): " in page.text


async def test_invalid_content_length_is_an_error_of_the_body() -> None:
    """Servers reject it, but the scope of a middleware can contain it."""
    send = RecordedSend()
    await app(http_scope("POST", headers=[("content-length", "-1")]), ScriptedReceive.body(b""), send)
    assert send.messages[0]["status"] == 400
    assert json.loads(send.messages[1]["body"])["body"]["error"]["exception"] == "ClientException"


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("page=2&sort=date&other=1", {"value": {"page": 2, "size": 20, "sort": "date"}}),
        (
            "page=two",
            {
                "error": {
                    "status_code": 400,
                    "exception": "ValidationException",
                    "detail": "Expected `int`, got `str` - at `$.page`",
                }
            },
        ),
    ],
    ids=["valid", "invalid"],
)
async def test_typed_query(query: str, result: dict[str, Any]) -> None:
    response = await ask("GET", f"/?{query}")
    assert response.status_code == 200
    assert response.json()["paging"] == result


async def test_negotiation() -> None:
    headers = {"accept-language": "fr;q=0.5, de-CH", "accept-encoding": "gzip, br;q=0.1"}
    negotiation = (await ask("GET", "/", headers=headers)).json()["negotiation"]
    assert negotiation["accept_language"] == "de-ch, fr;q=0.5"
    assert negotiation["accept_language.best_match(['en', 'de', 'fr'])"] == "de"
    assert negotiation["accept_encoding.best_match(['br', 'gzip', 'identity'])"] == "gzip"


async def test_conditions() -> None:
    headers = {"if-none-match": 'W/"a", "b"', "range": "bytes=0-9", "cache-control": "max-age=0"}
    conditions = (await ask("GET", "/", headers=headers)).json()["conditions"]
    assert {name: value for name, value in conditions.items() if value is not None} == {
        "if_none_match": 'W/"a", "b"',
        "range": "bytes=0-9",
        "cache_control.max_age": 0,
        "cache_control.no_cache": False,
    }


async def test_nothing_is_sent_after_a_client_disconnect() -> None:
    send = RecordedSend()
    await app(http_scope("POST"), ScriptedReceive.body(b"half", disconnect=True), send)
    assert send.messages == []


# --- The HTML page ---


class Page(HTMLParser):
    """Collects the text, the linked files, and the expressions with what is shown beside them.

    Fails on markup that came from the request.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.sources: list[str] = []
        self.expressions: list[str] = []
        self.values: dict[str, str] = {}
        self.in_expression = self.in_value = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        assert tag != "script" or names.get("src"), "an inline script"
        assert not any(name == "style" or name.startswith("on") for name in names)
        self.sources += [
            value
            for name, value in attrs
            if name in {"src", "href"} and value and not value.startswith(("#", "?"))
        ]
        if names.get("class") == "copy":
            self.expressions.append("")
            self.in_expression = True
        if tag == "td" and self.expressions:
            self.values[self.expressions[-1]] = ""
        self.in_value = tag == "td" or (self.in_value and tag == "span")

    def handle_endtag(self, tag: str) -> None:
        self.in_expression = self.in_expression and tag != "button"
        self.in_value = self.in_value and tag != "td"

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.in_expression:
            self.expressions[-1] += data
        elif self.in_value and self.expressions:
            self.values[self.expressions[-1]] += data


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


@pytest.mark.parametrize(
    ("media_type", "content", "reader"),
    [
        ("application/x-www-form-urlencoded", b"a=1", "await request.form()"),
        ("application/json", b"[1]", "await request.json()"),
        ("application/msgpack", b"\x01", "await request.msgpack()"),
        ("text/plain", b"a", "await request.text()"),
        ("image/png", b"\xff", "await request.body()"),
    ],
)
async def test_every_expression_on_the_page_returns_what_is_beside_it(
    media_type: str, content: bytes, reader: str
) -> None:
    headers = {
        "accept": "text/html, */*;q=0.1",
        "accept-language": "de",
        "authorization": "Bearer a",
        "content-type": media_type,
        "content-length": str(len(content)),
        "if-modified-since": "Sun, 06 Nov 1994 08:49:37 GMT",
        "if-range": '"a"',
        "range": "bytes=-5",
    }
    tls = {"tls_version": 0x0304, "cipher_suite": 0x1301, "client_cert_name": "CN=ada,O=Example"}
    scope = http_scope(
        "POST", "/a", query_params={"page": "2", "x": "é"}, headers=headers, extensions={"tls": tls}
    )
    send = RecordedSend()
    await app(scope, ScriptedReceive.body(content), send)
    page = Page(send.messages[1]["body"].decode())

    request = Request(scope, ScriptedReceive.body(content))
    values = {}
    for expression in page.expressions:
        code = compile(expression, "page", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        value = eval(code, {"request": request, "Paging": Paging})
        values[expression] = await value if inspect.isawaitable(value) else value
    assert reader in values
    assert values["request.query(type=Paging)"] == Paging(page=2)
    rows = [name for name in page.expressions if name not in TABLES and not name.startswith("await ")]
    assert len(rows) > 25
    assert {name: page.values[name] for name in rows} == {name: str(values[name]) for name in rows}


async def test_page_says_what_it_is() -> None:
    page = await page_of("GET", "/")
    assert f"an example of asgiwire {asgiwire.__version__}" in page.text


async def test_guides_are_pages() -> None:
    page = await page_of("GET", "/")
    guides = [source for source in page.sources if source.endswith(".md")]
    assert "/-/docs/tutorial.md" in guides
    for path in guides:
        guide = await page_of("GET", path)
        assert any(text.startswith("# ") for text in guide.text)
        for source in guide.sources:
            target = httpx.URL(f"{ADDRESS}{path}").join(source)
            assert target.path == "/" or (await ask("GET", target.path)).headers["etag"]


@pytest.mark.parametrize(("scheme", "hints"), [("http", 0), ("https", 1)])
async def test_page_without_the_tls_extension(scheme: str, hints: int) -> None:
    page = await page_of("GET", f"{scheme}://testserver/")
    assert page.values["request.tls"] == "None"
    assert sum("does not support the TLS extension" in text for text in page.text) == hints


async def test_conditions_are_open_if_the_client_sent_one() -> None:
    assert "1 sent" in (await page_of("GET", "/", headers={"cache-control": "max-age=0"})).text
    assert "none sent" in (await page_of("GET", "/")).text


async def test_file_that_the_client_has_is_not_sent_again() -> None:
    first = await ask("GET", "/-/inspector.css")
    assert first.headers["cache-control"] == "no-cache"
    again = await ask("GET", "/-/inspector.css", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    changed = await ask("GET", "/-/inspector.css", headers={"if-none-match": '"other"'})
    assert changed.content == first.content


async def test_report_is_never_stored() -> None:
    response = await ask("GET", "/", headers={"if-none-match": "*"})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"


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
