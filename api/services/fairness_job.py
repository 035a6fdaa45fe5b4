"""The fairness audit as a job: it takes a while, so it runs on a thread, and what it finds is kept."""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime
from typing import Any

import structlog

from api.services.fairness import Audited, run
from api.wiring import Services
from personalization.trust.fairness import Finding, read_policy
from personalization.trust.fairness_page import overall

log = structlog.get_logger(__name__)


def begin(services: Services, *, days: int, author: str) -> bool:
    """Start an audit; False while another runs, here or in another process."""
    report_id = services.fairness_reports.begin(days, author, at=datetime.now(UTC))
    if report_id is None:
        return False
    in_background(services, report_id, days)
    return True


def in_background(services: Services, report_id: str, days: int) -> None:
    """Work on a thread of its own."""
    threading.Thread(target=work, args=(services, report_id, days), daemon=True, name="fairness").start()


def work(services: Services, report_id: str, days: int) -> None:
    """Run the audit and keep what it finds; whatever goes wrong ends it as failed."""
    body = None
    try:
        found = run(services.db, read_policy(), now=datetime.now(UTC), days=days)
        body = told_of(found)
    except Exception:
        log.exception("the fairness audit failed", report_id=report_id)
    services.fairness_reports.end(report_id, body, at=datetime.now(UTC))


def told(services: Services) -> dict[str, Any]:
    """Return the latest audit that came to an end, and how the newest one stands."""
    done, last = services.fairness_reports.latest(now=datetime.now(UTC))
    report = None
    if done is not None and done.body is not None:
        report = {
            "report_id": done.report_id, "at": done.at.isoformat(), "days": done.days, "author": done.author, **done.body,
        }  # fmt: skip
    return {
        "report": report,
        "running": last is not None and last.state == "running",
        "failed": last is not None and last.state == "failed",
    }


def told_of(found: Audited) -> dict[str, Any]:
    """Return what an audit found, as it is kept and answered."""
    return {
        "decisions": found.decisions, "summary": overall(found.findings), "price": found.price,
        "findings": [_finding(one) for one in found.findings],
    }  # fmt: skip


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "measure": one.measure, "attribute": one.attribute, "unit": one.unit, "overall": _known(one.overall),
        "within": one.limit.within if one.limit else None, "how": one.limit.how if one.limit else "relative", "gap": _known(one.gap),
        "low": _known(one.low), "high": _known(one.high), "difference": _known(one.difference), "verdict": one.verdict,
        "sentence": one.sentence, "reversed_in_segments": list(one.reversed_in_segments),
        "groups": [
            {"group": each.group, "members": int(each.members), "rows": int(each.rows), "mean": _known(each.mean), "off": _known(each.off),
             "low": _known(each.low), "high": _known(each.high), "judged": bool(each.judged)}
            for each in one.figures
        ],
    }  # fmt: skip


def _known(value: float) -> float | None:
    """Return a number that JSON has; None for what cannot be told, such as an interval of one member."""
    return float(value) if math.isfinite(value) else None
