"""Work after the response: in the rest of the call, and in a task group that the lifespan waits for."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Annotated

import msgspec

from asgiwire import Request
from asgiwire.exceptions import ClientDisconnect, ClientException
from asgiwire.sending import send_response
from asgiwire.types import Receive, Scope, Send

logging.basicConfig(level=logging.INFO)
LOGGER = logging.getLogger("orders")


class Order(msgspec.Struct):
    """The body of an order."""

    tea: Annotated[str, msgspec.Meta(pattern=r"^[\w ]{1,40}$")]
    seconds: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.1


class Jobs:
    """Runs jobs outside of the request; a job that fails is logged, and does not stop the others.

    Args:
        concurrency: The maximum number of jobs that run at a time.
        timeout: The maximum time of one job, in seconds.
    """

    def __init__(self, concurrency: int = 10, timeout: float = 60) -> None:
        self.timeout = timeout
        self.slots = asyncio.Semaphore(concurrency)
        self.group = asyncio.TaskGroup()

    async def run_lifespan(self, receive: Receive, send: Send) -> None:
        """Start with the server; at its shutdown, wait for the jobs."""
        await receive()
        async with self.group:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def start(self, job: Coroutine[object, object, None]) -> None:
        """Run a job; returns before it starts."""
        self.group.create_task(self._run(job))

    async def _run(self, job: Coroutine[object, object, None]) -> None:
        async with self.slots:
            try:
                async with asyncio.timeout(self.timeout):
                    await job
            except Exception:
                LOGGER.exception("a job failed")


async def brew(order: Order) -> None:
    """Simulate work that takes some time."""
    await asyncio.sleep(order.seconds)
    if order.tea == "coffee":
        raise ValueError("this is a teapot")
    LOGGER.info("brewed %s", order.tea)


jobs = Jobs()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """``/call`` works in the rest of the call, every other path in the task group."""
    if scope["type"] == "lifespan":
        return await jobs.run_lifespan(receive, send)
    request = Request(scope, receive, send)
    try:
        order = await request.json(type=Order)  # before the response: later, the body may be lost
    except ClientException as error:
        return await send_response(send, error.status_code, error.detail.encode(), error.headers)
    except ClientDisconnect:
        return None
    await send_response(send, 202, b"accepted", {"content-type": "text/plain"})
    if request.url.path == "/call":
        await brew(order)  # the server logs an exception; the client has its response
    else:
        jobs.start(brew(order))
    return None
