"""Confirmation (上傳確認): ask the centre what the ministry's platform made of an order's documents.

Nothing is done until that platform says 成功: a reissue is effective only then, and a correction waits for it. One
order at a time, one look-up per kind of document; an answer that changes nothing is asked for again later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from einvoice.application import allowances, heads, near, plans, sending, uploads
from einvoice.application.ports import Ports, Work
from einvoice.errors import MerchantUnusable, StoreUnavailable
from einvoice.model import Centre, OrderKey
from einvoice.providers.base import Absent, Accepted, Found, FoundAllowance, LookUp, Provider, T, Unknown, VoidRecord
from einvoice.store.base import Head, State

_MADE = (allowances.LIVE, allowances.VOIDING, allowances.VOIDED)  # void or not, its own upload is a document's
EXPIRY_MARGIN_S = 900  # after the buyer's time is over: clocks differ, and the centre's list may be behind


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What one order came to: ``confirmed`` (nothing left to ask), ``open``, ``busy`` or ``failed``."""

    key: OrderKey
    outcome: str
    open: int = 0


def confirm_one(p: Ports, w: Work, key: OrderKey, *, now_due: bool = False) -> Confirmed:
    """Ask for what one order's documents came to. Never raises for what a provider, a merchant or the store does.

    ``now_due``: a centre's callback says that there is something to see, whatever the time.
    """
    try:
        head = p.store.read(key)
        now = p.now()
        if head is None or head.due_at is not None or head.lease_until > now:
            return Confirmed(key, "busy")
        if not now_due and (head.confirm_at is None or head.confirm_at > now):
            return Confirmed(key, "busy")
        head = sending.commit(p, head, _asked(p, w, head))
        left = len(uploads.unconfirmed(head))
        p.observe("confirmed" if not left else "unconfirmed", open=left, **heads.ids(head))
        return Confirmed(key, "open" if left else "confirmed", left)
    except sending.Overtaken:
        return Confirmed(key, "busy")
    except MerchantUnusable as unusable:
        p.observe("merchant_unusable", cause=unusable.cause)
        return Confirmed(key, "failed")
    except StoreUnavailable:
        p.observe("store_unavailable")
        return Confirmed(key, "failed")


def _asked(p: Ports, w: Work, head: Head) -> Callable[[Head], Head]:
    """Everything the centre says of this order's open documents, as one step for the head."""
    steps: list[Callable[[Head], Head]] = []
    for invoice in _invoices(head):
        steps += _of_invoice(p, w, head, invoice)
    profile = p.centres.profile(head.key.merchant)

    def step(h: Head) -> Head:
        before = uploads.unconfirmed(h)
        for one in steps:
            h = one(h)
        left = uploads.unconfirmed(h)
        confirmed = {(one.kind, one.generation, one.n) for one in uploads.documents(h) if one.upload == "confirmed"}
        for document in (one for one in before if (one.kind, one.generation, one.n) in confirmed):
            h = heads.logged(h, p.now(), "upload_confirmed", document=document.kind, number=document.number)
        h = near.tell(p, h)
        waits = h.planned or any(one["status"] == allowances.ASKED for one in h.allowances)
        every_s = p.timing.skew_s if _looked_into(p, h) else profile.confirm_every_s
        again = p.now() + (min(p.timing.confirm_waiting_s, every_s) if waits else every_s)
        h = replace(h, confirm_at=again if (left or waits) and profile.queryable else None)
        moved = (len(left) < len(before) and h.planned) or plans.overdue(h, p.clock.now())
        return replace(h, due_at=p.now()) if moved and h.due_at is None and not h.attention else h

    return step


@dataclass(frozen=True, slots=True)
class _Invoice:
    """One generation, with what the centre needs to find it and its documents."""

    generation: int
    number: str
    relate_number: str
    issued_on: date
    centre: Centre | None
    void: bool
    records: list[dict[str, Any]]


