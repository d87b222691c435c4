r"""Detect and mask secrets for logs and ``repr``.

A secret is detected by its name, in every notation of URLs, headers, cookies, JSON and authentication
schemes, percent-encoded or not. Some values are detected without a name: the userinfo of a URL, the
credentials after the name of an authentication scheme, and tokens with a known format.

All functions take linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from .percent import percent_decode

MASK: Final = "***"

Masks: TypeAlias = Callable[[str], bool]
"""Whether to mask the value of a header or parameter with this name."""

CREDENTIAL_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})

# These match inside a word: "accesstoken" and "PHPSESSID" have no word boundary.
_TEXTS: Final = (
    r"(?:access|account|api|app|auth|client|consumer|encryption|master|private|service|shared|signing|ssh)"
    r"[-_. ]?key|assertion|authenticat|authoriz|bearer|cookie|credential|csrf|dpop|hmac|jwt|oauth|oidc"
    r"|onetime|passphrase|passw|pswd|pwd|saml|secret|sessid|session|signature|token|xsrf"
)
# These match a whole word only. Otherwise "author", "monkey", "passenger" and "design" would be masked.
_WORDS: Final = (
    "auth|authn|authz|code|cred|creds|cvc|cvv|jwe|jws|key|mfa|otp|pass|passcode|pin|psw|pw|sas|sess|sid|sig|sso"
    "|ticket|totp"
)
# A word begins after a character that is not a letter, or at a capital letter.
SECRET_NAME: Final = re.compile(
    rf"(?i:{_TEXTS})|(?<![A-Za-z])(?:{_WORDS})(?![a-z])|(?:{_WORDS.title()})(?![a-z])"
    rf"|(?<![A-Z])(?:{_WORDS.upper()})(?![A-Za-z])"
)

# These names match, but their values are public.
PUBLIC_NAMES: Final = frozenset(
    {"idempotency-key", "proxy-authenticate", "sec-websocket-key", "surrogate-key", "www-authenticate"}
)

# A longer name is not searched, and its value is masked.
MAX_NAME: Final = 256
# The maximum number of headers whose values are searched, the maximum size of a value, and of all values.
MAX_HEADERS: Final = 64
MAX_VALUE: Final = 512
TOTAL_VALUES: Final = 16
# The maximum size of the part of a URL that is searched.
MAX_URL: Final = 2048

# The authentication schemes that `repr` shows. Any other word can be a key that was sent without a scheme.
SCHEMES: Final = frozenset({
    "apikey", "aws4-hmac-sha256", "basic", "bearer", "concealed", "digest", "dpop", "gnap", "hawk", "hoba",
    "mutual", "negotiate", "ntlm", "oauth", "privatetoken", "scram-sha-1", "scram-sha-256", "token", "vapid",
})  # fmt: skip

# A text that is percent-encoded more often than this is masked.
MAX_DECODINGS: Final = 3

# A name and "=" or ":". A name in double quotes can have blanks and JSON escapes.
PAIR: Final = re.compile(
    r"""(?:"((?:[^"\\]|\\.){1,64}+)"|(?<![^\s?&;,#=:"'<>{}()/|])([^\s?&;,#=:"'<>{}()/|]++)["']?)"""
    r"""[ \t]*+([=:])[ \t]*+""",
    re.DOTALL,
)
JSON_ESCAPE: Final = re.compile(r"\\u([0-9A-Fa-f]{4})")
# A quoted string that is the whole value.
QUOTED: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"(?=[\s,;&}\])>]|\Z)|\Z)', re.DOTALL)
# The value of a parameter of a URL, header or cookie. It can contain quotes, commas and semicolons.
UNQUOTED: Final = re.compile(r"(?![\"'{\[])[^&#>\s]*+")

# Values that are secrets without a name: what follows an authentication scheme, JSON Web Tokens, and the
# tokens of some large providers.
CREDENTIALS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:((?:basic|bearer|digest|dpop|negotiate|ntlm)(?:[ \t]++|\+))[^,;\s].*+"
    r"|(?:eyJ[\w-]{6}|gh[opsur]_\w|github_pat_|glpat-|xox[abeoprs]-|[rs]k_(?:live|test)_|AKIA[0-9A-Z]{8}|AIza)"
    r"[\w.~+/=-]*+)",
    re.DOTALL | re.IGNORECASE,
)

