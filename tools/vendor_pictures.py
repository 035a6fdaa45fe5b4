"""Take the pictures and fonts that posters use out of their npm packages: `python tools/vendor_pictures.py`.

Pictures: Fluent Emoji Flat (Microsoft, MIT) from @iconify-json/fluent-emoji-flat. Font: Inter (OFL-1.1) from
@fontsource/inter, turned from WOFF into TTF, which the poster's renderer reads. Needs npm and `pip install fonttools`.
"""

import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parent.parent / "personalization" / "creative"
PACKAGES = ("@iconify-json/fluent-emoji-flat@1.2.6", "@fontsource/inter@5.3.0")


def main() -> None:
    """Write pictures/*.svg and fonts/*.ttf ; the pictures' licence is kept beside them by hand, since the package has none in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for package in PACKAGES:
            packed = subprocess.run(
                ["npm", "pack", package, "--silent"], cwd=folder, check=True, capture_output=True, text=True
            ).stdout.strip()
            with tarfile.open(folder / packed) as archive:
                archive.extractall(folder / package.split("/")[1].split("@")[0], filter="data")
        _pictures(folder / "fluent-emoji-flat" / "package")
        _fonts(folder / "inter" / "package")


def _pictures(package: Path) -> None:
    icons = json.loads((package / "icons.json").read_text())
    found, size = icons["icons"], icons.get("width", 32)
    aliases = {name: alias["parent"] for name, alias in icons.get("aliases", {}).items()}
    for slug in json.loads((HERE / "picture_words.json").read_text()):
        icon = found.get(slug) or found.get(aliases.get(slug, ""))
        if icon is None:
            print(f"no picture named {slug}")
            continue
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">{icon["body"]}</svg>\n'
        (HERE / "pictures" / f"{slug}.svg").write_text(svg)


def _fonts(package: Path) -> None:
    for weight in (400, 700):
        font = TTFont(package / "files" / f"inter-latin-{weight}-normal.woff")
        font.flavor = None
        font.save(HERE / "fonts" / f"Inter-{weight}.ttf")
    (HERE / "fonts" / "LICENSE").write_text((package / "LICENSE").read_text())


if __name__ == "__main__":
    main()
