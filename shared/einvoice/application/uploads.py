"""Which of an order's documents the ministry's platform has not answered for yet (上傳財政部): pure functions.

Nothing is done until that platform says 成功. Documents are the invoice, its void, its allowances and their voids, of
every generation of the order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from einvoice.store.base import Head, State

OPEN = frozenset({"none", "uploading"})
INVOICE, VOID, ALLOWANCE, ALLOWANCE_VOID = "invoice", "void", "allowance", "allowance_void"


@dataclass(frozen=True, slots=True)
class Document:
    """One document (憑證) and what is known of its upload; ``generation`` says which invoice it belongs to."""

    kind: str
    generation: int
    upload: str
    number: str
    n: int = 0  # of an allowance


def documents(head: Head) -> list[Document]:
    """Every document of the order, the oldest generation first."""
    found = [one for past in head.past for one in _of(past, int(past["generation"]))]
    if head.number:
        current = {
            "number": head.number,
            "upload": head.upload,
            "voided_at": head.voided_at,
            "void_upload": head.void_upload,
            "allowances": head.allowances,
            "state": head.state.value,
        }
        found += _of(current, head.generation)
    return found


def unconfirmed(head: Head) -> list[Document]:
    """The documents whose upload is still open, where nothing else is being done to the order.

    A number that was taken again (註銷重開) was uploaded before, and lives on as the current invoice.
    """
    if head.state in (State.ISSUING, State.WAITING) and not head.past:
        return []
    return [document for document in documents(head) if document.upload in OPEN]


def confirmed(head: Head, kind: str) -> bool:
    """Whether the ministry confirmed every such document of the current invoice."""
    of_kind = [one for one in documents(head) if one.kind == kind and one.generation == head.generation]
    return all(one.upload == "confirmed" for one in of_kind)


def answered(head: Head, kind: str, generation: int, upload: str, n: int = 0) -> Head:
    """The head with what the ministry made of one document; a known answer is never taken back to "uploading"."""
    known = next((one for one in documents(head) if (one.kind, one.generation, one.n) == (kind, generation, n)), None)
    if known is None or upload in OPEN or known.upload == upload:
        return head
    name = "void_upload" if kind in (VOID, ALLOWANCE_VOID) else "upload"
    if kind in (INVOICE, VOID):
        return _changed(head, generation, {name: upload})
    return _allowance_changed(head, generation, n, {name: upload})


def asked_again(head: Head) -> Head:
    """The head with every refused document, and the current invoice, to be asked about once more."""
    for document in documents(head):
        if document.upload == "refused" or (document.kind, document.generation) == (INVOICE, head.generation):
            name = "void_upload" if document.kind in (VOID, ALLOWANCE_VOID) else "upload"
            if document.kind in (INVOICE, VOID):
                head = _changed(head, document.generation, {name: "uploading"})
            else:
                head = _allowance_changed(head, document.generation, document.n, {name: "uploading"})
    return head


def taxed(head: Head, generation: int, n: int, tax_twd: int) -> Head:
    """The head with the centre's own split of an allowance's tax, where we did not say which part is tax."""
    if any(one["n"] == n and "tax_twd" in one for one in _allowances_of(head, generation)):
        return head
    return _allowance_changed(head, generation, n, {"tax_twd": tax_twd})


def _allowances_of(head: Head, generation: int) -> list[dict[str, Any]]:
    if generation == head.generation:
        return head.allowances
    of_it = (past for past in head.past if past["generation"] == generation)
    records: list[dict[str, Any]] = next(
        past.get("allowances", []) for past in of_it if past["state"] != "REPLACED_SAME_NUMBER"
    )
    return records


def _allowance_changed(head: Head, generation: int, n: int, values: dict[str, Any]) -> Head:
    records = _allowances_of(head, generation)
    return _changed(
        head, generation, {"allowances": [{**one, **values} if one["n"] == n else one for one in records]}
    )


def _changed(head: Head, generation: int, values: dict[str, Any]) -> Head:
    """One generation's values changed: the current one's on the head, an earlier one's in its past."""
    if generation == head.generation:
        return replace(head, **values)
    past = [
        {**one, **values} if one["generation"] == generation and one["state"] != "REPLACED_SAME_NUMBER" else one
        for one in head.past
    ]
    return replace(head, past=past)


def _of(invoice: dict[str, Any], generation: int) -> Iterator[Document]:
    number = str(invoice["number"])
    if not number or invoice["state"] == "REPLACED_SAME_NUMBER":
        return
    yield Document(INVOICE, generation, invoice["upload"], number)
    if invoice["voided_at"]:
        yield Document(VOID, generation, invoice.get("void_upload") or "uploading", number)
    for record in invoice.get("allowances", []):
        if "upload" in record:
            yield Document(ALLOWANCE, generation, record["upload"], record["number"], record["n"])
        if "void_upload" in record:
            yield Document(ALLOWANCE_VOID, generation, record["void_upload"], record["number"], record["n"])
