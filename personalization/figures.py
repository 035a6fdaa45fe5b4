"""Every figure of the staff console, defined once: what it is called, what it counts, and what it is computed from.

A day is a day of UTC. `rows` are the names under which the rollup keeps what a figure is computed from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal[
    "shopper-days",
    "members",
    "visitors",
    "shoppers",
    "decisions",
    "events",
    "orders",
    "coupons",
    "money",
    "share",
    "hand-offs",
    "times",
    "score",
    "stars",
]
How = Literal["sum", "a_day", "ratio", "latest"]
Split = Literal["channel", "part", ""]
SHARED_BY_LEAST = 10
"""How many members a figure about feelings is of at least: of fewer it is not kept."""


EVERY_CHANNEL = "all"
"""The channel of rows that count people over all channels: who was on two of them is one person."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `how`: the rows' sum over days, their mean a day, one sum by another (times `scale`), or what stood last."""

    name: str
    title: str
    unit: Unit
    how: How
    rows: tuple[str, ...]
    sentence: str
    formula: str
    sources: tuple[str, ...]
    split: Split = "channel"
    better: Literal["up", "down", ""] = "up"
    scale: float = 1.0


_EVENTS, _LINES, _LEDGER, _DECISIONS, _LABELS = (
    ("events",),
    ("order_lines",),
    ("ledger_entries", "coupons"),
    ("decisions",),
    ("labels",),
)
_SEEN = "viewed, clicked, added to a basket, bought, wrote, looked at a page, or stood at a kiosk"

_ALL = (
    Figure("sessions", "Sessions", "shopper-days", "sum", ("sessions",),
           f"Visits: one shopper on one channel on one day who {_SEEN}.", "distinct (shopper, channel, day)", _EVENTS),
    Figure("members", "Members a day", "members", "a_day", ("members",),
           "Known shoppers who were there, on a mean day.", "distinct members of each day, mean over days", _EVENTS),
    Figure("visitors", "Visitors a day", "visitors", "a_day", ("visitors",),
           "Unknown shoppers who were there, on a mean day. Who became a member that day counts as one.", "distinct visitors without a member of each day, mean over days", _EVENTS),
    Figure("decisions", "Decisions", "decisions", "sum", ("decisions",),
           "Answers of the core: which items, which offer, which creative.", "count of decisions", _DECISIONS, better=""),
    Figure("viewed", "Items shown", "events", "sum", ("viewed",), "Items that were shown to a shopper.", "count of `viewed`", _EVENTS, better=""),
    Figure("clicked", "Clicks", "events", "sum", ("clicked",), "Items that a shopper opened.", "count of `clicked`", _EVENTS),
    Figure("click_rate", "Click rate", "share", "ratio", ("clicked", "viewed"), "Of the items that were shown, how many were opened.", "clicked / viewed", _EVENTS),
    Figure("bought", "Purchases", "events", "sum", ("bought",), "Purchases that were reported, of members and of visitors.", "count of `bought`", _EVENTS),
    Figure("conversion_rate", "Conversion rate", "share", "ratio", ("buyers", "sessions"),
           "Of the sessions, how many ended in a purchase on the same channel and day.", "sessions with `bought` / sessions", _EVENTS),
    Figure("orders", "Members' orders", "orders", "sum", ("orders",), "Orders of members, those that were imported too.", "count of orders", _LINES),
    Figure("revenue", "Revenue", "money", "sum", ("revenue",), "What members paid, after discounts and coupons.", "sum of the orders' lines", _LINES),
    Figure("coupons_issued", "Coupons issued", "coupons", "sum", ("coupons_issued",), "Coupons that were given out.", "count of coupons", _LEDGER, better=""),
    Figure("coupons_redeemed", "Coupons redeemed", "coupons", "sum", ("coupons_redeemed",),
           "Coupons that were turned in at a till, less those that were taken back.", "redeemed − rolled back", _LEDGER),
    Figure("coupon_spend", "Coupon spend", "money", "sum", ("coupon_spend",),
           "What redeemed coupons took off, less what was taken back.", "sum of the ledger: redeem − rollback", _LEDGER, better=""),
    Figure("acquired", "Customers acquired", "members", "sum", ("acquired",), "Members whose first order fell on the day.", "members with no earlier order", _LINES),
    Figure("cost_per_acquired", "Cost per customer acquired", "money", "ratio", ("coupon_spend", "acquired"),
           "All coupon spend for each customer acquired. Coupons are the only cost that Aisle knows.", "coupon spend / customers acquired",
           (*_LEDGER, *_LINES), better="down"),
    Figure("handoffs", "Hand-offs", "hand-offs", "sum", ("handoffs",), "Conversations that a person was asked for.", "count of hand-offs", ("handoffs",), better="down"),
    Figure("fallbacks", "Fallbacks", "times", "sum", ("fallbacks",),
           "Times that a component's fallback answered in its place, by component.", "count over decisions", _DECISIONS, split="part", better="down"),
    Figure("affect", "Affect", "score", "ratio", ("affect_valence", "affect_messages"),
           f"How messages sounded and faces looked, from −1 (unpleasant) to 1 (pleasant): of members who agreed to it, and only where {SHARED_BY_LEAST} of them or more were heard that day.",
           f"mean valence; a day and channel with fewer than {SHARED_BY_LEAST} members is withheld", _EVENTS, scale=0.001),
    Figure("rating", "Ratings", "stars", "ratio", ("ratings_sum", "ratings"), "What shoppers gave for the help, from 1 to 5.", "mean of `rated`", _EVENTS),
    Figure("lifetime_value", "Expected spend", "money", "latest", ("value_sum", "value_members"),
           "What a member will spend in the next 12 weeks, as the value model expects it; of members who agreed to profiling.",
           "mean of the label expected_spend", _LABELS, split=""),
    Figure("churn", "At risk of lapsing", "members", "latest", ("churn",),
           "Members whom the churn model expects to stay away, by how likely that is.", "count of the label lapse_risk", _LABELS, split="part", better="down"),
    Figure("segment_size", "Members in a segment", "members", "latest", ("segment_size",),
           "Members of a segment, a trained one's or an own one's.", "count of members", ("member_features", "segments"), split="part", better=""),
    Figure("consents", "Members who agree", "members", "latest", ("consents",), "Members whose consent stands, by its purpose.", "count of the ledger's last word", ("consents",), split="part"),
    Figure("drift", "Drift", "score", "latest", ("drift",),
           "How far members are from those that segments were trained on (population stability index): above 0.25 train again.",
           "PSI, by feature", ("member_features",), split="part", better="down", scale=0.001),
)  # fmt: skip
FIGURES: Mapping[str, Figure] = {one.name: one for one in _ALL}


