"""The keys of every scope and message in the ASGI specification, with the rules for their values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from asgiwire._parsers.header_fields import CONTROLS, TOKEN

Rule: TypeAlias = Callable[[Any], str]
"""Returns the problem with a value, such as ``"expected bytes, got str"``, or ``""``."""


class Key(NamedTuple):
    """One key of a scope or message.

    Attributes:
        name: The key.
        rule: The rule for its value.
        required: Whether it must be present.
    """

    name: str
    rule: Rule
    required: bool = False


class Kind(NamedTuple):
    """One kind of scope or message.

    Attributes:
        section: The section of the specification.
        keys: Its keys, without ``type``.
        extension: The extension that the server must offer for it.
    """

    section: str
    keys: tuple[Key, ...] = ()
    extension: str = ""


def _got(expected: str, value: object) -> str:
    return f"expected {expected}, got {type(value).__name__}"


def is_iterable(value: Any) -> bool:
    """Whether a value is an iterable, but not text, bytes or a mapping."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def is_dict(value: Any) -> bool:
    """Whether a value is a dict; it stays ``Any`` for type checkers."""
    return isinstance(value, dict)


def instance(*types: type, expected: str = "") -> Rule:
    """Return a rule for the type of a value; a ``bool`` does not count as an ``int``."""
    names = expected or " or ".join("None" if kind is type(None) else kind.__name__ for kind in types)

    def check(value: Any) -> str:
        valid = isinstance(value, types) and (bool in types or not isinstance(value, bool))
        return "" if valid else _got(names, value)

    return check


NONE: Final = type(None)


def headers(*, forbidden: tuple[bytes, ...] = (), lower_case: bool = True) -> Rule:
    """Return a rule for header pairs.

    Args:
        forbidden: Names of headers that another key of the message contains.
        lower_case: Whether names must be in lower case. For servers, the specification only recommends it.
    """

    def check(value: Any) -> str:
        if not is_iterable(value):
            return _got("an iterable of pairs", value)
        for pair in value:
            if problem := check_pair(pair):
                return problem
        return ""

    def check_pair(pair: Any) -> str:
        if not is_iterable(pair):
            return _got("pairs of bytes", pair)
        items = list(pair)
        if len(items) != 2 or not all(isinstance(item, bytes) for item in items):
            return f"expected pairs of bytes, got {tuple(type(item).__name__ for item in items)}"
        name, content = items
        if name.startswith(b":"):
            return f"expected no pseudo header, got {name!r}"
        if not name or name.translate(None, TOKEN):
            return f"expected a token as header name (RFC 9110 section 5.6.2), got {name!r}"
        if lower_case and name != name.lower():
            return f"expected header names in lower case, got {name!r}"
        if name in forbidden:
            return f"expected no header {name!r}; another key of the message contains its value"
        if len(content.translate(None, CONTROLS)) < len(content):
            return f"expected no control character in the value of {name!r} (RFC 9110 section 5.5)"
        return ""

    return check


def status(lowest: int) -> Rule:
    """Return a rule for a final status code (RFC 9110 section 15)."""

    def check(value: Any) -> str:
        if not isinstance(value, int) or isinstance(value, bool):
            return _got("int", value)
        return "" if lowest <= value <= 599 else f"expected a status from {lowest} to 599, got {int(value)}"

    return check


def absolute_path(value: Any) -> str:
    """Check a path of a file."""
    if not isinstance(value, str):
        return _got("str", value)
    # The server may run on another operating system, so both formats of absolute paths are accepted.
    absolute = value.startswith(("/", "\\")) or value[1:3] in {":\\", ":/"}
    return "" if absolute else "expected an absolute path, got a relative one"


def file_descriptor(value: Any) -> str:
    """Check a file with a descriptor of the system."""
    is_descriptor = (isinstance(value, int) and not isinstance(value, bool)) or hasattr(value, "fileno")
    return "" if is_descriptor else _got("a file descriptor", value)


def iterable_of(kind: type) -> Rule:
    """Return a rule for an iterable whose items have a type."""

    def check(value: Any) -> str:
        if not is_iterable(value):
            return _got(f"an iterable of {kind.__name__}", value)
        wrong = [item for item in value if not isinstance(item, kind)]
        return _got(f"items of type {kind.__name__}", wrong[0]) if wrong else ""

    return check


def close_code(value: Any) -> str:
    """Check a close code that may be sent (RFC 6455 section 7.4)."""
    if not isinstance(value, int) or isinstance(value, bool):
        return _got("int", value)
    if 1000 <= value <= 1003 or 1007 <= value <= 1014 or 3000 <= value <= 4999:
        return ""
    return f"expected 1000 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 section 7.4), got {int(value)}"


