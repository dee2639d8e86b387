"""Deadlines that need somebody before they close (期限將屆), told once each: pure functions but for the telling.

An upload the ministry has not confirmed is told of at 50 % and at 80 % of its time; a correction that waits, when what
it waits to do closes within 48 hours. ``Head.told`` keeps what was told, so that it costs no read, is behind the same
fence as everything else, and is not told again. Deadlines common to a whole period are not an order's: see
``application.deadlines``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from einvoice.application import documents, heads, plans
from einvoice.application.ports import Ports
from einvoice.rules.deadlines import ALLOWANCE, INVOICE, Kind, upload_deadline
from einvoice.store.base import Head, State

UPLOAD_MARKS = (50, 80)  # per cent of the time from a document's own date to its stricter deadline
PLAN_WITHIN = timedelta(hours=48)
REISSUE = "reissue"  # 重新開立 after a void: no deadline of a document, and it closes all the same


@dataclass(frozen=True, slots=True)
class Near:
    """One thing to tell from ``tell_at`` on; ``mark`` rises where one deadline is told of more than once."""

    kind: str
    document: str
    number: str
    name: str  # of document and kind, in this order
    closes_at: datetime
    tell_at: datetime
    mark: int = 0

    @property
    def metric(self) -> str:
        """The kind as operators count it: an upload half over is less than one nearly over."""
        return f"{self.kind}_{self.mark}" if self.mark else self.kind


def next_at(head: Head) -> int | None:
    """When there is next something to tell of this order (epoch seconds), perhaps past; None: nothing."""
    return min((math.ceil(one.tell_at.timestamp()) for one in _untold(head)), default=None)


def tell(p: Ports, head: Head) -> Head:
    """Tell of every deadline whose time to be told has come: in the order's log, and to operators.

    Documents that have the same kind and the same deadline ahead are one entry, which names the soonest of them.
    """
    now = p.clock.now().replace(microsecond=0)
    due = sorted((one for one in _untold(head) if one.tell_at <= now), key=attrgetter("mark"))
    latest = {one.name: one for one in due}  # the highest mark of each
    alike = attrgetter("kind", "document", "mark")
    for _, group in groupby(sorted(latest.values(), key=alike), key=alike):
        first, *others = sorted(group, key=attrgetter("closes_at", "number"))
        head = _told(p, head, first, 1 + len(others), now)
    if not latest:
        return head
    known = {one.name for one in _nearing(head)}
    kept = {name: mark for name, mark in head.told.items() if name in known}
    return replace(head, told=kept | {one.name: one.mark for one in latest.values()})


def _told(p: Ports, head: Head, first: Near, count: int, now: datetime) -> Head:
    hours = (first.closes_at - now) // timedelta(hours=1)
    p.observe("deadline_near", kind=first.metric, hours=hours, documents=count, **heads.ids(head))
    return heads.logged(
        head,
        int(now.timestamp()),
        "deadline_near",
        kind=first.kind,
        document=first.document,
        number=first.number,
        closes_at=first.closes_at.isoformat(),
        documents=count if count > 1 else None,
    )


def _untold(head: Head) -> Iterator[Near]:
    return (one for one in _nearing(head) if head.told.get(one.name, -1) < one.mark)


def _nearing(head: Head) -> Iterator[Near]:
    for one in documents.unconfirmed(head):
        line = upload_deadline(one.document)
        closes_at = line.safe_at or line.at
        kind = Kind.UPLOAD.value
        name = f"{kind}|{line.document}|{one.generation}|{one.n}"
        for mark in UPLOAD_MARKS:
            tell_at = closes_at - (closes_at - one.document.made_at) * (100 - mark) / 100
            yield Near(kind, line.document, line.number, name, closes_at, tell_at, mark)
    yield from _of_plan(head)


def _of_plan(head: Head) -> Iterator[Near]:
    """What the correction that waits wants to do before the deadline that its last decision named."""
    plan = plans.current(head)
    closes = ((plan or {}).get("decision") or {}).get("deadline")
    if plan is None or not plan.get("waits") or not closes:
        return
    n, document, number = 0, INVOICE, head.number
    if plan["goal"] == plans.VOID_ALLOWANCE:
        n, kind, document = int(plan["n"]), Kind.ALLOWANCE_VOID.value, ALLOWANCE
        number = next((str(one.get("number", "")) for one in head.allowances if one["n"] == n), "")
    elif head.state is not State.ISSUED or head.allowed_twd >= int(head.payload["total_twd"]):
        kind = REISSUE
    else:
        kind = (Kind.SAME_NUMBER if plan.get("mode") == "same_number" else Kind.VOID).value
    closes_at = datetime.fromisoformat(closes)
    name = f"{kind}|{document}|{head.generation}|{n}"
    yield Near(kind, document, number, name, closes_at, closes_at - PLAN_WITHIN)
