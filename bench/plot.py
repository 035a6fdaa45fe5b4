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
    (left, right), (low, high) = _padded([p[0] for p in every]), _padded([p[1] for p in every])

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + 8 + (WIDTH - LEFT - 90) * (x - left) / (right - left),
            HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y - low) / (high - low),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    for share in np.linspace(0, 1, 5):
        x, y = place(left + share * (right - left), low + share * (high - low))
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 16}" stroke="{INK}" stroke-opacity="0.25"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{low + share * (high - low):.3g}</text>')
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{left + share * (right - left):.3g}</text>'
        )
    for (name, points), colour in zip(series.items(), colours, strict=False):
        placed = [(*place(x, y), label) for x, y, label in points]
        if name in joined:
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in placed)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y, label in placed:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
            parts.append(f'<text x="{x + 7:.1f}" y="{y - 6:.1f}">{escape(label)}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(across)}; upwards: {escape(up)}</text>'
    )
    return "".join(parts) + "</svg>\n"


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = max(high - low, 1e-6) * 0.08
    return low - room, high + room
