"""Photographs of products from the imported folder. What is wrong with one is told, and the product is kept without it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from personalization.creative.errors import CreativeError
from stores.database import Database
from stores.errors import NotFoundError
from stores.importing.reading import LINE
from stores.importing.report import LISTED, ImportReport, Progress, RowError
from stores.product_pictures import SqlProductPictures

LARGEST_FILE = 8_000_000  # as for uploads


def import_pictures(
    db: Database, folder: Path, frame: pl.DataFrame, file: str, *, report: ImportReport, progress: Progress
) -> None:
    """Store the pictures that a validated frame of products names; one that is known is not read again, an empty cell changes nothing."""
    rows = frame.filter(pl.col("picture") != "").select(LINE, "product_id", "picture", "picture_licence").rows()
    store, kept, wrong = SqlProductPictures(db), 0, list[RowError]()
    for done, (line, product_id, named, licence) in enumerate(rows):
        progress("reading pictures", done, len(rows))
        try:
            store.put(product_id, _content(folder, named, licence), licence, at=datetime.now(UTC))
        except (CreativeError, NotFoundError) as error:
            wrong.append(RowError(file, line, "picture", f"{error} The product is kept without it."))
        else:
            kept += 1
    if rows:
        report.notes.append(f"{kept} pictures of products were taken, {len(wrong)} were not")
    report.errors += wrong[:LISTED]


def _content(folder: Path, named: str, licence: str) -> bytes:
    """Return a file in the folder; CreativeError where it is outside, missing, too large, or without a licence."""
    if not licence:
        raise CreativeError("licence-missing", "A picture needs its `picture_licence`.")
    path = (folder / named).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise CreativeError("bad-picture", "A picture lies in the imported folder.")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CreativeError("too-large", f"A picture has at most {LARGEST_FILE:,} bytes.")
        return path.read_bytes()
    except OSError as error:
        raise CreativeError("bad-picture", f"{named} cannot be read: {error.strerror or error}.") from error
