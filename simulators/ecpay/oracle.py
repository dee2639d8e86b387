"""What is really there, told to tests: documents as plain JSON in our own words, without names, addresses or phones."""

from __future__ import annotations

from dataclasses import asdict

from simulators.ecpay.documents import Allowance, AllowanceRequest, Callback, Delayed, Invoice, Notification
from simulators.ecpay.state import Track, World, upload_of


def invoice_of(world: World, invoice: Invoice) -> dict[str, object]:
    """One invoice. ``living``: issued, not void, and not allowed in full."""
    content = invoice.content
    upload = upload_of(world.settings, invoice, world.clock.now())
    return {
        "merchant_id": invoice.merchant_id,
        "relate_number": invoice.relate,
        "number": invoice.number,
        "created": invoice.created.isoformat(),
        "random": invoice.random,
        "status": "void" if invoice.voided else "issued",
        "void": invoice.voided is not None,
        "voided": invoice.voided.isoformat() if invoice.voided else None,
        "void_reason": invoice.void_reason,
        "total": content.sales_twd,
        "remaining": invoice.remaining_twd,
        "reserved": invoice.reserved_twd,
        "living": invoice.voided is None and invoice.allowed_twd < content.sales_twd,
        "ubn": content.ubn,
        "tax_type": content.tax_type,
        "carrier_type": content.carrier_type,
        "carrier_number": content.carrier_number,
        "love_code": content.love_code,
        "print": content.print_flag,
        "lines": [
            {"name": line.name, "count": str(line.count), "price": str(line.price), "amount": str(line.amount)}
            for line in content.lines
        ],
        "reissues": len(invoice.former),
        "upload": upload.turnkey,
        "award": invoice.award,
        "printed": invoice.printed,
        "visible_at": invoice.visible_at.isoformat(),
        "allowances": [allowance_of(allowance) for allowance in invoice.allowances],
    }


def allowance_of(allowance: Allowance) -> dict[str, object]:
    """One allowance."""
    return {
        "number": allowance.number,
        "invoice_no": allowance.invoice_no,
        "created": allowance.created.isoformat(),
        "amount": allowance.amount_twd,
        "tax": allowance.tax_twd,
        "void": allowance.voided is not None,
    }


def request_of(request: AllowanceRequest) -> dict[str, object]:
    """One online allowance, waiting for the buyer or done."""
    allowance = request.allowance
    return {
        "number": allowance.number,
        "invoice_no": allowance.invoice_no,
        "amount": allowance.amount_twd,
        "state": request.state,
        "asked": request.asked.isoformat(),
        "expires": request.expires.isoformat(),
        "return_url": request.return_url,
    }


def delayed_of(delayed: Delayed) -> dict[str, object]:
    """One order to issue later. ``invoice_no`` is None until it is issued."""
    return {
        "merchant_id": delayed.merchant_id,
        "tsr": delayed.tsr,
        "relate_number": delayed.content.relate,
        "state": delayed.state,
        "waits_for_trigger": delayed.waits_for_trigger and delayed.issue_at is None,
        "delay_days": delayed.delay_days,
        "issue_at": delayed.issue_at.isoformat() if delayed.issue_at else None,
        "invoice_no": delayed.invoice.number if delayed.invoice else None,
        "failure": delayed.failure,
        "notify_url": delayed.notify_url,
    }


def callback_of(callback: Callback) -> dict[str, object]:
    """One callback with every attempt to deliver it."""
    return {
        "id": callback.number,
        "op": callback.op,
        "merchant_id": callback.merchant_id,
        "relate": callback.relate,
        "invoice_no": callback.invoice_no,
        "url": callback.url,
        "form": callback.form,
        "forged": callback.forged,
        "state": callback.state,
        "reason": callback.reason,
        "attempts": [
            {"at": attempt.at.isoformat(), "status": attempt.status, "answer": attempt.answer}
            for attempt in callback.attempts
        ],
    }


def notification_of(notification: Notification) -> dict[str, object]:
    """One InvoiceNotify."""
    return {**asdict(notification), "at": notification.at.isoformat()}


def track_of(track: Track) -> dict[str, object]:
    """One number track; ``left`` are the numbers it can still give."""
    return {
        "track_id": track.track_id,
        "merchant_id": track.merchant_id,
        "year": track.year,
        "term": track.term,
        "inv_type": track.inv_type,
        "header": track.header,
        "start": track.start,
        "end": track.end,
        "next": track.next,
        "left": track.end + 1 - track.next,
        "status": track.status,
        "product_service_id": track.product_service_id,
    }
