"""Tasks that take turns."""

from __future__ import annotations

import anyio
import pytest
from anyio import wait_all_tasks_blocked as wait_until_blocked
from anyio.lowlevel import checkpoint

from asgiwire._websocket.lock import Turn

pytestmark = pytest.mark.anyio


class TestTurn:
    """A lock in the order of asking."""

    async def test_nothing_is_made_while_nobody_waits(self) -> None:
        turn = Turn()
        for _ in range(3):
            async with turn:
                assert turn.taken
        assert not turn.taken
        assert turn.waiting is None

    async def test_first_come_first_served(self) -> None:
        turn, served = Turn(), list[int]()

        async def customer(number: int) -> None:
            async with turn:
                await checkpoint()
                served.append(number)

        async with anyio.create_task_group() as group, turn:
            for number in range(5):
                group.start_soon(customer, number)
                await wait_until_blocked()
        assert served == [0, 1, 2, 3, 4]
        assert not turn.taken

    async def test_nobody_jumps_the_queue(self) -> None:
        """The turn is handed over, never put down for whoever is quickest."""
        turn, served = Turn(), list[str]()

        async def customer() -> None:
            async with turn:
                served.append("waited")

        async with anyio.create_task_group() as group:
            await turn.__aenter__()
            group.start_soon(customer)
            await wait_until_blocked()
            await turn.__aexit__(None, None, None)
            async with turn:
                served.append("came later")
        assert served == ["waited", "came later"]

    async def test_who_gives_up_waiting_is_passed_over(self) -> None:
        turn, served = Turn(), list[str]()
        scope = anyio.CancelScope()

        async def impatient() -> None:
            with scope:
                async with turn:
                    served.append("impatient")

        async def patient() -> None:
            async with turn:
                served.append("patient")

        async with anyio.create_task_group() as group, turn:
            group.start_soon(impatient)
            await wait_until_blocked()
            group.start_soon(patient)
            await wait_until_blocked()
            scope.cancel()
            await wait_until_blocked()
        assert served == ["patient"]
        assert not turn.taken

    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_a_turn_that_comes_with_the_cancellation_is_passed_on(self, anyio_backend: str) -> None:
        """On asyncio a task can be woken and cancelled in one round of the loop."""
        import asyncio

        turn, served = Turn(), list[str]()

        async def customer(name: str) -> None:
            async with turn:
                served.append(name)

        await turn.__aenter__()
        first = asyncio.create_task(customer("first"))
        await asyncio.sleep(0)
        second = asyncio.create_task(customer("second"))
        await asyncio.sleep(0)
        turn.pass_on()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await second
        assert served == ["second"]
        assert not turn.taken

    async def test_an_error_passes_the_turn_on(self) -> None:
        turn = Turn()
        with pytest.raises(KeyError):
            async with turn:
                raise KeyError
        assert not turn.taken
