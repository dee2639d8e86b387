"""The breaker (斷路器) of a centre account: after HTTP 403 nothing is sent to it for as long as it bans us.

ECPay bans per address and MerchantID for about 30 minutes; every further call prolongs nothing but our trouble.
"""

from __future__ import annotations

import threading

from einvoice.clock import Clock
from einvoice.store.base import Breaker, Store

CACHE_S = 15.0
MAX_ACCOUNTS = 4096


class Breakers:
    """Bans by (merchant, account), read from the store at most every 15 seconds per container."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}
        self._lock = threading.Lock()

    def banned_until(self, merchant: str, account: str) -> int | None:
        """Epoch second until which the account may not be called, or None."""
        now = int(self._clock.now().timestamp())
        with self._lock:
            cached = self._seen.get((merchant, account))
        if cached is not None and self._clock.monotonic() - cached[0] < CACHE_S:
            until = cached[1]
        else:
            breaker = self._store.read_breaker(merchant, account)
            until = breaker.until if breaker else 0
            self._remember(merchant, account, until)
        return until if until > now else None

    def open(self, merchant: str, account: str, seconds: int, cause: str) -> int:
        """Ban the account for ``seconds`` from now; returns until when."""
        until = int(self._clock.now().timestamp()) + seconds
        self._remember(merchant, account, until)
        self._store.open_breaker(merchant, account, Breaker(until=until, cause=cause))
        return until

    def _remember(self, merchant: str, account: str, until: int) -> None:
        with self._lock:
            if len(self._seen) >= MAX_ACCOUNTS:
                self._seen.clear()
            self._seen[(merchant, account)] = (self._clock.monotonic(), until)
