"""Faults that can be ordered, and which of them the next call meets.

``FAULTS`` is the whole list. Kinds come in three layers: at most one *transport* fault decides how a call is carried
and answered, while every matching *condition* changes what the simulator believes during the call. So ``drop_after``
and ``read_lag`` can meet the same Issue. A *callback* fault meets what the simulator posts to the merchant.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class Kind:
    """``committed``: whether the operation is carried out ("late": it is, but later; "parameter": as ordered).

    ``defaults``: parameters beside the target. ``ops``: the operations it is meant for when none is named; empty: any.
    """

    layer: Literal["transport", "condition", "callback"]
    committed: Literal["yes", "no", "late", "as usual", "parameter"]
    defaults: Mapping[str, object]
    ops: frozenset[str] = frozenset()


_CALLBACKS = frozenset({"delayissue", "allowancebycollegiate"})
_LOOKUPS = frozenset({"checkbarcode", "checklovecode", "getcompanynamebytaxid"})

FAULTS: dict[str, Kind] = {
    "drop_before": Kind("transport", "no", {}),
    "drop_after": Kind("transport", "yes", {}),
    "late_answer": Kind("transport", "yes", {"seconds": 3.0}),
    "late_arrival": Kind("transport", "late", {"seconds": 60.0, "caller": "drop", "check_timestamp": True}),
    "http_500_before": Kind("transport", "no", {}),
    "http_500_after": Kind("transport", "yes", {}),
    "garbage_before": Kind("transport", "no", {}),
    "garbage_after": Kind("transport", "yes", {}),
    "truncated_after": Kind("transport", "yes", {}),
    "wrong_key_after": Kind("transport", "yes", {}),
    "drip": Kind("transport", "parameter", {"interval_s": 1.0, "committed": True, "headers": False}),
    "redirect": Kind("transport", "no", {"location": "/redirected", "status": 302}),
    "hang": Kind("transport", "no", {"seconds": 600.0}),
    "ban": Kind("transport", "no", {"minutes": 0.0}),
    "exhausted": Kind("condition", "as usual", {}, frozenset({"issue"})),
    "clock_off": Kind("condition", "as usual", {"seconds": 1200.0}),
    "read_lag": Kind("condition", "as usual", {"seconds": 5.0}, frozenset({"issue"})),
    "maintenance": Kind("condition", "as usual", {}, _LOOKUPS),
    "callback_lost": Kind("callback", "as usual", {}, _CALLBACKS),
    "callback_late": Kind("callback", "as usual", {"seconds": 3600.0}, _CALLBACKS),
    "callback_duplicate": Kind("callback", "as usual", {}, _CALLBACKS),
    "callback_forged": Kind("callback", "as usual", {}, _CALLBACKS),
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a call is about; "" where it could not be read."""

    op: str  # lower case
    merchant_id: str
    relate: str
    invoice_no: str


@dataclass(slots=True)
class Fault:
    """One ordered fault.

    It meets calls that match every target given, after letting ``skip`` of them pass, and is used up after ``times``
    (None: never).
    """

    number: int
    kind: str
    op: str | None
    relate: str | None
    invoice_no: str | None
    merchant_id: str | None
    times: int | None
    skip: int
    parameters: dict[str, object]
    until: datetime | None = None  # a ban in minutes ends by the simulator's clock, not by a count
    met: int = 0

    def matches(self, target: Target, now: datetime) -> bool:
        """Whether the call is meant by this fault and the fault is not used up."""
        if self.until is not None and now >= self.until:
            return False
        if self.until is None and self.times is not None and self.met >= self.times:
            return False
        meant = FAULTS[self.kind].ops
        if self.op is None and meant and target.op not in meant:
            return False
        return (
            self.op in (None, target.op)
            and self.merchant_id in (None, target.merchant_id)
            and (self.relate is None or self.relate.lower() == target.relate.lower())
            and self.invoice_no in (None, target.invoice_no)
        )

    def counts(self) -> bool:
        """Count one that matches; False where it is one to let pass."""
        if self.skip > 0:
            self.skip -= 1
            return False
        self.met += 1
        return True

    def described(self) -> dict[str, object]:
        """For the control API."""
        return {
            "id": self.number,
            "kind": self.kind,
            "op": self.op,
            "relate": self.relate,
            "invoice_no": self.invoice_no,
            "merchant_id": self.merchant_id,
            "times": self.times,
            "skip": self.skip,
            "met": self.met,
            "until": self.until.isoformat() if self.until else None,
            **self.parameters,
        }

    @property
    def commits(self) -> bool:
        """Whether the operation is carried out now."""
        return FAULTS[self.kind].committed == "yes" or self.parameters.get("committed") is True

    def seconds(self, name: str = "seconds") -> float:
        """A parameter in seconds (or minutes)."""
        return float(str(self.parameters[name]))


