"""Value-added centres (加值中心) as models: ECPay-like, one that cannot be asked, one that takes an order number twice.

A request is a packet: its effect lands at some time, minutes late or never. Allowances are never de-duplicated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zlib import crc32

from einvoice.errors import Reason
from einvoice.model import Allowance, Order, OrderKey, ProviderProfile
from einvoice.providers.base import (
    Absent,
    Accepted,
    Allowed,
    Asked,
    Done,
    FoundAllowance,
    FoundLine,
    Issued,
    LookUp,
    Outcome,
    Rejected,
    Unknown,
    VoidLookUp,
    VoidRecord,
)
from einvoice.rules.correction_time import void_deadline_of
from einvoice.rules.decimals import canonical
from einvoice.rules.period import TAIPEI
from tests.simulation.documents import ASKED, CANCELLED, EXPIRED, HOLDING, LIVE, VOID, Document, Ministry, Slip
from tests.simulation.engine import Rng, World

VALID_S = 600  # how old a request's Timestamp may be
BAN_S = 1800
ASKED_S = 72 * 3600  # how long a buyer may click
CLICKS = 0.7  # of the buyers; and of those most at once, within PROMPT_S
PROMPT_SHARE = 0.7
PROMPT_S = 3600.0
UNKNOWN_INVOICE = Rejected(Reason.ASK_A_PERSON, "INVOICE_OR_DATE_UNKNOWN", "1600003", definite=True)
UNKNOWN_ALLOWANCE = Rejected(Reason.ASK_A_PERSON, "ALLOWANCE_UNKNOWN", "2000039", definite=True)
TOO_LATE = Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", "5900000")  # nobody recorded ECPay's own code


@dataclass(frozen=True)
class Packet:
    """Who sent it, when in truth, and the time it is stamped with."""

    key: OrderKey
    sender: str
    sent_t: float
    stamp: datetime


@dataclass
class Account:
    """One merchant's account: the documents, and what the schedule makes it refuse."""

    world: World
    merchant: str
    name: str
    profile: ProviderProfile
    watch: Callable[[Packet | None, Document, str, Slip | None], None]  # told of every effect, whoever caused it
    ministry: Ministry
    call_back: Callable[[str], None]  # tells an address that a buyer agreed
    lag_s: float = 0.0  # look-ups may be so much behind
    refused_totals: frozenset[int] = frozenset()  # contents this centre does not take
    exhausted: tuple[float, float] = (0.0, 0.0)  # while it has no numbers
    refuses_voids: bool = False
    duplicate_first: bool = True  # looks for the order number before it looks at the content
    banned_until: float = -1.0
    documents: list[Document] = field(default_factory=list)

    def issue(self, packet: Packet, order: Order, relate: str) -> Outcome[Issued]:
        """開立."""
        if refusal := self._at_the_door(packet):
            return refusal
        duplicate = self.profile.unique_order_number and any(d.relate == relate for d in self.documents)
        refusals = [self._duplicate(duplicate=duplicate), self._content(order)]
        for refused in refusals if self.duplicate_first else reversed(refusals):
            if refused is not None:
                return refused
        number = f"{self.name[:2].upper()}{len(self.documents) + 10000000:08d}"
        document = Document(
            packet.key, self.name, relate, number, f"{len(self.documents):04d}", self._now(),
            [(self.world.t, order, False)], self.ministry,
        )
        self.documents.append(document)
        self.watch(packet, document, "issued", None)
        return Accepted(Issued(number, document.issued_at, document.random_code))

    def find(self, packet: Packet, relate: str, behind_s: float) -> LookUp:
        """查詢."""
        if refusal := self._at_the_door(packet):
            return refusal
        if not self.profile.queryable:
            return Unknown("NOT_QUERYABLE")
        seen = self.world.t - behind_s
        for document in self.documents:
            if document.relate == relate and (found := document.found(seen)) is not None:
                return found
        return Absent()

    def void(self, packet: Packet, number: str, issued_on: date) -> Outcome[Done]:
        """作廢."""
        if refusal := self._at_the_door(packet):
            return refusal
        document = self._by_number(number)
        if document is None or document.issued_on != issued_on:
            return UNKNOWN_INVOICE
        if document.void:
            return Accepted(Done(already=True))
        if self.refuses_voids or any(slip.status in HOLDING for slip in document.slips):
            return Rejected(Reason.VOID_ALLOWANCES_FIRST, "LIVING_ALLOWANCE", "5070450", definite=True)
        if self._now() > void_deadline_of(document.issued_on, self.profile):
            return TOO_LATE
        document.versions.append((self.world.t, document.order, True))
        self.watch(packet, document, "voided", None)
        return Accepted(Done())

    def reissue(self, packet: Packet, order: Order, number: str) -> Outcome[Issued]:
        """註銷重開: number, order number and time stay; a late packet brings its own content back."""
        if refusal := self._at_the_door(packet):
            return refusal
        document = self._by_number(number)
        if document is None or document.void:
            return Rejected(Reason.ASK_A_PERSON, "INVOICE_OR_DATE_UNKNOWN", "2", definite=True)
        if document.slips:
            return Rejected(Reason.FIX_REQUEST, "HAD_ALLOWANCE", "5900001", definite=True)
        if order.total_twd in self.refused_totals:
            return Rejected(Reason.FIX_REQUEST, "AMOUNT_MISMATCH", "5000022", definite=True)
        document.versions.append((self.world.t, order, False))
        self.watch(packet, document, "reissued", None)
        return Accepted(Issued(number, document.issued_at, document.random_code))

    def allow(self, packet: Packet, number: str, allowance: Allowance) -> Outcome[Allowed]:
        """折讓: every packet makes another one, as long as enough is left."""
        made = self._allowed(packet, number, allowance, LIVE)
        if isinstance(made, (Rejected, Unknown)):
            return made
        document, slip = made
        return Accepted(Allowed(slip.number, slip.made_at, document.remaining_twd(self.world.t)))

    def ask(self, packet: Packet, number: str, allowance: Allowance, address: str) -> Outcome[Asked]:
        """線上折讓: the sum is reserved until the buyer clicks or the time is over."""
        made = self._allowed(packet, number, allowance, ASKED)
        if isinstance(made, (Rejected, Unknown)):
            return made
        document, slip = made
        rng = Rng(crc32(slip.number.encode()) + self.world.seed)
        if (u := rng.random()) < CLICKS:
            after_s = PROMPT_S * rng.random() if u < CLICKS * PROMPT_SHARE else ASKED_S * rng.between(0.5, 1.2)
            self.world.at(self.world.t + after_s, lambda: self._clicked(document, slip, address))
        self.world.at(self.world.t + ASKED_S, lambda: self._moved(None, document, slip, ASKED, EXPIRED))
        expires_at = slip.made_at + timedelta(seconds=ASKED_S)
        return Accepted(Asked(slip.number, slip.made_at, expires_at, document.remaining_twd(self.world.t)))

    def find_allowances(
        self, packet: Packet, number: str, issued_on: date, behind_s: float
    ) -> Outcome[tuple[FoundAllowance, ...]]:
        """折讓查詢."""
        if refusal := self._at_the_door(packet):
            return refusal
        document = self._by_number(number)
        if document is None or document.issued_on != issued_on:
            return UNKNOWN_INVOICE
        return Accepted(document.found_allowances(self.world.t - behind_s))

    def void_allowance(self, packet: Packet, number: str, allowance_number: str) -> Outcome[Done]:
        """折讓作廢."""
        named = self._named(packet, number, allowance_number)
        if isinstance(named, (Rejected, Unknown)):
            return named
        document, slip = named
        if slip.status == VOID:
            return Accepted(Done(already=True))
        if slip.status != LIVE:
            return UNKNOWN_ALLOWANCE
        self._moved(packet, document, slip, LIVE, VOID)
        return Accepted(Done())

    def cancel_asked(self, packet: Packet, number: str, allowance_number: str) -> Outcome[Done]:
        """取消線上折讓."""
        named = self._named(packet, number, allowance_number)
        if isinstance(named, (Rejected, Unknown)):
            return named
        document, slip = named
        if slip.status in (LIVE, VOID):
            return Rejected(Reason.ASK_A_PERSON, "ALREADY_AGREED", "5070250", definite=True)
        if slip.status != ASKED:  # nobody recorded what a repeat is told
            return Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", "5900002")
        self._moved(packet, document, slip, ASKED, CANCELLED)
        return Accepted(Done())

    def find_void(self, packet: Packet, number: str, behind_s: float) -> VoidLookUp:
        """作廢查詢."""
        if refusal := self._at_the_door(packet):
            return refusal
        document, seen = self._by_number(number), self.world.t - behind_s
        if document is None or not document.void or document.versions[-1][0] > seen:
            return Absent()
        return self._void_record(number, document.versions[-1][0], seen)

    def find_allowance_void(
        self, packet: Packet, number: str, allowance_number: str, behind_s: float
    ) -> VoidLookUp:
        """作廢折讓查詢."""
        named = self._named(packet, number, allowance_number)
        if isinstance(named, Unknown):
            return named
        since, status = (0.0, "") if isinstance(named, Rejected) else named[1].at(self.world.t - behind_s)
        return self._void_record(allowance_number, since, self.world.t - behind_s) if status == VOID else Absent()

    def numbers_left(self, packet: Packet) -> Outcome[int]:
        """字軌剩餘."""
        if refusal := self._at_the_door(packet):
            return refusal
        return Accepted(0 if self._out_of_numbers() else 1000)

    def ban(self) -> Unknown:
        """HTTP 403: everything is refused for half an hour."""
        self.banned_until = self.world.t + BAN_S
        return Unknown("BANNED", "403", retry_after_s=BAN_S)

    def _at_the_door(self, packet: Packet) -> Rejected | Unknown | None:
        if self.world.t < self.banned_until:
            return Unknown("BANNED", "403", retry_after_s=BAN_S)
        if self._now() - packet.stamp > timedelta(seconds=VALID_S):
            return Rejected(Reason.PROVIDER_BUSY, "CLOCK_SKEW", "104", definite=True)
        return None

    def _allowed(
        self, packet: Packet, number: str, allowance: Allowance, status: str
    ) -> tuple[Document, Slip] | Rejected | Unknown:
        if refusal := self._at_the_door(packet):
            return refusal
        document = self._by_number(number)
        if document is None:
            return UNKNOWN_INVOICE
        if document.void:
            return Rejected(Reason.ASK_A_PERSON, "INVOICE_VOID", "2000042", definite=True)
        if allowance.total_twd > document.remaining_twd(self.world.t):  # never seen on stage, so it says nothing
            return Rejected(Reason.ASK_A_PERSON, "EXCEEDS_REMAINING", "2000016")
        lines = tuple(FoundLine(line.name, canonical(line.quantity), line.amount_twd) for line in allowance.lines)
        slip = Slip(
            f"{number}{len(document.slips):06d}", allowance.reason, allowance.total_twd, lines, self._now(),
            packet.sent_t, [(self.world.t, status)],
        )
        document.slips.append(slip)
        self.watch(packet, document, "allowed" if status == LIVE else "asked", slip)
        return document, slip

    def _named(self, packet: Packet, number: str, allowance_number: str) -> tuple[Document, Slip] | Rejected | Unknown:
        if refusal := self._at_the_door(packet):
            return refusal
        document = self._by_number(number)
        slip = document.slip(allowance_number) if document else None
        return UNKNOWN_ALLOWANCE if document is None or slip is None else (document, slip)

    def _moved(self, packet: Packet | None, document: Document, slip: Slip, before: str, after: str) -> bool:
        if slip.status != before:
            return False
        slip.history.append((self.world.t, after))
        self.watch(packet, document, after.lower(), slip)
        return True

    def _clicked(self, document: Document, slip: Slip, address: str) -> None:
        """The buyer agrees: an allowance from now on, and whoever asked is told, perhaps twice, perhaps not at all."""
        slip.made_at = self._now()
        if self._moved(None, document, slip, ASKED, LIVE) and address:
            rng = Rng(crc32(address.encode()) + self.world.seed)
            for _ in range(rng.below(3)):
                self.world.at(self.world.t + rng.between(0.1, 300), lambda: self.call_back(address))

    def _void_record(self, number: str, since: float, seen: float) -> VoidRecord:
        uploaded = self.ministry.answer(f"{number}:void", since, seen) != "uploading"
        at = (self.world.start + timedelta(seconds=since)).astimezone(TAIPEI)
        return VoidRecord(number, at, "", uploaded)

    def _duplicate(self, *, duplicate: bool) -> Rejected | None:
        return Rejected(Reason.ORDER_HAS_INVOICE, "DUPLICATE_ORDER_NUMBER", "5070357") if duplicate else None

    def _content(self, order: Order) -> Rejected | None:
        if self._out_of_numbers():
            return Rejected(Reason.ADD_NUMBERS, "NUMBER_EXHAUSTED", "5070350", definite=True)
        if order.total_twd in self.refused_totals:
            return Rejected(Reason.FIX_REQUEST, "AMOUNT_MISMATCH", "5000022", definite=True)
        return None

    def _out_of_numbers(self) -> bool:
        return self.exhausted[0] <= self.world.t < self.exhausted[1]

    def _by_number(self, number: str) -> Document | None:
        return next((document for document in self.documents if document.number == number), None)

    def _now(self) -> datetime:
        return (self.world.start + timedelta(seconds=self.world.t)).astimezone(TAIPEI).replace(microsecond=0)


