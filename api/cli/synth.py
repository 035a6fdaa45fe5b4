"""Commands about synthetic shops: fit one, generate members from it, and report how true and how private it is."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.data import steps
from api.settings import settings
from personalization.currencies import minor_per_major, places

if TYPE_CHECKING:
    import polars as pl

    from personalization.synth.generate import Generator
    from personalization.synth.shop import ShopModel

synth = typer.Typer(
    no_args_is_help=True,
    help="Synthetic shops: `fit` learns from the imported orders, `generate` makes members and events at any scale, `report` "
    "says how true and how private they are.",
)
Seed = Annotated[int, typer.Option(help="The same seed makes the same members.")]
Model = Annotated[Path | None, typer.Option(help="The fitted shop; synth.npz of the state folder without it.")]


@synth.command()
def fit(seed: Seed = 7, out: Model = None) -> None:
    """Fit a synthetic shop to the imported orders of members who agreed to profiling (about a minute for 1.4 million lines)."""
    from personalization.synth.shop import SynthError
    from personalization.synth.shop import fit as run

    lines, products, _ = _real()
    bar, move = steps()
    path = _path(out)
    try:
        with bar:
            move("fitting a synthetic shop", 0, 1)
            model = run(lines, products, seed=seed)
            move("fitting a synthetic shop", 1, 1)
    except SynthError as error:
        sys.exit(f"aisle: {error}")
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path)
    about = model.about
    print(
        f"{path}: fitted to {about['order_lines']:,} order lines of {about['members']:,} members over {model.period_days} days"
    )


@synth.command()
def generate(
    folder: Annotated[Path, typer.Argument(help="Where to write; made when it is not there.")],
    members: Annotated[int, typer.Option(min=1, help="How many members.")] = 1_000,
    seed: Seed = 7,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day after the last order; today without it.")] = None,
    events: Annotated[bool, typer.Option(help="Write events.jsonl, as POST /v1/events takes them, instead of order files.")] = False,
    model: Model = None,
) -> None:  # fmt: skip
    """Generate members with their orders as files that `aisle import FOLDER` reads, or as events.

    The catalogue is the fitted shop's own. Signals beside orders (page views, messages, ...) have assumed rates.
    """
    from personalization.synth.generate import BLOCK, Generator

    shop = load_shop(model)
    if not members < 10**8:
        sys.exit("aisle: at most 99,999,999 members")
    end = until.replace(tzinfo=UTC) if until else datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    generator = Generator(shop, seed=seed, until=end)
    folder.mkdir(parents=True, exist_ok=True)
    if events:
        print(f"{_write_events(folder, generator, members):,} events in {folder / 'events.jsonl'}")
        return
    bar, move = steps()
    total, n = -(-members // BLOCK), 0
    with bar:
        for number, lines in enumerate(generator.lines(members)):
            n += lines.height
            _orders(lines).write_parquet(folder / f"orders-{number:05d}.parquet")
            move("generating orders", number + 1, total)
    _join(folder, total)
    _members(generator, members).write_csv(folder / "members.csv")
    _products(shop).write_csv(folder / "products.csv")
    print(f"{n:,} order lines of {members:,} members in {folder}; `aisle import {folder}` reads them")


@synth.command()
def report(
    seed: Seed = 7,
    model: Model = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Compare as many generated members as there are real ones with them, and attack the privacy of a shop fitted to half."""
    import polars as pl

    from personalization.synth import fidelity, privacy
    from personalization.synth.generate import Generator

    shop = load_shop(model)
    lines, products, facts = _real()
    end = lines["at"].max()
    bar, move = steps()
    with bar:
        move("generating", 0, 3)
        made = pl.concat(Generator(shop, seed=seed, until=end).lines(lines["member_id"].n_unique()))  # type: ignore[arg-type]
        move("comparing", 1, 3)
        true = fidelity.report(lines, made, facts, seed=seed)
        move("attacking", 2, 3)
        private = privacy.check(lines, products, facts, seed=seed)
        move("done", 3, 3)
    if as_json:
        print(json.dumps({"fidelity": true, "privacy": private}, indent=1))
    else:
        _tell(true, private)


