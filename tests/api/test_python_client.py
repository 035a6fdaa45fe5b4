"""The typed Python client, made from the OpenAPI document and used against a live server."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stores.database import Database
from tests.api.conftest import Api
from tests.api.live import live
from tools.clients import python_client


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough: the client does not know."""
    return sqlite_database


@pytest.fixture
def client(api: Api, tmp_path: Path) -> Iterator[Any]:
    """Import the client afresh, as it follows from the app that is tested."""
    folder = python_client(api.client.app.openapi(), tmp_path / "clients").parent  # type: ignore[attr-defined]
    sys.path.insert(0, str(folder))
    with live(api) as address:
        made = importlib.import_module("aisle_client").AuthenticatedClient(base_url=address, token=api.key)
        with made as ready:
            yield ready
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == "aisle_client"]:
        del sys.modules[name]


def test_what_integrators_do_works_with_types_from_end_to_end(client: Any, api: Api) -> None:
    from aisle_client import models
    from aisle_client.api.events import events_post_events
    from aisle_client.api.members import members_add_member, members_list_members, members_read_member
    from aisle_client.api.privacy import members_erase, members_record_consent
    from aisle_client.api.webhooks import webhooks_add, webhooks_delete

    page = members_list_members.sync(client=client, limit=2)
    assert isinstance(page, models.MembersPage)
    assert len(page.members) == 2
    made = members_add_member.sync(client=client, body=models.MemberIn(display_name="Ada", external_id="crm-1"))
    assert isinstance(made, models.MemberOut)
    consent = models.ConsentIn(
        purpose=models.Purpose.PROFILING, granted=True, text_version="t1", member_id=made.member_id
    )
    assert isinstance(members_record_consent.sync(client=client, body=consent), models.Granted)
    event = models.EventIn(
        event_id="e-1",
        type_=models.EventType.CLICKED,
        at=datetime.now(UTC),
        member_id=made.member_id,
        product_id="milk-1",
    )
    for accepted, duplicates in ((1, 0), (0, 1)):
        told = events_post_events.sync(client=client, body=models.EventsIn(events=[event]))
        assert isinstance(told, models.EventsOut)
        assert (told.accepted, told.duplicates) == (accepted, duplicates)
    endpoint = webhooks_add.sync(
        client=client,
        body=models.EndpointIn(name="CRM", url="https://crm.example/", topics=[models.Topic.MEMBER_ERASED]),
    )
    assert isinstance(endpoint, models.EndpointWithSecret)
    assert isinstance(members_erase.sync(made.member_id, client=client), models.Receipt)
    assert webhooks_delete.sync_detailed(endpoint.endpoint_id, client=client).status_code == 204
    gone = members_read_member.sync(made.member_id, client=client)
    assert isinstance(gone, models.Problem)
    assert gone.code == "not-found"


def test_every_operation_has_a_name_of_its_own_that_clients_can_rely_on(api: Api) -> None:
    paths = api.client.app.openapi()["paths"]  # type: ignore[attr-defined]
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(names) == len(set(names))
    assert {"members_list_members", "webhooks_add", "segment_batch", "events_post_events"} <= set(names)
