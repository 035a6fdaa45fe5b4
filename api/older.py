"""What has a better successor works on for at least a year (docs/api.md), and whoever uses it is told (RFC 9745)."""

from __future__ import annotations

from datetime import UTC, datetime

SINCE = datetime(2026, 11, 27, tzinfo=UTC)
FIELDS = {"Deprecation": f"@{int(SINCE.timestamp())}", "Link": '</docs>; rel="deprecation"; type="text/html"'}
"""Of an answer to a request that used it."""
SUCCESSORS = {"after": "`cursor`", "key": "the `Authorization` field", "token": "the `Authorization` field"}
"""By the name of the parameter."""
