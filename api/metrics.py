"""What Prometheus reads at /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from personalization.decisions import Fallback


class Metrics:
    """The api's counters and histograms, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.decisions = Counter("aisle_decisions", "Decisions made.", ["channel"], registry=self.registry)
        self.fallbacks = Counter(
            "aisle_fallbacks",
            "Times that a component's fallback answered.",
            ["component", "used"],
            registry=self.registry,
        )
        self.chat_seconds = Histogram(
            "aisle_chat_reply_seconds", "Time to answer a chat message.", ["engine"],
            buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2), registry=self.registry,
        )  # fmt: skip
        self.language_model = Counter(
            "aisle_language_model_answers", "Answers that the language model was asked to word.", ["used"],
            registry=self.registry,
        )  # fmt: skip
        self.handoffs = Counter(
            "aisle_handoffs", "Conversations that a person was asked for.", ["reason"], registry=self.registry
        )
        self.handoff_offers = Counter(
            "aisle_handoff_offers", "Times that the bot offered a person.", ["reason"], registry=self.registry
        )
        self.csat = Histogram(
            "aisle_csat_score", "Ratings of people's help, 1 to 5.", buckets=(1, 2, 3, 4, 5), registry=self.registry
        )
        self.frame_seconds = Histogram(
            "aisle_frame_seconds",
            "Time from a kiosk's frame to its display.",
            buckets=(0.05, 0.1, 0.2, 0.5, 1.0, 2.0),
            registry=self.registry,
        )
        self.coupon_refusals = Counter(
            "aisle_coupon_refusals",
            "Coupons that were not issued, redeemed or rolled back.",
            ["reason"],
            registry=self.registry,
        )
        self.projected = Counter("aisle_events_projected", "Events that the worker applied.", registry=self.registry)
        self.folded = Counter("aisle_events_folded", "Events that went into profiles.", registry=self.registry)
        self.narrow = Gauge(
            "aisle_narrow_members", "Members whose last week was shown too little variety.", registry=self.registry
        )
        self.backlog = Gauge("aisle_profile_backlog", "Events that profiles do not have yet.", registry=self.registry)
        self.drift = Gauge(
            "aisle_drift_psi", "Population stability index since training.", ["part"], registry=self.registry
        )

    def count_refusal(self, reason: str) -> None:
        """Count a coupon that was refused, by the reason that was given."""
        self.coupon_refusals.labels(reason).inc()

    def count_fallback(self, fallback: Fallback) -> None:
        """Count a fallback that the core used."""
        self.fallbacks.labels(fallback.component, fallback.used).inc()
