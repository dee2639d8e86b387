"""What must hold (不變量), asserted after every step.

I1 at most one living invoice per order. I2 at rest the ledger and the centre agree, and nothing is stuck. I3 nothing is
told "failed" while an invoice lives or may still arrive; no number is told that is not the order's. I4 all answers of
one generation name one number. I5 the ledger's content is the centre's. I7 (in part) nothing observed holds a buyer's
data. I8 nothing of one merchant goes to another's account. ATTENTION: a person is asked only where it is needed.
WISH: a cancellation that was taken is carried out. LAW: how the ledger may move from one state to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from einvoice.application import payload
from einvoice.application.answers import PENDING
from einvoice.edge.http import Reply
from einvoice.model import OrderKey
from einvoice.rules.adoption import differences
from einvoice.store.base import Head, State
from tests.simulation.centre import Document, Packet
from tests.simulation.engine import World
from tests.simulation.plan import CANARY, Plan

LONG = timedelta(days=400)


class Violation(AssertionError):
    """An invariant does not hold: the schedule ends here."""

    def __init__(self, invariant: str, sentence: str) -> None:
        super().__init__(f"{invariant}: {sentence}")
        self.invariant = invariant


@dataclass
class Book:
    """One order's history: every document it ever got, what was told, and what the merchant asked for."""

    key: OrderKey
    documents: list[Document] = field(default_factory=list)
    told_failed: dict[str, float] = field(default_factory=dict)  # order number at the centre -> when
    void_failed: dict[str, float] = field(default_factory=dict)  # invoice number -> when
    numbers: dict[int, str] = field(default_factory=dict)  # generation -> number told
    cancels: list[float] = field(default_factory=list)  # queue's voids that were acknowledged as done
    restored: bool = False
    history: list[tuple[str, str, str]] = field(default_factory=list)  # step, ok / fail / info, what

    def living(self) -> list[Document]:
        """Invoices issued and not void."""
        return [document for document in self.documents if not document.void]