def close_reason(value: Any) -> str:
    """Check a close reason: at most 123 bytes (RFC 6455 section 5.5)."""
    if value is not None and not isinstance(value, str):
        return _got("str or None", value)
    size = len((value or "").encode(errors="surrogatepass"))
    return "" if size <= 123 else f"expected at most 123 bytes in UTF-8 (RFC 6455 section 5.5), got {size}"


def address(port: Rule) -> Rule:
    """Return a rule for ``client`` and ``server``: ``None``, or a host and a port."""

    def check(value: Any) -> str:
        if value is None:
            return ""
        if not is_iterable(value):
            return _got("a host and a port", value)
        items = list(value)
        if len(items) != 2:
            return f"expected a host and a port, got {len(items)} items"
        return instance(str, expected="a host of type str")(items[0]) or port(items[1])

    return check


def one_of(*values: str) -> Rule:
    """Return a rule for one of several texts."""

    def check(value: Any) -> str:
        known = " or ".join(map(repr, values))
        if not isinstance(value, str):
            return _got(known, value)
        return "" if value in values else f"expected {known}, got another text"

    return check


def upper_case(value: Any) -> str:
    """Check a method."""
    if not isinstance(value, str):
        return _got("str", value)
    return "" if value and value == value.upper() else "expected a method in upper case"


def not_empty(value: Any) -> str:
    """Check a text that must not be empty."""
    return "" if isinstance(value, str) and value else _got("a text that is not empty", value)


def raw_path(value: Any) -> str:
    """Check an encoded path."""
    if value is not None and not isinstance(value, bytes):
        return _got("bytes or None", value)
    return "expected a path without the query" if b"?" in (value or b"") else ""


def versions(value: Any) -> str:
    """Check ``scope["asgi"]``."""
    if not is_dict(value):
        return _got("dict", value)
    wrong = [key for key in ("version", "spec_version") if not isinstance(value.get(key, ""), str)]
    return f"expected {wrong[0]!r} to be str" if wrong else ""


def extensions(value: Any) -> str:
    """Check ``scope["extensions"]``."""
    if value is None:
        return ""
    if not is_dict(value):
        return _got("dict or None", value)
    options: dict[str, Any] = value
    wrong = [option for option in options.values() if not isinstance(option, dict)]
    if wrong:
        return _got("a dict for each extension", wrong[0])
    return _tls(options["tls"]) if "tls" in options else ""


def _tls(options: dict[str, Any]) -> str:
    missing = [key for key in ("server_cert", "tls_version", "cipher_suite") if key not in options]
    return f"expected the key {missing[0]!r} in 'tls' (TLS extension)" if missing else ""


TEXT: Final = instance(str)
BYTES: Final = instance(bytes)
FLAG: Final = instance(bool)
NUMBER: Final = instance(int)
DICT: Final = instance(dict)
SENT_HEADERS: Final = headers()
BODY: Final = (Key("body", BYTES), Key("more_body", FLAG))
DATA: Final = (Key("bytes", instance(bytes, NONE)), Key("text", instance(str, NONE)))

CONNECTION: Final = (
    Key("asgi", versions),
    Key("scheme", not_empty),
    Key("path", TEXT, required=True),
    Key("raw_path", raw_path),
    Key("root_path", TEXT),
    Key("headers", headers(lower_case=False), required=True),
    Key("client", address(instance(int, expected="a port of type int"))),
    Key("server", address(instance(int, NONE, expected="a port of type int, or None"))),
    Key("state", DICT),
    Key("extensions", extensions),
)
"""The keys that the scopes of HTTP and WebSocket share."""

SCOPES: Final[Mapping[str, Kind]] = {
    "http": Kind(
        "HTTP Connection Scope",
        (
            *CONNECTION,
            Key("http_version", one_of("1.0", "1.1", "2", "3"), required=True),
            Key("method", upper_case, required=True),
            Key("query_string", BYTES, required=True),
        ),
    ),
    "websocket": Kind(
        "WebSocket Connection Scope",
        (
            *CONNECTION,
            Key("http_version", one_of("1.0", "1.1", "2", "3")),
            Key("query_string", instance(bytes, NONE)),
            Key("subprotocols", iterable_of(str)),
        ),
    ),
    "lifespan": Kind("Lifespan Protocol, Scope", (Key("asgi", versions), Key("state", DICT))),
}
"""The keys of a scope, by its type."""

