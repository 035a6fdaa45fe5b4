"""The page of `/docs`: Swagger UI from our own build, under a policy that lets it do nothing else."""

from __future__ import annotations

import secrets

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter()
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-NONCE'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Aisle: the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/assets/docs/swagger-ui-bundle.js"></script>
<script nonce="NONCE">SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true})</script>
</body>
</html>
"""


@router.get("/docs", include_in_schema=False)
async def page() -> HTMLResponse:
    """Return the page."""
    nonce = secrets.token_urlsafe(16)
    return HTMLResponse(
        _PAGE.replace("NONCE", nonce), headers={"Content-Security-Policy": _POLICY.replace("NONCE", nonce)}
    )
