"""Films through the API: ordered, made, played in parts, found again after a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.services.brands import Brands
from api.services.films import FilmMaker, Films
from personalization.creative import provenance
from personalization.creative.approval import State
from personalization.creative.brand import BrandKit
from personalization.creative.film_job import FilmJob
from personalization.creative.studio import creative_of
from personalization.decisions import Creative
from personalization.types import ProductId
from stores.films import MOST_TRIES
from tests.api.conftest import Api


def order(api: Api, **more: Any) -> Any:
    form = {"product_id": "milk-1", "side": 180, "seconds": 6, **more}
    return api.client.post("/v1/films", data=form, headers=api.headers())


def follow(api: Api, film_id: str) -> dict[str, Any]:
    return dict(api.client.get(f"/v1/films/{film_id}", headers=api.headers()).json())


def test_a_film_is_ordered_once_made_and_played_in_parts(api: Api) -> None:
    first, again = order(api), order(api)
    assert first.status_code == 202, first.text
    film_id = first.json()["film_id"]
    assert first.headers["location"] == f"/v1/films/{film_id}"
    assert (first.json()["status"], again.json()["film_id"]) == ("queued", film_id)
    assert api.client.get(f"/v1/films/{film_id}.mp4").status_code == 404  # not made yet
    maker = FilmMaker(api.services)
    assert maker.work_once()
    assert not maker.work_once()  # there was one, not two
    done = follow(api, film_id)
    assert (done["status"], done["progress"], done["problem"]) == ("done", 1.0, None)
    for kind, address in done["files"].items():
        answer = api.client.get(address)
        assert answer.status_code == 200, kind
        assert len(answer.content) > 100
    video = api.client.get(done["files"]["mp4"])
    for kind in ("mp4", "gif", "jpg"):
        state, manifest = provenance.read(api.client.get(done["files"][kind]).content, kind)
        own = next(one["data"] for one in manifest["assertions"] if one["label"] == "org.aisle.creative")
        assert (state, [one["kind"] for one in own["inputs"]]) == (
            "Valid",
            ["drawing in place of a photograph", "fonts", "track"],
        )
        assert own["inputs"][-1]["licence"].startswith("CC0")
    part = api.client.get(done["files"]["mp4"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, video.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(video.content)}"
    assert api.client.get(done["files"]["mp4"], headers={"Range": "bytes=-5"}).content == video.content[-5:]
    assert api.client.get(done["files"]["mp4"], headers={"Range": "bytes=99999999-"}).status_code == 416
    assert api.client.get(done["files"]["mp4"], headers={"If-None-Match": video.headers["etag"]}).status_code == 304


def test_a_film_is_made_under_the_kit_that_it_was_ordered_under_or_not_at_all(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    film_id = order(api).json()["film_id"]
    shop, ordered = api.services.settings, api.services.brand
    renamed = shop.model_copy(update={"retailer": "Another name"})
    api.services.__dict__["brands"] = Brands(api.services.brand_kits, renamed)  # the operator's own file has changed
    assert FilmMaker(api.services).work_once()
    told = follow(api, film_id)
    assert (told["status"], told["problem"]["code"]) == ("failed", "brand-changed")
    brands = Brands(api.services.brand_kits, shop)
    api.services.__dict__["brands"] = brands
    assert order(api).json()["film_id"] == film_id  # tried again
    monkeypatch.setattr(brands, "_now", BrandKit("Another name", 20.0))  # saved in the console meanwhile
    monkeypatch.setattr(brands, "_looked", float("inf"))
    assert api.services.brand != ordered
    kits: list[BrandKit] = []
    monkeypatch.setattr(FilmMaker, "_run_in_process", lambda self, film, folder, brand: kits.append(brand))
    assert FilmMaker(api.services).work_once()
    assert kits == [ordered]


def test_a_film_whose_maker_was_killed_is_made_by_the_next(api: Api) -> None:
    film_id = order(api).json()["film_id"]
    then = datetime.now(UTC) - timedelta(minutes=5)
    claimed = api.services.films.claim(at=then)
    assert claimed is not None
    assert follow(api, film_id)["status"] == "working"
    assert FilmMaker(api.services).work_once()
    assert follow(api, film_id)["status"] == "done"


def test_what_breaks_its_maker_is_given_up_in_words(api: Api) -> None:
    film_id = order(api).json()["film_id"]
    now = datetime.now(UTC)
    for attempt in range(MOST_TRIES):
        assert api.services.films.claim(at=now + timedelta(minutes=5 * attempt)) is not None
    assert api.services.films.claim(at=now + timedelta(hours=1)) is None
    told = follow(api, film_id)
    assert (told["status"], told["problem"]["code"]) == ("failed", "film-failed")
    assert order(api).json()["status"] == "queued"  # who sends it again has it tried again


def test_a_cancelled_film_is_not_made(api: Api) -> None:
    film_id = order(api).json()["film_id"]
    assert api.client.delete(f"/v1/films/{film_id}", headers=api.headers()).json()["status"] == "cancelled"
    assert not FilmMaker(api.services).work_once()


@pytest.mark.parametrize(
    ("form", "status"),
    [({"product_id": "nothing"}, 404), ({"seconds": 60}, 422), ({"language": "xx"}, 422), ({"aspect": "7:3"}, 422)],
)
def test_wrong_orders_are_refused(api: Api, form: dict[str, Any], status: int) -> None:
    assert order(api, **form).status_code == status


def test_broken_files_are_refused_at_once(api: Api) -> None:
    files = {"track": ("song.ogg", b"OggS and nothing else", "audio/ogg")}
    form = {"product_id": "milk-1", "licence": "our own"}
    answer = api.client.post("/v1/films", data=form, files=files, headers=api.headers())
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-track")
    unsaid = api.client.post("/v1/films", data={"product_id": "milk-1"}, files=files, headers=api.headers())
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "licence-missing")
    files = {"picture": ("x.png", b"no picture", "image/png")}
    answer = api.client.post("/v1/films", data=form, files=files, headers=api.headers())
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-picture")


def test_films_need_the_scope_of_creatives(api: Api) -> None:
    weak = api.make_key("recommend")
    answer = api.client.post("/v1/films", data={"product_id": "milk-1"}, headers=api.headers(weak))
    assert answer.status_code == 403


def test_kiosks_play_the_film_of_a_variant_while_it_is_approved_and_true(api: Api) -> None:
    now = datetime.now(UTC)
    campaign = {
        "campaign_id": "spring", "product_id": "milk-1", "starts_at": (now - timedelta(hours=1)).isoformat(),
        "ends_at": (now + timedelta(days=1)).isoformat(),
    }  # fmt: skip
    variants = {
        "by": "studio",
        "variants": [{"variant_id": "calm", "choices": {"scheme": "paper", "motion": "rise", "rhythm": "bars"}}],
    }

    def told(path: str, body: Any) -> None:
        assert api.client.post(f"/v1/creative-campaigns{path}", json=body, headers=api.headers()).status_code == 201

    told("", campaign)
    told("/spring/variants", variants)
    early = order(api, campaign_id="spring", variant_id="calm", aspect="kiosk")
    assert (early.status_code, early.json()["code"]) == (422, "not-approved"), "its files could name nobody"
    told("/spring/approvals", {"subject": "calm", "state": "approved", "by": "mia"})
    unknown = order(api, campaign_id="spring", variant_id="loud", aspect="kiosk")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    ordered = order(api, campaign_id="spring", variant_id="calm", aspect="kiosk").json()
    film = api.services.films.claim(at=now)
    assert film is not None
    choices = film.told["design"]["choices"]
    assert [choices[name] for name in ("scheme", "motion", "rhythm")] == ["paper", "rise", "bars"]
    assert film.told["approved_by"] == "mia"
    api.services.films.finish(film.film_id, {"mp4": b"film", "jpg": b"still"}, at=now)
    product = api.services.catalogue.products([ProductId("milk-1")])[ProductId("milk-1")]
    design, _ = FilmJob(film.told, None, None).made_of(api.services.brand)
    loop, placed = (
        creative_of(replace(design, variant=None), "milk"),
        creative_of(design, "milk"),
    )
    films = Films(api.services)

    def played(creative: Creative, **how: bool) -> str | None:
        found = films.to_play(product, creative, **how)
        return None if found is None else found.film_id

    assert played(placed) == played(loop, any_variant=True) == ordered["film_id"]
    assert played(loop) is None  # another poster than the variant's
    dearer = replace(design, material=replace(design.material, facts=replace(design.material.facts, price="$99.00")))
    assert played(creative_of(dearer, "milk"), any_variant=True) is None  # the film would tell another price
    api.services.creative_campaigns.decide("spring", "calm", State.REJECTED, of_family=False, by="mia", at=now)
    assert played(placed) is None
    assert order(api, campaign_id="spring", variant_id="calm", aspect="kiosk").status_code == 422
    api.services.creative_campaigns.decide("spring", "calm", State.APPROVED, of_family=False, by="ben", at=now)
    again = order(api, campaign_id="spring", variant_id="calm", aspect="kiosk").json()
    assert again["film_id"] != ordered["film_id"], "its files name somebody else"
