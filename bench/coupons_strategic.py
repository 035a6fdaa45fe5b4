"""Strategic shoppers: what they gain by learning, with the allocator's defences and without (issue item "strategic shoppers")."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from time import process_time

import numpy as np
from scipy import stats

from bench.coupons_learners import PER, VISITS, Found, Learning, exploit
from bench.coupons_plans import PLANS, best_plan
from bench.coupons_shopping import Floats, World
from bench.coupons_shops import Defended, NoCoupons, OnlyPenalised, OnlyPromise, Shop, Undefended
from bench.plot import points_svg
from bench.report import ROOT, Metric, progress

SEED, SEEDS, POPULATIONS = 7_000, 8, 4
CURVE = (2_000, 5_000, 10_000, 20_000, VISITS, 200_000)
AT = CURVE.index(VISITS)
PAGE = ROOT / "docs" / "benchmarks"
USUAL, OTHER = Learning(), Learning(tries=0.1, patience=0.98, decay=0.6, rich=True)
# Learners and worlds that nothing was chosen on
UNSEEN: dict[str, tuple[World, Learning]] = {
    "other learners: richer state, more patient, fewer tries, slower to settle": (World(), OTHER),
    "hasty learners: patience 0.9, tries 0.4": (World(), Learning(tries=0.4, patience=0.9)),
    "wishes wait twice as long": (World(dropped=0.025), USUAL),
    "wishes come and go fast": (World(comes=0.5, dropped=0.15), USUAL),
    "profiles tell nothing": (World(known=0.0), USUAL),
    "prices of money move twice as much": (World(price_noise=0.4), USUAL),
    "twice the budget": (World(budget=40.0), USUAL),
    "margin 45 %": (World(margin=0.45), USUAL),
}


@cache
def found(
    kind: type[Shop], world: World, how: Learning, curve: tuple[int, ...] = (VISITS,), seeds: int = SEEDS
) -> Found:
    """Return the study of one shop; with one seed, of eight populations and a shop that fewer shoppers taught."""
    started = process_time()
    few = seeds == 1
    parts = [
        exploit(
            kind,
            SEED + 100 * s,
            world=world,
            how=how,
            populations=8 if few else POPULATIONS,
            curve=curve,
            size=2_000 if few else 4_000,
        )
        for s in range(seeds)
    ]
    progress(f"coupons: learners against {kind.__name__}, {process_time() - started:.0f} s")
    return Found.joined(parts)


def interval(values: Floats) -> tuple[float, tuple[float, float]]:
    """Return the mean of (seeds, populations) and its 95 % interval (Student's t), over seeds, or over one seed's populations."""
    each = values.mean(axis=1) if len(values) > 1 else values[0]
    wide = float(stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each)))
    mean = float(each.mean())
    return round(mean, 4), (round(mean - wide, 4), round(mean + wide, 4))


def metrics(quick: bool, _data: Path | None) -> Iterator[Metric]:
    """Yield coupons.strategic_gain and coupons.strategic_gain_undefended."""
    for name, kind in (("coupons.strategic_gain", Defended), ("coupons.strategic_gain_undefended", Undefended)):
        study = found(kind, World(), USUAL, seeds=1) if quick else found(kind, World(), USUAL, CURVE)
        at = 0 if quick else AT
        value, between = interval(study.gain[:, at])
        populations = study.honest[:, at].size
        about = f"{populations} populations of {PER} Q-learners after {VISITS:,} visits each, {len(study.gain)} seeds; simulated shoppers"
        beside = {"honest shoppers' utility": round(float(study.honest[:, at].mean()), 1), "learners' utility": round(float(study.learned[:, at].mean()), 1),
                  "profit of honest": round(float(study.profit_honest[:, at].mean()), 1), "profit of learners": round(float(study.profit_learned[:, at].mean()), 1)}  # fmt: skip
        yield Metric(name, value, "share", populations * VISITS, about, between, beside, SEED)


def section(folder: Path = PAGE) -> Iterator[str]:
    """Yield the page's lines, of the full protocol, and write the learning curves beside it."""
    undefended, defended = (found(kind, World(), USUAL, CURVE) for kind in (Undefended, Defended))
    yield from ("", "## Shoppers who learn to wait", "", *_ABOUT, "")
    yield "| shop | honest shoppers' utility | learners' utility | profit of honest | profit of learners | gain after 50,000 visits |"
    yield "|---|---|---|---|---|---|"
    shops: dict[str, tuple[Found, int]] = {
        "defended": (defended, AT),
        "undefended": (undefended, AT),
        "undefended, with the dependence term alone": (found(OnlyPenalised, World(), USUAL), 0),
        "promise and dependence, without credit": (found(OnlyPromise, World(), USUAL), 0),
        "no coupons at all (what learners can gain there is nothing)": (found(NoCoupons, World(), USUAL), 0),
    }
    for name, (study, at) in shops.items():
        means = (
            getattr(study, part)[:, at].mean() for part in ("honest", "learned", "profit_honest", "profit_learned")
        )
        yield f"| {name} | {' | '.join(f'{mean:.1f}' for mean in means)} | {_told(study.gain[:, at])} |"
    yield from (
        "",
        "Utility and profit are minor units per shopper and half week.",
        "",
        _price_of_defence(undefended, defended),
        "",
    )
    yield "| not chosen on | undefended | defended |"
    yield "|---|---|---|"
    yield f"| four times the visits (200,000) | {_told(undefended.gain[:, -1])} | {_told(defended.gain[:, -1])} |"
    for name, (world, how) in UNSEEN.items():
        gains = (_told(found(kind, world, how).gain[:, 0]) for kind in (Undefended, Defended))
        yield f"| {name} | {' | '.join(gains)} |"
    plans = (
        _told(np.array([[best_plan(kind, SEED + 100 * s, world=World())] for s in range(SEEDS)]))
        for kind in (Undefended, Defended)
    )
    yield f"| the best of {len(PLANS)} fixed plans, chosen for each kind of shopper on others | {' | '.join(plans)} |"
    series = {
        name: [(visits / 1_000, 100 * float(gain), f"{name}: {gain:+.1%}" if visits == CURVE[-1] else "")
               for visits, gain in zip(CURVE, study.gain.mean(axis=(0, 2)), strict=True)]
        for name, study in (("defended", defended), ("undefended", undefended))
    }  # fmt: skip
    (folder / "coupons-strategic.svg").write_text(
        points_svg("What learning brings", series, "thousand visits of a population", "gain over honest shoppers, %", joined=set(series))
    )  # fmt: skip
    yield from ("", "![Gain over honest shoppers by visits](coupons-strategic.svg)", "")


def _told(gains: Floats) -> str:
    mean, (low, high) = interval(gains)
    return f"{mean:+.1%} ({low:+.1%} to {high:+.1%})"


def _price_of_defence(undefended: Found, defended: Found) -> str:
    """Return in words what the defence costs and from which share of strategic shoppers on it pays."""
    u, d = (
        [float(part[:, AT].mean()) for part in (s.profit_honest, s.profit_learned, s.honest)]
        for s in (undefended, defended)
    )
    lost, saved = u[0] - d[0], d[1] - u[1]
    pays = (
        f"it pays from {lost / (lost + saved):.0%} of strategic shoppers on"
        if saved > 0
        else "it never pays by profit alone"
    )
    return (
        f"The price of the defence: of honest shoppers the shop earns {d[0] / u[0] - 1:+.1%}, because it gives up telling the undecided from the "
        f"rest by letting them leave; of learners {d[1] / u[1] - 1:+.1%}. In this market {pays}. Honest shoppers have {d[2] / u[2] - 1:+.1%}."
    )


_ABOUT = (
    "Simulated: shoppers with private wishes that wait for some weeks; they visit, see an offer, and leave, buy at full price or redeem.",
    f"Populations of {PER} tell each other what they learn (Q-learning over afterstates, a table per kind of shopper). Both shops are the same",
    "allocator (`dual.choose` at the price of the same budget, responses learned from the randomised share of honest shoppers) with the same",
    "profile. The undefended one decides each visit for margin, knowing visits without purchase, refused coupons and the share of purchases with",
    "coupons; nobody told it to reward hesitation, its data did. The defended one decides once a spell within promise and credit",
    "(`personalization/coupons/commitment.py`), for margin and lifetime value with the dependence score. Gain: mean of worth - price + discount of",
    "the learned policy over that of shoppers who buy as soon as it is worth it, same wishes, less 1; defined before measuring. The market (how",
    "often wishes come and go, margin, budget, how much a profile tells) was chosen on other seeds so that both shops have reason to give coupons and",
    "waiting can pay at all: where wishes come so often that a wait costs a purchase, there is little to exploit in any shop (below). It is no",
    "estimate of how many real shoppers wait. The promise alone stops waiting here; the credit is what caps a member's coupons.",
)  # fmt: skip
