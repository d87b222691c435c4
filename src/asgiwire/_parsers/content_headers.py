"""Content-Type, Content-Length, and the Content-Disposition of a form's part: what they say.

Each takes time linear in the length of the value, whatever is in it. Left out: Content-Disposition of a
response (RFC 6266), which has other rules for quotes than the forms of browsers have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from asgiwire.exceptions import ClientException, ValidationException

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = (
    "COMMON_DISPOSITION",
    "FormDataDisposition",
    "forbidden_character",
    "parse_boundary",
    "parse_content_disposition",
    "parse_content_length",
    "parse_media_type",
)

OWS = " \t"

# Name, "=", then a quoted string or everything up to the next ";". The possessive quantifiers give nothing
# back, so that 64 KiB of backslashes or semicolons are read once.
_MEDIA_PARAMETER = re.compile(
    r';[ \t]*+([^;="\s]++)[ \t]*+=[ \t]*+(?:"((?:[^"\\]++|\\.)*+)"?|([^;]*+))', re.DOTALL
)
# The pieces between the backslashes that quote: joining them is several times faster than substituting.
_UNQUOTED = re.compile(r"\\?+([^\\]++|\\)")


def parse_media_type(value: bytes | str) -> tuple[str, dict[str, str]]:
    """Split a Content-Type into the lower-cased media type and its parameters (RFC 9110 section 8.3.1).

    The names of the parameters are lower-cased, their values unquoted. The first of two parameters of
    one name counts, as in the WHATWG MIME Sniffing standard. Nothing raises: what is malformed is left out.
    """
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    media_type, semicolon, rest = value.partition(";")
    parameters: dict[str, str] = {}
    if semicolon:
        # One parameter and no quotes: read so in half the time, and most have that.
        name, equals, text = rest.partition("=")
        name = name.strip(OWS)
        if equals and name.isalnum() and '"' not in text and ";" not in text:
            parameters[name.lower()] = text.strip(OWS)
        else:
            parameters = _media_parameters(semicolon + rest)
    return media_type.strip(OWS).lower(), parameters


def _media_parameters(text: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, quoted, bare in _MEDIA_PARAMETER.findall(text):
        unquoted = "".join(_UNQUOTED.findall(quoted)) if "\\" in quoted else quoted
        parameters.setdefault(name.lower(), unquoted or bare.strip(OWS))
    return parameters


# RFC 2046 section 5.1.1 allows these but for "*" and its like, which a token of a Content-Type may have and
# some clients send (a well known example for Android has "*****").
_BOUNDARY = re.compile(r"[\w'()+,./:=? !#$%&*^`|~-]*+(?<! )", re.ASCII)
MAX_BOUNDARY_LENGTH = 256  # the RFC says 70; python-multipart takes no more than this


def parse_boundary(parameters: Mapping[str, str]) -> bytes:
    """The boundary of multipart/form-data, from the parameters of the Content-Type.

    Raises:
        ValidationException: It is missing, empty, too long, or has characters that it cannot have.
    """
    boundary = parameters.get("boundary")
    if boundary is None:
        raise ValidationException("Content-Type multipart/form-data has no boundary")
    if not boundary:
        raise ValidationException("Content-Type multipart/form-data has an empty boundary")
    if len(boundary) > MAX_BOUNDARY_LENGTH:
        raise ValidationException(f"the multipart boundary is longer than {MAX_BOUNDARY_LENGTH} characters")
    if not _BOUNDARY.fullmatch(boundary):
        raise ValidationException("the multipart boundary has characters that RFC 2046 does not allow")
    return boundary.encode("ascii")


# 2**64 has twenty digits. More than that is no length of anything, and int() gives up at 4,300.
MAX_LENGTH_DIGITS = 20


def parse_content_length(value: bytes) -> int:
    """Read a Content-Length: ``1*DIGIT`` and nothing else (RFC 9110 section 8.6).

    Raises:
        ClientException: It is anything else, a list of equal numbers included.
    """
    # bytes.isdigit() is true for the ten ASCII digits alone, unlike str.isdigit() and int().
    if value.isdigit() and len(value) <= MAX_LENGTH_DIGITS:
        return int(value)
    digits = value.strip(b" \t")
    if digits.isdigit() and len(digits) <= MAX_LENGTH_DIGITS:
        return int(digits)
    raise ClientException(f"Content-Length must be a decimal number of bytes, got {_shown(digits)}")


class FormDataDisposition(NamedTuple):
    """What the Content-Disposition of a part says.

    Attributes:
        name: The name of the field, in the charset of the form.
        filename: ``None`` where the part is no file; bytes in the charset of the form; or text, where
            only ``filename*`` was there, which says its charset itself.
    """

    name: bytes
    filename: bytes | str | None


_TOKEN = rb"[!#-'*+.^_`|~0-9A-Za-z-]++"
# A quote ends a value only where the header or the next parameter follows.
_AT_END = rb"(?=[ \t]*+(?:\Z|;[ \t;]*+(?:\Z|" + _TOKEN + rb"[ \t]*+=)))"
# Browsers write a backslash as it is and a quote as %22, so that a quote ends the value whatever stands
# before it: name="a\"; filename="x" is the field a\ and a file. Others escape quotes by backslashes; that
# reading comes second, for values that the first one cannot read.
_DISPOSITION_PARAMETER = re.compile(
    rb"[ \t]*+;[ \t;]*+(?:\Z|(" + _TOKEN + rb")[ \t]*+=[ \t]*+"
    rb'(?:"([^"]*+)"' + _AT_END + rb'|"((?:[^"\\]++|\\.)*+)"' + _AT_END + rb'|([^";]*+)))',
    re.DOTALL,
)
# What nearly every part has, in one match.
COMMON_DISPOSITION: Final = re.compile(
    rb'form-data; name="([^"%\\\r\n\0]*+)"(?:; filename="([^"%\\\r\n\0]*+)")?+'
)
_ESCAPED = re.compile(rb'\\(["\\])')
_FORBIDDEN = re.compile(rb"[\r\n\0]")
_FORBIDDEN_NAMES = {b"\r": "CR", b"\n": "LF", b"\0": "NUL"}


def forbidden_character(value: bytes) -> str:
    """The first of CR, LF and NUL in a header value, by its name, or ``""`` (RFC 9110 section 5.5)."""
    match = _FORBIDDEN.search(value)
    return _FORBIDDEN_NAMES[match[0]] if match else ""


def parse_content_disposition(value: bytes) -> FormDataDisposition:
    r"""Read the Content-Disposition of a part (RFC 7578 section 4.2) as browsers write it.

    ``%22``, ``%0D`` and ``%0A`` are decoded, and nothing else is (WHATWG HTML, "multipart/form-data encoding
    algorithm"). ``\"`` and ``\\`` are, where the value cannot be read otherwise. ``filename*``, which RFC
    7578 forbids, counts only where there is no ``filename`` and it is valid UTF-8.

    Raises:
        ValidationException: The type is not ``form-data``, there is no name, a parameter comes twice, the
            value is malformed or has CR, LF or NUL in it.
    """
    match = COMMON_DISPOSITION.fullmatch(value)
    if match:
        return FormDataDisposition(match[1], match[2])
    if character := forbidden_character(value):
        raise ValidationException(f"{character} in the Content-Disposition of a form's part")
    value = value.strip(b" \t")
    kind = value.partition(b";")[0]
    if kind.strip(b" \t").lower() != b"form-data":
        raise ValidationException(
            f"Content-Disposition of a form's part must be form-data, got {_shown(kind)}"
        )
    parameters = _disposition_parameters(value, len(kind))
    name = parameters.get(b"name")
    if name is None:
        raise ValidationException("Content-Disposition of a form's part has no name")
    filename: bytes | str | None = parameters.get(b"filename")
    if filename is None and b"filename*" in parameters:
        filename = _extended_text(parameters[b"filename*"])
    return FormDataDisposition(name, filename)


def _disposition_parameters(value: bytes, position: int) -> dict[bytes, bytes]:
    parameters: dict[bytes, bytes] = {}
    while position < len(value):
        match = _DISPOSITION_PARAMETER.match(value, position)
        if match is None:
            raise ValidationException("Content-Disposition of a form's part is malformed")
        position = match.end()
        name, quoted, escaped, bare = match.groups()
        if name is None:  # nothing after the last semicolon
            break
        name = name.lower()
        if name in parameters:
            raise ValidationException(
                f"Content-Disposition of a form's part has two parameters {_shown(name)}"
            )
        if quoted is not None:
            parameters[name] = quoted.replace(b"%22", b'"').replace(b"%0D", b"\r").replace(b"%0A", b"\n")
        elif escaped is not None:
            parameters[name] = _ESCAPED.sub(rb"\1", escaped)
        else:
            parameters[name] = bare.rstrip(b" \t")
    return parameters


def _extended_text(value: bytes) -> str | None:
    """The text of an extended value (RFC 8187) in UTF-8; ``None`` for any other, which is ignored."""
    from urllib.parse import unquote_to_bytes

    charset, _, rest = value.partition(b"'")
    _, quote, encoded = rest.partition(b"'")
    if charset.lower() != b"utf-8" or not quote:
        return None
    try:
        return unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        return None


def _shown(value: bytes) -> str:
    """A value from the peer, short enough for a sentence."""
    if len(value) > 40:
        return f"{len(value)} characters"
    return repr(value.decode("latin-1"))
