"""Where a request comes from: ``Sec-Fetch-Site`` and ``Origin``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from asgiwire.types import FetchSite

SITES: Final = frozenset({b"same-origin", b"same-site", b"cross-site", b"none"})


def fetch_site(sites: Sequence[bytes], origins: Sequence[bytes], hosts: Sequence[bytes]) -> FetchSite | None:
    """Return the relation between the page that made the request and the requested URL.

    Without ``Sec-Fetch-Site`` the hosts and ports of ``Origin`` and ``Host`` are compared. Their schemes are
    not: behind a proxy that terminates TLS, the scope has another scheme than the browser. Whether two hosts
    are one site cannot be told without the Public Suffix List, so they count as cross-site.

    Args:
        sites: The values of ``Sec-Fetch-Site``.
        origins: The values of ``Origin``.
        hosts: The values of ``Host``.
    """
    if sites:
        site = sites[0].strip(b" \t")
        if len(set(sites)) > 1 or site not in SITES:
            return "cross-site"
        return cast("FetchSite", site.decode())
    if not origins:
        return None
    scheme, separator, host = origins[0].strip(b" \t").lower().partition(b"://")
    if len(set(origins)) > 1 or len(set(hosts)) != 1 or scheme not in {b"http", b"https"} or not separator:
        return "cross-site"
    return "same-origin" if host and host == hosts[0].strip(b" \t").lower() else "cross-site"
