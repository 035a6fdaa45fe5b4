"""The control loop on a budget's price: re-solved from the spend curve, the money left and the arrivals to come.

Re-solving is the outer loop (Balseiro et al. 2024 show that it keeps regret logarithmic); the inner one is an integral term on
the logarithm of paid over expected money, bounded and frozen where it cannot act (anti-windup), which absorbs conversions that
are forecast wrongly. A hard stop is not here but in the ledger. Money in minor units, time in POSIX seconds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.dual import TOO_DEAR
from personalization.coupons.hull import SpendCurve
from personalization.coupons.pattern import Pattern
from personalization.coupons.traffic import Traffic

Array = NDArray[np.floating]
AGES = 64  # buckets over a coupon's validity
FORESEEN_S = 600.0  # how long a look ahead serves
MOST_FACTOR = 3.0
_NUMBERS = ("spent", "issued", "ratio", "due", "paid", "noise", "wanted", "foretold")
_RINGS = ("open", "opened", "delays")


@dataclass(frozen=True, slots=True)
class Gains:
    """How fast the loop learns.

    memory : arrivals after which the spend curve forgets, as a share of those forecast at the start, but at least `least`.
    level_rows : arrivals of history that today's level of demand is weighed against. doubt : deviation of paid over expected money before any is paid; bound : that ratio stays within 1 / bound and bound.
    money_memory : share of the budget after which evidence on that ratio fades.
    """

    memory: float = 0.5
    least: float = 2_000.0
    level_rows: float = 200.0
    doubt: float = 0.2
    bound: float = 3.0
    money_memory: float = 0.5


class Pacer:
    """The price of one budget's money. Several budgets have a pacer each, which sees values net of the others' prices.

    budget : minor units; traffic : the forecast to the budget's end; validity_s : how long a coupon can be redeemed, 0 where money
    is paid when a rung is chosen; pattern : the spend curves of a sample of history by hours, for a warm start.
    """

    def __init__(
        self,
        budget: float,
        traffic: Traffic,
        *,
        validity_s: float = 0.0,
        pattern: Pattern | None = None,
        gains: Gains | None = None,
    ) -> None:
        self.budget, self.traffic, self.validity_s = float(budget), traffic, float(validity_s)
        self.gains, self.pattern = gains or Gains(), pattern
        self.memory = max(self.gains.memory * traffic.remaining(traffic.at), self.gains.least)
        self.curve, self.replay = (
            SpendCurve(),
            SpendCurve(),
        )  # what the stream has seen, and what history had at those times
        self.wanted = self.foretold = 0.0  # money that arrivals would take for nothing, as seen and as history has it
        if pattern is not None:
            for curve in (self.curve, self.replay):
                curve.mix(pattern.whole, min(pattern.whole.rows, self.memory))
            self.wanted = self.foretold = self.gains.level_rows * pattern.whole.most
        self._ahead: tuple[float, SpendCurve] | None = None
        self.spent = self.issued = 0.0  # money paid, and expected when coupons were chosen
        self.open: Array = np.zeros(AGES)  # the latter by time chosen, a ring
        self.opened: Array = np.full(AGES, -AGES)  # the bucket, counted from 1970, that each place of the ring holds
        self.delays: Array = np.full(AGES, 2.0 / AGES)  # redemptions by age, with a weak even belief
        self.ratio = 1.0  # money paid per money expected
        self.due = self.paid = self.noise = 0.0  # what says so, older evidence faded
        self.learnt = (0.0, 0.0)  # (matured, spent) until which it was learnt

    def price(self, at: float) -> float:
        """Return the price at `at`, in value per minor unit: what the arrivals to come would pay for the money that is left."""
        free = self.budget - self.spent - self.ratio * self.pending(at)
        if free <= 0:
            return TOO_DEAR
        each = free / (self.ratio * max(self.traffic.remaining(at), 1.0))
        if self.pattern is None:
            return self.curve.price(each)
        return self._foreseen(self.pattern, at, each)

    def _foreseen(self, pattern: Pattern, at: float, each: float) -> float:
        """Return the price at which arrivals to come cost `each`: what those seen would pay, times what history says of the hours.

        How much is wanted for nothing is learnt from few arrivals (`level`), how it falls with the price from many (`curve`).
        """
        if self._ahead is None or not 0 <= at - self._ahead[0] < FORESEEN_S:
            self._ahead = (at, pattern.ahead(self.traffic.shape, at, self.traffic.end))
        level = self.wanted / max(self.foretold, 1e-12)
        if level <= 0:
            return 0.0
        ahead = self._ahead[1].price(each / level)
        seen = self.replay.price(each / level)
        if (
            ahead <= 0 or seen <= 0
        ):  # even for nothing the arrivals to come would not take as much, or those before would not have
            return ahead
        alike = self.curve.price(each * self.curve.most / (level * self.replay.most))
        return alike * float(np.clip(ahead / seen, 1 / MOST_FACTOR, MOST_FACTOR))

    def pending(self, at: float) -> float:
        """Return the expected money of coupons that can still be redeemed at `at`."""
        if self.validity_s <= 0:
            return 0.0
        age = self._bucket(at) - self.opened
        come = np.append((np.cumsum(self.delays) - self.delays / 2) / self.delays.sum(), 1.0)
        return float(self.open @ (1.0 - come[np.clip(age, 0, AGES).astype(np.int64)]))

    def observe(self, value: Array, cost: Array, rung: NDArray[np.int64], at: float) -> None:
        """Learn from arrivals up to `at`: their curves (n, k) as this budget sees them, and the rungs (n,) that were chosen."""
        n = len(rung)
        self.traffic.observe(n, at)
        keep = float(np.exp(-n / self.memory))
        self.curve.fade(keep)
        wanted = self.curve.add(value, cost)
        if self.pattern is not None:
            now = self.pattern.now(at)
            self.replay.fade(keep)
            self.replay.mix(now, n)
            self.wanted, self.foretold = keep * self.wanted + wanted, keep * self.foretold + n * now.most
        expected = float(cost[np.arange(n), rung].sum())
        self.issued += expected
        if self.validity_s > 0 and expected > 0:
            bucket = max(self._bucket(at), int(self.opened.max()))  # a clock that steps back stands still
            place = bucket % AGES
            if self.opened[place] != bucket:
                self.opened[place], self.open[place] = bucket, 0.0
            self.open[place] += expected

    def settle(self, paid: float, at: float, ages_s: Array | None = None) -> None:
        """Count money that outcome events say was paid by `at`; `ages_s` (m,) tells how old the redeemed coupons were."""
        if ages_s is not None and self.validity_s > 0:
            age = np.clip(ages_s / self.validity_s * AGES, 0, AGES - 1).astype(np.int64)
            self.delays += np.bincount(age, minlength=AGES)
        self.reconcile(self.spent + paid, at)

    def reconcile(self, spent: float, at: float) -> None:
        """Take the ledger's word for the money paid by `at`: it knows what missing and repeated events hide."""
        self.spent = spent
        matured = self.issued - self.pending(at)
        due, paid = matured - self.learnt[0], spent - self.learnt[1]
        if due <= 0:  # nothing could be paid: no evidence, and nothing to wind up
            return
        self.learnt = (matured, spent)
        keep = float(np.exp(-due * self.ratio / (self.gains.money_memory * self.budget)))
        error = max((paid - self.ratio * due) ** 2, (0.05 * due) ** 2)
        self.due, self.noise = keep * self.due + due, keep * self.noise + error
        bound = self.gains.bound
        self.paid = float(np.clip(keep * self.paid + paid, self.due / bound, self.due * bound))  # anti-windup
        weight, prior = self.due**2 / self.noise, 1.0 / self.gains.doubt**2
        self.ratio = (prior + weight * self.paid / self.due) / (prior + weight)

    def _bucket(self, at: float) -> int:
        return int(at / self.validity_s * AGES)

    def state(self) -> dict[str, object]:
        """Return everything the loop knows as JSON types."""
        return {
            "budget": self.budget, "validity_s": self.validity_s, "memory": self.memory, "gains": asdict(self.gains),
            "traffic": self.traffic.state(), "curve": self.curve.state(), "replay": self.replay.state(),
            "pattern": None if self.pattern is None else self.pattern.state(), "learnt": list(self.learnt),
            **{name: getattr(self, name) for name in _NUMBERS}, **{name: getattr(self, name).tolist() for name in _RINGS},
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the loop that `state` tells of."""
        made = cls(
            state["budget"], Traffic.from_state(state["traffic"]), validity_s=state["validity_s"], gains=Gains(**state["gains"])
        )  # fmt: skip
        made.curve, made.replay = SpendCurve.from_state(state["curve"]), SpendCurve.from_state(state["replay"])
        made.pattern = None if state["pattern"] is None else Pattern.from_state(state["pattern"])
        made.memory = state["memory"]
        made.learnt = (state["learnt"][0], state["learnt"][1])
        for name in _NUMBERS:
            setattr(made, name, state[name])
        for name in _RINGS:
            setattr(made, name, np.asarray(state[name], dtype=float))
        return made
