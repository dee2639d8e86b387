"""ECPay (綠界科技) as a ``Provider``: one merchant's account.

``wire``, ``allowances`` and ``enquiries`` map, ``client`` calls.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from functools import partial
from urllib.parse import urlsplit

from einvoice.model import Allowance, CarrierKind, Order, ProviderProfile
from einvoice.providers.base import Allowed, Asked, Call, Done, FoundAllowance, Issued, LookUp, Outcome, VoidLookUp
from einvoice.providers.ecpay import allowances, enquiries, mac, wire
from einvoice.providers.ecpay.client import CredentialSource, EcpayClient, Observe
from einvoice.providers.ecpay.enquiries import Charity, InvoicePage
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
    # ECPay's announcement of 2017-07-26: 註銷重開 after the upload. Page 7906 (plain void) states nothing. The others
    # are ours: what changes a document, or follows such a change, rests on what the ministry has of it.
    upload_first=frozenset(
        {"same_number", "allowance", "allowance_void", "void_after_allowances", "issue_after_allowance"}
    ),
    history="allowance_remaining",  # stage 2026-09 let a void follow void allowances; cautious default
    void_donated=False,  # no page says that it may; cautious default
    online_allowances=True,  # page 15391
    sends_allowance_tax=False,  # page 7901: AllowanceAmount is tax-inclusive, ECPay splits it
    max_allowance_reason_chars=50,  # Reason of ECPay's .NET SDK, 2025-03; page 7901 has no such field in older editions
    confirm_after_s=43_200,  # pages 7901, 7906, 7911: uploaded the next day
    confirm_every_s=21_600,  # ours: four times a day is enough for what happens once
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
        self._credentials = credentials
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

    def allow(self, number: str, issued_on: date, allowance: Allowance, call: Call) -> Outcome[Allowed]:
        """Make an allowance (折讓); the same request again would make another one."""
        data = allowances.allow_request(number, issued_on, allowance)
        return self._client.ask(Operation.ALLOW, data, partial(allowances.parse_allow, number=number), call)

    def ask_allowance(
        self, number: str, issued_on: date, allowance: Allowance, callback_url: str, call: Call
    ) -> Outcome[Asked]:
        """Ask the buyer (線上折讓) by ``allowance.notify_email``; repeated, it asks and reserves twice."""
        data = allowances.ask_request(number, issued_on, allowance, callback_url)
        return self._client.ask(Operation.ASK_ALLOWANCE, data, partial(allowances.parse_ask, number=number), call)

    def find_allowances(self, number: str, issued_on: date, call: Call) -> Outcome[tuple[FoundAllowance, ...]]:
        """Every allowance of one invoice (折讓查詢), void ones too, oldest first."""
        data = allowances.find_allowances_request(number, issued_on)
        parse = partial(allowances.parse_find_allowances, number=number)
        return self._client.ask(Operation.FIND_ALLOWANCES, data, parse, call)

    def void_allowance(self, number: str, allowance_number: str, reason: str, call: Call) -> Outcome[Done]:
        """Void an allowance (折讓作廢); already void is done."""
        data = allowances.void_allowance_request(number, allowance_number, reason)
        parse = partial(allowances.parse_void_allowance, number=number)
        return self._client.ask(Operation.VOID_ALLOWANCE, data, parse, call)

    def cancel_asked_allowance(self, number: str, allowance_number: str, reason: str, call: Call) -> Outcome[Done]:
        """Take back an allowance that waits for the buyer (取消線上折讓)."""
        data = allowances.void_allowance_request(number, allowance_number, reason)
        parse = partial(allowances.parse_cancel_asked_allowance, number=number)
        return self._client.ask(Operation.CANCEL_ASKED_ALLOWANCE, data, parse, call)

    def find_allowance_void(self, number: str, allowance_number: str, call: Call) -> VoidLookUp:
        """Look up the void of one allowance (查詢作廢折讓)."""
        data = allowances.find_allowance_void_request(number, allowance_number)
        parse = partial(allowances.parse_find_allowance_void, number=number, allowance_no=allowance_number)
        return self._client.ask(Operation.FIND_ALLOWANCE_VOID, data, parse, call)

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

    def genuine(self, content_type: str, body: bytes) -> bool:
        """Whether a callback carries the check value (檢查碼) of this account's key, the one in use or the newest."""
        form = mac.read_form(body, content_type)
        return form is not None and any(mac.verify(form, self._credentials(refresh)) for refresh in (False, True))
