"""Photographs of products: one each, kept as long as it is shown, and taken from the imported folder."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from personalization.creative.errors import CreativeError
from personalization.creative.picture import read_picture
from personalization.types import ProductId
from stores import creative_drafts
from stores.catalogue import SqlCatalogue
from stores.creative_drafts import SqlCreativePictures
from stores.database import Database
from stores.errors import NotFoundError
from stores.importing.files import import_folder
from stores.importing.report import ImportReport
from stores.product_pictures import SqlProductPictures
from tests.personalization.creative.conftest import photograph

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HEAD = "product_id,name,category,price,picture,picture_licence\n"


def imported(db: Database, folder: Path, *rows: str) -> ImportReport:
    (folder / "products.csv").write_text(HEAD + "\n".join(rows) + "\n")
    return import_folder(db, folder, currency="USD", progress=lambda *_: None)


def shown(db: Database, product_id: str) -> tuple[str, str]:
    product = SqlCatalogue(db).products([ProductId(product_id)])[ProductId(product_id)]
    return product.picture, product.picture_licence


def test_a_product_s_picture_comes_with_the_catalogue_and_outlasts_loose_ones(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creative_drafts, "MOST_PICTURES", 1)
    imported(database, tmp_path, "tea,Tea,Tea,2.00,,")
    store, files = SqlProductPictures(database), SqlCreativePictures(database)
    assert shown(database, "tea") == ("", "")
    first = store.put("tea", photograph(), "our own", at=NOW)
    assert shown(database, "tea") == (first.digest, "our own")
    for number in range(3):
        files.put(f"loose {number}", b"x", at=NOW + timedelta(days=number + 1))
    assert store.file("tea") == (first.digest, files.get(first.digest))
    assert store.put("tea", photograph(), "our own", at=NOW + timedelta(days=9)) == first  # not read again
    other = store.put("tea", photograph(300, 200), "CC0", at=NOW)
    assert shown(database, "tea") == (other.digest, "CC0")
    assert store.remove("tea")
    assert not store.remove("tea")
    assert (store.file("tea"), shown(database, "tea")) == (None, ("", ""))
    with pytest.raises(NotFoundError):
        store.put("nothing", photograph(), "our own", at=NOW)
    with pytest.raises(CreativeError):
        store.put("tea", b"no picture", "our own", at=NOW)


def test_what_is_kept_of_a_photograph_has_no_place_and_is_no_larger_than_posters_need(database: Database, tmp_path: Path) -> None:  # fmt: skip
    imported(database, tmp_path, "tea,Tea,Tea,2.00,,")
    taken = Image.open(io.BytesIO(photograph(3000, 2000)))
    where = Image.Exif()
    where[0x010E] = "at home"
    out = io.BytesIO()
    taken.save(out, "JPEG", exif=where)
    store = SqlProductPictures(database)
    store.put("tea", out.getvalue(), "our own", at=NOW)
    found = store.file("tea")
    assert found is not None
    with Image.open(io.BytesIO(found[1])) as kept:
        assert (kept.format, kept.size, dict(kept.getexif())) == ("WEBP", (1600, 1067), {})
    assert read_picture(found[1]).digest == found[0]


def test_pictures_are_taken_from_the_imported_folder_and_no_further(sqlite_database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures" / "tea.jpg").write_bytes(photograph())
    (tmp_path / "secret.jpg").write_bytes(photograph())
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "text.jpg").write_text("no picture")
    report = imported(
        sqlite_database, folder,
        "tea,Tea,Tea,2.00,pictures/tea.jpg,our own", "a,A,Tea,2.00,../secret.jpg,our own", "b,B,Tea,2.00,link.jpg,our own", "c,C,Tea,2.00,text.jpg,our own",
        f"d,D,Tea,2.00,{tmp_path}/secret.jpg,our own", "e,E,Tea,2.00,pictures/tea.jpg,", "f,F,Tea,2.00,nowhere.jpg,our own", "g,G,Tea,2.00,,",
    )  # fmt: skip
    assert report.kept["products"] == 8, "a product is kept without its picture"
    assert [(one.line, one.column) for one in report.errors] == [(line, "picture") for line in range(3, 9)]
    assert report.notes == ["1 pictures of products were taken, 6 were not"]
    digest, licence = shown(sqlite_database, "tea")
    assert (len(digest), licence) == (64, "our own")
    assert all(shown(sqlite_database, name) == ("", "") for name in "abcdefg")
    again = imported(sqlite_database, folder, "tea,Tea,Tea,2.00,,")
    assert (again.errors, shown(sqlite_database, "tea")) == ([], (digest, "our own"))
