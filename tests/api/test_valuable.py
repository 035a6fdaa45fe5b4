"""Much may be lost with some shoppers: they are offered a person at the first sign of trouble, as far as labels may be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from api.services.privacy import Privacy
from personalization.types import Purpose
from stores.database import Database
from stores.tables import labels
from tests.api.conftest import Api
from tests.api.test_chat import Engine, echo, talk, use
from tests.api.test_handoff import send

LOW = "the delivery was late and it is annoying"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough here: tests/stores has both."""
    return sqlite_database


def label(api: Api, name: str, value: str | float | bool) -> None:
    """Let training have said so of the shopper of these tests."""
    now = datetime.now(UTC)
    row = {
        "member_id": api.member("pets-6").member_id, "name": name, "value": value, "confidence": 0.9, "sentence": "So it is.",
        "evidence": {}, "source": "rules", "purpose": Purpose.PROFILING.value, "created_at": now,
        "expires_at": now + timedelta(days=1),
    }  # fmt: skip
    with api.services.db.write() as connection:
        connection.execute(insert(labels).values(row))


def offered(api: Api) -> bool:
    """Whether a person is offered at the first annoyed message."""
    conversation, headers = talk(api)
    return send(api, conversation, headers, LOW)["messages"][-1]["act"] == "handoff.offer"


@pytest.mark.parametrize(
    ("name", "value", "of_worth"),
    [
        ("premium_buyer", True, True),
        ("premium_buyer", False, False),  # staff said so
        ("expected_spend", 30_000.0, True),
        ("expected_spend", 29_999.0, False),
        ("weekend_shopper", True, False),
    ],
)
def test_a_shopper_of_worth_is_offered_a_person_at_the_first_sign_of_trouble(
    api: Api, name: str, value: float | bool, of_worth: bool
) -> None:
    use(api, Engine(echo))
    assert not offered(api), "anybody else may be annoyed once"
    label(api, name, value)
    assert offered(api) is of_worth
    assert ('reason="value_at_risk"' in api.client.get("/metrics").text) is of_worth
    off = {Purpose.PROFILING: False}
    Privacy(api.services, lambda _: None).record(api.member("pets-6").member_id, off, channel="api", text_version="t")
    assert not offered(api), "labels are used by consent only"
