"""The product: how it is held, cropped, masked and what it stands on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import skia
from scipy import ndimage

from personalization.creative.colour import luminance
from personalization.creative.geometry import Box
from personalization.creative.palette import Palette
from personalization.creative.picture import Picture
from personalization.creative.space import CreativeSpec

TILT = {"tilt_left": -8.0, "tilt_right": 8.0}
FILLS = {"plain": 0.96, "disc": 0.80, "arch": 0.82, "blob": 0.80, "tile": 0.78, "ring": 0.74, "plinth": 0.80, "sticker": 0.82, "spotlight": 0.86, "pattern": 0.80}  # fmt: skip
_STEPS = 9
_SMALLER = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
_SAMPLING = skia.SamplingOptions(skia.CubicResampler.Mitchell())


def colour(hexa: str, alpha: float = 1.0) -> int:
    """Return Skia's ARGB of a hex colour."""
    return round(alpha * 255) << 24 | int(hexa[1:], 16)


def paint(hexa: str, alpha: float = 1.0, **more: Any) -> Any:
    """Return a smooth paint."""
    return skia.Paint(Color=colour(hexa, alpha), AntiAlias=True, **more)


def stroke(hexa: str, width: float, alpha: float = 1.0) -> Any:
    """Return a paint for lines."""
    return skia.Paint(
        Color=colour(hexa, alpha), AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=width,
        StrokeJoin=skia.Paint.kRound_Join, StrokeCap=skia.Paint.kRound_Cap,
    )  # fmt: skip


def draw_stand(
    canvas: Any, box: Box, spec: CreativeSpec, colours: Palette, picture: Picture, rng: np.random.Generator
) -> None:
    """Draw what the product stands on or before: nothing for a photograph, which is masked in its form."""
    form, square = spec["focal"], box.square()
    side = square.w
    if picture.kind == "photo":
        if form == "ring":
            canvas.drawPath(_form("disc", square.inset(-0.035 * side), rng), stroke(colours.accent, side * 0.012))
        return
    if form in {"disc", "arch", "blob", "tile"}:
        canvas.drawPath(_form(form, square, rng), paint(colours.shape))
    elif form == "ring":
        canvas.drawPath(_form("disc", square.inset(0.02 * side), rng), stroke(colours.accent, side * 0.014))
        canvas.drawPath(_form("disc", square.inset(0.055 * side), rng), paint(colours.shape, 0.75))
    elif form == "plinth":
        x, y = square.centre[0], square.y + 0.80 * side
        body = skia.Path()
        body.addRect(skia.Rect.MakeLTRB(x - 0.40 * side, y, x + 0.40 * side, y + 0.14 * side))
        body.addOval(skia.Rect.MakeLTRB(x - 0.40 * side, y + 0.08 * side, x + 0.40 * side, y + 0.20 * side))
        canvas.drawPath(body, paint(colours.pale))
        canvas.drawOval(
            skia.Rect.MakeLTRB(x - 0.40 * side, y - 0.06 * side, x + 0.40 * side, y + 0.06 * side), paint(colours.shape)
        )
    elif form == "spotlight":
        light = max((colours.panel, colours.shape, colours.pale), key=luminance)
        glow = skia.GradientShader.MakeRadial(
            skia.Point(*square.centre),
            side * 0.62,
            [colour(light, alpha) for alpha in (0.95, 0.45, 0.0)],
            [0.0, 0.5, 1.0],
        )
        canvas.drawCircle(*square.centre, side * 0.62, skia.Paint(Shader=glow, AntiAlias=True))
    elif form == "pattern":
        canvas.drawPath(_form("disc", square.inset(0.02 * side), rng), paint(colours.shape))


def product_box(box: Box, spec: CreativeSpec, picture: Picture) -> Box:
    """Return where the product itself is drawn, before its tilt."""
    square, form = box.square(), spec["focal"]
    within = FILLS[form] * square.w * (1.14 if spec["crop"] == "close" else 1.0)
    if picture.kind == "photo":
        return square if form != "plain" else box
    if form == "plain":
        within = min(box.h * FILLS[form], box.w * 1.0) * (1.06 if spec["crop"] == "close" else 1.0)
    wide, high = within * min(1.0, picture.aspect), within * min(1.0, 1 / picture.aspect)
    x, y = square.centre
    if form == "plinth":
        high, wide = high * 0.98, wide * 0.98
        return Box(x - wide / 2, square.y + 0.815 * square.w - high, wide, high)
    return Box(x - wide / 2, y - high / 2, wide, high)


