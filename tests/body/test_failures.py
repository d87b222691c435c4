"""Failures of a body: each one is stored, and later reads raise it again."""

from __future__ import annotations

import dataclasses
import pickle
import traceback
from typing import TYPE_CHECKING, Any, Self

import anyio
import pytest

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientDisconnect, ClientException, RequestEntityTooLarge
from asgiwire.testing import ScriptedReceive, http_scope
from tests.body.test_reading import READERS, each_reader, read_stream
from tests.receives import DISCONNECT, part

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

pytestmark = pytest.mark.anyio

FORM_TYPE = {"content-type": "multipart/form-data; boundary=B"}


# --- disconnects --------------------------------------------------------------------------------------


@each_reader
@pytest.mark.parametrize(
    "received", [(), (b"--B\r\n",), (b"--B\r\n", b"")], ids=["first message", "second", "after an empty part"]
)
async def test_every_read_after_a_disconnect_raises_it_without_receiving(
    reader: str, received: tuple[bytes, ...]
) -> None:
    """Servers deliver one disconnect and block afterwards, so ``receive`` is not called again."""
    receive = ScriptedReceive(*map(part, received), DISCONNECT)
    request = Request(http_scope(headers=FORM_TYPE), receive)

    with pytest.raises(ClientDisconnect):
        await READERS[reader](request)
    calls = receive.calls
    for read in READERS.values():
        with pytest.raises(ClientDisconnect), anyio.fail_after(1):
            await read(request)
    assert receive.calls == calls
    assert not request.is_connected


async def test_disconnect_after_a_complete_document_is_a_disconnect() -> None:
    receive = ScriptedReceive(part(b"[1]"), DISCONNECT)

    with pytest.raises(ClientDisconnect):
        await Request(http_scope(headers={"content-length": "3"}), receive).json()


async def test_body_shorter_than_content_length_is_accepted() -> None:
    """A middleware that decompresses leaves the header unchanged; only ``more_body`` ends a body."""
    request = Request(http_scope(headers={"content-length": "300"}), ScriptedReceive.body(b"abc"))

    assert await request.body() == b"abc"


async def test_client_disconnect_is_not_an_http_error() -> None:
    assert not issubclass(ClientDisconnect, ClientException)
    assert not hasattr(ClientDisconnect, "status_code")


# --- errors of receive and of the parser --------------------------------------------------------------


async def test_error_of_receive_is_raised_by_every_read() -> None:
    calls = 0

    async def receive() -> Any:
        nonlocal calls
        calls += 1
        raise OSError("socket gone")

    request = Request(http_scope(), receive)
    for _ in range(2):
        with pytest.raises(OSError, match="socket gone"):
            await request.body()
    with pytest.raises(OSError, match="socket gone"):
        await read_stream(request)
    assert calls == 1


async def test_malformed_form_fails_every_later_read() -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"--B\r\nbroken"))

    for reader in ("form", "form", "body"):
        with pytest.raises(ClientException):
            await READERS[reader](request)


async def test_malformed_form_over_a_buffered_body_leaves_the_body_readable() -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"--B\r\nbroken"))
    await request.body()

    for _ in range(2):
        with pytest.raises(ClientException):
            await request.form()
    assert await request.body() == b"--B\r\nbroken"


# --- the exception of a later read --------------------------------------------------------------------


class ServerError(Exception):
    """An exception of a server, with an attribute and a constructor of its own."""

    def __init__(self, message: str, number: int = 0) -> None:
        super().__init__(message)
        self.number = number


async def raise_error(error: Exception) -> Any:
    raise error


class Small(Request):
    limits = Limits(max_body_size=4)


FAILURES: dict[str, Callable[[], Request]] = {
    "disconnect": lambda: Request(http_scope(), ScriptedReceive(DISCONNECT)),
    "declared length": lambda: Small(http_scope(headers={"content-length": "5"}), ScriptedReceive.body(b"")),
    "counted length": lambda: Small(http_scope(), ScriptedReceive.body(b"12345")),
    "message type": lambda: Request(http_scope(), ScriptedReceive({"type": "http.requst"})),
    "OSError": lambda: Request(http_scope(), lambda: raise_error(OSError(104, "connection reset"))),
    "another exception": lambda: Request(http_scope(), lambda: raise_error(ServerError("lost", number=7))),
}
each_failure = pytest.mark.parametrize("make", FAILURES.values(), ids=FAILURES)


async def failure_of(request: Request, reader: str) -> Exception:
    try:
        await READERS[reader](request)
    except Exception as error:
        return error
    pytest.fail("the read did not fail")


