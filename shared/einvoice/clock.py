"""The one clock (時鐘): what time it is for the law and the ledger, and a monotonic one for deadlines and caches.

On every real stage it is the machine's own. A local run may set ``CLOCK_SOURCE`` to an address that answers GET with
``{"now": RFC 3339, "offset_s": float}``, so that the clock of every function can be moved together.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

FETCH_TIMEOUT_S = 1.0
OFFSET_KEPT_S = 0.2  # a moved clock is seen everywhere within this
MAX_REPLY_BYTES = 4096


class Clock(Protocol):
    """What the product may know of time."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""


class ClockUnavailableError(Exception):
    """The address in ``CLOCK_SOURCE`` gave no usable answer; local runs only."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some point, never going back."""
        return time.monotonic()


class RemoteClock:
    """The machine's clock moved by the offset that ``url`` answers (local runs only).

    ``monotonic`` stays the machine's: a timeout of one second lasts a second whatever day it is pretended to be.
    """

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError("CLOCK_SOURCE must be an http or https address")
        self._url = url
        # Without proxies: the address is on this machine, whatever HTTP_PROXY says.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._offset: tuple[float, timedelta] | None = None  # read at (monotonic), offset; replaced as a whole

    def now(self) -> datetime:
        """The pretended instant, aware, UTC. Raises ClockUnavailableError rather than guess."""
        cached = self._offset
        if cached is None or time.monotonic() - cached[0] > OFFSET_KEPT_S:
            cached = (time.monotonic(), self._fetch())
            self._offset = cached
        return datetime.now(UTC) + cached[1]

    def monotonic(self) -> float:
        """Seconds since some point, never going back; real ones."""
        return time.monotonic()

    def _fetch(self) -> timedelta:
        try:
            with self._opener.open(self._url, timeout=FETCH_TIMEOUT_S) as reply:
                offset_s = float(json.loads(reply.read(MAX_REPLY_BYTES))["offset_s"])
            return timedelta(seconds=offset_s)  # refuses NaN and infinity
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise ClockUnavailableError(f"CLOCK_SOURCE {self._url}: {error}") from error


def from_environment(env: Mapping[str, str]) -> Clock:
    """The clock that ``CLOCK_SOURCE`` names: empty, as on every real stage, is the machine's own."""
    url = env.get("CLOCK_SOURCE", "")
    return RemoteClock(url) if url else SystemClock()
