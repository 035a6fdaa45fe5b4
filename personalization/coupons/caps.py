"""Caps within a campaign's budget: what a store, a channel or a group of shoppers may take of it. Each has its own price of money.

A cap on a segment is a limit by group: the ledger never passes it, and the allocator prices it like any other money.
"""

from __future__ import annotations

from personalization.types import Context

Cap = tuple[str, str]
"""A scope and an id in it; ("", "") is the campaign's own budget."""
WHOLE: Cap = ("", "")


def caps_for(context: Context, segment: str) -> tuple[Cap, ...]:
    """Return what a coupon given in `context` to a shopper of `segment` counts against, where its campaign has such caps."""
    found = (("store", context.store_id), ("channel", context.channel), ("segment", segment))
    return tuple((scope, str(value)) for scope, value in found if value)
