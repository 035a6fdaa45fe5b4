"""The order service: status, cancel, change, return and exchange, as the shop's policy file allows."""
