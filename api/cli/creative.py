"""`aisle creative`: make posters and films from a picture and a few facts, and see how large the design space is."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import creative_campaigns
from api.settings import settings

if TYPE_CHECKING:
    from personalization.creative.audio import Track
    from personalization.creative.brand import BrandKit
    from personalization.creative.picture import Picture
    from personalization.creative.studio import Design
    from personalization.creative.words import Facts

app = typer.Typer(no_args_is_help=True, help="Posters and films from a product, a brand kit and the design space.")
app.command("approvals")(creative_campaigns.approvals)
app.command("evaluate-policy")(creative_campaigns.evaluate_policy)
FILM_S = 10.0
FORMATS = ("png", "webp", "jpeg", "svg", "pdf")
NAME = Annotated[str, typer.Option(help="The product's name, as it is to be read.")]
PICTURE = Annotated[Path | None, typer.Argument(help="The product's picture: PNG, JPEG, WebP or SVG, with or without a background. Left out: a drawing that fits the name, marked as one.")]  # fmt: skip
BRAND = Annotated[Path | None, typer.Option(help="Brand kit, a TOML file. Left out: AISLE_BRAND_KIT, else the retailer's name and hue.")]  # fmt: skip
PRICE = Annotated[str, typer.Option(help='The price as it is to be read: "$2.79".')]
WAS = Annotated[str, typer.Option(help="The price before, truly higher.")]
CATEGORY = Annotated[str, typer.Option(help="The product's category.")]
LICENCE = Annotated[str, typer.Option(help="Under which licence the picture and the track may be used. Needed with either.")]  # fmt: skip
ASPECT = Annotated[str, typer.Option(help="9:16, 1:1, 4:5, 16:9 or kiosk.")]
LANGUAGE = Annotated[str, typer.Option(help="en, de or ar.")]
SEED = Annotated[int, typer.Option(help="Another seed, another design.")]


@app.command("make")
def make(
    name: NAME,
    picture: PICTURE = None,
    out: Annotated[Path, typer.Option(help="Folder that posters are written to.")] = Path("posters"),
    brand: BRAND = None,
    price: PRICE = "",
    was: WAS = "",
    saving: Annotated[str, typer.Option(help="What a coupon saves.")] = "",
    until: Annotated[str, typer.Option(help='When the coupon ends: "3 Dec".')] = "",
    category: CATEGORY = "",
    licence: LICENCE = "",
    aspect: ASPECT = "4:5",
    language: LANGUAGE = "en",
    count: Annotated[int, typer.Option(min=1, max=500, help="How many designs, spread over the space.")] = 6,
    formats: Annotated[str, typer.Option(help="Of png, webp, jpeg, svg and pdf (for print, with 3 mm of bleed), separated by commas.")] = "png",
    track: Annotated[Path | None, typer.Option(help="Music: makes a film of the first design too, cut to its beats.")] = None,
    seed: SEED = 0,
) -> None:  # fmt: skip
    """Write posters of a product: each keeps every rule (contrast, safe areas, small print), none is like the other.

    Pictures carry content credentials (C2PA): the spec, the inputs and that a program made them. Beside every poster lies NAME.json with its spec, from which the same pixels can be made again, its inputs and their licences.
    """
    from rich.progress import track as counted

    from personalization.creative import render
    from personalization.creative.errors import CreativeError
    from personalization.creative.prices import check_before
    from personalization.creative.provenance import load_signer, marked, signed
    from personalization.creative.space import SIZES
    from personalization.creative.studio import designs
    from personalization.creative.words import Facts

    wanted = [one.strip().lower() for one in formats.split(",") if one.strip()]
    if unknown := [one for one in wanted if one not in FORMATS]:
        sys.exit(f"aisle: there is no format {unknown[0]!r}; there are {', '.join(FORMATS)}")
    if aspect not in SIZES:
        sys.exit(f"aisle: there is no aspect {aspect!r}; there are {', '.join(SIZES)}")
    facts = Facts(name, price, was, saving, until, category=category)
    try:
        check_before(price, was)
        about, shown = _brand(brand), _picture(picture, facts, licence)
        music = _track(track, licence)
        found = designs(facts, shown, about, aspect=aspect, count=count, language=language, seed=seed)
    except CreativeError as error:
        sys.exit(f"aisle: {error}")
    signer = load_signer(settings().state_dir / "keys", about.retailer)
    out.mkdir(parents=True, exist_ok=True)
    writers = {"png": render.png, "webp": render.webp, "jpeg": render.jpeg, "svg": render.svg, "pdf": render.pdf}
    for design, poster in counted(found, description="Drawing"):
        for kind in wanted:
            content = writers[kind](poster)
            # PDF is what the library reads and does not write
            content = marked(content, design) if kind == "pdf" else signed(content, kind, design, signer)
            (out / f"{design.creative_id}.{kind}").write_bytes(content)
        (out / f"{design.creative_id}.json").write_text(json.dumps(_told(design), indent=1, ensure_ascii=False) + "\n")
    print(f"{len(found)} posters in {out}")
    if music is not None:
        try:
            _filmed(found[0][0], about, out, music, FILM_S, ("mp4", "vtt", "jpg"))
        except CreativeError as error:
            sys.exit(f"aisle: {error}")


@app.command("film")
def film(
    name: NAME,
    picture: PICTURE = None,
    out: Annotated[Path, typer.Option(help="Folder that the film is written to.")] = Path("films"),
    track: Annotated[Path | None, typer.Option(help="Music, WAV, OGG, MP3, FLAC or M4A: cuts fall on its beats. Left out: a tune is made.")] = None,
    brand: BRAND = None,
    price: PRICE = "",
    was: WAS = "",
    category: CATEGORY = "",
    licence: LICENCE = "",
    aspect: ASPECT = "9:16",
    language: LANGUAGE = "en",
    seconds: Annotated[float, typer.Option(min=6, max=15, help="How long, to the nearest bar of the music.")] = 10.0,
    formats: Annotated[str, typer.Option(help="Of mp4, webm, gif (muted), vtt (subtitles) and jpg (a still).")] = "mp4,vtt,jpg",
    seed: SEED = 0,
) -> None:  # fmt: skip
    """Make a film of a product: shots that are posters in motion, cut to the beats of a track, with subtitles and a still."""
    from personalization.creative.errors import CreativeError
    from personalization.creative.prices import check_before
    from personalization.creative.studio import designs
    from personalization.creative.words import Facts

    facts = Facts(name, price, was, category=category)
    try:
        check_before(price, was)
        about, shown = _brand(brand), _picture(picture, facts, licence)
        design, _ = designs(facts, shown, about, aspect=aspect, count=1, language=language, seed=seed)[0]
        _filmed(design, about, out, _track(track, licence), seconds, [one.strip() for one in formats.split(",")])
    except CreativeError as error:
        sys.exit(f"aisle: {error}")


def _filmed(
    design: Design, brand: BrandKit, out: Path, track: Track | None, seconds: float, formats: Sequence[str]
) -> None:
    """Make a film, show how far it is, and print where its files are."""
    from rich.progress import Progress

    from personalization.creative.film import make_film
    from personalization.creative.provenance import load_signer, signed

    signer = load_signer(settings().state_dir / "keys", brand.retailer)
    with Progress() as bar:
        task = bar.add_task("Filming", total=1.0)
        made = make_film(
            design, out, track=track, seconds=seconds, formats=formats, progress=lambda share: bar.update(task, completed=share),
            kept_in=settings().state_dir / "beats",
            sign=lambda content, kind, shown, music: signed(content, kind, shown, signer, track=music),
        )  # fmt: skip
    for path in made.files.values():
        print(path)


@app.command("size")
def size(
    film: Annotated[bool, typer.Option(help="With motion, easing and rhythm.")] = True,
    photo: Annotated[bool, typer.Option(help="For a photograph, not a cut-out.")] = False,
) -> None:
    """Count the design space for one cover, exactly."""
    from personalization.creative.space import DIMENSIONS, Inputs, Space, rules_for

    inputs = Inputs(picture="photo" if photo else "cutout", film=film)
    for name, options in DIMENSIONS.items():
        print(f"{name:9} {len(options):3}  {', '.join(options[:8])}{' …' if len(options) > 8 else ''}")
    print(f"{len(rules_for(inputs))} rules leave {Space(inputs).size():,} specs")


def _brand(told: Path | None) -> BrandKit:
    from personalization.creative.brand import BrandKit, load_brand

    kit = told or settings().brand_kit
    return load_brand(kit) if kit else BrandKit(settings().retailer, settings().brand_hue)


def _picture(picture: Path | None, facts: Facts, licence: str) -> Picture:
    """Return the picture, or the drawing that fits; who brings a picture says its licence."""
    from personalization.creative.picture import drawing, read_picture
    from personalization.creative.product_pictures import picture_for

    if picture is None:
        return drawing(picture_for(facts.name, facts.category))
    if not licence:
        sys.exit('aisle: say under which licence the picture may be used, such as --licence "our own photograph"')
    return read_picture(_content(picture), licence=licence)


def _track(track: Path | None, licence: str) -> Track | None:
    """Return the music; who brings a track says its licence."""
    from personalization.creative.audio import read_track

    if track is None:
        return None
    if not licence:
        sys.exit('aisle: say under which licence the track may be used, such as --licence "CC0"')
    return read_track(_content(track), licence=licence)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        sys.exit(f"aisle: {file} cannot be read: {error.strerror or error}")


def _told(design: Any) -> dict[str, Any]:
    of = design.material
    return {
        "creative_id": design.creative_id, "spec_id": design.spec.spec_id, "version": design.spec.version, "choices": dict(design.spec.choices),
        "headline": of.message.headline, "words_from": of.message.origin, "language": of.language,
        "inputs": [{"kind": "drawing" if of.picture.stand_in else "picture", "sha256": of.picture.digest, "licence": of.picture.licence}, *of.brand.inputs],
        "made": "generated by a program (Aisle)",
    }  # fmt: skip
