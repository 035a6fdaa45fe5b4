"""Curves with confidence bands, as SVG that needs no library."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray

from bench.plot import BOTTOM, HEIGHT, INK, LEFT, LIMIT, LINE, TOP, WIDTH

Floats = NDArray[np.float64]
COLOURS = (LINE, LIMIT, "#6d28d9", "#be123c", "#1d4ed8", "#6b7280")
TALLER = 60


def bands_svg(title: str, curves: Mapping[str, tuple[Floats, Floats, Floats, Floats]], across: str, up: str) -> str:
    """Return named curves (x, middle, low, high) with bands between low and high, and a legend."""
    most_x = max(float(x[-1]) for x, *_ in curves.values())
    most_y = max(float(high.max()) for *_, high in curves.values()) * 1.05
    height = HEIGHT + TALLER

    def x_of(value: float) -> float:
        return LEFT + 16 + (WIDTH - LEFT - 40) * value / most_x

    def y_of(value: float) -> float:
        return height - BOTTOM - (height - TOP - BOTTOM) * value / most_y

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    for tick in _ticks(most_y):
        parts.append(f'<path d="M{LEFT + 16} {y_of(tick):.1f}H{WIDTH - 24}" stroke="{INK}" stroke-opacity="0.25"/>')
        parts.append(f'<text x="{LEFT + 10}" y="{y_of(tick) + 4:.1f}" text-anchor="end">{tick:,.0f}</text>')
    parts += [
        f'<text x="{x_of(tick):.1f}" y="{height - BOTTOM + 18}" text-anchor="middle">{tick:g}</text>'
        for tick in _ticks(most_x)
    ]
    for number, ((name, (x, middle, low, high)), colour) in enumerate(zip(curves.items(), COLOURS, strict=False)):
        edge = [*zip(x, high, strict=True), *zip(x[::-1], low[::-1], strict=True)]
        outline = " ".join(f"{x_of(a):.1f},{y_of(b):.1f}" for a, b in edge)
        line = " ".join(f"{x_of(a):.1f},{y_of(b):.1f}" for a, b in zip(x, middle, strict=True))
        parts.append(f'<polygon points="{outline}" fill="{colour}" fill-opacity="0.2"/>')
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at = TOP + 6 + 16 * number
        parts.append(f'<path d="M{LEFT + 28} {at - 4}h18" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{LEFT + 52}" y="{at}">{escape(name)}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{height - 8}" text-anchor="middle">{escape(across)}; upwards: {escape(up)}</text>'
    )
    return "".join(parts) + "</svg>\n"


def _ticks(most: float) -> list[float]:
    power = 10.0 ** np.floor(np.log10(most / 4))
    step = next(power * size for size in (1, 2, 2.5, 5, 10) if most / (power * size) <= 6)
    return [float(step * number) for number in range(int(most / step) + 1)]
