"""The steps of one decision, in the order that `core` takes them: arms, the slate, the coupon, the sentence."""
