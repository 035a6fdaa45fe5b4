"""Connectors: endpoints of the outbox that speak a CRM's own API in place of webhooks.

They inherit from the outbox what makes them resumable: order, back-off, dead letters and leases. What makes them
idempotent is the CRM's own: upserts by a key, and events by the outbox's stable ids.
"""
