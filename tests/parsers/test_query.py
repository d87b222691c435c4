"""The urlencoded parser and its limits."""

from __future__ import annotations

import tracemalloc
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.query import parse_urlencoded
from asgiwire.exceptions import RequestEntityTooLarge
from tests.floods import flood, must_end

pytestmark = pytest.mark.usefixtures("implementation")

CASES = [
    (b"", []),
    (b"a=1", [("a", "1")]),
    (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
    (b"a", [("a", "")]),
    (b"a=", [("a", "")]),
    (b"=v", [("", "v")]),
    (b"=", [("", "")]),
    (b"a=b=c", [("a", "b=c")]),
    (b"&", []),
    (b"&&a=1&&b=2&&", [("a", "1"), ("b", "2")]),
    (b"a;b=1", [("a;b", "1")]),
    (b"a=1;role=admin", [("a", "1;role=admin")]),
    (b"a+b=c+d", [("a b", "c d")]),
    (b"a%2Bb=c%2bd", [("a+b", "c+d")]),
    (b"a%26b=%3D", [("a&b", "=")]),
    (b"n=%C3%A9", [("n", "é")]),
    (b"n=\xc3\xa9", [("n", "é")]),
    (b"n=\xc3%A9", [("n", "é")]),
    (b"\xc3\xa9=1&%C3%A9=2", [("é", "1"), ("é", "2")]),
    (b"n=\xff", [("n", "\ufffd")]),
    (b"n=%FF%FE", [("n", "\ufffd\ufffd")]),
    (b"n=\xc3&m=\xa9", [("n", "\ufffd"), ("m", "\ufffd")]),
    (b"n=\xe2\x82&m=1", [("n", "\ufffd"), ("m", "1")]),
    (b"n=%E2%82&m=1", [("n", "\ufffd"), ("m", "1")]),
    (b"\xef\xbb\xbfa=1", [("\ufeffa", "1")]),
    (b"%EF%BB%BFa=1", [("\ufeffa", "1")]),
    (b"a=%zz+1?2#frag", [("a", "%zz 1?2#frag")]),
    (b"a&b=&=c&a=%zz+1?2", [("a", ""), ("b", ""), ("", "c"), ("a", "%zz 1?2")]),
    (b"a=%", [("a", "%")]),
    (b"a=%4", [("a", "%4")]),
    (b"a=%00", [("a", "\0")]),
    (b"a=1\r\n&b=2", [("a", "1\r\n"), ("b", "2")]),
    (b"x=1&y=%20a", [("x", "1"), ("y", " a")]),
]


@pytest.mark.parametrize(("data", "pairs"), CASES, ids=[repr(data) for data, _ in CASES])
def test_algorithm(data: bytes, pairs: list[tuple[str, str]]) -> None:
    """https://url.spec.whatwg.org/#urlencoded-parsing, with edge cases of each step."""
    assert parse_urlencoded(data) == pairs
    assert parse_urlencoded(data, len(pairs), len(data)) == pairs


@pytest.mark.parametrize("data", [data for data, _ in CASES], ids=repr)
def test_every_prefix(data: bytes) -> None:
    """Truncating a query affects its last pair only."""
    pairs = parse_urlencoded(data)
    for end in range(len(data)):
        prefix = parse_urlencoded(data[:end])
        assert prefix[:-1] == pairs[: max(len(prefix) - 1, 0)]


@given(st.binary() | st.text("a=&+%4é1").map(str.encode))
def test_agrees_with_the_reference(data: bytes) -> None:
    assert parse_urlencoded(data) == reference_parse(data)


def reference_parse(data: bytes) -> list[tuple[str, str]]:
    """The steps of the standard without any optimization."""
    output = []
    for sequence in data.split(b"&"):
        if not sequence:
            continue
        name, value = sequence, b""
        if b"=" in sequence:
            position = sequence.index(b"=")
            name, value = sequence[:position], sequence[position + 1 :]
        output.append(tuple(decode(part.replace(b"+", b" ")) for part in (name, value)))
    return output


def decode(data: bytes) -> str:
    output = bytearray()
    position = 0
    while position < len(data):
        digits = data[position + 1 : position + 3]
        if (
            data[position] == 0x25
            and len(digits) == 2
            and all(digit in b"0123456789abcdefABCDEF" for digit in digits)
        ):
            output.append(int(digits, 16))
            position += 3
        else:
            output.append(data[position])
            position += 1
    return output.decode("utf-8", "replace")


@given(st.lists(st.tuples(st.text(), st.text())))
def test_round_trip_with_the_standard_library(pairs: list[tuple[str, str]]) -> None:
    assert parse_urlencoded(urlencode(pairs).encode()) == pairs
    assert parse_urlencoded(urlencode(pairs).encode()) == parse_qsl(urlencode(pairs), keep_blank_values=True)


class TestMaxFields:
    @pytest.mark.parametrize("data", [b"a=1&b=2&c=3", b"&&a=1&&b=2&&&&c=3&", b"%61&b+&\xc3\xa9"], ids=repr)
    def test_raises_at_the_limit_plus_one(self, data: bytes) -> None:
        assert len(parse_urlencoded(data, 3)) == 3
        with pytest.raises(RequestEntityTooLarge, match="max_fields=2") as caught:
            parse_urlencoded(data, 2)
        assert (caught.value.limit, caught.value.maximum) == ("max_fields", 2)

    def test_limit_of_zero(self) -> None:
        assert parse_urlencoded(b"", 0) == []
        assert parse_urlencoded(b"&&&", 0) == []
        with pytest.raises(RequestEntityTooLarge):
            parse_urlencoded(b"a", 0)

    def test_empty_sequences_do_not_count(self) -> None:
        assert parse_urlencoded(b"&" * 5000 + b"a=1", 1) == [("a", "1")]

    @pytest.mark.parametrize("flood", [b"&", b"a&", b"a=1&", b"%61=%62&"], ids=repr)
    def test_raises_before_fields_are_built(self, flood: bytes) -> None:
        """10 MB of pairs take no more memory than a thousand pairs."""
        data = flood * (10_000_000 // len(flood))
        tracemalloc.start()
        try:
            if flood == b"&":
                assert parse_urlencoded(data, 1000) == []
            else:
                with pytest.raises(RequestEntityTooLarge):
                    parse_urlencoded(data, 1000)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 500_000


class TestMaxFieldSize:
    """CVE-2026-54283: the limit was ignored for urlencoded forms."""

    @pytest.mark.parametrize(
        "pair",
        [b"name=value", b"namevalue", b"=namevalue", b"namevalue=", b"%41me=%zz+", b"n=\xc3\xa9long"],
        ids=repr,
    )
    def test_counts_name_and_value_as_sent(self, pair: bytes) -> None:
        size = len(pair.replace(b"=", b""))
        for data in (pair, b"a=1&" + pair, pair + b"&a=1", b"&" + pair + b"&"):
            assert parse_urlencoded(data, None, size) == parse_urlencoded(data)
            with pytest.raises(RequestEntityTooLarge, match=f"max_field_size={size - 1}") as caught:
                parse_urlencoded(data, None, size - 1)
            assert (caught.value.limit, caught.value.maximum) == ("max_field_size", size - 1)

    def test_an_equals_sign_in_the_value_counts(self) -> None:
        assert parse_urlencoded(b"a=b=c", None, 4) == [("a", "b=c")]
        with pytest.raises(RequestEntityTooLarge):
            parse_urlencoded(b"a=b=c", None, 3)

    def test_small_fields_are_not_added_up(self) -> None:
        assert len(parse_urlencoded(b"a=1&" * 100, None, 2)) == 100

    def test_limit_of_zero(self) -> None:
        assert parse_urlencoded(b"=&=", None, 0) == [("", ""), ("", "")]
        with pytest.raises(RequestEntityTooLarge):
            parse_urlencoded(b"a", None, 0)

    def test_error_does_not_contain_the_data(self) -> None:
        with pytest.raises(RequestEntityTooLarge) as caught:
            parse_urlencoded(b"password=secret", None, 3)
        assert "secret" not in str(caught.value)
        assert "password" not in str(caught.value)


@must_end
@pytest.mark.parametrize("pattern", [b"a=1&", b"a;", b"%61=%62&", b"&", b"+", b"a=%C3&"], ids=repr)
def test_time_is_linear(pattern: bytes) -> None:
    parse_urlencoded(flood(pattern))


@must_end
@pytest.mark.parametrize("pattern", [b"a=1&", b"&", b"%61=%62&"], ids=repr)
def test_time_is_linear_with_limits(pattern: bytes) -> None:
    data = flood(pattern)
    parse_urlencoded(data, data.count(b"&"), 10)
