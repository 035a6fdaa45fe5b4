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


class ImportFileError(StoreError):
    """A file could not be read at all: missing, not CSV or Parquet, or without a required column."""


class KeyMaterialError(StoreError):
    """The master key is missing, malformed, or not the one that sealed the data."""
