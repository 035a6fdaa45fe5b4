"""Creatives through the API: made from a product or an uploaded picture, told of, drawn in every format, and nothing fetched."""

from __future__ import annotations

import io
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from api.routes.uploads import LARGEST_FILE
from api.services import creatives
from api.services.brands import Brands
from api.services.creatives import DRAWN
from personalization.creative import provenance
from personalization.creative.approval import Mode
from personalization.creative.constraints import contrast_violations, violations
from personalization.creative.errors import CreativeError
from personalization.creative.picture import drawing
from personalization.creative.placement import Limits, Shares
from personalization.creative.poster import Material, compose
from personalization.creative.screening import Rules
from personalization.creative.space import MOVING, CreativeSpec
from personalization.creative.studio import Design, creative_of
from personalization.creative.variants import Audience, Variant, mood_of
from personalization.creative.words import Message
from personalization.types import Affect, CreativeId, ProductId
from stores.creatives import CreativeCampaign
from stores.database import Database
from tests.api.conftest import Api
from tests.personalization.creative.conftest import BRAND, FACTS, photograph

CHOICES = {
    "aspect": "1:1", "layout": "arc", "grid": "airy", "align": "start", "focal": "disc", "crop": "whole", "scheme": "tint", "anchor": "brand",
    "type": "lora", "scale": "loud", "texture": "none", "price": "pill", "message": "plain", "action": "pill",
} | dict.fromkeys(MOVING, "still")  # fmt: skip
HONEY = {"name": "Golden honey", "price": "$4.99", "licence": "our own photograph"}
STARTS = {"png": b"\x89PNG", "webp": b"RIFF", "jpg": b"\xff\xd8", "svg": b"<svg", "pdf": b"%PDF"}


@pytest.fixture
def small_shop(sqlite_database: Database) -> Database:
    """One database will do: what is stored is tested on both in tests/stores."""
    return sqlite_database


def _noise(side: int) -> bytes:
    """Return a small file of very many pixels."""
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    return out.getvalue()


def make(api: Api, upload: bytes | None = None, key: str | None = None, **form: Any) -> Any:
    files = None if upload is None else {"picture": ("honey.png", upload, "image/png")}
    return api.client.post("/v1/creatives", data=form, files=files, headers=api.headers(key))


def test_a_product_s_creative_is_made_once_and_drawn_in_every_format(api: Api) -> None:
    first, again, other = (
        make(api, product_id="milk-1"),
        make(api, product_id="milk-1"),
        make(api, product_id="milk-1", seed=5),
    )
    assert first.status_code == 201, first.text
    told = first.json()
    assert told == again.json()
    assert other.json()["creative_id"] != told["creative_id"]
    assert first.headers["location"] == f"/v1/creatives/{told['creative_id']}"
    assert api.client.get(first.headers["location"], headers=api.headers()).json() == told
    assert told["marks"] == ["made by a program", "illustration"]
    assert (told["width"], told["height"]) == (1080, 1350)
    assert set(told["files"]) == set(DRAWN)
    for kind, address in told["files"].items():
        answer = api.client.get(address)
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(STARTS[kind])
        assert answer.headers["etag"] == f'"{told["creative_id"]}.{kind}"'
        assert "immutable" in answer.headers["cache-control"]
        assert api.client.get(address).content == answer.content  # kept, not drawn and signed again
        known = api.client.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")


def test_what_an_upload_was_made_of_is_told_in_the_answer_and_in_the_file(api: Api) -> None:
    told = make(api, photograph(), channel="kiosk", **HONEY).json()
    assert (told["width"], told["height"]) == (1080, 1920)
    [picture, fonts] = told["inputs"]
    assert (picture["kind"], picture["licence"]) == ("picture", "our own photograph")
    assert len(picture["sha256"]) == 64
    assert fonts["licence"].startswith("SIL Open Font")
    assert told["marks"] == ["made by a program"]
    state, manifest = provenance.read(api.client.get(told["files"]["webp"]).content, "webp")
    assert state == "Valid"
    own = next(one["data"] for one in manifest["assertions"] if one["label"] == "org.aisle.creative")
    assert own["inputs"][0] == {"kind": "picture", "sha256": picture["sha256"], "licence": "our own photograph"}
    assert own["creative_id"] == told["creative_id"]


def test_a_design_is_taken_over_for_another_product(api: Api) -> None:
    earlier = make(api, product_id="milk-1", seed=3).json()
    later = make(api, photograph(), like=earlier["creative_id"], **HONEY).json()
    taken = {name for name, option in earlier["choices"].items() if later["choices"][name] == option}
    assert taken >= set(earlier["choices"]) - {"message", "aspect", "motion", "easing", "rhythm"}


