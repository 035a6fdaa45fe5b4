"""What schemathesis loads (SCHEMATHESIS_HOOKS): counts each request by its operation and the status of its answer, for `bench.trust_requests`."""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis

COUNTS = "AISLE_BENCH_COUNTS"
"""Names the file that the counts are written to when schemathesis ends."""
_seen = Counter[tuple[str, int]]()
_lock = threading.Lock()


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count one answer."""
    with _lock:
        _seen[case.operation.label, int(response.status_code)] += 1


@atexit.register
def _write() -> None:
    if COUNTS in os.environ:
        rows = [[label, status, times] for (label, status), times in sorted(_seen.items())]
        Path(os.environ[COUNTS]).write_text(json.dumps(rows), encoding="utf-8")
