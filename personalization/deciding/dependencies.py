"""What the core works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from personalization.decisions import Fallback
from personalization.ports import (
    BudgetLedger,
    Campaigns,
    CandidateSource,
    Catalogue,
    Consents,
    CouponAllocator,
    CreativeMaker,
    DecisionLog,
    Experiments,
    Exposures,
    Pressure,
    Profiler,
    Purchases,
    Ranker,
    Tunings,
)
from personalization.types import Product


@dataclass(frozen=True, slots=True)
class CoreDependencies:
    """What the core works with. A component that is None is missing: its fallback answers.

    `popular` are a few products that can be shown when nothing else can, best first. `broken` tells why models could not be
    read, by what goes on without them: "ranking", "similar" (the source). `coupons_a_week` is how many coupons one subject is given
    in seven days on all channels; 0: no limit.
    """

    catalogue: Catalogue
    purchases: Purchases
    consents: Consents
    campaigns: Campaigns
    ledger: BudgetLedger
    decisions: DecisionLog
    sources: Sequence[CandidateSource] = ()
    profiler: Profiler | None = None
    ranker: Ranker | None = None
    allocator: CouponAllocator | None = None
    creative: CreativeMaker | None = None
    experiments: Experiments | None = None
    tunings: Tunings | None = None
    exposures: Exposures | None = None
    pressure: Pressure | None = None
    coupons_a_week: int = 0
    popular: Callable[[], Sequence[Product]] = tuple
    on_fallback: Callable[[Fallback], None] = lambda _fallback: None
    broken: Mapping[str, str] = field(default_factory=dict)
