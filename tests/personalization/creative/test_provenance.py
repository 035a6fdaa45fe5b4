"""Content credentials: in the file, valid, telling spec, inputs and licences; broken by any change."""

from __future__ import annotations

from pathlib import Path

import pytest

from personalization.creative import provenance, render
from personalization.creative.errors import CreativeError
from personalization.creative.picture import drawing
from personalization.creative.studio import designs
from tests.personalization.creative.conftest import BRAND, FACTS


@pytest.mark.parametrize("kind", ["webp", "png", "jpeg"])
def test_a_file_tells_where_it_comes_from_until_somebody_changes_it(kind: str, tmp_path: Path) -> None:
    design, poster = designs(FACTS, drawing("croissant"), BRAND, aspect="1:1", count=1)[0]
    content = {"webp": render.webp, "png": render.png, "jpeg": render.jpeg}[kind](poster, 0.25)
    signer = provenance.load_signer(tmp_path, "Corner Market")
    assert (tmp_path / "creatives.key").stat().st_mode & 0o077 == 0
    assert provenance.load_signer(tmp_path, "Corner Market") == signer
    signed = provenance.signed(content, kind, design, signer, approved_by="marketer 7")
    state, manifest = provenance.read(signed, kind)
    assert state == "Valid"
    told = {one["label"]: one["data"] for one in manifest["assertions"]}
    assert told["org.aisle.creative"]["creative_id"] == design.creative_id
    assert told["org.aisle.creative"]["approved_by"] == "marketer 7"
    assert "MIT" in told["org.aisle.creative"]["inputs"][0]["licence"]
    assert told["c2pa.actions.v2"]["actions"][0]["digitalSourceType"].endswith("algorithmicMedia")
    middle = signed.rindex(content[len(content) // 2 : len(content) // 2 + 16])
    spoilt = signed[:middle] + bytes(byte ^ 0xFF for byte in signed[middle : middle + 4]) + signed[middle + 4 :]
    assert provenance.read(spoilt, kind)[0] == "Invalid"


def test_a_file_without_credentials_says_so() -> None:
    _, poster = designs(FACTS, drawing("croissant"), BRAND, aspect="1:1", count=1)[0]
    with pytest.raises(CreativeError, match="no content credentials"):
        provenance.read(render.png(poster, 0.1), "png")
