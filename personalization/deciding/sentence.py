"""The sentence about a whole slate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from personalization.decisions import Fallback
from personalization.trust.gate import Access
from personalization.types import SlateItem


def explain(slate: Sequence[SlateItem], access: Access, fallbacks: Sequence[Fallback]) -> str:
    """Return one sentence about the whole slate, from the reasons of its items and nothing else."""
    if not slate:
        return "There is nothing to show right now."
    kinds = Counter(str(item.reason.facts.get("source", "popular")) for item in slate)
    words = (
        ("repeat", "{} you have bought before", ""), ("kind", "{} of a kind that you buy", ""),
        ("taste", "{} that shoppers like you buy", ""), ("search", "{} that match your question", "{} that matches your question"),
        ("similar", "{} close to your question", ""),
        ("popular", "{} popular with many households", ""), ("here", "{} popular in this store", ""),
        ("asked", "{} that you are looking at", ""), ("together", "{} that go with other products", "{} that goes with other products"), ("promoted", "{} promoted right now", ""),
    )  # fmt: skip
    parts = [
        (one if one and kinds[kind] == 1 else many).format(kinds[kind]) for kind, many, one in words if kinds[kind]
    ]
    listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    sentence = f"{len(slate)} items for you: {listed}" if len(slate) > 1 else f"One item for you: {listed}"
    failed = {fallback.component for fallback in fallbacks}
    if "consents" in failed:
        return f"{sentence}; what you agreed to could not be looked up, so nothing personal was used."
    if any("purchase history" in withheld for withheld in access.withheld):
        return f"{sentence}; your purchase history was not used, because you did not agree to it."
    if "ranker" in failed:
        return f"{sentence}; the usual ranking was not available."
    return f"{sentence}."
