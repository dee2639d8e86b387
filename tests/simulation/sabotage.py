"""Sabotage (破壞實驗): the product with one of its safeguards taken out. Each must be caught, or the checker sleeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any
from unittest.mock import patch

from einvoice.application import heads, issue, sending, void
from einvoice.application.answers import Answer
from einvoice.model import Centre
from einvoice.providers.base import Absent
from einvoice.store.base import Head
from einvoice.store.memory import MemoryStore
from tests.simulation import plan as plans
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
    profiles = {kind: replace(profile, settle_window_s=0) for kind, profile in plans.PROFILES.items()}
    return [patch.dict(plans.PROFILES, profiles)]


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
        head = heads.tombstone(request.key, {}, op=p.token(), write_id=p.token(), now=p.now())
        return Answer(p.store.read(request.key) or head, 1)

    return [patch.object(void, "_tombstone", forgotten)]


def _minted_number() -> Patches:
    """Every attempt gets an order number of its own."""
    numbers = count(1)
    taken_over, resent = heads.taken_over, heads.resent

    def minted(inner: Callable[..., Head]) -> Callable[..., Head]:
        def outer(*args: Any, **kwargs: Any) -> Head:
            return replace(inner(*args, **kwargs), relate_number=f"MINTED{next(numbers)}")

        return outer

    return [patch.object(heads, "taken_over", minted(taken_over)), patch.object(heads, "resent", minted(resent))]


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


def _replaced_meanwhile() -> Patches:
    """A cancellation of whatever lives is taken as done though a reissue had replaced it in between."""
    cancel = void._cancelled

    def taken(p: Any, w: Any, request: Any) -> Answer:
        answer = cancel(p, w, request)
        return replace(answer, generation=answer.head.generation)

    return [patch.object(void, "_cancelled", taken)]


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
    "replaced-meanwhile": _replaced_meanwhile,
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