def product_extent(box: Box, spec: CreativeSpec, picture: Picture) -> Box:
    """Return the upright box around the product as it is drawn, tilt included."""
    shown, turn = product_box(box, spec, picture), np.deg2rad(abs(TILT.get(spec["crop"], 0.0)))
    wide = shown.w * float(np.cos(turn)) + shown.h * float(np.sin(turn))
    high = shown.h * float(np.cos(turn)) + shown.w * float(np.sin(turn))
    return shown.inset((shown.w - wide) / 2, (shown.h - high) / 2)


def clear_of(box: Box, spec: CreativeSpec, picture: Picture, read: Sequence[Box], room: float) -> Box:
    """Return the box made smaller until the product keeps `room` from what is read; as it was where that takes more than a quarter of it."""
    smaller = box
    for _ in range(_STEPS):
        if not any(product_extent(smaller, spec, picture).inset(-room).meets(one) for one in read):
            return smaller
        smaller = smaller.inset(0.016 * box.w, 0.016 * box.h)
    return box


def _drawn(canvas: Any, image: Any, box: Box, how: Any) -> None:
    """Draw an image in a box: smoothly where it is made much smaller, which a cubic alone leaves with steps along its edges."""
    scale = canvas.getTotalMatrix().getScaleX() * box.w / image.width()
    canvas.drawImageRect(image, box.rect, _SMALLER if scale < 0.75 else _SAMPLING, how)


def draw_product(
    canvas: Any, box: Box, spec: CreativeSpec, colours: Palette, picture: Picture, rng: np.random.Generator
) -> None:
    """Draw the product in its box: a cut-out with its shadow, a photograph in its mask."""
    canvas.save()
    middle = box.centre
    canvas.rotate(TILT.get(spec["crop"], 0.0), *middle)
    if picture.kind == "photo":
        _photo(canvas, box, spec, colours, picture, rng)
    else:
        _cutout(canvas, product_box(box, spec, picture), spec, colours, picture)
    canvas.restore()


def _cutout(canvas: Any, box: Box, spec: CreativeSpec, colours: Palette, picture: Picture) -> None:
    unit = max(box.w, box.h)
    how = skia.Paint(AntiAlias=True)
    if spec["focal"] in {"plinth", "plain", "spotlight"} and spec["crop"] in {"whole", "close"}:
        ground = Box(box.x + 0.1 * box.w, box.bottom - 0.045 * unit, 0.8 * box.w, 0.075 * unit)
        blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, unit * 0.018)
        canvas.drawOval(ground.rect, paint("#000000", 0.28, MaskFilter=blur))
    else:
        _silhouette(canvas, picture, box, 0.022 * unit, 0.03, "#000000", 0.26)
    if spec["focal"] == "sticker":
        _silhouette(canvas, picture, box, 0.0, 0.0, "#ffffff", 1.0, wider=0.024)
    _drawn(canvas, picture.image, box, how)


def _silhouette(
    canvas: Any, picture: Picture, box: Box, down: float, blur: float, tone: str, alpha: float, *, wider: float = 0.0
) -> None:
    """Draw the product's outline filled with a colour, moved down, blurred or made wider by shares of its longer side."""
    mask, edge = _outline(picture.digest, picture, blur, wider)
    grown = Box(box.x - edge * box.w, box.y - edge * box.h + down, box.w * (1 + 2 * edge), box.h * (1 + 2 * edge))
    tint = skia.ColorFilters.Blend(colour(tone, alpha), skia.BlendMode.kSrcIn)
    canvas.drawImageRect(
        mask, grown.rect, skia.SamplingOptions(skia.FilterMode.kLinear), skia.Paint(ColorFilter=tint, AntiAlias=True)
    )


_EDGE = 0.16
_OUTLINES: dict[tuple[str, float, float], Any] = {}


