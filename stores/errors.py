"""The errors of this package; each message says what to do next."""

from __future__ import annotations


class StoreError(Exception):
    """Base of every error that `stores` raises on purpose."""


class NotFoundError(StoreError):
    """The named thing does not exist."""


class ConflictError(StoreError):
    """The thing exists already, or is not in a state that allows the request."""


class CouponNotFoundError(NotFoundError):
    """No coupon has this code."""


class CouponExpiredError(ConflictError):
    """The coupon's time is over; its money went back into the budget."""


class CouponAlreadyRedeemedError(ConflictError):
    """The coupon was redeemed before, for another order."""


class CouponBoundError(ConflictError):
    """The coupon belongs to another member or session."""


class AmountError(ConflictError):
    """More was asked of a coupon than it is worth, or nothing."""


class RequestMismatchError(ConflictError):
    """The same request came before with another content."""


class RolledBackError(ConflictError):
    """The redemption that is asked for again was rolled back meanwhile."""


class SuspiciousError(ConflictError):
    """It looks like fraud; `signal` names the rule of `personalization.coupons.fraud`."""

    def __init__(self, signal: str, sentence: str) -> None:
        super().__init__(sentence)
        self.signal = signal


class NoRedemptionError(NotFoundError):
    """The coupon was not redeemed for this order."""


class LedgerBusyError(StoreError):
    """Others held the budget for too long; nothing was changed, and the same request may be sent again."""


class ImportFileError(StoreError):
    """A file could not be read at all: missing, not CSV or Parquet, or without a required column."""


class KeyMaterialError(StoreError):
    """The master key is missing, malformed, or not the one that sealed the data."""
