"""Who is told of what (通知設定): GetInvoiceNotifySetting, InvoiceNotifySetting, and the same for few numbers left.

ECPay developers page 63356 calls them "in development"; fields and values are those of O'Pay's guide V1.6.0. They are
kept and answered; nothing is sent.
"""

from __future__ import annotations

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.fields import Data, Field, check
from simulators.ecpay.operations.allowance import MAILS
from simulators.ecpay.operations.base import Call, Operation, Reply, check_merchant

CUSTOMER_SWITCHES, OWN_SWITCHES = range(6), range(2)  # 0 off, customer: 1 mail to 5 both; own: 1 on
REMAIN_UNITS = (1, 2)
EMAIL = Field("EmailSetting", 200, codes.NOTIFY_SETTING, pattern=MAILS)
REMAIN_EMAIL = Field("NotifyEmail", 200, codes.NOTIFY_SETTING, pattern=MAILS)


def _shown(switches: dict[int, int]) -> list[Reply]:
    return [{"NotifyType": kind, "NotifySwitch": switch} for kind, switch in switches.items()]


def _changed(data: Data, name: str, now: dict[int, int], allowed: range) -> dict[int, int]:
    """``now`` with the types that were sent; the others stay as they are."""
    changed = dict(now)
    for entry in data.children(name):
        kind, switch = entry.integer("NotifyType"), entry.integer("NotifySwitch")
        if kind not in now or switch is None or switch not in allowed:
            raise Refused(codes.NOTIFY_SETTING)
        changed[kind] = switch
    return changed


def get_notify_setting(call: Call, data: Data) -> Reply:
    """The switches. ``CostomerSetting`` is spelt so in the guide."""
    check_merchant(call, data)
    kept = call.merchant.notify
    return {
        "RtnCode": 1,
        "RtnMsg": "查詢成功",
        "CostomerSetting": _shown(kept.customer),
        "SelfSetting": _shown(kept.own),
        "EmailSetting": kept.email,
    }


def notify_setting(call: Call, data: Data) -> Reply:
    """Change some of them."""
    check_merchant(call, data)
    check((EMAIL,), data, strict=call.strict)
    kept = call.merchant.notify
    customer = _changed(data, "CostomerSetting", kept.customer, CUSTOMER_SWITCHES)
    own = _changed(data, "SelfSetting", kept.own, OWN_SWITCHES)
    kept.customer, kept.own = customer, own
    if data.has("EmailSetting"):
        kept.email = data.text("EmailSetting")
    return {"RtnCode": 1, "RtnMsg": "設定成功"}


def get_remain_setting(call: Call, data: Data) -> Reply:
    """From how many numbers left on somebody is told."""
    check_merchant(call, data)
    kept = call.merchant.notify
    return {
        "RtnCode": 1,
        "RtnMsg": "查詢成功",
        "InvHeaderRemain": kept.remain,
        "RemainWord": kept.remain_unit,
        "NotifyEmail": kept.remain_email,
    }


def remain_setting(call: Call, data: Data) -> Reply:
    """Change that; what is not sent takes its default."""
    check_merchant(call, data)
    check((REMAIN_EMAIL,), data, strict=call.strict)
    remain = data.integer("InvHeaderRemain") if data.text("InvHeaderRemain") else 20
    unit = data.integer("RemainWord") if data.text("RemainWord") else 2
    if remain is None or remain < 0 or unit not in REMAIN_UNITS:
        raise Refused(codes.NOTIFY_SETTING)
    kept = call.merchant.notify
    kept.remain, kept.remain_unit, kept.remain_email = remain, unit, data.text("NotifyEmail")
    return {"RtnCode": 1, "RtnMsg": "設定成功"}


OPERATIONS = (
    Operation("GetInvoiceNotifySetting", get_notify_setting),
    Operation("InvoiceNotifySetting", notify_setting, writes=True),
    Operation("GetRemainNotifySetting", get_remain_setting),
    Operation("RemainNotifySetting", remain_setting, writes=True),
)
