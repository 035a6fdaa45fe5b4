"""Budgets as accounts: every movement is an entry, and the entries of an account add up to its figures.

A coupon counts against its campaign's budget and against those caps of its store and channel that exist. All of them
move together, locked in one order, so that two transactions never wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, or_, select, tuple_, update

from personalization.types import BudgetState, CampaignId, Money
from stores.database import new_id
from stores.tables import budgets, campaigns, ledger_entries

Kind = Literal["reserve", "redeem", "release", "rollback"]
Cap = tuple[str, str]
CAMPAIGN: Cap = ("", "")
EFFECTS: dict[Kind, tuple[int, int]] = {"reserve": (1, 0), "redeem": (-1, 1), "release": (-1, 0), "rollback": (0, -1)}
"""What one minor unit of an entry does to an account's (reserved, spent)."""


def lock(connection: Connection, campaign_id: str, caps: Sequence[Cap]) -> Sequence[Row[Any]]:
    """Return those of the campaign's accounts that there are, with the campaign's limits, locked in order.

    What is read is what stands once the lock is held.
    """
    wanted = or_(
        *((budgets.c.scope == scope) & (budgets.c.scope_id == scope_id) for scope, scope_id in (CAMPAIGN, *caps))
    )
    query = (
        select(budgets, campaigns.c.per_member, campaigns.c.per_household)
        .join(campaigns, campaigns.c.campaign_id == budgets.c.campaign_id)
        .where(budgets.c.campaign_id == campaign_id, wanted)
        .order_by(budgets.c.scope, budgets.c.scope_id)
    )
    return connection.execute(query.with_for_update(of=budgets)).all()


def room(accounts: Sequence[Row[Any]]) -> int:
    """Return what all of the accounts can still promise."""
    return min(int(account.total - account.reserved - account.spent) for account in accounts)


def move(
    connection: Connection,
    campaign_id: str,
    caps: Sequence[Cap],
    coupon_id: str,
    moves: Sequence[tuple[Kind, int]],
    at: datetime,
    redemption_id: str | None = None,
) -> None:
    """Enter `moves` (kind, minor units) in the campaign's account and its caps, in the order in which `lock` locks."""
    moves = [(kind, amount) for kind, amount in moves if amount]
    reserved = sum(EFFECTS[kind][0] * amount for kind, amount in moves)
    spent = sum(EFFECTS[kind][1] * amount for kind, amount in moves)
    accounts = sorted({CAMPAIGN, *caps})
    for scope, scope_id in accounts:
        connection.execute(
            update(budgets)
            .where(budgets.c.campaign_id == campaign_id, budgets.c.scope == scope, budgets.c.scope_id == scope_id)
            .values(reserved=budgets.c.reserved + reserved, spent=budgets.c.spent + spent)
        )
    entries = [
        {
            "entry_id": new_id(), "campaign_id": campaign_id, "scope": scope, "scope_id": scope_id, "coupon_id": coupon_id,
            "redemption_id": redemption_id, "kind": kind, "amount_minor": amount, "at": at,
        }
        for scope, scope_id in accounts
        for kind, amount in moves
    ]  # fmt: skip
    connection.execute(insert(ledger_entries), entries)


def states(connection: Connection, campaign_id: CampaignId, *caps: Cap) -> list[BudgetState]:
    """Return the figures of the campaign's accounts, its own first; only those of `caps` when some are given."""
    query = select(budgets).where(budgets.c.campaign_id == campaign_id).order_by(budgets.c.scope, budgets.c.scope_id)
    if caps:
        query = query.where(tuple_(budgets.c.scope, budgets.c.scope_id).in_(caps))
    return [
        BudgetState(
            campaign_id, Money(row.total, row.currency), Money(row.reserved, row.currency), Money(row.spent, row.currency),
            row.scope, row.scope_id,
        )
        for row in connection.execute(query)
    ]  # fmt: skip
