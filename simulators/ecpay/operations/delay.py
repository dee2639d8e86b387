"""Delayed issue: DelayIssue (延遲開立), EditDelayIssue, TriggerIssue (觸發開立), CancelDelayIssue.

ECPay developers pages 15369, 47979, 15371, 15382. A delayed order has no number; it is an invoice from the moment the
clock, or a trigger, makes it one. The page says nothing about the hour: ours is the switch ``delayed_issue_s``.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from simulators.ecpay import callbacks, codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.documents import Content, Delayed
from simulators.ecpay.fields import Data, Field, check
from simulators.ecpay.invoice_fields import read_content
from simulators.ecpay.operations.base import Call, Operation, Reply, check_merchant
from simulators.ecpay.operations.issue import check_relate, create
from simulators.ecpay.periods import TAIPEI
from simulators.ecpay.state import World

ISSUED_LATER, ISSUED_NOW = 4000003, 4000004  # RtnCode of a successful TriggerIssue
LAST_CHANGE = time(10)  # on the issue day
JOB = "delayed issue"  # the kind of clock job
TSR = Field("Tsr", 30, codes.TSR_FORMAT, codes.TSR_FORMAT)
NOTIFY_URL = Field("NotifyURL", 200, codes.NOTIFY_URL)
FIELDS = (
    Field("DelayFlag", 1, codes.DELAY_FLAG, codes.DELAY_FLAG, "[12]"),
    TSR,
    Field("PayType", 1, codes.PAY_TYPE, codes.PAY_TYPE, "2"),
    Field("PayAct", 6, codes.PAY_TYPE, codes.PAY_TYPE, "ECPAY"),
    NOTIFY_URL,
)
DAYS = {"1": range(1, 16), "2": range(16)}  # DelayFlag: what DelayDay may be


def delay_issue(call: Call, data: Data) -> Reply:
    """Order an invoice for a later day (DelayFlag 1), or for so many days after a trigger (2)."""
    check_merchant(call, data)
    check(FIELDS, data, strict=call.strict)
    days = data.integer("DelayDay")
    if days is None or days not in DAYS[data.text("DelayFlag")]:
        raise Refused(codes.DELAY_DAY)
    key = (call.merchant.merchant_id, data.text("Tsr"))
    if key in call.world.delayed:
        raise Refused(codes.TSR_DUPLICATE)
    content = _content(call, data)
    check_relate(call, content)
    delayed = Delayed(
        merchant_id=call.merchant.merchant_id,
        tsr=data.text("Tsr"),
        content=content,
        waits_for_trigger=data.text("DelayFlag") == "2",
        delay_days=days,
        notify_url=data.text("NotifyURL"),
        issue_at=None,
    )
    call.world.delayed[key] = delayed
    call.world.waiting_relates[delayed.merchant_id, content.relate.lower()] = delayed
    if not delayed.waits_for_trigger:
        _schedule(call, delayed)
    return {"RtnCode": 1, "RtnMsg": "開立發票成功", "OrderNumber": delayed.tsr}


def edit_delay_issue(call: Call, data: Data) -> Reply:
    """Change what will be issued, as long as it is neither issued nor triggered; day and trigger stay."""
    check_merchant(call, data)
    check((TSR, NOTIFY_URL), data, strict=call.strict)
    delayed = _known(call, data)
    if delayed.state != "waiting" or (delayed.waits_for_trigger and delayed.issue_at):
        raise Refused(codes.DELAY_DONE)
    _check_hour(call, delayed)
    content = _content(call, data)
    check_relate(call, content, own=delayed)
    _free_relate(call.world, delayed)
    delayed.content = content
    if data.has("NotifyURL"):
        delayed.notify_url = data.text("NotifyURL")
    call.world.waiting_relates[delayed.merchant_id, content.relate.lower()] = delayed
    return {"RtnCode": 1, "RtnMsg": "編輯成功"}


def trigger_issue(call: Call, data: Data) -> Reply:
    """Issue now (DelayDay 0) or so many days from now. Neither success is RtnCode 1."""
    check_merchant(call, data)
    check((TSR, FIELDS[2]), data, strict=call.strict)
    delayed = _known(call, data)
    if not delayed.waits_for_trigger and delayed.state == "waiting":
        # The page wants DelayFlag 2, but stage answered 4000003 for the other, too (observed 2026-09).
        if call.strict:
            raise Refused(codes.TRIGGER_SCHEDULED)
    elif delayed.state != "waiting" or delayed.issue_at:
        raise Refused(codes.DELAY_DONE)
    elif delayed.delay_days == 0:
        _issue(call, delayed)
        return {"RtnCode": ISSUED_NOW, "RtnMsg": "開立發票成功", "Tsr": delayed.tsr}
    else:
        _schedule(call, delayed)
    return {"RtnCode": ISSUED_LATER, "RtnMsg": "延後開立成功", "Tsr": delayed.tsr}


def cancel_delay_issue(call: Call, data: Data) -> Reply:
    """Take the order back; not after 10:00 on the issue day."""
    check_merchant(call, data)
    check((TSR,), data, strict=call.strict)
    delayed = call.world.delayed.get((call.merchant.merchant_id, data.text("Tsr")))
    if delayed is None or delayed.state != "waiting":
        raise Refused(codes.CANCEL_NOTHING)
    _check_hour(call, delayed)
    delayed.state = "cancelled"
    _free_relate(call.world, delayed)
    return {"RtnCode": 1, "RtnMsg": "取消開立發票成功"}


def _content(call: Call, data: Data) -> Content:
    content = read_content(data, strict=call.strict)
    if call.strict and content.tax_type == "4":  # ECPay's .NET SDK knows no special tax here
        raise Refused(codes.TAX_TYPE)
    return content


def _known(call: Call, data: Data) -> Delayed:
    delayed = call.world.delayed.get((call.merchant.merchant_id, data.text("Tsr")))
    if delayed is None:
        raise Refused(codes.TSR_UNKNOWN)
    return delayed


def _check_hour(call: Call, delayed: Delayed) -> None:
    if delayed.issue_at and call.now >= datetime.combine(delayed.issue_at.date(), LAST_CHANGE, TAIPEI):
        raise Refused(codes.DELAY_LATE)


def _free_relate(world: World, delayed: Delayed) -> None:
    world.waiting_relates.pop((delayed.merchant_id, delayed.content.relate.lower()), None)


def _schedule(call: Call, delayed: Delayed) -> None:
    day = call.now.astimezone(TAIPEI).date() + timedelta(days=delayed.delay_days)
    midnight = datetime.combine(day, time(), TAIPEI)
    delayed.issue_at = midnight + timedelta(seconds=call.world.settings.delayed_issue_s)
    world = call.world

    def arrive(at: datetime) -> None:
        with world.lock:
            if delayed.state != "waiting":
                return
            try:
                merchant = world.merchants[delayed.merchant_id]
                _issue(Call(world=world, merchant=merchant, now=at, base_url=""), delayed)
            except Refused as refusal:
                _free_relate(world, delayed)
                delayed.state, delayed.failure = "failed", refusal.code.number
                callbacks.tell_issued(world, delayed, at)

    world.clock.at(delayed.issue_at, JOB, arrive)


def _issue(call: Call, delayed: Delayed) -> None:
    """Make it an invoice and call NotifyURL; a refusal leaves it as it was."""
    delayed.invoice = create(call, delayed.content, own=delayed)
    _free_relate(call.world, delayed)
    delayed.state, delayed.issue_at = "issued", delayed.invoice.created
    callbacks.tell_issued(call.world, delayed, call.now)


OPERATIONS = (
    Operation("DelayIssue", delay_issue, writes=True, blank={"OrderNumber": ""}),
    Operation("EditDelayIssue", edit_delay_issue, writes=True),
    Operation(
        "TriggerIssue",
        trigger_issue,
        writes=True,
        rtn_code_as_text=True,
        blank={"Tsr": ""},
        successes=(ISSUED_LATER, ISSUED_NOW),
    ),
    Operation("CancelDelayIssue", cancel_delay_issue, writes=True),
)
