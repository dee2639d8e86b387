"""What the simulator remembers: merchants, number tracks, invoices, allowances."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from simulators.ecpay.clock import Clock

Profile = Literal["stage", "doc"]
KEY_BYTES = 16

# UseStatus of a number track, as GetInvoiceWordSetting spells it.
NOT_ENABLED, IN_USE, DISABLED, PAUSED = 1, 2, 3, 4

# ECPay's published test account (developers page 7849); everybody's, so no secret.
TEST_MERCHANT = ("2000132", "ejCk326UnaZWKisg", "q9jcZX8Ib9LM8wYk")


@dataclass(slots=True)
class Settings:
    """Switches of one simulator.

    ``profile``: ``stage`` is lenient and uploads a new invoice at once, ``doc`` enforces what the pages say and uploads
    after ``upload_sent_s`` (P becomes G) and ``upload_confirmed_s`` (G becomes C) of the simulator's time.
    """

    profile: Profile = "stage"
    vary_types: bool = False
    default_tracks: bool = True
    upload_sent_s: float = 3600
    upload_confirmed_s: float = 7200
    timestamp_window_s: float = 600
    reissue_keeps_number: bool = True  # ECPay stage was seen to do both (2026-08 and 2026-09)

    @property
    def strict(self) -> bool:
        """Whether what the pages say is enforced although stage does not."""
        return self.profile == "doc"


@dataclass(slots=True)
class Merchant:
    """One account. ``slot`` keeps its default ranges apart from those of other merchants."""

    merchant_id: str
    key: str
    iv: str
    slot: int
    name: str = "測試商店"
    ubn: str = "53538851"
    several_tracks: bool = False  # 多組字軌: ProductServiceID chooses the track


@dataclass(slots=True)
class Track:
    """A range of numbers (字軌) of one term."""

    track_id: str
    merchant_id: str
    year: int
    term: int
    inv_type: str
    header: str
    start: int
    end: int
    next: int
    status: int = IN_USE
    product_service_id: str = ""

    @property
    def last_used(self) -> str:
        """The last number given out, without header; "" if none."""
        return f"{self.next - 1:08d}" if self.next > self.start else ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line (商品明細) of an invoice or an allowance."""

    seq: int
    name: str
    count: Decimal
    word: str
    price: Decimal
    tax_type: str
    amount: Decimal
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What was asked to be issued, parsed and found legal."""

    relate: str
    customer_id: str
    ubn: str
    name: str
    address: str
    phone: str
    email: str
    clearance_mark: str
    print_flag: str
    donation: str
    love_code: str
    carrier_type: str
    carrier_number: str
    carrier_number_2: str
    tax_type: str
    zero_tax_reason: str
    special_tax_type: int
    sales_twd: int
    tax_twd: int | None
    remark: str
    inv_type: str
    vat: str
    product_service_id: str
    channel_partner: str
    lines: tuple[Line, ...]


@dataclass(slots=True)
class Invoice:
    """One invoice (發票) and what became of it."""

    merchant_id: str
    number: str
    created: datetime
    random: str
    content: Content
    visible_at: datetime  # queries do not see it earlier (fault ``read_lag``)
    voided: datetime | None = None
    void_reason: str = ""
    reissued: datetime | None = None
    upload_failed: bool = False
    former: list[Content] = field(default_factory=list)  # contents withdrawn by 註銷重開, oldest first
    allowances: list[Allowance] = field(default_factory=list, repr=False)

    @property
    def live_allowances(self) -> list[Allowance]:
        """Allowances that were not voided."""
        return [allowance for allowance in self.allowances if allowance.voided is None]

    @property
    def remaining_twd(self) -> int:
        """What can still be allowed (剩餘可折讓金額)."""
        return self.content.sales_twd - sum(allowance.amount_twd for allowance in self.live_allowances)


@dataclass(slots=True)
class Allowance:
    """One paper allowance (折讓單), in force from the moment it is made."""

    invoice: Invoice
    number: str
    created: datetime
    amount_twd: int
    tax_twd: int
    lines: tuple[Line, ...]
    notify: str
    mail: str
    phone: str
    customer: str
    voided: datetime | None = None
    void_reason: str = ""

    @property
    def invoice_no(self) -> str:
        """The number of its invoice."""
        return self.invoice.number


@dataclass(slots=True)
class Registry:
    """What the ministry knows; anything not named takes the default rule of its look-up."""

    barcodes: dict[str, bool] = field(default_factory=lambda: {"/NOTHERE": False})
    love_codes: dict[str, str] = field(default_factory=lambda: {"168001": "測試愛心基金會"})
    companies: dict[str, str] = field(
        default_factory=lambda: {"97025978": "綠界科技股份有限公司", "53538851": "測試股份有限公司"}
    )


class World:
    """All state of one simulator. Whoever reads or changes it holds ``lock``."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.lock = threading.RLock()
        self.merchants: dict[str, Merchant] = {}
        self.registry = Registry()
        self.clear()

    def clear(self) -> None:
        """Forget every document, track and registry entry; merchants stay."""
        with self.lock:
            self.tracks: list[Track] = []
            self.made_terms: set[tuple[str, int, int]] = set()
            self.invoices: dict[tuple[str, str], Invoice] = {}
            self.by_relate: dict[tuple[str, str], Invoice] = {}
            self.allowances: dict[tuple[str, str], Allowance] = {}
            self.prints: dict[str, tuple[Invoice, datetime]] = {}
            self.registry = Registry()
            self._serial = 0

    def add_merchant(self, merchant_id: str, key: str, iv: str, **more: object) -> Merchant:
        """Add an account, or give an existing one new keys (its documents and numbers stay)."""
        if {len(key.encode()), len(iv.encode())} != {KEY_BYTES}:
            raise ValueError(f"HashKey and HashIV are {KEY_BYTES} bytes each")
        with self.lock:
            known = self.merchants.get(merchant_id)
            merchant = Merchant(merchant_id, key, iv, slot=known.slot if known else len(self.merchants))
            for name in ("name", "ubn"):
                if name in more:
                    setattr(merchant, name, str(more[name]))
            merchant.several_tracks = bool(more.get("several_tracks", False))
            self.merchants[merchant_id] = merchant
            return merchant

    def serial(self) -> int:
        """A number that grows by one, for identifiers of all kinds."""
        self._serial += 1
        return self._serial


@dataclass(frozen=True, slots=True)
class Upload:
    """How far the ministry (財政部) has a document: ``status`` 1 or 0, ``turnkey`` P, G, C, E."""

    status: str
    turnkey: str
    at: datetime | None

    @property
    def done(self) -> bool:
        """Confirmed by the ministry."""
        return self.turnkey == "C"


def upload_of(settings: Settings, invoice: Invoice, now: datetime) -> Upload:
    """State of the upload (上傳狀態). Stage confirms a new invoice at once, but never a re-issued one."""
    since = invoice.reissued or invoice.created
    if invoice.upload_failed:
        return Upload("0", "E", None)
    if settings.profile == "stage" and invoice.reissued is None:
        return Upload("1", "C", since)
    sent = since + timedelta(seconds=settings.upload_sent_s)
    if now < sent:
        return Upload("0", "P", None)
    if now < since + timedelta(seconds=settings.upload_confirmed_s):
        return Upload("1", "G", sent)
    return Upload("1", "C", sent)


def document_upload_of(settings: Settings, made: datetime, now: datetime) -> Upload:
    """The same for a void or an allowance made at ``made``."""
    sent = made if settings.profile == "stage" else made + timedelta(seconds=settings.upload_sent_s)
    return Upload("1", "C", sent) if now >= sent else Upload("0", "P", None)
