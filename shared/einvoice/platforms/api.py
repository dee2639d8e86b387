"""How a platform's API is asked (平台 API 傳輸): GET only, one answer or one named failure, within a wall clock.

No redirect is followed and no proxy or .netrc of the environment is used: the token goes to the address that was
configured and nowhere else. Nothing is retried here; who asked knows when to ask again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any, NoReturn

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from einvoice.platforms.base import FixAccess, Incomprehensible, NoSuchOrder, TryLater
from einvoice.platforms.reading import json_of

CONNECT_TIMEOUT_S = 5.0
MAX_BYTES = 8 * 1024 * 1024  # a page of 50 to 100 orders
MAX_SAID_CHARS = 200
MAX_RETRY_AFTER_S = 3600
_CHUNK = 64 * 1024
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Api:
    """One shop's API at ``base_url``; the composition root decides which addresses are allowed."""

    def __init__(self, base_url: str, headers: Mapping[str, str], timeout_s: float = 10.0) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"Accept": "application/json", **headers})

    def get(self, path: str, query: Mapping[str, str | int]) -> tuple[Any, Mapping[str, str]]:
        """The JSON of a 2xx answer, numbers exact, and its headers; raises ``PlatformFailure`` and nothing else."""
        deadline = time.monotonic() + self._timeout_s
        timeouts = (min(CONNECT_TIMEOUT_S, self._timeout_s), self._timeout_s)
        try:
            with self._session.get(
                self._base_url + path, params=dict(query), timeout=timeouts, allow_redirects=False, stream=True
            ) as reply:
                body = _body(reply, deadline)
        except (requests.Timeout, ReadTimeoutError) as error:
            raise TryLater("TIMEOUT") from error
        except (requests.RequestException, HTTPError) as error:
            raise TryLater("UNREACHABLE", type(error).__name__) from error
        _check_status(reply, body)
        return _json(body), reply.headers


def _body(reply: requests.Response, deadline: float) -> bytes:
    """The whole body; a server that drips is cut off at the deadline, give or take one read."""
    pieces: list[bytes] = []
    size = 0
    # read1 gives what is there: iter_content would wait for a full piece, and every byte starts its timeout anew
    while piece := reply.raw.read1(_CHUNK, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BYTES:
            raise Incomprehensible("TOO_LARGE")
        if time.monotonic() > deadline:
            raise TryLater("TIMEOUT")
    return b"".join(pieces)


def _check_status(reply: requests.Response, body: bytes) -> None:
    status, said = reply.status_code, f"{reply.status_code} {body[:MAX_SAID_CHARS].decode(errors='replace')}"
    if status in {401, 403}:
        raise FixAccess("UNAUTHORISED" if status == 401 else "FORBIDDEN", said)  # noqa: PLR2004 - HTTP's own numbers
    if status == 404:  # noqa: PLR2004 - the same
        raise NoSuchOrder("NOT_FOUND", said)
    if status in {408, 429}:
        raise TryLater("BUSY", said, retry_after_s=_retry_after(reply.headers.get("Retry-After", "")))
    if status >= 500:  # noqa: PLR2004 - the same
        raise TryLater("BROKEN", said, retry_after_s=_retry_after(reply.headers.get("Retry-After", "")))
    if 300 <= status < 400:  # noqa: PLR2004 - the same
        raise Incomprehensible("REDIRECTED", said)
    if not 200 <= status < 300:  # noqa: PLR2004 - the same
        raise Incomprehensible("BAD_STATUS", said)


def _retry_after(value: str) -> int | None:
    """Seconds from either form of Retry-After, bounded; None if there is none that can be read."""
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), MAX_RETRY_AFTER_S)
    try:
        left = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return None
    return min(max(0, int(left) + 1), MAX_RETRY_AFTER_S)


def _json(body: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json_of(body)
    except ValueError as error:
        raise Incomprehensible("UNREADABLE", body[:MAX_SAID_CHARS].decode(errors="replace")) from error


def error_only(answer: object) -> NoReturn:
    """Raise for a 2xx answer that holds no order: what it says instead is a person's to read."""
    words = json.dumps(answer, ensure_ascii=False, default=str)[:MAX_SAID_CHARS]
    says_error = isinstance(answer, dict) and any(key.startswith(("error", "message")) for key in answer)
    raise Incomprehensible("ERROR_ONLY" if says_error else "UNREADABLE", words)
