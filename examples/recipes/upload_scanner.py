"""Two middleware that reject an upload with a virus: in flight, or before it is passed on."""

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientDisconnect, ClientException
from asgiwire.sending import send_response
from asgiwire.types import ASGIApp, Message, Receive, Scope, Send

MAX_SIZE = 100_000_000  # bytes
SIGNATURE = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"  # a part of the file with which virus scanners are tested
INFECTED = 422, b"the upload contains a virus", {"content-type": "text/plain"}


class Scanner:
    """Searches one body for the signature, also across the border of two chunks."""

    def __init__(self) -> None:
        self.infected = False
        self.tail = b""

    def feed(self, chunk: bytes) -> None:
        """Scan the next chunk."""
        window = self.tail + chunk
        self.infected = self.infected or SIGNATURE in window
        self.tail = window[-len(SIGNATURE) + 1 :]


class ScanInFlight:
    """Passes each chunk on as soon as it is scanned. Nothing is buffered.

    After an infected chunk, the application receives a disconnect in its place, and its response is dropped.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with a body that ends at the first infected chunk."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scanner, started = Scanner(), False
        # Without a limit here: the limit of the application counts the same bytes.
        body = Request(scope, receive, send).tee(scanner.feed, limits=Limits(max_body_size=None))

        async def receive_scanned() -> Message:
            message: Message = await body()
            return {"type": "http.disconnect"} if scanner.infected else message

        async def send_if_clean(message: Message) -> None:
            nonlocal started
            if not scanner.infected:
                started = True
                await send(message)

        try:
            await self.app(scope, receive_scanned, send_if_clean)
        except Exception:
            if not scanner.infected:  # otherwise the application failed because of the disconnect
                raise
        if scanner.infected and not started:
            await send_response(send, *INFECTED)


class ScanFirst:
    """Scans the whole body before the application is called. A body over 1 MiB is buffered on disk."""

    limits = Limits(max_body_size=MAX_SIZE)

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application only with a clean body."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request, scanner = Request(scope, receive, send), Scanner()
        try:
            await request.buffer(limits=self.limits)
            async for chunk in request.stream(limits=self.limits):
                scanner.feed(chunk)
        except ClientException as error:
            return await send_response(send, error.status_code, error.detail.encode(), error.headers)
        except ClientDisconnect:
            return None
        if scanner.infected:
            return await send_response(send, *INFECTED)
        return await self.app(scope, request.replay, send)


async def store(scope: Scope, receive: Receive, send: Send) -> None:
    """Count the bytes of an upload, as an example of an application of any framework."""
    size = 0
    try:
        async for chunk in Request(scope, receive, send).stream(limits=Limits(max_body_size=MAX_SIZE)):
            size += len(chunk)
        await send_response(send, 201, b"stored %d bytes" % size, {"content-type": "text/plain"})
    except ClientException as error:
        await send_response(send, error.status_code, error.detail.encode(), error.headers)
    except ClientDisconnect:
        pass  # delete what is stored of an incomplete upload


in_flight, first = ScanInFlight(store), ScanFirst(store)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Scan in flight under ``/in-flight``, and first under every other path."""
    scanned = in_flight if scope.get("path") == "/in-flight" else first
    await scanned(scope, receive, send)
