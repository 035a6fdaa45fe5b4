"""What is behind: the ground, its texture, and the forms that words stand on. Nothing that is drawn by chance runs under words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import skia

from personalization.creative.focal import colour, paint, stroke
from personalization.creative.geometry import Box
from personalization.creative.layouts import Frame, Shape
from personalization.creative.palette import Palette
from personalization.creative.picture import Picture

WASH = 0.55
"""How much of the ground's colour lies over a painted background."""
OVER = 0.08
"""How far what touches the edge goes on beyond it, as a share of the longer side: room for a printer's bleed."""


def draw_ground(canvas: Any, frame: Frame, colours: Palette) -> None:
    """Fill the page: a hardly seen gradient is livelier than a flat colour."""
    page = _beyond(frame)
    shade = skia.GradientShader.MakeLinear(
        [skia.Point(0, 0), skia.Point(frame.width * 0.25, frame.height)],
        [colour(colours.ground), colour(colours.ground_2)],
    )
    canvas.drawRect(page.rect, skia.Paint(Shader=shade, Dither=True))


def draw_texture(
    canvas: Any, kind: str, frame: Frame, colours: Palette, avoid: Sequence[Box], rng: np.random.Generator
) -> None:
    """Draw a texture over the ground; scattered forms keep off the boxes to avoid."""
    if kind in {"confetti", "terrazzo"}:
        _scattered(canvas, kind, frame, colours, avoid, rng)
    else:
        _TEXTURES[kind](canvas, frame, colours, rng)


def draw_painted(canvas: Any, painted: Picture, frame: Frame, colours: Palette) -> None:
    """Cover the page with what an image model painted, under a wash of the ground's colour, so that it stays a background."""
    page = _beyond(frame)
    scale = max(page.w / painted.image.width(), page.h / painted.image.height())
    wide, high = painted.image.width() * scale, painted.image.height() * scale
    at = Box(page.centre[0] - wide / 2, page.centre[1] - high / 2, wide, high)
    canvas.save()
    canvas.clipRect(page.rect)
    canvas.drawImageRect(painted.image, at.rect, skia.SamplingOptions(skia.CubicResampler.Mitchell()))
    canvas.restore()
    canvas.drawRect(page.rect, paint(colours.ground, WASH))


def _grained(canvas: Any, frame: Frame, colours: Palette, rng: np.random.Generator) -> None:
    shader = _grain().makeShader(skia.TileMode.kRepeat, skia.TileMode.kRepeat)
    canvas.drawRect(_beyond(frame).rect, skia.Paint(Shader=shader, BlendMode=skia.BlendMode.kSoftLight))


def _dots(canvas: Any, frame: Frame, colours: Palette, rng: np.random.Generator) -> None:
    page, unit = _beyond(frame), frame.unit
    step, ink = 3.4 * unit, paint(colours.pale, 0.9)
    for row, y in enumerate(np.arange(page.y, page.bottom, step)):
        for x in np.arange(page.x + (row % 2) * step / 2, page.right, step):
            canvas.drawCircle(float(x), float(y), 0.42 * unit * max(0.5 + 0.5 * y / frame.height, 0.1), ink)


def _lines(canvas: Any, frame: Frame, colours: Palette, rng: np.random.Generator) -> None:
    page, reach = _beyond(frame), frame.width + frame.height
    ink = stroke(colours.pale, 0.32 * frame.unit, 0.85)
    for offset in np.arange(-reach, reach, 3.6 * frame.unit):
        canvas.drawLine(float(offset), page.bottom, float(offset + page.h), page.y, ink)


def _mesh(canvas: Any, frame: Frame, colours: Palette, rng: np.random.Generator) -> None:
    # near to the ground, so that words need no veil
    for tone, alpha in ((colours.pale, 0.9), (colours.pale, 0.7), (colours.shape, 0.28)):
        x, y = rng.random() * frame.width, rng.random() * frame.height
        radius = (0.45 + 0.3 * rng.random()) * max(frame.width, frame.height)
        glow = skia.GradientShader.MakeRadial(skia.Point(x, y), radius, [colour(tone, alpha), colour(tone, 0.0)])
        canvas.drawRect(_beyond(frame).rect, skia.Paint(Shader=glow, Dither=True))


