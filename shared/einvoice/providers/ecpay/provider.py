"""ECPay (綠界科技) as a ``Provider``: one merchant's account. ``wire`` and ``enquiries`` map, ``client`` calls."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from functools import partial
from urllib.parse import urlsplit

from einvoice.model import CarrierKind, Order, ProviderProfile
from einvoice.providers.base import Call, Done, Issued, LookUp, Outcome
from einvoice.providers.ecpay import enquiries, wire
from einvoice.providers.ecpay.client import CredentialSource, EcpayClient, Observe
from einvoice.providers.ecpay.enquiries import Charity, InvoicePage, VoidLookUp
from einvoice.providers.ecpay.operations import Operation
from einvoice.providers.http import Transport

STAGE_URL = "https://einvoice-stage.ecpay.com.tw"
PRODUCTION_URL = "https://einvoice.ecpay.com.tw"

ECPAY_PROFILE = ProviderProfile(
    name="ecpay",
    # page 7896: with a 統編, CarrierType 1 and 2 need Print 0, CarrierType 3 leaves it free
    ubn_carriers=frozenset({CarrierKind.MEMBER, CarrierKind.CITIZEN_CERTIFICATE, CarrierKind.MOBILE_BARCODE}),
    ubn_printable_carriers=frozenset({CarrierKind.MOBILE_BARCODE}),
    contact_required=True,  # page 7896: CustomerEmail or CustomerPhone
    max_lines=999,  # page 7896; older editions 200
    max_name_chars=500,  # page 7896; older editions 100
    max_unit_chars=6,  # page 7896
    max_remark_chars=200,  # page 7896
    max_line_remark_chars=120,  # page 7896; older editions 40
    max_buyer_name_chars=60,  # page 7896
    max_buyer_address_chars=100,  # page 7896
    max_email_chars=80,  # page 7896; 82 refused on stage 2026-08 (2001010)
    max_phone_chars=20,  # page 7896
    max_reason_chars=20,  # page 7906; 21 refused on stage 2026-09 (2009005)
    max_quantity_decimals=7,  # page 7896
    max_price_decimals=7,  # page 7896
    astral_text=False,  # storage of characters beyond the basic plane is undocumented
    void_scope="until_cutoff",  # page 7906
    void_cutoff_day=13,  # page 7906: until 23:59:59 of the 13th of the odd month
    reissue_scope="issue_period_only",  # page 7918 would allow the 13th; the cautious reading is the default
    same_number_reissue=False,  # to be switched on per merchant
    same_number_hours=48,  # ECPay announcement of 2017; later help pages say until the 13th
    queryable=True,  # page 7923
    unique_order_number=True,  # page 7896; 5070357 on stage 2026-08
    settle_window_s=1260,  # Timestamp is valid for 600 s; twice 300 s of clock skew and a minute on top
)


def allowed_base_url(url: str, private_targets: Collection[str]) -> bool:
    """Whether ``url`` may be called: ECPay's two hosts, or an origin listed in ``private_targets`` (simulators).

    Only a bare origin passes: no path, query, credentials or other spelling of one.

    >>> allowed_base_url("https://einvoice.ecpay.com.tw", ())
    True
    >>> allowed_base_url("http://127.0.0.1:9000", ["http://127.0.0.1:9000"])
    True
    >>> allowed_base_url("https://einvoice.ecpay.com.tw.example.net", ())
    False
    """
    return _is_origin(url) and url in {STAGE_URL, PRODUCTION_URL, *private_targets}


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:  # a port that is none, or broken brackets
        return False
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return parts.scheme in {"http", "https"} and bool(host) and url == f"{parts.scheme}://{host}{port}"


class EcpayProvider:
    """``Provider`` for one ECPay merchant. ``base_url`` must have passed ``allowed_base_url``.

    Besides the protocol it offers what reconciliation and the checks at checkout need.
    """

    def __init__(
        self,
        merchant_id: str,
        base_url: str,
        credentials: CredentialSource,
        transport: Transport,
        observe: Observe,
        profile: ProviderProfile = ECPAY_PROFILE,
    ) -> None:
        self.profile = profile
        self._client = EcpayClient(merchant_id, base_url, credentials, transport, observe)

    def issue(self, order: Order, relate_number: str, call: Call) -> Outcome[Issued]:
        """Issue (開立) ``order`` under our ``relate_number``."""
        return self._client.ask(Operation.ISSUE, wire.issue_request(order, relate_number), wire.parse_issue, call)

    def find(self, relate_number: str, call: Call) -> LookUp:
        """Look up (查詢) by our order number."""
        parse = partial(wire.parse_find, relate_number=relate_number)
        return self._client.ask(Operation.FIND, wire.find_request(relate_number), parse, call)

    def void(self, number: str, issued_on: date, reason: str, call: Call) -> Outcome[Done]:
        """Void (作廢); already void is done."""
        parse = partial(wire.parse_void, number=number)
        return self._client.ask(Operation.VOID, wire.void_request(number, issued_on, reason), parse, call)

    def reissue_same_number(
        self, order: Order, relate_number: str, number: str, issued_at: datetime, reason: str, call: Call
    ) -> Outcome[Issued]:
        """Withdraw and re-issue (註銷重開)."""
        data = wire.reissue_same_number_request(order, relate_number, number, issued_at, reason)
        return self._client.ask(Operation.REISSUE, data, wire.parse_reissue_same_number, call)

    def numbers_left(self, period: str, call: Call) -> Outcome[int]:
        """Numbers left (剩餘字軌號碼) in the ranges in use in ``period`` (``11502``)."""
        parse = partial(enquiries.parse_numbers_left, period=period)
        return self._client.ask(Operation.TRACKS, enquiries.numbers_left_request(period), parse, call)

    def print_url(self, number: str, issued_on: date, call: Call) -> Outcome[str]:
        """Address of the printable invoice (證明聯), valid for one hour."""
        data = enquiries.print_request(number, issued_on)
        return self._client.ask(Operation.PRINT, data, enquiries.parse_print, call)

    def list_issued(self, begin: date, end: date, page: int, per_page: int, call: Call) -> Outcome[InvoicePage]:
        """One page of the invoices issued on the Taipei days ``begin``–``end`` (發票清單)."""
        data = enquiries.list_request(begin, end, page, per_page)
        return self._client.ask(Operation.LIST, data, enquiries.parse_list, call)

    def find_void(self, relate_number: str, number: str, issued_on: date, call: Call) -> VoidLookUp:
        """Look up the void (作廢查詢) of one invoice."""
        data = enquiries.find_void_request(relate_number, number, issued_on)
        parse = partial(enquiries.parse_find_void, number=number)
        return self._client.ask(Operation.FIND_VOID, data, parse, call)

    def check_barcode(self, barcode: str, call: Call) -> Outcome[bool]:
        """Whether the ministry knows a mobile barcode (手機條碼); unknown while it cannot be asked."""
        data = enquiries.check_barcode_request(barcode)
        return self._client.ask(Operation.CHECK_BARCODE, data, enquiries.parse_check_barcode, call)

    def check_love_code(self, love_code: str, call: Call) -> Outcome[Charity]:
        """Whether the ministry knows a donation code (捐贈碼), and whose it is; unknown while it cannot be asked."""
        data = enquiries.check_love_code_request(love_code)
        return self._client.ask(Operation.CHECK_LOVE_CODE, data, enquiries.parse_check_love_code, call)

    def company_name(self, ubn: str, call: Call) -> Outcome[str]:
        """Registered name of a 統編, empty if there is none; unknown, never invalid, while the register is down."""
        data = enquiries.company_name_request(ubn)
        return self._client.ask(Operation.COMPANY_NAME, data, enquiries.parse_company_name, call)
