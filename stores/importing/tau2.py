"""A shop with orders, in the format of tau2-bench's retail domain: `db.json` with products, users and orders."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from personalization.currencies import minor_per_major
from personalization.orders import (
    Address,
    Customer,
    Order,
    OrderItem,
    Payment,
    PaymentMethod,
    Requested,
    Shipment,
    Variant,
)
from personalization.types import Money
from stores.database import Database, upsert
from stores.errors import ImportFileError
from stores.importing.report import ImportReport, Progress
from stores.importing.schema import complete
from stores.importing.writer import BulkWriter
from stores.order_tables import customer_accounts, service_orders, variants
from stores.orders import PURPOSE, account_row, order_row
from stores.tables import imports

FILE = "db.json"


@dataclass(frozen=True, slots=True)
class OrderedShop:
    """Everything that the order service needs of a shop. `external_ids` of customers are the file's user ids."""

    customers: list[Customer]
    orders: list[Order]
    variants: list[Variant]


def import_tau2(db: Database, folder: Path, *, currency: str, progress: Progress) -> ImportReport:
    """Import the shop in `folder`: users become members, products the catalogue, and orders those of the order service.

    Importing again brings everything back to what the file says, changes made in between included; the audit log stays. Everything is written in
    one transaction. Orders have no dates in this format, so they are no purchases that profiling could learn from.

    Raises
    ------
    ImportFileError
        The file is missing or not of this format. Nothing was written.
    """
    started, at = time.monotonic(), datetime.now(UTC)
    progress(f"reading {FILE}", 0, 3)
    shop = read_tau2(folder, currency=currency)
    report = ImportReport(source=f"tau2:{folder.name}"[:64])
    report.notes.append(
        "names and addresses of this shop are made up; its orders have no dates and are not used for profiling"
    )
    db.seal("contact", b"", "")  # make the data keys now: inside the transaction they would wait for it
    db.fingerprint(PURPOSE, "")
    with db.write() as connection:
        writer = BulkWriter(db, connection)
        progress("writing customers and products", 1, 3)
        writer.members(_members(shop), at)
        writer.products(_products(shop), currency)
        ids = dict(writer.member_ids().iter_rows())
        progress("writing orders", 2, 3)
        _write_service(db, connection, shop, ids, at)
        report.kept.update(
            members=len(shop.customers),
            products=len(_products(shop)),
            orders=len(shop.orders),
            variants=len(shop.variants),
        )
        report.seconds = time.monotonic() - started
        row = pl.DataFrame({"source": [report.source], "at": [at], "report": [json.dumps(report.as_json())]})
        writer.upsert(imports, row, ["source"])
    progress("done", 3, 3)
    return report


def _members(shop: OrderedShop) -> pl.DataFrame:
    people = shop.customers
    return pl.DataFrame(
        {
            "external_id": [one.customer_id for one in people], "display_name": [f"{one.first_name} {one.last_name}" for one in people],
            "email": [one.email for one in people], "household": [None] * len(people), "consents": [None] * len(people),
            "name_is_synthetic": [True] * len(people), "text_version": ["import"] * len(people),
        },
        schema_overrides={"email": pl.String, "household": pl.String, "consents": pl.String},
    )  # fmt: skip


def _products(shop: OrderedShop) -> pl.DataFrame:
    """Return one product of the catalogue for each product, at the price of its cheapest kind that can be had."""
    kinds: dict[str, list[Variant]] = {}
    for variant in shop.variants:
        kinds.setdefault(variant.product_id, []).append(variant)
    rows = []
    for product_id, found in kinds.items():
        there = [one for one in found if one.available]
        price = min(one.price.minor_units for one in there or found)
        rows.append(
            {
                "product_id": product_id, "name": found[0].name, "category": found[0].name, "price": price, "package_size": f"{len(there)} kinds",
                "in_stock": bool(there),
            }
        )  # fmt: skip
    return complete("products", pl.DataFrame(rows, infer_schema_length=None))


