"""Content credentials: in the file, valid, telling spec, inputs and licences; broken by any change."""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader

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


def test_of_several_who_begin_at_once_one_makes_the_pair_that_all_sign_with(tmp_path: Path) -> None:
    together = Barrier(6)

    def begin(_: int) -> provenance.Signer:
        together.wait()
        return provenance.load_signer(tmp_path, "Corner Market")

    with ThreadPoolExecutor(6) as threads:
        found = set(threads.map(begin, range(6)))
    assert len(found) == 1
    assert found == {provenance.load_signer(tmp_path, "Corner Market")}


def test_a_chain_and_a_key_of_different_pairs_are_told_in_words(tmp_path: Path) -> None:
    one, other = (provenance.make_signer("Corner Market") for _ in range(2))
    (tmp_path / "creatives.crt").write_text(one.chain)
    with pytest.raises(CreativeError, match=r"has no creatives\.key"):
        provenance.load_signer(tmp_path, "Corner Market")
    assert not (tmp_path / "creatives.key").exists()  # nothing of the operator's is written over
    (tmp_path / "creatives.key").write_text(other.key)
    with pytest.raises(CreativeError, match="do not belong together"):
        provenance.load_signer(tmp_path, "Corner Market")
    (tmp_path / "creatives.key").write_text("no key")
    with pytest.raises(CreativeError, match="cannot be read"):
        provenance.load_signer(tmp_path, "Corner Market")


def test_the_logo_is_an_input_with_its_licence() -> None:
    logo = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 10'><rect width='40' height='10' rx='3' fill='#123'/></svg>"
    brand = replace(BRAND, logo=logo, logo_licence="our own")
    design, poster = designs(FACTS, drawing("croissant"), brand, aspect="1:1", count=1)[0]
    signed = provenance.signed(render.webp(poster, 0.1), "webp", design, provenance.make_signer("Corner Market"))
    _, manifest = provenance.read(signed, "webp")
    own = next(one["data"] for one in manifest["assertions"] if one["label"] == "org.aisle.creative")
    assert own["inputs"][-1] == {"kind": "logo", "sha256": hashlib.sha256(logo).hexdigest(), "licence": "our own"}


def test_what_cannot_be_signed_is_a_creative_s_error() -> None:
    design, poster = designs(FACTS, drawing("croissant"), BRAND, aspect="1:1", count=1)[0]
    one, other = (provenance.make_signer("Corner Market") for _ in range(2))
    with pytest.raises(CreativeError, match="cannot be signed"):
        provenance.signed(render.webp(poster, 0.1), "webp", design, provenance.Signer(one.chain, other.key))


def test_a_pdf_tells_machines_that_a_program_made_it() -> None:
    facts = replace(FACTS, name="Bread & <butter>")
    design, poster = designs(facts, drawing("croissant"), BRAND, aspect="1:1", count=1)[0]
    design = replace(
        design, material=replace(design.material, message=replace(design.material.message, origin="language model"))
    )
    reader = PdfReader(io.BytesIO(provenance.marked(render.pdf(poster), design, approved_by="mia")))
    assert reader.pages[0].trimbox != reader.pages[0].mediabox  # print's boxes are kept
    packet = reader.trailer["/Root"]["/Metadata"].get_object().get_data()  # type: ignore[index]
    root = ElementTree.fromstring(packet)
    [source] = root.iter("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType")
    assert source.text == "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    [own] = root.iter("{https://aisle.invalid/ns/creative/1/}creative")
    told = json.loads(own.text or "")
    assert (told["creative_id"], told["approved_by"]) == (design.creative_id, "mia")
