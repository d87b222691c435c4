"""What asgiwire has to reach, as data, and what of it a run has met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from .contestants import FLOOR, OURS, PEERS, RAW
from .results import Ratio, best_peer, divided, ratio

PARTS: Final = ("rows", "growth", "footprint", "upload", "server")
"""The parts of a run that have targets."""

BEST_PEER: Final = 1.0
"""In every row: at or below the best peer of the same run."""

AGAINST: Final[dict[str, dict[str, float]]] = {
    RAW: {
        "construct": 1.5,
        "typical": 1.5,
        "query": 2,
        "cookies": 2,
        "urlencoded": 2,
        "json_small": 2,
        "json_large": 1.1,
        "body": 1.1,
        "websocket_texts": 1.6,
        "websocket_json": 1.6,
        "multipart_fields": 1.2,
        "multipart_many": 1.2,
        "multipart_file": 1.2,
        "multipart_files": 1.2,
    },
    "starlette": {"multipart_fields": 0.5, "multipart_many": 0.5},
    FLOOR: {"multipart_stream": 1.1},
}
"""The most that a row may take, another's time in it being 1, by whose time that is."""

EXPONENT: Final = 1.1
"""The most for each kind of growth."""

CONTROL: Final = "a plain dict of headers"
"""The kind of growth that is the machine's own, and has no target."""

MODULES: Final = 100
"""The most that ``import asgiwire`` may load."""

UPLOAD_GROWTH: Final = 20_000_000
"""Bytes that a process may grow by while it takes in 1 GB."""

SERVER: Final = 0.97
"""The least requests per second on a server, those of hand-written code being 1."""

IDLE: Final = ("request", "websocket", "accepted websocket", "waiting websocket")
"""What has to be smaller than every peer's."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target, and what was measured.

    Attributes:
        part: Of the benchmarks.
        subject: The row, or what else was measured.
        against: Whose figure is 1, or the unit.
        peer: Which one the best peer was.
        wanted: The most, or the least where ``at_least``.
        measured: The median where there were rounds.
        spread: The lowest and the highest of the rounds.
        at_least: Whether more is better.
    """

    part: str
    subject: str
    against: str
    wanted: float
    measured: float
    spread: tuple[float, float] | None = None
    at_least: bool = False
    peer: str = ""

    @property
    def is_met(self) -> bool:
        return self.measured >= self.wanted if self.at_least else self.measured <= self.wanted


def verdicts(document: dict[str, Any]) -> list[Verdict]:
    """Every target of the parts that were measured."""
    return [
        *row_verdicts(document.get("rows", {})),
        *growth_verdicts(document.get("growth", {})),
        *footprint_verdicts(document.get("footprint", {})),
        *upload_verdicts(document.get("upload", {})),
        *server_verdicts(document.get("server", {})),
    ]


def row_verdicts(rows: dict[str, Any]) -> list[Verdict]:
    found = []
    for name, row in rows.items():
        best = best_peer(row)
        if against_best := ratio(row, best):
            found.append(_of_rounds(row["title"], "best peer", BEST_PEER, against_best, best or ""))
        for other, wanted in AGAINST.items():
            if name in wanted and (against_other := ratio(row, other)):
                found.append(_of_rounds(row["title"], other, wanted[name], against_other))
    return found


def _of_rounds(subject: str, against: str, wanted: float, measured: Ratio, peer: str = "") -> Verdict:
    spread = measured.lowest, measured.highest
    return Verdict("rows", subject, against, wanted, measured.median, spread, peer=peer)


def growth_verdicts(growth: dict[str, Any]) -> list[Verdict]:
    return [
        Verdict("growth", kind, "exponent", EXPONENT, values["exponent"])
        for kind, values in growth.items()
        if kind != CONTROL
    ]


def footprint_verdicts(footprint: dict[str, Any]) -> list[Verdict]:
    found = []
    ours = footprint.get(OURS, {})
    for kind in IDLE:
        theirs = {name: footprint[name][kind] for name in PEERS if kind in footprint.get(name, {})}
        if theirs and kind in ours:
            best = min(theirs, key=theirs.__getitem__)
            subject = f"bytes of an idle {kind}"
            found.append(Verdict("footprint", subject, "best peer", 1, ours[kind] / theirs[best], peer=best))
    if "modules" in ours:
        found.append(
            Verdict(
                "footprint",
                "import asgiwire",
                "modules loaded",
                MODULES,
                ours.get("package", ours["modules"]),
            )
        )
    return found


def upload_verdicts(upload: dict[str, Any]) -> list[Verdict]:
    return [
        Verdict(
            "upload", f"upload through {name}", "MB of growth", UPLOAD_GROWTH / 1e6, figures["growth"] / 1e6
        )
        for name, figures in upload.get("readers", {}).items()
    ]


def server_verdicts(server: dict[str, Any]) -> list[Verdict]:
    found = []
    for setup, rounds in server.get("rounds", {}).items():
        if {OURS, RAW} <= rounds.keys() and (measured := divided(rounds[OURS], rounds[RAW])):
            spread = measured.lowest, measured.highest
            subject = f"requests/s on {setup}"
            found.append(Verdict("server", subject, RAW, SERVER, measured.median, spread, at_least=True))
    return found
