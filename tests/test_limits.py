"""Limits: default values, validation, immutability."""

from __future__ import annotations

import msgspec
import pytest

from asgiwire.limits import Limits


def test_defaults() -> None:
    assert msgspec.structs.asdict(Limits()) == {
        "max_body_size": 10_000_000,
        "max_fields": 1000,
        "max_files": 1000,
        "max_field_size": 1024 * 1024,
        "max_file_size": None,
        "max_memory": 16 * 1024 * 1024,
        "max_part_headers": 16,
        "max_part_header_size": 8 * 1024,
        "spool_size": 1024 * 1024,
        "max_message_size": 16 * 1024 * 1024,
        "max_values": 1_000_000,
    }


def test_limits_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Limits().max_fields = 1  # type: ignore[misc]  # under test


def test_unknown_names_are_rejected() -> None:
    with pytest.raises((AttributeError, TypeError)):
        object.__setattr__(Limits(), "max_filed_size", 1)


def test_arguments_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        Limits(1)  # type: ignore[misc]  # under test


def test_zero_and_none_are_different_limits() -> None:
    assert Limits(max_body_size=0) != Limits(max_body_size=None)


def test_hash() -> None:
    assert {Limits(max_fields=3): "x"}[Limits(max_fields=3)] == "x"


def test_replace() -> None:
    assert msgspec.structs.replace(Limits(max_files=2), max_fields=3) == Limits(max_files=2, max_fields=3)


@pytest.mark.parametrize("value", ["10", -1, True, 1.5])
@pytest.mark.parametrize("name", ["max_body_size", "spool_size"])
def test_limit_must_be_a_number(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        Limits(**{name: value})  # type: ignore[arg-type]  # under test


def test_spool_size_is_required() -> None:
    with pytest.raises(ValueError, match="spool_size must be"):
        Limits(spool_size=None)  # type: ignore[arg-type]  # under test