class Checker:
    """Watches the ledger, the centres and the answers of one schedule."""

    def __init__(
        self, world: World, plan: Plan, heads: Callable[[OrderKey], Head | None], *, outcomes_only: bool = False
    ) -> None:
        self.world, self.plan, self.heads, self.outcomes_only = world, plan, heads, outcomes_only
        self.books = {key: Book(key) for key in plan.orders}
        self.attention: list[str] = []

    # --- the ledger ------------------------------------------------------------------------------------------------

    def head_changed(self, old: Head | None, new: Head | None) -> None:
        """After every write that took effect."""
        if new is None:
            raise Violation("I2", "a head was removed")
        if old is not None:
            self._transition(old, new)
        book = self.books[new.key]
        if new.state in (State.VOIDED, State.REFUSED) and not new.want:
            book.cancels.clear()  # what was cancelled by now is; what comes after is another wish
        if not book.restored:
            self._state_is_true(book, old, new)

    def _state_is_true(self, book: Book, old: Head | None, new: Head) -> None:
        """What the new head says of the centre is so at this moment."""
        ours = [document for document in book.documents if document.relate == new.relate_number]
        if new.state is State.REFUSED and (old is None or old.state is not State.REFUSED):
            _expect(not any(not d.void for d in ours), "I3", "REFUSED while an invoice lives")
        if new.state is State.WAITING:
            _expect(not any(not d.void for d in ours), "I2", "WAITING while the invoice lives")
        if new.attention or (old is not None and old.state is new.state):
            return
        if new.state is State.VOIDED:
            _expect(all(d.void for d in ours), "I2", "VOIDED while the invoice lives")
        if new.state is State.ISSUED and (old is None or old.number != new.number):
            document = next((d for d in book.documents if d.number == new.number), None)
            if document is None:
                raise Violation("I3", f"{new.number} is not of this order")
            _expect(not self._differs(new, document), "I5", f"content differs: {self._differs(new, document)}")

    def _transition(self, old: Head, new: Head) -> None:
        if self.outcomes_only:
            return
        _expect(new.ver == old.ver + 1, "FENCE", f"ver {old.ver} -> {new.ver}")
        _expect(new.generation in (old.generation, old.generation + 1), "LAW7", "generations skip")
        _expect(len(new.past) >= len(old.past), "LAW13", "an earlier generation was dropped")
        book = self.books[new.key]
        if new.generation > old.generation:
            _expect(book.restored or not book.living(), "LAW7", "next generation while the old one lives")
        elif old.first_sent_at is not None:
            _expect(new.centre == old.centre, "LAW6", "the centre changed after a send")
            _expect(new.relate_number == old.relate_number, "LAW1", "the order number changed")

    # --- the centres -----------------------------------------------------------------------------------------------

    def sent(self, packet: Packet, what: str, account_merchant: str, account: str) -> None:
        """Before a packet leaves."""
        _expect(account_merchant == packet.key.merchant, "I8", "another merchant's account")
        head = self.heads(packet.key)
        if head is None or self.outcomes_only:
            return
        if what.startswith("numbers"):  # those of the account that will issue, which is the one in force now
            return
        if head.centre is not None and not self.books[packet.key].restored:
            earlier = {past["centre"].get("account") for past in head.past}
            _expect(account in {head.centre.account, *earlier}, "LAW6", f"{what} goes to {account}")

    def centre_changed(self, packet: Packet, document: Document, event: str) -> None:
        """After every effect at a centre."""
        book = self.books[packet.key]
        if event == "issued":
            book.documents.append(document)
            told = book.told_failed.get(document.relate)
            if told is not None and packet.sent_t <= told:
                raise Violation("I3", f"a packet sent at {packet.sent_t:.1f} found an order told failed at {told:.1f}")
        if event == "voided":
            told = book.void_failed.get(document.number)
            if told is not None and packet.sent_t <= told:
                raise Violation("I3", f"a void sent at {packet.sent_t:.1f} landed, told refused at {told:.1f}")
        living = book.living()
        _expect(len(living) <= 1, "I1", f"{len(living)} living invoices: {[d.number for d in living]}")

    # --- the answers -----------------------------------------------------------------------------------------------

    def answered(self, step: str, key: OrderKey, op: str, generation: int, reply: Reply) -> None:
        """After every HTTP answer, also the ones a client has given up waiting for."""
        book = self.books[key]
        status, body = reply.status, reply.body
        kind = "ok" if status in (200, 201) else "fail" if status in (409, 422, 404) else "info"
        book.history.append((step, kind, f"{op} {status} {body.get('state') or body.get('code')}"))
        if kind == "ok":
            self._told_well(book, op, body)
        elif kind == "fail":
            self._told_failed(book, op, generation, body)

    def _told_well(self, book: Book, op: str, body: dict[str, Any]) -> None:
        number, state = body.get("number"), body["state"]
        if number is None:
            _expect(state in ("REFUSED", "WANTED"), "I3", f"{state} without a number")
            return
        document = next((d for d in book.documents if d.number == number), None)
        if document is None:
            raise Violation("I3", f"told {number}, which is not of this order")
        told = book.numbers.setdefault(body["generation"], number)
        _expect(told == number or book.restored, "I4", f"generation {body['generation']} told as {told} and {number}")
        if state == "VOIDED" and not book.restored:
            _expect(document.void, "I3", f"told void, but {number} lives")

    def _told_failed(self, book: Book, op: str, generation: int, body: dict[str, Any]) -> None:
        code, now = body.get("code"), self.world.t
        head = self.heads(book.key)
        lives = book.living()
        if body.get("state") == "REFUSED" or code == "NOTHING_TO_VOID" or (code == "ORDER_CANCELLED" and op == "issue"):
            _expect(not lives, "I3", f"told {code} while {[d.number for d in lives]} lives")
            if head is not None and head.relate_number:
                book.told_failed[head.relate_number] = now
        elif code == "SALE_PERIOD_OVER" and op == "issue":
            _expect(not lives, "I3", "told the period is over while an invoice lives")
        elif code == "NOT_FOUND" and not book.restored:
            _expect(generation > len({d.relate for d in book.documents}) or not lives, "I3", "told 404, but it lives")
        elif body.get("detail", "").startswith("加值中心拒絕作廢") and head is not None and head.number:
            _expect(bool(lives) or book.restored, "I3", "told the invoice lives on, but it is void")
            book.void_failed[head.number] = now

    def cancelled(self, key: OrderKey) -> None:
        """A queue's void of whatever lives was taken as done with."""
        head = self.heads(key)
        if head is None or head.state not in (State.VOIDED, State.REFUSED, State.WANTED):
            self.books[key].cancels.append(self.world.t)

    def observed(self, fields: dict[str, Any]) -> None:
        """Nothing observed holds a buyer's data."""
        for value in fields.values():
            _expect(CANARY not in str(value), "I7", "a buyer's data was observed")

    # --- the end ---------------------------------------------------------------------------------------------------

    def at_rest(self) -> None:
        """When nothing is due and nothing is on its way any more."""
        for book in self.books.values():
            head = self.heads(book.key)
            _expect(len(book.living()) <= 1, "I1", "two living invoices")
            if book.restored:
                continue
            if head is None:
                _expect(not book.documents, "I2", "an invoice the ledger knows nothing of")
                continue
            if head.attention:
                self._justified(book, head)
                continue
            self._agrees(book, head)

    def _agrees(self, book: Book, head: Head) -> None:
        living = book.living()
        _expect(head.state not in PENDING and head.due_at is None, "I2", f"stuck in {head.state} ({head.cause})")
        if head.state is not State.ISSUED:
            _expect(not living, "I2", f"{head.state}, but {[d.number for d in living]} lives")
            return
        document = next((d for d in living if d.number == head.number), None)
        if document is None:
            held = [(d.number, d.void) for d in book.documents]
            raise Violation("I2", f"ISSUED {head.number}, but the centre has {held}")
        _expect(document.account == head.centre.account if head.centre else False, "LAW6", "another account's invoice")
        _expect(document.relate == head.relate_number, "I2", "another generation's invoice")
        _expect(not self._differs(head, document), "I5", f"content differs: {self._differs(head, document)}")
        _expect(not head.want, "WISH", f"a wish was forgotten: {head.want}")
        refused = any(entry["event"] in ("void_refused", "not_allowed") for entry in head.log)
        cancelled = book.cancels and not refused
        _expect(not cancelled, "WISH", f"cancelled at {book.cancels}, but {head.number} lives")

    def _justified(self, book: Book, head: Head) -> None:
        """A person is asked only where a schedule really leaves no other way."""
        cause = head.attention["cause"]
        self.attention.append(cause)
        if self.outcomes_only:
            return
        plan = self.plan
        allowed = {
            "UNPLACED_REFUSAL": any(kind.startswith("unplaced") for _, _, kind in self.world.faults),
            "SALE_PERIOD_OVER": plan.crosses_period,
            "VOIDED_CROSS_PERIOD": plan.crosses_period,
            "CANCEL_REFUSED": plan.refuses_voids,
            "NOT_QUERYABLE": plan.kind == "no_query",
        }
        _expect(allowed.get(cause, False), "ATTENTION", f"a person is asked without need: {head.attention}")

    def _differs(self, head: Head, document: Document) -> list[str]:
        found = document.found(self.world.t)
        assert found is not None
        order = payload.from_json(head.payload)
        issued = datetime.fromisoformat(head.issued_at) if head.issued_at else datetime.now(UTC)
        return [
            difference.field
            for difference in differences(order, found, first_sent_at=issued - LONG, now=issued + LONG, skew=LONG)
        ]


def _expect(holds: bool, invariant: str, sentence: str) -> None:
    if not holds:
        raise Violation(invariant, sentence)
