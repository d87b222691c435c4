"""``Client``: requests, streams, cookies, redirects, lifespan, timeouts, and the end of what it starts."""

from __future__ import annotations

import contextvars
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any, get_type_hints

import anyio
import msgspec
import pytest

from asgiwire import Request
from asgiwire.exceptions import ClientDisconnect, SerializationException, ValidationException
from asgiwire.testing import (
    Client,
    Exchange,
    Response,
    ScriptError,
    SpecificationError,
    WaitTimeout,
    validate,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
BODY: dict[str, Any] = {"type": "http.response.body", "body": b"a"}
PART: dict[str, Any] = BODY | {"more_body": True}


def sending(*messages: Any) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return application


def response(body: bytes = b"", status: int = 200, headers: list[tuple[bytes, bytes]] | None = None) -> Any:
    return sending(START | {"status": status, "headers": headers or []}, BODY | {"body": body})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with what was received."""
    request = Request(scope, receive, send)
    value = {
        "method": request.method,
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": [[name.decode(), value.decode()] for name, value in scope["headers"]],
        "body": (await request.body()).decode("latin-1"),
        "server": scope["server"],
        "scheme": scope["scheme"],
    }
    await response(msgspec.json.encode(value), headers=[(b"content-type", b"application/json")])(
        scope, receive, send
    )


async def receive_all(scope: Any, receive: Any, send: Any) -> None:
    """Answer with each chunk when it arrives."""
    await send(START)
    async for chunk in Request(scope, receive, send).stream():
        await send(PART | {"body": chunk})
    await send(BODY | {"body": b""})
    scope["state"]["ended"].append("complete")


async def events(scope: Any, receive: Any, send: Any) -> None:
    """Send events until the client disconnects."""
    await send(START | {"headers": [(b"content-type", b"text/event-stream")]})
    number = 0
    try:
        while True:
            await send(PART | {"body": b"%d" % number})
            number += 1
    except OSError:
        scope["state"]["stopped"] = number
        raise


async def wait_for_ever(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send(START)
    await anyio.sleep_forever()


class TestRequests:
    @pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "query", "options"])
    async def test_every_method(self, method: str) -> None:
        received = await getattr(Client(validate(echo)), method)("/a", headers={"X-A": "1"}, content=b"x")
        assert received.status == 200
        # A server sends no body of a response to HEAD (RFC 9110 section 9.3.2).
        assert (received.body == b"") is (method == "head")
        value = msgspec.json.decode(received.messages[1]["body"])
        assert (value["method"], value["path"], value["body"]) == (method.upper(), "/a", "x")
        assert value["headers"] == [["host", "test.org"], ["x-a", "1"], ["content-length", "1"]]
        received = await getattr(Client(echo), method)()
        assert msgspec.json.decode(received.messages[1]["body"])["path"] == "/"

    async def test_any_method(self) -> None:
        assert (await Client(echo).request("PROPFIND", "/")).json()["method"] == "PROPFIND"

    @pytest.mark.parametrize(
        ("url", "path", "raw_path", "query"),
        [
            ("/a b/é", "/a b/é", "/a%20b/%C3%A9", ""),
            ("/a%20b/%2F?q=%20&r", "/a b//", "/a%20b/%2F", "q=%20&r"),
            ("a", "/a", "/a", ""),
            ("?q=1", "/", "/", "q=1"),
            ("/?q=é", "/", "/", "q=%C3%A9"),
        ],
    )
    async def test_urls(self, url: str, path: str, raw_path: str, query: str) -> None:
        value = (await Client(validate(echo)).get(url)).json()
        assert (value["path"], value["raw_path"], value["query"]) == (path, raw_path, query)

    async def test_query_params_follow_the_query(self) -> None:
        value = (await Client(echo).get("/?a=1", query_params={"b": [2, 3]})).json()
        assert value["query"] == "a=1&b=2&b=3"

    async def test_base_url_and_absolute_urls(self) -> None:
        client = Client(echo, "https://shop.test:8443")
        received = await client.get("/a")
        value = received.json()
        assert (value["scheme"], value["server"]) == ("https", ["shop.test", 8443])
        assert value["headers"] == [["host", "shop.test:8443"]]
        assert received.url == "https://shop.test:8443/a"
        value = (await client.get("http://é.test:8080/")).json()
        assert value["headers"] == [["host", "xn--9ca.test:8080"]]
        value = (await client.get("http://other.test/b")).json()
        assert (value["scheme"], value["server"], value["path"]) == ("http", ["other.test", 80], "/b")

    async def test_headers_of_the_client_and_of_the_request(self) -> None:
        client = Client(echo, headers={"authorization": "Bearer a"})
        value = (await client.get(headers={"Host": "own.test", "x-b": "2"})).json()
        assert value["headers"] == [["host", "own.test"], ["authorization", "Bearer a"], ["x-b", "2"]]

    async def test_the_options_of_the_factory(self) -> None:
        seen: dict[str, Any] = {}

        async def application(scope: Any, receive: Any, send: Any) -> None:
            seen.update(scope)
            await response()(scope, receive, send)

        client = Client(
            application,
            root_path="/root",
            http_version="2",
            client=None,
            extensions={"x": {}},
            state={"a": 1},
        )
        await client.get("/root/a", user="ada", session={"id": 7}, path_params={"n": 1}, state={"b": 2})
        assert (seen["user"], seen["session"], seen["path_params"]) == ("ada", {"id": 7}, {"n": 1})
        assert (seen["root_path"], seen["http_version"], seen["client"]) == ("/root", "2", None)
        assert (seen["extensions"], seen["state"]) == ({"x": {}}, {"a": 1, "b": 2})
        assert client.state == {"a": 1}

    async def test_bodies(self) -> None:
        client = Client(validate(echo))
        assert (await client.post(json={"a": 1})).json()["body"] == '{"a":1}'
        assert (await client.post(data={"a": "1 2"})).json()["body"] == "a=1+2"
        assert (await client.post(content=[b"a", b"b"])).json()["body"] == "ab"
        assert (
            b'filename="a.txt"' in (await client.post(files={"f": ("a.txt", b"x")})).json()["body"].encode()
        )

    @pytest.mark.parametrize(
        ("options", "hint"),
        [
            ({"params": {}}, "did you mean 'query_params'"),
            ({"body": b""}, "did you mean 'content'"),
            ({"allow_redirects": True}, "did you mean 'follow_redirects'"),
            ({"jsno": {}}, "did you mean 'json'"),
            ({"zzzzzz": 1}, "expected one of app, auth"),
        ],
        ids=repr,
    )
    async def test_unknown_options_name_the_nearest_one(self, options: Any, hint: str) -> None:
        with pytest.raises(
            TypeError, match=f"got an unexpected keyword argument '{next(iter(options))}'; {hint}"
        ):
            await Client(echo).get("/", **options)

    async def test_more_body_belongs_to_stream(self) -> None:
        with pytest.raises(TypeError, match="more_body"):
            await Client(echo).get("/", more_body=True)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="follow_redirects"):
            Client(echo).stream("GET", "/", follow_redirects=True)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="messages"):
            Client(echo).websocket("/", messages=[])  # type: ignore[call-arg]

    async def test_the_application_has_returned(self) -> None:
        ended = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await response()(scope, receive, send)
            assert await receive() == {"type": "http.disconnect"}
            assert await receive() == {"type": "http.disconnect"}
            await anyio.sleep(0.01)
            ended.append(True)

        await Client(application).get("/")
        assert ended == [True]

    async def test_messages_after_the_response_are_ignored(self) -> None:
        assert (await Client(sending(START, BODY, BODY, START)).get("/")).body == b"a"

    async def test_the_application_runs_in_a_copy_of_the_context(self) -> None:
        variable = contextvars.ContextVar("variable", default="test")

        async def application(scope: Any, receive: Any, send: Any) -> None:
            value = variable.get()
            variable.set("application")
            await response(value.encode())(scope, receive, send)

        variable.set("caller")
        assert (await Client(application).get("/")).body == b"caller"
        assert variable.get() == "caller"


class TestErrors:
    async def test_an_exception_of_the_application_is_raised(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            raise KeyError("own")

        with pytest.raises(KeyError, match="own"):
            await Client(application).get("/")
        received = await Client(application, raise_exceptions=False).get("/")
        assert (received.status, received.text) == (500, "Internal Server Error")

    async def test_an_exception_after_the_response(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await response(b"error page", 500)(scope, receive, send)
            raise KeyError("own")

        with pytest.raises(KeyError, match="own"):
            await Client(application).get("/")
        assert (await Client(application, raise_exceptions=False).get("/")).text == "error page"

    @pytest.mark.parametrize("messages", [[], [START], [START, PART]])
    async def test_an_incomplete_response_is_an_error(self, messages: list[Any]) -> None:
        with pytest.raises(ScriptError, match="expected a complete response; the application returned"):
            await Client(sending(*messages)).get("/")

    async def test_an_incomplete_response_of_an_application_that_raised(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            raise KeyError

        with pytest.raises(
            ScriptError, match="expected a complete response; the application raised KeyError"
        ):
            await Client(application, raise_exceptions=False).get("/")

    @pytest.mark.parametrize("message", [BODY, {"type": "x"}, None, {}], ids=repr)
    async def test_a_message_in_the_wrong_order_is_an_error_in_the_application(self, message: Any) -> None:
        with pytest.raises(SpecificationError, match=r"allows 'http.response.start'"):
            await Client(sending(message)).get("/")

    async def test_a_time_out_says_where_the_application_stands(self) -> None:
        with pytest.raises(WaitTimeout) as caught:
            await Client(wait_for_ever, timeout=0.05).post(content=b"abc")
        text = str(caught.value)
        assert text.startswith("expected a complete response and the end of the application within 0.05 s; ")
        assert "wait_for_ever (test_client.py:" in text
        assert "it received: http.request (body of 3 bytes)" in text
        assert "it sent: http.response.start (status 200)" in text
        assert caught.value.timeout == 0.05
        assert isinstance(caught.value, TimeoutError)

    async def test_the_time_out_of_one_call(self) -> None:
        with pytest.raises(WaitTimeout, match=r"within 0.01 s"):
            await Client(wait_for_ever).get(timeout=0.01)

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await anyio.sleep(0.05)
            await response()(scope, receive, send)

        assert (await Client(slow, timeout=0.001).get(timeout=None)).status == 200

    async def test_a_time_out_names_frames_inside_generators(self) -> None:
        async def generate() -> Any:
            await anyio.sleep_forever()
            yield

        async def application(scope: Any, receive: Any, send: Any) -> None:
            async for _ in generate():
                pass

        with pytest.raises(
            WaitTimeout, match=r"application \(test_client.py:\d+\) > .*generate \(test_client.py"
        ):
            await Client(application, timeout=0.02).get("/")

    async def test_a_long_exchange_is_abridged(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await sending(START, *[PART] * 9)(scope, receive, send)
            await anyio.sleep_forever()

        part = r"http.response.body \(body of 1 bytes, more_body\)"
        expected = rf"it sent: http.response.start \(status 200\), 4 more(, {part}){{5}}$"
        with pytest.raises(WaitTimeout, match=expected):
            await Client(application, timeout=0.02).get("/")

    async def test_time_outs_of_the_application_are_its_own(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            raise TimeoutError("own")

        with pytest.raises(TimeoutError, match=r"^own$"):
            await Client(application).get("/")


class TestResponses:
    async def test_values(self) -> None:
        received = await Client(
            response(
                "é".encode("latin-1"),
                201,
                [(b"content-type", b"text/plain; charset=iso-8859-1"), (b"x", b"y")],
            )
        ).get("/")
        assert (received.status, received.headers["X"], received.text) == (201, "y", "é")
        assert repr(received) == "<Response 201, 1 bytes>"
        assert [message["type"] for message in received.messages] == [
            "http.response.start",
            "http.response.body",
        ]
        assert (len(received.trailers), received.early_hints, received.history) == (0, (), ())

    async def test_json(self) -> None:
        received = await Client(response(b'{"a": 1}')).get("/")
        assert received.json() == {"a": 1}
        assert received.json(type=dict[str, int]) == {"a": 1}
        with pytest.raises(ValidationException):
            received.json(type=list[int])
        with pytest.raises(SerializationException):
            (await Client(response(b"{")).get("/")).json()
        assert (await Client(response("ü".encode())).get("/")).text == "ü"

    async def test_trailers_and_early_hints(self) -> None:
        application = validate(
            sending(
                {"type": "http.response.early_hint", "links": [b"</a>"]},
                {"type": "http.response.early_hint", "links": [b"</b>", b"</c>"]},
                START | {"trailers": True},
                BODY,
                {"type": "http.response.trailers", "headers": [(b"x-a", b"1")], "more_trailers": True},
                {"type": "http.response.trailers", "headers": [(b"x-b", b"2")]},
            )
        )
        extensions: Any = {"http.response.early_hint": {}, "http.response.trailers": {}}
        received = await Client(application, extensions=extensions).get("/")
        assert received.trailers.dict() == {"x-a": ["1"], "x-b": ["2"]}
        assert received.early_hints == (b"</a>", b"</b>", b"</c>")

    async def test_files(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.write_bytes(b"0123456789")
        received = await Client(sending(START, {"type": "http.response.pathsend", "path": str(path)})).get(
            "/"
        )
        assert received.body == b"0123456789"
        copy = {"type": "http.response.zerocopysend"}
        with tempfile.TemporaryFile() as file:
            file.write(b"0123456789")
            file.seek(5)
            messages = [
                copy | {"file": file.fileno(), "offset": 1, "count": 3, "more_body": True},
                copy | {"file": file, "offset": 8, "more_body": True},
                BODY,
            ]
            assert (await Client(sending(START, *messages)).get("/")).body == b"12389a"
            os.lseek(file.fileno(), 7, os.SEEK_SET)
            assert (await Client(sending(START, copy | {"file": file})).get("/")).body == b"789"


class TestStreams:
    async def test_response_in_step_with_the_application(self) -> None:
        sent: list[int] = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            for number in range(10):
                sent.append(number)
                await send(PART | {"body": b"%d" % number})
            await send(BODY | {"body": b""})

        async with Client(validate(application)).stream("GET", "/") as exchange:
            for number in range(10):
                assert await exchange.receive() == b"%d" % number
                assert len(sent) <= number + 3
            assert await exchange.receive() == b""
            assert await exchange.receive() == b""
            assert exchange.complete

    async def test_request_in_step_with_the_application(self) -> None:
        client = Client(validate(receive_all), state={"ended": []})
        async with client.stream("POST", "/", content=b"a", more_body=True) as exchange:
            assert await exchange.receive() == b"a"
            await exchange.send(b"b")
            assert await exchange.receive() == b"b"
            await exchange.send(b"c", more_body=False)
            assert (await exchange.response()).body == b"c"
        assert client.state["ended"] == ["complete"]
        assert "content-length" not in Request(exchange.scope).headers

    async def test_many_chunks_before_the_first_read(self) -> None:
        client = Client(validate(receive_all), state={"ended": []})
        async with client.stream("POST", more_body=True) as exchange:
            for _ in range(20):
                await exchange.send(b"a")
            await exchange.send(b"", more_body=False)
            assert b"".join([chunk async for chunk in exchange]) == b"a" * 20

    async def test_status_and_headers(self) -> None:
        async with Client(receive_all, state={"ended": []}).stream("POST", more_body=True) as exchange:
            with pytest.raises(
                ScriptError, match="expected a started response; the application has not started"
            ):
                exchange.status  # noqa: B018
            await exchange.wait_started()
            assert (exchange.status, len(exchange.headers)) == (200, 0)

    async def test_the_client_leaves_in_the_middle_of_the_body(self) -> None:
        ended = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            try:
                await Request(scope, receive, send).body()
            except ClientDisconnect:
                ended.append(True)

        async with Client(validate(application)).stream("POST", content=b"ab", more_body=True) as exchange:
            await exchange.disconnect()
            assert ended == [True]
            with pytest.raises(ScriptError, match="open request body"):
                await exchange.send(b"c")
        assert [message["type"] for message in exchange.received] == ["http.request", "http.disconnect"]

    async def test_the_client_leaves_before_the_response(self) -> None:
        async def poll(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            assert await receive() == {"type": "http.disconnect"}
            assert await receive() == {"type": "http.disconnect"}
            scope["state"]["ended"].append(True)

        client = Client(validate(poll), state={"ended": []})
        async with client.stream("GET") as exchange:
            await exchange.disconnect()
        async with client.stream("GET"):
            pass
        assert client.state["ended"] == [True, True]

    async def test_leaving_the_block_disconnects(self) -> None:
        state: dict[str, Any] = {}

        async def application(scope: Any, receive: Any, send: Any) -> None:
            scope["state"] = state
            await events(scope, receive, send)

        async with Client(validate(application)).stream("GET") as exchange:
            assert [await exchange.receive() for _ in range(3)] == [b"0", b"1", b"2"]
        assert 3 <= state["stopped"] <= 80

    async def test_an_application_that_ignores_the_disconnect_is_found(self) -> None:
        with pytest.raises(WaitTimeout, match=r"the end of the application after a disconnect within 0.05 s"):
            async with Client(wait_for_ever, timeout=0.05).stream("GET") as exchange:
                await exchange.wait_started()

    async def test_an_application_that_runs_on_after_the_response_is_found(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await response()(scope, receive, send)
            await anyio.sleep_forever()

        with pytest.raises(WaitTimeout, match="the end of the application after a complete response"):
            async with Client(application, timeout=0.02).stream("GET") as exchange:
                assert await exchange.receive() == b""

    async def test_an_exception_is_raised_at_the_call_that_waits(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await send(START)
            await receive()
            raise KeyError("own")

        async with Client(application).stream("POST", more_body=True) as exchange:
            await exchange.wait_started()
            await exchange.send(b"")
            with pytest.raises(KeyError, match="own"):
                await exchange.receive()
        with pytest.raises(KeyError, match="own"):
            async with Client(application).stream("GET") as exchange:
                await exchange.wait_started()

    async def test_an_exception_of_the_test_is_raised_as_it_is(self) -> None:
        ended = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ended.append(True)

        with pytest.raises(ZeroDivisionError):
            async with Client(application).stream("GET"):
                await anyio.wait_all_tasks_blocked()
                raise ZeroDivisionError
        assert ended == [True]

    async def test_a_server_that_answers_500(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            raise KeyError

        async with Client(application, raise_exceptions=False).stream("GET") as exchange:
            await exchange.wait_started()
            assert await exchange.receive() == b""
            assert (await exchange.response()).status == 500

    async def test_the_end_of_an_incomplete_response(self) -> None:
        async with Client(sending(START, PART)).stream("GET") as exchange:
            assert await exchange.receive() == b"a"
            with pytest.raises(
                ScriptError, match="expected a chunk of the response; the application returned"
            ):
                await exchange.receive()

    async def test_send_needs_an_open_body(self) -> None:
        async with Client(echo).stream("POST", content=b"a") as exchange:
            with pytest.raises(ScriptError, match="more_body=True"):
                await exchange.send(b"b")
            assert (await exchange.response()).json()["body"] == "a"

    async def test_an_error_of_send_in_a_group_is_ignored(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(events, scope | {"state": {}}, receive, send)

        async with Client(application).stream("GET") as exchange:
            await exchange.receive()

    async def test_other_errors_after_a_disconnect_are_raised(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await receive()
            raise OSError("own")

        with pytest.raises(OSError, match="own"):
            async with Client(application).stream("GET"):
                pass

    async def test_a_cancelled_test_leaves_nothing_behind(self) -> None:
        ended = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ended.append(True)

        with anyio.move_on_after(0.02):
            await Client(application).get("/")
        assert ended == [True]

    async def test_the_application_may_cancel_itself(self, anyio_backend_name: str) -> None:
        if anyio_backend_name == "trio":
            pytest.skip("a task of trio cannot raise Cancelled itself")
        import asyncio

        async def application(scope: Any, receive: Any, send: Any) -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await Client(application).get("/")

    async def test_an_application_that_ignores_cancellation_is_found(self, anyio_backend_name: str) -> None:
        if anyio_backend_name == "trio":
            pytest.skip("trio waits for its tasks")
        import asyncio

        stop = asyncio.Event()

        async def application(scope: Any, receive: Any, send: Any) -> None:
            while not stop.is_set():
                with suppress(asyncio.CancelledError):
                    await stop.wait()

        with pytest.raises(WaitTimeout, match=r"the end of the cancelled application within 0.02 s"):
            await Client(application, timeout=0.02).get("/")
        stop.set()
        await asyncio.sleep(0.01)


class TestCookies:
    async def test_cookies_are_stored_and_sent(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            cookies = Request(scope).cookies
            visits = int(cookies.get("visits", "0")) + 1
            headers = [
                (b"set-cookie", b"visits=%d; Path=/" % visits),
                (b"set-cookie", b"other=x; Path=/other"),
            ]
            await response(repr(dict(cookies)).encode(), headers=headers)(scope, receive, send)

        client = Client(application)
        assert (await client.get("/")).text == "{}"
        assert (await client.get("/")).text == "{'visits': '1'}"
        assert (await client.get("/other/a")).text == "{'other': 'x', 'visits': '2'}"
        assert (
            await client.get("/", cookies={"visits": "9", "own": "1"})
        ).text == "{'visits': '9', 'own': '1'}"
        assert {cookie.name: cookie.value for cookie in client.cookies} == {"visits": "10", "other": "x"}
        assert (await client.get("http://elsewhere.test/")).text == "{}"

    async def test_cookies_of_the_client(self) -> None:
        client = Client(echo, cookies={"a": "1", "b": "2"})
        assert ["cookie", "a=1; b=2"] in (await client.get("/x")).json()["headers"]
        client.cookies.clear()
        assert "cookie" not in dict((await client.get("/x")).json()["headers"])

    async def test_secure_cookies_need_https(self) -> None:
        application = response(headers=[(b"set-cookie", b"a=1; Secure")])
        for base_url, expected in (("http://test.org", ""), ("https://test.org", "a=1")):
            client = Client(application, base_url)
            await client.get("/")
            async with client.stream("GET") as exchange:
                assert Request(exchange.scope).headers.get("cookie", "") == expected

    async def test_cookies_of_a_streamed_response(self) -> None:
        client = Client(sending(START | {"headers": [(b"set-cookie", b"a=1")]}, PART))
        async with client.stream("GET") as exchange:
            await exchange.wait_started()
            assert [cookie.name for cookie in client.cookies] == ["a"]


async def redirects(scope: Any, receive: Any, send: Any) -> None:
    """``/301/next`` redirects to ``/next`` with 301."""
    status, _, rest = scope["path"].removeprefix("/").partition("/")
    if status.isdigit():
        target = scope["query_string"].decode() or f"/{rest}"
        await response(b"", int(status), [(b"location", target.encode())])(scope, receive, send)
    else:
        await echo(scope, receive, send)


class TestRedirects:
    async def test_redirects_are_followed_on_request(self) -> None:
        received = await Client(redirects).get("/302/a")
        assert (received.status, received.headers["location"]) == (302, "/a")
        received = await Client(redirects).get("/302/301/a", follow_redirects=True)
        assert (received.status, received.json()["path"]) == (200, "/a")
        assert [(step.status, step.url) for step in received.history] == [
            (302, "http://test.org/302/301/a"),
            (301, "http://test.org/301/a"),
        ]
        assert (await Client(redirects, follow_redirects=True).get("/307/a")).status == 200
        assert (
            await Client(redirects, follow_redirects=True).get("/307/a", follow_redirects=False)
        ).status == 307

    @pytest.mark.parametrize(
        ("status", "method", "expected"),
        [
            (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (307, "POST", "POST"),
            (308, "POST", "POST"), (301, "PUT", "PUT"), (303, "PUT", "GET"), (303, "HEAD", "HEAD"),
        ],
    )  # fmt: skip
    async def test_methods(self, status: int, method: str, expected: str) -> None:
        received = await Client(redirects).request(method, f"/{status}/a", json=[1], follow_redirects=True)
        value = msgspec.json.decode(received.messages[1]["body"])
        assert value["method"] == expected
        assert value["body"] == ("" if expected == "GET" else "[1]")
        assert ("content-type" in dict(value["headers"])) is (expected != "GET")

    async def test_relative_locations(self) -> None:
        client = Client(redirects, follow_redirects=True)
        value = (await client.get("/302/a", query_params="../x?c=1")).json()
        assert (value["path"], value["query"]) == ("/x", "c=1")

    async def test_credentials_stay_with_their_origin(self) -> None:
        headers = {"authorization": "Bearer a", "x-a": "1"}
        options: Any = {"headers": headers, "cookies": {"c": "1"}, "follow_redirects": True}
        value = (await Client(redirects).get("/302/a?/b", **options)).json()
        assert {"authorization", "x-a", "cookie"} <= dict(value["headers"]).keys()
        client = Client(redirects, headers={"Authorization": "Basic a", "x-b": "2"})
        value = (await client.get("/302/a?http://other.test/b", **options)).json()
        assert dict(value["headers"]) == {"host": "other.test", "x-b": "2", "x-a": "1"}

    async def test_a_loop_is_an_error(self) -> None:
        application = response(status=302, headers=[(b"location", b"/again")])
        with pytest.raises(ScriptError, match="at most 20 redirects, got one more to '/again'"):
            await Client(application).get("/", follow_redirects=True)

    async def test_a_redirect_without_a_location(self) -> None:
        assert (await Client(response(status=304)).get("/", follow_redirects=True)).status == 304


def lifespan(*, startup: Any = "complete", shutdown: Any = "complete", http: Any = echo) -> Any:
    """An application with a lifespan that records its events."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            scope["state"]["requests"].append(
                scope["state"].setdefault("shared", len(scope["state"]["requests"]))
            )
            await http(scope, receive, send)
            return
        scope["state"].update(requests=[], events=(recorded := scope["state"].get("events", [])))
        for kind, answer in (("startup", startup), ("shutdown", shutdown)):
            message = await receive()
            recorded.append(message["type"])
            if isinstance(answer, Exception):
                raise answer
            await send(
                {"type": f"lifespan.{kind}.{answer}"}
                | ({"message": "no database"} if answer == "failed" else {})
            )
            if answer == "failed":
                return

    return application


