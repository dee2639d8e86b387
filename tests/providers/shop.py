"""One shop at ECPay's simulator: the real provider over real HTTP, on the simulator's clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from einvoice.model import Allowance, AllowanceLine, Buyer, Line, Order
from einvoice.providers.base import Accepted, Allowed, Asked, Call, Found
from einvoice.providers.ecpay.crypto import Credentials
from einvoice.providers.ecpay.provider import EcpayProvider
from einvoice.providers.http import HttpTransport
from simulators.ecpay import Simulator, start
from simulators.ecpay.state import TEST_MERCHANT, Settings

MERCHANT, *_KEYS = TEST_MERCHANT
KEYS = Credentials(*_KEYS)
OPENED = datetime.fromisoformat("2026-03-01T10:00:00+08:00")
EMAIL = "buyer@example.com"


def allowance(amount_twd: int, **more: Any) -> Allowance:
    """One line of ``amount_twd``."""
    line = AllowanceLine(1, "茶", Decimal(1), Decimal(amount_twd), amount_twd)
    return Allowance((line,), amount_twd, 0, **more)


@dataclass
class Shop:
    """A provider, the simulator behind it, and the one invoice that a test is about."""

    sim: Simulator
    provider: EcpayProvider
    relate: str = "ALLOWANCES0000000001"
    number: str = ""

    @property
    def call(self) -> Call:
        """One call now."""
        return Call(timeout_s=5, now=self.sim.now())

    @property
    def day(self) -> date:
        """The day of the invoice."""
        return OPENED.date()

    def issue(self, total_twd: int = 1050) -> None:
        """Issue the invoice on paper."""
        buyer = Buyer(name="測試買受人", address="某路1號", email=EMAIL)
        order = Order(buyer, (Line("茶", Decimal(1), Decimal(total_twd), total_twd),), total_twd, print_paper=True)
        issued = self.provider.issue(order, self.relate, self.call)
        assert isinstance(issued, Accepted)
        self.number = issued.value.number

    def allow(self, amount_twd: int, **more: Any) -> Any:
        """Allow a part of the invoice."""
        return self.provider.allow(self.number, self.day, allowance(amount_twd, **more), self.call)

    def allowed(self, amount_twd: int, **more: Any) -> Allowed:
        """The same, where it must succeed."""
        outcome = self.allow(amount_twd, **more)
        assert isinstance(outcome, Accepted)
        assert isinstance(outcome.value, Allowed)
        return outcome.value

    def ask(self, amount_twd: int, callback_url: str = "") -> Any:
        """Ask the buyer."""
        wanted = allowance(amount_twd, notify_email=EMAIL)
        return self.provider.ask_allowance(self.number, self.day, wanted, callback_url, self.call)

    def asked(self, amount_twd: int, callback_url: str = "") -> Asked:
        """The same, where it must succeed."""
        outcome = self.ask(amount_twd, callback_url)
        assert isinstance(outcome, Accepted)
        assert isinstance(outcome.value, Asked)
        return outcome.value

    def listed(self) -> list[tuple[str, int, bool]]:
        """Number, sum and whether void, of every allowance that a look-up shows."""
        outcome = self.provider.find_allowances(self.number, self.day, self.call)
        assert isinstance(outcome, Accepted)
        return [(one.number, one.total_twd, one.void) for one in outcome.value]

    def remaining(self) -> int:
        """What a look-up of the invoice says is left of it."""
        found = self.provider.find(self.relate, self.call)
        assert isinstance(found, Found)
        return found.remaining_twd


@contextmanager
def shop(**settings: Any) -> Iterator[Shop]:
    """A shop that has issued one invoice of 1,050 on 2026-03-01."""
    with start(settings=Settings(**settings)) as sim:
        sim.move_clock(now=OPENED)
        one = Shop(
            sim, EcpayProvider(MERCHANT, sim.url, lambda refresh: KEYS, HttpTransport(), lambda event, **_: None)
        )
        one.issue()
        yield one
