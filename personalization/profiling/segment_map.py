"""The map of segments: members in the plane of the two widest directions, coloured by segment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from personalization.profiling.labels import MemberView
from personalization.profiling.segments import CLUSTERED, SegmentModel

# Okabe and Ito's palette: told apart with every kind of colour vision
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6D00", "#555555")
INK = "#374151"


def draw(model: SegmentModel, members: Sequence[MemberView], out: Path) -> int:
    """Draw members who ordered lately into an SVG or PNG file; return how many there were."""
    import matplotlib as mpl  # noqa: PLC0415  half a second that only a drawing needs
    from matplotlib.figure import Figure  # noqa: PLC0415

    active = [member for member in members if member.features["orders"]]
    columns = {name: np.array([member.features[name] for member in active]) for name in CLUSTERED}
    shares = np.array([[member.shares.get(name, 0.0) for name in model.categories] for member in active])
    shares = shares.reshape(len(active), len(model.categories))
    points = model.points(columns, shares)
    numbers, _ = model.assign(columns, shares) if active else (np.zeros(0, int), None)
    centred = points - points.mean(axis=0) if active else points
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    plane = centred @ axes[:2].T
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "aisle", "font.size": 10, "text.color": INK}):
        figure = Figure(figsize=(10, 6), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 1.5))
        for number in range(len(model.segments)):
            mine, colour = numbers == number, COLOURS[number % len(COLOURS)]
            left.scatter(plane[mine, 0], plane[mine, 1], s=7, color=colour, alpha=0.55, linewidths=0)
            if mine.any():
                x, y = np.median(plane[mine], axis=0)
                box = {"boxstyle": "round,pad=0.3", "fc": "white", "ec": colour, "alpha": 0.92}
                left.annotate(
                    f"{number + 1}", (x, y), ha="center", va="center", fontweight="bold", fontsize=13, bbox=box
                )
        left.set(title=f"{len(active):,} members, each a dot; near means alike", xticks=[], yticks=[])
        sizes = [int((numbers == number).sum()) for number in range(len(model.segments))]
        names = [f"{n}  " + segment.name.replace(", ", ",\n") for n, segment in enumerate(model.segments, start=1)]
        bars = right.barh(names, sizes, color=[COLOURS[n % len(COLOURS)] for n in range(len(sizes))])
        right.bar_label(bars, [f"{size:,}" for size in sizes], padding=3)
        right.set(title="Members", xticks=[], xlim=(0, max([*sizes, 1]) * 1.25))
        right.invert_yaxis()
        for side in ("top", "right", "bottom"):
            right.spines[side].set_visible(False)
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, dpi=150, metadata={"Date": None} if out.suffix == ".svg" else None)
    return len(active)
