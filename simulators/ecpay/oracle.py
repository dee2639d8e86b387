"""What is really there, told to tests: documents as plain JSON in our own words, without names, addresses or phones."""

from __future__ import annotations

from simulators.ecpay.state import Allowance, Invoice, Track, World, upload_of


def invoice_of(world: World, invoice: Invoice) -> dict[str, object]:
    """One invoice. ``living``: issued, not void, and not allowed in full."""
    content = invoice.content
    upload = upload_of(world.settings, invoice, world.clock.now())
    return {
        "merchant_id": invoice.merchant_id,
        "relate_number": (invoice.former[0] if invoice.former else content).relate,
        "number": invoice.number,
        "created": invoice.created.isoformat(),
        "random": invoice.random,
        "status": "void" if invoice.voided else "issued",
        "void": invoice.voided is not None,
        "voided": invoice.voided.isoformat() if invoice.voided else None,
        "void_reason": invoice.void_reason,
        "total": content.sales_twd,
        "remaining": invoice.remaining_twd,
        "living": invoice.voided is None and invoice.remaining_twd > 0,
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
