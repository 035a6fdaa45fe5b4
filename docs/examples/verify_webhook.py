"""Verify a webhook of Aisle with Python's own library (the package `standardwebhooks` does the same)."""

import base64
import hmac
import time


def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether `body`, as it came and not parsed, is Aisle's and at most five minutes old. Names of headers in lower case."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mine = "v1," + base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return fresh and any(hmac.compare_digest(mine, one) for one in headers["webhook-signature"].split())
