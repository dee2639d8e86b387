"""What an order asks to have invoiced (發票內容): plain values, no vendor's spelling, no storage.

Money is whole New Taiwan dollars (``*_twd``), instants are aware ``datetime``, tax days are ``date``.
Amounts are tax-inclusive everywhere in this package; a centre that wants them untaxed converts in its own folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class TaxType(StrEnum):
    """Tax type (課稅別) of an invoice, or of one line of a mixed invoice."""

    TAXABLE = "taxable"  # 應稅
    ZERO_RATED = "zero_rated"  # 零稅率
    EXEMPT = "exempt"  # 免稅
    SPECIAL = "special"  # 特種稅額
    MIXED = "mixed"  # 混合應稅與免稅或零稅率


class CarrierKind(StrEnum):
    """Kind of carrier (載具類別) that holds a paperless invoice."""

    MOBILE_BARCODE = "mobile_barcode"  # 手機條碼 3J0002
    CITIZEN_CERTIFICATE = "citizen_certificate"  # 自然人憑證 CQ0001
    MEMBER = "member"  # 會員載具: the centre's own; it knows the buyer by e-mail or phone


class CustomsMark(StrEnum):
    """Customs clearance mark (通關方式註記) of a zero-rated sale."""

    NOT_VIA_CUSTOMS = "not_via_customs"  # 非經海關出口
    VIA_CUSTOMS = "via_customs"  # 經海關出口


@dataclass(frozen=True, slots=True)
class Carrier:
    """Carrier (載具): kind and, but for the member carrier, its number."""

    kind: CarrierKind
    number: str = ""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Buyer (買受人). ``ubn`` (統一編號) is empty for a consumer.

    ``ubn_override`` is the reason a person gave for accepting a 統編 whose checksum fails; empty means: check it.
    """

    ubn: str = ""
    name: str = ""
    address: str = ""
    email: str = ""
    phone: str = ""
    ubn_override: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line (品項) of an invoice; a discount is a line with a negative price and amount."""

    name: str
    quantity: Decimal
    unit_price_twd: Decimal
    amount_twd: int
    unit: str = "式"
    tax_type: TaxType | None = None  # only, and always, on a MIXED invoice
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """An order's invoice content (發票內容), as the platform wants it issued.

    For a consumer exactly one of ``print_paper``, ``carrier``, ``love_code`` (捐贈碼) says where the invoice goes.
    ``sold_on`` is the sale's tax day in Taipei as ISO text (empty: the day of the first request).
    """

    buyer: Buyer
    lines: tuple[Line, ...]
    total_twd: int
    tax_type: TaxType = TaxType.TAXABLE
    print_paper: bool = False
    carrier: Carrier | None = None
    love_code: str = ""
    customs_mark: CustomsMark | None = None
    zero_rate_reason: str = ""  # 零稅率原因 71–79
    special_tax_type: int = 0  # 特種稅額類別 1–8
    remark: str = ""
    sold_on: str = ""


@dataclass(frozen=True, slots=True)
class AllowanceLine:
    """One line (折讓品項) of an allowance, tax-inclusive; ``line`` is the invoice line it takes from, counted from 1.

    ``quantity`` times ``unit_price_twd`` is exactly ``amount_twd``, which is positive.
    """

    line: int
    name: str
    quantity: Decimal
    unit_price_twd: Decimal
    amount_twd: int
    unit: str = "式"
    tax_type: TaxType = TaxType.TAXABLE


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an allowance (折讓單) says: its lines close to ``total_twd``, tax-inclusive.

    ``tax_twd`` is the part of it that is tax, for centres that take it from us; others split it themselves.
    """

    lines: tuple[AllowanceLine, ...]
    total_twd: int
    tax_twd: int
    reason: str = ""
    buyer_name: str = ""
    notify_email: str = ""  # empty: the centre sends no notice


@dataclass(frozen=True, slots=True)
class OrderKey:
    """Identity of an order (訂單): merchant, where its id comes from, and the id, exactly as given there."""

    merchant: str
    source: str
    order_id: str


@dataclass(frozen=True, slots=True)
class Centre:
    """The value-added centre (加值中心) account an order is pinned to from its claim on."""

    provider: str
    account: str
    credential_id: str


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """What one centre takes (加值中心的規格): law is ours, these numbers are theirs. ``rules`` gets it as a value."""

    name: str
    # where an invoice with a 統編 may also have a carrier, which kinds; and which of them may be printed too
    ubn_carriers: frozenset[CarrierKind] = frozenset()
    ubn_printable_carriers: frozenset[CarrierKind] = frozenset()
    contact_required: bool = False  # e-mail or phone
    max_lines: int = 999
    max_name_chars: int = 500
    max_unit_chars: int = 6
    max_remark_chars: int = 200
    max_line_remark_chars: int = 120
    max_buyer_name_chars: int = 60
    max_buyer_address_chars: int = 100
    max_email_chars: int = 80
    max_phone_chars: int = 20
    max_reason_chars: int = 20
    max_quantity_decimals: int = 7
    max_price_decimals: int = 7
    tax_types: frozenset[TaxType] = frozenset(TaxType)
    astral_text: bool = False  # characters outside the basic plane (emoji): storage at the centre unknown, so refused
    # changes after issue
    void_scope: str = "until_cutoff"  # or issue_period_only
    void_cutoff_day: int = 13  # of the odd month after the period, 23:59:59 Taipei
    reissue_scope: str = "issue_period_only"  # or until_cutoff
    same_number_reissue: bool = False  # 註銷重開 switched on for this merchant
    same_number_hours: int = 48
    filing: str = "bimonthly"  # or monthly (營業稅法 art. 35): then an invoice's own month is what is filed
    # what the ministry must have confirmed first: void, same_number, allowance, allowance_void (of the document that is
    # changed), void_after_allowances, issue_after_void, issue_after_allowance (of the step that comes before)
    upload_first: frozenset[str] = frozenset()
    history: str = "allowance_remaining"  # or void_allowances_first: an invoice that ever had an allowance may be void
    partial_allowances: bool = True
    void_donated: bool = False  # whether a donated invoice can be void; otherwise it is allowed in full
    government: bool = False  # whether the centre has the flow that a government buyer's allowance needs
    consent_required: str = "business"  # or always, never: whose recorded consent a void or allowance waits for
    paper_back_required: bool = True  # a printed invoice's paper must be back before it is void
    special_void: bool = False  # whether a void with the tax office's approval number can be sent
    sends_allowance_tax: bool = False  # whether we say which part of an allowance is tax
    online_allowances: bool = False  # whether the buyer can be asked by e-mail (線上折讓)
    max_allowance_reason_chars: int = 50
    confirm_after_s: int = 600  # when the ministry's answer to an upload is first asked for, and then how often
    confirm_every_s: int = 21600
    # how safely it can be asked and repeated
    queryable: bool = True  # can be asked by our order number
    unique_order_number: bool = True  # refuses a second invoice with the same order number
    settle_window_s: int = 1260  # how long a sent packet may still take effect: 600 validity + 2 x 300 skew + 60