class TestLifespan:
    async def test_startup_shutdown_and_state(self) -> None:
        recorded: list[str] = []
        async with Client(validate(lifespan()), state={"events": recorded}) as client:
            assert recorded == ["lifespan.startup"]
            for _ in range(2):
                assert (await client.get("/")).status == 200
            # Each request has a copy; the objects in it are shared.
            assert client.state["requests"] == [0, 1]
            assert "shared" not in client.state
        assert recorded == ["lifespan.startup", "lifespan.shutdown"]

    async def test_a_client_without_a_block_runs_no_lifespan(self) -> None:
        assert (await Client(echo).get("/")).status == 200

    @pytest.mark.parametrize("error", [None, KeyError()], ids=repr)
    async def test_an_application_may_not_support_it(self, error: Exception | None) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            if error is not None:
                raise error

        async with Client(application) as client:
            assert client.state == {}

    async def test_an_exception_after_the_startup_message_is_raised(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            raise KeyError("own")

        with pytest.raises(KeyError, match="own"):
            async with Client(application):
                pytest.fail("the block must not run")

    async def test_a_failed_startup_is_an_error(self) -> None:
        with pytest.raises(ScriptError, match=r"'lifespan.startup.failed': no database"):
            async with Client(lifespan(startup="failed")):
                pytest.fail("the block must not run")

    async def test_a_failed_shutdown_is_an_error(self) -> None:
        with pytest.raises(ScriptError, match=r"'lifespan.shutdown.failed': no database"):
            async with Client(lifespan(shutdown="failed")):
                pass

    async def test_exceptions_are_raised(self) -> None:
        with pytest.raises(KeyError):
            async with Client(lifespan(startup=KeyError())):
                pytest.fail("the block must not run")
        with pytest.raises(KeyError):
            async with Client(lifespan(shutdown=KeyError())):
                pass

    async def test_time_outs(self) -> None:
        async def hang_at(message: str, scope: Any, receive: Any, send: Any) -> None:
            while (await receive())["type"] != message:
                await send({"type": "lifespan.startup.complete"})
            await anyio.sleep_forever()

        for message, problem in (("startup", "the end of the startup"), ("shutdown", "after its shutdown")):

            async def application(
                scope: Any, receive: Any, send: Any, at: str = f"lifespan.{message}"
            ) -> None:
                await hang_at(at, scope, receive, send)

            with pytest.raises(WaitTimeout, match=f"{problem} within 0.02 s"):
                async with Client(application, timeout=0.02):
                    pass

    async def test_a_request_of_an_application_that_knows_only_http(self) -> None:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send(START)

        with pytest.raises(SpecificationError, match=r"'http.response.start' of the application"):
            async with Client(application):
                pytest.fail("the block must not run")

    async def test_an_exception_of_the_test_is_raised_as_it_is(self) -> None:
        recorded: list[str] = []
        with pytest.raises(ZeroDivisionError):
            async with Client(lifespan(), state={"events": recorded}):
                raise ZeroDivisionError
        assert recorded == ["lifespan.startup"]


def test_import_loads_no_event_loop_and_no_jar() -> None:
    code = "import sys, asgiwire.testing; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    loaded = set(result.stdout.split())
    assert "asgiwire.testing" in loaded
    assert loaded.isdisjoint(
        {"asyncio", "trio", "http.cookiejar", "urllib.request", "email.message", "difflib"}
    )


def test_the_module_of_the_cookies_has_no_other_lazy_name() -> None:
    from asgiwire.testing import _cookies

    with pytest.raises(AttributeError, match="has no attribute 'Jar'"):
        _cookies.Jar  # noqa: B018


def test_type_hints_can_be_evaluated() -> None:
    for method in (
        Client.__init__,
        Client.get,
        Client.stream,
        Client.websocket,
        Client.__aexit__,
        Exchange.receive,
    ):
        assert get_type_hints(method)
    assert get_type_hints(Client.cookies.fget)["return"].__name__ == "CookieJar"
    assert get_type_hints(Response.json)
