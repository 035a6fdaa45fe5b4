"""Commands about living profiles: read one as a card, and replay the log."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.data import steps
from api.settings import settings

if TYPE_CHECKING:
    from api.wiring import Services
    from personalization.profiling.labels import MemberView
    from personalization.types import Label
    from stores.members import Member

WIDTH, SHOWN_MEMBERS = 100, 4000
_GROUPS = {
    "Rhythm": ("recency_days", "gap_mean_days", "recency_over_gap", "orders", "orders_28d", "tenure_days"),
    "Money": ("spent", "basket_value", "basket_items", "price_level"),
    "Promotions": ("promo_share", "discount_rate", "coupon_rate", "coupon_orders_share"),
    "When and where": ("weekend_share", "morning_share", "midday_share", "afternoon_share", "evening_share", "top_store_share"),
    "Lately": ("views_28d", "clicks_28d", "messages_28d", "text_valence_28d", "widget_contacts_28d", "kiosk_contacts_28d"),
}  # fmt: skip
_MONEY = {"spent", "basket_value", "expected_spend"}


def profile(
    member: Annotated[str, typer.Argument(help="A member's id, the retailer's own key, or the start of the name.")],
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for machines.")] = False,
) -> None:
    """Print a member's living profile: features, segment, labels with their reasons, and what was vetoed."""
    from api.wiring import build_services

    services, now = build_services(settings()), datetime.now(UTC)
    found = _member(services, member)
    view = services.profiles.view(found.member_id, at=now)
    if as_json:
        print(json.dumps(_document(services, found, view, now), indent=1, ensure_ascii=False))
    else:
        _card(services, found, view, now)


def replay() -> None:
    """Fold the whole event log again into profiles; safe beside a running worker, and to interrupt and repeat."""
    from api.wiring import build_services

    services, (bar, move) = build_services(settings()), steps()
    with bar:
        read = services.profiles.replay(
            now=datetime.now(UTC), progress=lambda done, total: move("replaying events", done, total)
        )
    print(f"{read:,} events replayed; fingerprint {services.profiles.fingerprint()[:16]}")


def bring_up_to_date(services: Services, move: Any) -> int:
    """Let the profiles have every event of the log, and label everybody; return how many members there are."""
    profiles, now, done = services.profiles, datetime.now(UTC), 0
    total = profiles.backlog()
    while folded := profiles.consume(now=now, limit=20_000, label=False):
        done += folded
        move("folding events into profiles", done, max(total, done))
    last, labelled, everybody = "", 0, profiles.count()
    while some := profiles.members(after=last, limit=500):
        profiles.relabel(some, now=now)
        last, labelled = some[-1], labelled + len(some)
        move("labelling members", labelled, max(everybody, labelled))
    return labelled


def segments(
    out: Annotated[Path | None, typer.Option(help="Draw the map into this .svg or .png file.")] = None,
) -> None:
    """Print the segments with their sizes and rules, and draw the map of members."""
    from rich.console import Console
    from rich.table import Table

    from api.wiring import build_services
    from personalization.profiling.segments import SegmentModel

    services = build_services(settings())
    if services.artifacts is None:
        sys.exit("aisle: nothing has been trained yet; run `aisle train`")
    if out is not None and out.suffix not in {".svg", ".png"}:
        sys.exit(f"aisle: {out} ends with neither .svg nor .png")
    trained, sizes = services.artifacts.segments, services.profiles.segment_sizes()
    model, whole = SegmentModel(trained), max(sum(sizes.values()), 1)
    table = Table("Segment", "Members", "Share", "Who", header_style="bold", caption=_how_chosen(trained))
    for segment in model.segments:
        size = sizes.get(segment.segment_id, 0)
        table.add_row(segment.name, f"{size:,}", f"{size / whole:.0%}", segment.description)
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)
    if drift := services.drift(now=datetime.now(UTC)):
        print(f"drift: {drift.verdict}. {drift.sentence()}")
    if out is not None:
        from personalization.profiling.segment_map import draw

        drawn = draw(model, services.profiles.sample(SHOWN_MEMBERS, now=datetime.now(UTC)), out)
        print(f"{drawn:,} members drawn into {out}")


