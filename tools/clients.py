"""`make clients`: the OpenAPI document, a typed Python client made from it, and TypeScript's types for the web pages.

They are made, never committed: `build/openapi.json`, `build/clients/aisle_client`, `web/src/api/generated.d.ts`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"


def document() -> dict[str, Any]:
    """Return the API's OpenAPI document."""
    from api.app import create_app
    from api.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        return create_app(Settings(state_dir=Path(folder), database_url="")).openapi()


def python_client(found: dict[str, Any], folder: Path) -> Path:
    """Make the package `aisle_client` of the document in `folder`, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    source, package = folder / "openapi.json", folder / "aisle_client"
    source.write_text(json.dumps(found))
    shutil.rmtree(package, ignore_errors=True)
    settings = folder / "settings.yml"
    settings.write_text(
        "post_hooks: []\n"
    )  # nobody reads 400 made files; formatting them takes longer than making them
    command = [
        Path(sys.executable).with_name("openapi-python-client"), "generate", "--path", source, "--meta", "none",
        "--output-path", package, "--config", settings,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not (package / "client.py").exists():
        sys.exit(f"the Python client could not be made:\n{done.stdout}{done.stderr}")
    return package


def main() -> None:
    """Make everything."""
    found = document()
    BUILD.mkdir(exist_ok=True)
    (BUILD / "openapi.json").write_text(json.dumps(found, indent=1) + "\n")
    print(f"made {BUILD / 'openapi.json'}")
    print(f"made {python_client(found, BUILD / 'clients')}")
    subprocess.run(["npm", "run", "--silent", "types:only"], cwd=ROOT / "web", check=True)
    print(f"made {ROOT / 'web' / 'src' / 'api' / 'generated.d.ts'}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
