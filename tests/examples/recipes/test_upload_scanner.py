"""The upload scanner on real servers: clean, infected, too large and incomplete uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from asgiwire.sending import send_response
from asgiwire.testing import RecordedSend, ScriptedReceive, http_scope, lifespan_scope
from examples.recipes.upload_scanner import SIGNATURE, ScanFirst, ScanInFlight

pytest.importorskip("h2", reason="needs h2")

from tests.e2e.clients import RawHTTP

from .servers_streaming import BOTH, RunningProgram, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asgiwire.types import Receive, Scope, Send


pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

PATHS = ["/in-flight", "/first"]


@pytest.fixture(scope="module", params=BOTH)
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProgram]:
    folder = tmp_path_factory.mktemp("upload_scanner")
    with run_program("upload_scanner", folder, request.param) as program:
        yield program


@pytest.fixture
def client(program: RunningProgram) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=program.url, trust_env=False, timeout=10) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
def test_a_clean_upload_is_stored(client: httpx.Client, path: str) -> None:
    response = client.put(path, content=bytes(2_000_000))
    assert (response.status_code, response.text) == (201, "stored 2000000 bytes")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("position", [0, 1_500_000])
def test_an_infected_upload_is_rejected(client: httpx.Client, path: str, position: int) -> None:
    response = client.post(path, files={"file": ("x.bin", bytes(position) + SIGNATURE + b"tail")})
    assert (response.status_code, response.text) == (422, "the upload contains a virus")


@pytest.mark.parametrize("path", PATHS)
def test_a_signature_across_chunks_is_found(program: RunningProgram, path: str) -> None:
    with RawHTTP(program) as raw:
        raw.send_head(b"PUT %b HTTP/1.1" % path.encode(), b"content-length: %d" % len(SIGNATURE))
        for byte in SIGNATURE[:-1]:
            raw.socket.sendall(bytes([byte]))
        raw.socket.sendall(SIGNATURE[-1:])
        assert raw.read_response().startswith(b"HTTP/1.1 422")


@pytest.mark.parametrize("path", PATHS)
def test_an_upload_that_is_too_large_is_rejected(program: RunningProgram, path: str) -> None:
    with RawHTTP(program) as raw:
        raw.send_head(b"PUT %b HTTP/1.1" % path.encode(), b"content-length: 100000001")
        assert raw.read_response().startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("path", PATHS)
def test_a_client_that_disconnects_leaves_no_traceback(
    program: RunningProgram, client: httpx.Client, path: str
) -> None:
    with RawHTTP(program) as raw:
        raw.send_head(b"PUT %b HTTP/1.1" % path.encode(), b"content-length: 100")
        raw.socket.sendall(b"half")
    assert client.put(path, content=b"tea").status_code == 201
    assert "Traceback" not in program.output()


def body(*chunks: bytes) -> ScriptedReceive:
    return ScriptedReceive(*({"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks))


@pytest.mark.anyio
async def test_in_flight_the_application_receives_a_disconnect_in_place_of_the_virus() -> None:
    received: list[Any] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "http.request":
            received.append(message["body"])
        received.append(message["type"])
        await send_response(send, 500, b"the client disconnected")
        raise RuntimeError

    sent = RecordedSend()
    await ScanInFlight(application)(http_scope("PUT"), body(b"clean", SIGNATURE, b"rest"), sent)
    assert received == [b"clean", "http.disconnect"]
    assert [message.get("status") for message in sent.messages] == [422, None]


@pytest.mark.anyio
async def test_in_flight_an_exception_of_the_application_propagates() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise RuntimeError("of the application")

    with pytest.raises(RuntimeError, match="of the application"):
        await ScanInFlight(application)(http_scope("PUT"), body(b"clean"), RecordedSend())


@pytest.mark.anyio
async def test_first_the_application_is_not_called_with_a_virus() -> None:
    async def application(*_: Any) -> None:
        pytest.fail("the application was called")

    receive = ScriptedReceive.body(b"clean" + SIGNATURE)
    await ScanFirst(application)(http_scope("PUT"), receive, sent := RecordedSend())
    assert sent.messages[0]["status"] == 422


@pytest.mark.anyio
@pytest.mark.parametrize("middleware", [ScanInFlight, ScanFirst])
async def test_the_lifespan_is_passed_on(middleware: Any) -> None:
    received: list[Any] = []

    async def application(*arguments: Any) -> None:
        received.extend(arguments)

    arguments = [lifespan_scope(), ScriptedReceive(), RecordedSend()]
    await middleware(application)(*arguments)
    assert list(map(id, received)) == list(map(id, arguments))
