"""What every operation gets and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.documents import Invoice
from simulators.ecpay.fields import Data
from simulators.ecpay.periods import parse_day
from simulators.ecpay.state import Merchant, World

INVOICE_NO_CHARACTERS = 10
Reply = dict[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the envelope, at ``now``; the caller holds ``world.lock``."""

    world: World
    merchant: Merchant
    now: datetime
    base_url: str
    exhausted: bool = False  # fault: no number is left
    maintenance: bool = False  # fault: the ministry does not answer
    read_lag_s: float = 0  # fault: queries see a new invoice only later

    @property
    def strict(self) -> bool:
        """Whether the strict profile is on."""
        return self.world.settings.strict

    def invoice(self, number: str) -> Invoice | None:
        """This merchant's invoice of that number."""
        return self.world.invoices.get((self.merchant.merchant_id, number))

    def invoice_of_day(self, data: Data) -> Invoice | None:
        """The invoice named by InvoiceNo **and** its real issue date; None for either being wrong (observed)."""
        invoice = self.invoice(data.text("InvoiceNo"))
        if invoice is None or parse_day(data.text("InvoiceDate")) != invoice.created.date():
            return None
        return invoice


@dataclass(frozen=True, slots=True)
class Operation:
    """One path under ``/B2CInvoice/``.

    ``blank`` are fields a refusal still carries; ``successes`` the RtnCodes that say it was done.
    """

    name: str
    run: Callable[[Call, Data], Reply]
    writes: bool = False
    plain: bool = False  # Data of the answer is a plain object
    rtn_code_as_text: bool = False  # ECPay's sample shows "1": varied by --vary-types
    blank: Mapping[str, object] = field(default_factory=dict)
    successes: tuple[int, ...] = (1,)


def check_merchant(call: Call, data: Data) -> None:
    """Data repeats the MerchantID of the envelope."""
    if data.text("MerchantID") != call.merchant.merchant_id:
        raise Refused(codes.MERCHANT_MISMATCH)


def check_invoice_no(data: Data) -> None:
    """InvoiceNo is ten characters."""
    if len(data.text("InvoiceNo")) != INVOICE_NO_CHARACTERS:
        raise Refused(codes.INVOICE_NO_LENGTH)
