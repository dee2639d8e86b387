"""Authorizer of the HTTP API: whose key is this, and what may it do (API 金鑰驗證).

HTTP API, payload format 2.0, simple response. Anything but one well-formed, live key is refused alike; only where the
table cannot be asked does it raise, because "no" would be a lie there: API Gateway answers 500, and a 5xx without a
code of ours means to the caller: repeat the same request.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from einvoice.api_key_store import ApiKeys
from einvoice.api_keys import parse, verify
from einvoice.clock import Clock, from_environment
from einvoice.errors import StoreUnavailable

MAX_HEADER_CHARS = 256
# API Gateway gives an authorizer 10 s; three tries, each at most 1 s + 1 s, and the pauses between end before that.
AWS_CONFIG = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 3})

logger = logging.getLogger("authorize")
logger.setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"))


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer API Gateway for one request."""
    keys, clock = _wired()
    return authorize(event, keys, clock)


def authorize(event: dict[str, Any], keys: ApiKeys, clock: Clock) -> dict[str, Any]:
    """Allow with ``merchant``, ``scopes`` (separated by spaces) and ``key_id`` in the context, or refuse."""
    presented = _bearer(event)
    key_id = parse(presented)
    if key_id is None:
        logger.info("refused: no well-formed key")
        return {"isAuthorized": False}
    try:
        record = keys.find(key_id)
    except StoreUnavailable:
        logger.exception("table unavailable, key_id=%s", key_id)
        raise
    grant = verify(presented, record, clock.now())
    if grant is None:
        logger.info("refused: unknown, wrong, expired or revoked key, key_id=%s", key_id)
        return {"isAuthorized": False}
    context = {"merchant": grant.merchant, "scopes": " ".join(grant.scopes), "key_id": grant.key_id}
    return {"isAuthorized": True, "context": context}


def _bearer(event: dict[str, Any]) -> str:
    """The token of the one ``Authorization: Bearer`` header; empty for anything else."""
    headers = event.get("headers")
    if not isinstance(headers, dict):
        return ""
    values = [value for name, value in headers.items() if isinstance(name, str) and name.lower() == "authorization"]
    if len(values) != 1 or not isinstance(values[0], str) or len(values[0]) > MAX_HEADER_CHARS:
        return ""
    scheme, _, token = values[0].partition(" ")
    return token if scheme.lower() == "bearer" else ""


@cache
def _wired() -> tuple[ApiKeys, Clock]:
    client = boto3.client("dynamodb", config=AWS_CONFIG)
    return ApiKeys(client, os.environ["TABLE_NAME"]), from_environment(os.environ)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _wired()  # while Lambda starts the container, when it has a full CPU whatever its memory size
