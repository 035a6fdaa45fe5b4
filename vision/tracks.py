"""What is known of one person while the camera sees them. It lives in memory only and ends when they leave."""

from __future__ import annotations

from dataclasses import dataclass, field

from vision.adapt import Sample
from vision.faces import Face
from vision.quality import Quality


@dataclass(slots=True)
class ExpressionState:
    """The expression so far, smoothed: log probabilities of the four classes and when they were last changed."""

    logs: tuple[float, ...] | None = None
    at: float = 0.0
    label: str | None = None
    """What was last told: one of the four, or None while it is not clear."""


@dataclass(slots=True)
class Track:
    """One person from their first frame to their last. Times in seconds of the pipeline's clock.

    `face` is None in a frame in which they were not found; `quality` belongs to it.
    """

    track_id: int
    since: float
    seen: float
    face: Face | None = None
    quality: Quality | None = None
    live: bool | None = None
    """Whether a living face was seen; None: not known yet."""
    staff: bool = False
    """One of the staff: nothing but recognition ever runs on them, and nobody is told of them."""
    member_id: str | None = None
    similarity: float | None = None
    looks: int = 0
    """How often recognition ran."""
    looked: float = 0.0
    best: float = 0.0
    """Quality of the best crop that recognition has seen."""
    doubted: bool = False
    """They were out of sight: somebody else may have taken their place."""
    doubts: int = 0
    """How often somebody else may have taken their place: what was known of a living face counts no more."""
    misses: int = 0
    """Looks in a row at which they were not like whom they are taken for."""
    sample: Sample | None = None
    """What recognition would add to the member's templates; handed on with this frame's observation."""
    sampled: bool = False
    expression: ExpressionState = field(default_factory=ExpressionState)

    @property
    def area(self) -> float:
        """How near they are: the face's area in pixels, 0 while it is not found."""
        return self.face.area if self.face is not None else 0.0

    def doubt(self) -> None:
        """Somebody else may stand there: whether a living face was seen is asked anew."""
        self.live, self.doubts = None, self.doubts + 1

    def name(self, member_id: str | None, similarity: float | None = None, *, staff: bool = False) -> None:
        """Take them for this member, for one of the staff, or for nobody known. What was seen of somebody else's expression goes."""
        if (member_id, staff) != (self.member_id, self.staff):
            self.expression = ExpressionState()
        self.member_id, self.similarity, self.staff, self.misses = member_id, similarity, staff, 0

    def forget_identity(self, *, staff: bool = False) -> None:
        """Know nobody, and look again at the next chance; `staff`: until then they count as of the staff."""
        self.name(None, staff=staff)
        self.looks, self.best = 0, 0.0
