"""A film made in a process of its own: what is needed travels as plain data, progress comes back through a pipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from personalization.creative.audio import Track, read_track
from personalization.creative.brand import BrandKit
from personalization.creative.errors import CreativeError
from personalization.creative.film import film_id, make_film
from personalization.creative.picture import drawing, read_picture
from personalization.creative.poster import Material
from personalization.creative.provenance import Signer, signed
from personalization.creative.space import CreativeSpec
from personalization.creative.studio import Design
from personalization.creative.tune import tune
from personalization.creative.words import Facts, Message

Told = tuple[str, Any]
"""("progress", share), ("done", formats to paths), or ("failed", (code, message))."""


@dataclass(frozen=True, slots=True)
class FilmJob:
    """All that makes a film: `told` is plain data (spec, facts, message, language, name of a drawing, seed of a tune); files are bytes."""

    told: Mapping[str, Any]
    picture: bytes | None
    track: bytes | None

    @property
    def design(self) -> Mapping[str, Any]:
        """The part that names the design."""
        told: Mapping[str, Any] = self.told["design"]
        return told

    def made_of(self, brand: BrandKit) -> tuple[Design, Track]:
        """Return the design and the track."""
        told, licence = self.design, str(self.told.get("licence", ""))
        declared = str(self.told.get("picture_licence", licence))
        picture = read_picture(self.picture, licence=declared) if self.picture is not None else drawing(told["drawing"])
        ids = str(self.told.get("campaign_id", "")), str(self.told.get("variant_id", ""))
        variant = ids if all(ids) else None
        material = Material(Facts(**told["facts"]), Message(**told["message"]), picture, brand, told["language"])
        track = read_track(self.track, licence=licence) if self.track is not None else tune(self.told["tune"])
        return Design(CreativeSpec(told["choices"], told.get("version", "1")), material, variant), track


def film_job(
    design: Design,
    *,
    track: Track,
    seconds: float,
    height: int,
    picture_name: str,
    tune_seed: int,
    files: tuple[bytes | None, bytes | None],
    about: Mapping[str, str],
) -> tuple[str, FilmJob]:
    """Return a film's id and the job that makes it.

    `files` are picture and track as they came, None for a drawing and a made tune; `about` says their licence, of which product and variant
    the film is, and who approved it.
    """
    of = design.material
    told = {
        "design": {
            "choices": dict(design.spec.choices), "version": design.spec.version, "facts": asdict(of.facts), "message": asdict(of.message), "language": of.language,
            "drawing": picture_name,
        },
        "brand": of.brand.digest,
        "seconds": seconds, "height": height, "tune": tune_seed, **about,
    }  # fmt: skip
    return film_id(design, track, seconds, height, about.get("approved_by", "")), FilmJob(told, *files)


def run(connection: Any, job: FilmJob, brand: BrandKit, folder: str, signer: Signer) -> None:
    """Make the film and tell of it; the target of a process. It yields to whatever answers shoppers."""
    os.nice(10)

    def sign(content: bytes, kind: str, design: Design, track: Track) -> bytes:
        return signed(content, kind, design, signer, track=track, approved_by=job.told.get("approved_by", ""))

    try:
        design, track = job.made_of(brand)
        film = make_film(
            design, Path(folder), track=track, seconds=job.told["seconds"], height=job.told["height"],
            progress=lambda share: connection.send(("progress", share)), kept_in=Path(folder).parent / "beats", sign=sign,
        )  # fmt: skip
        connection.send(("done", {kind: str(path) for kind, path in film.files.items()}))
    except CreativeError as error:
        connection.send(("failed", (error.code, str(error))))
    except BrokenPipeError:
        return  # nobody waits for it any more
    finally:
        connection.close()
