"""The protocol every value-added centre (加值中心) is reached through, and the outcomes it may have.

Three outcomes, never two: done, refused, **unknown**. Only a failure to connect proves that nothing was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

from einvoice.errors import Reason
from einvoice.model import Allowance, Order, ProviderProfile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice the centre says it issued (已開立). ``issued_at`` is the centre's own instant, aware, Taipei."""

    number: str
    issued_at: datetime
    random_code: str


@dataclass(frozen=True, slots=True)
class Done:
    """A void (作廢) or another change without a document of its own that the centre says it made."""

    already: bool = False  # it had been done before this call


@dataclass(frozen=True, slots=True)
class Allowed:
    """An allowance (折讓單) the centre says it made. ``remaining_twd``: what is left of the invoice, if it says so."""

    number: str
    allowed_at: datetime
    remaining_twd: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """An allowance that waits for the buyer's click (線上折讓): its sum is reserved until ``expires_at``."""

    number: str
    asked_at: datetime
    expires_at: datetime
    remaining_twd: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted(Generic[T]):
    """The centre did what was asked."""

    value: T


@dataclass(frozen=True, slots=True)
class Rejected:
    """The centre, or the network before it, refused.

    ``definite`` is True only for answers on the allow-list "nothing was done by this very request".
    ``sent`` is False only where no byte of the request can have reached the centre.
    ``raw_code``/``raw_message`` are the centre's own words.
    """

    reason: Reason
    cause: str
    raw_code: str = ""
    raw_message: str = ""
    definite: bool = False
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether it happened. ``retry_after_s`` is set where the centre bans us for a time (HTTP 403).

    ``answered``: the centre did answer this very request, but what it said cannot be placed.
    """

    cause: str  # TIMEOUT, CONNECTION_LOST, BAD_STATUS, UNREADABLE, WRONG_KEY, BANNED, UNMAPPED_CODE, REGISTRY_DOWN
    raw_code: str = ""
    raw_message: str = ""
    retry_after_s: int | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class FoundLine:
    """One line as the centre stored it, in our terms."""

    name: str
    quantity: str  # canonical decimal text
    amount_twd: int


@dataclass(frozen=True, slots=True)
class Found:
    """A document as the centre holds it now (查詢結果), in our terms, to be compared with what we asked for."""

    number: str
    issued_at: datetime
    random_code: str
    total_twd: int
    ubn: str
    tax_type: str  # value of model.TaxType, or the raw value if unmapped
    carrier_kind: str  # value of model.CarrierKind, "" for none, raw value if unmapped
    carrier_number: str
    love_code: str
    print_paper: bool
    lines: tuple[FoundLine, ...]
    void: bool  # 作廢
    withdrawn: bool  # 註銷 (in the middle of 註銷重開)
    upload: str  # none, uploading, confirmed, refused
    remaining_twd: int  # total less live allowances


@dataclass(frozen=True, slots=True)
class FoundAllowance:
    """An allowance as the centre holds it now (折讓查詢結果); those that still wait for the buyer are not shown.

    ``tax_twd`` is the centre's own split of the tax-inclusive ``total_twd``.
    """

    number: str
    invoice_number: str
    allowed_at: datetime
    total_twd: int
    tax_twd: int
    lines: tuple[FoundLine, ...]
    void: bool
    upload: str  # as in Found


@dataclass(frozen=True, slots=True)
class VoidRecord:
    """A void (作廢紀錄) of an invoice or an allowance as the centre holds it."""

    number: str
    voided_at: datetime
    reason: str
    uploaded: bool


@dataclass(frozen=True, slots=True)
class Absent:
    """The centre says it holds no such document (查無資料)."""


@dataclass(frozen=True, slots=True)
class Call:
    """Limits and identity of one call: at most ``timeout_s`` seconds of wall clock, ``now`` stamps the request."""

    timeout_s: float
    now: datetime
    correlation_id: str = ""


Outcome = Accepted[T] | Rejected | Unknown
LookUp = Found | Absent | Rejected | Unknown
VoidLookUp = VoidRecord | Absent | Rejected | Unknown


class Provider(Protocol):
    """One merchant's account at one centre. No method raises for anything the network or the centre does."""

    profile: ProviderProfile

    def issue(self, order: Order, relate_number: str, call: Call) -> Outcome[Issued]:
        """Issue (開立) ``order`` under our ``relate_number``."""

    def find(self, relate_number: str, call: Call) -> LookUp:
        """Look up (查詢) by our order number."""

    def void(self, number: str, issued_on: date, reason: str, call: Call) -> Outcome[Done]:
        """Void (作廢) invoice ``number`` issued on the Taipei day ``issued_on``."""

    def reissue_same_number(
        self, order: Order, relate_number: str, number: str, issued_at: datetime, reason: str, call: Call
    ) -> Outcome[Issued]:
        """Withdraw and re-issue under the same number (註銷重開)."""

    def numbers_left(self, period: str, call: Call) -> Outcome[int]:
        """How many numbers (字軌號碼) this account can still use in ``period`` (``11502``)."""

    def print_url(self, number: str, issued_on: date, call: Call) -> Outcome[str]:
        """A short-lived address of the printable invoice (證明聯)."""

    def allow(self, number: str, issued_on: date, allowance: Allowance, call: Call) -> Outcome[Allowed]:
        """Make an allowance (折讓) on invoice ``number``. Never de-duplicated by the centre."""

    def ask_allowance(
        self, number: str, issued_on: date, allowance: Allowance, callback_url: str, call: Call
    ) -> Outcome[Asked]:
        """Ask the buyer by e-mail (線上折讓); ``allowance.notify_email`` is set, ``callback_url`` may be empty."""

    def find_allowances(self, number: str, issued_on: date, call: Call) -> Outcome[tuple[FoundAllowance, ...]]:
        """Every allowance of invoice ``number``, void ones too, oldest first; none is an empty answer."""

    def void_allowance(self, number: str, allowance_number: str, reason: str, call: Call) -> Outcome[Done]:
        """Void (折讓作廢) allowance ``allowance_number`` of invoice ``number``; already void is done."""

    def cancel_asked_allowance(self, number: str, allowance_number: str, reason: str, call: Call) -> Outcome[Done]:
        """Take back an allowance that still waits for the buyer."""

    def find_void(self, relate_number: str, number: str, issued_on: date, call: Call) -> VoidLookUp:
        """Look up the void (作廢查詢) of one invoice."""

    def find_allowance_void(self, number: str, allowance_number: str, call: Call) -> VoidLookUp:
        """Look up the void of one allowance (作廢折讓查詢)."""

    def genuine(self, content_type: str, body: bytes) -> bool:
        """Whether a callback's body was made by the centre, with this account's keys."""