# The characters that can be in an authority with userinfo.
AUTHORITY: Final = re.compile(r"[^\s/?#\\]++")
AUTHORITY_ENDS: Final = " \t/?#\\"
# Headers whose value is an authority, or has one without "//" before it.
AUTHORITY_HEADERS: Final = ("host", "forwarded", "authority", "via", "origin", "server")
BEFORE_USERINFO: Final = "\"'<("

URL_START: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*+:)?[/\\]")
SUBPROTOCOLS: Final = "sec-websocket-protocol"
MAX_SUBPROTOCOL: Final = 64


def is_secret_name(name: str, shown: frozenset[str] = PUBLIC_NAMES) -> bool:
    """Return whether the value of a header or parameter with this name is a secret.

    Args:
        name: The name, decoded, in any case.
        shown: Names in lower case that are not secret, although they match. It cannot contain the headers
            for credentials and cookies.
    """
    if len(name) > MAX_NAME:
        return True
    lower = name.lower()
    if lower in CREDENTIAL_HEADERS:
        return True
    if lower in shown:
        return False
    return SECRET_NAME.search(name) is not None


def mask_headers(
    pairs: Sequence[tuple[bytes, bytes]],
    masks: Masks = is_secret_name,
    max_headers: int = MAX_HEADERS,
    max_size: int = MAX_VALUE,
) -> list[tuple[str, str]]:
    """Return the first headers as text, with their secrets masked.

    The time does not depend on the size of the headers. A value is truncated before it is searched. At most
    16 times the maximum size of one value is searched in all values.

    Args:
        pairs: The headers as in a scope.
        masks: Whether to mask the value of a name.
        max_headers: The maximum number of headers to return.
        max_size: The maximum size of a value. A longer one ends in ``...``.
    """
    headers: list[tuple[str, str]] = []
    remaining = TOTAL_VALUES * max_size
    for raw_name, raw_value in pairs[:max_headers]:
        name = raw_name[: MAX_NAME + 1].decode("latin-1").lower()
        if masks(name):
            headers.append((name, MASK))
            continue
        size = min(max_size, remaining)
        value = raw_value[:size].strip(b" \t").decode("latin-1")
        remaining -= len(value)
        is_cut = len(raw_value) > size
        headers.append((name, truncate(mask_header(name, value, masks, is_cut=is_cut), max_size, is_cut)))
    return headers


def truncate(text: str, size: int, is_cut: bool = False) -> str:
    """Return at most ``size`` characters, with ``...`` at the end if it is truncated, now or before."""
    # A lone surrogate is replaced, because it cannot be encoded.
    text = text.encode("utf-8", "replace").decode()
    return f"{text[: max(size - 3, 0)]}..." if is_cut or len(text) > size else text


def mask_header(name: str, value: str, masks: Masks = is_secret_name, *, is_cut: bool = False) -> str:
    """Mask the secrets in the value of a header.

    Args:
        name: The name in lower case. Its value is not masked as a whole.
        value: The value as text.
        masks: Whether to mask the value of a name.
        is_cut: Whether the value was truncated. Then its end can be a part of a secret.
    """
    if name == SUBPROTOCOLS:
        return MASK if any(is_secret_subprotocol(item, masks) for item in value.split(",")) else value
    if URL_START.match(value):
        return mask_url(value, masks, is_cut=is_cut)
    has_authority = any(word in name for word in AUTHORITY_HEADERS)
    return mask_text(value, masks, is_cut=is_cut, has_authority=has_authority)


def is_secret_subprotocol(text: str, masks: Masks = is_secret_name) -> bool:
    """Return whether a subprotocol looks like a secret: clients send tokens there if they send no headers."""
    return len(text) > MAX_SUBPROTOCOL or masks(text) or mask_text(text, masks) != text


def mask_url(text: str, masks: Masks = is_secret_name, *, is_cut: bool = False) -> str:
    """Mask the userinfo of a URL and the secrets in its path, its query and its fragment."""
    text, hash_mark, fragment = text.partition("#")
    head, question_mark, query = text.partition("?")
    head = mask_text(head, masks, is_cut=is_cut and not (question_mark or hash_mark))
    query = mask_query(query, masks, is_cut=is_cut and not hash_mark)
    return head + question_mark + query + hash_mark + mask_query(fragment, masks, is_cut=is_cut)


