"""Conditional requests: 304 for an unchanged document, 412 for a lost update."""

from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256

from asgiwire import Request
from asgiwire.exceptions import ClientDisconnect, ClientException
from asgiwire.sending import send_response
from asgiwire.types import Receive, Scope, Send


class Document:
    """A text with its validators: an entity tag, and the time of its last change."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag = f'"{sha256(content).hexdigest()[:32]}"'
        self.modified = datetime.now(UTC).replace(microsecond=0)  # as in HTTP dates

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a 200 and a 304. With ``no-cache``, caches revalidate before each use."""
        modified = format_datetime(self.modified, usegmt=True)
        return {"etag": self.etag, "last-modified": modified, "cache-control": "no-cache"}


def failed_precondition(request: Request, document: Document) -> int | None:
    """Return 304 or 412, or ``None`` to continue (RFC 9110 section 13.2.2)."""
    reads = request.method in {"GET", "HEAD"}
    if request.if_match is not None:
        if not request.if_match.matches(document.etag):
            return 412
    elif (since := request.if_unmodified_since) is not None and document.modified > since:
        return 412
    if request.if_none_match is not None:
        if request.if_none_match.matches(document.etag):
            return 304 if reads else 412
    elif (since := request.if_modified_since) is not None and document.modified <= since:
        return 304 if reads else None
    return None


class Notes:
    """An application with one document, which clients read and replace."""

    def __init__(self) -> None:
        self.document = Document(b"buy tea\n")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to GET, HEAD and PUT."""
        request = Request(scope, receive, send)
        try:
            await self.respond(request)
        except ClientException as error:
            body = error.detail.encode()
            await send_response(send, error.status_code, body, error.headers)
        except ClientDisconnect:
            pass  # the client cannot receive a response

    async def respond(self, request: Request) -> None:
        """Check the method and the conditions; read or replace the document."""
        if request.method not in {"GET", "HEAD", "PUT"}:
            allow = {"allow": "GET, HEAD, PUT"}
            raise ClientException("use GET or PUT", status_code=405, headers=allow)
        content = await request.body()
        # No await from here to the replacement, so no other request changes the document.
        document = self.document
        status = failed_precondition(request, document)
        if status is not None:
            return await send_response(request.send, status, headers=document.headers)
        if request.method == "PUT":
            if request.if_match is None:
                raise ClientException("send your ETag in If-Match", status_code=428)
            self.document = new = Document(content)
            return await send_response(request.send, 204, headers={"etag": new.etag})
        body = document.content if request.method == "GET" else b""
        headers = {**document.headers, "content-length": str(len(document.content))}
        return await send_response(request.send, 200, body, headers)


app = Notes()
