"""What the operations need from outside (介面): clock, chance, waiting, storage, centres, telemetry.

All of it comes through here, so that the whole service runs single-threaded in virtual time under a simulator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from einvoice.application.breaker import Breakers
from einvoice.clock import Clock
from einvoice.model import Centre, ProviderProfile
from einvoice.providers.base import Call, Provider
from einvoice.store.base import Store


class Centres(Protocol):
    """The merchants' accounts at the value-added centres (加值中心)."""

    def current(self, merchant: str) -> tuple[Centre, ProviderProfile]:
        """Where a new order of this merchant goes now. Raises MerchantUnusable."""

    def profile(self, merchant: str) -> ProviderProfile:
        """What holds for a merchant's existing invoices, also if it may begin nothing new. Raises MerchantUnusable."""

    def pinned(self, merchant: str, centre: Centre) -> Provider:
        """The provider of an order claimed for ``centre``, whatever the settings say now. Raises MerchantUnusable."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take, in seconds. A lease outlives the worker, a worker outlives its provider call."""

    provider_cap_s: float = 12.0
    look_cap_s: float = 6.0
    reserve_s: float = 3.0  # kept for the commit after the last provider call
    least_s: float = 1.0  # no call is begun with less
    skew_s: int = 300  # the most that two clocks may differ
    not_sent_retry_s: int = 30
    look_again_s: tuple[int, ...] = (60, 300, 900)  # after a refusal whose meaning is not certain; then a person
    retry_cap_s: int = 900
    confirm_soon_s: int = 600  # how often an upload is asked for that a young correction waits for
    confirm_waiting_s: int = 3600  # and one that waits longer than `young_s`, or for a buyer
    young_s: int = 3600
    period_end_quiet_s: int = 900  # no void-then-issue begins this close to the end of a period


@dataclass(frozen=True, slots=True)
class Work:
    """One invocation's limits: it ends at ``ends_at`` (monotonic); nobody takes its orders over for ``lease_s``."""

    correlation_id: str
    ends_at: float
    lease_s: int


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything an operation may touch."""

    stage: str
    store: Store
    centres: Centres
    breakers: Breakers
    clock: Clock
    token: Callable[[], str]  # a fresh random id, 16 characters or more
    pace: Callable[[str, str], None]  # waits until (merchant, account) may be called again
    observe: Callable[..., None]  # observe(event, **fields): counts and logs; never personal data
    timing: Timing = Timing()
    public_url: str = ""  # where the outside reaches us; empty: no centre can call back

    def callback(self, merchant: str, name: str) -> str:
        """Where a centre tells of what ``name`` became (回呼網址); empty where the outside cannot reach us."""
        return f"{self.public_url}/v1/callbacks/ecpay/{merchant}/{name}" if self.public_url else ""

    def heard_as(self, correlation_id: str) -> Ports:
        """The same, with everything observed naming the request, message or run it belongs to."""
        return replace(self, observe=partial(self.observe, correlation_id=correlation_id))

    def now(self) -> int:
        """Epoch seconds, whole."""
        return int(self.clock.now().timestamp())

    def call(self, work: Work, cap_s: float) -> Call | None:
        """Limits for one provider call, or None when too little of the invocation is left to begin one."""
        left = work.ends_at - self.clock.monotonic() - self.timing.reserve_s
        if left < self.timing.least_s:
            return None
        return Call(timeout_s=min(cap_s, left), now=self.clock.now(), correlation_id=work.correlation_id)


Json = dict[str, Any]
