"""Layout families: where product, words, logo and small print stand on a page of any shape.

Each family is a function from the frame to an arrangement, in shares of what is safe to use, so that one family makes a kiosk's portrait and a
banner's landscape. A page that reads from the right is the mirror image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from personalization.creative.geometry import Box
from personalization.creative.space import CreativeSpec

MARGIN = {"tight": 5.6, "regular": 7.4, "airy": 9.4}
SAFE: dict[str, tuple[float, float]] = {"9:16": (0.11, 0.15), "kiosk": (0.025, 0.035)}
"""Shares of the height at the top and the bottom that a channel covers with its own controls (9:16: stories and reels)."""


@dataclass(frozen=True, slots=True)
class Block:
    """A place for a column of words: what it holds, how they stand in it, and on what colour."""

    box: Box
    items: tuple[str, ...]
    stand: str = "top"
    align: str = "left"
    on: str = "ground"
    larger: float = 1.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A coloured form behind: `kind` rect, round, disc, slant, ticket or frame."""

    kind: str
    box: Box
    colour: str = "panel"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A page: where the product is (`full`: where a photograph may fill the page to its edges), the columns of words, forms, logo and small print."""

    focal: Box
    blocks: tuple[Block, ...]
    shapes: tuple[Shape, ...] = ()
    full: Box | None = None
    logo: Box = field(default_factory=lambda: Box(0, 0, 0, 0))
    legal: Box = field(default_factory=lambda: Box(0, 0, 0, 0))
    logo_align: str = "left"
    from_right: bool = False
    logo_on: str = "ground"
    legal_on: str = "ground"


@dataclass(frozen=True, slots=True)
class Frame:
    """The page that a layout is made for: its size, a hundredth of its shorter side, the safe box and the body between logo and small print."""

    width: int
    height: int
    unit: float
    safe: Box
    body: Box
    align: str
    priced: bool

    @property
    def wide(self) -> bool:
        """Whether words and product stand side by side."""
        return self.width > 1.3 * self.height

    @property
    def type_unit(self) -> float:
        """What type is measured in: larger on tall pages, which have room and are read from afar."""
        return self.unit * (1.24 if self.height > 1.6 * self.width else 1.0)

    @property
    def page(self) -> Box:
        """All of it."""
        return Box(0, 0, self.width, self.height)


ALL = ("kicker", "headline", "line", "price", "action")


def frame_for(spec: CreativeSpec, *, legal: bool, priced: bool) -> Frame:
    """Return the frame of a spec."""
    width, height = spec.size
    unit = min(width, height) / 100
    above, below = (share * height for share in SAFE.get(spec["aspect"], (0.0, 0.0)))
    margin = MARGIN[spec["grid"]] * unit
    safe = Box(margin, above + margin, width - 2 * margin, height - above - below - 2 * margin)
    logo, small = 9.4 * unit, 4.6 * unit if legal else 0.0
    return Frame(
        width,
        height,
        unit,
        safe,
        Box(safe.x, safe.y + logo, safe.w, safe.h - logo - small),
        "centre" if spec["align"] == "centre" else "left",
        priced,
    )


def arrange(spec: CreativeSpec, frame: Frame, *, from_right: bool = False) -> Arrangement:
    """Return the arrangement of a spec's layout family."""
    found = _FAMILIES[spec["layout"]](frame)
    safe, unit = frame.safe, frame.unit
    centred = spec["align"] == "centre" and not frame.wide
    found = replace(
        found,
        logo=Box(safe.x, safe.y, safe.w, 5.4 * unit),
        legal=Box(safe.x, safe.bottom - 3.0 * unit, safe.w, 3.0 * unit),
        logo_align="centre" if centred else "left",
    )
    return _mirrored(found, frame.width) if from_right else found


def _mirrored(one: Arrangement, width: float) -> Arrangement:
    turned = {"left": "right", "centre": "centre"}
    return replace(
        one,
        focal=one.focal.mirrored(width),
        blocks=tuple(replace(block, box=block.box.mirrored(width), align=turned[block.align]) for block in one.blocks),
        logo_align=turned[one.logo_align],
        from_right=True,
        shapes=tuple(replace(shape, box=shape.box.mirrored(width)) for shape in one.shapes),
        full=one.full.mirrored(width) if one.full else None,
        logo=one.logo.mirrored(width),
        legal=one.legal.mirrored(width),
    )


