"""What coupons take off a basket: a pure function, exact to the minor unit, the same in whatever order they are scanned.

The rules follow those of Voucherify, commercetools and Medusa: `stack` goes together with others, `stop` lets nothing
after it count, `best` counts alone, where that takes more off than everything else together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from personalization.offers import Coupon, Stacking
from personalization.types import ProductId, Reason

FULL_BP = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a basket: `amount` (minor units, not below 0) is what the whole line costs before coupons."""

    product_id: ProductId
    amount: int
    category: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """What one coupon does: minor units off each line, in the basket's order; `reason` says why it takes nothing."""

    code: str
    off: tuple[int, ...]
    reason: Reason | None = None

    @property
    def total(self) -> int:
        """Minor units off the basket."""
        return sum(self.off)


@dataclass(frozen=True, slots=True)
class Applied:
    """What all coupons do, in the order in which they were given."""

    uses: tuple[Use, ...]
    off: tuple[int, ...]

    @property
    def total(self) -> int:
        """Minor units off the basket."""
        return sum(self.off)


def apply(lines: Sequence[Line], coupons: Sequence[Coupon], *, currency: str, at: datetime) -> Applied:
    """Return what each of `coupons` takes off each of `lines`.

    Larger coupons come first (by what each would take alone), then those that expire sooner, then by code. A percentage
    is of what earlier coupons left. A line never costs less than nothing.
    """
    amounts = tuple(line.amount for line in lines)
    nothing = (0,) * len(lines)
    unfit = {coupon.code: _unfit(lines, coupon, currency, at) for coupon in coupons}
    fitting = {coupon.code: coupon for coupon in coupons if unfit[coupon.code] is None}
    alone = {code: _off(lines, amounts, coupon) for code, coupon in fitting.items()}
    ordered = sorted(fitting.values(), key=lambda one: (-sum(alone[one.code]), one.expires_at, one.code))
    singles = [one for one in ordered if one.terms.stacking is Stacking.BEST]
    together = _together(lines, amounts, [one for one in ordered if one.terms.stacking is not Stacking.BEST])
    if singles and sum(alone[singles[0].code]) >= sum(map(sum, together.values())):
        chosen = {singles[0].code: alone[singles[0].code]}
        passed_over = _reason("not_the_best", f"{singles[0].code} alone takes more off.")
    else:
        chosen = together
        passed_over = _reason("not_the_best", "The other coupons together take more off.")
    uses = []
    for coupon in coupons:
        off = chosen.get(coupon.code, nothing)
        why = unfit[coupon.code]
        if why is None and not any(off):
            stopped = coupon.code not in chosen and coupon.terms.stacking is not Stacking.BEST and chosen is together
            why = _reason("stopped", "A coupon before it allows none after it.") if stopped else passed_over
            if coupon.code in chosen:
                why = _reason("nothing_left", "Other coupons already cover everything that it is for.")
        uses.append(Use(coupon.code, off, why))
    return Applied(tuple(uses), tuple(map(sum, zip(*(use.off for use in uses), strict=True))) or nothing)


def _together(lines: Sequence[Line], amounts: Sequence[int], coupons: Sequence[Coupon]) -> dict[str, tuple[int, ...]]:
    left, found = tuple(amounts), dict[str, tuple[int, ...]]()
    for coupon in coupons:
        off = _off(lines, left, coupon)
        found[coupon.code] = off
        left = tuple(amount - taken for amount, taken in zip(left, off, strict=True))
        if coupon.terms.stacking is Stacking.STOP and any(off):
            break
    return found


def _off(lines: Sequence[Line], left: Sequence[int], coupon: Coupon) -> tuple[int, ...]:
    """Return what `coupon` takes off each line, of which `left` minor units are still to pay."""
    open_ = [amount if covers(coupon, line) else 0 for line, amount in zip(lines, left, strict=True)]
    whole = sum(open_)
    most = coupon.discount.minor_units
    if coupon.terms.percent_bp:  # half a minor unit is rounded up
        most = min(most, (whole * coupon.terms.percent_bp + FULL_BP // 2) // FULL_BP)
    return _shares(min(most, whole), open_)


def _shares(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split `total` in proportion to `weights` (their sum is not below it), exactly: the largest remainders get the rest."""
    whole = sum(weights)
    if total == 0:
        return (0,) * len(weights)
    parts = [divmod(total * weight, whole) for weight in weights]
    rest = total - sum(quotient for quotient, _ in parts)
    favoured = set(sorted(range(len(parts)), key=lambda n: (-parts[n][1], n))[:rest])
    return tuple(quotient + (n in favoured) for n, (quotient, _) in enumerate(parts))


def covers(coupon: Coupon, line: Line) -> bool:
    """Whether the coupon is for this line: its product is named, or none is; its category is named, or none is."""
    product = not coupon.product_ids or line.product_id in coupon.product_ids
    return product and (not coupon.terms.categories or line.category in coupon.terms.categories)


def _unfit(lines: Sequence[Line], coupon: Coupon, currency: str, at: datetime) -> Reason | None:
    basket, least = sum(line.amount for line in lines), coupon.terms.minimum_basket
    if coupon.discount.currency != currency:
        return _reason("currency", f"It is in {coupon.discount.currency}, the basket in {currency}.")
    if coupon.expires_at <= at:
        return _reason("expired", f"It was valid until {coupon.expires_at:%Y-%m-%d %H:%M} UTC.")
    if basket < least:
        return Reason(
            "minimum_basket", "The basket is below the coupon's minimum.", {"minimum": least, "missing": least - basket}
        )
    if not any(covers(coupon, line) and line.amount for line in lines):
        return _reason("not_in_basket", "Nothing in the basket is what it is for.")
    return None


def _reason(code: str, sentence: str) -> Reason:
    return Reason(code, sentence)
