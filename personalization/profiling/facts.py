"""What profiling needs of the catalogue: each product's category, and its price against its category's mean."""

from __future__ import annotations

import polars as pl

from personalization.profiling.state import ProductFacts

COLUMNS = ("product_id", "category", "price_minor", "price_level")


def product_facts(products: pl.DataFrame) -> pl.DataFrame:
    """Return COLUMNS for products with product_id, category, price_minor and recommendable.

    price_level : Int64, the price in thousandths of the category's mean. What is not to be recommended (fuel, but also
    what tells too much of a person) has no category: its spending counts, what it was spent on is not profiled.
    """
    shown = pl.col("recommendable") & (pl.col("category") != "") & (pl.col("price_minor") > 0)
    level = pl.col("price_minor") / pl.col("price_minor").filter(shown).mean().over("category") * 1000
    return products.select(
        "product_id",
        pl.when("recommendable").then("category").otherwise(pl.lit("")).alias("category"),
        pl.col("price_minor").cast(pl.Int64),
        pl.when(shown).then(level.round()).otherwise(1000).fill_null(1000).cast(pl.Int64).alias("price_level"),
    )


def by_product(facts: pl.DataFrame) -> dict[str, ProductFacts]:
    """Return the facts as the fold reads them."""
    rows = facts.select("product_id", "category", "price_minor", "price_level").iter_rows()
    return {product_id: ProductFacts(category, price, level) for product_id, category, price, level in rows}


def feature_lines(lines: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Return order lines with the category and price level that the batch features need; unknown products are left out."""
    return lines.join(facts.select("product_id", "category", "price_level"), on="product_id")