def _invoices(head: Head) -> Iterator[_Invoice]:
    """The order's invoices that have a document nobody has answered for, or a buyer who was asked."""
    open_ones = {document.generation for document in uploads.unconfirmed(head)}
    for past in head.past:
        if int(past["generation"]) in open_ones and past["state"] != heads.REPLACED:
            yield _Invoice(
                int(past["generation"]),
                past["number"],
                past["relate_number"],
                datetime.fromisoformat(past["issued_at"]).date(),
                Centre(**past["centre"]) if past["centre"] else head.centre,
                bool(past["voided_at"]),
                past.get("allowances", []),
            )
    asked = any(one["status"] == allowances.ASKED for one in head.allowances)
    if head.number and (head.generation in open_ones or asked):
        issued_on = datetime.fromisoformat(head.issued_at).date()
        void = bool(head.voided_at)
        yield _Invoice(
            head.generation, head.number, head.relate_number, issued_on, head.centre, void, head.allowances
        )


def _of_invoice(p: Ports, w: Work, head: Head, invoice: _Invoice) -> list[Callable[[Head], Head]]:
    if invoice.centre is None or p.breakers.banned_until(head.key.merchant, invoice.centre.account) is not None:
        return []
    provider = p.centres.pinned(head.key.merchant, invoice.centre)
    if not provider.profile.queryable:
        return []
    kinds = {one.kind for one in uploads.unconfirmed(head) if one.generation == invoice.generation}
    steps: list[Callable[[Head], Head]] = []
    found: Found | None = None
    asked = any(one["status"] == allowances.ASKED for one in invoice.records)
    if uploads.INVOICE in kinds or asked:
        looked = _called(p, w, head, lambda call: provider.find(invoice.relate_number, call))
        found = looked if isinstance(looked, Found) else None
        if found is not None:
            steps.append(_invoice_step(p, invoice, found))
    if uploads.VOID in kinds:
        steps.append(_void_of(p, w, head, invoice, provider))
    if uploads.ALLOWANCE in kinds or asked:
        listed = _called(p, w, head, lambda call: provider.find_allowances(invoice.number, invoice.issued_on, call))
        if isinstance(listed, Accepted):
            steps.append(_allowance_step(p, invoice, listed.value, found))
    if uploads.ALLOWANCE_VOID in kinds:
        steps += _voided_allowances(p, w, head, invoice, provider)
    return steps


def _void_of(p: Ports, w: Work, head: Head, invoice: _Invoice, provider: Provider) -> Callable[[Head], Head]:
    """What the centre says of the void of one invoice."""
    void = _called(
        p, w, head, lambda call: provider.find_void(invoice.relate_number, invoice.number, invoice.issued_on, call)
    )
    if isinstance(void, VoidRecord):
        return _upload_step(uploads.VOID, invoice.generation, _state(uploaded=void.uploaded))
    if isinstance(void, Absent):
        return _void_absent_step(p, _called(p, w, head, lambda call: provider.find(invoice.relate_number, call)))
    return lambda h: h


def _voided_allowances(
    p: Ports, w: Work, head: Head, invoice: _Invoice, provider: Provider
) -> Iterator[Callable[[Head], Head]]:
    for record in invoice.records:
        if record.get("void_upload") in uploads.OPEN:
            number = record["number"]
            void = _called(p, w, head, partial(provider.find_allowance_void, invoice.number, number))
            if isinstance(void, VoidRecord):
                upload = _state(uploaded=void.uploaded)
                yield _upload_step(uploads.ALLOWANCE_VOID, invoice.generation, upload, record["n"])


def _called(p: Ports, w: Work, head: Head, send: Callable[[Any], T]) -> T | Unknown:
    """One paced look-up; what came of it says nothing where the time is over."""
    outcome: Any = sending.called(p, w, head, send, look=True)  # type: ignore[arg-type] # look-ups have outcomes of their own
    return outcome  # type: ignore[no-any-return]


def _state(*, uploaded: bool) -> str:
    return "confirmed" if uploaded else "uploading"


def _invoice_step(p: Ports, invoice: _Invoice, found: Found) -> Callable[[Head], Head]:
    """What the invoice's upload came to; one that died at the centre without us is a person's."""

    def step(h: Head) -> Head:
        current = invoice.generation == h.generation and h.state is State.ISSUED
        if not (current and _looked_into(p, h)):  # then it stays open until the books can be compared as well
            h = uploads.answered(h, uploads.INVOICE, invoice.generation, found.upload)
        if current and (found.void or found.withdrawn):
            return _flagged(p, h, "VOID_AT_CENTRE", theirs={"number": found.number})
        if found.upload == "refused":
            return _flagged(p, h, "UPLOAD_REFUSED", theirs={"number": found.number, "document": "invoice"})
        if current and any(one["status"] == allowances.ASKED for one in h.allowances):
            return h  # what is reserved may have been set free a moment ago: `_after_asking` compares
        if _fresh(p, h):
            return h
        if current:
            return _checked_remainder(p, h, found.remaining_twd)
        if not invoice.void and found.remaining_twd > 0:  # what was allowed in full so that it could be replaced
            return _flagged(p, h, "OLD_INVOICE_ALIVE", theirs={"number": found.number})
        return h

    return step


