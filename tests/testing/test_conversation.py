"""``Conversation``: a WebSocket client in step with the application."""

from __future__ import annotations

from typing import Any, get_type_hints

import anyio
import pytest

from asgiwire import WebSocket
from asgiwire.exceptions import SerializationException, ValidationException, WebSocketDisconnect
from asgiwire.testing import Client, Conversation, ScriptError, SpecificationError, WaitTimeout, validate

pytestmark = pytest.mark.anyio


async def echo(scope: Any, receive: Any, send: Any) -> None:
    async with WebSocket(scope, receive, send) as socket:
        async for message in socket:
            await (socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message))


def scripted(*steps: Any) -> Any:
    """Make an application that receives the handshake, and sends messages; an exception is raised."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert await receive() == {"type": "websocket.connect"}
        for step in steps:
            if isinstance(step, Exception):
                raise step
            if step == "receive":
                await receive()
            elif step == "hang":
                await anyio.sleep_forever()
            else:
                await send(step)

    return application


ACCEPT: dict[str, Any] = {"type": "websocket.accept"}
CLOSE: dict[str, Any] = {"type": "websocket.close"}


def text(content: str) -> dict[str, Any]:
    return {"type": "websocket.send", "text": content}


def talk_to(application: Any, **options: Any) -> Conversation:
    return Client(application, timeout=0.5).websocket("/talk", **options)


class TestMessages:
    async def test_text_bytes_and_json(self) -> None:
        async with talk_to(validate(echo)) as talk:
            assert (talk.accepted, talk.status, talk.subprotocol, talk.close_code) == (True, 101, None, None)
            await talk.send_text("ü")
            assert await talk.receive_text() == "ü"
            await talk.send_bytes(b"a")
            assert await talk.receive_bytes() == b"a"
            await talk.send_json({"a": [1, None]})
            assert await talk.receive_json() == {"a": [1, None]}
            await talk.send_json([1], mode="binary")
            assert await talk.receive_json(type=list[int]) == [1]
            await talk.send_text("")
            assert await talk.receive() == ""
            await talk.send_bytes(b"")
            assert await talk.receive() == b""
        assert talk.close_code == 1000
        assert talk.received[-1] == {"type": "websocket.disconnect", "code": 1000, "reason": ""}

    async def test_the_wrong_kind_is_an_error_without_contents(self) -> None:
        async with talk_to(echo) as talk:
            await talk.send_text("abc")
            with pytest.raises(
                ScriptError, match=r"expected a binary message, got a text one of 3 characters"
            ):
                await talk.receive_bytes()
            await talk.send_bytes(b"abcd")
            with pytest.raises(ScriptError, match="expected a text message, got a binary one of 4 bytes"):
                await talk.receive_text()

    async def test_invalid_json(self) -> None:
        async with talk_to(echo) as talk:
            await talk.send_text("{")
            with pytest.raises(SerializationException):
                await talk.receive_json()
            await talk.send_text("[]")
            with pytest.raises(ValidationException):
                await talk.receive_json(type=dict[str, int])

    async def test_iteration_ends_with_the_close(self) -> None:
        async with talk_to(validate(scripted(ACCEPT, text("a"), text("b"), CLOSE))) as talk:
            assert [message async for message in talk] == ["a", "b"]
            assert (talk.close_code, talk.close_reason) == (1000, "")

    async def test_many_messages_before_the_first_read(self) -> None:
        async with talk_to(echo) as talk:
            for number in range(100):
                await talk.send_text(str(number))
            assert [await talk.receive_text() for _ in range(100)] == [str(number) for number in range(100)]

    async def test_an_application_that_only_sends_waits_for_the_test(self) -> None:
        sent = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send(ACCEPT)
            while True:
                await send(text(str(len(sent))))
                sent.append(True)

        async with talk_to(application) as talk:
            for number in range(200):
                assert await talk.receive_text() == str(number)
                assert len(sent) < number + 70


class TestHandshake:
    async def test_the_scope(self) -> None:
        seen: dict[str, Any] = {}

        async def application(scope: Any, receive: Any, send: Any) -> None:
            seen.update(scope)
            await scripted(CLOSE)(scope, receive, send)

        client = Client(validate(application), "https://shop.test", headers={"x-a": "1"}, cookies={"c": "1"})
        async with client.websocket(
            "/talk?a=1", subprotocols=["chat", "log"], user="ada", query_params={"b": 2}
        ):
            pass
        assert (seen["type"], seen["scheme"], seen["path"], seen["query_string"]) == (
            "websocket", "wss", "/talk", b"a=1&b=2",
        )  # fmt: skip
        assert (seen["server"], seen["user"], seen["subprotocols"]) == (
            ("shop.test", 443),
            "ada",
            ["chat", "log"],
        )
        assert seen["headers"] == [
            (b"host", b"shop.test"),
            (b"x-a", b"1"),
            (b"sec-websocket-protocol", b"chat, log"),
            (b"cookie", b"c=1"),
        ]
        assert seen["extensions"] == {"websocket.http.response": {}}

    async def test_subprotocol_and_headers(self) -> None:
        headers = [(b"x-a", b"1"), (b"set-cookie", b"c=2")]
        client = Client(validate(scripted(ACCEPT | {"subprotocol": "chat", "headers": headers}, "receive")))
        async with client.websocket("/", subprotocols=["chat"]) as talk:
            assert (talk.subprotocol, talk.headers["x-a"]) == ("chat", "1")
        assert [(cookie.name, cookie.value) for cookie in client.cookies] == [("c", "2")]

    @pytest.mark.parametrize("code", [None, 4000])
    async def test_close_before_accept_is_a_403(self, code: int | None) -> None:
        close = CLOSE if code is None else CLOSE | {"code": code}
        async with talk_to(validate(scripted(close, "receive"))) as talk:
            assert (talk.accepted, talk.status, talk.body, len(talk.headers)) == (False, 403, b"", 0)
            for call in (
                talk.receive_text,
                talk.receive,
                lambda: talk.send_text("a"),
                lambda: talk.send_bytes(b""),
            ):
                with pytest.raises(ScriptError, match="the application denied the handshake with status 403"):
                    await call()
            await talk.close()
        assert talk.received[-1]["code"] == 1006

    async def test_denial_response(self) -> None:
        start = {"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-a", b"1")]}
        body = {"type": "websocket.http.response.body", "body": b"a", "more_body": True}
        application = validate(scripted(start, body, body | {"more_body": False}, "receive"))
        async with talk_to(application) as talk:
            assert (talk.accepted, talk.status, talk.headers["x-a"], talk.body) == (False, 401, "1", b"aa")
            assert talk.close_code is None

    async def test_servers_without_the_denial_response(self) -> None:
        client = Client(validate(scripted(CLOSE)), extensions={})
        async with client.websocket("/") as talk:
            assert talk.scope["extensions"] == {}

    async def test_no_answer(self) -> None:
        with pytest.raises(
            ScriptError, match="expected an answer to the handshake; the application returned"
        ):
            async with talk_to(scripted()):
                pytest.fail("the block must not run")
        with pytest.raises(
            WaitTimeout, match=r"an answer to the handshake within 0.02 s; .* scripted.<locals>"
        ):
            async with talk_to(scripted("hang"), timeout=0.02):
                pytest.fail("the block must not run")

    async def test_an_exception_is_raised(self) -> None:
        with pytest.raises(KeyError, match="own"):
            async with talk_to(scripted(KeyError("own"))):
                pytest.fail("the block must not run")

    async def test_a_server_answers_500_to_an_exception(self) -> None:
        async with Client(scripted(KeyError()), raise_exceptions=False).websocket("/") as talk:
            assert (talk.accepted, talk.status) == (False, 500)

    @pytest.mark.parametrize("steps", [[text("a")], [ACCEPT, ACCEPT], [ACCEPT, CLOSE, text("a")]])
    async def test_a_message_in_the_wrong_order_is_an_error_in_the_application(
        self, steps: list[Any]
    ) -> None:
        with pytest.raises(SpecificationError, match="expected another message"):
            async with talk_to(scripted(*steps)) as talk:
                await talk.wait_closed()


class TestEnd:
    async def test_the_application_closes(self) -> None:
        async with talk_to(
            validate(scripted(ACCEPT, CLOSE | {"code": 3000, "reason": "done"}, "receive"))
        ) as talk:
            assert await talk.wait_closed() == 3000
            assert talk.close_reason == "done"
            with pytest.raises(
                WebSocketDisconnect, match=r"expected a text message, .* \(code 3000, reason 'done'\)"
            ):
                await talk.receive_text()
            with pytest.raises(WebSocketDisconnect):
                await talk.send_text("a")
            await talk.close(1000)
        assert talk.close_code == 3000
        assert talk.received[-1] == {"type": "websocket.disconnect", "code": 3000, "reason": "done"}

    async def test_messages_before_the_close_can_be_read(self) -> None:
        async with talk_to(scripted(ACCEPT, text("a"), CLOSE)) as talk:
            await talk.wait_closed()
            assert await talk.receive_text() == "a"

    async def test_the_client_closes_with_a_code(self) -> None:
        ended = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            socket = WebSocket(scope, receive, send)
            assert [message async for message in socket] == ["a"]
            ended.append((socket.close_code, socket.close_reason))

        async with talk_to(validate(application)) as talk:
            await talk.send_text("a")
            await talk.close(3001, "bye")
            assert ended == [(3001, "bye")]
            assert (talk.close_code, talk.close_reason) == (3001, "bye")
            with pytest.raises(WebSocketDisconnect):
                await talk.receive()

    async def test_send_fails_after_the_client_left(self) -> None:
        errors = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await scripted(ACCEPT)(scope, receive, send)
            try:
                while True:
                    await send(text("a"))
                    await anyio.sleep(0.001)
            except OSError as error:
                errors.append(error)
                raise

        async with talk_to(application) as talk:
            assert await talk.receive_text() == "a"
        assert len(errors) == 1

    async def test_answers_to_the_last_messages_are_lost_without_an_error(self) -> None:
        received = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            async with WebSocket(scope, receive, send) as socket:
                async for message in socket:
                    received.append(message)
                    await socket.send_text("answer")

        async with talk_to(application) as talk:
            for number in range(3):
                await talk.send_text(str(number))
        assert received == ["0", "1", "2"]

    async def test_the_application_must_return(self) -> None:
        with pytest.raises(WaitTimeout, match=r"the end of the application after a close within 0.02 s"):
            async with talk_to(scripted(ACCEPT, "hang"), timeout=0.02):
                pass

    async def test_the_application_returns_without_closing(self) -> None:
        async with talk_to(scripted(ACCEPT)) as talk:
            with pytest.raises(
                ScriptError, match="expected a message; the application returned; it received"
            ):
                await talk.receive()
            with pytest.raises(
                ScriptError, match="expected the close of the WebSocket; the application returned"
            ):
                await talk.wait_closed()

    async def test_receive_after_the_disconnect_is_an_error(self) -> None:
        with pytest.raises(ScriptError, match=r"expected no call of receive after 'websocket.disconnect'"):
            async with talk_to(scripted(ACCEPT, "receive", "receive")):
                pass


class TestErrors:
    async def test_an_exception_is_raised_at_the_call_that_waits(self) -> None:
        async with talk_to(scripted(ACCEPT, text("a"), "receive", KeyError("own"))) as talk:
            assert await talk.receive_text() == "a"
            await talk.send_text("b")
            with pytest.raises(KeyError, match="own"):
                await talk.receive_text()
        with pytest.raises(KeyError, match="own"):
            async with talk_to(scripted(ACCEPT, "receive", KeyError("own"))):
                pass

    async def test_a_time_out_says_what_was_awaited(self) -> None:
        async with talk_to(validate(echo)) as talk:
            await talk.send_text("secret")
            assert await talk.receive_text() == "secret"
            with pytest.raises(WaitTimeout) as caught:
                await talk.receive_json(timeout=0.02)
            detail = str(caught.value)
            assert detail.startswith("expected a JSON message within 0.02 s; the application waits in echo (")
            assert "it received: websocket.connect, websocket.receive (text of 6 characters)" in detail
            assert "it sent: websocket.accept, websocket.send (text of 6 characters)" in detail
            assert "secret" not in detail

    async def test_a_failing_test_cancels_the_application(self) -> None:
        ended = []

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await scripted(ACCEPT)(scope, receive, send)
            try:
                await anyio.sleep_forever()
            finally:
                ended.append(True)

        with pytest.raises(AssertionError, match=r"^own"):
            async with talk_to(application):
                raise AssertionError("own")
        assert ended == [True]

    async def test_two_conversations_at_once(self) -> None:
        members: list[WebSocket] = []

        async def room(scope: Any, receive: Any, send: Any) -> None:
            async with WebSocket(scope, receive, send) as socket:
                await socket.accept()
                members.append(socket)
                async for message in socket:
                    for member in members:
                        await member.send_text(str(message))

        client = Client(room)
        async with client.websocket("/") as anna, client.websocket("/") as bob:
            await anna.send_text("hello")
            assert [await anna.receive_text(), await bob.receive_text()] == ["hello", "hello"]


def test_type_hints_can_be_evaluated() -> None:
    for method in (
        Conversation.receive_json,
        Conversation.close,
        Conversation.send_json,
        Conversation.__aexit__,
    ):
        assert get_type_hints(method)
