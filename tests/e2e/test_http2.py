"""HTTP/2 on real servers: split Cookie fields, multiplexed bodies and server push."""

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
def test_cookie_split_into_several_fields(server: Running) -> None:
    """RFC 9113 section 8.2.3: browsers split the field, so that each cookie is compressed separately."""
    cookies: list[tuple[str | bytes, str | bytes]] = [
        ("cookie", "a=1"),
        ("x-between", "yes"),
        ("cookie", "b=2"),
        ("cookie", "c=3; d=4"),
    ]
    with HTTP2Connection(server) as client:
        status, body = client.read_response(client.begin("GET", "/inspect", cookies, end=True))
    assert status == 200
    assert json.loads(body)["cookies"] == {"a": "1", "b": "2", "c": "3", "d": "4"}


@each(HTTP2)
def test_authority_is_the_host_of_the_url(server: Running) -> None:
    with HTTP2Connection(server) as client:
        _, body = client.read_response(client.begin("GET", "/inspect?x=1", [], end=True))
    assert json.loads(body)["url"] == f"{server.base_url}/inspect?x=1"


@each(HTTP2)
def test_concurrent_requests_on_one_connection(server: Running) -> None:
    """The chunks of five bodies alternate on the connection."""
    with HTTP2Connection(server) as client:
        streams = [client.begin("POST", "/json", [], end=False) for _ in range(5)]
        for chunk in (b'"', b"%d", b"%d", b'"'):
            for stream in streams:
                client.send(stream, chunk % stream if b"%" in chunk else chunk)
        for stream in streams:
            client.send_last(stream, b"")
        responses = [client.read_response(stream) for stream in streams]
    assert responses == [(200, b'"%d%d"' % (stream, stream)) for stream in streams]


@each(HTTP2)
@pytest.mark.parametrize("how", ["body", "stream"])
def test_body_with_its_last_byte_over_the_limit_is_413(server: Running, how: str) -> None:
    with HTTP2Connection(server) as client:
        stream = client.begin("POST", f"/limited?how={how}", [], end=False)
        client.send(stream, b"x" * LIMIT)
        client.send_last(stream, b"x")
        status, body = client.read_response(stream)
    assert status == 413
    assert b"max_body_size" in body


@each(HTTP2)
def test_push_promise_reaches_the_client(server: Running) -> None:
    server.require("push")
    headers: list[tuple[str | bytes, str | bytes]] = [
        ("accept-language", "de"),
        ("user-agent", "e2e"),
        ("authorization", "secret"),
    ]
    with HTTP2Connection(server) as client:
        stream = client.begin("GET", "/push", headers, end=True)
        status, body = client.read_response(stream)
        promises: list[Any] = [
            event for event in client.events if isinstance(event, h2.events.PushedStreamReceived)
        ]
        first = dict(promises[0].headers)
        pushed_status, pushed = client.read_response(promises[0].pushed_stream_id)
    assert (status, json.loads(body)) == (200, {"supported": True, "warnings": [], "error": None})
    assert [dict(event.headers)[b":path"] for event in promises] == [b"/inspect/%C3%A9?pushed=1", b"/inspect"]
    assert first[b"accept-language"] == b"de"
    assert first[b"user-agent"] == b"e2e"
    assert b"authorization" not in first
    # The server has requested the pushed resource from the application.
    assert pushed_status == 200
    assert json.loads(pushed)["url"] == f"{server.base_url}/inspect/%C3%A9?pushed=1"


@each(HTTP2)
def test_client_that_disables_push_receives_none(server: Running) -> None:
    server.require("push")
    with HTTP2Connection(server, push=False) as client:
        stream = client.begin("GET", "/push", [], end=True)
        assert client.read_response(stream)[0] == 200
        assert not [event for event in client.events if isinstance(event, h2.events.PushedStreamReceived)]


@each({name: server for name, server in (HTTP1 | HTTP2).items() if "push" in server.cannot})
def test_server_without_push_warns_or_raises(client: httpx.Client) -> None:
    seen = client.get("/push").json()
    assert seen["supported"] is False
    assert seen["error"] == "ImproperlyConfiguredException"
    (warning,) = seen["warnings"]
    assert warning.startswith("AsgiwireWarning: ")
    assert "http.response.push" in warning
