"""A small cache (快取) for what every request reads and may be minutes old: bounded, expiring, shared by threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class ExpiringCache(Generic[T]):
    """At most ``max_entries`` values, each at most ``ttl_s`` seconds old; the one unused longest goes first.

    Threads that miss the same key at the same time share one load, and its error; errors are not kept.
    Age counts from before the load began, so a value is never older than it looks.
    """

    def __init__(self, ttl_s: float, max_entries: int, monotonic: Callable[[], float]) -> None:
        self._ttl_s, self._max_entries, self._monotonic = ttl_s, max_entries, monotonic
        self._entries: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._loading: dict[Hashable, Future[T]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, load: Callable[[], T], *, refresh: bool = False) -> T:
        """The value of ``key``, loaded unless a fresh enough one is here; ``refresh`` forgets the one that is."""
        with self._lock:
            entry = None if refresh else self._entries.get(key)
            if entry is not None and self._monotonic() < entry[0]:
                self._entries.move_to_end(key)
                return entry[1]
            self._entries.pop(key, None)
            mine: Future[T] = Future()
            first = self._loading.setdefault(key, mine)
        return self._load(key, load, mine) if first is mine else first.result()

    def forget(self, key: Hashable) -> None:
        """Drop the value of ``key``, if there is one."""
        with self._lock:
            self._entries.pop(key, None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def _load(self, key: Hashable, load: Callable[[], T], mine: Future[T]) -> T:
        expires_at = self._monotonic() + self._ttl_s
        try:
            value = load()
        except BaseException as error:
            with self._lock:
                del self._loading[key]
            mine.set_exception(error)  # those who wait for it are told the same
            raise
        with self._lock:
            del self._loading[key]
            self._entries[key] = (expires_at, value)
            while len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)
        mine.set_result(value)
        return value
