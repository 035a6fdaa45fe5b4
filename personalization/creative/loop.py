"""The closed loop: clicks and conversions move the predictor, the predictor moves the shares of every running campaign's sets.

Shares are rows that every serving process reads, so replicas place alike and a restart goes on. The log of credited outcomes is
numbered; the predictor's state names the number up to which it has learned, so each outcome is learned once, whenever it was saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from personalization.creative.features import Design, Floats, Singles
from personalization.creative.model_file import ModelFileError, dump, load, moved
from personalization.creative.placement import DRAWS, Limits, Shares, shares_of
from personalization.creative.predictor import Ints, Predictor
from personalization.creative.priors import belief
from personalization.creative.screening import Rules, keep, likeness, screen
from personalization.creative.variants import Audience, Variant, names_of

AT_ONCE = 500  # outcomes in one pass
REFRESH_AFTER, SCREEN_EVERY = 200, timedelta(minutes=10)  # outcomes until the covariance is solved for again
SAVE_EVERY, HALF_LIFE = timedelta(minutes=1), timedelta(days=120)
CLICK, CONVERSION = "click", "conversion"


@dataclass(frozen=True, slots=True)
class Credit:
    """An outcome of a placement: number `seq` of the log, what was placed for whom, and the shares that it was drawn with."""

    seq: int
    kind: str
    campaign_id: str
    audience: Audience
    variant_id: str
    variant_ids: tuple[str, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """A campaign that places creatives now. `shown`: impressions by variant; `approved`: which may be shown."""

    campaign_id: str
    objective: str
    variants: Sequence[Variant]
    approved: frozenset[str]
    shown: Mapping[str, int]
    limits: Limits
    rules: Rules
    sets: Mapping[Audience, Shares | None]


class CreativeStore(Protocol):
    """What the loop needs stored."""

    def credits(self, *, after: int, most: int) -> Sequence[Credit]:
        """Return up to `most` credited outcomes after number `after`, in their order."""
        ...

    def running(self, *, at: datetime) -> Sequence[Running]:
        """Return the campaigns that run at `at`."""
        ...

    def variants(self, campaign_id: str, variant_ids: Sequence[str]) -> Mapping[str, Variant]:
        """Return variants of a campaign, by id."""
        ...

    def save_sets(
        self, campaign_id: str, sets: Mapping[Audience, Shares], *, retired: Sequence[str], at: datetime
    ) -> None:
        """Keep a campaign's shares by audience, and note the variants that were retired."""
        ...

    def load_model(self) -> tuple[bytes, bytes, int, datetime] | None:
        """Return the two predictors' bytes, the number up to which they have learned, and when they were saved."""
        ...

    def save_model(self, clicks: bytes, conversions: bytes, *, seq: int, at: datetime) -> None:
        """Keep the predictors, unless what is kept has learned more."""
        ...


@dataclass(slots=True)
class _Campaign:
    """A running campaign as the loop works with it: encoded once, screened now and then. `rows` of the rests, by kind of outcome."""

    running: Running
    z: Singles
    rows: Mapping[str, Ints]
    alike: Singles
    places: dict[str, int]
    screened_at: datetime | None = None
    sets: dict[Audience, Ints] = field(default_factory=dict)


