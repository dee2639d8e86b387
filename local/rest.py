"""Small HTTP with JSON bodies, for what listens on this machine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

CALL_S = 35.0  # an HTTP API answers within 30
# Everything is on this machine, whatever HTTP_PROXY says.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer: ``headers`` with names in lower case, ``body`` as JSON values, as text where it is not JSON."""

    status: int
    headers: dict[str, str]
    body: Any


def call(
    method: str,
    url: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = CALL_S,
) -> Reply:
    """One HTTP request; every status is an answer. OSError where there is none."""
    data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    sent = dict(headers or {}) | ({} if data is None else {"content-type": "application/json"})
    request = urllib.request.Request(url, data, sent, method=method)  # noqa: S310  # our own http:// addresses
    try:
        with _OPENER.open(request, timeout=timeout_s) as answer:
            return _reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return _reply(refusal.code, refusal.headers, refusal.read())


def _reply(status: int, headers: Message, raw: bytes) -> Reply:
    named = {name.lower(): value for name, value in headers.items()}
    text = raw.decode()
    return Reply(status, named, json.loads(text) if text and "json" in named.get("content-type", "") else text)