@dataclass(frozen=True, slots=True)
class Met:
    """The faults one call meets."""

    transport: Fault | None = None
    conditions: tuple[Fault, ...] = ()

    def condition(self, kind: str) -> Fault | None:
        """The first condition of that kind."""
        return next((fault for fault in self.conditions if fault.kind == kind), None)

    @property
    def kinds(self) -> list[str]:
        """For the log."""
        return [fault.kind for fault in (*([self.transport] if self.transport else []), *self.conditions)]


def _whole(name: str, value: object, smallest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
        raise ValueError(f"{name} must be a whole number of at least {smallest}")
    return value


def _parameter(name: str, value: object, default: object) -> object:
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be true or false")
        return value
    if isinstance(default, float):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{name} must be a number")
        return float(value)
    if not isinstance(value, type(default)):
        raise TypeError(f"{name} must be of type {type(default).__name__}")
    return value


@dataclass(slots=True)
class Faults:
    """The ordered faults of one simulator, in the order they were ordered."""

    ordered: list[Fault] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, now: datetime, wish: Mapping[str, object]) -> Fault:
        """Order a fault. Raises ``ValueError`` for what is not known, ``TypeError`` for a parameter of another type."""
        rest = dict(wish)
        name = str(rest.pop("kind", ""))
        if name not in FAULTS:
            raise ValueError(f"kind must be one of {', '.join(FAULTS)}")
        targets: dict[str, str | None] = {}
        for target in ("op", "relate", "invoice_no", "merchant_id"):
            value = rest.pop(target, None)
            targets[target] = None if value is None else str(value)
        times = rest.pop("times", 1)
        skip = _whole("skip", rest.pop("skip", 0), 0)
        defaults = FAULTS[name].defaults
        if unknown := rest.keys() - defaults.keys():
            raise ValueError(f"{name} has no parameter {', '.join(sorted(unknown))}")
        parameters = {key: _parameter(key, rest.get(key, default), default) for key, default in defaults.items()}
        if parameters.get("caller", "drop") not in {"drop", "hang"}:
            raise ValueError("caller must be drop or hang")
        fault = Fault(
            number=next(self._numbers),
            kind=name,
            op=targets["op"].lower() if targets["op"] else None,
            relate=targets["relate"],
            invoice_no=targets["invoice_no"],
            merchant_id=targets["merchant_id"],
            times=None if times is None else _whole("times", times, 1),
            skip=skip,
            parameters=parameters,
        )
        if name == "ban" and fault.seconds("minutes") > 0:
            fault.until = now + timedelta(minutes=fault.seconds("minutes"))
        self.ordered.append(fault)
        return fault

    def meet(self, target: Target, now: datetime) -> Met:
        """The faults this call meets; they count it."""
        transport: Fault | None = None
        conditions: list[Fault] = []
        for fault in self.ordered:
            layer = FAULTS[fault.kind].layer
            if layer == "callback" or (layer == "transport" and transport) or not fault.matches(target, now):
                continue
            if not fault.counts():
                continue
            if layer == "transport":
                transport = fault
            else:
                conditions.append(fault)
        return Met(transport, tuple(conditions))

    def meet_callback(self, target: Target, now: datetime) -> Met:
        """The same for a callback; ``target.op`` is the operation that asked for it."""
        callbacks = (fault for fault in self.ordered if FAULTS[fault.kind].layer == "callback")
        return Met(None, tuple(fault for fault in callbacks if fault.matches(target, now) and fault.counts()))

    def clear(self) -> None:
        """Forget them all."""
        self.ordered.clear()
