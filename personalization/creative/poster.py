"""A poster: a spec, facts, a picture and a brand become layers, each with its box, so that they can be drawn, checked and set in motion.

`compose` is deterministic. Words are set first; what is behind them is drawn next and measured as it is drawn; then every text takes the ink
that can be read there, over a veil where none can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import skia

from personalization.creative import backdrop
from personalization.creative.brand import BrandKit
from personalization.creative.column import LEAST_SMALL, Placed, Told, fit, measured
from personalization.creative.focal import clear_of, colour, draw_product, draw_stand, paint, product_box, stroke
from personalization.creative.geometry import Box
from personalization.creative.layers import Draw, Inked, Layer, inked
from personalization.creative.layouts import Arrangement, Frame, arrange, frame_for
from personalization.creative.palette import Palette, palette
from personalization.creative.picture import Picture, read_picture
from personalization.creative.space import CreativeSpec
from personalization.creative.typography import PAIRINGS, RIGHT_TO_LEFT, Words, paragraph
from personalization.creative.words import Facts, Message, legal_lines


@dataclass(frozen=True, slots=True)
class Poster:
    """What is drawn, from back to front; `dropped` names the texts that there was no room for."""

    spec: CreativeSpec
    width: int
    height: int
    layers: tuple[Layer, ...]
    colours: Palette
    message: Message
    frame: Frame
    dropped: tuple[str, ...] = ()
    veiled: tuple[str, ...] = ()

    def draw(self, canvas: Any, *, without: frozenset[str] = frozenset()) -> None:
        """Draw all layers, or all but some roles."""
        for layer in self.layers:
            if layer.role not in without:
                layer.draw(canvas)

    @property
    def texts(self) -> list[Layer]:
        """The layers that are read."""
        return [layer for layer in self.layers if layer.text]


@dataclass(frozen=True, slots=True)
class Material:
    """What a creative is made from, beside its spec. `background` is what an image model painted, None for the drawn ground."""

    facts: Facts
    message: Message
    picture: Picture
    brand: BrandKit
    language: str = "en"
    background: Picture | None = None


def compose(spec: CreativeSpec, of: Material) -> Poster:
    """Lay out and colour a poster."""
    legal = legal_lines(of.facts, of.brand, of.language)
    frame = frame_for(spec, legal=bool(legal), priced=bool(of.facts.price))
    page = arrange(spec, frame, from_right=of.language in RIGHT_TO_LEFT)
    colours = palette(spec, of.brand, of.picture.colours)
    told = _told(of)
    placed: list[Placed] = []
    words: list[Inked | None] = []
    dropped: list[str] = []
    burst = spec["price"] == "burst" and bool(told.items.get("price"))
    for column, block in enumerate(page.blocks):
        items = tuple(name for name in block.items if not (burst and name == "price"))
        found, out = fit(replace(block, items=items), told, spec, frame.type_unit)
        placed += found
        words += [_words(one, spec, column, page.from_right) for one in found]
        dropped += out
    small = _legal(legal, page, frame, spec) if legal else None
    read = [one.box for one in placed] + ([small.box] if small is not None else [])
    focal = _focal(page, spec, of.picture)
    if of.picture.kind == "cutout":
        focal = clear_of(focal, spec, of.picture, read, 1.8 * frame.unit)
    avoid = [one.box.inset(-1.5 * frame.unit) for one in placed] + [page.logo] + ([page.legal] if legal else [])
    layers = _behind(spec, frame, page, colours, of, focal, avoid)
    words.append(_logo(of.brand, page, frame, spec))
    if burst:
        words.append(_burst(told, focal, frame, spec, page))
    words.append(small)
    if marks := _marks(of):
        words.append(_mark(page, frame, marks))
    inks, veiled = inked(layers, [one for one in words if one is not None], colours, frame)
    return Poster(
        spec, frame.width, frame.height, (*layers, *inks), colours, of.message, frame, tuple(dropped), tuple(veiled)
    )


def _told(of: Material) -> Told:
    said = of.message
    shown = of.facts.price
    items = {
        "kicker": said.kicker,
        "headline": said.headline,
        "line": said.line,
        "action": said.action,
        "price": shown,
        "big_price": shown,
    }
    if shown and said.line.rstrip(".") == shown:
        items["line"] = ""  # it stands large below
    return Told(items, of.facts.was)


def _focal(page: Arrangement, spec: CreativeSpec, picture: Picture) -> Box:
    if picture.kind == "photo" and spec["focal"] == "plain" and page.full is not None:
        return page.full
    return page.focal


def _behind(
    spec: CreativeSpec,
    frame: Frame,
    page: Arrangement,
    colours: Palette,
    of: Material,
    focal: Box,
    avoid: list[Box],
) -> list[Layer]:
    """Return ground, texture, forms, stand and product. Each draws its chance from the spec's seed, so that one does not move another."""

    def chance(part: int) -> np.random.Generator:
        return np.random.default_rng([spec.seed, part])

    picture, painted = of.picture, of.background
    full = picture.kind == "photo" and spec["focal"] == "plain" and page.full is not None
    layers = [Layer("ground", frame.page, lambda canvas: backdrop.draw_ground(canvas, frame, colours))]
    if painted is not None:
        layers.append(
            Layer("texture", frame.page, lambda canvas: backdrop.draw_painted(canvas, painted, frame, colours))
        )
    elif spec["texture"] != "none":
        layers.append(
            Layer(
                "texture",
                frame.page,
                lambda canvas: backdrop.draw_texture(canvas, spec["texture"], frame, colours, avoid, chance(1)),
            )
        )
    if spec["focal"] == "pattern":
        keep_off = [*avoid, product_box(focal, spec, picture)]
        layers.append(
            Layer("texture", frame.page, lambda canvas: backdrop.draw_pattern(canvas, frame, picture, keep_off))
        )
    product = Layer("product", focal, lambda canvas: draw_product(canvas, focal, spec, colours, picture, chance(2)))
    stand = Layer("stand", focal, lambda canvas: draw_stand(canvas, focal, spec, colours, picture, chance(2)))
    shapes = [
        Layer("shape", shape.box, partial(backdrop.draw_shape, shape=shape, frame=frame, colours=colours))
        for shape in page.shapes
    ]
    # what fills the page lies under the forms, what stands on it before them
    return [*layers, product, *shapes] if full else [*layers, *shapes, stand, product]