def test_the_audience_s_best_variant_is_made_and_who_approved_it_is_told(api: Api) -> None:
    now = datetime.now(UTC)
    campaign = {
        "campaign_id": "spring", "product_id": "milk-1", "starts_at": (now - timedelta(hours=1)).isoformat(),
        "ends_at": (now + timedelta(days=1)).isoformat(),
    }  # fmt: skip
    variants = {
        "by": "studio",
        "variants": [{"variant_id": "calm", "choices": {"layout": "arc", "scheme": "paper", "type": "lora"}}],
    }
    decision = {"subject": "calm", "state": "approved", "by": "mia"}
    for path, body in (("", campaign), ("/spring/variants", variants), ("/spring/approvals", decision)):
        answer = api.client.post(f"/v1/creative-campaigns{path}", json=body, headers=api.headers())
        assert answer.status_code == 201, answer.text
    look = api.client.get("/v1/creative-campaigns/spring/variants/calm/preview", headers=api.headers())
    with pytest.raises(CreativeError, match="no content credentials"):
        provenance.read(look.content, "webp")
    told = make(api, product_id="milk-1", segment="families", channel="widget").json()
    assert [told["choices"][name] for name in ("layout", "scheme", "type")] == ["arc", "paper", "lora"]
    assert [(step["state"], step["by"]) for step in told["approvals"]] == [("proposed", "studio"), ("approved", "mia")]
    for kind in ("png", "webp"):
        _, manifest = provenance.read(api.client.get(told["files"][kind]).content, kind)
        own = next(one["data"] for one in manifest["assertions"] if one["label"] == "org.aisle.creative")
        assert own["approved_by"] == "mia"


@pytest.mark.parametrize(("affect", "layout"), [("angry", "arc"), ("content", "framed"), ("neutral", "card")])
def test_what_was_learned_for_a_mood_is_made_for_whoever_seems_to_feel_so(api: Api, affect: str, layout: str) -> None:
    store, now, layouts = api.services.creative_campaigns, datetime.now(UTC), ("arc", "framed", "card")
    store.create(CreativeCampaign(
        "spring", ProductId("milk-1"), "clicks", Mode.AUTOMATIC, Limits(), Rules(), now - timedelta(hours=1), now + timedelta(days=1),
    ))  # fmt: skip
    store.propose("spring", [Variant(name, {"layout": name}) for name in layouts], by="mia", at=now)
    felt = (Affect(-0.8, 0.9), Affect(0.4, 0.2), None)  # as the brain has it when it places
    product = api.services.catalogue.products([ProductId("milk-1")])[ProductId("milk-1")]
    sets = {
        Audience("", "widget", mood_of(one), product.category): Shares((best,), (1.0,), 0)
        for one, best in zip(felt, layouts, strict=True)
    }
    store.save_sets("spring", sets, retired=(), at=now)
    told = make(api, product_id="milk-1", channel="widget", affect=affect)
    assert told.status_code == 201, told.text
    assert told.json()["choices"]["layout"] == layout


def test_a_design_that_was_made_before_is_another_creative_as_a_campaign_s_variant(api: Api) -> None:
    plain = Design(
        CreativeSpec(CHOICES),
        Material(FACTS, Message("", "Milk", "", "", "introduce", "plain"), drawing("bread"), BRAND),
    )
    stored = []
    for variant in (None, ("spring", "calm"), ("summer", "calm")):
        creative = creative_of(replace(plain, variant=variant), "bread")
        api.services.creatives.put(creative)
        found = api.services.creatives.get(creative.creative_id)
        assert found is not None
        stored.append((found.spec.get("campaign_id"), found.spec.get("variant_id")))
        assert api.services.studio.design_of(found).variant == variant
    assert stored == [(None, None), ("spring", "calm"), ("summer", "calm")]


def test_ten_who_ask_for_a_new_poster_at_once_have_it_drawn_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    told = make(api, product_id="milk-1").json()
    found = api.services.creatives.get(CreativeId(told["creative_id"]))
    assert found is not None
    drawn, together, draw = [], threading.Barrier(10), DRAWN["webp"]
    monkeypatch.setitem(creatives.DRAWN, "webp", lambda poster: drawn.append(1) or draw(poster))  # type: ignore[func-returns-value]

    def ask(_: int) -> bytes:
        together.wait()
        return creatives.Creatives(api.services).file(found, "webp")  # each request has its own

    with ThreadPoolExecutor(10) as threads:
        files = set(threads.map(ask, range(10)))
    assert (len(files), len(drawn)) == (1, 1)


