"""What a request negotiates beside the media type: languages, codings, conditions, ranges.

The headers are rare, or asked for by one middleware at most: each property parses at each access, keeps
nothing, and imports its parser when it is first asked. None raises because of what the client sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiwire.datastructures.headers import raw_headers, scope_headers

if TYPE_CHECKING:
    from datetime import datetime

    from asgiwire.datastructures.conditional import IfMatch, IfNoneMatch, IfRange
    from asgiwire.datastructures.preferences import AcceptCharset, AcceptEncoding, AcceptLanguage
    from asgiwire.datastructures.range import Range
    from asgiwire.types import Scope


class Negotiation:
    """The headers by which a client says which representation it wants, and when."""

    __slots__ = ()

    scope: Scope

    @property
    def accept_language(self) -> AcceptLanguage:
        """The languages that the client wants (RFC 9110 section 12.5.4); parsed at each access."""
        from asgiwire.datastructures.preferences import AcceptLanguage

        return AcceptLanguage(header_list(self.scope, b"accept-language"))

    @property
    def accept_encoding(self) -> AcceptEncoding:
        """The content codings that the client accepts (RFC 9110 section 12.5.3); parsed at each access."""
        from asgiwire.datastructures.preferences import AcceptEncoding

        return AcceptEncoding(header_list(self.scope, b"accept-encoding"))

    @property
    def accept_charset(self) -> AcceptCharset:
        """The charsets that the client accepts (RFC 9110 section 12.5.2); parsed at each access.

        The header is deprecated, and no browser sends it.
        """
        from asgiwire.datastructures.preferences import AcceptCharset

        return AcceptCharset(header_list(self.scope, b"accept-charset"))

    @property
    def if_match(self) -> IfMatch | None:
        """The tags of which the representation must be one (RFC 9110 section 13.1.1); parsed at each access.

        ``None`` where there is no such header; one in which no tag can be read matches nothing.
        """
        from asgiwire.datastructures.conditional import IfMatch

        value = header_list(self.scope, b"if-match")
        return None if value is None else IfMatch.from_header(value)

    @property
    def if_none_match(self) -> IfNoneMatch | None:
        """The tags of which the representation must be none (RFC 9110 section 13.1.2); parsed at each access.

        ``None`` where there is no such header; one in which no tag can be read matches nothing.
        """
        from asgiwire.datastructures.conditional import IfNoneMatch

        value = header_list(self.scope, b"if-none-match")
        return None if value is None else IfNoneMatch.from_header(value)

    @property
    def if_modified_since(self) -> datetime | None:
        """The date since which a modification is asked for, in UTC; parsed at each access.

        ``None`` where it is absent or invalid. It counts for GET and HEAD alone, and only where there is no
        ``If-None-Match`` (RFC 9110 section 13.1.3).
        """
        return _date(self.scope, b"if-modified-since")

    @property
    def if_unmodified_since(self) -> datetime | None:
        """The date since which there must be no modification, in UTC; parsed at each access.

        ``None`` where it is absent or invalid. It counts only where there is no ``If-Match`` (RFC 9110
        section 13.1.4).
        """
        return _date(self.scope, b"if-unmodified-since")

    @property
    def if_range(self) -> IfRange | None:
        """The tag or date on which :attr:`range` depends (RFC 9110 section 13.1.5); parsed at each access.

        ``None`` where there is no such header; one that is invalid matches nothing.
        """
        from asgiwire.datastructures.conditional import IfRange

        value = header_list(self.scope, b"if-range")
        return None if value is None else IfRange.from_header(value)

    @property
    def range(self) -> Range | None:
        """The ranges that the client asks for (RFC 9110 section 14.2); parsed at each access.

        ``None`` where the header is absent or invalid, and so to be ignored. It counts for GET alone.
        """
        from asgiwire.datastructures.range import Range

        value = single_header(self.scope, b"range")
        return None if value is None else Range.from_header(value)


def header_list(scope: Scope, name: bytes) -> str | None:
    """All values of a header that is a list, joined (RFC 9110 section 5.3), or ``None``."""
    values = raw_headers(scope_headers(scope), name)
    return b", ".join(values).decode("latin-1") if values else None


def single_header(scope: Scope, name: bytes) -> str | None:
    """The value of a header that is no list, or ``None``; of several that differ none is to be trusted."""
    values = raw_headers(scope_headers(scope), name)
    return values[0].decode("latin-1") if values and len(set(values)) == 1 else None


def _date(scope: Scope, name: bytes) -> datetime | None:
    from asgiwire._parsers.http_dates import parse_http_date

    value = single_header(scope, name)
    return None if value is None else parse_http_date(value)
