"""Write docs/settings.md from `api.settings.Settings`; with --check, only say whether it is up to date."""

import sys
from pathlib import Path

from api.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"


def page() -> str:
    """Return the page."""
    rows = [
        "# Settings",
        "",
        "Read from the environment, or from a file `.env`. Made by `make settings-doc`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if hasattr(field.default, "get_secret_value") else field.default
        rows.append(
            f"| `AISLE_{name.upper()}` | `{default}` | {field.description} |"
            if default != ""
            else f"| `AISLE_{name.upper()}` | | {field.description} |"
        )
    return "\n".join([*rows, ""])


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            0
            if PAGE.exists() and PAGE.read_text() == page()
            else "docs/settings.md is out of date; run `make settings-doc`"
        )
    PAGE.write_text(page())
