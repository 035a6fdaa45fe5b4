"""`aisle creative`: posters on disk, and one clear line for what cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from api.cli import creative_campaigns
from api.cli.creative import app
from api.settings import settings
from personalization.creative import provenance
from personalization.creative.approval import Mode, State
from personalization.creative.placement import Limits
from personalization.creative.screening import Rules
from personalization.creative.variants import Audience, Variant
from personalization.types import EventType, ProductId, Subject, VisitorId
from stores.creative_placing import SqlPlacer
from stores.creatives import CreativeCampaign, SqlCreativeCampaigns
from stores.database import Database, new_id
from stores.events import Event, SqlEvents
from tests.personalization.creative.conftest import photograph


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AISLE_STATE_DIR", str(tmp_path / "state"))
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_posters_lie_beside_what_they_were_made_of(tmp_path: Path) -> None:
    (tmp_path / "bread.jpg").write_bytes(photograph())
    out = tmp_path / "out"
    told = [
        "make",
        str(tmp_path / "bread.jpg"),
        "--name",
        "Rye bread",
        "--price",
        "$3.20",
        "--licence",
        "our own",
        "--count",
        "2",
        "--formats",
        "webp",
    ]
    ran = CliRunner().invoke(app, [*told, "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    made = sorted(out.glob("*.json"))
    assert len(made) == 2
    spec = json.loads(made[0].read_text())
    assert spec["inputs"][0]["licence"] == "our own"
    state, manifest = provenance.read((out / f"{spec['creative_id']}.webp").read_bytes(), "webp")
    assert state == "Valid"
    assert manifest["title"] == spec["headline"]
    again = CliRunner().invoke(app, [*told, "--out", str(tmp_path / "again")])
    assert again.exit_code == 0
    assert {path.name for path in (tmp_path / "again").iterdir()} == {path.name for path in out.iterdir()}


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (["--name", "Bread", "--formats", "bmp"], "there is no format 'bmp'"), (["--name", "Bread", "--aspect", "2:1"], "there is no aspect '2:1'"),
        (["--name", "茶"], "No font here has 茶"), (["--name", ""], "1 to 120 characters"), (["--name", "Bread", "--language", "xx"], "no texts in 'xx'"),
        (["nowhere.jpg", "--name", "Bread", "--licence", "x"], "nowhere.jpg cannot be read"), (["x.jpg", "--name", "Bread"], "under which licence"),
        (["--name", "Bread", "--brand", "nowhere.toml"], "cannot be read as a brand kit"),
        (["--name", "Bread", "--price", "$3.20", "--was", "$3.20"], "is not higher than '$3.20'"), (["--name", "Bread", "--was", "$3.20"], "no price is not one"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_one_line(told: list[str], line: str) -> None:
    ran = CliRunner().invoke(app, ["make", *told])
    assert ran.exit_code == 1
    assert line in str(ran.exception) + ran.output


def test_the_space_is_counted_for_who_asks() -> None:
    ran = CliRunner().invoke(app, ["size"])
    assert ran.exit_code == 0
    assert int(ran.output.split("leave ")[1].split(" specs")[0].replace(",", "")) > 700_000_000


@pytest.fixture
def small_shop(sqlite_database: Database) -> Database:
    """One database will do: what is stored is tested on both in tests/stores."""
    return sqlite_database


@pytest.fixture
def campaign(small_shop: Database, monkeypatch: pytest.MonkeyPatch) -> SqlCreativeCampaigns:
    """A campaign with 200 placements, of which those of the first variant were clicked more often."""
    monkeypatch.setattr(creative_campaigns, "_database", lambda: small_shop)
    store, now = SqlCreativeCampaigns(small_shop), datetime.now(UTC)
    limits = Limits(per_shopper=1000, of_campaign=1000)
    store.create(
        CreativeCampaign("spring", ProductId("milk-1"), "clicks", Mode.EACH, limits, Rules(), now - timedelta(hours=1), now + timedelta(days=1))
    )  # fmt: skip
    store.propose("spring", [Variant("one", {}, {}), Variant("two", {}, {})], by="studio", at=now)
    for name in ("one", "two"):
        store.decide("spring", name, State.APPROVED, of_family=False, by="mia", at=now, note="fine")
    placer = SqlPlacer(small_shop, np.random.default_rng(1))
    for number in range(200):
        who = Subject(visitor_id=VisitorId(f"visitor {number}"))
        placed = placer.place("spring", Audience(channel="kiosk"), who, decision_id=new_id(), at=now)
        assert placed is not None
        if placed.variant.variant_id == "one" and number % 2:
            clicked = Event(
                new_id(), EventType.CLICKED, now, "kiosk", None, f"visitor {number}", placed.decision_id, None
            )
            SqlEvents(small_shop).append_batch([clicked], received_at=now)
    while store.credit(now=now, limit=1000):
        continue
    return store


def test_who_approved_what_is_printed_for_people_and_for_machines(campaign: SqlCreativeCampaigns) -> None:
    told = CliRunner().invoke(app, ["approvals"])
    assert told.exit_code == 0, told.output
    assert len(told.output.splitlines()) == 4
    assert "spring" in told.output
    assert "by mia  (fine)" in told.output
    lines = [
        json.loads(line) for line in CliRunner().invoke(app, ["approvals", "spring", "--json"]).output.splitlines()
    ]
    assert [(line["subject"], line["state"], line["by"]) for line in lines if line["state"] == "approved"] == [
        ("one", "approved", "mia"),
        ("two", "approved", "mia"),
    ]


def test_another_policy_is_judged_from_the_log(campaign: SqlCreativeCampaigns, tmp_path: Path) -> None:
    rules = tmp_path / "policy.json"
    rules.write_text('[{"shares": {"one": 1.0}}]')
    ran = CliRunner().invoke(app, ["evaluate-policy", "spring", "--policy", str(rules)])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.output.splitlines()[-1])
    assert 150 < told["n"] <= 200  # without those where the cap left no choice
    assert told["old"] == pytest.approx(0.25, abs=0.08)
    assert set(told["estimates"]) == {"ips", "snips", "dr"}
    for estimate in told["estimates"].values():
        assert estimate["interval"][0] < 0.5 < estimate["interval"][1]
        assert estimate["gain_interval"][0] > 0
    assert "DR" in ran.output


@pytest.mark.parametrize(
    ("policy", "line"), [("nowhere.json", "cannot be read"), ("[]", "a list of rules"), ("no json", "is no JSON")]
)
def test_a_policy_that_cannot_be_judged_is_one_line(
    campaign: SqlCreativeCampaigns, tmp_path: Path, policy: str, line: str
) -> None:
    file = tmp_path / "policy.json"
    if policy != "nowhere.json":
        file.write_text(policy)
    ran = CliRunner().invoke(app, ["evaluate-policy", "spring", "--policy", str(file)])
    assert ran.exit_code == 1
    assert line in str(ran.exception) + ran.output


def test_a_track_needs_a_licence_and_one_of_no_seconds_is_refused(tmp_path: Path) -> None:
    track = tmp_path / "song.wav"
    track.write_bytes(b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\xbb\0\0\0w\1\0\2\0\x10\0data\0\0\0\0")
    for command in ("make", "film"):
        told = [command, "--name", "Honey", "--track", str(track), "--out", str(tmp_path)]
        unsaid = CliRunner().invoke(app, told)
        assert (unsaid.exit_code, "under which licence the track" in str(unsaid.exception) + unsaid.output) == (1, True)
        empty = CliRunner().invoke(app, [*told, "--licence", "CC0"])
        assert empty.exit_code == 1
        assert "The track is broken" in str(empty.exception)
