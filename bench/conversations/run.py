"""Plays many scripts, several at once, and tells how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from bench.conversations.live import Shop
from bench.conversations.outcomes import Outcomes
from bench.conversations.play import Player, Result
from bench.conversations.script import Script

Progress = Callable[[str, int, int], None]


def play(
    scripts: Sequence[Script], shop: Shop, outcomes: Outcomes, *, at_once: int = 1, progress: Progress = lambda *_: None
) -> list[Result]:
    """Return the results in the order of the scripts. Each member is used by one script, as far as there are enough."""
    player = Player(outcomes, shop.sells)
    found: dict[str, Result] = {}
    with ThreadPoolExecutor(at_once) as pool:
        waiting = {pool.submit(player.play, script, shop.talk(script.who)): script for script in scripts}
        for done in as_completed(waiting):
            result = done.result()
            found[result.script.id] = result
            progress(f"{result.script.topic}: {result.script.id}", len(found), len(scripts))
    return [found[script.id] for script in scripts]


def chosen(
    scripts: Sequence[Script], *, split: str = "all", topics: Sequence[str] = (), ids: Sequence[str] = ()
) -> list[Script]:
    """Return the scripts of a split, of some topics, or of some ids."""
    return [
        script
        for script in scripts
        if split in {"all", script.split} and (not topics or script.topic in topics) and (not ids or script.id in ids)
    ]
