"""What a camera made in passing, and whether it may join a member's templates. The camera's word is not enough: all is asked again."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

import numpy as np

from api.services.eyes import Eyes
from api.services.kiosk import Kiosks
from api.wiring import Services
from personalization.types import MemberId, Purpose, Subject
from stores.kiosks import Kiosk
from stores.switches import Use
from stores.templates import Kind
from vision.adapt import Sample, Verdict, judge, sound
from vision.faces import Template

NOT_HERE = "not greeted here now"
OFF = "switched off"
NOT_YET = "one was taken today"


class Adapting:
    """Judges samples, and stores those that are plainly the member's."""

    def __init__(self, services: Services, eyes: Eyes, displays: Kiosks) -> None:
        self._services, self._eyes, self._displays = services, eyes, displays

    def consider(self, kiosk: Kiosk, sample: Sample, model: str) -> str:
        """Return what became of the sample: "taken", or why not.

        The member must be greeted by this kiosk now, by what is switched on and agreed to, and must not have said "not me".
        """
        services, now = self._services, datetime.now(UTC)
        uses = services.switches.uses(kiosk.store_id)
        if not services.settings.vision_adaptive or not {Use.RECOGNITION, Use.ADAPTATION} <= uses:
            return OFF
        member_id = MemberId(sample.member_id)
        granted = services.consents.granted(Subject(member_id), at=now)
        if Purpose.FACE_RECOGNITION not in granted or member_id not in self._displays.known(kiosk):
            return NOT_HERE
        if model != self._eyes.engine.name:
            return Verdict.MALFORMED
        kept = services.templates.of_member(member_id, model)
        enrolled = [one.vector for one in kept if one.kind is Kind.ENROLLED]
        if not sound(sample.template, enrolled):
            return Verdict.MALFORMED
        verdict = judge(
            sample, enrolled=enrolled, adapted=[one.vector for one in kept if one.kind is Kind.ADAPTED],
            beside=self._eyes.galleries().everybody.beside(sample.template, member_id), threshold=self._eyes.threshold,
            needs_life=services.settings.vision_liveness != "none",
        )  # fmt: skip
        if verdict is not Verdict.TAKEN:
            return verdict
        taken = services.templates.adapt(member_id, sample.template, model=model, at=now, store_id=kiosk.store_id)
        return verdict if taken else NOT_YET


def vector_of(text: str) -> Template:
    """Return the template that base64 of little-endian float32 holds; an empty one where it holds none."""
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
    except (binascii.Error, ValueError):
        return np.zeros(0, np.float32)
