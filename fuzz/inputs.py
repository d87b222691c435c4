"""Inputs: random bytes, and the pieces that parsers decide by, in random order and nested."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

#: What separates, quotes, escapes and ends in at least one grammar, and words that a parser looks for.
PIECES: Final = [
    *(bytes((octet,)) for octet in b"&;=,:?#/@%+\"'\\*-_.~ \t\r\n\0<>[]{}()|^`!$\x7f\x80\xff"),
    *(
        b"a",
        b"A",
        b"z",
        b"0",
        b"1",
        b"9",
        b"q=",
        b";q=0.5",
        b"%41",
        b"%zz",
        b"%2",
        b"%C3%A9",
        b"%25",
        b"%00",
        b"%0D%0A",
    ),
    *(
        "é€".encode(),
        b"\xc3",
        b"\xef\xbb\xbf",
        b"\xfe\xff",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"W/",
        b"*/*",
        b"a/*",
        b"a/b",
    ),
    *(
        b"en",
        b"-US",
        b"bytes=",
        b"0-",
        b"Basic ",
        b"Bearer ",
        b"dTpw",
        b"charset=",
        b"boundary=",
        b"utf-16",
        b"http://",
    ),
    *(
        b"//",
        b"/..",
        b"[::1]",
        b":80",
        b":99999",
        b"Sun, 06 Nov 1994 08:49:37 GMT",
        b"form-data",
        b"; name=",
        b"filename",
    ),
    *(
        b"\\u0041",
        b"\\054",
        b"{}",
        b"[]",
        b"null",
        b"1e9",
        b"\xc1",
        b"\xdf\xff",
        b"\x91",
        b"--",
        b"\r\n\r\n",
        b"\r\n--B",
    ),
]

OCTETS: Final = st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=40).map(b"".join)

TEXT: Final = st.lists(
    st.sampled_from([piece.decode("latin-1") for piece in PIECES]) | st.text(max_size=4), max_size=30
).map("".join)

SECRET: Final = "5ecret"
#: Names of secrets, in several notations.
SECRET_NAMES: Final = st.sampled_from(
    ["token", "pass%77ord", "api-key", "X-Auth", "accessKey", "pw", "Session_ID", "ticket"]
)


@st.composite
def secrets(draw: st.DrawFn) -> str:
    """Return a parameter, a member of JSON, userinfo or a credential with the secret, nested and encoded."""
    name = draw(SECRET_NAMES)
    before = draw(st.sampled_from(["", "a", "a'b;", "a,", "a=b", "/", "?"]))
    text = draw(
        st.sampled_from(
            [
                f"{name}={before}{SECRET}",
                f'{name}="{before}{SECRET}"',
                f'{{"{name}":"{before}{SECRET}"}}',
                f"{name}: {before} {SECRET}",
                f"https://u:{SECRET}@h/",
                f"https://{SECRET}@h/",
                f"Bearer {SECRET}",
            ]
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        text = draw(st.sampled_from([_quote, _as_parameter, _as_url, _with_neighbours]))(text)
    return text


def _quote(text: str) -> str:
    return "".join(f"%{octet:02X}" if octet in b'=&:?/"{}@ ,;%' else chr(octet) for octet in text.encode())


def _as_parameter(text: str) -> str:
    return f"next={_quote(text)}"


def _as_url(text: str) -> str:
    return f"https://h.test/a?b=1&c={_quote(text)}"


def _with_neighbours(text: str) -> str:
    return f"x=1&{text}"
