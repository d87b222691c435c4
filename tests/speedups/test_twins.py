"""The compiled functions and their Python twins return the same, and raise the same, for any arguments."""

from __future__ import annotations

import gc
import inspect
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import asgiwire
from asgiwire import _parsers
from tests.twins import TWINS

if TYPE_CHECKING:
    from collections.abc import Callable

compiled = pytest.importorskip("asgiwire._speedups", reason="the compiled module was not built")

SCOPE = {"scheme": "https", "path": "/path", "raw_path": b"/path", "query_string": b"a=1", "root_path": ""}


class Text(str):
    __slots__ = ()


class Octets(bytes):
    __slots__ = ()


def outcome(function: Callable[..., Any], *args: Any) -> tuple[object, ...]:
    """Return what a call returns, with its type, or what it raises."""
    try:
        result = function(*args)
    except Exception as error:
        return type(error), str(error)
    return type(result), result


def assert_same(name: str, *args: Any) -> None:
    assert outcome(getattr(compiled, name), *args) == outcome(TWINS[name], *args)


# Few characters, so that names meet and separators, escapes and blanks stand beside each other.
NAMES = st.sampled_from(
    [b"a", b"A", b"host", b"Host", b"HOST", b"x-a", b"", b"content-length", b"Content-Length", b"\xc4"]
)
VALUES = st.one_of(
    st.binary(max_size=6),
    st.text(" \t\x0ba1\xe4", max_size=6).map(lambda text: text.encode("latin-1")),
    st.sampled_from([b"0", b"12", b" 12", b"12 ", b"1,2", b"+1", b"1" * 18, b"9" * 19, b"9" * 20, b"1" * 21]),
)
PAIRS = st.one_of(
    st.lists(st.tuples(NAMES, VALUES), max_size=5),
    st.lists(st.tuples(NAMES, VALUES), max_size=5).map(tuple),
    st.lists(st.tuples(NAMES, VALUES).map(list), max_size=3),
    st.lists(st.tuples(NAMES.map(Octets), VALUES.map(Octets)), max_size=3),
)
KEYS = st.one_of(
    st.sampled_from(["a", "A", "Host", "X-A", "", "\xc4", "\xe4", "\u0130", "x" * 64, "x" * 65]),
    st.sampled_from(["host", "A"]).map(Text),
    st.text(max_size=4),
)
ENCODED = st.one_of(
    st.binary(max_size=30),
    st.lists(
        st.sampled_from(
            [
                b"a",
                b"b1",
                b"=",
                b"&",
                b"&&",
                b"+",
                b"%",
                b"%2",
                b"%20",
                b"%C3",
                b"%A9",
                b"%c3%a9",
                b"%+1",
                b"\xc3",
                b"\xa9",
                b"%26",
                b"%00",
            ]
        ),
        max_size=20,
    ).map(b"".join),
)
LIMITS = st.one_of(st.none(), st.integers(-2, 12), st.just(2**70), st.booleans())
COOKIES = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.lists(
            st.sampled_from(
                [b"a", b"b", b"=", b";", b"; ", b" ", b"\t", b'"', b"%41", b"\\", b"\xc3\xa9", b"\x00"]
            ),
            max_size=12,
        ).map(b"".join),
    ),
    max_size=3,
)
HOSTS = st.sampled_from(
    [
        b"a",
        b"a.example",
        b"a:8000",
        b"a:80",
        b"a:443",
        b"a:8443",
        b"a:80000",
        b"a:08",
        b"a:",
        b":80",
        b"",
        b"[::1]",
        b"a@b",
        b"A_b~",
        b"a:4430",
        b"a:800",
        b"a:44",
        b"a:8",
        b"a:9z",
    ]
)
SCHEMES = st.sampled_from(
    ["http", "https", "ws", "wss", "HTTP", "s", "", "httpss", "wsss", "ftp", "h\xe4", Text("http")]
)
PATHS = st.one_of(
    st.sampled_from(
        ["/", "/a", "//a", "", "*", "/a%20b", "/a b", "/\xe4", "/\u20ac", "/a?b", "/[a]", "a", "/;=@"]
    ),
    st.text(max_size=4),
)


CHANGES = st.dictionaries(
    st.sampled_from(["scheme", "path", "raw_path", "query_string", "root_path"]),
    st.one_of(st.none(), st.just(""), st.just(b""), st.text(max_size=2), st.binary(max_size=2), st.just(3)),
    max_size=2,
)


@given(pairs=PAIRS, key=KEYS)
def test_header_text(pairs: Any, key: str) -> None:
    assert_same("header_text", pairs, key)


@given(pairs=PAIRS, name=NAMES)
def test_header_values(pairs: Any, name: bytes) -> None:
    assert_same("header_values", pairs, name)


@given(pairs=PAIRS)
def test_content_length(pairs: Any) -> None:
    assert_same("content_length", pairs)


@given(data=ENCODED, limits=st.lists(LIMITS, max_size=2))
def test_parse_urlencoded(data: bytes, limits: list[int | None]) -> None:
    assert_same("parse_urlencoded", data, *limits)


@pytest.mark.parametrize("size", [510, 511, 512, 513, 5000])
def test_parse_urlencoded_around_the_size_of_its_buffer(size: int) -> None:
    for data in (b"%41" * size, b"a=" + b"\xc3\xa9" * size, b"a&" * size, b"=" * size):
        assert_same("parse_urlencoded", data[:size])
        assert_same("parse_urlencoded", data, size, size)


