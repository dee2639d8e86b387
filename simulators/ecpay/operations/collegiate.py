"""Online allowances (線上折讓): AllowanceByCollegiate, AllowanceInvalidByCollegiate, and the buyer's consent.

ECPay developers pages 15391, 38242, 7913. The buyer is asked by mail and has 72 hours; the amount is held back until he
agrees, the merchant cancels, or the time is over. Here the control API agrees for him.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from simulators.ecpay import callbacks, codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.documents import AllowanceRequest
from simulators.ecpay.fields import Data, Field, check
from simulators.ecpay.operations.allowance import COMMON_FIELDS, VOID_FIELDS, draft, put_in_force
from simulators.ecpay.operations.base import Call, Operation, Reply, check_merchant
from simulators.ecpay.periods import TAIPEI, stamp
from simulators.ecpay.state import World

VALID_FOR = timedelta(hours=72)
JOB = "consent expires"  # the kind of clock job
FIELDS = (
    *COMMON_FIELDS,
    Field("AllowanceNotify", 1, codes.COLLEGIATE_FIELD, codes.COLLEGIATE_FIELD, "E"),
    Field("NotifyMail", 100, codes.COLLEGIATE_FIELD, codes.COLLEGIATE_FIELD),
    Field("ReturnURL", 200, codes.COLLEGIATE_FIELD),
)


def allowance_by_collegiate(call: Call, data: Data) -> Reply:
    """Ask the buyer. RtnCode 1 says that he was asked, not that there is an allowance; a repeat asks twice."""
    check_merchant(call, data)
    check(FIELDS, data, strict=call.strict)
    asked = call.now.replace(microsecond=0)
    # ECPay's sample number begins with the second, with a year of two digits.
    wanted = draft(call, data, f"{call.now.astimezone(TAIPEI):%y%m%d%H%M%S}")
    request = AllowanceRequest(wanted, asked, asked + VALID_FOR, data.text("ReturnURL"))
    call.world.requests[call.merchant.merchant_id, wanted.number] = request
    wanted.invoice.requests.append(request)
    world = call.world

    def expire(_at: datetime) -> None:
        with world.lock:
            if request.state == "waiting":
                request.state = "expired"

    world.clock.at(request.expires, JOB, expire)
    return {
        "RtnCode": 1,
        "RtnMsg": "折讓單資料新增成功",
        "IA_Allow_No": wanted.number,
        "IA_Invoice_No": wanted.invoice_no,
        "IA_TempDate": stamp(request.asked),
        "IA_TempExpireDate": stamp(request.expires),
        "IA_Remain_Allowance_Amt": wanted.invoice.remaining_twd,
    }


def agree(world: World, request: AllowanceRequest, now: datetime) -> None:
    """The buyer clicks the link: the allowance is in force and ReturnURL is called. ``ValueError`` if it is too late.

    The caller holds ``world.lock``.
    """
    if request.state != "waiting":
        raise ValueError(f"{request.allowance.number} is {request.state}")
    request.state = "agreed"
    made = request.allowance
    made.created = now.replace(microsecond=0)
    made.visible_at = now
    put_in_force(world, made)
    callbacks.tell_agreed(world, request, now)


def allowance_invalid_by_collegiate(call: Call, data: Data) -> Reply:
    """Take the question back; what it held back can be allowed again."""
    check_merchant(call, data)
    check(VOID_FIELDS, data, strict=call.strict)
    request = call.world.requests.get((call.merchant.merchant_id, data.text("AllowanceNo")))
    if request is None or request.allowance.invoice_no != data.text("InvoiceNo"):
        raise Refused(codes.ALLOWANCE_UNKNOWN)
    if request.state == "agreed":
        raise Refused(codes.COLLEGIATE_AGREED)
    if request.state != "waiting":
        raise Refused(codes.COLLEGIATE_OVER)
    request.state = "cancelled"
    return {"RtnCode": 1, "RtnMsg": "取消成功", "IA_Invoice_No": request.allowance.invoice_no}


OPERATIONS = (
    Operation("AllowanceByCollegiate", allowance_by_collegiate, writes=True),
    Operation("AllowanceInvalidByCollegiate", allowance_invalid_by_collegiate, writes=True, rtn_code_as_text=True),
)
