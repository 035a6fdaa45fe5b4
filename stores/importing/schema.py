"""The documented columns of each file, and their validation: vectorised, with a reason for every bad row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from personalization.coupons.objective import Objective
from personalization.offers import Stacking
from personalization.types import Placement, Purpose
from stores.errors import ImportFileError
from stores.importing.reading import BROKEN, LINE
from stores.importing.report import LISTED, ImportReport, RowError

Kind = Literal[
    "text", "list", "whole", "money", "percent", "time", "flag", "consents", "words", "placement", "stacking", "caps",
    "objective",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column: what it holds, whether it must be there, and what an empty cell means."""

    name: str
    kind: Kind
    meaning: str
    required: bool = True
    default: str | int | bool | None = None
    least: int | None = None
    most: int | None = None
    longest: int = 64

    def bound(self, value: int, digits: int) -> str:
        """Return `least` or `most` as people write it; amounts have `digits` after the point."""
        after = {"money": digits, "percent": 2}.get(self.kind)
        return f"{value:,}" if after is None else f"{value / 10**after:.{after}f}"


SCHEMAS: dict[str, list[ColumnSpec]] = {
    "members": [
        ColumnSpec("external_id", "text", "The retailer's own key of the member."),
        ColumnSpec("display_name", "text", "What greetings call the member.", required=False, default="", longest=120),
        ColumnSpec("email", "text", "Sealed at rest.", required=False, longest=254),
        ColumnSpec("household", "text", "The retailer's own key of who lives together, for limits per household.", required=False),
        ColumnSpec("consents", "consents", "Purposes that the member agreed to, joined by `;`.", required=False, longest=200),
    ],
    "products": [
        ColumnSpec("product_id", "text", "The retailer's own key (SKU)."),
        ColumnSpec("name", "text", "What shoppers read.", longest=200),
        ColumnSpec("category", "text", "For example `Coffee`.", longest=120),
        ColumnSpec("department", "text", "For example `Grocery`.", required=False, default="", longest=120),
        ColumnSpec("brand", "text", "Brand, or empty.", required=False, default="", longest=120),
        ColumnSpec("package_size", "text", "For example `12 oz`.", required=False, default="", longest=60),
        ColumnSpec("price", "money", "Price now, for example `3.49`.", least=0),
        ColumnSpec("regular_price", "money", "Only where it is truly above `price`.", required=False, least=0),
        ColumnSpec("recommendable", "flag", "`false` for fuel, gift cards, deposits.", required=False, default=True),
        ColumnSpec("in_stock", "flag", "`false` while it is sold out: it is not shown then.", required=False, default=True),
        ColumnSpec("minimum_age", "whole", "Age limit in years, `0` for none; what has one is never shown.", required=False,
                   default=0, least=0, most=120),
        ColumnSpec("contains", "words", "What shoppers may want to avoid, joined by `;`, for example `nuts;milk`.", required=False,
                   default="", longest=400),
        ColumnSpec("aisle", "text", "Where it stands in the store, for example `7` or `Bakery`.", required=False, default="", longest=60),
        ColumnSpec("shelf", "text", "Where in the aisle, for example `left, second shelf`.", required=False, default="", longest=60),
        ColumnSpec("stock", "whole", "Pieces left; `0` is sold out, empty is not told.", required=False, least=0, most=1_000_000_000),
        ColumnSpec("attributes", "list", "What else is true of it, joined by `;`: words or `name: value`, for example `vegan;colour: blue`.",
                   required=False, default="", longest=1000),
        ColumnSpec("picture", "text", "Its photograph: a file in the imported folder, for example `pictures/coffee.jpg`.", required=False,
                   default="", longest=400),
        ColumnSpec("picture_licence", "text", "Under which licence the photograph may be used; needed with one.", required=False, default="",
                   longest=200),
    ],
    "orders": [
        ColumnSpec("order_id", "text", "One per basket; its lines repeat it."),
        ColumnSpec("member", "text", "The member's `external_id`."),
        ColumnSpec("product_id", "text", "A product of the catalogue."),
        ColumnSpec("at", "time", "ISO 8601, or a day; without an offset it is UTC."),
        ColumnSpec("quantity", "whole", "Pieces.", least=1, most=1_000_000),
        ColumnSpec("amount", "money", "Paid for the whole line.", least=0),
        ColumnSpec("store_id", "text", "Where, or empty.", required=False),
        ColumnSpec("discount", "money", "What the shop took off the shelf price of the line.", required=False, default=0, least=0),
        ColumnSpec("coupon", "money", "What coupons took off the line.", required=False, default=0, least=0),
        ColumnSpec("channel", "text", "`store`, or for example `web`.", required=False, default="store"),
    ],
    "promotions": [
        ColumnSpec("product_id", "text", "A product of the catalogue."),
        ColumnSpec("store_id", "text", "Where; empty: in all stores.", required=False, default=""),
        ColumnSpec("starts_at", "time", "First moment."),
        ColumnSpec("ends_at", "time", "First moment after the end."),
        ColumnSpec("placement", "placement", "On display in the store, or in the mailer."),
    ],
    "campaigns": [
        ColumnSpec("campaign_id", "text", "The retailer's own key."),
        ColumnSpec("name", "text", "What staff and shoppers read.", longest=120),
        ColumnSpec("starts_at", "time", "First moment."),
        ColumnSpec("ends_at", "time", "First moment after the end."),
        ColumnSpec("budget", "money", "Never exceeded by coupons promised and redeemed.", least=0),
        ColumnSpec("audience", "list", "`everybody`, or members' `external_id`s joined by `;`.", required=False,
                   default="everybody", longest=2_000_000),
        ColumnSpec("per_member", "whole", "Coupons that a member gets at most.", required=False, least=1, most=1_000_000),
        ColumnSpec("per_household", "whole", "Coupons that a household gets at most.", required=False, least=1, most=1_000_000),
        ColumnSpec("caps", "caps", "What stores, channels and segments may take of the budget, for example `store:s-1=100.00;channel:kiosk=50.00`.",
                   required=False, default="", longest=2_000_000),
        ColumnSpec("objective", "objective", "What the campaign is for: what its money is spent on most of.", required=False, default="orders"),
    ],
    "coupons": [
        ColumnSpec("offer_id", "text", "The retailer's own key."),
        ColumnSpec("campaign_id", "text", "The campaign whose budget pays."),
        ColumnSpec("discount", "money", "Off the price of one product; with `percent`, the most that is taken off.", least=1),
        ColumnSpec("product_ids", "list", "Products joined by `;`; empty: any.", required=False, default="",
                   longest=2_000_000),
        ColumnSpec("percent", "percent", "Percent off, up to `discount`; empty: `discount` is a fixed amount.", required=False, default=0,
                   least=1, most=10_000),
        ColumnSpec("minimum_basket", "money", "What the basket has to cost, before coupons.", required=False, default=0, least=0),
        ColumnSpec("categories", "list", "Categories that it is for, joined by `;`; empty: any.", required=False, default="", longest=2000),
        ColumnSpec("stacking", "stacking", "Counts with others, lets none after it count, or counts alone where that is best.",
                   required=False, default="stack"),
    ],
}  # fmt: skip
KEYS = {
    "members": ["external_id"], "products": ["product_id"], "campaigns": ["campaign_id"], "coupons": ["offer_id"],
    "promotions": ["product_id", "store_id", "placement", "starts_at"],
}  # fmt: skip
_PURPOSE = "|".join(Purpose)
_PATTERNS = {
    "consents": rf"^(({_PURPOSE})(;({_PURPOSE}))*)?$",
    "placement": f"^({'|'.join(Placement)})$", "stacking": f"^({'|'.join(Stacking)})$",
    "objective": f"^({'|'.join(Objective)})$",
}  # fmt: skip
_AMOUNT = [r"\d{1,9}(\.0{1,2})?", *(rf"\d{{1,9}}(\.\d{{1,{after}}})?" for after in (1, 2, 3, 4))]  # by digits
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def validate(table: str, raw: pl.DataFrame, file: str, report: ImportReport, *, digits: int = 2) -> pl.DataFrame:
    """Return the good rows of `raw` (from `read_table`) with typed columns; count and list the bad ones in `report`.

    digits : how many an amount may have after the point. Raises ImportFileError when a required column is missing.
    """
    specs = SCHEMAS[table]
    missing = [spec.name for spec in specs if spec.required and spec.name not in raw.columns]
    if missing:
        raise ImportFileError(f"{file} has no column {', '.join(missing)}; docs/data.md lists the columns of {table}")
    checked = raw.select(
        LINE,
        *[_typed(spec, spec.name in raw.columns, digits) for spec in specs],
        *[_problem(spec, spec.name in raw.columns, digits).alias(f"__problem_{spec.name}") for spec in specs],
        *[BROKEN for column in raw.columns if column == BROKEN],
    )
    if BROKEN in checked.columns:  # with cells out of place, what the other columns say is noise
        others = [pl.col(name) for name in checked.columns if name.startswith("__problem_") and name != BROKEN]
        checked = checked.with_columns(
            pl.when(pl.col(BROKEN).is_null()).then(other).alias(other.meta.output_name()) for other in others
        )
    if key := KEYS.get(table):
        again = pl.when(pl.struct(key).is_duplicated() & pl.col(f"__problem_{key[0]}").is_null())
        repeat = again.then(pl.lit("the same key stands in another row of this file")).otherwise(
            pl.col(f"__problem_{key[0]}")
        )
        checked = checked.with_columns(repeat.alias(f"__problem_{key[0]}"))
    return keep_good(checked, file, table, [spec.name for spec in specs], report)