def _write_service(
    db: Database, connection: Connection, shop: OrderedShop, ids: Mapping[str, str], at: datetime
) -> None:
    # a version goes up: what was proposed before the import is outdated after it
    people = {row.member_id: row.version for row in connection.execute(select(customer_accounts))}
    known = {row.order_id: row.version for row in connection.execute(select(service_orders))}
    customers = [replace(one, customer_id=ids[one.customer_id]) for one in shop.customers]
    accounts = [account_row(db, replace(one, version=people.get(one.customer_id, -1) + 1), at=at) for one in customers]
    orders = [
        order_row(
            db, replace(one, customer_id=ids[one.customer_id], version=known.get(one.order_id, -1) + 1), place, at=at
        )
        for place, one in enumerate(shop.orders)
        if one.customer_id in ids
    ]
    rows = [
        {
            "item_id": one.item_id, "product_id": one.product_id, "name": one.name, "options": dict(one.options), "price_minor": one.price.minor_units,
            "currency": one.price.currency, "available": one.available, "position": place,
        }
        for place, one in enumerate(shop.variants)
    ]  # fmt: skip
    upsert(connection, customer_accounts, accounts)
    upsert(connection, service_orders, orders)
    upsert(connection, variants, rows)


def read_tau2(folder: Path, *, currency: str) -> OrderedShop:
    """Read `db.json`; ImportFileError says what is missing."""
    path = folder / FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read; the folder needs a {FILE}") from error
    except json.JSONDecodeError as error:
        raise ImportFileError(f"{path} is not JSON: {error}") from error
    try:
        return parse_tau2(raw, currency)
    except (KeyError, TypeError, AttributeError) as error:
        raise ImportFileError(f"{path} is not the format of a retail shop: {error!r}") from error


def parse_tau2(raw: Mapping[str, Any], currency: str) -> OrderedShop:
    """Return what the parsed file holds."""

    def money(amount: float) -> Money:
        return Money(round(amount * minor_per_major(currency)), currency)

    def user(one: Mapping[str, Any]) -> Customer:
        methods = tuple(
            PaymentMethod(
                method["id"], method["source"], f"{method.get('brand', '')} {method.get('last_four', '')}".strip(),
                money(method["balance"]) if "balance" in method else None,
            )
            for method in one["payment_methods"].values()
        )  # fmt: skip
        name = one["name"]
        return Customer(
            one["user_id"], name["first_name"], name["last_name"], one["email"], _address(one["address"]), methods
        )

    def order(one: Mapping[str, Any]) -> Order:
        items = tuple(
            OrderItem(item["item_id"], item["product_id"], item["name"], dict(item["options"]), money(item["price"]))
            for item in one["items"]
        )
        payments = tuple(
            Payment(p["transaction_type"], money(p["amount"]), p["payment_method_id"]) for p in one["payment_history"]
        )
        shipments = tuple(Shipment(tuple(sent["tracking_id"]), tuple(sent["item_ids"])) for sent in one["fulfillments"])
        return Order(
            one["order_id"], one["user_id"], one["status"], _address(one["address"]), items, payments, shipments,
            cancel_reason=one.get("cancel_reason"), requested=_requested(one, money),
        )  # fmt: skip

    variants = [
        Variant(
            kind["item_id"],
            product["product_id"],
            product["name"],
            dict(kind["options"]),
            money(kind["price"]),
            bool(kind["available"]),
        )
        for product in raw["products"].values()
        for kind in product["variants"].values()
    ]
    return OrderedShop(list(map(user, raw["users"].values())), list(map(order, raw["orders"].values())), variants)


def _address(one: Mapping[str, Any]) -> Address:
    return Address(one["address1"], one["address2"], one["city"], one["state"], one["zip"], one["country"])


def _requested(one: Mapping[str, Any], money: Any) -> Requested | None:
    if "return_items" in one:
        return Requested("return", tuple(one["return_items"]), one["return_payment_method_id"])
    if "exchange_items" in one:
        return Requested(
            "exchange", tuple(one["exchange_items"]), one["exchange_payment_method_id"], tuple(one["exchange_new_items"]),
            money(one["exchange_price_difference"]),
        )  # fmt: skip
    return None