def rules(
    about: Annotated[str, typer.Argument(help="Only rules that name this category or behaviour; all without it.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=400)] = 25,
) -> None:
    """Print what goes together: rules between categories and behaviours that held among members they were not mined on."""
    from rich.console import Console
    from rich.table import Table

    from api.wiring import build_services

    trained = build_services(settings()).artifacts
    if trained is None:
        sys.exit("aisle: nothing has been trained yet; run `aisle train`")
    found, wanted = trained.rules, about.casefold()
    shown = [rule for rule in found["rules"] if wanted in " ".join([*rule["given"], rule["then"]]).casefold()]
    if about and not shown:
        known = sorted({name for rule in found["rules"] for name in (*rule["given"], rule["then"])})
        sys.exit(f"aisle: no rule names {about}; there are rules about: {'; '.join(known) or 'nothing'}")
    caption = f"{found['kept']:,} of {found['mined']:,} mined rules held in the other half of the members (false discovery rate 5 %)"
    table = Table(
        "Who buys", "also buys", "Lift", "Confidence", "Support", "Baskets", header_style="bold", caption=caption
    )
    for rule in shown[:limit]:
        table.add_row(
            ", ".join(rule["given"]),
            rule["then"],
            f"{rule['lift']:.1f}",
            f"{rule['confidence']:.0%}",
            f"{rule['support']:.1%}",
            f"{rule['baskets']:,}",
        )
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)


def _how_chosen(trained: dict[str, Any]) -> str:
    chosen = trained["chosen"]
    return (
        f"{chosen['clusters']} segments, {chosen['dimensions']} category dimensions: stability {chosen['jaccard']:.2f} "
        f"(bootstrap Jaccard), silhouette {chosen['silhouette']:.2f}; the rules place {trained['rule_accuracy']:.0%} of members."
    )


def _member(services: Services, wanted: str) -> Member:
    by_key = services.members.get(wanted) or services.members.by_external_id(wanted)
    named = [by_key] if by_key else list(services.members.page(name_prefix=wanted, limit=6))
    if len(named) == 1:
        return named[0]
    if not named:
        sys.exit(f"aisle: no member has the id, key or name {wanted}; `aisle members find NAME` looks for names")
    names = ", ".join(f"{one.display_name} ({one.external_id or one.member_id})" for one in named[:5])
    sys.exit(f"aisle: {wanted} could be {names}; give the key")


def _document(services: Services, member: Member, view: MemberView | None, now: datetime) -> dict[str, Any]:
    from api import views

    return {
        "member_id": member.member_id, "display_name": member.display_name, "as_of": now.isoformat(),
        "consented": services.profiles.consented(member.member_id),
        "features": dict(view.features) if view else {}, "category_shares": dict(view.shares) if view else {},
        "readings": dict(view.readings) if view else {},
        "labels": [views.label(label) for label in services.labels.of_member(member.member_id, at=now)],
        "vetoed": [veto.name for veto in services.labels.vetoes(member.member_id)],
    }  # fmt: skip


def _card(services: Services, member: Member, view: MemberView | None, now: datetime) -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    made_up = " (synthetic name)" if member.name_is_synthetic else ""
    title = f"{member.display_name}{made_up}, {member.external_id or member.member_id}"
    if view is None:
        agreed = services.profiles.consented(member.member_id)
        why = "no event of theirs was folded yet" if agreed else "they did not agree to profiling, so nothing is kept"
        console.print(Panel(f"There is no profile: {why}.", title=title))
        return
    table = Table.grid(padding=(0, 3))
    for group, names in _GROUPS.items():
        table.add_row(
            f"[bold]{group}[/bold]", "  ".join(f"{_words(n)} {_figure(n, view.features[n], services)}" for n in names)
        )
    top = sorted(view.shares.items(), key=lambda pair: -pair[1])[:6]
    table.add_row("[bold]Buys[/bold]", ", ".join(f"{name} {share:.0%}" for name, share in top) or "nothing lately")
    for name, value in view.readings.items():
        table.add_row("[bold]Told[/bold]", f"{name} = {value}")
    console.print(Panel(table, title=title, subtitle=f"as of {now:%Y-%m-%d %H:%M} UTC, the last 26 weeks"))
    console.print(_labels_table(services, member, now))


def _labels_table(services: Services, member: Member, now: datetime) -> Any:
    from rich.table import Table

    table = Table("Label", "Value", "Sure", "Why", "Until", "From", header_style="bold", expand=True)
    for label in services.labels.of_member(member.member_id, at=now):
        table.add_row(
            label.name, _told(label, services), f"{label.confidence:.0%}", label.sentence, f"{label.expires_at:%Y-%m-%d}", label.source
        )  # fmt: skip
    for veto in services.labels.vetoes(member.member_id):
        table.add_row(veto.name, "vetoed", "", f"The {veto.by} said that this is not true.", "", "")
    return table


def _told(label: Label, services: Services) -> str:
    if isinstance(label.value, bool):
        return "yes" if label.value else "no"
    return label.value if isinstance(label.value, str) else _figure(label.name, float(label.value), services)


def _words(name: str) -> str:
    return name.replace("_28d", " in 28 days").replace("_", " ")


def _figure(name: str, value: float, services: Services) -> str:
    from personalization.types import Money

    if name in _MONEY:
        return str(Money(round(value), services.settings.currency))
    return f"{value:.0%}" if name.endswith(("_share", "_rate", "price_level")) else f"{value:.1f}".removesuffix(".0")
