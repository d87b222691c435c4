"""The rate limit: 429 on real servers, the time to wait, and the number of buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from asgiwire.testing import SyncClient
from examples.recipes import rate_limit
from examples.recipes.rate_limit import RateLimit, app, hello

if TYPE_CHECKING:
    from asgiwire.types import ASGIApp


def request(application: ASGIApp, host: str = "192.0.2.1") -> int:
    return SyncClient(application, client=(host, 50000)).get().status


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the program sees, in a list of one item."""
    now = [1000.0]
    monkeypatch.setattr(rate_limit, "monotonic", lambda: now[0])
    return now


@pytest.mark.e2e
@pytest.mark.parametrize("address", ["uvicorn", "hypercorn"], indirect=True)
def test_the_sixth_request_of_a_minute_is_a_429_and_so_is_a_handshake(address: str) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    app.buckets.clear()  # both servers run the same application
    with connect(f"ws://{address}/") as socket:
        assert socket.recv() == "hello"
    with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
        assert [client.get("/").text for _ in range(4)] == ["hello\n"] * 4
        response = client.get("/")
    assert (response.status_code, response.text) == (429, "too many requests\n")
    assert 1 <= int(response.headers["retry-after"]) <= 12
    with pytest.raises(InvalidStatus) as error:
        connect(f"ws://{address}/")
    assert error.value.response.status_code == 429
    assert 1 <= int(error.value.response.headers["retry-after"]) <= 12
    assert error.value.response.body == b"too many requests\n"


def test_a_request_after_the_time_of_retry_after_is_allowed(seconds: list[float]) -> None:
    limited = RateLimit(hello, limit=2, seconds=5)
    assert [request(limited) for _ in range(3)] == [200, 200, 429]
    assert SyncClient(limited, client=("192.0.2.1", 1)).get().headers["retry-after"] == "3"
    seconds[0] += 2.4
    assert request(limited) == 429
    seconds[0] += 0.1
    assert [request(limited) for _ in range(2)] == [200, 429]
    seconds[0] += 1_000_000
    assert [request(limited) for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8:0:0:ffff::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("unknown", "x" * 100_000, True),
    ],
)
def test_which_clients_share_a_bucket(first: str, second: str, shared: bool) -> None:
    limited = RateLimit(hello, limit=1, seconds=60)
    assert request(limited, first) == 200
    assert request(limited, second) == (429 if shared else 200)
    assert max(map(len, limited.buckets)) < 40


def test_clients_without_an_address_share_a_bucket() -> None:
    client = SyncClient(RateLimit(hello, limit=1, seconds=60), client=None)
    assert [client.get().status for _ in range(2)] == [200, 429]


def test_the_bucket_that_was_not_used_for_the_longest_time_is_dropped(seconds: list[float]) -> None:
    limited = RateLimit(hello, limit=2, seconds=60, max_clients=2)
    for host in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"):
        assert request(limited, host) == 200
    assert list(limited.buckets) == ["192.0.2.1", "192.0.2.3"]
    assert request(limited, "192.0.2.1") == 429


def test_a_handshake_is_a_403_where_the_server_supports_no_denial_response() -> None:
    client = SyncClient(RateLimit(hello, limit=1, seconds=60))
    assert client.get().status == 200
    with client.websocket(extensions={}) as socket:
        assert (socket.accepted, socket.status) == (False, 403)
