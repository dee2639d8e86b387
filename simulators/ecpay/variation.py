"""Answers whose types vary from call to call, as between ECPay's samples and its live answers (``--vary-types``).

Which call gets which spelling follows from the call's number alone, so that a run can be repeated.
"""

from __future__ import annotations

from simulators.ecpay.operations.base import Reply

AS_TEXT = ("IIS_Sales_Amount", "IIS_Tax_Amount", "IIS_Remain_Allowance_Amt", "IIS_Award_Type", "SpecialTaxType")
EMPTY_AS_NULL = ("InvoiceNo", "InvoiceDate", "RandomNumber", "IIS_Upload_Date")


def of_merchant_id(merchant_id: str, number: int) -> str | int:
    """Every second call gets a number."""
    return int(merchant_id) if number % 2 and merchant_id.isdigit() else merchant_id


def of_reply(reply: Reply, number: int, *, rtn_code_as_text: bool) -> Reply:
    """Every second call: amounts as text, empty fields as null, RtnCode as text where ECPay's sample has it so."""
    if number % 2 == 0:
        return reply
    varied: Reply = {}
    for name, value in reply.items():
        if (name in AS_TEXT or (name == "RtnCode" and rtn_code_as_text)) and isinstance(value, int):
            varied[name] = str(value)
        else:
            varied[name] = None if name in EMPTY_AS_NULL and value == "" else value
    return varied
