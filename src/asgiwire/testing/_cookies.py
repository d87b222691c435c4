"""The cookie jar of a client. ``http.cookiejar`` is imported with the first cookie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from asgiwire.datastructures import Headers

from ._scopes import Cookies, cookie_header

if TYPE_CHECKING:
    from http.cookiejar import CookieJar as CookieJar  # noqa: PLC0414 - for type checkers of other modules
else:

    def __getattr__(name: str) -> object:
        if name != "CookieJar":
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        from http.cookiejar import CookieJar

        return CookieJar


def new_cookie_jar() -> CookieJar:
    """Create an empty cookie jar."""
    from http.cookiejar import CookieJar

    return CookieJar()


def store_cookies(jar: CookieJar, url: str, headers: Headers) -> None:
    """Store the cookies of a response."""
    jar.extract_cookies(_JarResponse(headers), _jar_request(url))  # type: ignore[arg-type]


def read_cookies(jar: CookieJar, url: str) -> str:
    """Return the value of the Cookie header for a request, or ``""``."""
    request = _jar_request(url)
    jar.add_cookie_header(request)
    return str(request.get_header("Cookie", ""))


def set_cookies(jar: CookieJar, url: str, cookies: Cookies) -> None:
    """Store cookies for all paths of the host of a URL."""
    pairs = cookie_header(cookies).split("; ")
    store_cookies(jar, url, Headers([("set-cookie", f"{pair}; Path=/") for pair in pairs if pair]))


def joined_cookies(stored: str, given: str) -> str:
    """Join two values of a Cookie header; given cookies replace stored cookies with the same name."""
    names = {_name(pair) for pair in _pairs(given)}
    return "; ".join([*(pair for pair in _pairs(stored) if _name(pair) not in names), *_pairs(given)])


def _pairs(header: str) -> Iterable[str]:
    return filter(None, header.split("; "))


def _name(pair: str) -> str:
    return pair.partition("=")[0]


class _JarResponse:
    """A response with the interface that the cookie jar expects."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def info(self) -> Any:
        from email.message import Message

        message = Message()
        for value in self._headers.getall("set-cookie", []):
            message["Set-Cookie"] = value
        return message


def _jar_request(url: str) -> Any:
    from urllib.request import Request

    return Request(url)  # noqa: S310 - never opened
