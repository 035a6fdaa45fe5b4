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
AGAIN_S, RECHECK_S = 0.25, 5.0
MISSES = 2
"""Looks in a row at somebody who is not like whom they are taken for, until they are nobody: the tracker may have swapped people."""
FAR = 0.5
"""Less alike than this share of the threshold, one such look is enough."""
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
            track.forget_identity(staff=track.staff and gallery.has_staff)

    def _wants(self, track: Track, at: float) -> bool:
        if track.face is None or track.quality is None or (self._waits and track.live is not True):
            return False
        score, since = track.quality.score, at - track.looked
        if score < LEAST:
            return False
        if track.looks == 0 or track.doubted or since >= RECHECK_S:
            return True
        if track.misses:
            return since >= AGAIN_S
        if track.member_id is not None or track.staff or track.looks >= LOOKS:
            return score > BETTER * track.best
        return since >= AGAIN_S

    def _look(self, track: Track, look: Look, gallery: Gallery) -> None:
        if track.face is None or track.quality is None:
            return
        template = self._engine.embed(look.frame, track.face)
        first, track.looks, track.looked = track.looks == 0, track.looks + 1, look.at
        track.best = max(track.best, track.quality.score)
        found = gallery.match(template)
        if found is None:
            self._missed(track, template, gallery)
        elif self._waits and not first and found.member_id not in {None, track.member_id}:
            track.forget_identity()  # whoever proved to be alive was somebody else: a picture may be held before their face
            track.doubt()
        else:
            track.name(found.member_id, None if found.staff else found.similarity, staff=found.staff)
            self._alone(track, look)
            self._sample(track, template, gallery)
        track.doubted = False

    @staticmethod
    def _missed(track: Track, template: Template, gallery: Gallery) -> None:
        """Somebody like nobody: one worse crop says nothing against a name, a second one or somebody quite unlike does."""
        if track.member_id is None and not track.staff:
            return
        own = gallery.alike(template, track.member_id)
        track.misses += 1
        if track.doubted or track.misses >= MISSES or own < FAR * gallery.threshold:
            track.name(None)

    @staticmethod
    def _alone(track: Track, look: Look) -> None:
        """Nobody is in two places: of several who are taken for one member, the most alike of those in sight is."""
        same = [one for one in look.tracks if one.member_id is not None and one.member_id == track.member_id]
        if same:
            best = max(same, key=lambda one: (one.face is not None, one.similarity or 0.0))
            for one in same:
                if one is not best:
                    one.name(None)

    @staticmethod
    def _sample(track: Track, template: Template, gallery: Gallery) -> None:
        """Keep the template of a member who was plainly recognised, once for each time that they are here."""
        if not gallery.adaptive or track.sampled or track.member_id is None or track.quality is None:
            return
        if worth(track.similarity or 0.0, track.quality.score, gallery.threshold):
            track.sample, track.sampled = Sample(track.member_id, template, track.quality.score, track.live), True
