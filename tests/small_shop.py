"""A small, made shop: 60 members of three kinds, 36 products, half a year of orders, one campaign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from stores.database import Database
from stores.importing.files import import_folder
from stores.importing.report import ImportReport
from stores.labels import LabelEdit, SqlLabels
from stores.members import SqlMembers

NOW = datetime.now(UTC).replace(microsecond=0)
KINDS = {"pets": "Dog food", "baby": "Baby food", "cheese": "Cheese"}
_SHARED = ["Milk", "Bread", "Bananas", "Eggs", "Coffee", "Yogurt", "Apples", "Rice", "Pasta"]
BUDGET = "20.00"


def products() -> pl.DataFrame:
    """Three products of each category; the special categories are what the kinds of members differ by."""
    rows = []
    for category in [*_SHARED, *KINDS.values()]:
        key = category.lower().replace(" ", "-")
        rows += [(f"{key}-{n}", f"{category} no. {n}", category, "Grocery", f"{2 + n}.49") for n in (1, 2, 3)]
    return pl.DataFrame(rows, schema=["product_id", "name", "category", "department", "price"], orient="row")


def orders(members_per_kind: int = 20, seed: int = 3) -> pl.DataFrame:
    """Weekly baskets: shared goods, and nearly always the kind's own."""
    rng, rows = np.random.default_rng(seed), []
    for kind, special in KINDS.items():
        for member in range(members_per_kind):
            name = f"{kind}-{member}"
            favourites = rng.choice(_SHARED, 4, replace=False)
            for week in range(26):
                at = NOW - timedelta(weeks=26 - week, hours=-int(rng.integers(1, 60)))
                bought = [f"{c.lower()}-{rng.integers(1, 4)}" for c in favourites if rng.random() < 0.5]
                if rng.random() < 0.9:
                    bought.append(f"{special.lower().replace(' ', '-')}-{1 + member % 3}")
                rows += [(f"{name}-{week}", name, p, at.isoformat(), 1, "3.49", "s1") for p in dict.fromkeys(bought)]
    return pl.DataFrame(
        rows, schema=["order_id", "member", "product_id", "at", "quantity", "amount", "store_id"], orient="row"
    )


def write(folder: Path) -> None:
    """Write the shop as a retailer's own files."""
    bought = orders()
    names = bought["member"].unique().sort()
    pl.DataFrame({"external_id": names, "display_name": [f"{n.title()} Test" for n in names], "email": [f"{n}@example.org" for n in names],
                  "consents": ["profiling;marketing"] * len(names)}).write_csv(folder / "members.csv")  # fmt: skip
    products().write_csv(folder / "products.csv")
    bought.write_csv(folder / "orders.csv")
    pl.DataFrame({"campaign_id": ["c1"], "name": ["Hello"], "starts_at": [(NOW - timedelta(days=300)).isoformat()],
                  "ends_at": [(NOW + timedelta(days=30)).isoformat()], "budget": [BUDGET]}).write_csv(folder / "campaigns.csv")  # fmt: skip
    pl.DataFrame({"offer_id": ["o1"], "campaign_id": ["c1"], "discount": ["1.00"], "product_ids": [""]}).write_csv(
        folder / "coupons.csv"
    )


def fill(db: Database) -> ImportReport:
    """Import the shop."""
    with TemporaryDirectory() as name:
        write(Path(name))
        return import_folder(db, Path(name), currency="USD", progress=lambda *_: None)


def name_dog_owners(db: Database) -> None:
    """Let staff label the first third of the members: what rules find in the orders depends on the day of the week."""
    members, labels = SqlMembers(db), SqlLabels(db)
    edit = LabelEdit("has_dog", True, "told at the till", "staff", NOW, NOW + timedelta(days=30))
    for number in range(20):
        member = members.by_external_id(f"pets-{number}")
        assert member is not None
        labels.edit(member.member_id, edit)