@each_failure
@pytest.mark.parametrize("reader", ["body", "stream"])
async def test_later_read_raises_a_new_equal_exception(make: Callable[[], Request], reader: str) -> None:
    request = make()
    first = await failure_of(request, reader)
    for later_reader in ("body", "stream", "json"):
        later = await failure_of(request, later_reader)
        assert type(later) is type(first)
        assert later is not first
        assert str(later) == str(first)
        assert later.args == first.args
        assert vars(later) == vars(first)


@each_failure
async def test_exception_of_a_later_read_has_only_its_own_traceback(make: Callable[[], Request]) -> None:
    """A stored traceback would keep the frames of the first read alive, and its last chunk with them."""
    request = make()
    first = await failure_of(request, "body")
    later = [await failure_of(request, "body") for _ in range(3)]
    lengths = {len(traceback.extract_tb(error.__traceback__)) for error in later}

    assert len(lengths) == 1
    assert first.__traceback__ is not None
    assert all(error.__context__ is None and error.__cause__ is None for error in later)


async def test_size_error_keeps_its_attributes() -> None:
    request = Small(http_scope(), ScriptedReceive.body(b"12345"))
    for error in (await failure_of(request, "body"), await failure_of(request, "body")):
        assert isinstance(error, RequestEntityTooLarge)
        assert (error.limit, error.maximum, error.status_code) == ("max_body_size", 4, 413)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    code: int


class SlottedError(Exception):
    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        self.code = code


class KeywordError(Exception):
    def __new__(cls, *, code: int) -> Self:
        return super().__new__(cls, "code", code)

    def __init__(self, *, code: int) -> None:
        self.code = code


class NotedError(OSError):
    """An ``OSError`` with a constructor of its own."""

    def __init__(self, code: int) -> None:
        super().__init__(code, "text", "file")
        self.code = code


ERRORS: dict[str, Callable[[], Exception]] = {
    "frozen dataclass": lambda: FrozenError(3),
    "slots": lambda: SlottedError(3),
    "keyword-only constructor": lambda: KeywordError(code=3),
    "OSError with a constructor": lambda: NotedError(3),
    "OSError with a file": lambda: FileNotFoundError(2, "text", "file"),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "reason"),
    "ImportError": lambda: ImportError("text", name="module"),
    "ExceptionGroup": lambda: ExceptionGroup("text", [ValueError("one")]),
}


@pytest.mark.parametrize("create", ERRORS.values(), ids=ERRORS)
async def test_each_read_raises_what_receive_raised(create: Callable[[], Exception]) -> None:
    """Whatever its class needs to be copied."""
    expected = create()

    async def receive() -> Any:
        raise create()

    request = Request(http_scope(), receive)
    for _ in range(3):
        with pytest.raises(type(expected)) as caught:
            await request.body()
        error: Any = caught.value
        assert (str(error), repr(error)) == (str(expected), repr(expected))
        for name in ("code", "errno", "filename", "reason", "name"):
            assert getattr(error, name, None) == getattr(expected, name, None)


async def test_notes_of_one_read_are_not_seen_by_the_next() -> None:
    async def receive() -> Any:
        error = ValueError("text")
        error.add_note("from receive")
        raise error

    request = Request(http_scope(), receive)
    for _ in range(3):
        with pytest.raises(ValueError, match="text") as caught:
            await request.body()
        assert caught.value.__notes__ == ["from receive"]
        caught.value.add_note("added by the application")


@pytest.mark.parametrize("reader", ["body", "stream", "multipart"])
async def test_stop_async_iteration_from_receive_does_not_end_the_body(reader: str) -> None:
    async def messages() -> AsyncGenerator[dict[str, Any], None]:
        yield part(b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nhalf of it')

    scope = http_scope(headers={"content-type": "multipart/form-data; boundary=B"})
    request = Request(scope, messages().__anext__)

    async def read() -> None:
        if reader == "body":
            await request.body()
        elif reader == "stream":
            async for _ in request.stream():
                pass
        else:
            async for field in request.multipart():
                await field.read()

    with pytest.raises(RuntimeError, match="StopAsyncIteration"):
        await read()


async def test_client_disconnect_raised_by_receive_is_a_disconnect() -> None:
    async def receive() -> Any:
        raise ClientDisconnect

    request = Request(http_scope(), receive)
    replay = request.replay
    assert await replay() == DISCONNECT
    assert await replay() == DISCONNECT
    assert await request.is_disconnected()
    assert not request.is_connected
