"""Photographs of products: which picture a product has, and under which licence it may be used."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from personalization.creative.picture import as_kept
from stores.creative_drafts import keep
from stores.creative_tables import creative_pictures, product_pictures
from stores.database import Database, rows_where, upsert
from stores.errors import NotFoundError
from stores.tables import products


@dataclass(frozen=True, slots=True)
class ProductPicture:
    """A product's picture: the SHA-256 of the stored file and of the file that it was made of, and the declared licence."""

    product_id: str
    digest: str
    source: str
    licence: str
    at: datetime


class SqlProductPictures:
    """One picture a product at most; files lie with the other pictures of creatives."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, product_id: str, file: bytes, licence: str, *, at: datetime) -> ProductPicture:
        """Make a file a product's picture, in place of an earlier one, and return it; it is read once, however often it is sent.

        Raises CreativeError for what is no picture, NotFoundError where the catalogue has no such product.
        """
        source = hashlib.sha256(file).hexdigest()
        known = self.of([product_id]).get(product_id)
        if known is not None and (known.source, known.licence) == (source, licence):
            return known
        content = as_kept(file)
        picture = ProductPicture(product_id, hashlib.sha256(content).hexdigest(), source, licence, at)
        c = products.c
        with self._db.write() as connection:
            if connection.scalar(select(c.product_id).where(c.product_id == picture.product_id)) is None:
                raise NotFoundError(f"There is no product {picture.product_id}.")
            row = {name: getattr(picture, name) for name in ("product_id", "digest", "source", "licence", "at")}
            upsert(connection, product_pictures, [row])
            keep(connection, picture.digest, content, picture.at)
        return picture

    def of(self, product_ids: Sequence[str]) -> dict[str, ProductPicture]:
        """Return the pictures of those products that have one."""
        with self._db.read() as connection:
            return {
                row.product_id: ProductPicture(row.product_id, row.digest, row.source, row.licence, row.at)
                for row in rows_where(connection, product_pictures, "product_id", product_ids)
            }

    def file(self, product_id: str) -> tuple[str, bytes] | None:
        """Return a product's picture, its SHA-256 and its file; None where it has none."""
        query = (
            select(creative_pictures.c.digest, creative_pictures.c.content)
            .join(product_pictures, product_pictures.c.digest == creative_pictures.c.digest)
            .where(product_pictures.c.product_id == product_id)
        )
        with self._db.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.digest, bytes(row.content))

    def remove(self, product_id: str) -> bool:
        """Take a product's picture away; whether it had one. Creatives that were made of it can be drawn for as long as the file is kept."""
        with self._db.write() as connection:
            gone = connection.execute(delete(product_pictures).where(product_pictures.c.product_id == product_id))
        return gone.rowcount > 0
