"""Whom the agent may know: the consenting members' templates, asked of the api again and again."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from vision.adapt import Sample
from vision.errors import AgentError
from vision.gallery import Gallery
from vision.pipeline import EMPTY
from vision.stages.detect import Zone

GOOD_FOR_S = 300.0
"""Whom the api has not confirmed for so long is nobody: a withdrawal may not wait for a broken network."""
LEAST_SKEW_S = 2.0
_REFUSALS = frozenset({401, 403, 404, 409, 410})
"""Answers that say that this camera may know nobody (any more): it forgets at once."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the api told about consent, and when, in seconds of the feed's clock."""

    gallery: Gallery
    expression_members: frozenset[str]
    expression_notice: bool
    etag: str
    at: float


NOBODY = Known(EMPTY, frozenset(), expression_notice=False, etag="", at=float("-inf"))


class Feed:
    """Asks as the kiosk whose device key `client` carries. `model`: the engine's name; templates of another are useless."""

    def __init__(
        self, client: httpx.Client, kiosk: str, model: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._kiosk, self._model, self._clock = client, kiosk, model, clock
        self.known = self._of_frame = NOBODY
        self.excluded: Sequence[Zone] = ()
        """Zones in which nobody may be looked at, as the api told last: they hold also while it is away, or refuses."""
        self.skew_s = 0.0
        """How far the api's clock is ahead of this machine's, to about a second; 0 while it is not known."""

    def connect(self) -> None:
        """Ask for the first time; AgentError when the api refuses or cannot be reached."""
        try:
            self.refresh()
        except httpx.HTTPStatusError as error:
            raise AgentError(
                f"the api refused: {error.response.status_code} {_detail(error.response)} Check --kiosk and --key"
            ) from error
        except httpx.HTTPError as error:
            raise AgentError(
                f"the api at {self._client.base_url} cannot be reached ({type(error).__name__}); is it running?"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AgentError(
                f"what answers at {self._client.base_url} is not the api ({type(error).__name__}); check the address"
            ) from error

    def refresh(self) -> None:
        """Ask whether something has changed. httpx.HTTPError when there is no answer, AgentError when it is of no use."""
        known, now = self.known, self._clock()
        answer = self._client.get(f"/v1/kiosks/{self._kiosk}/gallery", headers={"If-None-Match": known.etag})
        self._compare_clocks(answer)
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            self.known = replace(known, at=now)
            return
        if answer.status_code in _REFUSALS:
            self.known = NOBODY
        answer.raise_for_status()
        self.known = self._read(answer.json(), answer.headers.get("etag", ""), now)

    def at(self, now: float) -> Known:
        """Return who is known at this moment."""
        return self.known if self.age(now) < GOOD_FOR_S else NOBODY

    def for_frame(self, at: float) -> Gallery:
        """Return who is known for a frame of this moment; until the next one `may_read` answers by the same news.

        With newer permissions than its gallery a frame could take staff for a stranger.
        """
        self._of_frame = self.at(at)
        return self._of_frame.gallery

    def age(self, now: float) -> float:
        """Return how long ago the api confirmed what is known, in seconds; infinite when it never did."""
        return now - self.known.at

    def may_read(self, member_id: str | None) -> bool:
        """Whether the expression of this member, or of a stranger, may be read in the frame at hand."""
        known = self._of_frame
        return known.expression_notice if member_id is None else member_id in known.expression_members

    def ahead_s(self) -> float:
        """Return by how much this machine's clock is to be corrected: it is not known to a second, and less is no error."""
        return self.skew_s if abs(self.skew_s) >= LEAST_SKEW_S else 0.0

    def offer(self, sample: Sample) -> None:
        """Send the template of a member who was just recognised; the api decides. httpx.HTTPError when it did not arrive."""
        vector = base64.b64encode(sample.template.astype("<f4").tobytes()).decode()
        body = {
            "member_id": sample.member_id, "model": self._model, "vector": vector, "quality": round(sample.quality, 4), "live": sample.live,
        }  # fmt: skip
        self._client.post(f"/v1/kiosks/{self._kiosk}/adaptations", json=body).raise_for_status()

    def _compare_clocks(self, answer: httpx.Response) -> None:
        if "date" in answer.headers:
            self.skew_s = (parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)).total_seconds()

    def _read(self, body: dict[str, Any], etag: str, now: float) -> Known:
        if body["model"] != self._model:
            raise AgentError(
                f"the api's templates are of {body['model']}, this agent's engine is {self._model}; set AISLE_VISION_ENGINE alike"
            )
        entries = [(one["member_id"], _vector(one["vector"])) for one in body["templates"]]
        allowed = frozenset(one["member_id"] for one in body["templates"] if one["expression"])
        gallery = Gallery(entries, body["threshold"], staff=[_vector(one) for one in body.get("staff", ())])
        self.excluded = [[(float(x), float(y)) for x, y in zone] for zone in body.get("excluded", ())]
        gallery = gallery.adapting() if body.get("adaptive") else gallery
        return Known(gallery, allowed, body["expression_notice"], etag, now)


def _detail(answer: httpx.Response) -> str:
    """Return what a problem document says; nothing where it is none."""
    try:
        problem = answer.json()
    except ValueError:
        return ""
    return str(problem.get("detail", "")) if isinstance(problem, dict) else ""


def _vector(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), "<f4")
