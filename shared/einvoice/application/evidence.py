"""What people record about an order (證明與事實): consent, paper back, claimed, redeemed, approvals, days of the sale.

The rules decide by it, so it is kept: the value, when, by whom, and a note of where the proof is (電子發票實施作業要點
pt 3: consent and its evidence at least five years).
"""

from __future__ import annotations

from dataclasses import replace

from einvoice.application import heads, sending
from einvoice.application.ports import Json, Ports, Work
from einvoice.application.recover import driven_on
from einvoice.errors import NotFound
from einvoice.model import OrderKey
from einvoice.store.base import Head

#: facts by name; what each means to the rules stands in docs/rules.md
FACTS = (
    "consent",  # 買受人同意
    "paper_back",  # 紙本已收回
    "claimed",  # 買受人已申報扣抵
    "redeemed",  # 已兌獎
    "government",  # 買受人為政府機關
    "approval_no",  # 國稅局核准專案作廢文號
    "person_ok",  # 人員核准逾期或跨期處理
    "paid_on",  # 付款日
    "shipped_on",  # 出貨日
)
MAX_TRIES = 5


def dated(fact: Json | None, *, by: str, now: int) -> Json:
    """One fact as it is kept: with who said it, and when."""
    return {} if fact is None else {**fact, "at": now, "by": by}


def laid_on(head: Head, facts: Json, *, by: str, now: int) -> Head:
    """The head with the facts laid over what it has; null takes one back. Every change is an entry of its log."""
    kept = dict(head.facts)
    for name, fact in facts.items():
        if fact is None:
            kept.pop(name, None)
            head = heads.logged(head, now, "fact_taken_back", fact=name, by=by)
        else:
            kept[name] = dated(fact, by=by, now=now)
            head = heads.logged(head, now, "fact", fact=name, by=by, note=fact.get("note", ""))
    return replace(head, facts=kept)


def record(p: Ports, w: Work, key: OrderKey, facts: Json, *, by: str) -> Head:
    """Keep the facts; a correction that waited for one of them goes on at once. Raises NotFound."""
    for last in (*[False] * (MAX_TRIES - 1), True):
        head = p.store.read(key)
        if head is None:
            raise NotFound
        now = p.now()
        rests = head.due_at is None and head.lease_until <= now
        due_at = now if rests and head.planned and not head.attention else head.due_at
        after = replace(laid_on(head, facts, by=by, now=now), due_at=due_at)
        after = replace(after, ver=head.ver + 1, write_id=p.token(), updated_at=now)
        standing = p.store.replace(after)
        if standing is None:
            p.observe("facts_recorded", facts=sorted(facts), **heads.ids(after))
            return driven_on(p, w, after) if due_at == now else after
        if last:
            raise sending.Overtaken(standing)
    raise AssertionError("the last try answers")