@dataclass(frozen=True, slots=True)
class Meaning:
    """A number that is shown as it stands, of which no days are kept."""

    name: str
    title: str
    unit: Unit
    sentence: str
    formula: str
    sources: tuple[str, ...]
    better: Literal["up", "down", ""] = ""


_NOW = (
    Meaning("decisions_per_minute", "Decisions a minute", "decisions", "Answers of the core in the last minute.", "count of decisions of the last 60 s", _DECISIONS),
    Meaning("shoppers_now", "Shoppers there now", "shoppers", "Shoppers, known and unknown, of whom something was heard in the last five minutes.",
            "distinct shoppers with an event of the last 5 min", _EVENTS, "up"),
    Meaning("waiting_now", "Waiting for a person", "hand-offs", "Conversations that a person was asked for and that nobody has taken over yet.",
            "count of hand-offs in the queue", ("handoffs",), "down"),
    Meaning("lapse_risk", "Risk to stay away", "share",
            "How likely a member who ordered lately is not to order in the next four weeks, as the churn model expects: high from 40 %, medium from 20 %.",
            "calibrated probability of the churn model", _LABELS, "down"),
    Meaning("budget", "Budget: spent and promised", "money", "Spent is what redeemed coupons took off; promised is what open coupons may still take. Both together never exceed the budget.",
            "spent = redeem − rollback; promised = sum of open coupons", _LEDGER),
    Meaning("pace", "Pace", "share",
            "Whether a campaign's money goes as fast as its time: faster or slower than planned where the two are a quarter of the budget or more apart.",
            "spent / budget − time over / time in all", _LEDGER),
    Meaning("price_of_money", "λ, the price of money", "score",
            "What one unit of a campaign's money has to bring: a coupon is given where its expected gain is above λ times its cost. The dearer money is, the fewer coupons are given.",
            "gain > λ · cost", ("pacing",)),
    Meaning("expected_cost", "Expected cost", "money", "What a campaign's coupons will take off, from a replay of the visits of the last weeks, with its 95 % interval.",
            "sum over replayed visits of P(redeemed) · discount", ("simulations",), "down"),
    Meaning("expected_purchases", "Expected purchases", "orders", "Purchases of the campaign's audience while it runs, with it and without it, from the same replay.",
            "sum over replayed visits of P(purchase)", ("simulations",), "up"),
    Meaning("lift", "Lift", "share",
            "What a campaign or an arm added: those who could get it against those whom chance left out, with the interval of the difference. In a simulation it is what the models expect.",
            "with − without; in a simulation with / without − 1", ("exposures", "order_lines"), "up"),
)  # fmt: skip
MEANINGS: Mapping[str, Meaning] = {one.name: one for one in _NOW}
VALUE_EDGES = (0, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000)
"""Lower edges, in minor units, of the bins that the distribution of expected spend is shown in; the last has no end."""


def combine(figure: Figure, totals: Mapping[str, float], days: int) -> float | None:
    """Return a figure's value from its rows' totals over a period; None where there is nothing to divide by."""
    first = totals.get(figure.rows[0])
    if len(figure.rows) == 2:
        by = totals.get(figure.rows[1])
        return (first or 0.0) / by * figure.scale if by else None  # a 0 is kept as no row
    if first is None:
        return None if figure.how == "latest" else 0.0
    return first / max(days, 1) if figure.how == "a_day" else first * figure.scale
