"""Limits: the defaults that are in force, and that nobody changes them for somebody else."""

from __future__ import annotations

import msgspec
import pytest

from asgiwire.limits import Limits


def test_secure_defaults_are_in_force() -> None:
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
    }


def test_limits_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Limits().max_fields = 1  # type: ignore[misc]  # the thing tested


def test_limits_take_no_other_name() -> None:
    with pytest.raises((AttributeError, TypeError)):
        object.__setattr__(Limits(), "max_filed_size", 1)


def test_limits_are_named_never_counted() -> None:
    with pytest.raises(TypeError):
        Limits(1)  # type: ignore[misc]  # the thing tested


def test_zero_and_none_are_different_limits() -> None:
    assert Limits(max_body_size=0) != Limits(max_body_size=None)


def test_equal_limits_are_one_key() -> None:
    assert {Limits(max_fields=3): "x"}[Limits(max_fields=3)] == "x"


def test_one_limit_is_replaced_and_the_others_stay() -> None:
    assert msgspec.structs.replace(Limits(max_files=2), max_fields=3) == Limits(max_files=2, max_fields=3)


@pytest.mark.parametrize("value", ["10", -1, True, 1.5])
@pytest.mark.parametrize("name", ["max_body_size", "spool_size"])
def test_a_limit_is_a_number(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        Limits(**{name: value})  # type: ignore[arg-type]  # the thing tested


def test_there_is_always_a_spool_size() -> None:
    with pytest.raises(ValueError, match="spool_size must be"):
        Limits(spool_size=None)  # type: ignore[arg-type]  # the thing tested
