"""What the brain needs from others, as protocols. `stores` fulfils those of the first half."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import polars as pl

from personalization.coupons.caps import Cap
from personalization.coupons.dependence import History
from personalization.coupons.features import Record
from personalization.coupons.log import CouponLog
from personalization.decisions import Creative, Decision, LoggedRequest
from personalization.experiments.spec import Assignment, Experiment
from personalization.offers import Allotment, BudgetState, Campaign, Coupon, Offer
from personalization.profiling.labels import MemberView
from personalization.tuning import TuningPolicy
from personalization.types import (
    CampaignId,
    Candidate,
    Channel,
    Context,
    DecisionId,
    Label,
    MemberId,
    Product,
    ProductId,
    Profile,
    Purchase,
    Purpose,
    Ranking,
    SlateItem,
    StoreId,
    Subject,
)

# --- fulfilled by `stores` -------------------------------------------------------------------------------------


class Catalogue(Protocol):
    """The retailer's products."""

    def products(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        """Return those of `product_ids` that exist."""
        ...


class Purchases(Protocol):
    """What members bought. Callers hold consent to profiling before they ask."""

    def of_member(self, member_id: MemberId, *, until: datetime) -> Sequence[Purchase]:
        """Return the member's purchases up to `until`, oldest first."""
        ...


class Promotions(Protocol):
    """What stores have on display or in the mailer."""

    def running(self, store_id: StoreId | None, *, at: datetime) -> Mapping[ProductId, str]:
        """Return the `Placement` of each product promoted in that store at `at`, display before mailer.

        What is promoted in all stores is included, and is all there is without a store. The same object is returned again
        while the answer is the same.
        """
        ...


class Consents(Protocol):
    """The consent ledger's current state."""

    def granted(self, subject: Subject, *, at: datetime) -> frozenset[Purpose]:
        """Return the purposes that `subject` agreed to and has not withdrawn at `at`."""
        ...


class Campaigns(Protocol):
    """Campaigns, their audiences and offers."""

    def active_offers(self, subject: Subject, *, at: datetime, product_ids: Collection[ProductId]) -> Sequence[Offer]:
        """Return offers on `product_ids`, or on anything, of running campaigns whose audience includes `subject`.

        An offer's own `product_ids` are those of the given ones that it covers.
        """
        ...

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        """Return one campaign, or None when there is no such campaign."""
        ...


class BudgetLedger(Protocol):
    """Budgets that cannot be overspent, whatever runs at the same time.

    Every call is one transaction. `reserve` holds money for a coupon, `redeem` turns a hold into spending,
    `release_expired` gives expired holds back. reserved + spent <= total holds after every call.
    """

    def reserve(
        self,
        coupon: Coupon,
        subject: Subject,
        *,
        decision_id: DecisionId | None,
        caps: Sequence[Cap] = (),
    ) -> bool:
        """Store `coupon` and hold its discount; False, storing nothing, when a budget or a limit allows no more.

        Budgets are the campaign's own and those of `caps` that it has.
        """
        ...

    def open_coupon(self, subject: Subject, *, at: datetime) -> Coupon | None:
        """Return the newest coupon of `subject` that is neither redeemed nor expired."""
        ...

    def state(self, campaign_id: CampaignId) -> BudgetState | None:
        """Return the budget's figures."""
        ...


class BudgetPrices(Protocol):
    """What a minor unit of a campaign's money is worth now."""

    def price(self, campaign_id: CampaignId, caps: Sequence[Cap], *, at: datetime) -> float:
        """Return λ in value per minor unit as the control loops last set it: the budget's and those of `caps` together."""
        ...


class FairPrices(Protocol):
    """What a fairness limit charges for discounts; 0 everywhere where none is enforced."""

    def price(self, member_id: MemberId) -> float:
        """Return what a minor unit of discount for this member is charged, in units of the campaign's objective."""
        ...


class CouponRecords(Protocol):
    """A subject's own coupons. Callers hold consent to profiling before they ask about a member."""

    def of_subject(self, subject: Subject, *, at: datetime) -> Record:
        """Return what was offered and redeemed before `at`."""
        ...

    def history(self, subject: Subject, *, at: datetime) -> History:
        """Return purchases and coupon decisions before `at`, the latest of each."""
        ...


class DecisionLog(Protocol):
    """Append-only record of decisions."""

    def append(self, decision: Decision) -> None:
        """Store `decision` (its creative's pixels and its candidates included)."""
        ...

    def get(self, decision_id: DecisionId) -> Decision | None:
        """Return a stored decision with `creative.content` left empty and `candidates` None."""
        ...


class Exposures(Protocol):
    """What a shopper has been shown often enough. Callers hold consent to profiling before they ask about a member."""

    def worn_out(self, subject: Subject, *, at: datetime) -> frozenset[ProductId]:
        """Return what was shown to `subject` again and again in the days before `at`, and that they never responded to."""
        ...


class Pressure(Protocol):
    """What was shown and offered to a subject lately, on all channels together. Callers hold consent to profiling before they ask about a member."""

    def widened(self, subject: Subject, *, at: datetime) -> bool:
        """Return whether what the subject was shown in the week before has become too narrow."""
        ...

    def offered(self, subject: Subject, *, since: datetime) -> int:
        """Return how many coupons the subject was given from `since` on."""
        ...


class Responses(Protocol):
    """How shoppers responded to items lately, from outcome events."""

    def counts(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, tuple[int, int]]:
        """Return (times shown, times clicked, added or bought after being shown) for each id that has any."""
        ...


class MemberViews(Protocol):
    """What the event log says of a member, folded."""

    def view(self, member_id: MemberId, *, at: datetime) -> MemberView | None:
        """Return features, category shares and readings at `at`; None without consent to profiling or without events."""
        ...


class MemberLabels(Protocol):
    """What was concluded about a member."""

    def of_member(self, member_id: MemberId, *, at: datetime) -> Sequence[Label]:
        """Return the labels that may be used at `at`: not expired, not vetoed, their purpose agreed to."""
        ...


class Experiments(Protocol):
    """Experiments that run now."""

    def running(self) -> Sequence[Experiment]:
        """Return the running experiments; another process's change is seen a few seconds later."""
        ...

    def forget_running(self) -> None:
        """Look again at what runs when it is next asked for."""
        ...

    def expose(
        self, running: Sequence[Experiment], subject: Subject, *, at: datetime, channel: Channel
    ) -> Sequence[Assignment]:
        """Return the subject's arms in `running`, the same as before on any channel, and log first exposures."""
        ...


class Tunings(Protocol):
    """Where the dials stand."""

    def current(self) -> TuningPolicy:
        """Return the tuning that counts now."""
        ...

    def version(self, number: int) -> TuningPolicy:
        """Return a tuning by its version; the one that counts where there is none."""
        ...


class TrainingSource(Protocol):
    """Bulk reads for training, as Polars frames."""

    def order_lines(self) -> pl.DataFrame:
        """Columns member_id, order_id, product_id, store_id, channel: String; at: Datetime[us, UTC]; quantity, amount_minor, discount_minor, coupon_minor: Int64.

        Only members who consented to profiling.
        """
        ...

    def products(self) -> pl.DataFrame:
        """Products that may be shown. Columns product_id, name, department, category, brand, package_size: String; price_minor: Int64; currency: String."""
        ...

    def product_facts(self) -> pl.DataFrame:
        """Every product, with the columns of `personalization.profiling.facts`."""
        ...

    def logged_requests(self, *, since: datetime, most: int) -> Iterator[LoggedRequest]:
        """Decisions from `since` on that outcome events name, oldest first, never all in memory; of the newest `most`.

        Only members who consent to profiling now: nobody could ask a visitor.
        """
        ...

    def coupon_log(self, *, since: datetime, until: datetime, horizon: timedelta) -> CouponLog:
        """Allotments to members from `since` to `until`; converted : the product was bought within `horizon` after.

        Only members who consent to profiling now.
        """
        ...


# --- the brain's own seams; a later engine replaces one without touching the others ------------------------------


class Profiler(Protocol):
    """A member's profile as of now (Fallback: no profile)."""

    @property
    def version(self) -> str: ...

    def profile(self, member_id: MemberId, *, at: datetime) -> Profile | None: ...


class CandidateSource(Protocol):
    """Proposes items for one request, each with its score in [0, 1] and the facts behind it."""

    @property
    def name(self) -> str: ...

    def candidates(
        self, context: Context, profile: Profile | None, purchases: Sequence[Purchase], limit: int
    ) -> Sequence[Candidate]: ...


class Ranker(Protocol):
    """Orders a request's candidates, compared with each other (Fallback: popularity order)."""

    @property
    def version(self) -> str: ...

    def rank(
        self,
        context: Context,
        profile: Profile | None,
        purchases: Sequence[Purchase],
        candidates: Sequence[Candidate],
        products: Mapping[ProductId, Product],
        *,
        reach: int = 0,
    ) -> Ranking: ...


class CouponAllocator(Protocol):
    """Weighs the offers for this subject now and takes one, or none (Fallback: no coupon)."""

    @property
    def version(self) -> str: ...

    def choose(
        self,
        subject: Subject,
        context: Context,
        profile: Profile | None,
        purchases: Sequence[Purchase],
        slate: Sequence[SlateItem],
        offers: Sequence[Offer],
        budgets: Mapping[CampaignId, BudgetState],
    ) -> Allotment | None: ...


@dataclass(frozen=True, slots=True)
class Showing:
    """For whom and which decision a creative is made: what its placement is counted under. `segment` is the segment's id, "" if unknown."""

    subject: Subject
    decision_id: DecisionId
    segment: str = ""


class CreativeMaker(Protocol):
    """Makes a poster for an item (Fallback: no creative). Without a `showing` nothing is placed, and nothing learned from it."""

    @property
    def version(self) -> str: ...

    def make(
        self, context: Context, item: SlateItem, coupon: Coupon | None, showing: Showing | None = None
    ) -> Creative: ...
