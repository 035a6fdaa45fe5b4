"""Make the fonts that posters and films use, from the packages of Fontsource: `python tools/creative_fonts.py` (needs npm, fonttools and brotli).

Fontsource cuts a family into pieces for the web. Here a piece is set to one weight, the pieces of one weight are joined, and hints are
dropped. Writes `personalization/creative/fonts/FAMILY-WEIGHT.ttf`, the licences, and `manifest.json` with every package and SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fontTools.merge import Merger
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

HERE = Path(__file__).parent.parent / "personalization" / "creative" / "fonts"
LATIN = ("latin", "latin-ext")


@dataclass(frozen=True)
class Family:
    """A family of Fontsource: the weights to keep and the pieces to join. `cut`: the part of a variable file's name."""

    name: str
    package: str
    weights: tuple[int, ...]
    pieces: tuple[str, ...] = LATIN
    cut: str | None = "wght-normal"
    reserved: str | None = None
    """Another name inside the file, where the licence reserves the family's for what is not changed."""


FAMILIES = (
    Family("Fraunces", "@fontsource-variable/fraunces@5.3.0", (500, 800)),
    Family("Bricolage Grotesque", "@fontsource-variable/bricolage-grotesque@5.3.0", (500, 800)),
    Family("Space Grotesk", "@fontsource-variable/space-grotesk@5.3.0", (400, 700)),
    Family("Lora", "@fontsource-variable/lora@5.3.0", (400, 700), reserved="Aisle Serif L"),
    Family("Nunito", "@fontsource-variable/nunito@5.3.0", (500, 900)),
    Family("Archivo", "@fontsource-variable/archivo@5.3.0", (500, 900)),
    Family("Manrope", "@fontsource-variable/manrope@5.3.0", (500, 800)),
    Family("DM Sans", "@fontsource-variable/dm-sans@5.3.0", (400, 800)),
    Family("Caveat", "@fontsource-variable/caveat@5.3.0", (700,)),
    Family("Abril Fatface", "@fontsource/abril-fatface@5.3.0", (400,), cut=None, reserved="Aisle Display A"),
    Family("Bebas Neue", "@fontsource/bebas-neue@5.3.0", (400,), cut=None),
    Family("Noto Sans Arabic", "@fontsource-variable/noto-sans-arabic@5.3.0", (400, 800), ("arabic",)),
    Family("Noto Sans Hebrew", "@fontsource-variable/noto-sans-hebrew@5.3.0", (400, 800), ("hebrew",)),
    Family("Noto Sans", "@fontsource-variable/noto-sans@5.3.0", (400, 800), ("latin", "latin-ext", "cyrillic", "cyrillic-ext", "greek", "vietnamese")),
    Family("Noto Emoji", "@fontsource/noto-emoji@5.3.2", (400,), tuple(map(str, range(11))), None),
)  # fmt: skip


def main() -> int:
    """Write every font anew."""
    manifest = {}
    with tempfile.TemporaryDirectory() as work:
        for family in FAMILIES:
            files = _unpacked(family, Path(work))
            (HERE / "licences").mkdir(parents=True, exist_ok=True)
            licence = next(path for path in files.parent.iterdir() if path.name.startswith("LICENSE"))
            (HERE / "licences" / f"{family.name.replace(' ', '')}.txt").write_text(licence.read_text())
            for weight in family.weights:
                target = HERE / f"{family.name.replace(' ', '')}-{weight}.ttf"
                _write(family, weight, files, target, Path(work))
                digest = hashlib.sha256(target.read_bytes()).hexdigest()
                manifest[target.name] = {
                    "family": family.name,
                    "weight": weight,
                    "package": family.package,
                    "sha256": digest,
                }
                print(f"{target.name:28} {target.stat().st_size / 1024:6.0f} kB")
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return 0


def _unpacked(family: Family, work: Path) -> Path:
    """Return the folder of a package's font files."""
    run = subprocess.run(
        ["npm", "pack", "--silent", family.package], cwd=work, capture_output=True, text=True, check=True
    )
    folder = work / family.name.replace(" ", "")
    folder.mkdir()
    subprocess.run(["tar", "xzf", str(work / run.stdout.split()[-1]), "-C", str(folder)], check=True)
    return folder / "package" / "files"


def _write(family: Family, weight: int, files: Path, target: Path, work: Path) -> None:
    pieces = []
    for number, piece in enumerate(family.pieces):
        found = sorted(files.glob(f"*-{piece}-{family.cut or f'{weight}-normal'}.woff2"))
        found = [path for path in found if path.name.endswith(f"-{piece}-{family.cut or f'{weight}-normal'}.woff2")]
        if not found:
            raise SystemExit(f"{family.package} has no piece {piece!r}")
        font = TTFont(min(found, key=lambda path: len(path.name)))
        if family.cut is not None:
            limits = {
                axis.axisTag: weight if axis.axisTag == "wght" else axis.defaultValue for axis in font["fvar"].axes
            }
            font = instantiateVariableFont(font, limits)
        options = Options(layout_features=["*"], hinting=False, glyph_names=False, notdef_outline=True, name_IDs=["*"])
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=list(font.getBestCmap()))
        subsetter.subset(font)
        font.flavor = None
        path = work / f"{target.stem}-{number}.ttf"
        font.save(path)
        pieces.append(str(path))
    joined = Merger().merge(pieces) if len(pieces) > 1 else TTFont(pieces[0])
    shown = family.reserved or family.name
    for record in joined["name"].names:
        if record.nameID in {1, 3, 4, 16}:
            record.string = shown
        elif record.nameID == 6:
            record.string = f"{shown.replace(' ', '')}-{weight}"
    joined["OS/2"].usWeightClass = weight
    joined.save(target)


if __name__ == "__main__":
    sys.exit(main())
