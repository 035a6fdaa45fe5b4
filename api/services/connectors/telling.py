"""What tells each kind of endpoint."""

from __future__ import annotations

from api.services.connectors.facts import Facts
from api.services.connectors.hubspot import HubSpot
from api.services.connectors.salesforce import Login, Salesforce
from api.services.targets import Outside
from api.services.webhooks import Teller, Webhook


def tellers(outside: Outside, login: Login, facts: Facts, source: str) -> dict[str, Teller]:
    """Return the tellers by kind; `source` is Aisle's own address, as CloudEvents names it."""
    return {
        "webhook": Webhook(outside, source),
        "hubspot": HubSpot(outside, facts),
        "salesforce": Salesforce(login, facts),
    }
