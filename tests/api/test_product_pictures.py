"""Photographs of products: sent once, shown by cards, posters, previews and films with their licence, and taken away again."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from api.routes.uploads import LARGEST_FILE
from api.services.creatives import Creatives
from personalization.creative import provenance
from personalization.creative.film_job import FilmJob
from personalization.creative.variants import Variant
from personalization.types import CreativeId, ProductId
from stores.database import Database
from tests.api.conftest import Api
from tests.personalization.creative.conftest import photograph

LICENCE = "our own photograph"
ASK = {"visitor_id": "somebody", "slate_size": 1, "wants_creative": True}


@pytest.fixture
def small_shop(sqlite_database: Database) -> Database:
    """One database will do: what is stored is tested on both in tests/stores."""
    return sqlite_database


def send(api: Api, product_id: str, content: bytes, *, licence: str = LICENCE, key: str | None = None) -> Any:
    files = {"picture": ("photo.jpg", content, "image/jpeg")}
    path = f"/v1/products/{product_id}/picture"
    return api.client.put(path, files=files, data={"licence": licence}, headers=api.headers(key))


def decided(api: Api) -> dict[str, Any]:
    return dict(api.client.post("/v1/recommendations", json=ASK, headers=api.headers()).json())


def test_a_photograph_reaches_the_card_and_the_poster_and_leaves_with_its_removal(api: Api) -> None:
    before = decided(api)
    [card] = before["items"]
    name = card["product_id"]
    assert card["picture_url"] == f"/v1/products/{name}/picture.svg"
    sent = send(api, name, photograph())
    assert (sent.status_code, sent.json()["licence"]) == (200, LICENCE), sent.text
    digest = sent.json()["sha256"]
    after = decided(api)
    [card] = after["items"]
    assert card["picture_url"] == f"/v1/products/{name}/picture?v={digest[:12]}"
    shown = api.client.get(card["picture_url"])
    assert (shown.headers["content-type"], shown.headers["x-content-type-options"]) == ("image/webp", "nosniff")
    assert Image.open(io.BytesIO(shown.content)).size == (640, 480)
    assert api.client.get(card["picture_url"], headers={"If-None-Match": shown.headers["etag"]}).status_code == 304
    made = api.client.get(f"/v1/creatives/{after['creative']['creative_id']}", headers=api.headers()).json()
    assert made["inputs"][0] == {"kind": "picture", "sha256": digest, "licence": LICENCE}
    assert "illustration" not in made["marks"]
    state, manifest = provenance.read(api.client.get(after["creative"]["url"]).content, "webp")
    own = next(one["data"] for one in manifest["assertions"] if one["label"] == "org.aisle.creative")
    assert (state, own["inputs"][0]) == ("Valid", {"kind": "picture", "sha256": digest, "licence": LICENCE})
    asked = api.client.post("/v1/creatives", data={"product_id": name}, headers=api.headers()).json()
    assert asked["inputs"][0]["sha256"] == digest
    assert api.client.delete(f"/v1/products/{name}/picture", headers=api.headers()).status_code == 204
    again = decided(api)
    assert again["items"][0]["picture_url"] == f"/v1/products/{name}/picture.svg"
    assert again["creative"]["creative_id"] == before["creative"]["creative_id"]
    assert api.client.get(card["picture_url"]).status_code == 404
    assert api.client.get(after["creative"]["url"]).status_code == 200  # as it was decided


def test_a_variant_and_a_film_are_made_of_the_photograph(api: Api) -> None:
    def product() -> Any:
        return api.services.catalogue.products([ProductId("milk-1")])[ProductId("milk-1")]

    variant = Variant("calm", {"layout": "arc"})
    drawn = Creatives(api.services).preview(product(), "spring", variant)
    digest = send(api, "milk-1", photograph()).json()["sha256"]
    assert Creatives(api.services).preview(product(), "spring", variant) != drawn
    [design] = Creatives(api.services).variants(product(), count=1, seed=1)
    assert design.measures
    ordered = api.client.post("/v1/films", data={"product_id": "milk-1"}, headers=api.headers())
    assert ordered.status_code == 202, ordered.text
    film = api.services.films.claim(at=datetime.now(UTC) + timedelta(seconds=1))
    assert film is not None
    made, _ = FilmJob(film.told, film.picture, film.track).made_of(api.services.brand)
    assert (made.material.picture.digest, made.material.picture.licence) == (digest, LICENCE)


def test_a_photograph_that_is_not_kept_any_more_gives_way_to_a_drawing(api: Api) -> None:
    name = decided(api)["items"][0]["product_id"]
    send(api, name, photograph())
    api.services.creative_pictures.get = lambda digest: None  # type: ignore[method-assign]
    made = api.services.creatives.get(CreativeId(decided(api)["creative"]["creative_id"]))
    assert made is not None
    assert len(json.loads(made.spec["recipe"])["picture"]) < 64


def test_wrong_photographs_are_refused_in_one_line(api: Api) -> None:
    weak = api.make_key("recommend")
    for answer, status, code in (
        (send(api, "milk-1", b"no picture"), 422, "bad-picture"),
        (send(api, "milk-1", b""), 422, "bad-picture"),
        (send(api, "milk-1", photograph(), licence=" "), 422, "licence-missing"),
        (send(api, "milk-1", b"0" * (LARGEST_FILE + 1)), 413, "too-large"),
        (send(api, "nothing", photograph()), 404, "not-found"),
        (send(api, "milk-1", photograph(), key=weak), 403, "forbidden"),
        (api.client.get("/v1/products/milk-1/picture"), 404, "not-found"),
        (api.client.delete("/v1/products/milk-1/picture", headers=api.headers()), 404, "not-found"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