class CreativeLoop:
    """Works on one thread. `advance` is called every few hundred milliseconds."""

    def __init__(self, store: CreativeStore, rng: np.random.Generator) -> None:
        self._store, self._rng = store, rng
        self._clicks: Predictor | None = None
        self._conversions: Predictor | None = None
        self._seq, self._unsolved = 0, 0
        self._saved_at: datetime | None = None
        self._campaigns: dict[str, _Campaign] = {}
        self._noise: dict[str, Singles] = {}

    def advance(self, *, now: datetime) -> int:
        """Learn what is new and keep the shares of running campaigns up to date; return how many outcomes were learned."""
        running = self._store.running(at=now)
        if not running and self._clicks is None:
            return 0
        self._prepare(running, now)
        touched = set()
        outcomes = self._store.credits(after=self._seq, most=AT_ONCE)
        for credit in outcomes:
            self._learn(credit)
            touched.add(credit.campaign_id)
            self._seq = credit.seq
        self._unsolved += len(outcomes)
        if self._unsolved >= REFRESH_AFTER:
            self._solve()
            touched = set(self._campaigns)
        for campaign in self._campaigns.values():
            due = campaign.screened_at is None or now - campaign.screened_at >= SCREEN_EVERY
            missing = any(shares is None for shares in campaign.running.sets.values())
            if due or missing or campaign.running.campaign_id in touched:
                self._share_out(campaign, now, screens=due or missing)
        self._save(now)
        return len(outcomes)

    def close(self, *, now: datetime) -> None:
        """Keep what was learned."""
        if self._clicks is not None and self._conversions is not None:
            self._store.save_model(dump(self._clicks), dump(self._conversions), seq=self._seq, at=now)

    def _prepare(self, running: Sequence[Running], now: datetime) -> None:
        """Make or widen the predictors where variants or audiences are new, and encode what has changed."""
        design = Design.of(
            (variant for one in running for variant in one.variants),
            (audience for one in running for audience in one.sets),
        )
        if self._clicks is None or self._conversions is None:
            self._restore(design, now)
        elif (wider := self._clicks.design.joined(design)) != self._clicks.design:
            self._clicks, self._conversions = moved(self._clicks, wider), moved(self._conversions, wider)
            self._campaigns.clear()
            self._new_noise()
        kept = self._campaigns
        self._campaigns = {one.campaign_id: self._encoded(one, kept.get(one.campaign_id)) for one in running}

    def _restore(self, design: Design, now: datetime) -> None:
        found = self._store.load_model()
        if found is not None:
            try:
                self._clicks, self._conversions = (load(content, design) for content in found[:2])
                self._seq, self._saved_at = found[2], found[3]
            except ModelFileError:
                found = None  # everything is learned again from the log
        if found is None:
            self._clicks, self._conversions = (Predictor(design, belief(design)) for _ in range(2))
            self._seq, self._saved_at = 0, now
        self._new_noise()

    def _encoded(self, one: Running, before: _Campaign | None) -> _Campaign:
        clicks = self._predictor(CLICK)
        ids = tuple(variant.variant_id for variant in one.variants)
        if before is not None and tuple(before.places) == ids:
            if before.running.approved != one.approved:
                before.screened_at = None
            before.running = one
            return before
        z = clicks.design.encode(one.variants)
        named = names_of(one.campaign_id, ids)
        rows = {kind: self._predictor(kind).rests.of(named) for kind in (CLICK, CONVERSION)}
        options = clicks.design.own - len(clicks.design.measures)
        return _Campaign(one, z, rows, likeness(z, options), {name: place for place, name in enumerate(ids)})

    def _predictor(self, kind: str) -> Predictor:
        found = self._clicks if kind == CLICK else self._conversions
        if found is None:
            raise RuntimeError("the loop has not begun")
        return found

    def _learn(self, credit: Credit) -> None:
        """Learn one outcome. A conversion is compared with the clicks that the shares are expected to bring."""
        clicks = self._predictor(CLICK)
        known = self._store.variants(credit.campaign_id, credit.variant_ids)
        if len(known) < len(credit.variant_ids):
            return
        z = clicks.design.encode([known[name] for name in credit.variant_ids])
        happened = np.array([float(name == credit.variant_id) for name in credit.variant_ids])
        named = names_of(credit.campaign_id, credit.variant_ids)
        shares, rows = np.array(credit.shares), clicks.rests.of(named)
        if credit.kind == CLICK:
            clicks.learn(credit.audience, z, rows, shares, happened)
            return
        likely = shares * np.exp(clicks.score(credit.audience, z, rows).mean)
        conversions = self._predictor(CONVERSION)
        conversions.learn(credit.audience, z, conversions.rests.of(named), likely / likely.sum(), happened)

    def _solve(self) -> None:
        for kind in (CLICK, CONVERSION):
            self._predictor(kind).refresh()
        self._unsolved = 0
        self._new_noise()

    def _new_noise(self) -> None:
        self._noise = {kind: self._predictor(kind).noise(self._rng, DRAWS) for kind in (CLICK, CONVERSION)}

    def _share_out(self, campaign: _Campaign, now: datetime, *, screens: bool) -> None:
        """Work out the shares of every audience's set; with `screens` the sets too."""
        one = campaign.running
        audiences = list(one.sets)
        if not audiences:
            return
        retired = self._screen(campaign, audiences) if screens else []
        if screens:
            campaign.screened_at = now
        found = {}
        for audience in audiences:
            members = campaign.sets.get(audience)
            if members is None or not len(members):
                continue
            drawn, mean = self._drawn(campaign, audience, members)
            ids = [one.variants[place].variant_id for place in members]
            new = np.array([one.shown.get(name, 0) < one.limits.least_shown for name in ids])
            shares, best = shares_of(drawn[None], mean[None], new[None], one.limits)
            found[audience] = Shares(tuple(ids), tuple(shares[0].tolist()), int(best[0]))
        self._store.save_sets(one.campaign_id, found, retired=retired, at=now)

    def _drawn(self, campaign: _Campaign, audience: Audience, members: Ints) -> tuple[Singles, Floats]:
        """Return drawn log-odds (k, s) and their means (k,) of what the campaign wants."""
        drawn, mean = np.zeros((len(members), DRAWS), np.float32), np.zeros(len(members))
        for kind in _wanted(campaign.running):
            predictor, rows = self._predictor(kind), campaign.rows[kind][members]
            drawn += predictor.drawn(
                audience, campaign.z[members], rows, predictor.around(self._noise[kind]), self._rng
            )
            mean += predictor.score(audience, campaign.z[members], rows).mean
        return drawn, mean

    def _hoped(self, campaign: _Campaign, audience: Audience) -> Floats:
        """Return how good each variant may be at what the campaign wants (n,): log-odds, above the mean by the rules' optimism."""
        found = [
            self._predictor(kind).score(audience, campaign.z, campaign.rows[kind]) for kind in _wanted(campaign.running)
        ]
        spread = np.sqrt(np.sum([one.sd**2 for one in found], axis=0))
        hoped: Floats = np.sum([one.mean for one in found], axis=0) + campaign.running.rules.optimism * spread
        return hoped

    def _screen(self, campaign: _Campaign, audiences: Sequence[Audience]) -> list[str]:
        """Screen every audience's set anew; return the variants that no set wants any more although they had their chance."""
        one = campaign.running
        n = len(one.variants)
        allowed = np.array([variant.variant_id in one.approved for variant in one.variants])
        if not allowed.any():
            campaign.sets = {}
            return []
        quality, stays = np.empty((len(audiences), n)), np.zeros((len(audiences), n), bool)
        dropped, wanted = set[int](), set[int]()
        for number, audience in enumerate(audiences):
            quality[number] = self._hoped(campaign, audience)
            members = campaign.sets.get(audience)
            if members is not None and len(members):
                shown = np.array([one.shown.get(one.variants[place].variant_id, 0) for place in members])
                kept = keep(self._drawn(campaign, audience, members)[0], shown, one.rules)
                stays[number, members] = kept
                dropped.update(members[~kept].tolist())
                wanted.update(members[kept].tolist())
        size = min(one.rules.size, int(allowed.sum()))
        retired = dropped - wanted if int(allowed.sum()) > one.rules.size else set()
        allowed[list(retired)] = False
        chosen = screen(
            quality, campaign.alike, size, temperature=one.rules.temperature, kept=stays,
            allowed=np.repeat(allowed[None], len(audiences), 0),
        )  # fmt: skip
        campaign.sets = {audience: row[row >= 0] for audience, row in zip(audiences, chosen, strict=True)}
        return [one.variants[place].variant_id for place in sorted(retired)]

    def _save(self, now: datetime) -> None:
        """Keep the state now and then, and let old evidence fade by the time that has passed."""
        if self._saved_at is None or now - self._saved_at < SAVE_EVERY:
            return
        kept = 0.5 ** ((now - self._saved_at) / HALF_LIFE)
        for kind in (CLICK, CONVERSION):
            self._predictor(kind).forget(kept)
        self._saved_at = now
        self.close(now=now)


def _wanted(one: Running) -> Sequence[str]:
    """Return what a campaign wants: a click, and where it is for conversions, buying then."""
    return (CLICK, CONVERSION) if one.objective == "conversions" else (CLICK,)