def _words(one: Placed, spec: CreativeSpec, column: int, from_right: bool) -> Inked:
    kind = spec["action"] if one.role == "action" else spec["price"] if one.role == "price" else "plain"
    if kind == "plain":
        return Inked(
            one.role, one.box, one.words.text, lambda ink, _: lambda canvas: _text(canvas, one, ink), column=column
        )
    return Inked(
        one.role, one.box, one.words.text, lambda ink, ground: lambda canvas: _label(canvas, one, kind, ink, ground, from_right), kind in {"pill", "tag"}, column
    )  # fmt: skip


def _text(canvas: Any, one: Placed, ink: str) -> None:
    """Draw a text, struck through where it is a price that was."""
    box = one.text_box
    # two pixels more than measured, so that rounding breaks no line; shared by both sides
    paragraph(one.words, box.w + 2, colour(ink)).paint(canvas, box.x - 1, box.y)
    if one.role == "was":
        y = box.y + box.h * 0.54
        canvas.drawLine(box.x - 2, y, box.right + 2, y, stroke(ink, max(one.words.size * 0.07, 2)))


def _label(canvas: Any, one: Placed, kind: str, ink: str, ground: str, from_right: bool) -> None:
    """Draw a button, a price on its tag, or a call to action with a line or an arrow."""
    box, size, inner = one.box, one.words.size, one.text_box
    if kind == "pill":
        canvas.drawRoundRect(box.rect, box.h / 2, box.h / 2, paint(ground))
    elif kind == "tag":
        canvas.drawPath(_tag(box), paint(ground))
        canvas.drawCircle(box.x + 0.27 * box.h, box.centre[1], 0.075 * box.h, paint(ink))
    elif kind == "outline":
        canvas.drawRoundRect(box.inset(0.05 * size).rect, box.h / 2, box.h / 2, stroke(ink, 0.09 * size))
    _text(canvas, one, ink)
    if kind == "underline":
        y = inner.bottom + 0.02 * size
        canvas.drawLine(inner.x, y, inner.right, y, stroke(ink, 0.08 * size))
    elif kind == "arrow":
        _arrow(canvas, inner, size, ink, from_right=from_right)


