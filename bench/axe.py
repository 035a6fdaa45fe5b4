"""What axe, the accessibility checker, says of a page."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page

from bench.report import ROOT

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def serious(page: Page, within: str | None = None, *, rest_ms: float = 500) -> list[str]:
    """Return what axe calls serious or critical, as "rule: element"; motion is let come to rest first."""
    page.wait_for_timeout(rest_ms)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    options = json.dumps({"runOnly": RULES})
    found: dict[str, Any] = page.evaluate(f"axe.run({json.dumps(within) if within else 'document'}, {options})")
    return [
        f"{rule['id']}: {node['target']} {node['any'][0]['message'] if node['any'] else ''}"
        for rule in found["violations"]
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]
