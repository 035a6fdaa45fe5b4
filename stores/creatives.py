"""Campaigns of creatives: their variants, the history of approvals, and what the loop learns from and writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, false, func, insert, or_, select, update

from personalization.creative.approval import POLICY, Mode, State, Step, check, family_steps, first_steps
from personalization.creative.loop import CLICK, CONVERSION, Credit, Running
from personalization.creative.placement import Limits, Shares
from personalization.creative.screening import Rules
from personalization.creative.variants import Audience, Variant
from personalization.types import EventType, ProductId, Purpose
from stores.campaign_audiences import counted
from stores.consents import granted_to
from stores.coupon_tables import campaigns
from stores.creative_tables import (
    creative_approvals,
    creative_campaigns,
    creative_credits,
    creative_models,
    creative_placements,
    creative_sets,
    creative_variants,
)
from stores.database import Check, Database, rows_where, upsert
from stores.errors import ConflictError, NotFoundError
from stores.events import Event, advance, read_after
from stores.tables import events

CONSUMER, MODEL = "creative", "placement"
ATTRIBUTED = timedelta(days=7)  # outcomes later than this are not the creative's
SEPARATOR = "\x1f"
_CREDITED = {
    EventType.CLICKED: CLICK, EventType.ADDED_TO_BASKET: CLICK, EventType.BOUGHT: CONVERSION, EventType.REDEEMED: CONVERSION,
}  # fmt: skip
_COUNTED = {CLICK: creative_variants.c.clicked, CONVERSION: creative_variants.c.converted}


@dataclass(frozen=True, slots=True)
class CreativeCampaign:
    """A campaign that places creatives of one product. `objective`: "clicks", or "conversions" (a click that ends in a purchase).

    owner : the campaign that starts, pauses and ends it, None where it runs by its own dates; held : nothing is placed for now.
    """

    campaign_id: str
    product_id: ProductId
    objective: str
    mode: Mode
    limits: Limits
    rules: Rules
    starts_at: datetime
    ends_at: datetime
    placed: int = 0
    explored: int = 0
    owner: str | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A variant, where it stands, and what came of it."""

    variant: Variant
    state: State
    shown: int
    clicked: int
    converted: int
    position: int
    """Among the campaign's, in the order in which they were proposed."""


