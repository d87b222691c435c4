"""Growth and footprint: every kind runs, and an exponent is what it says."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks import contestants, footprint, growth


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_the_exponent_of_a_power(power: float) -> None:
    sizes = [10, 100, 1000, 10_000, 100_000]

    assert growth.exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_fixed_costs_are_not_in_the_exponent() -> None:
    sizes = [10, 100, 1000, 10_000, 100_000]

    assert growth.exponent(sizes, [50 + size for size in sizes]) > 0.9


@pytest.mark.parametrize("kind", growth.KINDS)
def test_every_kind_is_read(kind: str) -> None:
    make, read = growth.KINDS[kind]

    asyncio.run(read(make(2000).arguments))  # more than the usual limits allow


def test_the_table_of_growth() -> None:
    measured = {"cookies": {"microseconds": {"10": 2.0, "100": 20.0}, "exponent": 1.0}}

    assert growth.table(measured).splitlines()[1].split() == ["cookies", "2.00", "20.0", "1.00"]


@pytest.mark.parametrize("name", ["raw", "asgiwire"])
def test_what_is_idle_has_a_size(name: str) -> None:
    module = contestants.load(name)
    assert module
    measured = footprint.measure({name: module}, 200)[name]

    assert all(figure > 0 for figure in measured.values())
    assert ("websocket" in measured) == (name == "asgiwire")
