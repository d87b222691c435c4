"""Rules that hold for every input of every parser: only documented errors, and consistent results."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiwire import Request, WebSocket
from asgiwire._parsers.charsets import decode_body
from asgiwire._parsers.content_headers import parse_boundary, parse_content_disposition, parse_media_type
from asgiwire._parsers.cookies import parse_cookies
from asgiwire._parsers.filenames import safe_filename
from asgiwire._parsers.percent import encode_path, encode_query, percent_decode, quote_path
from asgiwire._parsers.query import parse_urlencoded
from asgiwire._parsers.secrets import MASK, mask_headers, mask_text, mask_url
from asgiwire.datastructures import URL, CacheControlHeader, Cookie, ETag, Headers
from asgiwire.exceptions import ClientException
from asgiwire.serialization import decode_json, decode_msgpack, encode_json, encode_msgpack
from asgiwire.testing import http_scope, websocket_scope

from .inputs import OCTETS, SECRET, TEXT, secrets

if TYPE_CHECKING:
    from collections.abc import Callable

HEADERS = (
    "accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "content-length",
    "content-type", "cookie", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
    "if-unmodified-since", "range",
)  # fmt: skip
READERS = [name.replace("-", "_") for name in HEADERS if name not in {"cookie", "host"}]
OFFERED = ("text/html", "a/b;q=1", "en-US", "gzip", "utf-8")
ANY_TYPE = "*/*"  # `Accept.best_match()` returns the range of the client for it


def scope_with(headers: list[tuple[bytes, bytes]], **values: Any) -> dict[str, Any]:
    return {**http_scope(), "headers": headers, **values}


def read_everything(request: Request) -> list[Any]:
    """Read every property of a request and call every method of its values; return what was read."""
    values: list[Any] = [
        request.url,
        request.base_url,
        request.cookies,
        request.query_params,
        request.headers,
    ]
    for name in READERS:
        try:
            value: Any = getattr(request, name)
        except ClientException:
            assert name == "content_length"
            continue
        values.append(value)
        if hasattr(value, "best_match"):
            assert value.best_match(OFFERED) in {None, *OFFERED}
            values += [value.accepts(offer) for offer in (*OFFERED, ANY_TYPE)]
            values.append(value.best_match([ANY_TYPE]))
        if hasattr(value, "matches"):
            value.matches('"a"')
    values += [request.snapshot(), request.client, request.server, request.url.path, request.url.query_params]
    return [repr(value) for value in values]


@given(
    st.lists(st.tuples(st.sampled_from(HEADERS), OCTETS), max_size=6), OCTETS, TEXT, st.none() | OCTETS, TEXT
)
def test_no_property_raises(
    headers: list[tuple[str, bytes]], query: bytes, path: str, raw_path: bytes | None, root_path: str
) -> None:
    pairs = [(name.encode(), value) for name, value in headers]
    scope = scope_with(pairs, query_string=query, path=path, raw_path=raw_path, root_path=root_path)
    assert read_everything(Request(scope)) == read_everything(Request(dict(scope)))
    url = Request(scope).url
    assert str(URL(str(url))) == str(url)
    assert (URL(str(url)).netloc, URL(str(url)).scheme) == (url.netloc, url.scheme)
    assert not url.path.startswith(("//", "/\\"))


@given(st.lists(OCTETS, max_size=4))
def test_cookies_of_several_headers_are_those_of_one(values: list[bytes]) -> None:
    assert parse_cookies(values) == parse_cookies([b"; ".join(values)])


@given(st.text(max_size=30))
def test_a_written_cookie_is_read_again(text: str) -> None:
    try:
        name, value = Cookie("a", value=text).to_encoded_header()
    except ValueError:
        assert any("\ud800" <= character <= "\udfff" for character in text)
        return
    assert name == b"set-cookie"
    assert parse_cookies([value.partition(b"; ")[0]]) == {"a": text}


@given(OCTETS)
def test_query(data: bytes) -> None:
    pairs = parse_urlencoded(data)
    assert len(pairs) == sum(map(bool, data.split(b"&")))
    # Any part on its own is parsed as in the whole.
    assert pairs == [pair for sequence in data.split(b"&") for pair in parse_urlencoded(sequence)]
    assert parse_urlencoded(encode_query(data).encode()) == pairs
    assert (
        URL.from_components(path="/", query=data.decode("latin-1"))
        .include_query_params(a="b")
        .query_params["a"]
        == "b"
    )


@given(OCTETS)
def test_percent_encoding(data: bytes) -> None:
    for encode in (encode_path, encode_query):
        assert percent_decode(encode(data).encode()) == percent_decode(data)
        assert encode(encode(data).encode()) == encode(data)
    text = data.decode("latin-1")
    assert percent_decode(quote_path(text).encode()).decode() == text


@given(TEXT, TEXT, TEXT, TEXT, TEXT)
def test_a_composed_url_is_split_into_its_parts(
    scheme: str, netloc: str, path: str, query: str, fragment: str
) -> None:
    try:
        url = URL.from_components(scheme, netloc, path, fragment, query)
    except ValueError:
        return
    again = URL(str(url))
    assert again == url
    assert (again.scheme, again.netloc, again.query, again.fragment) == (
        url.scheme,
        url.netloc,
        url.query,
        url.fragment,
    )
    assert (again.scheme, again.netloc) == (scheme.lower(), netloc)


@given(TEXT)
def test_any_url_is_accepted_or_a_value_error(text: str) -> None:
    try:
        url = URL(text)
    except ValueError:
        return
    assert str(url) == text
    assert [url.username, url.password, url.hostname, url.port, url.path] == [
        getattr(URL(str(url)), name) for name in ("username", "password", "hostname", "port", "path")
    ]
    repr(url)


@given(OCTETS)
def test_content_headers(data: bytes) -> None:
    media_type, parameters = parse_media_type(data)
    assert media_type == media_type.lower()
    for name, value in parameters.items():
        assert name == name.lower()
        assert name.isascii()
        assert not set(value) & {"\r", "\n", "\0"}
    for parse in (lambda: parse_boundary(parameters), lambda: parse_content_disposition(data)):
        try:
            parse()
        except ClientException as error:
            assert len(error.detail) <= 200
            assert error.detail.isprintable()


@given(
    OCTETS, st.sampled_from(["", "utf-8", "utf-16", "iso-8859-1", "shift_jis", "gb18030", "iso-2022-jp", "x"])
)
def test_text(data: bytes, label: str) -> None:
    try:
        assert isinstance(decode_body(data, label), str)
    except ClientException as error:
        assert error.__context__ is None


@given(TEXT)
def test_file_name(text: str) -> None:
    name = safe_filename(text)
    assert safe_filename(name) == name
    assert name not in {"", ".", ".."}
    assert not name.startswith((".", "-", "~", " "))
    assert not set(name) & set('/\\<>:"|?*\0\r\n')
    assert len(name.encode()) <= 255


@given(TEXT)
def test_header_values(text: str) -> None:
    for parse in (ETag.from_header, CacheControlHeader.from_header):
        try:
            value = parse(text)
        except ClientException:
            continue
        assert parse(value.to_header()) == value
    try:
        headers = Headers([("a", text)])
    except ValueError:
        return
    assert headers["a"] == text.strip(" \t")
    assert not set(headers["a"]) & {"\r", "\n", "\0"}


DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


class Item(msgspec.Struct, forbid_unknown_fields=True):
    a: int = 0
    b: list[str] | None = None


@pytest.mark.parametrize("decode", [decode_json, decode_msgpack])
@given(OCTETS, st.sampled_from([Any, dict, list[int], Item, dict[str, Item]]), st.integers(0, 20))
def test_damaged_documents(decode: Callable[..., Any], data: bytes, kind: Any, maximum: int) -> None:
    try:
        decode(data, kind, max_values=maximum)
    except ClientException as error:
        assert len(error.detail) <= 200
        assert error.detail.isprintable()


@given(DOCUMENTS, st.data())
def test_documents(document: Any, data: st.DataObject) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    for encode, decode in ((encode_json, decode_json), (encode_msgpack, decode_msgpack)):
        encoded = encode(document)
        assert decode(encoded, max_values=len(encoded)) == document
        cut = encoded[: data.draw(st.integers(0, len(encoded)))]
        for kind in (Any, Item, list[Item]):
            try:
                decode(cut, kind, max_values=3)
            except ClientException as error:
                assert len(error.detail) <= 200
                assert error.detail.isprintable()


@given(secrets(), st.sampled_from(["x-a", "referer", "link", "user-agent", "forwarded"]))
def test_no_secret_is_shown(text: str, name: str) -> None:
    value = text.encode("latin-1", "replace")
    scope = scope_with([(name.encode(), value)], query_string=value, path_params={"a": text})
    socket = {
        **websocket_scope(),
        "headers": [(name.encode(), value)],
        "subprotocols": [text],
        "query_string": value,
    }
    for connection in (Request(scope), WebSocket(socket)):
        shown = [connection.snapshot(), connection.headers, connection.url, connection]
        assert SECRET not in "".join(map(repr, shown))


@given(TEXT, st.integers(0, 60))
def test_masking(text: str, cut: int) -> None:
    for mask in (mask_text, mask_url):
        masked = mask(text)
        assert mask(masked) == masked
        mask(text[:cut], is_cut=True)
    assert mask_headers([(b"authorization", text.encode("utf-8", "replace"))]) == [("authorization", MASK)]


TARGETS: dict[str, Callable[[bytes], Any]] = {
    "query": parse_urlencoded,
    "cookies": lambda data: parse_cookies([data]),
    "content type": parse_media_type,
    "snapshot": lambda data: Request(scope_with([(b"x", data)] * 70, query_string=data)).snapshot(),
    **{
        name: lambda data, name=name: getattr(  # type: ignore[misc]  # mypy does not infer the default
            Request(scope_with([(name.encode(), data)])), name.replace("-", "_")
        )
        for name in HEADERS
        if name not in {"cookie", "host", "content-length"}
    },
    "host": lambda data: Request(scope_with([(b"host", data)])).url,
    "path": lambda data: Request(scope_with([], path=data.decode("latin-1"), raw_path=data)).url,
    "json": lambda data: decode_json(data, max_values=100),
    "msgpack": lambda data: decode_msgpack(data, max_values=100),
    "disposition": parse_content_disposition,
    "filename": lambda data: safe_filename(data.decode("latin-1")),
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@settings(max_examples=max(settings().max_examples // 100, 10))  # each takes as long as many short inputs
@given(st.lists(OCTETS.filter(bool).map(lambda octets: octets[:12]), min_size=1, max_size=3))
def test_long_inputs(target: Callable[[bytes], Any], pieces: list[bytes]) -> None:
    """100 kB of a repeated pattern. A parser of quadratic time exceeds the deadline of the profile."""
    first, *rest = pieces
    data = b"".join(rest) + first * (100_000 // len(first)) + b"".join(rest)
    tracemalloc.start()
    try:
        target(data)
    except ClientException:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 400 * len(data)