def complete(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with the optional columns that it does not have, as if they were empty."""
    missing = [spec for spec in SCHEMAS[table] if not spec.required and spec.name not in frame.columns]
    return frame.with_columns(_typed(spec, False, 2) for spec in missing)


def caps_of(cell: str) -> list[tuple[str, str, int]]:
    """Return what a cell of `caps` that was read says: (scope, scope id, minor units)."""
    found = []
    for part in filter(None, cell.split(";")):
        where, _, amount = part.partition("=")
        scope, _, scope_id = where.partition(":")
        found.append((scope, scope_id, int(amount)))
    return found


def keep_good(frame: pl.DataFrame, file: str, table: str, columns: list[str], report: ImportReport) -> pl.DataFrame:
    """Split `frame` at its `__problem_*` columns: note the rows that have one, return the others."""
    flags = [name for name in frame.columns if name.startswith("__problem_")]
    bad = frame.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in flags))
    report.left_out[table] += bad.height
    for row in bad.head(LISTED).select(LINE, *flags).iter_rows(named=True):
        for name in flags:
            if row[name] is not None:
                report.errors.append(RowError(file, row[LINE], name.removeprefix("__problem_"), row[name]))
    good = frame if bad.is_empty() else frame.filter(pl.all_horizontal(pl.col(name).is_null() for name in flags))
    return good.select(LINE, *columns)


def _text(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.strip_chars()


def _problem(spec: ColumnSpec, present: bool, digits: int) -> pl.Expr:
    """Return an expression: null for a good cell, else the reason."""
    if not present:
        return pl.lit(None, dtype=pl.String)
    cell = _text(spec.name)
    empty = cell.is_null() | (cell == "")
    value = _parsed(spec, digits)
    shown = pl.concat_str(pl.lit('"'), cell.str.slice(0, 40), pl.lit('" '))
    reasons = {
        "whole": "is not a whole number", "money": "is not an amount like 3.49",
        "percent": "is not a percentage like 12.5", "stacking": "is none of " + ", ".join(Stacking),
        "objective": "is none of " + ", ".join(Objective),
        "caps": "is not a list like store:s-1=100.00;channel:kiosk=50.00",
        "time": "is not a time like 2026-05-01T10:30:00Z", "flag": "is not true or false",
        "consents": "names a purpose that is none of " + ", ".join(Purpose), "text": "holds a NUL character", "list": "holds a NUL character",
        "words": "is not words joined by ;", "placement": "is none of " + ", ".join(Placement),
    }  # fmt: skip
    rule: Any = pl.when(empty).then(pl.lit("is empty") if spec.required else pl.lit(None, dtype=pl.String))
    rule = rule.when(cell.str.len_chars() > spec.longest).then(pl.lit(f"is longer than {spec.longest} characters"))
    rule = rule.when(value.is_null()).then(pl.concat_str(shown, pl.lit(reasons[spec.kind])))
    if spec.least is not None:
        rule = rule.when(value < spec.least).then(
            pl.concat_str(shown, pl.lit(f"is below {spec.bound(spec.least, digits)}"))
        )
    if spec.most is not None:
        rule = rule.when(value > spec.most).then(
            pl.concat_str(shown, pl.lit(f"is above {spec.bound(spec.most, digits)}"))
        )
    checked: pl.Expr = rule.otherwise(pl.lit(None, dtype=pl.String))
    return checked


def _typed(spec: ColumnSpec, present: bool, digits: int) -> pl.Expr:
    fallback = pl.lit(spec.default)
    if not present:
        return fallback.cast(
            {"whole": pl.Int64, "money": pl.Int64, "percent": pl.Int64, "flag": pl.Boolean}.get(spec.kind, pl.String)
        ).alias(spec.name)
    value = _parsed(spec, digits)
    if spec.kind == "caps":
        value = value.map_elements(lambda cell: _in_minor(cell, digits), return_dtype=pl.String)
    return (value if spec.default is None else value.fill_null(fallback)).alias(spec.name)


def _in_minor(cell: str, digits: int) -> str:
    parts = (part.rpartition("=") for part in cell.split(";") if part)
    return ";".join(f"{where}={round(float(amount) * 10**digits)}" for where, _, amount in parts)


def _parsed(spec: ColumnSpec, digits: int) -> pl.Expr:
    """Return the cell's value, null where it cannot be read; money in minor units, of which a whole one has 10^digits."""
    cell = _text(spec.name)
    if spec.kind in {"list", "consents", "words", "caps"}:
        cell = cell.str.replace_all(r"\s*;\s*", ";").str.strip_chars(";")
    if spec.kind in {"words", "placement", "stacking", "objective"}:
        cell = cell.str.to_lowercase()
    if spec.kind == "whole":
        return cell.cast(pl.Int64, strict=False)
    if spec.kind in {"money", "percent"}:
        after = digits if spec.kind == "money" else 2
        number = pl.when(cell.str.contains(f"^{_AMOUNT[after]}$")).then(cell.cast(pl.Float64, strict=False))
        return (number * int(10**after)).round().cast(pl.Int64, strict=False)
    if spec.kind == "time":
        return (
            cell.str.replace("Z$", "+00:00")
            .str.replace(" ", "T")
            .map_batches(_times, return_dtype=pl.Datetime("us", "UTC"))
        )
    if spec.kind == "flag":
        return cell.str.to_lowercase().replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    good = (cell != "") & ~cell.str.contains("\0", literal=True)
    if spec.kind == "caps":
        good = cell.str.contains(rf"^((store|channel|segment):[^:;=\x00]{{1,64}}={_AMOUNT[digits]}(;|$))*$")
    if spec.kind in _PATTERNS:
        good = cell.str.contains(_PATTERNS[spec.kind])
    return pl.when(good).then(cell)


def _times(cells: pl.Series) -> pl.Series:
    found = cells.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    for clock in ("%H:%M:%S%.f", "%H:%M"):
        plain = cells.str.to_datetime(f"%Y-%m-%dT{clock}", time_unit="us", strict=False).dt.replace_time_zone("UTC")
        offset = cells.str.to_datetime(f"%Y-%m-%dT{clock}%z", time_unit="us", strict=False).dt.convert_time_zone("UTC")
        found = found.fill_null(plain).fill_null(offset)
    return found