@lru_cache(maxsize=1)
def _grain() -> Any:
    """Return a tile of grey noise around the middle, which soft light turns into grain."""
    noise = np.random.default_rng(1).normal(128, 13, (512, 512)).clip(88, 168).astype(np.uint8)
    tile = np.dstack([noise, noise, noise, np.full_like(noise, 255)])
    return skia.Image.fromarray(np.ascontiguousarray(tile), colorType=skia.kRGBA_8888_ColorType)


def _waves(canvas: Any, frame: Frame, colours: Palette, rng: np.random.Generator) -> None:
    page = _beyond(frame)
    for number in range(4):
        level = frame.height * (0.58 + 0.12 * number)
        high, phase = frame.unit * (3.5 + 2.5 * rng.random()), rng.random() * math.tau
        path = skia.Path()
        path.moveTo(page.x, page.bottom)
        for x in np.linspace(page.x, page.right, 40):
            path.lineTo(float(x), level + high * math.sin(phase + x / frame.width * math.tau * 1.15))
        path.lineTo(page.right, page.bottom)
        path.close()
        canvas.drawPath(path, paint(colours.pale, 0.34))


def _rays(canvas: Any, frame: Frame, colours: Palette, rng: np.random.Generator) -> None:
    count, turn = 16, rng.random() * math.tau
    x, y, reach = frame.width / 2, frame.height * 0.36, 1.6 * max(frame.width, frame.height)
    for k in range(count):
        first = turn + k * math.tau / count
        path = skia.Path()
        path.moveTo(x, y)
        for angle in (first, first + math.pi / count):
            path.lineTo(x + reach * math.cos(angle), y + reach * math.sin(angle))
        path.close()
        canvas.drawPath(path, paint(colours.pale, 0.45))


def _scattered(
    canvas: Any, kind: str, frame: Frame, colours: Palette, avoid: Sequence[Box], rng: np.random.Generator
) -> None:
    unit, page = frame.unit, _beyond(frame)
    tones = (
        (colours.accent, colours.shape, colours.pale)
        if kind == "confetti"
        else (colours.pale, colours.shape, colours.panel)
    )
    step = (9.0 if kind == "confetti" else 8.0) * unit
    for y in np.arange(page.y, page.bottom, step):
        for x in np.arange(page.x, page.right, step):
            cx, cy = float(x + rng.random() * step), float(y + rng.random() * step)
            size = unit * ((0.7 + 1.0 * rng.random()) if kind == "confetti" else (1.4 + 2.4 * rng.random()))
            tone, turn, form = tones[int(rng.integers(3))], float(rng.random() * 360), int(rng.integers(3))
            around = Box(cx - 2 * size, cy - 2 * size, 4 * size, 4 * size)
            if any(around.meets(box) for box in avoid):
                continue
            canvas.save()
            canvas.translate(cx, cy)
            canvas.rotate(turn)
            if kind == "terrazzo":
                canvas.drawPath(_chip(size, rng), paint(tone))
            elif form == 0:
                canvas.drawRoundRect(
                    skia.Rect.MakeXYWH(-size, -0.3 * size, 2 * size, 0.6 * size), 0.3 * size, 0.3 * size, paint(tone)
                )
            elif form == 1:
                canvas.drawCircle(0, 0, 0.55 * size, paint(tone))
            else:
                canvas.drawArc(
                    skia.Rect.MakeXYWH(-size, -size, 2 * size, 2 * size), 0, 150, False, stroke(tone, 0.36 * size)
                )
            canvas.restore()


def _chip(size: float, rng: np.random.Generator) -> Any:
    path = skia.Path()
    for k in range(5):
        angle, reach = (k + 0.6 * rng.random()) * math.tau / 5, size * (0.6 + 0.4 * rng.random())
        point = (reach * math.cos(angle), reach * math.sin(angle))
        path.moveTo(*point) if k == 0 else path.lineTo(*point)
    path.close()
    return path