class SqlCreativeCampaigns:
    """Campaigns, variants and approvals; and the `CreativeStore` of the loop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(self, campaign: CreativeCampaign) -> None:
        """Store a new campaign. Raises ConflictError when the id is taken."""
        with self._db.write() as connection:
            add(connection, campaign)

    def get(self, campaign_id: str) -> CreativeCampaign:
        """Return a campaign. Raises NotFoundError."""
        with self._db.read() as connection:
            return _needed(connection, campaign_id)

    def page(self, *, limit: int | None = None, after: str = "") -> list[CreativeCampaign]:
        """Return up to `limit` campaigns by their ids, those behind `after`: their dates change with the plans that own them."""
        name = creative_campaigns.c.campaign_id
        query = select(creative_campaigns).where(name > after).order_by(name).limit(limit)
        with self._db.read() as connection:
            return [_loaded(row) for row in connection.execute(query)]

    def propose(self, campaign_id: str, variants: Sequence[Variant], *, by: str, at: datetime) -> list[Step]:
        """Add the variants that are new, each where the campaign's policy lets it stand; return the lines that were written."""
        with self._db.write() as connection:
            campaign = _needed(connection, campaign_id, lock=True)
            history = _history(connection, campaign_id)
            first = connection.scalar(select(func.count()).where(creative_variants.c.campaign_id == campaign_id)) or 0
            unique = {variant.variant_id: variant for variant in variants}
            steps = first_steps(campaign.mode, campaign_id, unique.values(), history, by=by, at=at)
            new = [unique[step.subject] for step in steps if step.state is State.PROPOSED]
            rows = [
                {
                    "campaign_id": campaign_id, "variant_id": one.variant_id, "position": first + number, "family": one.family,
                    "choices": dict(one.choices), "measures": dict(one.measures), "state": State.PROPOSED.value, "shown": 0,
                    "clicked": 0, "converted": 0,
                }
                for number, one in enumerate(new)
            ]  # fmt: skip
            if rows:
                connection.execute(insert(creative_variants), rows)
            _write(connection, steps)
        return steps

    def decide(
        self, campaign_id: str, subject: str, state: State, *, of_family: bool, by: str, at: datetime, note: str = "",
        seen: Check[int] = None,
    ) -> list[Step]:  # fmt: skip
        """Approve, reject or retire a variant, or a family with its variants; return the lines that were written.

        `seen` is asked about the number of lines that the history had. Raises ApprovalError where that cannot follow, NotFoundError for a variant or a family that nobody proposed.
        """
        with self._db.write() as connection:
            _needed(connection, campaign_id, lock=True)
            history = _history(connection, campaign_id)
            if seen:
                seen(len(history))
            rows = _variants(connection, campaign_id)
            mine = [row for row in rows if (row.family if of_family else row.variant_id) == subject]
            if not mine:
                raise NotFoundError(
                    f"No {'family' if of_family else 'variant'} {subject} was proposed for {campaign_id}."
                )
            step = Step(campaign_id, subject, of_family, state, by, at, note)
            check(None if of_family else State(mine[0].state), step)
            steps = family_steps(step, map(_variant, mine), history) if of_family else [step]
            _write(connection, steps)
        return steps

    def standings(self, campaign_id: str, *, state: State | None = None) -> list[Standing]:
        """Return the campaign's variants, or those in a state: the queue of a person is those `proposed`."""
        with self._db.read() as connection:
            _needed(connection, campaign_id)
            return [
                Standing(_variant(row), State(row.state), row.shown, row.clicked, row.converted, row.position)
                for row in _variants(connection, campaign_id)
                if state is None or row.state == state.value
            ]

    def history(self, campaign_id: str) -> list[Step]:
        """Return who decided what and when, oldest first."""
        with self._db.read() as connection:
            return _history(connection, campaign_id)

    def said_of(self, campaign_id: str, variant: Variant) -> list[Step]:
        """Return the lines of the history about a variant and its family, oldest first."""
        subjects = {True: variant.family, False: variant.variant_id}
        return [step for step in self.history(campaign_id) if step.subject == subjects[step.of_family]]

    def variant(self, campaign_id: str, variant_id: str) -> Variant | None:
        """Return a variant of a campaign."""
        c = creative_variants.c
        with self._db.read() as connection:
            row = connection.execute(
                select(creative_variants).where(c.campaign_id == campaign_id, c.variant_id == variant_id)
            ).first()
        return None if row is None else _variant(row)

    def may_be_shown(self, campaign_id: str, variant_id: str, *, at: datetime, to_anybody: bool) -> bool:
        """Whether a variant may be shown at `at`: it is approved, and its campaign runs and is not for others only."""
        v, c = creative_variants.c, creative_campaigns.c
        query = (
            select(v.state)
            .join(creative_campaigns, c.campaign_id == v.campaign_id)
            .where(v.campaign_id == campaign_id, v.variant_id == variant_id, *runs(at))
        )
        with self._db.read() as connection:
            state = connection.scalar(query.where(open_to(connection, None)) if to_anybody else query)
        return state == State.APPROVED.value

    def credit(self, *, now: datetime, limit: int) -> int:
        """Apply the next `limit` positions of the event log to placements; return how many there were.

        The first view of a placement counts as an impression of its variant, its first click and its first conversion are each
        credited once, whatever the log repeats.
        """
        wanted = [EventType.VIEWED.value, *(kind.value for kind in _CREDITED)]
        with self._db.write() as connection:
            last, end, batch = read_after(
                connection, CONSUMER, limit, events.c.decision_id.is_not(None) & events.c.type.in_(wanted)
            )
            named = {str(event.decision_id) for event in batch}
            placed = {row.decision_id: row for row in rows_where(connection, creative_placements, "decision_id", named)}
            seen = {row.seq for row in placed.values() if row.viewed_at is not None}
            for event in batch:
                row = placed.get(event.decision_id)
                if row is not None and event.at <= row.at + ATTRIBUTED:
                    _apply(connection, event, row, seen, now)
            if end > last:
                advance(connection, CONSUMER, end)
        return end - last

    def credits(self, *, after: int, most: int) -> Sequence[Credit]:
        """Return credited outcomes after number `after`."""
        c, p = creative_credits.c, creative_placements.c
        query = (
            select(c.seq, c.kind, p.campaign_id, p.audience, p.variant_id, p.variant_ids, p.shares)
            .join(creative_placements, p.seq == c.placement)
            .where(c.seq > after)
            .order_by(c.seq)
            .limit(most)
        )
        with self._db.read() as connection:
            return [
                Credit(
                    row.seq, row.kind, row.campaign_id, audience_of(row.audience), row.variant_id, tuple(row.variant_ids),
                    tuple(row.shares),
                )
                for row in connection.execute(query)
            ]  # fmt: skip

    def running(self, *, at: datetime) -> Sequence[Running]:
        """Return the campaigns that run at `at`, with everything that is placed."""
        query = select(creative_campaigns).where(
            creative_campaigns.c.starts_at <= at, creative_campaigns.c.ends_at > at
        )
        found = []
        with self._db.read() as connection:
            for row in connection.execute(query.order_by(creative_campaigns.c.campaign_id)).all():
                campaign, rows = _loaded(row), _variants(connection, row.campaign_id)
                sets = connection.execute(select(creative_sets).where(creative_sets.c.campaign_id == row.campaign_id))
                found.append(
                    Running(
                        campaign.campaign_id, campaign.objective, [_variant(one) for one in rows],
                        frozenset(one.variant_id for one in rows if one.state == State.APPROVED.value),
                        {one.variant_id: one.shown for one in rows}, campaign.limits, campaign.rules,
                        {audience_of(one.audience): shares_from(one.shares) for one in sets},
                    )
                )  # fmt: skip
        return found

    def sets(self, campaign_id: str) -> Mapping[Audience, Mapping[str, float]]:
        """Return how often each variant of an audience's set is placed now."""
        query = select(creative_sets).where(creative_sets.c.campaign_id == campaign_id)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        found = {audience_of(row.audience): shares_from(row.shares) for row in rows}
        return {
            audience: dict(zip(shares.variant_ids, shares.shares, strict=True)) if shares else {}
            for audience, shares in found.items()
        }

    def variants(self, campaign_id: str, variant_ids: Sequence[str]) -> Mapping[str, Variant]:
        """Return variants of a campaign, by id."""
        wanted = frozenset(variant_ids)
        with self._db.read() as connection:
            rows = _variants(connection, campaign_id)
        return {row.variant_id: _variant(row) for row in rows if row.variant_id in wanted}

    def save_sets(
        self, campaign_id: str, sets: Mapping[Audience, Shares], *, retired: Sequence[str], at: datetime
    ) -> None:
        """Keep shares by audience; retire variants by the policy."""
        rows = [
            {"campaign_id": campaign_id, "audience": key_of(audience), "shares": asdict(shares), "at": at}
            for audience, shares in sets.items()
        ]
        with self._db.write() as connection:
            upsert(connection, creative_sets, rows)
            standing = (
                {row.variant_id: State(row.state) for row in _variants(connection, campaign_id)} if retired else {}
            )
            _write(connection, [
                Step(campaign_id, name, False, State.RETIRED, POLICY, at, "not among the best for any audience")
                for name in retired if standing.get(name) is State.APPROVED
            ])  # fmt: skip

    def load_model(self) -> tuple[bytes, bytes, int, datetime] | None:
        """Return the predictors as they were saved."""
        with self._db.read() as connection:
            row = connection.execute(select(creative_models).where(creative_models.c.name == MODEL)).first()
        return None if row is None else (bytes(row.clicks), bytes(row.conversions), row.seq, row.at)

    def save_model(self, clicks: bytes, conversions: bytes, *, seq: int, at: datetime) -> None:
        """Keep the predictors, unless those kept have learned more."""
        with self._db.write() as connection:
            known = connection.scalar(
                select(creative_models.c.seq).where(creative_models.c.name == MODEL).with_for_update()
            )
            if known is None or known <= seq:
                row = {"name": MODEL, "clicks": clicks, "conversions": conversions, "seq": seq, "at": at}
                upsert(connection, creative_models, [row])


