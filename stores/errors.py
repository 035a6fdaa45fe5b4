"""The errors of this package; each message says what to do next."""

from __future__ import annotations


class StoreError(Exception):
    """Base of every error that `stores` raises on purpose."""


class NotFoundError(StoreError):
    """The named thing does not exist."""


class ConflictError(StoreError):
    """The thing exists already, or is not in a state that allows the request."""


class PastTermError(StoreError):
    """The thing is past its term of retention: deleted, or about to be."""


class ChangedError(ConflictError):
    """Somebody has changed it since it was read; `by` names them where it is known."""

    def __init__(self, sentence: str, *, by: str | None = None) -> None:
        super().__init__(sentence)
        self.by = by


class SelfApprovalError(StoreError):
    """Who wrote something wants to be its second person."""


class CouponError(StoreError):
    """A coupon is refused; `code` is the reason, stable for machines and counted."""

    code = "coupon"


class CouponNotFoundError(CouponError, NotFoundError):
    """No coupon has this code."""

    code = "not-found"


class CouponExpiredError(CouponError, ConflictError):
    """The coupon's time is over; its money went back into the budget."""

    code = "coupon-expired"


class CouponAlreadyRedeemedError(CouponError, ConflictError):
    """The coupon was redeemed before, for another order."""

    code = "conflict"


class CouponBoundError(CouponError, ConflictError):
    """The coupon belongs to another member or session."""

    code = "coupon-of-another"


class AmountError(CouponError, ConflictError):
    """More was asked of a coupon than it is worth, or nothing."""

    code = "coupon-amount"


class RequestMismatchError(CouponError, ConflictError):
    """The same request came before with another content."""

    code = "request-mismatch"


class RolledBackError(CouponError, ConflictError):
    """The redemption that is asked for again was rolled back meanwhile."""

    code = "redemption-rolled-back"


class NoRedemptionError(CouponError, NotFoundError):
    """The coupon was not redeemed for this order."""

    code = "not-redeemed"


class SuspiciousError(CouponError, ConflictError):
    """It looks like fraud; `code` names the signal of `personalization.coupons.fraud`."""

    def __init__(self, signal: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = signal.replace("_", "-")


class LedgerBusyError(CouponError):
    """Others held the budget for too long; nothing was changed, and the same request may be sent again."""

    code = "busy"


class GivenUpError(StoreError):
    """Nobody heard of a request for so long that another try at it was begun; this one changed nothing."""


class ImportFileError(StoreError):
    """A file could not be read at all: missing, not CSV or Parquet, or without a required column."""


class KeyMaterialError(StoreError):
    """The master key is missing, malformed, or not the one that sealed the data."""
