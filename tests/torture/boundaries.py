"""The edges of every effect (效果邊界), and the one at which the process dies.

An edge lies before and after each call of the store and of the centre. A call that changes something at the centre has
a third one between them: its packet has left and arrives only long after the process that sent it is dead.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from einvoice.application.breaker import Breakers
from einvoice.application.ports import Ports
from einvoice.store.base import Store

STORE_CALLS = tuple(name for name in vars(Store) if not name.startswith("_"))
#: calls that change something at the centre, with the centre's own name
WRITES = {
    "issue": "Issue",
    "void": "Invalid",
    "reissue_same_number": "VoidWithReIssue",
    "allow": "Allowance",
    "ask_allowance": "AllowanceByCollegiate",
    "void_allowance": "AllowanceInvalid",
    "cancel_asked_allowance": "AllowanceInvalidByCollegiate",
}
LOOKS = ("find", "numbers_left", "find_allowances", "find_void", "find_allowance_void")
CHANGES = ("create", "replace", "begin", "open_breaker", "remember", "mark_filed")  # of the store
#: edges between which something changed, here or at the centre; to die on any other is to die on the one before it
TELLING = frozenset(
    {f"after store.{name}" for name in CHANGES}
    | {f"after centre.{name}" for name in WRITES}
    | {f"centre.{name} on its way" for name in WRITES}
)
KILLED = 137  # the status of a process that SIGKILL ended, as a shell tells it


class Edges:
    """Counts the edges a process crosses, tells each by name, and ends the process at the ``kill_at``-th (0: never)."""

    def __init__(self, kill_at: int, tell: Callable[[str], None], hold_back: Callable[[str], None]) -> None:
        self._kill_at, self._tell, self._hold_back = kill_at, tell, hold_back
        self._crossed = 0
        self._lock = threading.Lock()

    def cross(self, name: str) -> None:
        """Go over one edge, or die on it: no handler runs, no buffer is flushed, no lock is released."""
        if self._reached(name):
            os._exit(KILLED)

    def send(self, op: str, name: str, call: Callable[[], Any]) -> Any:
        """One call that changes something at the centre, over its three edges."""
        self.cross(f"before {name}")
        if self._reached(f"{name} on its way"):
            self._hold_back(op)
            call()
            os._exit(KILLED)
        answer = call()
        self.cross(f"after {name}")
        return answer

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        """Any other call, over its two edges."""
        self.cross(f"before {name}")
        answer = call()
        self.cross(f"after {name}")
        return answer

    def _reached(self, name: str) -> bool:
        with self._lock:
            self._crossed += 1
            self._tell(name)
            return self._crossed == self._kill_at


class EdgedStore:
    """A store whose every call has edges."""

    def __init__(self, store: Any, edges: Edges) -> None:
        for name in STORE_CALLS:
            setattr(self, name, _edged(getattr(store, name), f"store.{name}", edges))


class EdgedCentres:
    """Centres whose providers' calls have edges."""

    def __init__(self, centres: Any, edges: Edges) -> None:
        self._centres, self._edges = centres, edges

    def __getattr__(self, name: str) -> Any:
        return getattr(self._centres, name)  # settings: read before anything is stored or sent

    def pinned(self, merchant: str, centre: Any) -> Any:
        """The provider of an order, with edges."""
        return _EdgedProvider(self._centres.pinned(merchant, centre), self._edges)


class _EdgedProvider:
    def __init__(self, provider: Any, edges: Edges) -> None:
        self.profile, self.genuine = provider.profile, provider.genuine
        for name in LOOKS:
            setattr(self, name, _edged(getattr(provider, name), f"centre.{name}", edges))
        for name, op in WRITES.items():
            setattr(self, name, _sent(getattr(provider, name), op, f"centre.{name}", edges))


def edged(ports: Ports, edges: Edges) -> Ports:
    """The ports of one process, every effect with its edges."""
    store: Any = EdgedStore(ports.store, edges)
    centres: Any = EdgedCentres(ports.centres, edges)
    return replace(ports, store=store, centres=centres, breakers=Breakers(store, ports.clock))


def _edged(call: Callable[..., Any], name: str, edges: Edges) -> Callable[..., Any]:
    return lambda *args, **kwargs: edges.around(name, lambda: call(*args, **kwargs))


def _sent(call: Callable[..., Any], op: str, name: str, edges: Edges) -> Callable[..., Any]:
    return lambda *args, **kwargs: edges.send(op, name, lambda: call(*args, **kwargs))
