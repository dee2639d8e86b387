"""Reads (查詢): one strongly consistent read of the head; the print link asks the centre."""

from __future__ import annotations

from datetime import datetime

from einvoice.application.answers import Answer, generation_of
from einvoice.application.ports import Ports, Work
from einvoice.errors import Conflict, NotFound, Reason
from einvoice.model import OrderKey
from einvoice.providers.base import Accepted, Rejected, Unknown
from einvoice.store.base import Head, State


def read_invoice(p: Ports, key: OrderKey, generation: int) -> Answer:
    """One generation of an order's invoice. Raises NotFound."""
    head = generation_of(p.store.read(key), generation)
    return Answer(head, generation)


def read_order(p: Ports, key: OrderKey) -> Head:
    """The order with all its invoices and its log. Raises NotFound."""
    head = p.store.read(key)
    if head is None:
        raise NotFound
    return head


def print_link(p: Ports, w: Work, key: OrderKey, generation: int) -> str:
    """A short-lived address of the printable invoice (電子發票證明聯); ECPay's lasts an hour."""
    head = generation_of(p.store.read(key), generation)
    if head.generation != generation or head.state is not State.ISSUED or head.centre is None:
        raise Conflict(Reason.FIX_REQUEST, "NOT_PRINTABLE", "只有目前有效、已開立的發票可以列印。")
    call = p.call(w, p.timing.look_cap_s)
    provider = p.centres.pinned(key.merchant, head.centre)
    until = p.breakers.banned_until(key.merchant, head.centre.account)
    outcome = None
    if call is not None and until is None:
        p.pace(key.merchant, head.centre.account)
        outcome = provider.print_url(head.number, datetime.fromisoformat(head.issued_at).date(), call)
    if isinstance(outcome, Unknown) and outcome.retry_after_s is not None:
        p.breakers.open(key.merchant, head.centre.account, outcome.retry_after_s, outcome.cause)
    match outcome:
        case Accepted(value=url):
            return str(url)
        case Rejected(reason=reason, cause=cause, raw_message=words, sent=True):
            message = f"加值中心無法提供列印：{words or cause}（載具或捐贈發票不列印）"
            raise Conflict(reason, cause, message, status=422)
        case Rejected() | Unknown() | None:
            raise Conflict(
                Reason.PROVIDER_BUSY,
                "PRINT_UNAVAILABLE",
                "加值中心暫時無法提供列印，請稍後再試。",
                status=503,
                retry_after_s=30,
            )
