"""A centre that can be asked nothing, or refuses no second invoice (不可查詢的加值中心): a model of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from unittest.mock import patch

from einvoice import wiring
from einvoice.application.breaker import Breakers
from einvoice.clock import Clock
from einvoice.errors import Reason
from einvoice.model import Allowance, Centre, Order, ProviderProfile
from einvoice.providers.base import (
    Absent,
    Accepted,
    Allowed,
    Asked,
    Call,
    Done,
    Found,
    FoundAllowance,
    FoundLine,
    Issued,
    LookUp,
    Outcome,
    Provider,
    Rejected,
    Unknown,
    VoidLookUp,
)
from einvoice.providers.ecpay.provider import ECPAY_PROFILE

LOST = Unknown("TIMEOUT")
REFUSED = Rejected(Reason.FIX_REQUEST, "AMOUNT_MISMATCH", "1", definite=True)
NO_NUMBERS = Rejected(Reason.ADD_NUMBERS, "NUMBER_EXHAUSTED", "2", definite=True)
NOT_SENT = Rejected(Reason.PROVIDER_BUSY, "NOT_SENT", definite=True, sent=False)
ARRIVES = "arrives"  # carried out, and its answer is lost


@dataclass
class ModelCentre:
    """Issues whatever reaches it. ``script`` is what becomes of the next calls: an outcome, or ``ARRIVES``."""

    profile: ProviderProfile
    clock: Clock
    script: list[Any] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    asked: int = 0
    held: list[Found] = field(default_factory=list)
    relates: list[str] = field(default_factory=list)
    allowances: list[FoundAllowance] = field(default_factory=list)

    def issue(self, order: Order, relate_number: str, call: Call) -> Outcome[Issued]:
        """One more invoice, unless this order number is unique here and has one."""
        self.sent.append(f"issue {relate_number}")
        fate = self.script.pop(0) if self.script else None
        if fate is not None and fate != ARRIVES:
            outcome: Outcome[Issued] = fate
            return outcome
        if self.profile.unique_order_number and relate_number in self.relates:
            return Rejected(Reason.ORDER_HAS_INVOICE, "DUPLICATE_ORDER_NUMBER")
        made = self._made(order)
        self.held.append(made)
        self.relates.append(relate_number)
        return LOST if fate == ARRIVES else Accepted(Issued(made.number, made.issued_at, made.random_code))

    def find(self, relate_number: str, call: Call) -> LookUp:
        """What it holds, if it can be asked at all."""
        self.asked += 1
        assert self.profile.queryable, "asked what it cannot be asked"
        found = [made for made, relate in zip(self.held, self.relates, strict=True) if relate == relate_number]
        return found[-1] if found else Absent()

    def void(self, number: str, issued_on: date, reason: str, call: Call) -> Outcome[Done]:
        """Void what it holds."""
        self.sent.append(f"void {number}")
        fate = self.script.pop(0) if self.script else None
        if fate is None or fate == ARRIVES:
            self.held = [replace(made, void=made.void or made.number == number) for made in self.held]
        return Accepted(Done()) if fate is None else LOST if fate == ARRIVES else fate

    def reissue_same_number(
        self, order: Order, relate_number: str, number: str, issued_at: datetime, reason: str, call: Call
    ) -> Outcome[Issued]:
        """Not offered here."""
        raise AssertionError("never sent: the profile does not offer it")

    def numbers_left(self, period: str, call: Call) -> Outcome[int]:
        """As many as one likes."""
        return Accepted(1000)

    def print_url(self, number: str, issued_on: date, call: Call) -> Outcome[str]:
        """Not offered here."""
        raise AssertionError("never asked for in these tests")

    def allow(self, number: str, issued_on: date, allowance: Allowance, call: Call) -> Outcome[Allowed]:
        """One more allowance, whatever was made before."""
        self.sent.append(f"allow {number}")
        fate = self.script.pop(0) if self.script else None
        if fate is not None and fate != ARRIVES:
            outcome: Outcome[Allowed] = fate
            return outcome
        made = FoundAllowance(
            number=f"{len(self.allowances) + 1:016}",
            invoice_number=number,
            allowed_at=self.clock.now(),
            total_twd=allowance.total_twd,
            tax_twd=0,
            lines=(),
            void=False,
            upload="uploading",
        )
        self.allowances.append(made)
        return LOST if fate == ARRIVES else Accepted(Allowed(made.number, made.allowed_at))

    def ask_allowance(
        self, number: str, issued_on: date, allowance: Allowance, callback_url: str, call: Call
    ) -> Outcome[Asked]:
        """Not offered here."""
        raise AssertionError("never sent: the profile does not offer it")

    def find_allowances(self, number: str, issued_on: date, call: Call) -> Outcome[tuple[FoundAllowance, ...]]:
        """What it holds, if it can be asked at all."""
        self.asked += 1
        assert self.profile.queryable, "asked what it cannot be asked"
        return Accepted(tuple(made for made in self.allowances if made.invoice_number == number))

    def void_allowance(self, number: str, allowance_number: str, reason: str, call: Call) -> Outcome[Done]:
        """Void what it holds."""
        self.sent.append(f"unallow {allowance_number}")
        fate = self.script.pop(0) if self.script else None
        if fate is None or fate == ARRIVES:
            self.allowances = [
                replace(made, void=made.void or made.number == allowance_number) for made in self.allowances
            ]
        return Accepted(Done()) if fate is None else LOST if fate == ARRIVES else fate

    def cancel_asked_allowance(self, number: str, allowance_number: str, reason: str, call: Call) -> Outcome[Done]:
        """Not offered here."""
        raise AssertionError("never sent: the profile does not offer it")

    def find_void(self, relate_number: str, number: str, issued_on: date, call: Call) -> VoidLookUp:
        """Nothing is uploaded here."""
        self.asked += 1
        assert self.profile.queryable, "asked what it cannot be asked"
        return Absent()

    def find_allowance_void(self, number: str, allowance_number: str, call: Call) -> VoidLookUp:
        """Nothing is uploaded here."""
        self.asked += 1
        assert self.profile.queryable, "asked what it cannot be asked"
        return Absent()

    def genuine(self, content_type: str, body: bytes) -> bool:
        """It never calls back."""
        return False

    @property
    def living(self) -> list[str]:
        """Numbers of the invoices that live."""
        return [made.number for made in self.held if not made.void]

    def _made(self, order: Order) -> Found:
        return Found(
            number=f"AB{len(self.held) + 1:08}",
            issued_at=self.clock.now(),
            random_code="1234",
            total_twd=order.total_twd,
            ubn=order.buyer.ubn,
            tax_type=order.tax_type.value,
            carrier_kind=order.carrier.kind.value if order.carrier else "",
            carrier_number=order.carrier.number if order.carrier else "",
            love_code=order.love_code,
            print_paper=order.print_paper,
            lines=tuple(FoundLine(line.name, str(line.quantity), line.amount_twd) for line in order.lines),
            void=False,
            withdrawn=False,
            upload="uploading",
            remaining_twd=order.total_twd,
        )


@dataclass(frozen=True)
class _Centres:
    made: Provider

    def current(self, merchant: str) -> tuple[Centre, ProviderProfile]:
        return Centre("model", "1", "first"), self.made.profile

    def profile(self, merchant: str) -> ProviderProfile:
        return self.made.profile

    def pinned(self, merchant: str, centre: Centre) -> Provider:
        return self.made


@contextmanager
def centre(*script: Any, **profile: Any) -> Iterator[ModelCentre]:
    """The merchant's centre is this model for a while; ``profile`` says what it can."""
    ports = wiring.ports()
    offered = {"name": "model", "online_allowances": False} | profile
    made = ModelCentre(replace(ECPAY_PROFILE, **offered), ports.clock, list(script))
    mine = replace(ports, centres=_Centres(made), breakers=Breakers(ports.store, ports.clock))
    with patch.object(wiring, "ports", lambda: mine):
        yield made
