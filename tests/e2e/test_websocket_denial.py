"""Handshakes that are answered with an HTTP response, and subprotocols, over real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidStatus

from .clients import conversation
from .servers import each
from .socket_app import PIECES
from .socket_servers import SOCKETS, SWALLOW_DENIALS

if TYPE_CHECKING:
    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60), each(SOCKETS)]


@pytest.mark.parametrize("how", ["bytes", "pieces"])
@pytest.mark.parametrize("status", [401, 404, 503])
def test_denial(server: Running, key: str, status: int, how: str) -> None:
    """Where the server cannot, the application closes, and no client waits for ever."""
    with (
        pytest.raises(InvalidStatus) as refused,
        conversation(server, f"/deny?key={key}&status={status}&how={how}"),
    ):
        pass
    response = refused.value.response
    if server.name in SWALLOW_DENIALS:
        assert response.status_code == 403
    else:
        assert response.status_code == status
        assert response.headers["content-type"] == "text/plain"
        assert response.headers["www-authenticate"] == "Basic"
        assert response.body == b"".join(PIECES)
    assert server.record(key, "over")["disconnected"]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["v1", "v2"], "v2"), (["v0", "v1"], "v1"), (["v3", "v2", "v1"], "v3"), (["v0"], None), ([], None)],
)
def test_the_subprotocol_is_this_sides_choice(
    server: Running, offered: list[str], chosen: str | None
) -> None:
    with conversation(server, "/negotiate", subprotocols=offered or None) as socket:
        assert socket.subprotocol == chosen
