"""One plot for the benchmarks' pages: how much of a sample lies below a value, as SVG that needs no library."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 300, 56, 44, 44
INK, LINE, LIMIT = "#6b7280", "#0f766e", "#b45309"  # readable on a light and on a dark page


def ecdf_svg(title: str, samples: Sequence[float], unit: str, *, bar: float) -> str:
    """Return the empirical distribution function of `samples`, in `unit`, with the 95 % line and the `bar` drawn in."""
    values = np.sort(np.asarray(samples, dtype=float))
    most = max(bar, float(values[-1])) * 1.08

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - 16) * value / most

    def y(share: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    steps = [f"{x(0):.1f},{y(0):.1f}"]
    for rank, value in enumerate(values):
        steps += [f"{x(value):.1f},{y(rank / len(values)):.1f}", f"{x(value):.1f},{y((rank + 1) / len(values)):.1f}"]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    for share in (0.0, 0.5, 0.95, 1.0):
        parts.append(f'<path d="M{LEFT} {y(share):.1f}H{WIDTH - 16}" stroke="{INK}" stroke-opacity="0.35"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    parts += [
        f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick}</text>'
        for tick in range(0, int(most), 100)
    ]
    parts += [
        f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(unit)} (n = {len(values)})</text>',
        f'<path d="M{x(bar):.1f} {TOP - 6}V{HEIGHT - BOTTOM}" stroke="{LIMIT}" stroke-width="2" stroke-dasharray="5 4"/>',
        f'<text x="{x(bar) - 6:.1f}" y="{HEIGHT - BOTTOM - 8}" text-anchor="end" fill="{LIMIT}">bar: {bar:g} {escape(unit)}</text>',
        f'<polyline points="{" ".join(steps)}" fill="none" stroke="{LINE}" stroke-width="2.5"/>',
    ]
    return "".join(parts) + "</svg>\n"


def curve_svg(title: str, points: Sequence[tuple[float, float]], across: str, up: str) -> str:
    """Return (x, y) points on logarithmic axes, joined by lines, each with its value."""
    xs, ys = np.log10([x for x, _ in points]), np.log10([max(y, 1e-9) for _, y in points])
    low, high = np.floor(ys.min()), np.ceil(ys.max() + 0.01)

    def place(x: float, y: float) -> tuple[float, float]:
        left = LEFT + 12 + (WIDTH - LEFT - 80) * (x - xs.min()) / max(xs.max() - xs.min(), 1e-9)
        return left, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y - low) / max(high - low, 1e-9)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    for power in range(int(low), int(high) + 1):
        level = place(xs.min(), power)[1]
        parts.append(f'<path d="M{LEFT} {level:.1f}H{WIDTH - 16}" stroke="{INK}" stroke-opacity="0.35"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{level + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    placed = [place(x, y) for x, y in zip(xs, ys, strict=True)]
    for (x, y), (size, value) in zip(placed, points, strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{LINE}"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{value:g}</text>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size:,.0f}</text>')
    parts += [
        f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(across)}, {escape(up)} upwards, both logarithmic</text>',
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in placed)}" fill="none" stroke="{LINE}" stroke-width="2.5"/>',
    ]
    return "".join(parts) + "</svg>\n"


def points_svg(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float, str]]],
    across: str,
    up: str,
    *,
    joined: Collection[str] = (),
) -> str:
    """Return named series of (x, y, label) points on plain axes; those in `joined` are connected in their order."""
    colours = (LINE, LIMIT, "#6d28d9", "#be123c", "#1d4ed8")
    every = [point for points in series.values() for point in points]
    across_ticks, up_ticks = _ticks([p[0] for p in every]), _ticks([p[1] for p in every])

    def place(x: float, y: float) -> tuple[float, float]:
        (left, right), (low, high) = (across_ticks[0], across_ticks[-1]), (up_ticks[0], up_ticks[-1])
        return (
            LEFT + (WIDTH - LEFT - 24) * (x - left) / (right - left),
            HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y - low) / (high - low),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    for tick in up_ticks:
        y = place(across_ticks[0], tick)[1]
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 16}" stroke="{INK}" stroke-opacity="0.25"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts += [
        f'<text x="{place(tick, up_ticks[0])[0]:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick:g}</text>'
        for tick in across_ticks
    ]
    lined = [name in joined for name, points in series.items() for _ in points]
    labels = iter(_labels([(*place(x, y), label) for x, y, label in every], lined))
    for (name, points), colour in zip(series.items(), colours, strict=False):
        placed = [place(x, y) for x, y, _ in points]
        if name in joined:
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y), (_, _, label) in zip(placed, points, strict=True):
            at_x, at_y, anchor = next(labels)
            if abs(at_y - y) > FAR:
                parts.append(
                    f'<path d="M{x:.1f} {y:.1f}L{at_x:.1f} {at_y - 4:.1f}" stroke="{INK}" stroke-opacity="0.4"/>'
                )
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
            parts.append(f'<text x="{at_x:.1f}" y="{at_y:.1f}" text-anchor="{anchor}">{escape(label)}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(across)}; upwards: {escape(up)}</text>'
    )
    return "".join(parts) + "</svg>\n"


FAR, LETTER, LINE_HEIGHT = 24.0, 7.4, 14.0


def _labels(dots: Sequence[tuple[float, float, str]], lined: Sequence[bool]) -> list[tuple[float, float, str]]:
    """Return where each dot's label stands, as x, y of its baseline and its anchor: the nearest place that hides no other.

    `lined` dots have a line through them, so that their labels stand above or below.
    """
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y, _ in dots]
    found = []
    for (x, y, label), on_line in zip(dots, lined, strict=True):
        width = LETTER * len(label)
        places = [] if on_line else [(x + 8, y + 4, "start"), (x - 8, y + 4, "end")]
        for step in range(6):
            places += [(x, y + sign * (10 + step * LINE_HEIGHT) + (0 if sign < 0 else 8), "middle") for sign in (-1, 1)]
        boxes = []
        for at_x, at_y, anchor in places:
            left = at_x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
            boxes.append((left, at_y - 11, left + width, at_y + 3))
        free = [
            not any(a < other[2] and c > other[0] and b < other[3] and d > other[1] for other in taken)
            and a >= LEFT and c <= WIDTH - 4 and b >= TOP - 18 and d <= HEIGHT - BOTTOM
            for a, b, c, d in boxes
        ]  # fmt: skip
        best = free.index(True) if True in free else 0
        taken.append(boxes[best])
        found.append(places[best])
    return found


def _ticks(values: Sequence[float]) -> list[float]:
    """Return four to eight round numbers that the values lie within."""
    low, high = min(values), max(values)
    span = max(high - low, 1e-6)
    power = 10.0 ** np.floor(np.log10(span / 4))
    step = next(power * size for size in (1, 2, 2.5, 5, 10) if span / (power * size) <= 6)
    first, last = np.floor(low / step - 1e-9), np.ceil(high / step + 1e-9)
    return [round(float(number * step), 10) for number in np.arange(first, last + 1)]
