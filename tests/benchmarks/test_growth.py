"""Growth and footprint: every kind runs, and the exponent is correct."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks import contestants, footprint, growth


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_exponent_of_a_power(power: float) -> None:
    sizes = [10, 100, 1000, 10_000, 100_000]

    assert growth.exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_exponent_ignores_fixed_costs() -> None:
    sizes = [10, 100, 1000, 10_000, 100_000]

    assert growth.exponent(sizes, [50 + size for size in sizes]) > 0.9


@pytest.mark.parametrize("kind", growth.KINDS)
def test_every_kind_can_be_read_above_the_default_limits(kind: str) -> None:
    make, read = growth.KINDS[kind]

    asyncio.run(read(make(2000).arguments))


@pytest.mark.parametrize("name", ["raw", "asgiwire"])
def test_idle_objects_have_a_size(name: str) -> None:
    module = contestants.load(name)
    assert module
    measured = footprint.measure({name: module}, 200)[name]

    assert all(figure > 0 for figure in measured.values())
    assert ("websocket" in measured) == (name == "asgiwire")
