"""Coupon codes in what shoppers write, told from the numbers of other things."""

from __future__ import annotations

import pytest

from chatbot.actions.coupon import code_in


@pytest.mark.parametrize(
    "text",
    [
        "order 12345678 coupon broken", "my coupon doesn't work on order 12345678", "call me at 5551234567 about the coupon", "my phone is 555-123-4567", "coupon problem, ring 0171 5551234", "reach me on +49 171 5551234",
        "order number 12345678", "order no. 1234567890, the coupon was not taken off", "(555) 123-4567", "the voucher failed for parcel 88812345", "order #W1234567 and my coupon", "invoice 20240012 has no discount", "my card 4111111111111111 and the coupon",
        "text me: 07911123456", "account id 99887766 coupon", "my coupon is broken", "membership number 12345678",
    ],
)  # fmt: skip
def test_the_number_of_something_else_is_no_code(text: str) -> None:
    assert code_in(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("my code is ABCD1234EF", "ABCD1234EF"), ("abcd1234", "ABCD1234"), ("ABCD-EFGH-1234", "ABCDEFGH1234"), ("MY CODE IS ABCD1234", "ABCD1234"), ("coupon 12345678 does not work", "12345678"), ("order 12345678, coupon SAVE2024 fails", "SAVE2024"),
        ("the code for my order is SAVE2024", "SAVE2024"), ("SAVE2024 for order 12345678", "SAVE2024"), ("the gift card code XK7Q2M9P is refused", "XK7Q2M9P"), ("code: ABCD EFGH 1234", "ABCDEFGH1234"),
    ],
)  # fmt: skip
def test_a_code_is_found(text: str, code: str) -> None:
    assert code_in(text) == code
