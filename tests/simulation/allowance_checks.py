"""What must hold of allowances and corrections (折讓與更正的不變量), beside what ``checker`` says of invoices.

R1 the living allowances of an invoice never exceed it. R2 no refund is given twice, none is lost, and a refunded order
is never billed again. R3 what the ledger says of an allowance is so at the centre, and only the centre's or the
ministry's word changes it. R4 no void after the filing or the cut-off, by the time at which it was decided. R5 every
decision says its row, cause, parameters and source, and a plan that has ended never opens again. R6 at rest no plan
is open but for something that has a name.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from einvoice.application import allowances, plans, uploads
from einvoice.application.filings import filing_key
from einvoice.edge.http import Reply
from einvoice.model import ProviderProfile
from einvoice.rules.correction_time import void_deadline_of, whole_second
from einvoice.store.base import Head, State
from tests.simulation.book import REISSUING, Book
from tests.simulation.centre import Packet
from tests.simulation.documents import ASKED, CANCELLED, EXPIRED, HOLDING, LIVE, VOID, Document, Slip
from tests.simulation.engine import World
from tests.simulation.violation import Violation, expect

INVOCATION_S = 65  # what was decided is sent by the invocation that decided it, or not at all

_NEXT = {
    "SENDING": {"LIVE", "ASKED", "REFUSED"},
    "ASKED": {"LIVE", "EXPIRED", "VOIDING"},
    "LIVE": {"VOIDING"},
    "VOIDING": {"VOIDED", "LIVE", "CANCELLED", "ASKED"},
}
#: what the centre holds where the ledger says so of an allowance
_AT_CENTRE = {
    "LIVE": {LIVE},
    "ASKED": {ASKED, LIVE, EXPIRED},
    "VOIDED": {VOID},
    "CANCELLED": {CANCELLED, EXPIRED},
    "EXPIRED": {EXPIRED},
}
_PARTS_OF_A_DECISION = ("row", "cause", "source", "message", "reason")
#: what a plan may wait for at rest: somebody must bring it, and it has a name
HELD_FOR = frozenset({"CONSENT_NEEDED", "PAPER_NOT_BACK"})


class AllowanceChecks:
    """The part of the checker that watches allowances and corrections."""

    def __init__(self, world: World, profile: ProviderProfile, filed: dict[tuple[str, str], float]) -> None:
        self.world, self.profile, self.filed = world, profile, filed

    # --- the centres -----------------------------------------------------------------------------------------------

    def landed(self, book: Book, document: Document, event: str, slip: Slip) -> None:
        """After an allowance was made, asked for, agreed to, made void or came to nothing."""
        left = document.order.total_twd - sum(one.total_twd for one in document.slips if one.status in HOLDING)
        expect(left >= 0, "R1", f"{document.number} is allowed beyond its total")
        if event not in ("allowed", "asked"):
            return
        same = [one for one in book.slips() if one.reason == slip.reason and one.status in HOLDING]
        if slip.reason == REISSUING:
            same = [one for one in same if one in document.slips]
        twice = len(same) > 1 and slip.reason.startswith(("退款", REISSUING))
        expect(not twice, "R2", f"{slip.reason} is allowed twice: {[one.number for one in same]}")
        told = book.allowance_failed.get((document.number, slip.reason))
        if told is not None and slip.sent_t <= told:
            raise Violation("R3", f"an allowance sent at {slip.sent_t:.1f} landed, refused at {told:.1f}")

    def void_sent(self, book: Book, packet: Packet, number: str) -> None:
        """Before the void of an invoice or an allowance leaves."""
        document = book.by_number(number)
        slip = next((one for one in book.slips() if one.number == number), None)
        if document is None and slip is None:
            return
        day = document.issued_on if document else slip.made_at.date() if slip else None
        assert day is not None
        late = whole_second(packet.stamp) - void_deadline_of(day, self.profile)
        expect(late <= timedelta(seconds=INVOCATION_S), "R4", f"a void of {number} is sent {late} after its cut-off")
        filed = self.filed.get((book.key.merchant, filing_key(day, self.profile)))
        if filed is not None and packet.sent_t > filed + INVOCATION_S:
            after_s = packet.sent_t - filed
            raise Violation("R4", f"a void of {number} is sent {after_s:.0f} s after its period was filed")

    # --- the ledger ------------------------------------------------------------------------------------------------

    def moved(self, book: Book, old: Head, new: Head, *, outcomes_only: bool) -> None:
        """After every write that took effect."""
        if new.plans is not old.plans and not outcomes_only:
            _plans_moved(old, new)
        if new.generation > old.generation and old.state is State.ISSUED:
            opened = any(one["purpose"] == allowances.REISSUE for one in allowances.live(old))
            expect(opened, "LAW7", "the next generation rests on no allowance for a reissue")
            document = book.by_number(old.number)
            if document is not None and "issue_after_allowance" in self.profile.upload_first:
                live = [one for one in document.slips if one.status == LIVE]
                known = all(document.slip_upload(one, self.world.t) == "confirmed" for one in live)
                expect(known, "R3", "the next generation does not wait for the ministry to have the allowance")
        if new.generation > old.generation:
            worth = int(new.payload["total_twd"]) + book.refunded_twd()
            expect(worth in book.totals, "R2", f"{new.payload['total_twd']} is billed, and with the refunds {worth}")
        if (new.allowances, new.past) == (old.allowances, old.past) and (new.upload, new.void_upload) == (
            old.upload, old.void_upload,
        ):
            return
        before = {one["n"]: one for one in allowances.everywhere(old)}
        after = {one["n"]: one for one in allowances.everywhere(new)}
        for n, one in before.items():
            expect(n in after, "LAW13", f"allowance {n} was dropped")
            if after[n]["status"] != one["status"]:
                allowed = outcomes_only or after[n]["status"] in _NEXT.get(one["status"], set())
                expect(allowed, "R3", f"allowance {n}: {one['status']} -> {after[n]['status']}")
                self._is_true(book, new, after[n])
        self._uploads_are_true(book, old, new)

    def _is_true(self, book: Book, head: Head, record: dict[str, Any]) -> None:
        document = book.by_number(head.number)
        if document is None:
            raise Violation("R3", f"an allowance of {head.number}, which is not of this order")
        status, number = record["status"], record.get("number")
        slip = document.slip(number) if number else None
        if status == "REFUSED":
            known = {one.get("number") for one in head.allowances}
            there = [one for one in document.slips if one.reason == record["reason"] and one.number not in known]
            expect(not any(one.status in HOLDING for one in there), "R3", "refused while the allowance lives")
            book.allowance_failed[document.number, record["reason"]] = self.world.t
        elif number and status in _AT_CENTRE:
            held = slip.status if slip else "nothing"
            expect(held in _AT_CENTRE[status], "R3", f"{number} is {status}, but the centre has {held}")

    def _uploads_are_true(self, book: Book, old: Head, new: Head) -> None:
        known = {(one.kind, one.generation, one.n): one.upload for one in uploads.documents(old)}
        for one in uploads.documents(new):
            if one.upload in uploads.OPEN or known.get((one.kind, one.generation, one.n)) == one.upload:
                continue
            document = next((each for each in book.documents if one.number in _numbers(each)), None)
            if document is None:
                raise Violation("R3", f"the ministry's answer for {one.number}, which is not of this order")
            if one.kind == uploads.INVOICE:
                theirs = document.upload(self.world.t)
            elif one.kind == uploads.ALLOWANCE and (slip := document.slip(one.number)):
                theirs = document.slip_upload(slip, self.world.t)
            else:
                since = document.versions[-1][0] if one.kind == uploads.VOID else _void_since(document, one.number)
                answer = document.ministry.answer(f"{one.number}:void", since, self.world.t)
                theirs = "uploading" if answer == "uploading" else "confirmed"  # the most a centre says of a void
            expect(theirs == one.upload, "R3", f"{one.kind} {one.number} is {one.upload}; the ministry: {theirs}")

    # --- the answers -----------------------------------------------------------------------------------------------

    def told(self, book: Book, reply: Reply, head: Head | None) -> None:
        """After every answer to a correction."""
        body = reply.body
        told = body.get("correction")
        if told is None:
            return
        for one in body["allowances"]:
            slip = next((each for each in book.slips() if each.number == one["number"]), None)
            if one["state"] in ("LIVE", "VOIDED"):
                held = slip.status if slip else "nothing"
                wrong = slip is None or (one["state"] == "VOIDED" and slip.status != VOID)
                expect(not wrong, "R3", f"told {one['state']} of {one['number']}, the centre has {held}")
        refund_id = told["refund_id"]
        if refund_id and told["id"] and reply.status < 300:
            earlier = book.refunds.setdefault(refund_id, told["id"])
            again = head is not None and _came_to_nothing(head, earlier)
            expect(earlier == told["id"] or again, "R2", f"{refund_id} is told as two corrections")
            book.refunds[refund_id] = told["id"]

    # --- the end ---------------------------------------------------------------------------------------------------

    def at_rest(self, book: Book, head: Head) -> None:
        """When nothing is due any more: both books say the same, and nothing of what was asked for is forgotten."""
        ours = {one["number"]: (one["status"], one["amount_twd"]) for one in _numbered(head)}
        theirs = {one.number: one for one in book.slips()}
        expect(set(ours) == {number for number, one in theirs.items() if one.status in (LIVE, VOID)}, "R3",
               f"the ledger has {ours}, the centre {[(n, s.status) for n, s in theirs.items()]}")
        for number, (status, twd) in ours.items():
            slip = theirs[number]
            same = (slip.status, slip.total_twd) == ({"LIVE": LIVE, "VOIDED": VOID}.get(status), twd)
            expect(same, "R3", f"{number} is {status} {twd}; the centre has {slip.status} {slip.total_twd}")
        open_ones = [one for one in allowances.everywhere(head) if one["status"] in ("SENDING", "VOIDING", "ASKED")]
        expect(not open_ones, "R6", f"allowances are left in the middle: {open_ones}")
        for plan in head.plans:
            _plan_rests(head, plan)
        for refund_id, plan_id in book.refunds.items():
            expect(any(plan["id"] == plan_id for plan in head.plans), "R2", f"the refund {refund_id} was lost")
        billed = sum(document.billed_twd for document in book.documents)
        worth = billed + book.given_back_twd()
        nothing = all(document.void for document in book.documents)
        expect(nothing or worth in book.totals, "R2", f"billed {billed} and refunded, together {worth}")
        expect(allowances.refunded_twd(head) >= book.refunded_twd(), "R2", "more is refunded than the ledger says")


def _numbers(document: Document) -> set[str]:
    return {document.number, *(slip.number for slip in document.slips)}


def _numbered(head: Head) -> list[dict[str, Any]]:
    return [one for one in allowances.everywhere(head) if one["status"] in ("LIVE", "VOIDED")]


def _came_to_nothing(head: Head, plan_id: int) -> bool:
    """Whether a refund was stopped, or the buyer never agreed to it: the same id may begin again."""
    plan = plans.numbered(head, plan_id)
    mine = [one["status"] for one in allowances.everywhere(head) if one.get("plan") == plan_id]
    given = any(status in ("SENDING", "ASKED", "LIVE", "VOIDING", "VOIDED") for status in mine)
    return not given and (plan["status"] == plans.STOPPED or bool(mine))


def _void_since(document: Document, number: str) -> float:
    slip = document.slip(number)
    assert slip is not None
    return next(since for since, status in slip.history if status == VOID)


def _plans_moved(old: Head, new: Head) -> None:
    after = {plan["id"]: plan for plan in new.plans}
    for plan in old.plans:
        expect(plan["id"] in after, "R5", f"plan {plan['id']} was dropped")
        ended = plan["status"] != plans.OPEN
        expect(not ended or after[plan["id"]]["status"] != plans.OPEN, "R5", f"plan {plan['id']} opened again")
    for plan in new.plans:
        decision = plan.get("decision")
        if decision is not None:
            whole = isinstance(decision["parameters"], dict) and all(map(decision.get, _PARTS_OF_A_DECISION))
            expect(whole, "R5", f"a decision without its grounds: {decision}")


def _plan_rests(head: Head, plan: dict[str, Any]) -> None:
    if plan["status"] == plans.OPEN:
        held = head.attention or plan.get("waits") in HELD_FOR or any(
            one.get("waits") in HELD_FOR for one in head.plans if one["status"] == plans.OPEN
        )
        expect(bool(held), "R6", f"a plan was forgotten: {plan}")
    if plan["status"] == plans.STOPPED:
        expect(bool(plan.get("cause")), "R6", f"a plan was stopped without a cause: {plan}")
    if plan["status"] == plans.DONE and plan["goal"] == plans.REFUND:
        mine = [one for one in allowances.everywhere(head) if one.get("plan") == plan["id"]]
        given = any(one["status"] not in ("SENDING", "REFUSED") for one in mine)
        void = head.state is State.VOIDED or any(past["voided_at"] for past in head.past)
        expect(given or bool(plan.get("cause")) or void, "R2", f"a refund is done, but nothing was given: {plan}")
