"""The operations (作業) of ECPay's B2C e-invoice API that we use: path, whether it writes, how much it may answer.

Source: ECPay developers, B2C 電子發票介接技術文件, pages 7859–7949 and 32089 (one page per operation).
"""

from __future__ import annotations

from enum import StrEnum

from einvoice.providers.http import MAX_BODY_BYTES, MAX_LIST_BYTES

# The largest invoice the API itself takes (999 lines, 500 + 120 characters each) comes back URL-encoded and in base64,
# about 7.8 MB; an invoice we may issue must also be one we can look up.
MAX_INVOICE_BYTES = 8 * 1024 * 1024


class Operation(StrEnum):
    """Operation; the value is the last part of the path, in ECPay's documented case."""

    ISSUE = "Issue"  # 開立
    VOID = "Invalid"  # 作廢
    REISSUE = "VoidWithReIssue"  # 註銷重開
    FIND = "GetIssue"  # 查詢
    LIST = "GetIssueList"  # 查詢多筆
    FIND_VOID = "GetInvalid"  # 查詢作廢
    ALLOW = "Allowance"  # 折讓
    ASK_ALLOWANCE = "AllowanceByCollegiate"  # 線上折讓
    VOID_ALLOWANCE = "AllowanceInvalid"  # 折讓作廢
    CANCEL_ASKED_ALLOWANCE = "AllowanceInvalidByCollegiate"  # 取消線上折讓
    FIND_ALLOWANCES = "GetAllowanceList"  # 查詢折讓
    FIND_ALLOWANCE_VOID = "GetAllowanceInvalid"  # 查詢作廢折讓
    PRINT = "InvoicePrint"  # 列印
    CHECK_BARCODE = "CheckBarcode"  # 手機條碼驗證
    CHECK_LOVE_CODE = "CheckLoveCode"  # 捐贈碼驗證
    COMPANY_NAME = "GetCompanyNameByTaxID"  # 統一編號驗證
    TRACKS = "GetInvoiceWordSetting"  # 查詢字軌

    @property
    def writes(self) -> bool:
        """Whether a request of this kind may change anything at the centre."""
        return self in _WRITES

    @property
    def answers_plainly(self) -> bool:
        """``Data`` of the answer is a plain JSON object, not encrypted (observed on ECPay stage 2026-08)."""
        return self is Operation.LIST

    @property
    def max_answer_bytes(self) -> int:
        """Cap of the answer's body."""
        return _MAX_ANSWER_BYTES.get(self, MAX_BODY_BYTES)


_WRITES = frozenset(
    {
        Operation.ISSUE,
        Operation.VOID,
        Operation.REISSUE,
        Operation.ALLOW,
        Operation.ASK_ALLOWANCE,
        Operation.VOID_ALLOWANCE,
        Operation.CANCEL_ASKED_ALLOWANCE,
    }
)
_MAX_ANSWER_BYTES = {
    Operation.FIND: MAX_INVOICE_BYTES,
    Operation.FIND_ALLOWANCES: MAX_INVOICE_BYTES,  # each allowance comes with its lines, as many as the invoice has
    Operation.LIST: MAX_LIST_BYTES,
    Operation.TRACKS: MAX_LIST_BYTES,
}
