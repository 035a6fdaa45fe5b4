"""Consent: one gate before any personal data is read."""
