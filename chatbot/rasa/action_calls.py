"""How Rasa calls our actions, done with less: runs inside Rasa's own environment, with `bounded_tracker_store`.

Rasa 3.6 checks with every answer that its own schema of answers is a sound JSON schema (half of all its time for a message), and
opens a connection for every call. Here the schema is checked once, answers as before, and connections are kept.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import aiohttp
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.core.constants import DEFAULT_REQUEST_TIMEOUT
from rasa.utils.endpoints import EndpointConfig

KEPT_S = 4.0  # less than uvicorn keeps a silent connection
_connectors: list[aiohttp.TCPConnector] = []


def install() -> None:
    """Replace both steps."""
    RemoteAction._validate_action_result = _valid
    EndpointConfig.session = _session


@cache
def _validator() -> Any:
    schema = RemoteAction.action_response_format_spec()
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def _valid(_: RemoteAction, result: dict[str, Any]) -> bool:
    """Return True; raises ValidationError for what is no answer of an action."""
    _validator().validate(result)
    return True


def _session(endpoint: EndpointConfig) -> aiohttp.ClientSession:
    """Return a session on the connections of all sessions of this event loop."""
    auth = endpoint.basic_auth and aiohttp.BasicAuth(endpoint.basic_auth["username"], endpoint.basic_auth["password"])
    return aiohttp.ClientSession(
        connector=_connector(), connector_owner=False, headers=endpoint.headers, auth=auth or None,
        timeout=aiohttp.ClientTimeout(total=DEFAULT_REQUEST_TIMEOUT),
    )  # fmt: skip


def _connector() -> aiohttp.TCPConnector:
    if not _connectors or _connectors[-1].closed:
        _connectors[:] = [aiohttp.TCPConnector(keepalive_timeout=KEPT_S)]
    return _connectors[-1]