WRONG: tuple[tuple[bytes | None, dict[str, Any], int, str], ...] = (
    (None, {"product_id": "nothing"}, 404, "not-found"), (None, {}, 422, "nothing-to-show"), (None, {"product_id": "milk-1", "language": "xx"}, 422, "no-language"),
    (None, {"product_id": "milk-1", "aspect": "7:3"}, 422, "invalid"), (None, {"product_id": "milk-1", "like": "0"}, 422, "no-such-creative"),
    (None, {"product_id": "milk-1", "picture": "http://127.0.0.1/x.png"}, 422, "invalid"), (b"no picture", HONEY, 422, "bad-picture"),
    (b"", HONEY, 422, "bad-picture"), (photograph()[:2000], HONEY, 422, "bad-picture"), (photograph(), {"name": "Honey"}, 422, "licence-missing"),
    (photograph(), {**HONEY, "was": "$4.99"}, 422, "bad-was"), (photograph(), {**HONEY, "was": "more"}, 422, "bad-was"),
    (b"0" * (LARGEST_FILE + 1), HONEY, 413, "too-large"), (photograph(), {**HONEY, "name": "茶"}, 422, "missing-glyphs"),
    (photograph(), {**HONEY, "name": "x" * 121}, 422, "bad-name"), (_noise(10_100), HONEY, 422, "picture-too-large"),
)  # fmt: skip


def test_wrong_wishes_and_broken_uploads_are_refused_in_one_line(api: Api) -> None:
    for picture, form, status, code in WRONG:
        answer = make(api, picture, **form)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (form, answer.text)
        assert "\n" not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("picture", "name"),
    [
        (photograph(7303, 5477), "Golden honey"), (photograph(), "Extra long product name with rolled oats and honey clusters, family size, 80 ch."),
        (photograph(), "Pizza 🍕 Margherita"), (photograph(), "قهوة عربية محمصة طازجة"),
    ],
    ids=["40 megapixels", "80 characters", "emoji", "Arabic"],
)  # fmt: skip
def test_large_pictures_and_long_or_foreign_names_make_good_posters(api: Api, picture: bytes, name: str) -> None:
    told = make(api, picture, **{**HONEY, "name": name}, language="ar" if name[0] == "ق" else "en")
    assert told.status_code == 201, told.text
    assert name in told.json()["alt"]
    design = api.services.studio.design_of(api.services.creatives.get(told.json()["creative_id"]))
    poster = compose(design.spec, design.material)
    assert violations(poster, design.material) == []
    assert contrast_violations(poster) == []


def test_no_address_in_an_upload_is_ever_asked(api: Api) -> None:
    """A server of ours listens at the address that an SVG names, and hears nothing."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/secret.png"

        def listen() -> None:
            while not done.is_set():
                try:
                    heard.append(server.accept())
                except TimeoutError:
                    continue

        done = threading.Event()
        listener = threading.Thread(target=listen)
        listener.start()
        svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><rect width='5' height='9' fill='red'/><image width='9' height='9' href='{address}'/>" \
              f"<style>@import url({address});rect{{fill:url({address})}}</style></svg>"  # fmt: skip
        told = make(api, svg.encode(), **HONEY).json()
        drawn = [api.client.get(address) for address in told["files"].values()]
        done.set()
        listener.join()
    assert all(one.status_code == 200 for one in drawn)
    assert heard == []


def test_making_and_reading_need_the_scope_and_files_do_not(api: Api) -> None:
    weak = api.make_key("recommend")
    told = make(api, product_id="milk-1").json()
    assert make(api, product_id="milk-1", key=weak).status_code == 403
    assert api.client.get(f"/v1/creatives/{told['creative_id']}", headers=api.headers(weak)).status_code == 403
    assert api.client.get(told["files"]["webp"]).status_code == 200
    assert api.client.get("/v1/creatives/0.png").status_code == 404


def test_what_the_new_brand_would_draw_differently_is_gone(api: Api) -> None:
    told = make(api, product_id="milk-1").json()
    renamed = api.services.settings.model_copy(update={"retailer": "Another name"})
    api.services.__dict__["brands"] = Brands(api.services.brand_kits, renamed)  # the operator's own file has changed
    del api.services.__dict__["studio"]
    answer = api.client.get(told["files"]["png"])
    assert (answer.status_code, answer.json()["code"]) == (410, "brand-changed")


def test_a_creative_whose_picture_is_not_kept_any_more_is_gone(api: Api) -> None:
    told = make(api, photograph(), **HONEY).json()
    api.services.creative_pictures.get = lambda digest: None  # type: ignore[method-assign]
    assert api.client.get(told["files"]["png"]).json()["code"] == "picture-gone"
    assert api.services.creatives.get(CreativeId(told["creative_id"])) is not None
