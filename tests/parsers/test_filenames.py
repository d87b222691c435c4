"""Properties of safe file names. Examples are in the tests of uploads."""

from __future__ import annotations

import ntpath
import posixpath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asgiwire._parsers.filenames import DEVICES, MAX_LENGTH, safe_filename
from tests.floods import MEGABYTE, must_end

# Special characters are more frequent than others.
names = st.text(
    st.sampled_from("/\\.: \0\n\x1b<>|?*\"'&;%aCON1.txté€\U0001f600\u202e\ud800") | st.characters()
)


@given(names)
@example("")
@example("..")
@example("a" * 255 + ".")
@example("a" * 260 + ". .")
@example("." * 300)
@example("€" * 200)
@example("x." + "€" * 200)
@example("nul .")
@example("aux." + "." * 300)
def test_safe_name_has_all_properties(filename: str) -> None:
    name = safe_filename(filename)

    assert name
    assert name not in {".", ".."}
    assert posixpath.basename(name) == ntpath.basename(name) == name
    assert not ntpath.splitdrive(name)[0]
    assert not set(name) & set('<>:"|?*/\\\0')
    assert name.isprintable()
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert name.partition(".")[0].rstrip().upper() not in DEVICES
    assert len(name.encode()) <= MAX_LENGTH


@given(names)
def test_safe_name_is_unchanged(filename: str) -> None:
    name = safe_filename(filename)

    assert safe_filename(name) == name


@pytest.mark.parametrize("filename", ["photo.jpeg", "Größe ✓.txt", "a b.tar.gz", "no extension", "a-b~"])
def test_ordinary_name_is_unchanged(filename: str) -> None:
    assert safe_filename(filename) == filename


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("-rf", "rf"),
        ("--help", "help"),
        ("~", "file"),
        ("~root", "root"),
        (".-~ a", "a"),
        ("a/-b", "b"),
        ("-", "file"),
    ],
)
def test_name_is_neither_an_option_nor_a_home_directory(filename: str, name: str) -> None:
    assert safe_filename(filename) == name


@pytest.mark.parametrize(
    "device", ["con", "LPT9", "COM¹", "prn.txt", "Aux .tar.gz", "CONIN$", "conout$.txt", "CLOCK$"]
)
def test_windows_device_name_is_escaped(device: str) -> None:
    assert safe_filename(device) == f"_{device}"


@must_end
@pytest.mark.parametrize("character", ["/", "\\", ".", " ", "\0", "a", "€", ":"])
def test_time_is_linear(character: str) -> None:
    safe_filename(character * MEGABYTE)
