"""The log of calls: what was asked, what was done, what was answered. It holds no name, address, phone or key."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import datetime

MAX_CALLS = 200_000


@dataclass(slots=True)
class CallRecord:
    """One operation that reached (or was kept from reaching) the business logic.

    ``committed`` is True exactly where this call changed the state. ``answer`` tells how it was answered: ``ok`` (the
    usual answer left in full), or the kind of the transport fault that spoilt it. ``http_status`` is None where no byte
    of an answer left.
    """

    number: int
    at: datetime
    op: str
    merchant_id: str
    relate: str
    invoice_no: str
    committed: bool = False
    trans_code: int | None = None
    rtn_code: int | None = None
    http_status: int | None = None
    answer: str = "ok"
    faults: list[str] = field(default_factory=list)
    arrived_late: bool = False

    def described(self) -> dict[str, object]:
        """For the control API."""
        return {**asdict(self), "at": self.at.isoformat()}


@dataclass(slots=True)
class CallLog:
    """The last ``MAX_CALLS`` calls, oldest first."""

    records: deque[CallRecord] = field(default_factory=lambda: deque(maxlen=MAX_CALLS))
    _count: int = 0

    def add(self, at: datetime, op: str, merchant_id: str, relate: str, invoice_no: str) -> CallRecord:
        """Begin a record."""
        self._count += 1
        record = CallRecord(self._count, at, op, merchant_id, relate, invoice_no)
        self.records.append(record)
        return record

    def clear(self) -> None:
        """Forget them; numbers go on counting."""
        self.records.clear()
