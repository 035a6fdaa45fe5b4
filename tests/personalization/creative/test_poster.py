"""Posters: every rule kept, read over what is really behind, the same pixels for the same spec, any name, any picture."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skia
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from pypdf import PdfReader

from personalization.creative import render
from personalization.creative.brand import BrandKit, brand_of
from personalization.creative.colour import contrast
from personalization.creative.constraints import contrast_violations, contrasts, violations
from personalization.creative.errors import CreativeError
from personalization.creative.picture import LARGEST_BYTES, drawing, read_picture
from personalization.creative.poster import Material, Poster, compose
from personalization.creative.space import SIZES, CreativeSpec, Space
from personalization.creative.studio import designs, inputs_of
from personalization.creative.typography import FONTS
from personalization.creative.words import Facts, by_key, messages
from tests.personalization.creative.conftest import BRAND, FACTS, photograph

_SVG = "http://www.w3.org/2000/svg"
NAMES = (
    "Milk", "Butter croissants", "Extra long product name with rolled oats and honey clusters, family size, 80ch", "قهوة عربية محمصة طازجة",
    "Pizza 🍕 Margherita für Große", "לחם טרי מהמאפייה", "Donaudampfschifffahrtsgesellschaftskapitänsmütze", "Кофе молотый тёмной обжарки",
)  # fmt: skip


def drawn(
    facts: Facts, seed: int, *, picture: str = "bread", brand: BrandKit = BRAND, language: str = "en", **given: str
) -> tuple[Poster, Material]:
    found = read_picture(photograph()) if picture == "photo" else drawing(picture)
    texts = messages(facts, brand, language)
    spec = Space(inputs_of(facts, found, brand, texts)).sample(np.random.default_rng(seed), given=given)
    material = Material(facts, by_key(texts)[spec["message"]], found, brand, language)
    return compose(spec, material), material


@given(
    st.sampled_from(NAMES), st.sampled_from(["bread", "photo"]), st.sampled_from(["en", "de", "ar"]), st.booleans(),
    st.floats(0, 360), st.integers(0, 2**32),
)  # fmt: skip
@settings(max_examples=12, deadline=None)
def test_a_poster_keeps_every_rule_or_is_one_that_the_studio_drops(
    name: str, picture: str, language: str, coupon: bool, hue: float, seed: int
) -> None:
    facts = replace(FACTS, name=name, saving="$1.00" if coupon else "", until="3 Dec" if coupon else "")
    poster, material = drawn(facts, seed, picture=picture, brand=replace(BRAND, hue=hue), language=language)
    # what does not fit is seen by the rules, so that it is never shown
    assert {one.constraint for one in violations(poster, material)} <= {
        "complete",
        "no-overlap",
        "safe-area",
        "clear-space",
    }
    assert contrast_violations(poster) == []


def test_for_every_name_and_shape_the_studio_has_designs() -> None:
    for place, name in enumerate(NAMES):
        aspect = list(SIZES)[place % len(SIZES)]
        found = designs(replace(FACTS, name=name), drawing("bread"), BRAND, aspect=aspect, count=2)
        assert len(found) == 2
        assert all(violations(poster, design.material) == [] for design, poster in found)


def test_the_contrast_check_sees_what_nobody_can_read() -> None:
    poster, _ = drawn(
        FACTS, 3, aspect="1:1", layout="hero_top", scheme="light", texture="none", price="plain", action="outline"
    )
    ground = poster.colours.ground
    spoilt = replace(
        poster, layers=tuple(replace(one, ink=ground) if one.role == "headline" else one for one in poster.layers)
    )
    assert [one.what.split(":")[0] for one in contrast_violations(spoilt)] == ["headline"]
    assert min(worst for _, worst in contrasts(poster)) >= 4.5


@pytest.mark.parametrize("tone", ["#0b1a12", "#f4f4f4", "#2f6b3c"])
def test_a_logo_of_any_colour_is_seen_on_every_ground(tone: str) -> None:
    logo = f"<svg xmlns='{_SVG}' viewBox='0 0 40 10'><rect width='40' height='10' rx='3' fill='{tone}'/></svg>".encode()
    for scheme in ("light", "vivid", "dark", "paper"):
        poster, material = drawn(FACTS, 3, brand=replace(BRAND, logo=logo), scheme=scheme, texture="none")
        assert contrast_violations(poster) == []
        assert not {one.constraint for one in violations(poster, material)} & {"clear-space", "safe-area"}


def test_a_logo_that_cannot_be_seen_is_found() -> None:
    logo = f"<svg xmlns='{_SVG}' viewBox='0 0 40 10'><rect width='40' height='10' fill='#0b1a12'/></svg>".encode()
    poster, _ = drawn(FACTS, 3, brand=replace(BRAND, logo=logo), scheme="dark", texture="none")
    bare = replace(poster, layers=tuple(layer for layer in poster.layers if layer.role != "plate"))
    assert [one.what.split(":")[0] for one in contrast_violations(bare)] == ["logo"]


def test_same_spec_same_pixels_and_one_other_choice_other_pixels() -> None:
    poster, material = drawn(FACTS, 5, texture="confetti", focal="blob")
    again = compose(CreativeSpec(dict(poster.spec.choices)), material)
    assert render.png(poster, 0.4) == render.png(again, 0.4)
    other = compose(
        CreativeSpec({**poster.spec.choices, "scheme": "dark" if poster.spec["scheme"] != "dark" else "light"}),
        material,
    )
    assert render.png(poster, 0.4) != render.png(other, 0.4)


def test_a_page_in_arabic_is_the_mirror_of_one_in_english() -> None:
    facts = replace(FACTS, name="خبز", was="", percent="", category="مخبز")
    poster, _ = drawn(facts, 1, language="ar", aspect="16:9", layout="panel", align="start")
    panel = next(layer for layer in poster.layers if layer.role == "shape")
    headline = next(layer for layer in poster.texts if layer.role == "headline")
    assert panel.box.x > poster.width * 0.4
    assert headline.box.right > poster.width * 0.85


def test_prices_bring_the_small_print_and_drawings_say_what_they_are() -> None:
    poster, _ = drawn(replace(FACTS, saving="$1.00", until="3 Dec"), 2)
    told = {layer.role: layer.text for layer in poster.texts}
    assert told["legal"] == "Coupon valid until 3 Dec. While stocks last. Prices include tax."
    assert told["mark"] == "Illustration"
    photo, _ = drawn(FACTS, 2, picture="photo")
    assert "mark" not in {layer.role for layer in photo.texts}


def test_forbidden_colours_are_not_used(facts: Facts) -> None:
    usual, _ = drawn(facts, 4, anchor="brand", scheme="vivid")
    shy = replace(BRAND, forbidden_colours=(usual.colours.ground,))
    poster, material = drawn(facts, 4, brand=shy, anchor="brand", scheme="vivid")
    assert violations(poster, material) == []
    assert poster.colours.ground != usual.colours.ground


def test_files_for_screen_web_and_print() -> None:
    poster, _ = drawn(FACTS, 6, aspect="4:5")
    assert Image.open(io.BytesIO(render.png(poster))).size == (1080, 1350)
    assert Image.open(io.BytesIO(render.webp(poster))).size == (1080, 1350)
    vector = render.svg(poster).decode()
    assert vector.startswith("<svg")
    assert "<text" not in vector, "type is outlined, so that it looks the same everywhere"
    page = PdfReader(io.BytesIO(render.pdf(poster, width_mm=210))).pages[0]
    millimetre = 72 / 25.4
    assert float(page.trimbox.width) == pytest.approx(210 * millimetre, abs=0.5)
    assert float(page.mediabox.width) == pytest.approx(216 * millimetre, abs=0.5)


def test_a_product_on_white_is_cut_out_and_a_photograph_is_not() -> None:
    white = Image.new("RGB", (600, 600), "white")
    white.paste((180, 40, 30), (150, 150, 450, 450))
    out = io.BytesIO()
    white.save(out, "PNG")
    cut = read_picture(out.getvalue())
    assert cut.kind == "cutout"
    assert abs(cut.image.width() - 300) <= 4
    assert contrast(cut.colours[0].hex, "#b4281e") < 1.3
    assert read_picture(photograph()).kind == "photo"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "bad-picture"), (b"not a picture", "bad-picture"), (photograph()[:3000], "bad-picture"), (photograph(8, 8, "PNG"), "bad-picture"),
        (b"\x89PNG" + bytes(LARGEST_BYTES), "picture-too-large"), (b"<svg xmlns='http://www.w3.org/2000/svg'", "bad-picture"),
        (f"<svg xmlns='{_SVG}' width='1' height='10000'><rect width='1' height='9'/></svg>".encode(), "bad-picture"),
        (f"<svg xmlns='{_SVG}' viewBox='0 0 1 500'><rect width='1' height='9'/></svg>".encode(), "bad-picture"),
    ],
)  # fmt: skip
def test_what_is_no_picture_gets_a_clear_error(content: bytes, code: str) -> None:
    with pytest.raises(CreativeError) as caught:
        read_picture(content)
    assert caught.value.code == code


def test_a_large_picture_is_made_smaller_before_it_is_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turning makes a copy, which for a hundred megapixels is 400 MB more."""
    turned, real = list[tuple[int, int]](), ImageOps.exif_transpose

    def turn(image: Image.Image) -> Image.Image:
        turned.append(image.size)
        return real(image)

    monkeypatch.setattr(ImageOps, "exif_transpose", turn)
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera on its side
    out = io.BytesIO()
    Image.new("RGB", (2400, 1200), "#b4281e").save(out, "PNG", exif=exif)
    found = read_picture(out.getvalue(), whole=True)
    assert turned == [(1600, 800)]
    assert (found.image.width(), found.image.height()) == (800, 1600), "it stands upright all the same"


