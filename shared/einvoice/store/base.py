"""The head of an order (訂單帳頭) and the protocol that keeps it.

One item per order holds everything that decides what may be done next. Every write is conditional and raises ``ver``;
``write_id`` is new for every write, so that an SDK retry which meets its own write recognises it.
Times are whole epoch seconds, so that they compare in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from einvoice.model import Centre, OrderKey


class State(StrEnum):
    """Where an order's current generation stands (狀態)."""

    WANTED = "WANTED"  # a tombstone: nothing was claimed yet, but the merchant already said what it wants
    ISSUING = "ISSUING"  # a send is under way or its fate is unknown
    WAITING = "WAITING"  # nothing of ours is on its way; `cause` says what must happen first
    ISSUED = "ISSUED"
    REFUSED = "REFUSED"  # proved: nothing lives and nothing can still arrive
    VOIDING = "VOIDING"
    REISSUING = "REISSUING"  # the void, or the same-number change, that a reissue began with
    ALLOWING = "ALLOWING"  # an allowance, or the void of one, is under way or its fate is unknown
    VOIDED = "VOIDED"


#: states of an allowance that take from the invoice's total: under way, waiting for the buyer, living, being void
HOLDING = frozenset({"SENDING", "ASKED", "LIVE", "VOIDING"})
#: states of an allowance that the centre has, or may have, in its books
HAD = HOLDING | {"VOIDED"}


@dataclass(frozen=True, slots=True)
class Head:
    """Everything the ledger knows of one order's current generation, and a summary of the earlier ones."""

    key: OrderKey
    state: State
    generation: int
    ver: int
    write_id: str
    op: str  # id of the attempt that owns, or last owned, the work
    created_at: int
    updated_at: int
    request_hash: str = ""
    payload: dict[str, Any] = field(default_factory=dict)  # the order as JSON values, see application.payload
    relate_number: str = ""
    centre: Centre | None = None
    lease_until: int = 0
    due_at: int | None = None
    attempts: int = 0  # look-ups or sends since the last state change
    first_sent_at: int | None = None  # of this generation, never moved
    sent_at: int | None = None  # the send the current intent allows; None once it was answered
    settle_until: int | None = None  # until then an earlier, unanswered issue may still land
    quiet_until: int | None = None  # until then nothing that is not de-duplicated may be sent
    cause: str = ""
    refusal: dict[str, str] = field(default_factory=dict)  # reason, cause, raw_code, raw_message
    number: str = ""
    issued_at: str = ""  # RFC 3339, the centre's own instant, Taipei
    random_code: str = ""
    period: str = ""  # "11502", from issued_at
    sold_period: str = ""  # the sale's period; automatic recovery issues only inside it
    upload: str = "none"
    void_reason: str = ""
    voided_at: str = ""
    attention: dict[str, Any] = field(default_factory=dict)  # cause, since, ours, theirs
    want: dict[str, Any] = field(default_factory=dict)  # what the merchant wants though it cannot be done yet
    next: dict[str, Any] = field(default_factory=dict)  # a reissue under way: corrections, mode, reason, hash
    keys: dict[str, list[str]] = field(default_factory=dict)  # operation -> [idempotency key, body hash]
    past: list[dict[str, Any]] = field(default_factory=list)  # earlier generations, oldest first, never dropped
    log: list[dict[str, Any]] = field(default_factory=list)  # the last entries, oldest first
    allowances: list[dict[str, Any]] = field(default_factory=list)  # of this generation, see application.allowances
    plans: list[dict[str, Any]] = field(default_factory=list)  # corrections asked for, oldest first, see plans
    facts: dict[str, Any] = field(default_factory=dict)  # what people recorded: consent, paper back, claimed …
    void_upload: str = ""  # as `upload`, of the void
    confirm_at: int | None = None  # when the ministry's answer to an upload is asked for
    told: dict[str, int] = field(default_factory=dict)  # of which near deadlines staff was told, see application.near
    sv: int = 1  # schema version of the item

    @property
    def planned(self) -> bool:
        """Whether a correction is under way or waits for something."""
        return any(plan["status"] == "open" for plan in self.plans)

    @property
    def allowed_twd(self) -> int:
        """Sum of the allowances (折讓) of this invoice that live or may: nothing else may be taken from its total."""
        return sum(int(one["amount_twd"]) for one in self.allowances if one["status"] in HOLDING)

    @property
    def had_allowance(self) -> bool:
        """Whether this invoice ever had an allowance, also one that is void now."""
        return any(one["status"] in HAD for one in self.allowances)


@dataclass(frozen=True, slots=True)
class Guard:
    """What must hold for a blind ``begin``: every given part, or nothing is written."""

    states: tuple[State, ...]
    generation: int
    period_from: str = ""  # period >= this, as text
    quiet_before: int | None = None  # no quiet_until, or quiet_until <= this
    calm: bool = True  # no attention flag and no correction under way
    allowances: str = "any"  # or no_living, or never: what this invoice may have had of them
    factless: bool = False  # nothing was recorded that decides which change is lawful
    issued_from: str = ""  # issued_at >= this, as text: RFC 3339 of Taipei, or a day


@dataclass(frozen=True, slots=True)
class Breaker:
    """A centre account's ban (斷路器): nothing is sent to it before ``until``."""

    until: int
    cause: str


class Store(Protocol):
    """Conditional writes on heads. Raises StoreUnavailable when it cannot say what happened."""

    def create(self, head: Head) -> Head | None:
        """Write a new head. None: written; otherwise what already stands there (one call either way)."""

    def read(self, key: OrderKey) -> Head | None:
        """The head as it stands now, strongly consistent."""

    def replace(self, head: Head) -> Head | None:
        """Write ``head`` over version ``head.ver - 1``. None: written; otherwise what stands there now."""

    def begin(self, key: OrderKey, guard: Guard, change: dict[str, Any]) -> tuple[bool, Head | None]:
        """Set ``change`` (Head fields by name), raise ``ver``, if ``guard`` holds, without reading first.

        ``(True, the new head)``, or ``(False, what stands there, None if nothing)``.
        """

    def due(self, now: int, limit: int, *, confirm: bool = False) -> list[OrderKey]:
        """Orders whose ``due_at`` has come, soonest first, ``limit`` or a few times that.

        ``confirm``: those without work whose ``confirm_at`` has come. May be stale: decide only on a conditional write.
        """

    def booked(self, merchant: str, period: str, after: str, limit: int) -> list[tuple[str, OrderKey]]:
        """Numbers of a period, each order's current invoice, greater than ``after``, ascending, with their orders."""

    def read_many(self, keys: Sequence[OrderKey]) -> list[Head]:
        """The heads of these orders as they stood a moment ago, as asked for; an order that is not there is left out.

        To show, never to decide on. Costs half of as many reads.
        """

    def filed_at(self, merchant: str, period: str) -> int | None:
        """When the merchant said it filed (申報) ``period``, a period's key or, for monthly filers, ``11501``."""

    def mark_filed(self, merchant: str, period: str, at: int) -> int:
        """Keep that ``period`` was filed; the first mark stays. Returns it."""

    def remember(self, merchant: str, name: str, key: OrderKey) -> None:
        """Keep which order a name given to the outside belongs to."""

    def recall(self, merchant: str, name: str) -> OrderKey | None:
        """The order ``remember`` kept under this name."""

    def read_breaker(self, merchant: str, account: str) -> Breaker | None:
        """The ban of this merchant's account at its centre, if one was ever written."""

    def open_breaker(self, merchant: str, account: str, breaker: Breaker) -> None:
        """Keep the later of the stored ban and this one."""
