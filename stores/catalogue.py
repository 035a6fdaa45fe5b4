"""Products."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import polars as pl
from sqlalchemy import Row, and_, func, or_, select

from personalization.profiling.facts import by_product, product_facts
from personalization.profiling.state import ProductFacts
from personalization.types import Money, Product, ProductId, ProductName
from stores.creative_tables import product_pictures
from stores.database import Database
from stores.tables import imports, products

KEEP_S = 20.0
FACTS_S = 60.0
MOST_KEPT = 20_000
_ROWS = select(
    products, product_pictures.c.digest.label("picture"), product_pictures.c.licence.label("picture_licence")
).join_from(products, product_pictures, product_pictures.c.product_id == products.c.product_id, isouter=True)


class SqlCatalogue:
    """The `Catalogue` of the brain, and pages of products for the API."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: dict[ProductId, tuple[float, Product]] = {}
        self._facts: tuple[float, dict[str, ProductFacts]] = (-FACTS_S, {})

    def products(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        """Return those of `product_ids` that exist; a price is at most KEEP_S old."""
        now, kept = time.monotonic(), self._kept
        looked_up = ((i, kept.get(i)) for i in product_ids)  # another thread may clear `kept` meanwhile
        found = {i: entry[1] for i, entry in looked_up if entry is not None and now - entry[0] < KEEP_S}
        wanted = {i for i in product_ids if i not in found}
        if wanted:
            with self._db.read() as connection:
                rows = connection.execute(_ROWS.where(products.c.product_id.in_(wanted)))
                fresh = {ProductId(row.product_id): _product(row) for row in rows}
            if len(kept) > MOST_KEPT:
                kept.clear()
            kept.update({product_id: (now, product) for product_id, product in fresh.items()})
            found.update(fresh)
        return found

    def forget(self, product_id: ProductId) -> None:
        """Read a product anew at the next question: something of it has changed here."""
        self._kept.pop(product_id, None)

    def facts(self) -> dict[str, ProductFacts]:
        """Return what profiling needs of every product, at most FACTS_S old."""
        made, facts = self._facts
        if time.monotonic() - made > FACTS_S:
            facts = by_product(read_facts(self._db))
            self._facts = time.monotonic(), facts
        return facts

    def first(self, count: int) -> list[Product]:
        """Return some products that may be shown."""
        query = _ROWS.where(products.c.recommendable).order_by(products.c.product_id).limit(count)
        with self._db.read() as connection:
            return [_product(row) for row in connection.execute(query)]

    def like(self, text: str, *, limit: int) -> list[Product]:
        """Return products that may be shown and have every word of `text` in their name, category or brand, or have it as their id."""
        c = products.c
        words = [
            or_(*(column.icontains(word, autoescape=True) for column in (c.name, c.category, c.brand)))
            for word in text.split()
        ]
        if not words:
            return []
        query = _ROWS.where(c.recommendable, or_(and_(*words), c.product_id == text.strip()))
        with self._db.read() as connection:
            return [_product(row) for row in connection.execute(query.order_by(c.name, c.product_id).limit(limit))]

    def names(self) -> Iterator[ProductName]:
        """Yield what products that may be shown are called, each name once however many products share it."""
        told = (products.c.name, products.c.department, products.c.category, products.c.brand, products.c.package_size, products.c.attributes)  # fmt: skip
        query = select(*told, func.min(products.c.product_id), func.count()).where(products.c.recommendable)
        with self._db.read() as connection:
            for name, department, category, brand, size, cells, product_id, times in connection.execute(
                query.group_by(*told)
            ):
                attributes = tuple(_attribute(cell) for cell in cells.split(";") if cell)
                only = ProductId(product_id) if times == 1 else None
                yield ProductName(name, department, category, brand, size, attributes, only)


def catalogue_state(db: Database) -> tuple[int, str]:
    """Return how many products may be shown, and when something was imported last: it changes when the catalogue does."""
    with db.read() as connection:
        count = connection.scalar(select(func.count()).select_from(products).where(products.c.recommendable)) or 0
        return count, str(connection.scalar(select(func.max(imports.c.at))))


def read_facts(db: Database) -> pl.DataFrame:
    """Return the facts of every product as a frame (columns: `personalization.profiling.facts`)."""
    columns = (products.c.product_id, products.c.category, products.c.price_minor, products.c.recommendable)
    schema = {"product_id": pl.String, "category": pl.String, "price_minor": pl.Int64, "recommendable": pl.Boolean}
    with db.read() as connection:
        rows = [tuple(row) for row in connection.execute(select(*columns))]
    return product_facts(pl.DataFrame(rows, schema=schema, orient="row"))


def _product(row: Row[tuple[object, ...]]) -> Product:
    regular = row.regular_price_minor
    return Product(
        product_id=ProductId(row.product_id),
        name=row.name,
        department=row.department,
        category=row.category,
        brand=row.brand,
        price=Money(row.price_minor, row.currency),
        package_size=row.package_size,
        regular_price=None if regular is None else Money(regular, row.currency),
        in_stock=row.in_stock,
        minimum_age=row.minimum_age,
        contains=frozenset(word for word in row.contains.split(";") if word),
        aisle=row.aisle,
        shelf=row.shelf,
        stock=row.stock,
        attributes=tuple(_attribute(cell) for cell in row.attributes.split(";") if cell),
        picture=row.picture or "",
        picture_licence=row.picture_licence or "",
    )


def _attribute(cell: str) -> tuple[str, str]:
    name, _, value = cell.partition(":")
    return name.strip(), value.strip()
