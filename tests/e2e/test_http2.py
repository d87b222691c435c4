"""What only HTTP/2 can do: a Cookie in several fields, and server push."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h2.events
import pytest

from .app import LIMIT
from .clients import HTTP2Connection
from .servers import HTTP1, HTTP2, each

if TYPE_CHECKING:
    import httpx

    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


@each(HTTP2)
def test_a_cookie_split_over_several_fields(server: Running) -> None:
    """RFC 9113 section 8.2.3; what a browser does, so that each cookie compresses by itself."""
    cookies: list[tuple[str | bytes, str | bytes]] = [
        ("cookie", "a=1"),
        ("x-between", "yes"),
        ("cookie", "b=2"),
        ("cookie", "c=3; d=4"),
    ]
    with HTTP2Connection(server) as client:
        status, body = client.read_answer(client.begin("GET", "/inspect", cookies, end=True))
    assert status == 200
    assert json.loads(body)["cookies"] == {"a": "1", "b": "2", "c": "3", "d": "4"}


@each(HTTP2)
def test_authority_is_the_host(server: Running) -> None:
    with HTTP2Connection(server) as client:
        _, body = client.read_answer(client.begin("GET", "/inspect?x=1", [], end=True))
    assert json.loads(body)["url"] == f"{server.base_url}/inspect?x=1"


@each(HTTP2)
def test_requests_at_once_on_one_connection(server: Running) -> None:
    """Bodies that come in turns: no request gets a piece of another one's."""
    with HTTP2Connection(server) as client:
        streams = [client.begin("POST", "/json", [], end=False) for _ in range(5)]
        for piece in (b'"', b"%d", b"%d", b'"'):
            for stream in streams:
                client.send(stream, piece % stream if b"%" in piece else piece)
        for stream in streams:
            client.send_last(stream, b"")
        answers = [client.read_answer(stream) for stream in streams]
    assert answers == [(200, b'"%d%d"' % (stream, stream)) for stream in streams]


@each(HTTP2)
@pytest.mark.parametrize("how", ["body", "stream"])
def test_a_body_whose_last_byte_is_over_the_limit_is_413(server: Running, how: str) -> None:
    with HTTP2Connection(server) as client:
        stream = client.begin("POST", f"/limited?how={how}", [], end=False)
        client.send(stream, b"x" * LIMIT)
        client.send_last(stream, b"x")
        status, body = client.read_answer(stream)
    assert status == 413
    assert b"max_body_size" in body


@each(HTTP2)
def test_a_push_promise_reaches_the_client(server: Running) -> None:
    server.require("push")
    headers: list[tuple[str | bytes, str | bytes]] = [
        ("accept-language", "de"),
        ("user-agent", "e2e"),
        ("authorization", "secret"),
    ]
    with HTTP2Connection(server) as client:
        stream = client.begin("GET", "/push", headers, end=True)
        status, body = client.read_answer(stream)
        promises: list[Any] = [it for it in client.events if isinstance(it, h2.events.PushedStreamReceived)]
        first = dict(promises[0].headers)
        pushed_status, pushed = client.read_answer(promises[0].pushed_stream_id)
    assert (status, json.loads(body)) == (200, {"supported": True, "warnings": [], "error": None})
    assert [dict(it.headers)[b":path"] for it in promises] == [b"/inspect/%C3%A9?pushed=1", b"/inspect"]
    assert first[b"accept-language"] == b"de"
    assert first[b"user-agent"] == b"e2e"
    assert b"authorization" not in first
    # The promise is kept: the server has asked the application for what was pushed.
    assert pushed_status == 200
    assert json.loads(pushed)["url"] == f"{server.base_url}/inspect/%C3%A9?pushed=1"


@each(HTTP2)
def test_a_client_that_wants_no_push_gets_none(server: Running) -> None:
    server.require("push")
    with HTTP2Connection(server, push=False) as client:
        stream = client.begin("GET", "/push", [], end=True)
        assert client.read_answer(stream)[0] == 200
        assert not [it for it in client.events if isinstance(it, h2.events.PushedStreamReceived)]


@each({name: server for name, server in (HTTP1 | HTTP2).items() if "push" in server.cannot})
def test_without_push_there_is_a_warning_or_an_error(client: httpx.Client) -> None:
    seen = client.get("/push").json()
    assert seen["supported"] is False
    assert seen["error"] == "ImproperlyConfiguredException"
    (warning,) = seen["warnings"]
    assert warning.startswith("AsgiwireWarning: ")
    assert "http.response.push" in warning