def _tell(true: dict[str, Any], private: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 110)
    for part, figures in true.items():
        columns = list(next(iter(figures.values())))
        table = Table(part, *(_COLUMNS[name] for name in columns), header_style="bold")
        for figure, values in figures.items():
            table.add_row(figure, *(f"{values[name]:.3f}" for name in columns))
        console.print(table)
    table = Table("privacy", "value", "95 % interval", "ideal", header_style="bold")
    for name, ideal in _PRIVACY.items():
        interval = private.get(f"{name}_ci") or private.get(f"{name.removesuffix('_auc')}_ci")
        told = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else ""
        table.add_row(name.replace("_", " "), f"{private[name]:.3f}", told, ideal.format(**private))
    console.print(table)


_COLUMNS = {"made": "generated to real", "halves": "real half to real half", "real": "learned from real"}
_PRIVACY = {
    "nearer": "0.5", "attack_auc": "0.5", "density_attack_auc": "0.5", "closest": "not below {usual:.3f}", "copies": "0",
}  # fmt: skip


def _path(given: Path | None) -> Path:
    return given or settings().state_dir / "synth.npz"


def load_shop(given: Path | None) -> ShopModel:
    """Return the fitted shop, or end with one line that says how to make it."""
    from personalization.synth.shop import ShopModel, SynthError

    try:
        return ShopModel.load(_path(given))
    except SynthError as error:
        sys.exit(f"aisle: {error}")


def _real() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return order lines of what may be shown, products, and the facts of products."""
    from api.opening import open_database
    from stores.purchases import SqlTrainingSource

    source = SqlTrainingSource(open_database(settings()))
    products = source.products()
    return (
        source.order_lines().join(products.select("product_id"), on="product_id", how="semi"),
        products,
        source.product_facts(),
    )


def _orders(lines: pl.DataFrame) -> pl.DataFrame:
    """Return order lines as the columns that `aisle import` reads (docs/data.md)."""
    import polars as pl

    money = {name: _major(f"{name}_minor").alias(name) for name in ("amount", "discount", "coupon")}
    return lines.select(
        "order_id", pl.col("member_id").alias("member"), "product_id", pl.col("at").dt.to_string("iso:strict"), "quantity", "store_id",
        "channel", **money,
    )  # fmt: skip


def _major(name: str) -> pl.Expr:
    """Return a column of minor units as the importer reads amounts: in units of the shop's currency."""
    import polars as pl

    currency = settings().currency
    return (pl.col(name) / minor_per_major(currency)).round(places(currency))


def _join(folder: Path, parts: int) -> None:
    import polars as pl

    paths = [folder / f"orders-{number:05d}.parquet" for number in range(parts)]
    pl.scan_parquet(paths).sink_parquet(folder / "orders.parquet")
    for path in paths:
        path.unlink()


def _members(generator: Generator, count: int) -> pl.DataFrame:
    import polars as pl

    number = pl.col("number")
    return pl.DataFrame({"number": range(count)}).select(
        generator.member_id(number).alias("external_id"), pl.concat_str(pl.lit("Synthetic "), number.cast(pl.String)).alias("display_name"),
        pl.lit("profiling;marketing").alias("consents"),
    )  # fmt: skip


def _products(shop: ShopModel) -> pl.DataFrame:
    """Return the catalogue as the database has it, of the products that the shop can generate."""
    import polars as pl

    _, products, _ = _real()
    known = products.filter(pl.col("product_id").is_in(shop.product_ids.tolist()))
    return known.select(
        "product_id", "name", "category", "department", "brand", "package_size", _major("price_minor").alias("price")
    )  # fmt: skip


def _write_events(folder: Path, generator: Generator, members: int) -> int:
    from personalization.synth.events import events

    n = 0
    with (folder / "events.jsonl").open("w") as file:
        for event in events(generator, members):
            file.write(json.dumps(event) + "\n")
            n += 1
    return n
