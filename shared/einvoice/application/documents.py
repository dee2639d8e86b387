"""An order's documents as the rules of deadlines know them (憑證): pure functions of the ledger.

Every generation's invoice, its void, its allowances and their voids, each with its own date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from einvoice.application import allowances, heads, uploads
from einvoice.model import ProviderProfile
from einvoice.rules import deadlines
from einvoice.store.base import Head


@dataclass(frozen=True, slots=True)
class Dated:
    """One document of an order; ``generation`` says of which invoice it is, ``n`` which allowance."""

    document: deadlines.Document
    generation: int
    n: int = 0


def dated(head: Head, profile: ProviderProfile) -> list[Dated]:
    """Every document of the order, the oldest generation first, with what may still be done to it."""
    return [_dated(head, one, changeable=_changeable(head, one, profile)) for one in uploads.documents(head)]


def unconfirmed(head: Head) -> list[Dated]:
    """The documents that the ministry has not answered for; of what may be done to them, nothing is said."""
    return [_dated(head, one, changeable=False) for one in uploads.unconfirmed(head)]


def _dated(head: Head, document: uploads.Document, *, changeable: bool) -> Dated:
    invoice = _invoice(head, document.generation)
    known = deadlines.Document(
        kind=document.kind,
        number=document.number,
        made_at=_made_at(document, invoice),
        business=bool(invoice["payload"].get("buyer", {}).get("ubn")),
        upload=document.upload,
        living=changeable,
        had_allowance=document.generation == head.generation and head.had_allowance,
    )
    return Dated(known, document.generation, document.n)


def _invoice(head: Head, generation: int) -> Mapping[str, Any]:
    if generation != head.generation:
        ended = (past for past in head.past if past["state"] != heads.REPLACED)
        return next(past for past in ended if int(past["generation"]) == generation)
    return {
        "issued_at": head.issued_at,
        "voided_at": head.voided_at,
        "payload": head.payload,
        "allowances": head.allowances,
    }


def _made_at(document: uploads.Document, invoice: Mapping[str, Any]) -> datetime:
    """The document's own instant: the centre's where it says one, ours for a void."""
    if document.kind == uploads.INVOICE:
        return datetime.fromisoformat(invoice["issued_at"])
    if document.kind == uploads.VOID:
        return datetime.fromtimestamp(int(invoice["voided_at"]), UTC)
    record = next(one for one in invoice["allowances"] if one["n"] == document.n)
    if document.kind == uploads.ALLOWANCE:
        return datetime.fromisoformat(record["at"])
    return datetime.fromtimestamp(int(record["voided_at"]), UTC)


def _changeable(head: Head, document: uploads.Document, profile: ProviderProfile) -> bool:
    """Whether a void of it may come in question at all, whatever the time (see rules.correction).

    What an earlier generation left is what the current one rests on.
    """
    government = bool(head.facts.get("government")) and not profile.government
    if document.generation != head.generation or government:
        return False
    if document.kind == uploads.ALLOWANCE:
        record = allowances.numbered(head, document.n)
        return record is not None and record["status"] in (allowances.LIVE, allowances.VOIDING)
    return document.kind == uploads.INVOICE and not head.voided_at and _voidable(head, profile)


def _voidable(head: Head, profile: ProviderProfile) -> bool:
    content, facts = head.payload, head.facts
    claimed = bool(facts.get("claimed")) and bool(content.get("buyer", {}).get("ubn") or facts.get("government"))
    redeemed = bool(facts.get("redeemed")) and not facts.get("person_ok")
    donated = bool(content.get("love_code")) and not profile.void_donated
    return head.allowed_twd < int(content["total_twd"]) and not (claimed or redeemed or donated)
