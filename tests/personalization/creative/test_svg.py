"""Drawings from outside: counted with all that they repeat before anything is drawn."""

from __future__ import annotations

import io
import itertools

import pytest
from PIL import EpsImagePlugin, Image

from personalization.creative import picture
from personalization.creative.errors import CreativeError
from personalization.creative.picture import read_picture
from personalization.creative.svg import DEEPEST, drawn

SQUARE = "<rect width='50' height='90' fill='red'/>"


def svg(inside: str) -> bytes:
    return f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 99 99'>{inside}</svg>".encode()


def of_levels(level: str, first: str, last: str) -> bytes:
    """Return a drawing whose parts each repeat the one before ten times; `level` has its number for {n} and the one before it for {m}."""
    return svg(first + "".join(level.format(n=n, m=n - 1) for n in range(1, 9)) + last)


def repeated(part: str) -> str:
    return "".join(itertools.repeat(part, 10))


BOMBS = {
    "use": of_levels("<g id='a{n}'>" + repeated("<use href='#a{m}'/>") + "</g>", f"<g id='a0'>{SQUARE}</g>", "<use href='#a8'/>"),
    "the same id twice": of_levels(
        "<g id='a{n}'>" + repeated("<use href='#a{m}'/>") + "</g><g id='a{n}'/>", f"<g id='a0'>{SQUARE}</g>", "<use href='#a8'/>"
    ),
    "patterns": of_levels(
        "<pattern id='a{n}' width='9' height='9'>" + repeated("<rect width='9' height='9' fill='url(#a{m})'/>") + "</pattern>",
        "<pattern id='a0' width='1' height='1'><rect width='1' height='1'/></pattern>", "<rect width='9' height='9' fill='url(#a8)'/>",
    ),
    "masks in a style": of_levels(
        "<style>.b{n} {{ mask: url( '#a{n}' ) }}</style><mask id='a{n}'>" + repeated("<rect class='b{m}' width='9' height='9'/>") + "</mask>",
        "<mask id='a0'/><style>.b0{mask:url(#a0)}</style>", "<rect class='b8' width='9' height='9'/>",
    ),
    "an inherited pattern": svg(
        "<pattern id='p' width='9' height='9'>" + "<rect width='1' height='1'/>" * 300 + "</pattern><g fill='url(#p)'>"
        + "<rect width='9' height='9'/>" * 300 + "</g>"
    ),
    "filters": svg("<filter id='f'>" + "<feTurbulence baseFrequency='0.1'/>" * 30 + "</filter><rect width='9' height='9' filter='url(#f)'/>"),
    "depth": svg("<g>" * (DEEPEST + 1) + SQUARE + "</g>" * (DEEPEST + 1)),
    "more than Python's own depth": svg("<g>" * 5_000 + SQUARE + "</g>" * 5_000),
    "itself": svg("<g id='a'><use href='#a'/></g>"),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_drawing_that_would_grow_is_refused_before_it_is_drawn(bomb: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "drawn", lambda *_: pytest.fail("it was drawn"))
    with pytest.raises(CreativeError, match=r"cannot be drawn: (it comes to|its parts lie|a part of it)") as refused:
        read_picture(bomb)
    assert refused.value.code == "bad-picture"


def test_a_drawing_that_takes_too_long_is_ended() -> None:
    layers = "<g opacity='.5'><rect width='90' height='90' fill='blue'/></g>" * 900
    with pytest.raises(ValueError, match="more than 1 s"):
        drawn(svg(layers).decode(), 1000, cpu_s=1)


def test_what_designers_draw_is_drawn() -> None:
    many = "".join(f"<path class='c' d='M{n % 90} {n // 90}h1v1z'/>" for n in range(4_000))
    shades = "<linearGradient id='g'><stop offset='0'/><stop offset='1' stop-color='red'/></linearGradient><clipPath id='p'><rect width='99' height='99'/></clipPath>"
    icon = "<symbol id='i'><path d='M0 0h9v9z'/></symbol>" + "<use href='#i' x='9'/>" * 200
    shadow = "<filter id='s'><feGaussianBlur stdDeviation='2'/><feOffset dx='1'/></filter><rect filter='url(#s)' x='60' width='20' height='9'/>"
    found = read_picture(
        svg(
            f"<style>.c{{fill:url(#g);fill-opacity:.9}}</style>{shades}<g clip-path='url(#p)' stroke='url(#g)'>{many}</g>{icon}{shadow}"
        )
    )
    assert found.kind == "cutout"


def test_no_arrowhead_is_drawn_at_every_point() -> None:
    line = "<marker id='m' markerWidth='9' markerHeight='9'><rect width='9' height='9' fill='lime'/></marker><path marker-mid='url(#m)' d='M40 40h1h1h1' stroke='red'/>"
    pixels = read_picture(svg(SQUARE + line)).image.toarray()
    assert not (pixels[..., 1] > pixels[..., 0]).any()


def test_nothing_that_is_uploaded_reaches_ghostscript_or_a_rare_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []

    def run(*args: object, **_: object) -> object:
        ran.append(args)
        return Image.new("RGB", (64, 64)).im

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", run)
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n"
    files = {"eps": eps}
    for kind in ("BMP", "TIFF", "ICO", "PCX", "SGI", "TGA", "GIF"):
        out = io.BytesIO()
        Image.new("RGB", (64, 64), "red").save(out, kind)
        files[kind] = out.getvalue()
    for kind, content in files.items():
        with pytest.raises(CreativeError, match="no picture that can be read"):
            read_picture(content)
        assert not ran, kind


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_what_the_docs_name_is_read(kind: str) -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, kind)
    assert read_picture(out.getvalue()).image.width() == 256
