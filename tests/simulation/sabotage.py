"""Sabotage (破壞實驗): the product with one of its safeguards taken out. Each must be caught, or the checker sleeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from einvoice.application import (
    allowances,
    allowing,
    claims,
    deciding,
    filings,
    generations,
    heads,
    issue,
    plans,
    sending,
    void,
)
from einvoice.application.answers import Answer
from einvoice.model import Centre
from einvoice.providers.base import Absent
from einvoice.rules import correction
from einvoice.store.base import Head
from einvoice.store.memory import MemoryStore
from tests.simulation import plan as drawn
from tests.simulation.schedule import ActorCentres

Patches = list[Any]


def _no_look_up() -> Patches:
    """Nothing is ever looked up: what the centre did not say did not happen."""
    return [patch.object(sending, "look", lambda *_: Absent())]


def _no_fence() -> Patches:
    """Every write wins, whatever stands there."""

    def replaced(self: MemoryStore, head: Head) -> None:
        standing = self.heads.get(head.key)
        self.heads[head.key] = replace(head, ver=standing.ver + 1 if standing else 1)

    return [patch.object(MemoryStore, "replace", replaced)]


def _no_settle_window() -> Patches:
    """A packet that was not answered is taken for dead at once."""
    profiles = {kind: replace(profile, settle_window_s=0) for kind, profile in drawn.PROFILES.items()}
    return [patch.dict(drawn.PROFILES, profiles)]


def _no_sent_at() -> Patches:
    """Taking an order over forgets that its last owner may have sent something."""
    return [patch.object(heads, "_later", lambda earlier, _: earlier)]


def _no_pinned_centre() -> Patches:
    """Every call goes to the account that the settings name now."""
    pinned = ActorCentres.pinned

    def current(self: ActorCentres, merchant: str, centre: Centre) -> Any:
        settings = self.simulation.settings[merchant]
        return pinned(self, merchant, replace(centre, account=settings.active))

    return [patch.object(ActorCentres, "pinned", current)]


def _no_tombstone() -> Patches:
    """A cancellation that comes before its order is forgotten."""

    def forgotten(p: Any, request: Any) -> Answer:
        head = claims.tombstone(request.key, {}, op=p.token(), write_id=p.token(), now=p.now())
        return Answer(p.store.read(request.key) or head, 1)

    return [patch.object(void, "_tombstone", forgotten)]


def _minted_number() -> Patches:
    """Every attempt gets an order number of its own."""
    numbers = count(1)
    taken_over, resent = heads.taken_over, generations.resent

    def minted(inner: Callable[..., Head]) -> Callable[..., Head]:
        def outer(*args: Any, **kwargs: Any) -> Head:
            return replace(inner(*args, **kwargs), relate_number=f"MINTED{next(numbers)}")

        return outer

    return [patch.object(heads, "taken_over", minted(taken_over)), patch.object(generations, "resent", minted(resent))]


def _waiting_unproved() -> Patches:
    """Found by seed: a packet whose time is over counts as never landed, though nobody asked the centre."""
    put_off = sending.put_off

    def unproved(*args: Any, **kwargs: Any) -> Head:
        return put_off(*args, **(kwargs | {"absent": True}))

    return [patch.object(sending, "put_off", unproved)]


def _period_first() -> Patches:
    """Found by seed: a late repeat is told that its period is over before anybody looks whether its invoice lives."""
    return [patch.object(issue, "_answers", lambda *_: False)]


def _absent_at_once() -> Patches:
    """Found by seed: what a look-up that is minutes behind does not show yet goes to a person at once."""
    return [patch.object(heads, "times_unknown", lambda *_: 9)]


def _no_quiet_time() -> Patches:
    """An allowance that was not answered may be sent again at once, though its packet is still on its way."""
    begun = allowances.begun
    return [patch.object(allowances, "begun", lambda *given, **named: begun(*given, **(named | {"window_s": 0})))]


def _no_comparison() -> Patches:
    """Before an allowance is sent again nobody looks whether it was made."""
    return [patch.object(allowing, "_compared", lambda *_: lambda head: head)]


def _purpose_ignored() -> Patches:
    """An allowance that gave the money back opens the way to a new invoice, too."""
    case_of = deciding.case_of

    def blind(*given: Any) -> correction.Case:
        case = case_of(*given)
        return replace(case, reissue_allowed=case.remaining_twd == 0 and case.allowed_twd > 0, refunded_twd=0)

    return [patch.object(deciding, "case_of", blind), patch.object(deciding, "_rest", sending.order_of)]


def _no_sum() -> Patches:
    """What was allowed already is not taken from what is left."""
    return [patch.object(Head, "allowed_twd", 0)]


def _decided_once() -> Patches:
    """What is to be done is judged by the time at which it was asked for, not by the time at which it is done."""
    decided = deciding.decided

    def then(p: Any, w: Any, head: Head, plan: plans.Plan) -> correction.Decision:
        at = datetime.fromtimestamp(int(plan["at"]), UTC)
        return decided(replace(p, clock=SimpleNamespace(now=lambda: at, monotonic=p.clock.monotonic)), w, head, plan)

    return [patch.object(deciding, "decided", then)]


def _upload_not_awaited() -> Patches:
    """The new invoice does not wait until the ministry has the allowance that makes room for it."""
    return [patch.object(correction, "after_upload", lambda decision, *_, **__: decision)]


def _filing_forgotten() -> Patches:
    """Found by seed: what was begun before the period was filed is sent again after it."""
    return [patch.object(filings, "filed", lambda *_: False)]


def _refund_id_ignored() -> Patches:
    """A refund that comes again is a new one."""
    return [patch.object(plans, "made_before", lambda *_, **__: None)]


SABOTAGES: dict[str, Callable[[], Patches]] = {
    "no-look-up": _no_look_up,
    "no-fence": _no_fence,
    "no-settle-window": _no_settle_window,
    "no-sent-at": _no_sent_at,
    "no-pinned-centre": _no_pinned_centre,
    "no-tombstone": _no_tombstone,
    "minted-number": _minted_number,
    "waiting-unproved": _waiting_unproved,
    "period-first": _period_first,
    "absent-at-once": _absent_at_once,
    "no-quiet-time": _no_quiet_time,
    "no-comparison": _no_comparison,
    "purpose-ignored": _purpose_ignored,
    "no-sum": _no_sum,
    "decided-once": _decided_once,
    "upload-not-awaited": _upload_not_awaited,
    "filing-forgotten": _filing_forgotten,
    "refund-id-ignored": _refund_id_ignored,
}


@contextmanager
def sabotaged(name: str) -> Iterator[None]:
    """The product without the safeguard ``name`` while it lasts; the empty name takes nothing out."""
    patches = SABOTAGES[name]() if name else []
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in reversed(patches):
            one.stop()
