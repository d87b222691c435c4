"""Addresses from the scopes of servers, and invalid ones."""

from __future__ import annotations

import pickle
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures.address import Address, address_from_scope
from tests.fixtures import load_scopes


class Port(IntEnum):
    HTTP = 80


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (None, None),
        (("127.0.0.1", 58624), ("127.0.0.1", 58624)),
        (["127.0.0.1", 48486], ("127.0.0.1", 48486)),
        (("127.0.0.1", "47280"), ("127.0.0.1", 47280)),
        (("::1", 48042), ("::1", 48042)),
        (("::1", 48042, 0, 0), ("::1", 48042)),
        (("10.0.0.1", 0), ("10.0.0.1", 0)),
        (("unknown", 0), ("unknown", 0)),
        (("203.0.113.9:4711", 0), ("203.0.113.9:4711", 0)),
        (("h", Port.HTTP), ("h", 80)),
        (("", "0"), None),
        (("", 0), None),
        (("/run/u.sock", None), ("/run/u.sock", None)),
        (("/run/u.sock", "0"), ("/run/u.sock", None)),
        (("h",), ("h", None)),
        (("h", None), ("h", None)),
        (("h", "x"), ("h", None)),
        (("h", ""), ("h", None)),
        (("h", "-1"), ("h", None)),
        (("h", "8_0"), ("h", None)),
        (("h", "١"), ("h", None)),
        (("h", "²"), ("h", None)),
        (("h", "9" * 5000), ("h", None)),
        (("h", 65536), ("h", None)),
        (("h", -1), ("h", None)),
        (("h", 80.0), ("h", None)),
        (("h", b"80"), ("h", None)),
        ((b"h", 80), None),
        ((None, 80), None),
        ((), None),
        ("h:80", None),
        (80, None),
        ({"host": "h"}, None),
    ],
    ids=repr,
)
def test_address(value: object, address: tuple[str, int | None] | None) -> None:
    assert address_from_scope(value) == address


@given(
    st.from_type(type).flatmap(st.from_type) | st.lists(st.none() | st.text() | st.integers() | st.binary())
)
def test_never_raises(value: object) -> None:
    address = address_from_scope(value)
    assert address is None or isinstance(address, Address)


def test_recorded_scopes() -> None:
    for name, scope in load_scopes().items():
        for key in ("client", "server"):
            address = address_from_scope(scope.get(key))
            assert address is None or (type(address.host), type(address.port)) in {
                (str, int),
                (str, type(None)),
            }
        if "-uds" in name:
            assert address_from_scope(scope["client"]) is None


def test_address_is_a_named_tuple() -> None:
    host, port = address = Address("h", 80)
    assert (address.host, address.port) == (host, port) == ("h", 80)
    assert repr(address) == "Address(host='h', port=80)"
    assert pickle.loads(pickle.dumps(address)) == address
