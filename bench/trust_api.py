"""What the API answers to requests that a generator makes of its own document, and to callers who may not ask.

Schemathesis sends valid and invalid requests, at random, at the edges of the schema, and in sequences, with every kind of credential and without one.
Left out of its checks: `positive_data_acceptance`, since rules over several fields (a campaign ends after it starts) are answered with 422 and
cannot be told in a schema; and `negative_data_rejection` where a batch is answered item by item (events, plays, Segment's routes).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from api.wiring import build_services
from bench import trust_outbox
from bench.access import ENDLESS, Cast, missing, rules, walk
from bench.profiling_models import state_dir
from bench.report import Metric, progress
from bench.stack import ApiAlone
from bench.trust_erasing import Shop
from bench.trust_shop import quiet

SEED = 7
EXAMPLES, QUICK_EXAMPLES, QUICK_S, LONGEST_S = 500, 2, 4, 420
SERVER_ERROR, IGNORED_AUTH = "ST101", "ST401"
CONFIG = """
[checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path-regex = "^/v1/(events|batch|identify|track|page|screen|alias|group|kiosks/.*/plays)$"
checks.negative_data_rejection.enabled = false
"""
OPEN_THROTTLE = {"AISLE_API_BURST": "1000000000", "AISLE_API_PER_S": "1000000"}


def metrics(*, quick: bool) -> Iterator[Metric]:
    """Yield what went wrong with generated requests, in the matrix of callers, and with events that a crash interrupts."""
    with tempfile.TemporaryDirectory(prefix="aisle-api-") as folder:
        state = Path(folder) / "var"
        state.mkdir()
        (state / "models").symlink_to((state_dir() / "models").resolve())
        services = build_services(quiet(state))
        shop = Shop(services)
        progress("every route, as everybody")
        cells, found = walk(Cast(services, shop.client))
        for one in found:
            progress(str(one))
        without, _ = missing(shop.app.openapi())
        generated = _generated(state, shop, quick)
        services.db.dispose()
    asked = generated["asked"]
    examples, seconds = (QUICK_EXAMPLES, QUICK_S) if quick else (EXAMPLES, LONGEST_S)
    about = (
        f"{asked:,} generated requests, at most {examples} examples per operation and {seconds} s per kind of caller"
    )
    yield Metric("trust.schemathesis_server_errors", generated[SERVER_ERROR], "errors", asked, about, seed=SEED)
    others = sum(n for name, n in generated.items() if name not in {SERVER_ERROR, IGNORED_AUTH, "asked"})
    yield Metric("trust.schemathesis_violations", others, "answers that are not as documented", asked, about, seed=SEED)
    let_in = sum(one.kind == "let in" for one in found) + generated[IGNORED_AUTH]
    kept_out = sum(one.kind != "let in" for one in found)
    yield Metric(
        "trust.auth_bypass", let_in, "bypasses", cells + asked, f"{cells:,} cells of the matrix, and generated requests",
        baseline={"wrongly kept out": kept_out},
    )  # fmt: skip
    yield Metric("trust.routes_without_matrix_entry", len(without), "routes", len(rules()), "bench/access.yml")
    yield from trust_outbox.metrics(quick)


def _generated(state: Path, shop: Shop, quick: bool) -> Counter[str]:
    """Return how often each check failed, and as "asked" how many requests were sent."""
    member = shop.member(1)
    kiosk = shop.post("/v1/kiosks", {"name": "door"})
    token = shop.post("/v1/widget-tokens", {"member_id": member})["token"]
    callers = {
        "": [rule.path for rule in rules()],
        shop.key: [rule.path for rule in rules() if rule.scope or rule.takes == "open"],
        token: [rule.path for rule in rules() if rule.takes.startswith(("visitor", "member"))],
        kiosk["device_key"]: [rule.path for rule in rules() if rule.takes == "device"],
    }
    total = Counter({"asked": 0, SERVER_ERROR: 0, IGNORED_AUTH: 0})
    with ApiAlone(state, environment={"AISLE_DEMO": "false", "AISLE_WORKER": "external", **OPEN_THROTTLE}) as api:
        for bearer, paths in callers.items():
            known = {"kiosk_id": kiosk["kiosk_id"]} if bearer == kiosk["device_key"] else {}
            served = [path for path in dict.fromkeys(paths) if not (bearer and path in ENDLESS)]
            progress(f"generated requests to {len(served)} addresses {'with' if bearer else 'without'} a credential")
            total += _schemathesis(api.url, state.parent, bearer, served, known, quick)
    return total


def _schemathesis(
    url: str, folder: Path, bearer: str, paths: Sequence[str], known: dict[str, str], quick: bool
) -> Counter[str]:
    config, report = folder / "schemathesis.toml", folder / "report.json"
    parameters = "".join(f'[parameters]\n"path.{name}" = "{value}"\n' for name, value in known.items())
    config.write_text(parameters + CONFIG, encoding="utf-8")
    report.unlink(missing_ok=True)
    phases = "fuzzing" if quick else "examples,coverage,fuzzing,stateful"
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run", f"{url}/openapi.json", "--max-examples", str(QUICK_EXAMPLES if quick else EXAMPLES), "--phases", phases, "--no-shrink",
        "--generation-database", "none", "--seed", str(SEED), "--workers", "2", "--continue-on-failure", "--no-color", "--report-json-path", str(report),
        "--max-time", str(QUICK_S if quick else LONGEST_S), "--suppress-health-check", "all",
        "--include-path-regex", f"^({'|'.join(map(re.escape, paths))})$",
        *(["-H", f"Authorization: Bearer {bearer}"] if bearer else []),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if not report.exists():
        raise RuntimeError(f"schemathesis ended without a report: {(done.stderr or done.stdout).strip()[-400:]}")
    return _counted(json.loads(report.read_text(encoding="utf-8")))


def _counted(report: dict[str, Any]) -> Counter[str]:
    """Return failures by their code; what the run itself stumbled over counts as a violation."""
    found = Counter({"asked": int(report["test_cases"]["generated"])})
    if report["stop_reason"] == "max_time":
        progress(f"the time was up after {found['asked']:,} requests")
    for failure in report["failures"]:
        found[failure["code"]] += int(failure["count"])
        progress(f"{failure['code']} {failure['title']}: {', '.join(failure['operations'])[:300]}")
    for error in report["errors"]:
        found["errors"] += int(error["count"])
        progress(f"schemathesis: {error['title']}")
    return found
