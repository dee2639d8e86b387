"""The two callbacks ECPay makes, posted to loopback addresses only: after a delayed issue, after an online consent.

A receiver answers exactly ``1|OK`` within ten seconds, or is asked again (ECPay developers pages 15369, 15391, 38242;
how often and when is published for neither, so the numbers are ours).
"""

from __future__ import annotations

import http.client
import ipaddress
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urlencode, urlsplit

from simulators.ecpay.documents import AllowanceRequest, Attempt, Callback, Delayed, Invoice
from simulators.ecpay.faults import Target
from simulators.ecpay.mac import FIELD, check_mac_value
from simulators.ecpay.periods import TAIPEI, stamp
from simulators.ecpay.state import World

DELAY, CONSENT = "DelayIssue", "AllowanceByCollegiate"
ACCEPTED = "1|OK"
JOB = "callback"  # the kind of clock job an attempt is
READ_BYTES = 64
FORGED_NUMBER, FORGED_MAC = "ZZ99999999", "0" * 32


def delayed_form(delayed: Delayed) -> dict[str, str]:
    """What NotifyURL gets; it carries no checksum. Number, date and time are empty where ``inv_error`` is not."""
    invoice = delayed.invoice
    created = invoice.created.astimezone(TAIPEI) if invoice else None
    return {
        "inv_mer_id": delayed.merchant_id,
        "od_sob": delayed.content.relate,
        "tsr": delayed.tsr,
        "invoicedate": f"{created:%Y-%m-%d}" if created else "",
        "invoicetime": f"{created:%H:%M:%S}" if created else "",
        "invoicenumber": invoice.number if invoice else "",
        "invoicecode": invoice.random.zfill(8) if invoice else "",
        "inv_error": "" if delayed.failure is None else str(delayed.failure),
    }


def consent_form(world: World, request: AllowanceRequest) -> dict[str, str]:
    """What ReturnURL gets once the buyer agreed."""
    allowance = request.allowance
    merchant = world.merchants[allowance.invoice.merchant_id]
    form = {
        "RtnCode": "1",
        "RtnMsg": "",
        "IA_Allow_No": allowance.number,
        "IA_Invoice_No": allowance.invoice_no,
        "IA_Date": stamp(allowance.created),
        "IIS_Remain_Allowance_Amt": str(allowance.invoice.remaining_twd),
    }
    return {**form, FIELD: check_mac_value(form, merchant.key, merchant.iv)}


def tell_issued(world: World, delayed: Delayed, now: datetime, *, forged: bool = False) -> None:
    """Call NotifyURL, if there is one. Stage never does (observed), but a forger may."""
    form = delayed_form(delayed)
    if forged:
        form |= {"invoicenumber": FORGED_NUMBER, "invoicedate": f"{now:%Y-%m-%d}", "inv_error": ""}
    silent = "stage does not call NotifyURL" if not world.settings.strict and not forged else ""
    new = _new(world, DELAY, delayed.merchant_id, delayed.content.relate, delayed.invoice)
    _send(world, replace(new, url=delayed.notify_url, form=form, forged=forged, reason=silent), now)


def tell_agreed(world: World, request: AllowanceRequest, now: datetime, *, forged: bool = False) -> None:
    """Call ReturnURL, if there is one."""
    form = consent_form(world, request)
    if forged:
        form |= {"IIS_Remain_Allowance_Amt": "0", FIELD: FORGED_MAC}
    invoice = request.allowance.invoice
    new = _new(world, CONSENT, invoice.merchant_id, invoice.relate, invoice)
    _send(world, replace(new, url=request.return_url, form=form, forged=forged), now)


def _new(world: World, op: str, merchant_id: str, relate: str, invoice: Invoice | None) -> Callback:
    return Callback(len(world.callbacks) + 1, op, merchant_id, relate, invoice.number if invoice else "", "", {})


def _loopback(url: str) -> SplitResult | None:
    """The parts of a plain HTTP address on this machine; None for any other."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return None
    return parts if local and parts.scheme == "http" and url.isascii() else None


def _send(world: World, callback: Callback, now: datetime) -> None:
    """Queue the attempts, as faults will have it. The caller holds ``world.lock``."""
    if not callback.url:
        return
    target = Target(callback.op.lower(), callback.merchant_id, callback.relate, callback.invoice_no)
    met = None if callback.forged else world.faults.meet_callback(target, now)
    if met and met.condition("callback_lost"):
        callback.reason = "callback_lost"
    if _loopback(callback.url) is None:
        callback.reason = "not a plain HTTP address of this machine"
    copies = [callback]
    if met and met.condition("callback_forged"):
        copies.insert(0, _as_forged(callback))
    if met and met.condition("callback_duplicate"):
        copies.append(replace(callback, attempts=[]))
    late = met.condition("callback_late") if met else None
    for copy in copies:
        copy.number = len(world.callbacks) + 1
        world.callbacks.append(copy)
        if copy.reason:
            copy.state = "not sent"
        else:
            _queue(world, copy, now + timedelta(seconds=late.seconds() if late else 0))


def _as_forged(callback: Callback) -> Callback:
    false = {FIELD: FORGED_MAC} if FIELD in callback.form else {"invoicenumber": FORGED_NUMBER}
    return replace(callback, form={**callback.form, **false}, forged=True, attempts=[])


def _queue(world: World, callback: Callback, due: datetime) -> None:
    world.clock.at(due, JOB, lambda at: _attempt(world, callback, at))


def _attempt(world: World, callback: Callback, at: datetime) -> None:
    # Not under the lock: the receiver may well ask us something before it answers.
    status, answer = _post(callback.url, callback.form, world.settings.callback_timeout_s)
    with world.lock:
        callback.attempts.append(Attempt(at, status, answer))
        if (status, answer) == (200, ACCEPTED):
            callback.state = "delivered"
        elif len(callback.attempts) >= world.settings.callback_attempts:
            callback.state = "given up"
        else:
            _queue(world, callback, at + timedelta(seconds=world.settings.callback_retry_s))


def _post(url: str, form: dict[str, str], timeout_s: float) -> tuple[int | None, str]:
    """HTTP status and body; the name of what went wrong instead of a body where no answer came."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.request("POST", path, urlencode(form, errors="replace"), headers)
        response = connection.getresponse()
        return response.status, response.read(READ_BYTES).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return None, type(error).__name__
    finally:
        connection.close()