SENT: Final[Mapping[str, Kind]] = {
    "http.response.start": Kind(
        "HTTP, Response Start - send event",
        (Key("status", status(200), required=True), Key("headers", SENT_HEADERS), Key("trailers", FLAG)),
    ),
    "http.response.body": Kind("HTTP, Response Body - send event", BODY),
    "http.response.trailers": Kind(
        "Extensions, HTTP Trailers",
        (Key("headers", SENT_HEADERS, required=True), Key("more_trailers", FLAG)),
        "http.response.trailers",
    ),
    "http.response.push": Kind(
        "Extensions, HTTP/2 Server Push",
        (Key("path", TEXT, required=True), Key("headers", SENT_HEADERS, required=True)),
        "http.response.push",
    ),
    "http.response.early_hint": Kind(
        "Extensions, Early Hints",
        (Key("links", iterable_of(bytes), required=True),),
        "http.response.early_hint",
    ),
    "http.response.pathsend": Kind(
        "Extensions, Path Send", (Key("path", absolute_path, required=True),), "http.response.pathsend"
    ),
    "http.response.zerocopysend": Kind(
        "Extensions, Zero Copy Send",
        (
            Key("file", file_descriptor, required=True),
            Key("offset", NUMBER),
            Key("count", NUMBER),
            Key("more_body", FLAG),
        ),
        "http.response.zerocopysend",
    ),
    "http.response.debug": Kind(
        "Extensions, Debug", (Key("info", DICT, required=True),), "http.response.debug"
    ),
    "websocket.accept": Kind(
        "WebSocket, Accept - send event",
        (
            Key("subprotocol", instance(str, NONE)),
            Key("headers", headers(forbidden=(b"sec-websocket-protocol",))),
        ),
    ),
    "websocket.send": Kind("WebSocket, Send - send event", DATA),
    "websocket.close": Kind(
        "WebSocket, Close - send event", (Key("code", close_code), Key("reason", close_reason))
    ),
    "websocket.http.response.start": Kind(
        "Extensions, Websocket Denial Response",
        # A status of the 200s would accept the handshake over HTTP/2 (RFC 8441 section 5).
        (Key("status", status(300), required=True), Key("headers", SENT_HEADERS)),
        "websocket.http.response",
    ),
    "websocket.http.response.body": Kind(
        "Extensions, Websocket Denial Response", BODY, "websocket.http.response"
    ),
    "lifespan.startup.complete": Kind("Lifespan Protocol, Startup Complete - send event"),
    "lifespan.startup.failed": Kind(
        "Lifespan Protocol, Startup Failed - send event", (Key("message", TEXT),)
    ),
    "lifespan.shutdown.complete": Kind("Lifespan Protocol, Shutdown Complete - send event"),
    "lifespan.shutdown.failed": Kind(
        "Lifespan Protocol, Shutdown Failed - send event", (Key("message", TEXT),)
    ),
}
"""The keys of a message of the application, by its type."""

RECEIVED: Final[Mapping[str, Kind]] = {
    "http.request": Kind("HTTP, Request - receive event", BODY),
    "http.disconnect": Kind("HTTP, Disconnect - receive event"),
    "websocket.connect": Kind("WebSocket, Connect - receive event"),
    "websocket.receive": Kind("WebSocket, Receive - receive event", DATA),
    "websocket.disconnect": Kind(
        "WebSocket, Disconnect - receive event",
        (Key("code", NUMBER), Key("reason", instance(str, NONE))),
    ),
    "lifespan.startup": Kind("Lifespan Protocol, Startup - receive event"),
    "lifespan.shutdown": Kind("Lifespan Protocol, Shutdown - receive event"),
}
"""The keys of a message of the server, by its type."""


def problems(values: Mapping[str, Any], kind: Kind) -> Iterable[str]:
    """Yield the problems with the keys of a scope or message."""
    for name, rule, required in kind.keys:
        if name not in values:
            if required:
                yield f"expected the key {name!r}"
        elif problem := rule(values[name]):
            yield f"{name!r}: {problem}"
    if kind.keys is DATA and sum(values.get(name) is not None for name in ("bytes", "text")) != 1:
        yield "expected exactly one of 'bytes' and 'text' that is not None"


def unsupported_value(value: Any) -> str:
    """Return a description of a part of a value that ASGI does not allow in events, or ``""``."""
    if isinstance(value, int):
        return "" if -(2**63) <= value < 2**63 else "an int of more than 64 bits"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "a float that is not finite"
    if value is None or isinstance(value, str | bytes):
        return ""
    contents: Iterable[Any] = ()
    if is_dict(value):
        if not all(isinstance(key, str) for key in value):
            return "a dict with keys that are not str"
        contents = value.values()
    elif type(value) in {list, tuple}:
        contents = value
    else:
        return type(value).__name__
    return next((unsupported for item in contents if (unsupported := unsupported_value(item))), "")