def draw_pattern(canvas: Any, frame: Frame, picture: Picture, avoid: Sequence[Box]) -> None:
    """Draw the product small and pale, again and again, off the boxes to avoid."""
    step, size = 17 * frame.unit, 8.5 * frame.unit
    page = _beyond(frame)
    wide, high = size * min(1.0, picture.aspect), size * min(1.0, 1 / picture.aspect)
    how = skia.Paint(AntiAlias=True, Alphaf=0.34)
    for row, y in enumerate(np.arange(page.y, page.bottom, step * 0.82)):
        for x in np.arange(page.x + (row % 2) * step / 2, page.right, step):
            box = Box(float(x), float(y), wide, high)
            if any(box.meets(other.inset(-2 * frame.unit)) for other in avoid):
                continue
            canvas.save()
            canvas.rotate(-16 if row % 2 else 14, *box.centre)
            canvas.drawImageRect(
                picture.image, box.rect, skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear), how
            )
            canvas.restore()


def draw_shape(canvas: Any, shape: Shape, frame: Frame, colours: Palette) -> None:
    """Draw a form that words stand on."""
    tone, box, unit = getattr(colours, shape.colour), shape.box, frame.unit
    if shape.kind == "rect":
        canvas.drawRect(box.rect, paint(tone))
    elif shape.kind == "disc":
        canvas.drawOval(box.rect, paint(tone))
    elif shape.kind == "frame":
        canvas.drawRoundRect(box.rect, 1.2 * unit, 1.2 * unit, stroke(tone, 0.55 * unit))
    elif shape.kind == "round":
        blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 2.2 * unit)
        canvas.drawRoundRect(
            skia.Rect.MakeXYWH(box.x, box.y + 1.2 * unit, box.w, box.h),
            4 * unit,
            4 * unit,
            paint("#000000", 0.20, MaskFilter=blur),
        )
        canvas.drawRoundRect(box.rect, 4 * unit, 4 * unit, paint(tone))
    elif shape.kind == "slant":
        path = skia.Path()
        if frame.wide:
            outer = box.x < frame.width / 2
            near, far = (box.x, box.right) if outer else (box.right, box.x)
            lean = box.w * 0.16 * (1 if outer else -1)
            points = [(near, box.y), (far + lean * 0.2, box.y), (far - lean, box.bottom), (near, box.bottom)]
        else:
            points = [
                (box.x, box.y + 0.2 * frame.width * 0.85),
                (box.right, box.y - 0.02 * frame.width),
                (box.right, box.bottom),
                (box.x, box.bottom),
            ]
        path.addPoly([skia.Point(*point) for point in points], True)
        canvas.drawPath(path, paint(tone))
    elif shape.kind == "ticket":
        canvas.drawPath(
            ticket(box, unit),
            paint("#000000", 0.16, MaskFilter=skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 2 * unit)),
        )
        canvas.drawPath(ticket(box, unit), paint(tone))
        dash = skia.DashPathEffect.Make([1.6 * unit, 1.3 * unit], 0)
        line = stroke(colours.accent, 0.35 * unit, 0.8)
        line.setPathEffect(dash)
        y = box.y + box.h * PERFORATION
        canvas.drawLine(box.x + 5 * unit, y, box.right - 5 * unit, y, line)


PERFORATION = 0.665


def ticket(box: Box, unit: float) -> Any:
    """Return a ticket's outline: round corners and a notch on either side where it is torn off."""
    whole, notches = skia.Path(), skia.Path()
    whole.addRoundRect(box.rect, 3 * unit, 3 * unit)
    y = box.y + box.h * PERFORATION
    for x in (box.x, box.right):
        notches.addCircle(x, y, 2.6 * unit)
    return skia.Op(whole, notches, skia.PathOp.kDifference_PathOp)


def _beyond(frame: Frame) -> Box:
    return frame.page.inset(-OVER * max(frame.width, frame.height))


_TEXTURES = {"grain": _grained, "dots": _dots, "lines": _lines, "mesh": _mesh, "waves": _waves, "rays": _rays}