@given(
    data=st.lists(
        st.sampled_from([b"\r", b"\r\n", b"\r\n--", b"\r\n--b", b"-", b"b", b"x" * 200]), max_size=12
    ).map(b"".join),
    repeat=st.sampled_from([1, 1, 40]),
    delimiter=st.sampled_from([b"\r\n--b", b"\r\n--boundary", b"\r", b""]),
    start=st.integers(-3, 300),
)
def test_find_delimiter(data: bytes, repeat: int, delimiter: bytes, start: int) -> None:
    assert_same("find_delimiter", data * repeat, delimiter, start)
    assert_same("find_delimiter", data * repeat + delimiter, delimiter, start)


@given(values=COOKIES)
def test_parse_cookies(values: list[bytes]) -> None:
    assert_same("parse_cookies", values)
    assert_same("parse_cookies", tuple(values))


@given(scheme=SCHEMES, hosts=st.lists(HOSTS, max_size=2), path=PATHS, query=ENCODED, changes=CHANGES)
def test_common_url(
    scheme: str, hosts: list[bytes], path: str, query: bytes, changes: dict[str, object]
) -> None:
    scope = {
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query,
        "root_path": "",
        **changes,
    }
    pairs = [(b"Host", host) for host in hosts]
    assert_same("common_url", scope, pairs)
    assert_same("common_url", {key: value for key, value in scope.items() if value is not None}, pairs)
    assert_same("common_url", MappingProxyType(scope), pairs)


class UnequalKey:
    """A key with the hash of a text, whose comparison raises."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __hash__(self) -> int:
        return hash(self.text)

    def __eq__(self, other: object) -> bool:
        msg = f"compared {self.text}"
        raise LookupError(msg)


@pytest.mark.parametrize("key", SCOPE)
def test_failed_lookup_in_the_scope(key: str) -> None:
    scope = {UnequalKey(other) if other == key else other: value for other, value in SCOPE.items()}
    pairs = [(b"host", b"a.example")]
    assert outcome(compiled.common_url, scope, pairs) == (LookupError, f"compared {key}")
    assert_same("common_url", scope, pairs)


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize(
    "args", [(), (None,), ([],), (b"", b""), ("", "", "", "", ""), (1, 2, 3, 4, 5, 6), ([(b"a",)], "a")]
)
def test_wrong_arguments_are_those_of_the_twin(name: str, args: tuple[object, ...]) -> None:
    result, expected = outcome(getattr(compiled, name), *args), outcome(TWINS[name], *args)
    assert result == expected


@pytest.mark.parametrize("name", TWINS)
def test_arguments_are_positional_only(name: str) -> None:
    parameters = inspect.signature(TWINS[name]).parameters.values()
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.POSITIONAL_ONLY}


@pytest.mark.parametrize("name", TWINS)
def test_docstring_is_the_first_line_of_the_twin(name: str) -> None:
    assert getattr(compiled, name).__doc__ == (TWINS[name].__doc__ or "").splitlines()[0]


def test_every_function_is_chosen() -> None:
    functions = {name for name in vars(compiled) if not name.startswith("_")}
    assert (
        functions
        == TWINS.keys()
        == {name for name in _parsers.__all__ if name in TWINS}
        == set(_parsers.__all__)
    )
    if asgiwire.__speedups__:
        assert all(getattr(_parsers, name) is getattr(compiled, name) for name in functions)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("header_text", ([(b"Host", b" example ")], "host")),
        ("header_text", ([[b"Host", b" example "]], "host")),
        ("header_values", (((b"a", b"1"), (b"A", b"2")), b"a")),
        ("content_length", ([(b"content-length", b"123456")],)),
        ("content_length", ([(b"content-length", b"1"), (b"content-length", b"2")],)),
        ("parse_urlencoded", (b"name=%C3%A9&second=1234567" * 50, 1000, 1000)),
        ("parse_urlencoded", (b"name=value&second=value" * 50, 2, 1000)),
        ("find_delimiter", (b"a" * 1000 + b"\r\n--b", b"\r\n--b", 300)),
        ("find_delimiter", (b"\r" * 1000 + b"\r\n--b", b"\r\n--b", 300)),
        ("parse_cookies", ([b"name=value; second=value"],)),
        ("parse_cookies", ([b"name=value; second=%41"],)),
        ("common_url", (SCOPE, [(b"host", b"a.example")])),
        ("common_url", (SCOPE, [(b"host", b"a b")])),
    ],
)
def test_no_reference_is_lost_or_kept(name: str, args: tuple[Any, ...]) -> None:
    function = getattr(compiled, name)
    objects = [
        item for argument in args for item in (argument, *(argument if isinstance(argument, list) else ()))
    ]

    def counts() -> list[int]:
        gc.collect()
        return [sys.getrefcount(item) for item in objects]

    for _ in range(10):
        outcome(function, *args)
    before = counts()

    def growth() -> int:
        gc.collect()
        blocks = sys.getallocatedblocks()
        for _ in range(200):
            outcome(function, *args)
        gc.collect()
        return sys.getallocatedblocks() - blocks

    # The smallest of several, because the caches of the interpreter sometimes grow, too.
    assert min(growth() for _ in range(3)) < 100
    assert counts() == before
