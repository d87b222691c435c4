"""Charset labels and decoding."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers import charsets
from asgiwire._parsers.charsets import codec_for, decode_body, decode_text, output_codec_for
from asgiwire.exceptions import SerializationException

LABELS = {
    "utf-8": "utf-8",
    "UTF8": "utf-8",
    "\t utf-8\r\n": "utf-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "Windows-1252": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "tis-620": "cp874",
}


@pytest.mark.parametrize(("label", "codec"), LABELS.items())
def test_label_maps_to_the_codec_of_browsers(label: str, codec: str) -> None:
    assert codec_for(label) == output_codec_for(label) == codec


# Python has codecs for most of these; some are not charsets, others are unsafe.
UNSUPPORTED_LABELS = """
    undefined idna punycode utf-7 utf_7 zip zlib base64 hex rot13 unicode_escape raw_unicode_escape mbcs
    utf_8_sig latin-1 utf-32 hz-gb-2312 iso-2022-kr x-user-defined bogus
"""


@pytest.mark.parametrize("label", ["", " ", "utf-8\0", "é", *UNSUPPORTED_LABELS.split()])
def test_other_labels_are_unsupported(label: str) -> None:
    assert codec_for(label) is None
    assert output_codec_for(label) is None


@pytest.mark.parametrize(
    ("label", "codec"), [("utf-16", "utf-16-le"), ("UTF-16LE", "utf-16-le"), ("utf-16be", "utf-16-be")]
)
def test_utf_16_is_replaced_by_utf_8_for_forms(label: str, codec: str) -> None:
    """Encoding section 4.3: "If encoding is replacement or UTF-16BE/LE, then return UTF-8"."""
    assert codec_for(label) == codec
    assert output_codec_for(label) == "utf-8"


def test_every_codec_exists_and_decodes_ascii() -> None:
    for codec in set(charsets._CODECS.values()):  # the table itself is under test
        codecs.lookup(codec)
        assert decode_text("az AZ 09".encode(codec), codec) == "az AZ 09"


def test_labels_are_lower_case_and_unique() -> None:
    labels = " ".join(charsets._LABELS.values()).split()
    assert len(labels) == len(set(labels)) == 221
    assert labels == [label.lower() for label in labels]


@pytest.mark.parametrize(
    ("raw", "codec", "text"),
    [
        (b"\x80\x9f\xe9", "cp1252", "\u20ac\u0178\xe9"),
        (b"\x81\x8d\x8f\x90\x9d", "cp1252", "\x81\x8d\x8f\x90\x9d"),
        (bytearray(b"\xc3\xa9"), "utf-8", "\xe9"),
        (b"\x83\x5c", "cp932", "\u30bd"),
    ],
)
def test_decode(raw: bytes | bytearray, codec: str, text: str) -> None:
    assert decode_text(raw, codec) == text


def test_invalid_bytes_raise() -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_text(b"\xff", "utf-8")


@given(st.binary())
def test_windows_1252_decodes_every_byte(raw: bytes) -> None:
    assert len(decode_text(raw, "cp1252")) == len(raw)


def test_windows_1252_agrees_with_python_for_defined_bytes() -> None:
    for byte in range(256):
        character = bytes((byte,)).decode("cp1252", "ignore")
        assert not character or decode_text(bytes((byte,)), "cp1252") == character


@pytest.mark.parametrize("label", ["", "utf-8", "iso-8859-1", "utf-16", "utf-16be", "shift_jis", "bogus"])
@pytest.mark.parametrize(
    ("mark", "codec"), [(b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le")]
)
def test_a_byte_order_mark_overrides_the_label(label: str, mark: bytes, codec: str) -> None:
    """WHATWG Encoding section 6, "decode"."""
    assert decode_body(mark + "é€".encode(codec), label) == "é€"
    assert decode_body(mark, label) == ""
    # Only one is removed.
    assert decode_body(mark + mark + "a".encode(codec), label) == "\ufeffa"


def test_bytes_that_are_invalid_after_the_mark() -> None:
    with pytest.raises(SerializationException, match=r"^the body is not text in its charset utf-8$"):
        decode_body(b"\xef\xbb\xbf\xff", "iso-8859-1")