def _arrow(canvas: Any, inner: Box, size: float, ink: str, *, from_right: bool) -> None:
    pen, way = stroke(ink, 0.11 * size), -1 if from_right else 1
    start = inner.x - 0.5 * size if from_right else inner.right + 0.5 * size
    y, tip = inner.y + inner.h * 0.54, start + way * 0.95 * size
    canvas.drawLine(start, y, tip, y, pen)
    for side in (-1, 1):
        canvas.drawLine(tip, y, tip - way * 0.34 * size, y + side * 0.34 * size, pen)


def _tag(box: Box) -> Any:
    path, cut, round_ = skia.Path(), 0.5 * box.h, 0.1 * box.h
    path.moveTo(box.x, box.centre[1])
    path.lineTo(box.x + cut * 0.72, box.y)
    path.lineTo(box.right - round_, box.y)
    path.quadTo(box.right, box.y, box.right, box.y + round_)
    path.lineTo(box.right, box.bottom - round_)
    path.quadTo(box.right, box.bottom, box.right - round_, box.bottom)
    path.lineTo(box.x + cut * 0.72, box.bottom)
    path.close()
    return path


def _burst(told: Told, focal: Box, frame: Frame, spec: CreativeSpec, page: Arrangement) -> Inked:
    """Return a star with the price at the product's outer upper corner, clear of logo and words."""
    face = PAIRINGS[spec["type"]].strong
    text = told.items["price"]
    size = 6.2 * frame.unit
    while measured(Words(text, face, size), 1e6)[1] > 15.5 * frame.unit:
        size *= 0.94
    _, wide, _ = measured(Words(text, face, size), 1e6)
    radius = max(wide * 0.5 + 4.2 * frame.unit, 9.5 * frame.unit)
    square = focal.square()
    x = min(square.right - 0.30 * radius, frame.safe.right - radius)
    y = max(square.y + 0.92 * radius, page.logo.bottom + 1.06 * radius)
    box = Box(x - radius, y - radius, 2 * radius, 2 * radius)

    def inked(ink: str, ground: str) -> Draw:
        def draw(canvas: Any) -> None:
            star = skia.Path()
            for k in range(36):
                reach, angle = radius * (1.0 if k % 2 == 0 else 0.9), k * np.pi / 18
                point = (x + reach * float(np.cos(angle)), y + reach * float(np.sin(angle)))
                star.moveTo(*point) if k == 0 else star.lineTo(*point)
            star.close()
            canvas.save()
            canvas.rotate(-8, x, y)
            canvas.drawPath(star, paint(ground))
            made = paragraph(Words(text, face, size, "centre"), 2 * radius, colour(ink))
            shift = 0.0
            if told.was:
                old = Words(told.was, PAIRINGS[spec["type"]].text, max(size * 0.5, 2.6 * frame.unit), "centre")
                above = paragraph(old, 2 * radius, colour(ink))
                shift = float(above.Height) * 0.42
                top = y - float(made.Height) / 2 - shift
                above.paint(canvas, x - radius, top - shift * 0.5)
                wide, mid = float(above.LongestLine), top - shift * 0.5 + float(above.Height) * 0.54
                canvas.drawLine(x - wide / 2 - 3, mid, x + wide / 2 + 3, mid, stroke(ink, max(old.size * 0.08, 2)))
            made.paint(canvas, x - radius, y - float(made.Height) / 2 + shift)
            canvas.restore()

        return draw

    return Inked("price", box, text, inked, label=True)