def test_forty_megapixels_are_read_and_made_smaller() -> None:
    large = Image.new("L", (7300, 5500), 90)
    large.paste(200, (1000, 1000, 7300, 4000))
    out = io.BytesIO()
    large.save(out, "JPEG")
    found = read_picture(out.getvalue())
    assert max(found.image.width(), found.image.height()) <= 1600


def test_an_svg_shows_neither_addresses_nor_files_nor_what_hides_them(tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(photograph(kind="PNG"))
    nested = base64.b64encode(
        f"<svg xmlns='{_SVG}'><image width='9' height='9' href='{other}'/></svg>".encode()
    ).decode()
    links = (
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        str(other),
        f"data:image/svg+xml;base64,{nested}",
    )
    images = "".join(
        f"<image width='9' height='9' href='{link}'/><image width='9' height='9' x:href='{link}'/>" for link in links
    )
    svg = f"<svg xmlns='{_SVG}' xmlns:x='http://www.w3.org/1999/xlink' viewBox='0 0 9 9'><rect width='5' height='9' fill='red'/>{images}</svg>"
    found = read_picture(svg.encode())
    pixels = found.image.toarray(colorType=skia.kRGBA_8888_ColorType)
    assert {tuple(x) for x in pixels.reshape(-1, 4)[:: len(pixels)]} <= {(255, 0, 0, 255)}
    hidden = svg.replace("<svg", f"<!DOCTYPE svg [<!ENTITY a '{other}'>]><svg", 1).replace(str(other), "&a;")
    with pytest.raises(CreativeError, match="entities"):
        read_picture(hidden.encode())


def test_pixels_and_parts_inside_an_svg_are_kept() -> None:
    inside = base64.b64encode(photograph(32, 32, "PNG")).decode()
    svg = f"<svg xmlns='{_SVG}' viewBox='0 0 9 9'><image width='5' height='9' preserveAspectRatio='none' href='data:image/png;base64,{inside}'/></svg>"
    assert len(np.unique(read_picture(svg.encode()).image.toarray()[..., 0])) > 50


def test_a_script_that_no_font_has_is_named() -> None:
    with pytest.raises(CreativeError, match="No font here has 茶"):
        messages(replace(FACTS, name="茶"), BRAND)


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ({}, "retailer"), ({"retailer": "Shop", "colour": "green"}, "#rrggbb"), ({"retailer": "Shop", "tones": ["loud"]}, "no tone 'loud'"),
        ({"retailer": "Shop", "pairings": ["comic"]}, "no pairing 'comic'"), ({"retailer": "Shop", "clear_space": "a lot"}, "is a number"),
        ({"retailer": "Shop", "fonts": "nowhere", "fonts_licence": "OFL"}, "no .ttf or .otf file"),
        ({"retailer": "Shop", "logo": "nowhere.svg", "logo_licence": "our own"}, "'nowhere.svg' cannot"), ({"retailer": "Shop", "logo": "nowhere.svg"}, "logo_licence"),
        ({"retailer": "Shop", "fonts": "nowhere"}, "fonts_licence"), ({"retailer": "Shop", "motto": "x"}, "no entry 'motto'"),
    ],
)  # fmt: skip
def test_a_brand_kit_that_is_wrong_says_where(told: dict[str, object], what: str, tmp_path: object) -> None:
    with pytest.raises(CreativeError, match=what):
        brand_of(told, Path(str(tmp_path)))


def test_a_brand_s_own_fonts_set_what_the_others_lack(tmp_path: Path) -> None:
    font = TTFont(FONTS / "Inter-400.ttf")
    for table in font["cmap"].tables:
        table.cmap[ord("香")] = "A" if "A" in font.getGlyphOrder() else font.getBestCmap()[ord("A")]
    for record in font["name"].names:
        if record.nameID in {1, 4, 16}:
            record.string = "Shop Han"
    font.save(tmp_path / "han.ttf")
    facts = replace(FACTS, name="香")
    with pytest.raises(CreativeError, match="No font here has 香"):
        messages(facts, BRAND)
    brand = brand_of({"retailer": "Shop", "fonts": ".", "fonts_licence": "OFL-1.1"}, tmp_path)
    digest = hashlib.sha256((tmp_path / "han.ttf").read_bytes()).hexdigest()
    assert brand.inputs == [{"kind": "font han.ttf", "sha256": digest, "licence": "OFL-1.1"}]
    _, poster = designs(facts, drawing("bread"), brand, aspect="1:1", count=1)[0]
    assert any("香" in layer.text for layer in poster.texts)
