"""The way to a centre (連線): ``Provider`` as one worker reaches it. Its packets and their answers travel apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from einvoice.errors import Reason
from einvoice.model import Allowance, Order, OrderKey
from einvoice.providers.base import (
    Accepted,
    Allowed,
    Asked,
    Call,
    Done,
    Found,
    FoundAllowance,
    Issued,
    LookUp,
    Outcome,
    Rejected,
    Unknown,
    VoidLookUp,
)
from tests.simulation.centre import Account, Packet
from tests.simulation.engine import Actor

NET_FAULTS = (
    "crash_before", "crash_after", "not_connected", "lost", "late", "late_reset", "answer_lost", "status_after",
    "status_before", "garbled_after", "slow", "wrong_credentials", "unplaced_before", "unplaced_after", "banned",
)
LATE_S = 650.0
WEIGHT = 2.0
GENUINE = b"genuine"  # a callback's body, made with the right keys


class Line:
    """``Provider`` as one worker reaches it: packets of its own, which outlive it."""

    def __init__(
        self, actor: Actor, key: OrderKey, account: Account, on_send: Callable[[Packet, str, str], None]
    ) -> None:
        self.actor, self.key, self.account, self.on_send = actor, key, account, on_send
        self.profile = account.profile

    def issue(self, order: Order, relate_number: str, call: Call) -> Outcome[Issued]:
        """See Provider.issue."""
        return self._send(
            "issue", relate_number, call, lambda packet: self.account.issue(packet, order, relate_number)
        )

    def find(self, relate_number: str, call: Call) -> LookUp:
        """See Provider.find."""
        behind_s = self._behind_s()
        return self._send(
            "find", relate_number, call, lambda packet: self.account.find(packet, relate_number, behind_s)
        )

    def void(self, number: str, issued_on: date, reason: str, call: Call) -> Outcome[Done]:
        """See Provider.void."""
        return self._send("void", number, call, lambda packet: self.account.void(packet, number, issued_on))

    def reissue_same_number(
        self, order: Order, relate_number: str, number: str, issued_at: datetime, reason: str, call: Call
    ) -> Outcome[Issued]:
        """See Provider.reissue_same_number."""
        return self._send("reissue", number, call, lambda packet: self.account.reissue(packet, order, number))

    def numbers_left(self, period: str, call: Call) -> Outcome[int]:
        """See Provider.numbers_left."""
        return self._send("numbers", period, call, self.account.numbers_left)

    def print_url(self, number: str, issued_on: date, call: Call) -> Outcome[str]:
        """See Provider.print_url."""
        return Unknown("NOT_SIMULATED")

    def allow(self, number: str, issued_on: date, allowance: Allowance, call: Call) -> Outcome[Allowed]:
        """See Provider.allow."""
        return self._send("allow", number, call, lambda packet: self.account.allow(packet, number, allowance))

    def ask_allowance(
        self, number: str, issued_on: date, allowance: Allowance, callback_url: str, call: Call
    ) -> Outcome[Asked]:
        """See Provider.ask_allowance."""
        return self._send("ask", number, call, lambda packet: self.account.ask(packet, number, allowance, callback_url))

    def find_allowances(self, number: str, issued_on: date, call: Call) -> Outcome[tuple[FoundAllowance, ...]]:
        """See Provider.find_allowances."""
        behind_s = self._behind_s()
        return self._send(
            "list", number, call, lambda packet: self.account.find_allowances(packet, number, issued_on, behind_s)
        )

    def void_allowance(self, number: str, allowance_number: str, reason: str, call: Call) -> Outcome[Done]:
        """See Provider.void_allowance."""
        return self._send(
            "unallow", allowance_number, call,
            lambda packet: self.account.void_allowance(packet, number, allowance_number),
        )

    def cancel_asked_allowance(self, number: str, allowance_number: str, reason: str, call: Call) -> Outcome[Done]:
        """See Provider.cancel_asked_allowance."""
        return self._send(
            "cancel_asked", allowance_number, call,
            lambda packet: self.account.cancel_asked(packet, number, allowance_number),
        )

    def find_void(self, relate_number: str, number: str, issued_on: date, call: Call) -> VoidLookUp:
        """See Provider.find_void."""
        behind_s = self._behind_s()
        return self._send(
            "find_void", number, call, lambda packet: self.account.find_void(packet, number, behind_s)
        )

    def find_allowance_void(self, number: str, allowance_number: str, call: Call) -> VoidLookUp:
        """See Provider.find_allowance_void."""
        behind_s = self._behind_s()
        return self._send(
            "find_unallow", allowance_number, call,
            lambda packet: self.account.find_allowance_void(packet, number, allowance_number, behind_s),
        )

    def genuine(self, content_type: str, body: bytes) -> bool:
        """See Provider.genuine."""
        return body == GENUINE

    def _behind_s(self) -> float:
        return self.account.lag_s * self.actor.rng.random()

    def _send(self, what: str, about: str, call: Call, effect: Callable[[Packet], Any]) -> Any:  # noqa: C901, PLR0912 — one case per fault of the catalogue
        actor, world = self.actor, self.actor.world
        packet = Packet(self.key, actor.name, world.t, call.now)
        fault = actor.fault(NET_FAULTS, WEIGHT)
        if fault == "crash_before":
            actor.crash()
        if fault == "not_connected":
            actor.sleep(actor.rng.between(0.1, 3))
            return Rejected(Reason.PROVIDER_BUSY, "NOT_SENT", definite=True, sent=False)
        self.on_send(packet, what, about)

        def land() -> Any:
            reply = effect(packet)
            if world.trace is not None:
                world.say(actor.name, f"{what} {about} lands (sent {packet.sent_t:.1f}) -> {_short(reply)}")
            return reply

        if fault is None or fault == "slow":
            latency_s = actor.rng.between(0.05, 0.6)
            actor.sleep(latency_s)
            reply = land()
            actor.sleep(actor.rng.between(0, call.timeout_s - latency_s) if fault else 0.05)
            return reply
        timeout_s = call.timeout_s
        match fault:
            case "crash_after":
                world.at(world.t + actor.rng.between(0.05, 1), land)
                actor.crash()
            case "late":
                world.at(world.t + timeout_s + (LATE_S - timeout_s) * actor.rng.random() ** 2, land)
                actor.sleep(timeout_s)
            case "late_reset":
                world.at(world.t + LATE_S * actor.rng.random() ** 2, land)
                actor.sleep(0.3)
                return Unknown("CONNECTION_LOST")
            case "lost":
                actor.sleep(timeout_s)
            case "answer_lost":
                actor.sleep(0.2)
                land()
                actor.sleep(timeout_s - 0.2)
            case "status_before":
                actor.sleep(0.2)
                return Unknown("BAD_STATUS", "502")
            case "status_after" | "garbled_after":
                actor.sleep(0.2)
                land()
                return Unknown("BAD_STATUS", "500") if fault == "status_after" else Unknown("UNREADABLE")
            case "wrong_credentials":
                actor.sleep(0.2)
                return Rejected(Reason.FIX_CREDENTIALS, "WRONG_KEY", "110", definite=True)
            case "unplaced_before" | "unplaced_after":
                actor.sleep(0.2)
                if fault == "unplaced_after":
                    land()
                return Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", "9999999")
            case "banned":
                actor.sleep(0.2)
                return self.account.ban()
        return Unknown("TIMEOUT")


def _short(reply: Any) -> str:
    match reply:
        case Accepted(value=value):
            return f"Accepted {getattr(value, 'number', value)}"
        case Rejected() | Unknown():
            return f"{type(reply).__name__} {reply.cause}"
        case Found():
            return f"Found {reply.number} {reply.total_twd}{' VOID' if reply.void else ''}"
        case _:
            return type(reply).__name__
