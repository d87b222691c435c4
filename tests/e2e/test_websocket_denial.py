"""Denial responses and subprotocols on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidStatus

from .clients import open_websocket
from .servers import each
from .socket_app import CHUNKS
from .socket_servers import SOCKETS, WITHOUT_DENIAL_RESPONSES

if TYPE_CHECKING:
    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60), each(SOCKETS)]


@pytest.mark.parametrize("how", ["bytes", "chunks"])
@pytest.mark.parametrize("status", [401, 404, 503])
def test_denial_response(server: Running, key: str, status: int, how: str) -> None:
    """Without support in the server the application closes, so that the client gets a 403."""
    with (
        pytest.raises(InvalidStatus) as caught,
        open_websocket(server, f"/deny?key={key}&status={status}&how={how}"),
    ):
        pass
    response = caught.value.response
    if server.name in WITHOUT_DENIAL_RESPONSES:
        assert response.status_code == 403
    else:
        assert response.status_code == status
        assert response.headers["content-type"] == "text/plain"
        assert response.headers["www-authenticate"] == "Basic"
        assert response.body == b"".join(CHUNKS)
    assert server.record(key, "over")["disconnected"]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["v1", "v2"], "v2"), (["v0", "v1"], "v1"), (["v3", "v2", "v1"], "v3"), (["v0"], None), ([], None)],
)
def test_application_selects_the_subprotocol(server: Running, offered: list[str], chosen: str | None) -> None:
    with open_websocket(server, "/negotiate", subprotocols=offered or None) as socket:
        assert socket.subprotocol == chosen
