"""The table as a picture: one line for each row, one dot for each contestant, against the best peer.

matplotlib draws it, and is imported only for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .contestants import OURS, RAW

if TYPE_CHECKING:
    from pathlib import Path

COLOURS: Final = {OURS: "#c2255c", RAW: "#212529"}
OTHERS: Final = "#868e96"


def draw(document: dict[str, Any], path: Path) -> None:
    """Write the chart of a document as ``report.document`` makes it, as SVG."""
    # Who only wants the table needs no matplotlib.
    from matplotlib import rc_context  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter  # noqa: PLC0415

    rows = [row for row in document["rows"].values() if row["best_peer"]]
    # Text as text, and the same file for the same figures.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "asgiwire"}):
        figure = Figure(figsize=(8, 1.2 + 0.3 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for line, row in enumerate(rows):
            best = row["contestants"][row["best_peer"]]["median"]
            for name, figures in row["contestants"].items():
                # A circle for whoever is alone in this, a thin line for each of the many.
                marker = "o" if name in COLOURS else "|"
                colour = COLOURS.get(name, OTHERS)
                axes.plot(max(figures["median"], 1e-3) / best, line, marker, color=colour, clip_on=False)
        axes.set_yticks(range(len(rows)), [row["title"] for row in rows])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.axvline(1, color=OTHERS, linewidth=0.8)
        axes.grid(axis="y", linewidth=0.3)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.set_xlabel("time, the best peer's being 1 (logarithmic; less is better)")
        for name, colour in (*COLOURS.items(), ("peers", OTHERS)):
            axes.plot([], [], "o" if name in COLOURS else "|", color=colour, label=name)
        figure.legend(loc="outside upper right", ncols=3, frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})
