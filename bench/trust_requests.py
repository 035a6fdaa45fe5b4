"""Requests that schemathesis generates of a server's own document, for one caller at a time, and what was wrong with the answers.

Left out of its checks: `positive_data_acceptance`, since rules over several fields (a campaign ends after it starts) are answered with 422 and
cannot be told in a schema; and `negative_data_rejection` where a batch is answered item by item (events, plays, Segment's routes), and where the
generator writes `false` for a list of ids in the address, which is the list of the id "false" there.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import trust_hooks
from bench.report import ROOT, progress

SERVER_ERROR, IGNORED_AUTH = "ST101", "ST401"
TOO_MANY = 429
CONFIG = """
[checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path-regex = "^/v1/(events|batch|identify|track|page|screen|alias|group|kiosks/.*/plays|campaign-products)$"
checks.negative_data_rejection.enabled = false
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the fields that each request carries, the operations ("GET /v1/members"), and ids that are there."""

    name: str
    headers: Mapping[str, str]
    operations: Sequence[str]
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effort:
    """How many examples of each operation, in which of schemathesis's phases; with `seconds` for so long, whatever has been asked by then."""

    examples: int
    seconds: int | None = None
    phases: str = "examples,coverage,fuzzing,stateful"
    seed: int = 7


@dataclass
class Tally:
    """What was asked and what was found. `wrong`: failures by schemathesis's codes; `seldom`: operations that one caller asked less often than `examples`."""

    asked: int = 0
    throttled: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    seldom: int = 0
    operations: int = 0

    @property
    def server_errors(self) -> int:
        """Answers that were errors of the server's own."""
        return self.wrong[SERVER_ERROR]

    @property
    def ignored_auth(self) -> int:
        """Answers that needed no credential though the document asks for one."""
        return self.wrong[IGNORED_AUTH]

    @property
    def violations(self) -> int:
        """Everything else that was not as documented, and what the run itself stumbled over."""
        return self.wrong.total() - self.server_errors - self.ignored_auth

    def __iadd__(self, other: Tally) -> Tally:
        self.asked += other.asked
        self.throttled += other.throttled
        self.wrong += other.wrong
        self.seldom += other.seldom
        self.operations += other.operations
        return self


def ask(url: str, folder: Path, caller: Caller, effort: Effort) -> Tally:
    """Ask for everything that `caller` is for; RuntimeError where schemathesis leaves no report. `folder` is for its files."""
    config, report, counts = (folder / name for name in ("schemathesis.toml", "report.json", "counts.json"))
    parameters = "".join(f'[parameters]\n"path.{name}" = "{value}"\n' for name, value in caller.known.items())
    # as the credential that the document asks for: a field of every request would be there, too, where the generator leaves it out
    session = caller.headers.get("Cookie", "").partition("=")[2]
    signed_in = f'[auth.openapi.staffSession]\napi_key = "{session}"\n' if session else ""
    config.write_text(parameters + signed_in + CONFIG, encoding="utf-8")
    for left in (report, counts):
        left.unlink(missing_ok=True)
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run", f"{url}/openapi.json", "--max-examples", str(effort.examples),
        "--phases", effort.phases, "--no-shrink", "--generation-database", "none", "--seed", str(effort.seed), "--workers", "2", "--continue-on-failure",
        "--no-color", "--report-json-path", str(report), "--suppress-health-check", "all",
        *(() if effort.seconds is None else ("--max-time", str(effort.seconds))), "--include-name-regex", f"^({'|'.join(map(re.escape, caller.operations))})$",
        *(part for name, value in caller.headers.items() if name != "Cookie" for part in ("-H", f"{name}: {value}")),
    ]  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "SCHEMATHESIS_HOOKS": trust_hooks.__name__,
        trust_hooks.COUNTS: str(counts),
    }
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    if not report.exists() or not counts.exists():
        raise RuntimeError(f"schemathesis ended without a report: {(done.stderr or done.stdout).strip()[-400:]}")
    told, rows = (json.loads(file.read_text(encoding="utf-8")) for file in (report, counts))
    if told["failures"] or told["errors"]:
        kept = Path(tempfile.gettempdir()) / f"schemathesis-{caller.name.replace(' ', '-')}.txt"
        kept.write_text(done.stdout, encoding="utf-8")
        progress(f"the requests that were answered wrongly: {kept}")
    return tallied(told, rows, caller, effort.examples)


def tallied(report: Mapping[str, Any], rows: Sequence[Sequence[Any]], caller: Caller, examples: int) -> Tally:
    """Return what a report says, with the `rows` of `bench.trust_hooks`: operation, status, how often."""
    found, times = Tally(operations=len(set(caller.operations))), Counter[str]()
    for label, status, count in rows:
        times[label] += count
        found.asked += count
        found.throttled += count if status == TOO_MANY else 0
    seldom = sorted(label for label in set(caller.operations) if times[label] < examples)
    found.seldom = len(seldom)
    if report["stop_reason"] == "max_time":
        progress(f"the time was up after {found.asked:,} requests")
    for failure in report["failures"]:
        found.wrong[failure["code"]] += int(failure["count"])
        progress(f"{failure['code']} {failure['title']}: {', '.join(failure['operations'])[:300]}")
    for error in report["errors"]:
        found.wrong["errors"] += int(error["count"])
        progress(f"schemathesis: {error['title']}")
    progress(
        f"{caller.name}: {found.asked:,} requests, {found.throttled:,} answered with 429; asked less than {examples} times: {', '.join(seldom)[:300] or 'none'}"
    )
    return found
