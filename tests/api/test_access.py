"""Who may call what: every route, asked by every kind of caller."""

from __future__ import annotations

from bench.access import Cast, missing, walk
from tests.api.conftest import Api


def test_every_route_has_its_place_in_the_matrix_and_no_place_is_empty(api: Api) -> None:
    document = api.client.app.openapi()  # type: ignore[attr-defined]
    assert missing(document) == (set(), set())


def test_everybody_is_let_in_where_they_may_and_nowhere_else(api: Api) -> None:
    asked, found = walk(Cast(api.services, api.client))
    assert asked > 2_500
    assert not found, "\n".join(map(str, found))
