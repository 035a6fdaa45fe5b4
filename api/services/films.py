"""Films: ordered once per content, made one at a time in a process of their own, and found again after a restart."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from api.wiring import Services
from personalization.creative import film_job
from personalization.creative.approval import approved, approver
from personalization.creative.audio import read_track
from personalization.creative.brand import BrandKit
from personalization.creative.errors import CreativeError
from personalization.creative.film import HEIGHTS, film_design
from personalization.creative.film_job import FilmJob
from personalization.creative.picture import drawing, read_picture
from personalization.creative.product_pictures import picture_name
from personalization.creative.studio import asked, designs, facts_of
from personalization.creative.tune import tune
from personalization.creative.variants import Variant
from personalization.decisions import Creative
from personalization.types import Product
from stores.films import StoredFilm

log = structlog.get_logger(__name__)
IDLE_S, TOLD_EVERY_S = 1.0, 0.5
LONGEST_S = 300.0


class Films:
    """Orders films."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def order(
        self,
        product: Product,
        *,
        aspect: str,
        seconds: float,
        side: int,
        language: str,
        seed: int,
        picture: bytes | None,
        track: bytes | None,
        licence: str = "",
        variant: tuple[str, Variant] | None = None,
    ) -> StoredFilm | None:
        """Queue the film of a product, or of a campaign's approved `variant` of it, or return the same one; None where too many wait. Raises CreativeError."""
        approved_by = self._approver(variant)
        brand, name = self._services.brand, picture_name(product)
        told = licence
        if picture is None and product.picture:
            picture, told = self._services.creative_pictures.get(product.picture), product.picture_licence
        pictured = read_picture(picture, licence=told) if picture is not None else drawing(name)
        campaign_id, choices = ("", {}) if variant is None else (variant[0], variant[1].choices)
        found = designs(
            facts_of(product, None, language), pictured, brand, aspect=aspect, count=1, language=language, seed=seed,
            given=dict(asked(choices)),
        )  # fmt: skip
        shown = None if variant is None else (campaign_id, variant[1].variant_id)
        design = film_design(replace(found[0][0], variant=shown), seed, choices)
        sound = read_track(track, licence=licence) if track is not None else tune(seed % 64)
        about = {
            "product_id": product.product_id, "licence": licence, "picture_licence": told, "campaign_id": campaign_id,
            "variant_id": "" if variant is None else variant[1].variant_id, "approved_by": approved_by,
        }  # fmt: skip
        height = 2 * round(HEIGHTS[aspect] * side / 720 / 2)
        film_id, job = film_job.film_job(
            design,
            track=sound,
            seconds=seconds,
            height=height,
            picture_name=name,
            tune_seed=seed % 64,
            files=(picture, track),
            about=about,
        )
        return self._services.films.put(film_id, job.told, job.picture, job.track, at=datetime.now(UTC))

    def _approver(self, variant: tuple[str, Variant] | None) -> str:
        """Return whom the film's files name; CreativeError for a variant that nobody approved."""
        if variant is None:
            return ""
        steps = self._services.creative_campaigns.said_of(*variant)
        if variant[1].variant_id not in approved(steps):
            raise CreativeError(
                "not-approved", f"The variant {variant[1].variant_id} is not approved; its film would name nobody."
            )
        return approver(steps)

    def to_play(self, product: Product, creative: Creative, *, any_variant: bool = False) -> StoredFilm | None:
        """Return the newest kiosk film that may be played in place of a poster, None where there is none.

        It says the same facts, and shows the poster's variant of a campaign, or `any_variant`, which is approved and runs at this moment.
        """
        facts, now = json.loads(creative.spec["recipe"])["facts"], datetime.now(UTC)
        own = tuple(creative.spec.get(name, "") for name in ("campaign_id", "variant_id"))
        for film in self._services.films.of_product(product.product_id):
            design, shown = film.told["design"], (film.told["campaign_id"], film.told["variant_id"])
            same = design["choices"]["aspect"] == "kiosk" and design["facts"] == facts and (any_variant or shown == own)
            if same and self._services.creative_campaigns.may_be_shown(*shown, at=now, to_anybody=any_variant):
                return film
        return None


class FilmMaker:
    """Works the queue: one film at a time, each in a child process, so that answers keep their pace and a crash takes nothing along."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Run on a thread."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="films")
        self._thread.start()

    def stop(self) -> None:
        """End; a film that is being made goes back to the queue."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                worked = self.work_once()
            except Exception as error:
                log.exception("the queue of films failed", kind=type(error).__name__)
                worked = False
            if not worked:
                self._stop.wait(IDLE_S)

    def work_once(self) -> bool:
        """Make one film; False where none waits."""
        film = self._services.films.claim(at=datetime.now(UTC))
        if film is None:
            return False
        folder = Path(self._services.settings.state_dir) / "films"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as own:
            self._make(film, own)
        return True

    def _make(self, film: StoredFilm, folder: str) -> None:
        wanted = film.told.get("brand", "")
        brand = self._services.brands.of(wanted)
        if wanted and brand.digest != wanted:
            self._services.films.fail(
                film.film_id, "brand-changed", "The brand kit that it was ordered under is gone; order it again.", at=datetime.now(UTC),
            )  # fmt: skip
            return
        self._run_in_process(film, folder, brand)

    def _run_in_process(self, film: StoredFilm, folder: str, brand: BrandKit) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        job = FilmJob(film.told, film.picture, film.track)
        child = context.Process(
            target=film_job.run, args=(theirs, job, brand, folder, self._services.signer), daemon=True
        )
        child.start()
        theirs.close()
        try:
            self._follow(film.film_id, ours)
        finally:
            child.kill()
            child.join()
            ours.close()

    def _follow(self, film_id: str, ours: Any) -> None:
        """Pass progress on until the film is there, failed, cancelled, or its process has ended without a word."""
        films, told, begun = self._services.films, 0.0, time.monotonic()
        while not self._stop.is_set() and time.monotonic() - begun < LONGEST_S:
            if not ours.poll(TOLD_EVERY_S):
                if not films.tell(film_id, told, at=datetime.now(UTC)):
                    return
                continue
            try:
                word, value = ours.recv()
            except (EOFError, OSError):
                log.warning("the process of a film ended without an answer", film_id=film_id)
                break
            if word == "progress":
                if value - told >= 0.02 and not films.tell(film_id, value, at=datetime.now(UTC)):
                    return
                told = max(told, value) if value - told >= 0.02 else told
            elif word == "done":
                films.finish(
                    film_id, {kind: Path(path).read_bytes() for kind, path in value.items()}, at=datetime.now(UTC)
                )
                return
            else:
                films.fail(film_id, *value, at=datetime.now(UTC))
                return
        films.give_back(film_id, at=datetime.now(UTC))