def mask_query(query: str, masks: Masks = is_secret_name, *, is_cut: bool = False) -> str:
    """Mask the secrets in a query, percent-encoded or not, and in URLs that are values of it."""
    sequences = query.split("&")
    last = len(sequences) - 1
    return "&".join(
        [
            _mask_parameter(sequence, masks, is_cut and position == last)
            for position, sequence in enumerate(sequences)
        ]
    )


def mask_text(
    text: str, masks: Masks = is_secret_name, *, is_cut: bool = False, has_authority: bool = False
) -> str:
    """Mask the secrets in any text. Mask the whole text if a secret is visible only after percent-decoding.

    Args:
        text: The text.
        masks: Whether to mask the value of a name.
        is_cut: Whether the text was truncated. Then its end can be a part of a secret.
        has_authority: Whether the text can contain an authority without ``//`` before it.
    """
    masked = text = _mask_once(text, masks, is_cut, has_authority)
    for _ in range(MAX_DECODINGS):
        decoded = _decode(text)
        if decoded == text:
            return masked
        text = _mask_once(decoded, masks, is_cut, has_authority)
        if decoded != text:
            return MASK
    return MASK if _decode(text) != text else masked


def _mask_parameter(sequence: str, masks: Masks, is_cut: bool) -> str:
    name, equals, value = sequence.partition("=")
    shown_name = mask_text(name, masks)
    if not equals:
        return shown_name
    if masks(_decode(name)):
        return f"{shown_name}={MASK}"
    return f"{shown_name}={mask_text(value, masks, is_cut=is_cut)}"


def _mask_once(text: str, masks: Masks, is_cut: bool, has_authority: bool) -> str:
    """Mask the secrets in a text that need no decoding."""
    text = CREDENTIALS.sub(rf"\1{MASK}", text)
    if "@" in text:
        text = _mask_userinfo(text, has_authority)
    if is_cut:
        text = _mask_unfinished_userinfo(text, has_authority)
    return _mask_pairs(text, masks) if "=" in text or ":" in text else text


def _mask_pairs(text: str, masks: Masks) -> str:
    masked: list[str] = []
    position = 0
    while match := PAIR.search(text, position):
        masked.append(text[position : match.end()])
        position = match.end()
        if not masks(_decode(match[1] or match[2])):
            continue
        if quoted := QUOTED.match(text, position):
            masked.append(f'"{MASK}"')
            position = quoted.end()
        elif match[3] == "=" and (value := UNQUOTED.match(text, position)):
            masked.append(MASK)
            position = value.end()
        else:
            # No notation defines the end of the value.
            return "".join(masked) + MASK
    return "".join(masked) + text[position:]


def _mask_userinfo(text: str, has_authority: bool) -> str:
    def mask(match: re.Match[str]) -> str:
        userinfo, at, host = match[0].rpartition("@")
        is_after_slashes = _is_after_slashes(text, match.start())
        if not at or not (is_after_slashes or has_authority or ":" in userinfo):
            return match[0]
        user = userinfo.partition(":")[0]
        start = 0 if is_after_slashes else min(_positions_after(user, BEFORE_USERINFO), default=0)
        return f"{userinfo[:start]}{MASK}@{host}"

    return AUTHORITY.sub(mask, text)


def _mask_unfinished_userinfo(text: str, has_authority: bool) -> str:
    """Mask the end of a truncated text, if it can be userinfo without its ``@``."""
    start = max(map(text.rfind, AUTHORITY_ENDS)) + 1
    end = text[start:]
    if end and (has_authority or ":" in end or _is_after_slashes(text, start)):
        return text[:start] + MASK
    return text


def _is_after_slashes(text: str, position: int) -> bool:
    # Browsers read "https:/h", "https:\\h" and "https:///h" as "https://h".
    before = text[max(position - 2, 0) : position]
    return before[-1:] in {"/", "\\"} and before[:1] in {"/", "\\", ":"} and len(before) > 1


def _positions_after(text: str, characters: str) -> list[int]:
    return [position + 1 for character in characters if (position := text.find(character)) >= 0]


def _decode(text: str) -> str:
    """Percent-decode a text, and replace the JSON escapes of characters."""
    if "%" in text:
        text = percent_decode(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    return JSON_ESCAPE.sub(_unescape, text) if "\\u" in text else text


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))
