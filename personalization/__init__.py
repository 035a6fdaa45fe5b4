"""The brain: profiling, ranking, coupons, creative and trust, combined into one decision by `core`.

Nothing here knows HTTP, SQL or cameras. What must be stored is said by the protocols in `ports`.
"""
