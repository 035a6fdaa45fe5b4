"""Which discount, if any."""
