"""What is killed: every operation a merchant, a buyer or a person may begin, what it begins on, and how it must end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from einvoice.identity import allowance_id, invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.service import MERCHANT, order
from tests.torture.world import Json, Run, World

UBN = "53538851"
OTHER_UBN = "12345675"
TOTAL_TWD = 1050  # of ``order``
REFUND_TWD = 300
LAST_PERIOD = "2026-02-27T10:00:00+08:00"
THIS_PERIOD = "2026-03-14T10:00:00+08:00"  # the day after the last one on which February's invoices may be void
MAIL = "buyer@example.com"


@dataclass(frozen=True)
class End:
    """How an order must stand: invoices living, the ledger's state and generation, and what is allowed of them.

    ``allowed`` are the living allowances, ``voided`` those that are void (TWD), oldest first, over all invoices.
    """

    living: int
    state: State
    generation: int
    ubn: str = ""
    allowed: tuple[int, ...] = ()
    voided: tuple[int, ...] = ()


ISSUED = End(1, State.ISSUED, 1)


@dataclass(frozen=True)
class Operation:
    """One operation and the end it must come to.

    ``before``: how the order must stay where nothing of it was begun. ``begins_on``: what is done first; None: nothing
    is there yet. ``confirms``: it is followed until the ministry has everything.
    """

    name: str
    route: str
    body: Json
    end: End
    before: End = ISSUED
    begins_on: Callable[[World, str], None] | None = None
    confirms: bool = False
    again: bool = False  # it was carried out before, and this is the same request

    def request(self, w: World, order_id: str, kill_at: int = 0) -> Run:
        """Ask for it once."""
        key = OrderKey(MERCHANT, "api", order_id)
        if self.route == "agreed":
            return w.tell_agreed(kill_at)
        if self.route == "issue":
            return w.call(self.route, order(order_id), {}, kill_at)
        paths = {
            "correct": {"source": key.source, "order_id": key.order_id},
            "void_allowance": {"id": allowance_id(key, 1)},
        }
        return w.call(self.route, self.body, paths.get(self.route, {"id": invoice_id(key, 1)}), kill_at)

    def prepare(self, w: World, order_id: str) -> None:
        """A fresh shop, and what the operation begins on."""
        w.reset()
        if self.begins_on is not None:
            self.begins_on(w, order_id)
        if self.again:
            assert self.request(w, order_id).status == 201


# --- what there is before ---------------------------------------------------------------------------------------------


def _issued(w: World, order_id: str) -> None:
    answer = w.call("issue", order(order_id), {})
    assert answer.status == 201, answer
    w.upload(order_id)


def _confirmed(w: World, order_id: str) -> None:
    assert w.call("issue", order(order_id), {}).status == 201
    w.confirm(order_id)


def _of_last_period(w: World, order_id: str) -> None:
    w.sim.move_clock(now=datetime.fromisoformat(LAST_PERIOD))
    _confirmed(w, order_id)
    w.sim.move_clock(now=datetime.fromisoformat(THIS_PERIOD))


def _allowed(w: World, order_id: str) -> None:
    _confirmed(w, order_id)
    assert _ALLOWANCE.request(w, order_id).status == 201
    w.confirm(order_id)


def _asked(w: World, order_id: str) -> None:
    _confirmed(w, order_id)
    assert _ASKED.request(w, order_id).status == 201


def _agreed(w: World, order_id: str) -> None:
    _asked(w, order_id)
    (waiting,) = w.sim.online_allowances()
    w.sim.agree(str(waiting["number"]))


def _corrected_since(w: World, order_id: str) -> None:
    """The correction, and another one after it: the first one's request comes once more, late."""
    _issued(w, order_id)
    for body in (_correction("same_number", UBN), _correction("same_number", OTHER_UBN)):
        assert w.call("reissue", body, {"id": invoice_id(OrderKey(MERCHANT, "api", order_id), 1)}).status == 201
        w.upload(order_id)


# --- the operations ---------------------------------------------------------------------------------------------------


def _correction(mode: str, ubn: str) -> Json:
    return {"reason": "統編錯誤", "mode": mode, "corrections": {"buyer": {"ubn": ubn, "name": "測試股份有限公司"}}}


def _reissue(name: str, mode: str, generation: int) -> Operation:
    end = End(1, State.ISSUED, generation, UBN)
    return Operation(name, "reissue", _correction(mode, UBN), end, begins_on=_issued)


def _refund(refund_id: str, **more: str) -> Json:
    return {"reason": "退貨", "refund_id": refund_id, "amount_twd": REFUND_TWD, **more}


_FIRST = (
    Operation("issue", "issue", {}, ISSUED, before=End(0, State.WANTED, 0)),
    Operation("void", "void", {"reason": "訂單取消"}, End(0, State.VOIDED, 1), begins_on=_issued),
    _reissue("reissue", "new_number", 2),
    _reissue("same number", "same_number", 1),
)
_AGAIN = tuple(replace(one, name=f"{one.name}, again", before=one.end, again=True) for one in _FIRST)
_OTHER = End(1, State.ISSUED, 1, OTHER_UBN)
_LATE = replace(_FIRST[-1], name="same number, late repeat", end=_OTHER, before=_OTHER, begins_on=_corrected_since)

_ONE_ALLOWED = replace(ISSUED, allowed=(REFUND_TWD,))
_ALLOWANCE = Operation("allowance", "allow", _refund("R1"), _ONE_ALLOWED, begins_on=_confirmed, confirms=True)
_ASKED = replace(_ALLOWANCE, name="asked allowance", body=_refund("R1", online_email=MAIL))
_ALLOWANCES = (
    _ALLOWANCE,
    Operation(
        "allowance void",
        "void_allowance",
        {"reason": "折讓錯誤"},
        replace(ISSUED, voided=(REFUND_TWD,)),
        before=_ONE_ALLOWED,
        begins_on=_allowed,
        confirms=True,
    ),
    _ASKED,
    replace(_ASKED, name="buyer agrees", route="agreed", before=_ONE_ALLOWED, begins_on=_agreed),
    replace(
        _ASKED,
        name="asked allowance taken back",
        route="void_allowance",
        body={"reason": "折讓錯誤"},
        end=ISSUED,
        before=_ONE_ALLOWED,  # nothing came of it, and then the buyer clicks
        begins_on=_asked,
    ),
)
_GOAL = {"goal": "correct", "evidence": {"consent": {"note": "LINE"}}}
_CORRECTIONS = (
    Operation(
        "cancel, allowances first",
        "correct",
        {"goal": "cancel", "reason": "訂單取消"},
        End(0, State.VOIDED, 1, voided=(REFUND_TWD,)),
        before=_ONE_ALLOWED,
        begins_on=_allowed,
        confirms=True,
    ),
    Operation(
        "correct by void",
        "correct",
        _GOAL | _correction("new_number", UBN),
        End(1, State.ISSUED, 2, UBN),
        begins_on=_confirmed,
        confirms=True,
    ),
    Operation(
        "correct by allowance",
        "correct",
        _GOAL | _correction("new_number", UBN),
        End(1, State.ISSUED, 2, UBN, allowed=(TOTAL_TWD,)),
        begins_on=_of_last_period,
        confirms=True,
    ),
)
_ALLOWED_AGAIN = tuple(
    replace(one, name=f"{one.name}, again", before=one.end, again=True) for one in (_ALLOWANCE, _CORRECTIONS[1])
)
OPERATIONS = {one.name: one for one in (*_FIRST, *_AGAIN, _LATE, *_ALLOWANCES, *_CORRECTIONS, *_ALLOWED_AGAIN)}
