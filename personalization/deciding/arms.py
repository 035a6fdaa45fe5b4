"""Which experiments a decision takes part in, and where the dials stand for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from personalization.deciding.dependencies import CoreDependencies
from personalization.deciding.working import Working
from personalization.experiments.spec import Experiment
from personalization.offers import Offer
from personalization.ranking.ranker import feels_below
from personalization.tuning import SHIPPED
from personalization.types import Purpose


class Arms:
    """Exposes subjects to the arms of what runs, where that can make a difference to this very answer."""

    def __init__(self, dependencies: CoreDependencies) -> None:
        self._deps = dependencies
        self._met: frozenset[str] = (
            frozenset()
        )  # campaigns for which this process has looked whether they have a holdout

    def note(self, work: Working) -> None:
        """Note the subject's arms, of experiments that can make a difference to this very answer, and what they switch off or tune."""
        experiments, tuned = self._deps.experiments, dict[str, int]()
        if experiments is None:
            self._tune(work, None)
            return
        subject, context = work.subject, work.context

        def exposed() -> None:
            concerned = [one for one in experiments.running() if _concerned(one, work)]
            for assignment in (
                experiments.expose(concerned, subject, at=context.at, channel=context.channel) if concerned else ()
            ):
                work.arms[assignment.experiment_id] = assignment.arm.name
                work.off |= assignment.arm.off()
                if assignment.arm.tuning is not None:
                    tuned[assignment.experiment_id] = assignment.arm.tuning

        work.attempt("experiments", "no experiment", exposed, None)
        self._tune(work, tuned[min(tuned)] if tuned else None)

    def held_out(self, work: Working, offers: list[Offer]) -> list[Offer]:
        """Return the offers without those of campaigns whose holdout the subject is in: whoever could get one is exposed here.

        Visitors are not: what a campaign added is told by orders, and theirs are not known.
        """
        experiments, member = self._deps.experiments, work.subject.member_id
        if experiments is None or not offers or member is None or not work.access.allows(Purpose.PROFILING):
            return offers
        campaigns = {str(offer.campaign_id) for offer in offers}
        held = _measuring(experiments.running(), campaigns)
        unknown = campaigns - self._met - {arm.without for one in held for arm in one.arms}
        if unknown:  # one that was just launched: what measures it may not be known here yet
            experiments.forget_running()
            held = _measuring(experiments.running(), campaigns)
            self._met = self._met | unknown
        if not held:
            return offers
        without = set()
        for found in experiments.expose(held, work.subject, at=work.context.at, channel=work.context.channel):
            work.arms[found.experiment_id] = found.arm.name
            without.add(found.arm.without)
        return [offer for offer in offers if offer.campaign_id not in without]

    def _tune(self, work: Working, version: int | None) -> None:
        """Set the dials: as the arm has it, else as they stand now. A caller that tries a tuning out brings its own."""
        tunings = self._deps.tunings
        if tunings is not None and work.context.tuning is SHIPPED:
            tuned = work.attempt(
                "tuning", "the dials as they ship",
                lambda: tunings.current() if version is None else tunings.version(version), SHIPPED,
            )  # fmt: skip
            work.context = replace(work.context, tuning=tuned)
        moods = work.context.tuning.moods
        if feels_below(work.context, moods.brief):
            work.context = replace(work.context, slate_size=min(work.context.slate_size, moods.short))


def _measuring(running: Sequence[Experiment], campaigns: set[str]) -> list[Experiment]:
    return [
        one for one in running if "without" in one.differs and not campaigns.isdisjoint(arm.without for arm in one.arms)
    ]


def _concerned(experiment: Experiment, work: Working) -> bool:
    """Whether the answer can differ between the arms: who cannot be treated differently must not dilute the comparison.

    Members take part with consent to profiling only.
    """
    member = work.subject.member_id is not None
    if member and not work.access.allows(Purpose.PROFILING):
        return False
    asked = {"personalize": member, "coupons": work.context.wants_coupon, "creative": work.context.wants_creative}
    differs = experiment.differs - {"without"}  # who is held out of a campaign shows when its offers are there
    if not differs:
        return not experiment.differs
    return "tuning" in differs or any(asked[name] for name in differs)
