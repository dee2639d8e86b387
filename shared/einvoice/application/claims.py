"""An order's first entry (首次登記): the intent to issue, or a wish that came before anybody asked to issue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from einvoice.application.heads import logged
from einvoice.identity import relate_number
from einvoice.model import Centre, OrderKey
from einvoice.store.base import Head, State


def claimed(  # noqa: PLR0913 — a claim is all of this, and every part has a name
    stage: str,
    key: OrderKey,
    *,
    payload: dict[str, Any],
    request_hash: str,
    idempotency_key: str,
    centre: Centre,
    sold_period: str,
    op: str,
    write_id: str,
    now: int,
    lease_s: int,
) -> Head:
    """The first intent of an order: it may be sent from the moment this is stored."""
    head = replace(
        _first(key, State.ISSUING, op=op, write_id=write_id, now=now),
        request_hash=request_hash,
        payload=payload,
        relate_number=relate_number(stage, key, 1),
        centre=centre,
        lease_until=now + lease_s,
        due_at=now + lease_s,
        first_sent_at=now,
        sent_at=now,
        sold_period=sold_period,
        keys={"issue": [idempotency_key, request_hash]},
    )
    return logged(head, now, "claimed", relate_number=head.relate_number)


def tombstone(key: OrderKey, want: dict[str, Any], *, op: str, write_id: str, now: int) -> Head:
    """An order nobody has claimed yet, with what the merchant already wants of it."""
    head = replace(_first(key, State.WANTED, op=op, write_id=write_id, now=now), want=want)
    return logged(head, now, "wanted", kind=want.get("kind"))


def against_the_rules(  # noqa: PLR0913 — an entry is all of this, and every part has a name
    stage: str,
    key: OrderKey,
    *,
    payload: dict[str, Any],
    request_hash: str,
    idempotency_key: str,
    sold_period: str,
    refusal: dict[str, str],
    token: str,
    now: int,
) -> Head:
    """An order that the rules refused before anything was sent: its log says why; a corrected request may follow."""
    head = replace(
        _first(key, State.REFUSED, op=token, write_id=token, now=now),
        request_hash=request_hash,
        payload=payload,
        relate_number=relate_number(stage, key, 1),
        cause=refusal["cause"],
        sold_period=sold_period,
        refusal=refusal,
        keys={"issue": [idempotency_key, request_hash]},
    )
    return logged(head, now, "refused", **refusal)


def _first(key: OrderKey, state: State, *, op: str, write_id: str, now: int) -> Head:
    return Head(
        key=key, state=state, generation=1, ver=1, write_id=write_id, op=op, created_at=now, updated_at=now
    )
