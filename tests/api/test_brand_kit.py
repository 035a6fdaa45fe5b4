"""The brand kit in the console: tried, saved, and kept for what was made under it."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

from PIL import Image

from tests.api.conftest import Api

KIT = {"retailer": "Hofladen", "colour": "#7a1f3d", "legal": "While stocks last."}


def _headers(api: Api) -> dict[str, str]:
    return api.headers(api.make_key("creatives"))


def _save(api: Api, etag: str, **more: Any) -> Any:
    body = {**KIT, "note": "Our red", **more}
    return api.client.put("/v1/brand-kit", json=body, headers={**_headers(api), "If-Match": etag})


def test_a_kit_is_tried_on_posters_without_being_saved(api: Api) -> None:
    before = api.client.get("/v1/brand-kit", headers=_headers(api)).json()
    tried = api.client.post("/v1/brand-kit/preview", json=KIT, headers=_headers(api))
    assert tried.status_code == 200, tried.text
    for poster in tried.json()["posters"]:
        picture = Image.open(io.BytesIO(base64.b64decode(poster["webp"])))
        assert picture.size == (poster["width"], poster["height"])
    assert api.client.get("/v1/brand-kit", headers=_headers(api)).json() == before


def test_a_saved_kit_counts_at_once_and_old_posters_stay_as_they_were(api: Api) -> None:
    headers, ask = _headers(api), {"channel": "kiosk", "wants_creative": True}
    recommend = api.headers(api.make_key("recommend"))

    def poster() -> str:
        return str(api.client.post("/v1/recommendations", json=ask, headers=recommend).json()["creative"]["url"])

    first = poster()

    def pixels(url: str) -> bytes:
        return Image.open(io.BytesIO(api.client.get(url).content)).tobytes()

    before = pixels(first)
    read = api.client.get("/v1/brand-kit", headers=headers)
    saved = _save(api, read.headers["ETag"])
    assert (saved.status_code, saved.json()["version"]) == (200, 1)
    second = poster()
    assert second != first
    assert pixels(second) != before
    for file in (api.services.settings.state_dir / "creatives").iterdir():
        file.unlink()
    assert pixels(first) == before


def test_of_two_who_save_the_second_is_told(api: Api) -> None:
    etag = api.client.get("/v1/brand-kit", headers=_headers(api)).headers["ETag"]
    assert _save(api, etag).status_code == 200
    late = _save(api, etag, colour="#000000")
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    assert api.client.get("/v1/brand-kit", headers=_headers(api)).json()["colour"] == KIT["colour"]
    without = api.client.put("/v1/brand-kit", json={**KIT, "note": "x"}, headers=_headers(api))
    assert without.status_code == 428


def test_a_logo_that_is_no_picture_and_an_unknown_tone_are_told(api: Api) -> None:
    etag = api.client.get("/v1/brand-kit", headers=_headers(api)).headers["ETag"]
    for wrong in (
        {"logo": "%%%"},
        {"logo": "é"},
        {"logo": base64.b64encode(b"no picture").decode()},
        {"tones": ["shrill"]},
        {"colour": "red"},
    ):
        answer = _save(api, etag, **wrong)
        assert answer.status_code == 422, wrong
        assert answer.headers["content-type"] == "application/problem+json"
    assert api.client.get("/v1/brand-kit/versions", headers=_headers(api)).json()["versions"] == []


def test_a_logo_is_saved_under_a_licence_which_its_posters_tell(api: Api) -> None:
    headers = _headers(api)
    etag = api.client.get("/v1/brand-kit", headers=headers).headers["ETag"]
    logo = (
        b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 10'><rect width='40' height='10' fill='#123'/></svg>"
    )
    sent = base64.b64encode(logo).decode()
    unsaid = _save(api, etag, logo=sent)
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "licence-missing")
    saved = _save(api, etag, logo=sent, logo_licence="our own")
    assert (saved.status_code, saved.json()["logo_licence"]) == (200, "our own")
    kept = _save(api, saved.headers["ETag"], legal="Inc. tax.")
    assert (kept.json()["logo"], kept.json()["logo_licence"]) == (True, "our own")
    told = api.client.post("/v1/creatives", data={"product_id": "milk-1"}, headers=headers).json()
    assert told["inputs"][-1] == {"kind": "logo", "sha256": hashlib.sha256(logo).hexdigest(), "licence": "our own"}
