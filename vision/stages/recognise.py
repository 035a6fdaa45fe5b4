"""Recognition once per track, and again only when a better crop appears."""

from __future__ import annotations

from collections.abc import Callable

from vision.adapt import Sample, worth
from vision.engines import FaceEngine
from vision.faces import Template
from vision.gallery import Gallery
from vision.graph import Look
from vision.quality import LEAST
from vision.tracks import Track

BETTER = 1.25
"""A crop is worth another look when it is this much better than the best before."""
LOOKS = 8
"""Looks after which somebody who was not recognised counts as a stranger, and is left alone for a while."""
AGAIN_S, RECHECK_S = 0.25, 10.0
PER_FRAME = 1
"""Templates made per frame: with many newcomers at once they take turns, so that a frame's time stays flat."""


class Recognise:
    """`waits_for_life`: with a liveness plug-in nobody is recognised before they are known to be alive."""

    name = "recognise"

    def __init__(self, engine: FaceEngine, gallery: Callable[[], Gallery], *, waits_for_life: bool) -> None:
        self._engine, self._gallery, self._waits = engine, gallery, waits_for_life
        self._known: Gallery | None = None

    def __call__(self, look: Look) -> None:
        """Put who it is into the tracks. A changed gallery counts from this frame on."""
        gallery = self._gallery()
        if gallery is not self._known:
            self._known = gallery
            for track in look.tracks:
                self._gallery_changed(track, gallery)
        if not len(gallery):
            return
        waiting = [track for track in look.tracks if self._wants(track, look.at)]
        for track in sorted(waiting, key=lambda track: (track.looks, -track.area))[:PER_FRAME]:
            self._look(track, look, gallery)

    @staticmethod
    def _gallery_changed(track: Track, gallery: Gallery) -> None:
        if track.member_id is None or track.member_id not in gallery.members:
            track.forget_identity()

    def _wants(self, track: Track, at: float) -> bool:
        if track.face is None or track.quality is None or (self._waits and track.live is not True):
            return False
        score, since = track.quality.score, at - track.looked
        if score < LEAST:
            return False
        if track.looks == 0 or track.doubted or since >= RECHECK_S:
            return True
        if track.member_id is not None or track.staff or track.looks >= LOOKS:
            return score > BETTER * track.best
        return since >= AGAIN_S

    def _look(self, track: Track, look: Look, gallery: Gallery) -> None:
        if track.face is None or track.quality is None:
            return
        template = self._engine.embed(look.frame, track.face)
        track.looks, track.looked = track.looks + 1, look.at
        better = track.quality.score >= track.best
        track.best = max(track.best, track.quality.score)
        found = gallery.match(template)
        if found is not None:
            track.member_id, track.staff = found.member_id, found.staff
            track.similarity = None if found.staff else found.similarity
            self._sample(track, template, gallery)
        elif (
            better or track.doubted
        ):  # else a worse crop that is like nobody says nothing against a better one that was
            track.member_id = track.similarity = None
            track.staff = False
        track.doubted = False

    @staticmethod
    def _sample(track: Track, template: Template, gallery: Gallery) -> None:
        """Keep the template of a member who was plainly recognised, once for each time that they are here."""
        if not gallery.adaptive or track.sampled or track.member_id is None or track.quality is None:
            return
        if worth(track.similarity or 0.0, track.quality.score, gallery.threshold):
            track.sample, track.sampled = Sample(track.member_id, template, track.quality.score, track.live), True