def _outline(digest: str, picture: Picture, blur: float, wider: float) -> tuple[Any, float]:
    """Return the product's alpha as a small image with room around it, blurred or widened; kept, as a filter on full size takes half a second."""
    key = (digest, blur, wider)
    if key not in _OUTLINES:
        if len(_OUTLINES) > 256:
            _OUTLINES.clear()
        side = 220 if blur else 640
        scale = side / max(picture.image.width(), picture.image.height())
        wide, high = max(round(picture.image.width() * scale), 1), max(round(picture.image.height() * scale), 1)
        small = picture.image.resize(wide, high, skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear))
        alpha = small.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3].astype(np.float32) / 255
        alpha = np.pad(alpha, ((round(_EDGE * high),) * 2, (round(_EDGE * wide),) * 2))
        if wider:
            far = ndimage.distance_transform_edt(alpha < 0.5)
            alpha = np.clip(wider * side - far + 0.5, 0, 1)
        if blur:
            alpha = ndimage.gaussian_filter(alpha, blur * side)
        white = np.repeat((np.clip(alpha, 0, 1) * 255).astype(np.uint8)[..., None], 4, 2)
        _OUTLINES[key] = skia.Image.fromarray(
            np.ascontiguousarray(white), colorType=skia.kRGBA_8888_ColorType, alphaType=skia.kPremul_AlphaType
        )
    return _OUTLINES[key], _EDGE


def _photo(
    canvas: Any, box: Box, spec: CreativeSpec, colours: Palette, picture: Picture, rng: np.random.Generator
) -> None:
    form = spec["focal"]
    zoom = 1.22 if spec["crop"] == "close" else 1.0
    if form == "plain":
        canvas.save()
        canvas.clipRect(box.rect, doAntiAlias=True)
        _covering(canvas, box, picture, zoom)
        canvas.restore()
        return
    square = box.square().inset(0.02 * box.square().w)
    mask = _form({"ring": "disc", "sticker": "tile"}.get(form, form), square, rng)
    blur = skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, square.w * 0.022)
    canvas.save()
    canvas.translate(0, square.w * 0.014)
    canvas.drawPath(mask, paint("#000000", 0.22, MaskFilter=blur))
    canvas.restore()
    if form == "sticker":
        canvas.drawPath(mask, paint("#ffffff"))
        mask = _form("tile", square.inset(square.w * 0.03), rng)
    canvas.save()
    canvas.clipPath(mask, doAntiAlias=True)
    _covering(canvas, square, picture, zoom)
    canvas.restore()


def _covering(canvas: Any, box: Box, picture: Picture, zoom: float) -> None:
    """Draw the picture so that it covers the box, a little above its middle: that is where products and faces are."""
    scale = max(box.w / picture.image.width(), box.h / picture.image.height()) * zoom
    wide, high = picture.image.width() * scale, picture.image.height() * scale
    x = box.x + (box.w - wide) / 2
    y = box.y + (box.h - high) * 0.45
    canvas.drawImageRect(picture.image, skia.Rect.MakeXYWH(x, y, wide, high), _SAMPLING, skia.Paint(AntiAlias=True))


def _form(kind: str, box: Box, rng: np.random.Generator) -> Any:
    """Return a form's outline."""
    path = skia.Path()
    if kind == "disc":
        path.addOval(box.rect)
    elif kind == "tile":
        radius = box.w * 0.09
        path.addRoundRect(box.rect, radius, radius)
    elif kind == "arch":
        narrow = Box(box.x + box.w * 0.09, box.y, box.w * 0.82, box.h)
        round_ = narrow.w / 2
        path.moveTo(narrow.x, narrow.bottom)
        path.lineTo(narrow.x, narrow.y + round_)
        path.arcTo(skia.Rect.MakeXYWH(narrow.x, narrow.y, narrow.w, narrow.w), 180, 180, False)
        path.lineTo(narrow.right, narrow.bottom)
        path.close()
    else:
        _blob(path, box, rng)
    return path


def _blob(path: Any, box: Box, rng: np.random.Generator) -> None:
    """Add a soft closed curve through points around a circle (Catmull-Rom as Béziers)."""
    count = 7
    reach = 0.5 * box.w * (0.86 + 0.14 * rng.random(count))
    start = rng.random() * math.tau
    angles = start + np.arange(count) * math.tau / count
    x, y = box.centre
    points = [(x + r * math.cos(a), y + r * math.sin(a)) for r, a in zip(reach, angles, strict=True)]
    path.moveTo(*points[0])
    for k in range(count):
        before, here, there, after = (points[(k + step) % count] for step in (-1, 0, 1, 2))
        path.cubicTo(
            here[0] + (there[0] - before[0]) / 5.2, here[1] + (there[1] - before[1]) / 5.2,
            there[0] - (after[0] - here[0]) / 5.2, there[1] - (after[1] - here[1]) / 5.2, *there,
        )  # fmt: skip
    path.close()
