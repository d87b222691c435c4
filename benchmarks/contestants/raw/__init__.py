"""What an application has to do at least: hand-written for each row, without a framework.

Each function knows what the row wants and does nothing else, but it does it right for any input: escapes are
decoded, the body may come in any pieces, a client that leaves is an error, a large file goes to disk outside
the event loop. Of the ways to write each, this is the fastest that was found: a query, cookies and a
urlencoded form, for one, were tried as a loop, as a list of ``split``, as a regular expression, and rewritten
as JSON for msgspec.
"""

from .bodies import body, json_large, json_small, json_typed, stream, two_requests, urlencoded
from .forms import (
    multipart_fields,
    multipart_file,
    multipart_files,
    multipart_many,
    multipart_stream,
    pairs,
)
from .heads import construct, content_type, cookies, one_header, query, three_headers, typical, url
from .sockets import websocket_json, websocket_texts

__all__ = (
    "DISTRIBUTION",
    "body",
    "construct",
    "content_type",
    "cookies",
    "json_large",
    "json_small",
    "json_typed",
    "multipart_fields",
    "multipart_file",
    "multipart_files",
    "multipart_many",
    "multipart_stream",
    "one_header",
    "pairs",
    "query",
    "stream",
    "three_headers",
    "two_requests",
    "typical",
    "url",
    "urlencoded",
    "websocket_json",
    "websocket_texts",
)

DISTRIBUTION = "multidict"