def add(connection: Connection, campaign: CreativeCampaign) -> None:
    """Store a new campaign within a transaction. Raises ConflictError when the id is taken."""
    if _campaign(connection, campaign.campaign_id) is not None:
        raise ConflictError(f"There is a campaign {campaign.campaign_id} already.")
    connection.execute(insert(creative_campaigns).values(asdict(campaign) | {"mode": campaign.mode.value}))
    everybody = {"campaign_id": campaign.campaign_id, "audience": key_of(Audience()), "at": campaign.starts_at}
    connection.execute(insert(creative_sets).values(everybody))


def runs(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a campaign of creatives has begun, has not ended, and is not held."""
    c = creative_campaigns.c
    return c.starts_at <= at, c.ends_at > at, c.held.is_(False)


def open_to(connection: Connection, member_id: str | None) -> ColumnElement[bool]:
    """Return the condition that a campaign of creatives is for a member, None for nobody in particular.

    One that a campaign owns is for that campaign's audience, as it was worked out at the launch. Who does not agree to marketing now
    is nobody in particular, like a coupon's; and who does not agree to profiling, where the audience follows from it.
    """
    owner = creative_campaigns.c.owner
    mine: ColumnElement[bool] = false()
    if member_id is not None:
        granted = granted_to(connection, [member_id]).get(member_id, frozenset())
        if Purpose.MARKETING in granted:
            mine = counted(owner, member_id, profiled=Purpose.PROFILING in granted)
    everybody = exists().where(campaigns.c.campaign_id == owner, campaigns.c.for_everybody)
    return or_(owner.is_(None), everybody, mine)


def key_of(audience: Audience) -> str:
    """Return the audience as one text."""
    return SEPARATOR.join((audience.segment, audience.channel, audience.affect, audience.category))


def audience_of(key: str) -> Audience:
    """Return the audience that `key_of` wrote."""
    return Audience(*key.split(SEPARATOR))


def shares_from(body: dict[str, Any] | None) -> Shares | None:
    """Return the shares that were stored."""
    return None if body is None else Shares(tuple(body["variant_ids"]), tuple(body["shares"]), body["best"])


def _campaign(connection: Connection, campaign_id: str, *, lock: bool = False) -> Row[Any] | None:
    query = select(creative_campaigns).where(creative_campaigns.c.campaign_id == campaign_id)
    return connection.execute(query.with_for_update() if lock else query).first()


def _needed(connection: Connection, campaign_id: str, *, lock: bool = False) -> CreativeCampaign:
    row = _campaign(connection, campaign_id, lock=lock)
    if row is None:
        raise NotFoundError(f"There is no campaign {campaign_id}.")
    return _loaded(row)


def _loaded(row: Row[Any]) -> CreativeCampaign:
    return CreativeCampaign(
        row.campaign_id, row.product_id, row.objective, Mode(row.mode), Limits(**row.limits), Rules(**row.rules), row.starts_at,
        row.ends_at, row.placed, row.explored, row.owner, row.held,
    )  # fmt: skip


def _variants(connection: Connection, campaign_id: str) -> Sequence[Row[Any]]:
    mine = creative_variants.c.campaign_id == campaign_id
    return connection.execute(select(creative_variants).where(mine).order_by(creative_variants.c.position)).all()


def _variant(row: Row[Any]) -> Variant:
    return Variant(row.variant_id, row.choices, row.measures)


def _history(connection: Connection, campaign_id: str) -> list[Step]:
    mine = creative_approvals.c.campaign_id == campaign_id
    return [
        Step(row.campaign_id, row.subject, row.of_family, State(row.state), row.by, row.at, row.note)
        for row in connection.execute(select(creative_approvals).where(mine).order_by(creative_approvals.c.seq))
    ]


def _write(connection: Connection, steps: Sequence[Step]) -> None:
    """Append lines to the history, and bring the variants to where they lead."""
    if not steps:
        return
    connection.execute(insert(creative_approvals), [asdict(step) | {"state": step.state.value} for step in steps])
    for step in steps:
        if not step.of_family:
            one = (creative_variants.c.campaign_id == step.campaign_id, creative_variants.c.variant_id == step.subject)
            connection.execute(update(creative_variants).where(*one).values(state=step.state.value))


def _apply(connection: Connection, event: Event, row: Row[Any], seen: set[int], now: datetime) -> None:
    """Count what the event says of a placement, unless that is known."""
    mine = (creative_variants.c.campaign_id == row.campaign_id, creative_variants.c.variant_id == row.variant_id)
    if row.seq not in seen:  # whoever clicked has seen it too
        seen.add(row.seq)
        connection.execute(
            update(creative_placements).where(creative_placements.c.seq == row.seq).values(viewed_at=event.at)
        )
        connection.execute(update(creative_variants).where(*mine).values(shown=creative_variants.c.shown + 1))
    kind = _CREDITED.get(event.type)
    if kind is None:
        return
    known = (creative_credits.c.placement == row.seq, creative_credits.c.kind == kind)
    if connection.scalar(select(creative_credits.c.seq).where(*known)) is None:
        connection.execute(insert(creative_credits).values(placement=row.seq, kind=kind, at=now))
        connection.execute(update(creative_variants).where(*mine).values({_COUNTED[kind].name: _COUNTED[kind] + 1}))