def _side(
    frame: Frame,
    *,
    on: str = "ground",
    share: float = 0.5,
    stand: str = "middle",
    items: tuple[str, ...] = ALL,
    larger: float = 1.0,
) -> Block:
    """Return the column of words of a wide page."""
    return Block(frame.body.part(0, 0, share, 1), items, stand, frame.align, on, larger)


def _wide_focal(frame: Frame, left: float = 0.54, top: float = 0.06, bottom: float = 0.94) -> Box:
    return frame.page.part(left, top, 0.965, bottom)


def _hero_top(frame: Frame) -> Arrangement:
    if frame.wide:
        return Arrangement(_wide_focal(frame), (_side(frame),), full=frame.page.part(0.54, 0, 1, 1))
    body = frame.body
    return Arrangement(
        body.part(0, 0.0, 1, 0.53),
        (Block(body.part(0, 0.565, 1, 1), ALL, "bottom", frame.align),),
        full=Box(0, 0, frame.width, body.y + 0.535 * body.h),
    )


def _hero_bottom(frame: Frame) -> Arrangement:
    if frame.wide:
        return Arrangement(
            _wide_focal(frame, 0.5, 0.1, 1.04), (_side(frame, share=0.47),), full=frame.page.part(0.52, 0, 1, 1)
        )
    body = frame.body
    return Arrangement(
        body.part(0, 0.47, 1, 1), (Block(body.part(0, 0.01, 1, 0.45), ALL, "top", frame.align),),
        full=Box(0, body.y + 0.47 * body.h, frame.width, frame.height - body.y - 0.47 * body.h),
    )  # fmt: skip


def _panel(frame: Frame) -> Arrangement:
    body, page = frame.body, frame.page
    if frame.wide:
        return Arrangement(
            _wide_focal(frame, 0.55), (replace(_side(frame, share=0.47), on="panel"),), (Shape("rect", page.part(-0.1, -0.1, 0.52, 1.1)),),
            full=page.part(0.52, 0, 1, 1),
        )  # fmt: skip
    edge = body.y + 0.54 * body.h
    return Arrangement(
        body.part(0.02, 0, 0.98, 0.53),
        (
            Block(
                Box(body.x, edge + 4.2 * frame.unit, body.w, body.bottom - edge - 4.2 * frame.unit),
                ALL,
                "middle",
                frame.align,
                "panel",
            ),
        ),
        (Shape("rect", Box(-frame.width * 0.1, edge, frame.width * 1.2, frame.height * 1.1 - edge)),),
        full=Box(0, 0, frame.width, edge),
        legal_on="panel",
    )


def _arc(frame: Frame) -> Arrangement:
    body = frame.body
    if frame.wide:
        side = frame.height * 1.9
        shape = Shape("disc", Box(frame.width * 0.53 - side, frame.height / 2 - side / 2, side, side))
        return Arrangement(_wide_focal(frame, 0.57), (replace(_side(frame, share=0.43), on="panel"),), (shape,))
    edge = body.y + 0.5 * body.h
    side = frame.width * 2.3
    return Arrangement(
        body.part(0.02, 0, 0.98, 0.51),
        (Block(Box(body.x + 2 * frame.unit, edge + 9 * frame.unit, body.w - 4 * frame.unit, body.bottom - edge - 9 * frame.unit), ALL, "middle", frame.align, "panel"),),
        (Shape("disc", Box(frame.width / 2 - side / 2, edge, side, side)),),
        legal_on="panel",
    )  # fmt: skip


def _centred(frame: Frame) -> Arrangement:
    if frame.wide:
        return Arrangement(_wide_focal(frame, 0.53), (Block(frame.body.part(0, 0, 0.49, 1), ALL, "middle", "centre"),))
    body = frame.body
    return Arrangement(
        body.part(0.02, 0.315, 0.98, 0.715),
        (
            Block(body.part(0, 0.0, 1, 0.30), ("kicker", "headline"), "middle", "centre"),
            Block(body.part(0, 0.735, 1, 1), ("line", "price", "action"), "bottom", "centre"),
        ),
    )


def _big_price(frame: Frame) -> Arrangement:
    items = ("big_price", "headline", "line", "action")
    if frame.wide:
        return Arrangement(_wide_focal(frame, 0.6), (_side(frame, share=0.55, items=items, larger=0.62),))
    body = frame.body
    return Arrangement(
        body.part(0.06, 0, 0.94, 0.45), (Block(body.part(0, 0.47, 1, 1), items, "bottom", frame.align, larger=0.62),)
    )


