"""Parsers for Content-Type with its boundary, Content-Length, and the Content-Disposition of a form part.

All of them take linear time. The Content-Disposition of a response (RFC 6266) has other rules for quotes and
is not supported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from asgiwire.exceptions import ClientException, ValidationException

from .header_pairs import Pairs, header_values

__all__ = (
    "COMMON_DISPOSITION",
    "FormDataDisposition",
    "content_length",
    "find_delimiter",
    "forbidden_character",
    "has_several_boundaries",
    "parse_boundary",
    "parse_content_disposition",
    "parse_media_type",
)

OWS = " \t"

_COMMON_NAMES = {blank + name: name for blank in ("", " ") for name in ("boundary", "charset")}

# Name, "=", then a quoted string or everything up to the next ";". Invalid names are matched too, so that
# nothing in a quoted value is taken for a parameter. The possessive quantifiers prevent backtracking over
# long runs of backslashes or semicolons.
_MEDIA_PARAMETER = re.compile(r';([^;=]*+)=[ \t]*+(?:"((?:[^"\\]++|\\.)*+)"?|([^;]*+))', re.DOTALL)
_TOKEN_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# Text between escaping backslashes: joining the matches is several times faster than a substitution.
_UNQUOTED = re.compile(r"\\?+([^\\]++|\\)")


def parse_media_type(value: bytes | str) -> tuple[str, dict[str, str]]:
    """Split a Content-Type into the media type and its parameters (RFC 9110 section 8.3.1).

    The media type and the names of parameters are lower-cased, values are unquoted. Of several parameters
    with the same name the first is used (WHATWG MIME Sniffing). A parameter is ignored if its name is not a
    token or its value contains a control character.
    """
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    media_type, semicolon, rest = value.partition(";")
    parameters: dict[str, str] = {}
    if semicolon:
        # The common case of one unquoted parameter, in half the time.
        sent_name, equals, text = rest.partition("=")
        name = _COMMON_NAMES.get(sent_name)
        if equals and name is not None and ";" not in text and '"' not in text and text.isprintable():
            parameters[name] = text.strip(OWS)
        else:
            parameters = _media_parameters(semicolon + rest)
    return media_type.strip(OWS).lower(), parameters


def _media_parameters(text: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for text_of_name, quoted, bare in _MEDIA_PARAMETER.findall(text):
        unquoted = "".join(_UNQUOTED.findall(quoted)) if "\\" in quoted else quoted
        value = unquoted or bare.strip(OWS)
        name = text_of_name.strip(OWS)
        if _TOKEN_NAME.fullmatch(name) and not _CONTROL.search(value):
            parameters.setdefault(name.lower(), value)
    return parameters


# The characters of RFC 2046 section 5.1.1, and "*" and similar ones, which are valid in a token and which
# some clients send (a common example for Android uses "*****").
_BOUNDARY = re.compile(r"[\w'()+,./:=? !#$%&*^`|~-]*+(?<! )", re.ASCII)
MAX_BOUNDARY_LENGTH = 256  # python-multipart's limit; RFC 2046 allows 70


def parse_boundary(parameters: Mapping[str, str]) -> bytes:
    """Return the boundary of multipart/form-data from the parameters of the Content-Type.

    Raises:
        ValidationException: The boundary is missing, empty, too long, or contains invalid characters.
    """
    boundary = parameters.get("boundary")
    if boundary is None:
        raise ValidationException("Content-Type multipart/form-data has no boundary")
    if not boundary:
        raise ValidationException("Content-Type multipart/form-data has an empty boundary")
    if len(boundary) > MAX_BOUNDARY_LENGTH:
        raise ValidationException(f"the multipart boundary is longer than {MAX_BOUNDARY_LENGTH} characters")
    if not _BOUNDARY.fullmatch(boundary):
        raise ValidationException("the multipart boundary contains characters that RFC 2046 does not allow")
    return boundary.encode("ascii")


def find_delimiter(data: bytes, delimiter: bytes, start: int, /) -> int:
    """Return the position of a multipart delimiter at or after ``start``, or -1."""
    return data.find(delimiter, start)


def has_several_boundaries(value: bytes) -> bool:
    """Whether a Content-Type has more than one ``boundary``, ``boundary*`` or ``boundary*0`` parameter."""
    if value.count(b"=") < 2:
        return False
    names: list[str] = [
        match[1].strip(OWS).lower() for match in _MEDIA_PARAMETER.finditer(value.decode("latin-1"))
    ]
    return [name.partition("*")[0] for name in names].count("boundary") > 1


# 2**64 has 20 digits. int() raises ValueError for more than 4,300.
MAX_LENGTH_DIGITS = 20


def content_length(pairs: Pairs, /) -> int | None:
    """Return the declared length of the body in bytes, or ``None`` (RFC 9110 section 8.6).

    Raises:
        ClientException: It is not a number, or was sent twice with different values.
    """
    values = header_values(pairs, b"content-length")
    if not values:
        return None
    if len(values) > 1 and len(set(values)) > 1:
        msg = "expected one Content-Length header, got several with different values"
        raise ClientException(msg)
    return _parse_length(values[0])


def _parse_length(value: bytes) -> int:
    # A list of equal numbers is invalid too.
    # bytes.isdigit() accepts ASCII digits only, unlike str.isdigit() and int().
    if value.isdigit() and len(value) <= MAX_LENGTH_DIGITS:
        return int(value)
    digits = value.strip(b" \t")
    if digits.isdigit() and len(digits) <= MAX_LENGTH_DIGITS:
        return int(digits)
    raise ClientException(f"Content-Length must be a decimal number of bytes, got {len(digits)} characters")


class FormDataDisposition(NamedTuple):
    """The Content-Disposition of a form part.

    Attributes:
        name: The name of the field, in the charset of the form.
        filename: ``None`` if the part is not a file, ``bytes`` in the charset of the form, or ``str`` if it
            comes from ``filename*``, which declares its own charset.
    """

    name: bytes
    filename: bytes | str | None


_TOKEN = rb"[!#-'*+.^_`|~0-9A-Za-z-]++"
# A quote ends a value only before the end of the header or the next parameter.
_AT_END = rb"(?=[ \t]*+(?:\Z|;[ \t;]*+(?:\Z|" + _TOKEN + rb"[ \t]*+=)))"
# Browsers do not escape backslashes and write a quote as %22. So a quote ends the value even after a
# backslash: name="a\"; filename="x" is the field a\ with a file. Other clients escape quotes with
# backslashes, which is the second alternative, for values that the first does not match.
_DISPOSITION_PARAMETER = re.compile(
    rb"[ \t]*+;[ \t;]*+(?:\Z|(" + _TOKEN + rb")[ \t]*+=[ \t]*+"
    rb'(?:"([^"]*+)"' + _AT_END + rb'|"((?:[^"\\]++|\\.)*+)"' + _AT_END + rb'|([^";]*+)))',
    re.DOTALL,
)
# The form that nearly every part has.
COMMON_DISPOSITION: Final = re.compile(
    rb'form-data; name="([^"%\\\r\n\0]*+)"(?:; filename="([^"%\\\r\n\0]*+)")?+'
)
# RFC 2047. HttpClient of .NET sends it beside filename*, for readers that do not know that.
_ENCODED_WORDS = re.compile(rb"(?:[ \t]*+=\?[^?\s]++\?[bBqQ]\?[^?]*+\?=)++")
_EXTENDED_NAME = re.compile(rb"name\*.*|filename\*.+")
_ESCAPED = re.compile(rb'\\(["\\])')
_FORBIDDEN = re.compile(rb"[\r\n\0]")
_FORBIDDEN_NAMES = {b"\r": "CR", b"\n": "LF", b"\0": "NUL"}


def forbidden_character(value: bytes) -> str:
    """Return the name of the first CR, LF or NUL in a header value, or ``""`` (RFC 9110 section 5.5)."""
    match = _FORBIDDEN.search(value)
    return _FORBIDDEN_NAMES[match[0]] if match else ""


def parse_content_disposition(value: bytes) -> FormDataDisposition:
    r"""Parse the Content-Disposition of a form part (RFC 7578 section 4.2) as browsers write it.

    Only ``%22``, ``%0D`` and ``%0A`` are percent-decoded (WHATWG HTML, "multipart/form-data encoding
    algorithm"). ``\"`` and ``\\`` are unescaped if the value is malformed otherwise. ``filename*``, which RFC
    7578 forbids, is used only if it is valid UTF-8, and ``filename`` is missing or an encoded word (RFC
    2047).

    Raises:
        ValidationException: The type is not ``form-data``, the name is missing, a parameter appears twice,
            or the value is malformed or contains CR, LF or NUL.
    """
    match = COMMON_DISPOSITION.fullmatch(value)
    if match:
        return FormDataDisposition(match[1], match[2])
    if character := forbidden_character(value):
        raise ValidationException(f"{character} in the Content-Disposition of a form's part")
    value = value.strip(b" \t")
    kind = value.partition(b";")[0]
    if kind.strip(b" \t").lower() != b"form-data":
        raise ValidationException("Content-Disposition of a form's part must be form-data, got another type")
    parameters = _disposition_parameters(value, len(kind))
    name = parameters.get(b"name")
    if name is None:
        raise ValidationException("Content-Disposition of a form's part has no name")
    # RFC 7578 defines none of these. Some readers decode them (RFC 2231), others ignore them.
    if any(_EXTENDED_NAME.fullmatch(parameter) for parameter in parameters):
        raise ValidationException("Content-Disposition of a form's part has a name* or filename*0 parameter")
    filename = parameters.get(b"filename")
    if b"filename*" in parameters and (filename is None or _ENCODED_WORDS.fullmatch(filename)):
        extended = _extended_text(parameters[b"filename*"])
        return FormDataDisposition(name, filename if extended is None else extended)
    return FormDataDisposition(name, filename)


def _disposition_parameters(value: bytes, position: int) -> dict[bytes, bytes]:
    parameters: dict[bytes, bytes] = {}
    while position < len(value):
        match = _DISPOSITION_PARAMETER.match(value, position)
        if match is None:
            raise ValidationException("Content-Disposition of a form's part is malformed")
        position = match.end()
        name, quoted, escaped, bare = match.groups()
        if name is None:  # the header ends with a semicolon
            break
        name = name.lower()
        if name in parameters:
            what = repr(name.decode()) if name in {b"name", b"filename", b"filename*"} else "of the same name"
            raise ValidationException(f"Content-Disposition of a form's part has two parameters {what}")
        if quoted is not None:
            parameters[name] = quoted.replace(b"%22", b'"').replace(b"%0D", b"\r").replace(b"%0A", b"\n")
        elif escaped is not None:
            parameters[name] = _ESCAPED.sub(rb"\1", escaped)
        else:
            parameters[name] = bare.rstrip(b" \t")
    return parameters


def _extended_text(value: bytes) -> str | None:
    """Decode an extended value (RFC 8187) in UTF-8; return ``None`` for other charsets and invalid ones."""
    from urllib.parse import unquote_to_bytes

    charset, _, rest = value.partition(b"'")
    _, quote, encoded = rest.partition(b"'")
    if charset.lower() != b"utf-8" or not quote:
        return None
    try:
        return unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        return None
