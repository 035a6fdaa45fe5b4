"""Budgets as accounts: every movement is an entry, and the entries of an account add up to its figures.

A coupon counts against its campaign's budget and against those caps of its store, channel and segment that exist. All of them
move together, locked in one order, so that two transactions never wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from personalization.coupons.caps import WHOLE, Cap
from personalization.offers import BudgetState
from personalization.types import CampaignId, Money
from stores.coupon_tables import budgets, campaigns, ledger_entries
from stores.database import new_id

Kind = Literal["reserve", "redeem", "release", "rollback"]
EFFECTS: dict[Kind, tuple[int, int]] = {"reserve": (1, 0), "redeem": (-1, 1), "release": (-1, 0), "rollback": (0, -1)}
"""What one minor unit of an entry does to an account's (reserved, spent)."""


_MOVE = (
    update(budgets)
    .where(
        budgets.c.campaign_id == bindparam("of"), budgets.c.scope == bindparam("in_"), budgets.c.scope_id == bindparam("one")
    )
    .values(
        reserved=budgets.c.reserved + bindparam("more_reserved"), spent=budgets.c.spent + bindparam("more_spent")
    )
)  # fmt: skip
_ENTER = insert(ledger_entries)
_STATES = select(budgets).where(budgets.c.campaign_id == bindparam("of")).order_by(budgets.c.scope, budgets.c.scope_id)
_STATE = _STATES.where(budgets.c.scope == "", budgets.c.scope_id == "")


def lock(connection: Connection, campaign_id: str, caps: Sequence[Cap]) -> Sequence[Row[Any]]:
    """Return those of the campaign's accounts that there are, with the campaign's limits, locked in order.

    What is read is what stands once the lock is held.
    """
    wanted = or_(*((budgets.c.scope == scope) & (budgets.c.scope_id == scope_id) for scope, scope_id in (WHOLE, *caps)))
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


@dataclass(frozen=True, slots=True)
class Movement:
    """What one coupon moves in its campaign's account and in its caps: (kind, minor units)."""

    coupon_id: str
    caps: Sequence[Cap]
    moves: Sequence[tuple[Kind, int]]
    redemption_id: str | None = None


def post(connection: Connection, campaign_id: str, movements: Sequence[Movement], at: datetime) -> None:
    """Enter the movements, and change each account by their sum, in the order in which `lock` locks."""
    sums: dict[Cap, list[int]] = {}
    entries = []
    for one in movements:
        for account in {WHOLE, *one.caps}:
            total = sums.setdefault(account, [0, 0])
            for kind, amount in one.moves:
                if amount == 0:
                    continue
                total[0] += EFFECTS[kind][0] * amount
                total[1] += EFFECTS[kind][1] * amount
                entries.append(
                    {
                        "entry_id": new_id(), "campaign_id": campaign_id, "scope": account[0], "scope_id": account[1],
                        "coupon_id": one.coupon_id, "redemption_id": one.redemption_id, "kind": kind, "amount_minor": amount, "at": at,
                    }
                )  # fmt: skip
    for (scope, scope_id), (reserved, spent) in sorted(sums.items()):
        moved = {"of": campaign_id, "in_": scope, "one": scope_id, "more_reserved": reserved, "more_spent": spent}
        connection.execute(_MOVE, moved)
    connection.execute(_ENTER, entries)


def wholes(connection: Connection, campaign_ids: Collection[CampaignId]) -> dict[CampaignId, BudgetState]:
    """Return each of these campaigns' own budget, of those that have one."""
    own = (budgets.c.scope == "", budgets.c.scope_id == "")
    rows = connection.execute(select(budgets).where(budgets.c.campaign_id.in_(campaign_ids), *own))
    return {CampaignId(row.campaign_id): _told(row) for row in rows}


def states(connection: Connection, campaign_id: CampaignId, *, whole: bool = False) -> list[BudgetState]:
    """Return the figures of the campaign's accounts, its own first; of the `whole` budget alone where that is all that is asked."""
    return [_told(row) for row in connection.execute(_STATE if whole else _STATES, {"of": campaign_id})]


def _told(row: Row[Any]) -> BudgetState:
    return BudgetState(
        CampaignId(row.campaign_id), Money(row.total, row.currency), Money(row.reserved, row.currency), Money(row.spent, row.currency),
        row.scope, row.scope_id,
    )  # fmt: skip