def _big_word(frame: Frame) -> Arrangement:
    body, page = frame.body, frame.page
    foot = ("line", "price", "action")
    if frame.wide:
        return Arrangement(
            page.part(0.6, 0.2, 0.985, 1.0),
            (Block(body.part(0, 0, 0.6, 0.6), ("kicker", "headline"), "top", "left", larger=1.25), Block(body.part(0, 0.63, 0.5, 1), foot, "bottom", "left")),
        )  # fmt: skip
    return Arrangement(
        body.part(0.44, 0.49, 1.06, 1),
        (Block(body.part(0, 0, 1, 0.47), ("kicker", "headline"), "top", "left", larger=1.35), Block(body.part(0, 0.5, 0.47, 1), foot, "bottom", "left")),
    )  # fmt: skip


def _framed(frame: Frame) -> Arrangement:
    line = Shape("frame", frame.safe.inset(-2.6 * frame.unit), "accent")
    inner = frame.body.inset(3 * frame.unit, 1.5 * frame.unit)
    if frame.wide:
        return Arrangement(
            inner.part(0.54, 0, 1, 1), (Block(inner.part(0, 0, 0.5, 1), ALL, "middle", "centre"),), (line,)
        )
    return Arrangement(inner.part(0, 0, 1, 0.49), (Block(inner.part(0, 0.52, 1, 1), ALL, "middle", "centre"),), (line,))


def _diagonal(frame: Frame) -> Arrangement:
    body, page = frame.body, frame.page
    if frame.wide:
        return Arrangement(
            _wide_focal(frame, 0.57), (replace(_side(frame, share=0.45), on="panel"),), (Shape("slant", page.part(-0.1, -0.1, 0.58, 1.1)),),
        )  # fmt: skip
    edge = body.y + 0.47 * body.h
    return Arrangement(
        body.part(0.02, 0, 0.98, 0.5),
        (
            Block(
                Box(body.x, edge + 15 * frame.unit, body.w, body.bottom - edge - 15 * frame.unit),
                ALL,
                "middle",
                "left",
                "panel",
            ),
        ),
        (Shape("slant", Box(-frame.width * 0.1, edge, frame.width * 1.2, frame.height * 1.1 - edge)),),
        legal_on="panel",
    )


def _card(frame: Frame) -> Arrangement:
    body, page, unit = frame.body, frame.page, frame.unit
    if frame.wide:
        card = Box(frame.safe.x, body.y, frame.safe.w * 0.5, body.h)
        return Arrangement(
            _wide_focal(frame, 0.55), (Block(card.inset(5 * unit), ALL, "middle", frame.align, "panel"),), (Shape("round", card),),
            full=page, logo_on="ground",
        )  # fmt: skip
    card = body.part(0, 0.56, 1, 1)
    return Arrangement(
        body.part(0.02, 0, 0.98, 0.54), (Block(card.inset(5 * unit, 4.4 * unit), ALL, "middle", frame.align, "panel"),), (Shape("round", card),),
        full=page,
    )  # fmt: skip


def _ticket(frame: Frame) -> Arrangement:
    body, unit = frame.body, frame.unit
    return Arrangement(
        body.part(0.1, 0.045, 0.9, 0.37),
        (
            Block(body.part(0.08, 0.395, 0.92, 0.64), ("headline",), "middle", "centre", "panel", 0.8),
            Block(body.part(0.08, 0.69, 0.92, 0.965), ("kicker", "line", "action"), "middle", "centre", "panel"),
        ),
        (Shape("ticket", Box(body.x, body.y, body.w, body.h - unit)),),
    )


def _ribbon(frame: Frame) -> Arrangement:
    body = frame.body
    band = Box(-frame.width * 0.1, body.y + 0.5 * body.h, frame.width * 1.2, body.h * 0.25)
    return Arrangement(
        body.part(0.04, 0, 0.96, 0.5),
        (
            Block(
                Box(body.x, band.y + 2 * frame.unit, body.w, band.h - 4 * frame.unit),
                ("kicker", "headline"),
                "middle",
                "centre",
                "panel",
            ),
            Block(body.part(0, 0.775, 1, 1), ("line", "price", "action"), "middle", "centre"),
        ),
        (Shape("rect", band),),
    )


_FAMILIES: dict[str, Callable[[Frame], Arrangement]] = {
    "hero_top": _hero_top, "hero_bottom": _hero_bottom, "panel": _panel, "arc": _arc, "centred": _centred, "big_price": _big_price,
    "big_word": _big_word, "framed": _framed, "diagonal": _diagonal, "card": _card, "ticket": _ticket, "ribbon": _ribbon,
}  # fmt: skip
