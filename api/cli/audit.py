"""`aisle audit`: whether groups are treated alike, and whether the record of who did what is whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.settings import settings

app = typer.Typer(
    no_args_is_help=True, help="Audits: fairness between declared groups, and the record of staff's actions."
)
PolicyFile = Annotated[
    Path | None, typer.Option(help="Limits; without it those that ship (personalization/trust/fairness.yml).")
]


@app.command()
def groups(
    file: Annotated[
        Path | None, typer.Argument(help="CSV with `member` (id or external id) and a column for each attribute.")
    ] = None,
    demo: Annotated[bool, typer.Option(help="The demo data's age bands, income bands and household types.")] = False,
) -> None:
    """Keep the groups that members declared. Only the audit reads them, and coupons where a limit on groups is enforced."""
    from api.cli.main import fail
    from api.opening import open_database
    from stores.groups import SqlGroups
    from stores.importing.complete_journey import demographics

    if demo == (file is not None):
        fail("name a file, or --demo")
    rows = demographics() if file is None else _declared(file)
    kept = SqlGroups(open_database(settings())).declare(
        rows, source=str(file.name if file else "demo"), at=datetime.now(UTC)
    )
    print(f"{kept:,} of {len(rows):,} declarations were kept; the others name nobody who is a member")


@app.command()
def fairness(
    policy: PolicyFile = None,
    days: Annotated[int, typer.Option(min=1, help="Decisions of so many days.")] = 28,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("fairness.html"),
    recognition: Annotated[
        Path | None,
        typer.Option(help="CSV with `member` and `error` (0 or 1): attempts to recognise members, measured by you."),
    ] = None,
    enforce: Annotated[
        bool, typer.Option(help="Set the prices by which coupons keep to the limits that say `enforce`.")
    ] = False,
) -> None:
    """Hold coupons, rankings, recognition and hand-offs against the policy, by declared group; write a page, print the verdict."""
    from api.opening import open_database
    from api.services.fairness import run, steer
    from personalization.trust.fairness import read_policy
    from personalization.trust.fairness_page import overall, page

    db, limits, now = open_database(settings()), read_policy(policy), datetime.now(UTC)
    attempts = (
        [(who, float(wrong)) for who, name, wrong in _declared(recognition) if name == "error"] if recognition else None
    )
    found = run(db, limits, now=now, days=days, recognition=attempts)
    for one in found.findings:
        print(f"{one.verdict:8} {one.sentence}")
    print(overall(found.findings), found.price)
    about = f"{found.decisions:,} decisions for members in the {days} days before {now:%Y-%m-%d}."
    out.write_text(page(found.findings, at=now, about=about, price=found.price))
    print(f"the page is {out}")
    if enforce:
        prices = steer(db, limits, now=now, days=days)
        print(
            f"{sum(bool(price) for each in prices.values() for price in each.values())} groups are charged or credited from now on"
        )


@app.command()
def verify() -> None:
    """Check the record of what staff and keys did: each line against the one before, and the last against what was noted of it."""
    from api.cli.main import fail
    from api.opening import audit_head, open_database
    from stores.audit import SqlAudit

    wrong = SqlAudit(open_database(settings()), audit_head(settings())).verify()
    if wrong:
        fail("the record was changed:\n" + "\n".join(f"  {one}" for one in wrong))
    print("the record is whole")


@app.command()
def log(after: Annotated[int, typer.Option(help="Number of a line; those behind it are printed.")] = 0) -> None:
    """Print up to 100 lines of the record of what staff and keys did."""
    from api.opening import audit_head, open_database
    from stores.audit import SqlAudit

    for one in SqlAudit(open_database(settings()), audit_head(settings())).entries(after=after):
        print(f"{one.seq:6} {one.at:%Y-%m-%d %H:%M:%S} {one.actor}: {one.action} {one.target}".rstrip())


def _declared(file: Path) -> list[tuple[str, str, str]]:
    """Return (member, column, value) of a CSV whose first column is `member`."""
    import csv

    from stores.errors import ImportFileError

    with file.open(newline="", encoding="utf-8-sig") as opened:
        rows = list(csv.DictReader(opened))
    if rows and "member" not in rows[0]:
        raise ImportFileError(f"{file} has no column `member`")
    return [
        (row["member"], name, value or "") for row in rows for name, value in row.items() if name and name != "member"
    ]
