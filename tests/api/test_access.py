"""Who may call what: every route, asked by every kind of caller."""

from __future__ import annotations

from bench.access import Cast, foreign_cells, missing, rules, unclassified, walk
from tests.api.conftest import Api


def test_every_route_has_its_place_in_the_matrix_and_no_place_is_empty(api: Api) -> None:
    document = api.client.app.openapi()  # type: ignore[attr-defined]
    assert missing(document) == (set(), set())
    assert unclassified() == set(), "whether what such an id names is somebody's own is for bench/access.yml to say"


def test_what_is_owned_is_asked_for_by_strangers_of_every_kind(api: Api) -> None:
    cast = Cast(api.services, api.client)
    cells = {
        (f"{rule.method} {rule.path}", owner.kind, who)
        for rule in rules()
        for owner in cast.owners_of(rule)
        for who, _ in cast.strangers(rule)
    }
    for cell in (
        ("GET /v1/conversations/{conversation_id}", "member", "a member"),
        ("GET /v1/conversations/{conversation_id}/attachments/{attachment_id}", "visitor", "a member"),
        ("GET /v1/decisions/{decision_id}", "member", "a visitor"),
        ("DELETE /v1/me/sessions/{session_id}", "member", "a member"),
        ("DELETE /v1/session/others/{session_id}", "session", "an admin"),
        ("DELETE /v1/session/passkeys/{passkey_id}", "session", "an admin"),
    ):
        assert cell in cells
    assert not foreign_cells(cast)[1]


def test_everybody_is_let_in_where_they_may_and_nowhere_else(api: Api) -> None:
    asked, found = walk(Cast(api.services, api.client))
    assert asked > 2_500
    assert not found, "\n".join(map(str, found))
