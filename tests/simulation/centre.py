"""Value-added centres (加值中心) as models: ECPay-like, one that cannot be asked, one that takes an order number twice.

A request is a packet: its effect lands at some time, minutes late or never, and its answer is another matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from einvoice.errors import Reason
from einvoice.model import Order, OrderKey, ProviderProfile
from einvoice.providers.base import (
    Absent,
    Accepted,
    Call,
    Done,
    Found,
    FoundLine,
    Issued,
    LookUp,
    Outcome,
    Rejected,
    Unknown,
)
from einvoice.rules.decimals import canonical
from einvoice.rules.period import TAIPEI
from tests.simulation.engine import Actor, World

NET_FAULTS = (
    "crash_before", "crash_after", "not_connected", "lost", "late", "late_reset", "answer_lost", "status_after",
    "status_before", "garbled_after", "slow", "wrong_credentials", "unplaced_before", "unplaced_after", "banned",
)
VALID_S = 600  # how old a request's Timestamp may be
LATE_S = 650.0
BAN_S = 1800
WEIGHT = 2.0


@dataclass(eq=False)
class Document:
    """One invoice at a centre; ``versions`` are (since when, content, void), the last one is how it stands."""

    key: OrderKey
    account: str
    relate: str
    number: str
    random_code: str
    issued_at: datetime
    versions: list[tuple[float, Order, bool]]

    @property
    def order(self) -> Order:
        """Its content now."""
        return self.versions[-1][1]

    @property
    def void(self) -> bool:
        """Whether it is void (作廢) now."""
        return self.versions[-1][2]

    def found(self, before: float) -> Found | None:
        """As a look-up shows it that sees only what is older than ``before``."""
        seen = [version for version in self.versions if version[0] <= before]
        if not seen:
            return None
        _, order, void = seen[-1]
        return Found(
            number=self.number,
            issued_at=self.issued_at,
            random_code=self.random_code,
            total_twd=order.total_twd,
            ubn=order.buyer.ubn,
            tax_type=order.tax_type.value,
            carrier_kind=order.carrier.kind.value if order.carrier else "",
            carrier_number=order.carrier.number if order.carrier else "",
            love_code=order.love_code,
            print_paper=order.print_paper,
            lines=tuple(FoundLine(line.name, canonical(line.quantity), line.amount_twd) for line in order.lines),
            void=void,
            withdrawn=False,
            upload="uploading",
            remaining_twd=0 if void else order.total_twd,
        )


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
    watch: Callable[[Packet, Document, str], None]  # told of every effect
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
        document = Document(packet.key, self.name, relate, number, f"{len(self.documents):04d}", self._now(), [])
        document.versions.append((self.world.t, order, False))
        self.documents.append(document)
        self.watch(packet, document, "issued")
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
        if document is None or document.issued_at.astimezone(TAIPEI).date() != issued_on:
            return Rejected(Reason.ASK_A_PERSON, "INVOICE_OR_DATE_UNKNOWN", "1600003", definite=True)
        if document.void:
            return Accepted(Done(already=True))
        if self.refuses_voids:
            return Rejected(Reason.VOID_ALLOWANCES_FIRST, "LIVING_ALLOWANCE", "5070450", definite=True)
        document.versions.append((self.world.t, document.order, True))
        self.watch(packet, document, "voided")
        return Accepted(Done())

    def reissue(self, packet: Packet, order: Order, number: str) -> Outcome[Issued]:
        """註銷重開: number, order number and time stay; a late packet brings its own content back."""
        if refusal := self._at_the_door(packet):
            return refusal
        document = self._by_number(number)
        if document is None or document.void:
            return Rejected(Reason.ASK_A_PERSON, "INVOICE_OR_DATE_UNKNOWN", "2", definite=True)
        if order.total_twd in self.refused_totals:
            return Rejected(Reason.FIX_REQUEST, "AMOUNT_MISMATCH", "5000022", definite=True)
        document.versions.append((self.world.t, order, False))
        self.watch(packet, document, "reissued")
        return Accepted(Issued(number, document.issued_at, document.random_code))

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


class Line:
    """``Provider`` as one worker reaches it: packets of its own, which outlive it."""

    def __init__(
        self, actor: Actor, key: OrderKey, account: Account, on_send: Callable[[Packet, str, str], None]
    ) -> None:
        self.actor, self.key, self.account, self.on_send = actor, key, account, on_send
        self.profile = account.profile

    def issue(self, order: Order, relate_number: str, call: Call) -> Outcome[Issued]:
        """See Provider.issue."""
        return self._send(
            "issue", relate_number, call, lambda packet: self.account.issue(packet, order, relate_number)
        )

    def find(self, relate_number: str, call: Call) -> LookUp:
        """See Provider.find."""
        behind_s = self.account.lag_s * self.actor.rng.random()
        return self._send(
            "find", relate_number, call, lambda packet: self.account.find(packet, relate_number, behind_s)
        )

    def void(self, number: str, issued_on: date, reason: str, call: Call) -> Outcome[Done]:
        """See Provider.void."""
        return self._send("void", number, call, lambda packet: self.account.void(packet, number, issued_on))

    def reissue_same_number(
        self, order: Order, relate_number: str, number: str, issued_at: datetime, reason: str, call: Call
    ) -> Outcome[Issued]:
        """See Provider.reissue_same_number."""
        return self._send("reissue", number, call, lambda packet: self.account.reissue(packet, order, number))

    def numbers_left(self, period: str, call: Call) -> Outcome[int]:
        """See Provider.numbers_left."""
        return self._send("numbers", period, call, self.account.numbers_left)

    def print_url(self, number: str, issued_on: date, call: Call) -> Outcome[str]:
        """See Provider.print_url."""
        return Unknown("NOT_SIMULATED")

    def _send(self, what: str, about: str, call: Call, effect: Callable[[Packet], Any]) -> Any:  # noqa: C901, PLR0912 — one case per fault of the catalogue
        actor, world = self.actor, self.actor.world
        packet = Packet(self.key, actor.name, world.t, call.now)
        fault = actor.fault(NET_FAULTS, WEIGHT)
        if fault == "crash_before":
            actor.crash()
        if fault == "not_connected":
            actor.sleep(actor.rng.between(0.1, 3))
            return Rejected(Reason.PROVIDER_BUSY, "NOT_SENT", definite=True, sent=False)
        self.on_send(packet, what, about)

        def land() -> Any:
            reply = effect(packet)
            if world.trace is not None:
                world.say(actor.name, f"{what} {about} lands (sent {packet.sent_t:.1f}) -> {_short(reply)}")
            return reply

        if fault is None or fault == "slow":
            latency_s = actor.rng.between(0.05, 0.6)
            actor.sleep(latency_s)
            reply = land()
            actor.sleep(actor.rng.between(0, call.timeout_s - latency_s) if fault else 0.05)
            return reply
        timeout_s = call.timeout_s
        match fault:
            case "crash_after":
                world.at(world.t + actor.rng.between(0.05, 1), land)
                actor.crash()
            case "late":
                world.at(world.t + timeout_s + (LATE_S - timeout_s) * actor.rng.random() ** 2, land)
                actor.sleep(timeout_s)
            case "late_reset":
                world.at(world.t + LATE_S * actor.rng.random() ** 2, land)
                actor.sleep(0.3)
                return Unknown("CONNECTION_LOST")
            case "lost":
                actor.sleep(timeout_s)
            case "answer_lost":
                actor.sleep(0.2)
                land()
                actor.sleep(timeout_s - 0.2)
            case "status_before":
                actor.sleep(0.2)
                return Unknown("BAD_STATUS", "502")
            case "status_after" | "garbled_after":
                actor.sleep(0.2)
                land()
                return Unknown("BAD_STATUS", "500") if fault == "status_after" else Unknown("UNREADABLE")
            case "wrong_credentials":
                actor.sleep(0.2)
                return Rejected(Reason.FIX_CREDENTIALS, "WRONG_KEY", "110", definite=True)
            case "unplaced_before" | "unplaced_after":
                actor.sleep(0.2)
                if fault == "unplaced_after":
                    land()
                return Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", "9999999")
            case "banned":
                actor.sleep(0.2)
                return self.account.ban()
        return Unknown("TIMEOUT")


def _short(reply: Any) -> str:
    match reply:
        case Accepted(value=value):
            return f"Accepted {getattr(value, 'number', value)}"
        case Rejected() | Unknown():
            return f"{type(reply).__name__} {reply.cause}"
        case Found():
            return f"Found {reply.number} {reply.total_twd}{' VOID' if reply.void else ''}"
        case _:
            return type(reply).__name__