def _looked_into(p: Ports, head: Head) -> bool:
    """Whether a person took the flag off a moment ago, so that what differs must be seen again."""
    entries = (entry for entry in head.log if entry["event"] == "looked_into")
    return any(p.now() - int(entry["at"]) < 2 * p.timing.skew_s for entry in entries)  # recovery writes once more


def _flagged(p: Ports, head: Head, cause: str, **values: Any) -> Head:  # noqa: ANN401 — JSON values
    """The head for a person to look at; what one is looking at already is not told again with every answer."""
    return head if head.attention else sending.flagged(p, head, cause, **values)


def _void_absent_step(p: Ports, looked: LookUp) -> Callable[[Head], Head]:
    """The centre has no record of a void it once confirmed, and shows the invoice alive: a person's."""
    if not isinstance(looked, Found) or looked.void:
        return lambda h: h
    number = looked.number
    return lambda h: h if _fresh(p, h) else _flagged(p, h, "VOID_ABSENT", theirs={"number": number})


def _fresh(p: Ports, head: Head) -> bool:
    """Whether the order was changed a moment ago: a centre's look-up may be minutes behind its own answers."""
    return p.now() - head.updated_at < p.timing.skew_s


def _upload_step(kind: str, generation: int, upload: str, n: int = 0) -> Callable[[Head], Head]:
    return lambda h: uploads.answered(h, kind, generation, upload, n)


def _allowance_step(
    p: Ports, invoice: _Invoice, listed: tuple[FoundAllowance, ...], found: Found | None
) -> Callable[[Head], Head]:
    by_number = {one.number: one for one in listed}

    def step(h: Head) -> Head:
        for record in invoice.records:
            theirs = by_number.get(record.get("number", ""))
            if record["status"] == allowances.ASKED:
                h = _after_asking(p, h, record, listed, found)
            elif theirs is not None and record["status"] in _MADE:
                h = uploads.answered(h, uploads.ALLOWANCE, invoice.generation, theirs.upload, record["n"])
                h = uploads.taxed(h, invoice.generation, record["n"], theirs.tax_twd)
                if theirs.void and record["status"] == allowances.LIVE:
                    h = _flagged(p, h, "ALLOWANCE_VOID_AT_CENTRE", theirs={"number": theirs.number})
                elif theirs.upload == "refused":
                    named = {"number": theirs.number, "document": "allowance"}
                    h = _flagged(p, h, "UPLOAD_REFUSED", theirs=named)
        return h

    return step


def _after_asking(
    p: Ports, head: Head, record: dict[str, Any], listed: tuple[FoundAllowance, ...], found: Found | None
) -> Head:
    """Whether the buyer clicked, let the time pass, or may still click."""
    now = p.now()
    standing = next((one for one in head.allowances if one["n"] == record["n"]), None)
    if standing is None or standing["status"] != allowances.ASKED or head.attention:
        return head
    mine = [one for one in allowances.unknown_to(head, listed) if one.total_twd == record["amount_twd"]]
    if number := standing.get("number"):
        mine = [one for one in listed if one.number == number]
    if len(mine) == 1:
        p.observe("allowed", n=record["n"], **heads.ids(head))
        return allowances.agreed(head, standing, mine[0], now)
    if now < int(standing["expires_at"]) + EXPIRY_MARGIN_S or found is None:
        return head
    left = int(head.payload["total_twd"]) - head.allowed_twd + int(record["amount_twd"])
    if found.remaining_twd == left:  # nothing is reserved any more
        return allowances.expired(head, standing, now)
    return _checked_remainder(p, head, found.remaining_twd)


def _checked_remainder(p: Ports, head: Head, theirs: int | None) -> Head:
    """The head, flagged and told of where the centre says that another sum is left of the invoice."""
    after = allowances.checked_remainder(head, theirs, p.now())
    if after is not head:
        p.observe("attention", cause=after.attention["cause"], **heads.ids(head))
    return after
