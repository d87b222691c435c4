"""python-multipart alone, with callbacks that do nothing: what a form costs before anybody has a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from python_multipart.multipart import MultipartParser

from .raw.forms import boundary

if TYPE_CHECKING:
    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "python-multipart"
READS_NOTHING = True


def nothing() -> None:
    """What python-multipart calls where something begins or ends."""


def no_data(data: bytes, start: int, end: int) -> None:
    """What python-multipart calls where there is something to be had."""


CALLBACKS = dict.fromkeys(("on_part_begin", "on_part_end", "on_header_end", "on_headers_finished"), nothing)
CALLBACKS |= dict.fromkeys(("on_header_field", "on_header_value", "on_part_data"), no_data)


async def multipart_stream(scope: Scope, receive: Receive, send: Send) -> None:
    parser = MultipartParser(boundary(scope), dict(CALLBACKS))
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        parser.write(message["body"])
        if not message["more_body"]:
            break
    parser.finalize()


multipart_fields = multipart_many = multipart_file = multipart_files = multipart_stream
