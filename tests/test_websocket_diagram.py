"""The diagram of the documentation shows the transition tables, all of them and nothing else."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from asgiwire._websocket.states import RECEIVED, SENT, SocketState

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path(__file__).parent.parent / "docs" / "websocket_diagram.py"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn() -> Any:
    spec = importlib.util.spec_from_file_location("websocket_diagram", FILE)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return ElementTree.fromstring(module.diagram())[0]  # in what scrolls on narrow screens


def transitions() -> Iterator[str]:
    for direction, table in (("received", RECEIVED), ("sent", SENT)):
        for before, row in table.items():
            for event, after in row.items():
                yield f"{before.value}: {event} {direction}, {after.value}"


def test_every_transition_is_in_it_once(drawn: Any) -> None:
    titles = [title.text for title in drawn.iter(f"{SVG}title")]
    assert sorted("; ".join(titles).split("; ")) == sorted(transitions())


def test_every_arrow_has_the_words_of_its_events(drawn: Any) -> None:
    for arrow in drawn.iter(f"{SVG}g"):
        words = [text.text for text in arrow.iter(f"{SVG}text")]
        assert words == re.findall(r"websocket\.([\w.]+)", arrow.find(f"{SVG}title").text)
        assert arrow.find(f"{SVG}path").get("d")


def test_every_state_has_its_box(drawn: Any) -> None:
    names = [text.text for text in drawn.findall(f"{SVG}text")]
    assert names == [state.value for state in SocketState]
    assert len(drawn.findall(f"{SVG}rect")) == len(names)
