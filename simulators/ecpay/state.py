"""What the simulator remembers: switches, merchants, number tracks, and all documents by their keys."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from simulators.ecpay.clock import Clock
from simulators.ecpay.documents import Allowance, AllowanceRequest, Callback, Delayed, Invoice, Notification
from simulators.ecpay.faults import Faults

Profile = Literal["stage", "doc"]
KEY_BYTES = 16

# UseStatus of a number track, as GetInvoiceWordSetting spells it.
NOT_ENABLED, IN_USE, DISABLED, PAUSED, PENDING, REJECTED = range(1, 7)

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
    allocation: bool = True  # the ministry allocated numbers (配號)
    delayed_issue_s: float = 12 * 3600  # seconds after midnight, Taipei, at which a day's delayed invoices are made
    callback_timeout_s: float = 10  # real seconds a receiver has to answer
    callback_retry_s: float = 900  # the simulator's seconds between two attempts
    callback_attempts: int = 4

    @property
    def strict(self) -> bool:
        """Whether what the pages say is enforced although stage does not."""
        return self.profile == "doc"


@dataclass(slots=True)
class NotifySettings:
    """Who is told of what, and when few numbers are left; the defaults are those of O'Pay's guide V1.6.0."""

    customer: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(1, 7), 0))
    own: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(1, 9), 0))
    email: str = ""
    remain: int = 20
    remain_unit: int = 2  # 1 per cent, 2 numbers
    remain_email: str = ""


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
    notify: NotifySettings = field(default_factory=NotifySettings)


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
    auto_upload: bool = False  # its blank numbers (空白字軌) are reported without being asked

    @property
    def last_used(self) -> str:
        """The last number given out, without header; "" if none."""
        return f"{self.next - 1:08d}" if self.next > self.start else ""


@dataclass(slots=True)
class Registry:
    """What the ministry knows; anything not named takes the default rule of its look-up."""

    barcodes: dict[str, bool] = field(default_factory=lambda: {"/NOTHERE": False})
    love_codes: dict[str, str] = field(default_factory=lambda: {"168001": "測試愛心基金會"})
    companies: dict[str, str] = field(
        default_factory=lambda: {"97025978": "綠界科技股份有限公司", "53538851": "測試股份有限公司"}
    )


@dataclass(frozen=True, slots=True)
class PrintOrder:
    """What an address given out by InvoicePrint shows, until when."""

    invoice: Invoice
    expires: datetime
    style: str
    with_detail: bool
    reprint: bool


class World:
    """All state of one simulator. Whoever reads or changes it holds ``lock``."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.lock = threading.RLock()
        self.merchants: dict[str, Merchant] = {}
        self.registry = Registry()
        self.faults = Faults()
        self.clear()

    def clear(self) -> None:
        """Forget every document, track and registry entry; merchants stay."""
        with self.lock:
            self.tracks: list[Track] = []
            self.made_terms: set[tuple[str, int, int]] = set()
            self.invoices: dict[tuple[str, str], Invoice] = {}
            self.by_relate: dict[tuple[str, str], Invoice] = {}
            self.allowances: dict[tuple[str, str], Allowance] = {}
            self.requests: dict[tuple[str, str], AllowanceRequest] = {}
            self.delayed: dict[tuple[str, str], Delayed] = {}
            self.waiting_relates: dict[tuple[str, str], Delayed] = {}
            self.callbacks: list[Callback] = []
            self.notifications: list[Notification] = []
            self.prints: dict[str, PrintOrder] = {}
            self.registry = Registry()
            for merchant in self.merchants.values():
                merchant.notify = NotifySettings()
            self._serial = 0

    def add_merchant(self, merchant_id: str, key: str, iv: str, **more: object) -> Merchant:
        """Add an account, or give an existing one new keys (its documents and numbers stay)."""
        if {len(key.encode()), len(iv.encode())} != {KEY_BYTES}:
            raise ValueError(f"HashKey and HashIV are {KEY_BYTES} bytes each")
        with self.lock:
            known = self.merchants.get(merchant_id)
            merchant = Merchant(merchant_id, key, iv, slot=known.slot if known else len(self.merchants))
            if known:
                merchant.notify = known.notify
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