def _logo(brand: BrandKit, page: Arrangement, frame: Frame, spec: CreativeSpec) -> Inked | None:
    """Return the brand's logo, or its name set in the strong face, with its clear space."""
    high = 3.4 * frame.unit
    if brand.logo is not None:
        picture, own = _logo_picture(brand.logo)
        wide = min(high * 1.25 * picture.aspect, page.logo.w * 0.6)
        tall = wide / picture.aspect
        x = _logo_x(page, wide)
        box = Box(x, page.logo.y, wide, tall)
        how = skia.SamplingOptions(skia.CubicResampler.Mitchell())
        return Inked(
            "logo",
            box,
            "",
            lambda *_: lambda canvas: canvas.drawImageRect(picture.image, box.rect, how, skia.Paint(AntiAlias=True)),
            own=own,
        )
    words = Words(brand.retailer, PAIRINGS[spec["type"]].strong, high)
    _, wide, _ = measured(words, 1e6)
    if wide > page.logo.w:
        words = words.at(high * page.logo.w / wide)
    tall, wide, _ = measured(words, 1e6)
    box = Box(_logo_x(page, wide), page.logo.y, wide, tall)
    return Inked(
        "logo",
        box,
        brand.retailer,
        lambda ink, _: lambda canvas: paragraph(words, wide + 2, colour(ink)).paint(canvas, box.x, box.y),
    )


@lru_cache(maxsize=8)
def _logo_picture(content: bytes) -> tuple[Picture, str]:
    """Return a logo and its main colour: the middle of what of it is not clear."""
    picture = read_picture(content)
    pixels = picture.image.toarray(colorType=skia.kRGBA_8888_ColorType)
    seen = pixels[pixels[..., 3] > 128][:, :3]
    tone = np.median(seen, axis=0).astype(int) if len(seen) else np.zeros(3, int)
    return picture, "#" + "".join(f"{channel:02x}" for channel in tone)


def _logo_x(page: Arrangement, wide: float) -> float:
    if page.logo_align == "centre":
        return page.logo.x + (page.logo.w - wide) / 2
    return page.logo.right - wide if page.from_right else page.logo.x


def _legal(text: str, page: Arrangement, frame: Frame, spec: CreativeSpec) -> Inked:
    words = Words(text, PAIRINGS[spec["type"]].text, 2.2 * frame.unit, page.logo_align)
    while measured(words, page.legal.w)[0] > page.legal.h * 1.02 and words.size > LEAST_SMALL * frame.unit:
        words = words.at(words.size * 0.96)
    high, wide, _ = measured(words, page.legal.w)
    x = page.legal.x + {"left": 0.0, "centre": (page.legal.w - wide) / 2, "right": page.legal.w - wide}[page.logo_align]
    box = Box(x, page.legal.bottom - high, wide, high)
    return Inked(
        "legal", box, text,
        lambda ink, _: lambda canvas: paragraph(words, page.legal.w, colour(ink)).paint(canvas, page.legal.x, box.y),
    )  # fmt: skip


def _marks(of: Material) -> str:
    """Return what a poster says of its pictures: people who buy by them should know a drawing, and what a model painted (AI Act, art. 50)."""
    told = []
    if of.picture.stand_in:
        told.append({"ar": "رسم توضيحي"}.get(of.language, "Illustration"))
    if of.background is not None:
        told.append(
            {"de": "Hintergrund KI-generiert", "ar": "الخلفية من إنشاء الذكاء الاصطناعي"}.get(
                of.language, "Background made with AI"
            )
        )
    return " · ".join(told)


def _mark(page: Arrangement, frame: Frame, text: str) -> Inked:
    words = Words(text, PAIRINGS["manrope"].text, LEAST_SMALL * frame.unit)
    high, wide, _ = measured(words, 1e6)
    x = page.logo.x if page.from_right else page.logo.right - wide
    box = Box(x, page.logo.y + 0.9 * frame.unit, wide, high)
    return Inked(
        "mark",
        box,
        text,
        lambda ink, _: lambda canvas: paragraph(words, wide + 4, colour(ink)).paint(canvas, box.x, box.y),
    )
