"""What must hold (不變量), asserted after every step.

I1 at most one living invoice per order. I2 at rest the ledger and the centre agree, and nothing is stuck. I3 nothing is
told "failed" while an invoice lives or may still arrive; no number is told that is not the order's. I4 all answers of
one generation name one number. I5 the ledger's content is the centre's. I7 (in part) nothing observed holds a buyer's
data. I8 nothing of one merchant goes to another's account. ATTENTION: a person is asked only where it is needed.
WISH: a cancellation that was taken is carried out. LAW: how the ledger may move from one state to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from einvoice.application import payload, plans
from einvoice.application.answers import PENDING
from einvoice.edge.http import Reply
from einvoice.model import OrderKey
from einvoice.rules.adoption import differences
from einvoice.store.base import Head, State
from tests.simulation.allowance_checks import AllowanceChecks
from tests.simulation.book import Book
from tests.simulation.centre import Packet
from tests.simulation.content import BODIES, CANARY, CORRECTIONS
from tests.simulation.documents import Document, Slip
from tests.simulation.engine import World
from tests.simulation.plan import Plan, Step
from tests.simulation.requests import CORRECTING
from tests.simulation.violation import Violation, expect

LONG = timedelta(days=400)


class Checker:
    """Watches the ledger, the centres and the answers of one schedule."""

    def __init__(
        self,
        world: World,
        plan: Plan,
        heads: Callable[[OrderKey], Head | None],
        filed: dict[tuple[str, str], float],
        *,
        outcomes_only: bool = False,
    ) -> None:
        self.world, self.plan, self.heads, self.outcomes_only = world, plan, heads, outcomes_only
        self.books = {key: Book(key, _totals(plan, place)) for place, key in enumerate(plan.orders)}
        self.allowances = AllowanceChecks(world, plan.profile, filed)
        self.attention: list[str] = []

    # --- the ledger ------------------------------------------------------------------------------------------------

    def head_changed(self, old: Head | None, new: Head | None) -> None:
        """After every write that took effect."""
        if new is None:
            raise Violation("I2", "a head was removed")
        if old is not None:
            self._transition(old, new)
        book = self.books[new.key]
        if old is not None and not book.restored:
            self.allowances.moved(book, old, new, outcomes_only=self.outcomes_only)
        if (new.state in (State.VOIDED, State.REFUSED) and not new.want) or _cancellation_ended(old, new):
            book.cancels.clear()  # what was cancelled by now is; what comes after is another wish
        if not book.restored:
            self._state_is_true(book, old, new)

    def _state_is_true(self, book: Book, old: Head | None, new: Head) -> None:
        """What the new head says of the centre is so at this moment."""
        ours = [document for document in book.documents if document.relate == new.relate_number]
        if new.state is State.REFUSED and (old is None or old.state is not State.REFUSED):
            expect(not any(not d.void for d in ours), "I3", "REFUSED while an invoice lives")
        if new.state is State.WAITING:
            expect(not any(not d.void for d in ours), "I2", "WAITING while the invoice lives")
        if new.attention or (old is not None and old.state is new.state):
            return
        if new.state is State.VOIDED:
            expect(all(d.void for d in ours), "I2", "VOIDED while the invoice lives")
        if new.state is State.ISSUED and (old is None or old.number != new.number):
            document = next((d for d in book.documents if d.number == new.number), None)
            if document is None:
                raise Violation("I3", f"{new.number} is not of this order")
            expect(not self._differs(new, document), "I5", f"content differs: {self._differs(new, document)}")

    def _transition(self, old: Head, new: Head) -> None:
        if self.outcomes_only:
            return
        expect(new.ver == old.ver + 1, "FENCE", f"ver {old.ver} -> {new.ver}")
        expect(new.generation in (old.generation, old.generation + 1), "LAW7", "generations skip")
        expect(len(new.past) >= len(old.past), "LAW13", "an earlier generation was dropped")
        book = self.books[new.key]
        if new.generation > old.generation:
            expect(book.restored or not book.living(), "LAW7", "next generation while the old one lives")
        elif old.first_sent_at is not None:
            expect(new.centre == old.centre, "LAW6", "the centre changed after a send")
            expect(new.relate_number == old.relate_number, "LAW1", "the order number changed")

    # --- the centres -----------------------------------------------------------------------------------------------

    def sent(self, packet: Packet, what: str, account_merchant: str, account: str) -> None:
        """Before a packet leaves."""
        expect(account_merchant == packet.key.merchant, "I8", "another merchant's account")
        head = self.heads(packet.key)
        if what.startswith(("void ", "unallow ")) and not self.books[packet.key].restored:
            self.allowances.void_sent(self.books[packet.key], packet, what.split()[1])
        if head is None or self.outcomes_only:
            return
        if what.startswith("numbers"):  # those of the account that will issue, which is the one in force now
            return
        if head.centre is not None and not self.books[packet.key].restored:
            earlier = {past["centre"].get("account") for past in head.past}
            expect(account in {head.centre.account, *earlier}, "LAW6", f"{what} goes to {account}")

    def centre_changed(self, packet: Packet | None, document: Document, event: str, slip: Slip | None) -> None:
        """After every effect at a centre; ``packet`` is None where the buyer or time caused it."""
        book = self.books[document.key]
        if event == "issued":
            taken = {one.number for each in self.books.values() if each.key.merchant == book.key.merchant
                     for one in each.documents}
            expect(document.number not in taken, "I4", f"{document.number} is used twice")
            book.documents.append(document)
            told = book.told_failed.get(document.relate)
            if told is not None and packet is not None and packet.sent_t <= told:
                raise Violation("I3", f"a packet sent at {packet.sent_t:.1f} found an order told failed at {told:.1f}")
        if event == "voided":
            told = book.void_failed.get(document.number)
            if told is not None and packet is not None and packet.sent_t <= told:
                raise Violation("I3", f"a void sent at {packet.sent_t:.1f} landed, told refused at {told:.1f}")
        if slip is not None and not book.restored:
            self.allowances.landed(book, document, event, slip)
        living = book.living()
        expect(len(living) <= 1, "I1", f"{len(living)} living invoices: {[d.number for d in living]}")

    # --- the answers -----------------------------------------------------------------------------------------------

    def answered(self, name: str, key: OrderKey, step: Step, reply: Reply) -> None:
        """After every HTTP answer, also the ones a client has given up waiting for."""
        book, op, generation = self.books[key], step.op, step.generation
        status, body = reply.status, reply.body
        kind = "ok" if status in (200, 201) else "fail" if status in (409, 422, 404) else "info"
        book.history.append((name, kind, f"{op} {status} {body.get('state') or body.get('code')}"))
        if op in CORRECTING:
            self.allowances.told(book, reply, self.heads(key))
        if op not in ("issue", "void", "reissue"):
            return
        if kind == "ok":
            self._told_well(book, op, body)
        elif kind == "fail":
            self._told_failed(book, op, generation, body)

    def _told_well(self, book: Book, op: str, body: dict[str, Any]) -> None:
        number, state = body.get("number"), body["state"]
        if number is None:
            expect(state in ("REFUSED", "WANTED"), "I3", f"{state} without a number")
            return
        document = next((d for d in book.documents if d.number == number), None)
        if document is None:
            raise Violation("I3", f"told {number}, which is not of this order")
        told = book.numbers.setdefault(body["generation"], number)
        expect(told == number or book.restored, "I4", f"generation {body['generation']} told as {told} and {number}")
        if state == "VOIDED" and not book.restored:
            expect(document.void, "I3", f"told void, but {number} lives")

    def _told_failed(self, book: Book, op: str, generation: int, body: dict[str, Any]) -> None:
        code, now = body.get("code"), self.world.t
        head = self.heads(book.key)
        lives = book.living()
        if body.get("state") == "REFUSED" or code == "NOTHING_TO_VOID" or (code == "ORDER_CANCELLED" and op == "issue"):
            expect(not lives, "I3", f"told {code} while {[d.number for d in lives]} lives")
            if head is not None and head.relate_number:
                book.told_failed[head.relate_number] = now
        elif code == "SALE_PERIOD_OVER" and op == "issue":
            expect(not lives, "I3", "told the period is over while an invoice lives")
        elif code == "NOT_FOUND" and not book.restored:
            expect(generation > len({d.relate for d in book.documents}) or not lives, "I3", "told 404, but it lives")
        elif body.get("detail", "").startswith("加值中心拒絕作廢") and head is not None and head.number:
            expect(bool(lives) or book.restored, "I3", "told the invoice lives on, but it is void")
            book.void_failed[head.number] = now

    def cancelled(self, key: OrderKey) -> None:
        """A queue's void of whatever lives was taken as done with."""
        head = self.heads(key)
        allowed = head is not None and head.state is State.ISSUED and head.allowed_twd == head.payload["total_twd"]
        if head is None or (head.state not in (State.VOIDED, State.REFUSED, State.WANTED) and not allowed):
            self.books[key].cancels.append(self.world.t)

    def taken(self, key: OrderKey, refund_id: str) -> None:
        """A queue's allowance was taken as done with: a rule refused it, or it is a plan that must not be lost."""
        head = self.heads(key)
        mine = [plan["id"] for plan in head.plans if plan.get("refund_id") == refund_id] if head else []
        if mine:
            self.books[key].refunds[refund_id] = mine[-1]

    def observed(self, fields: dict[str, Any]) -> None:
        """Nothing observed holds a buyer's data."""
        for value in fields.values():
            expect(CANARY not in str(value), "I7", "a buyer's data was observed")

    # --- the end ---------------------------------------------------------------------------------------------------

    def at_rest(self) -> None:
        """When nothing is due and nothing is on its way any more."""
        for book in self.books.values():
            head = self.heads(book.key)
            expect(len(book.living()) <= 1, "I1", "two living invoices")
            if book.restored:
                continue
            if head is None:
                expect(not book.documents, "I2", "an invoice the ledger knows nothing of")
                continue
            if head.attention:
                self._justified(book, head)
                continue
            self._agrees(book, head)

    def _agrees(self, book: Book, head: Head) -> None:
        living = book.living()
        expect(head.state not in PENDING and head.due_at is None, "I2", f"stuck in {head.state} ({head.cause})")
        self.allowances.at_rest(book, head)
        if head.state is not State.ISSUED:
            expect(not living, "I2", f"{head.state}, but {[d.number for d in living]} lives")
            return
        document = next((d for d in book.documents if d.number == head.number and not d.void), None)
        if document is None or living not in ([], [document]):
            held = [(d.number, d.void, d.billed_twd) for d in book.documents]
            raise Violation("I2", f"ISSUED {head.number}, but the centre has {held}")
        expect(document.account == head.centre.account if head.centre else False, "LAW6", "another account's invoice")
        expect(document.relate == head.relate_number, "I2", "another generation's invoice")
        expect(not self._differs(head, document), "I5", f"content differs: {self._differs(head, document)}")
        held = any(plan["goal"] == plans.CANCEL and plan["status"] == plans.OPEN for plan in head.plans)
        expect(not head.want or held, "WISH", f"a wish was forgotten: {head.want}")
        refused = any(entry["event"] in ("void_refused", "not_allowed") for entry in head.log)
        planned = any(plan["goal"] == plans.CANCEL and plan["status"] != plans.DONE for plan in head.plans)
        cancelled = book.cancels and living and not refused and not planned
        expect(not cancelled, "WISH", f"cancelled at {book.cancels}, but {head.number} lives")

    def _justified(self, book: Book, head: Head) -> None:
        """A person is asked only where a schedule really leaves no other way."""
        cause = head.attention["cause"]
        self.attention.append(cause)
        if self.outcomes_only:
            return
        plan = self.plan
        allowed = {
            "UNPLACED_REFUSAL": plan.closes_voids  # a void that lands after the cut-off
            or any(kind.startswith("unplaced") for _, _, kind in self.world.faults),
            "UPLOAD_REFUSED": plan.ministry_refuses > 0,
            "SALE_PERIOD_OVER": plan.crosses_period,
            "CORRECTION_HALF_DONE": bool(plan.refused_totals),
            "VOIDED_CROSS_PERIOD": plan.crosses_period,
            "VOID_WINDOW_CLOSED": plan.closes_voids,
            "CANCEL_REFUSED": plan.refuses_voids,
            "NOT_QUERYABLE": plan.kind == "no_query",
        }
        expect(allowed.get(cause, False), "ATTENTION", f"a person is asked without need: {head.attention}")

    def _differs(self, head: Head, document: Document) -> list[str]:
        found = document.found(self.world.t)
        assert found is not None
        order = payload.from_json(head.payload)
        issued = datetime.fromisoformat(head.issued_at) if head.issued_at else datetime.now(UTC)
        return [
            difference.field
            for difference in differences(order, found, first_sent_at=issued - LONG, now=issued + LONG, skew=LONG)
        ]


def _totals(plan: Plan, place: int) -> frozenset[int]:
    """What the requests of one order say it is worth."""
    mine = [step for step in plan.steps if step.order == place]
    totals = {BODIES[step.body]["total_twd"] for step in mine if step.op == "issue"}
    corrected = {
        CORRECTIONS[step.body]["total_twd"]
        for step in mine
        if step.op in ("reissue", "correct") and "total_twd" in CORRECTIONS[step.body]
    }
    return frozenset(totals | corrected)


def _cancellation_ended(old: Head | None, new: Head) -> bool:
    """Whether this write says that an order's cancellation was carried out."""
    before = {plan["id"] for plan in old.plans if plan["status"] == plans.DONE} if old else set()
    done = [plan for plan in new.plans if plan["goal"] == plans.CANCEL and plan["status"] == plans.DONE]
    return any(plan["id"] not in before for plan in done)
