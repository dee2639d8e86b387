"""The faults (故障) of the torture, and the verdict on what came of one. Nothing here touches a network.

Single faults of one issue, or of one allowance: what the network and the centre may do to a call, what may befall our
own process and our own table, and a packet that arrives long after its sender gave up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

CALLS = 3  # identical, one after the other; the first meets the fault
LATE_ARRIVAL_S = 240  # minutes after the caller gave up, and within the 600 s for which ECPay takes a timestamp

Json = dict[str, Any]
Ours = Literal["", "crash", "table_refuses", "table_forgets"]


@dataclass(frozen=True, slots=True)
class Operation:
    """What is asked for three times. ``makes`` and ``finds``: the centre's calls that make its document and look it up.

    ``documents``: their name in an order's view. ``alive``: the state one of them ends in.
    """

    title: str
    makes: str
    finds: str
    documents: Literal["invoices", "allowances"]
    alive: str

    def held(self, order: Json) -> tuple[list[str], str]:
        """Numbers and states of the documents in an order's view; an order that waits for a person says so.

        >>> ALLOWANCE.held({"allowances": [{"number": "2026031410001234", "state": "LIVE"}], "attention": None})
        (['2026031410001234'], 'LIVE')
        >>> ALLOWANCE.held({"allowances": [], "attention": {"cause": "FOREIGN_ALLOWANCE"}})
        ([], 'FOREIGN_ALLOWANCE')
        """
        documents = order[self.documents]
        states = [str(document["state"]) for document in documents]
        flags = [str(order["attention"]["cause"])] if order["attention"] else []
        return [str(document["number"]) for document in documents if document["number"]], ", ".join(states + flags)

    def told(self, body: Json) -> Json:
        """What an answer says of the document: an invoice's answer is the invoice, an allowance's speaks of the order.

        >>> ALLOWANCE.told({"correction": {"status": "DONE"}, "allowances": [{"number": "20", "state": "LIVE"}]})
        {'state': 'LIVE', 'number': '20'}
        >>> ALLOWANCE.told({"correction": {"status": "OPEN"}, "allowances": []}), ALLOWANCE.told({"code": "X"})
        ({'state': 'OPEN'}, {'code': 'X'})
        """
        if self.documents == "invoices":
            return body
        spoken_of = {"state": body["correction"]["status"]} if "correction" in body else {}
        for allowance in body.get("allowances", []):
            spoken_of |= {"state": allowance["state"], "number": allowance["number"]}
        return spoken_of | ({"code": body["code"]} if "code" in body else {})


ISSUE = Operation("one order, issued three times", "Issue", "GetIssue", "invoices", "ISSUED")
ALLOWANCE = Operation("one refund, sent three times", "Allowance", "GetAllowanceList", "allowances", "LIVE")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``centre``: the simulator's kind by operation, with parameters. ``ours``: what breaks on our side.

    ``crash``: the process ends as the centre's answer comes back. ``table_refuses``: the commit fails, the SDK's own
    retries too. ``table_forgets``: the commit is written and its answer is lost.
    """

    name: str
    of: Operation
    centre: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    ours: Ours = ""


def single_faults(of: Operation, client_timeout_s: float) -> tuple[Fault, ...]:
    """No fault, and thirteen; ``client_timeout_s`` is how long our client waits for the centre."""

    def makes(kind: str, **parameters: object) -> Mapping[str, Mapping[str, object]]:
        return {of.makes: {"kind": kind, **parameters}}

    late_arrival = makes("late_arrival", seconds=LATE_ARRIVAL_S, caller="hang")
    return (
        Fault("none", of),
        Fault("socket dropped before commit", of, makes("drop_before")),
        Fault("socket dropped after commit", of, makes("drop_after")),
        Fault("answer later than the client waits", of, makes("late_answer", seconds=client_timeout_s * 1.25)),
        Fault("5xx before commit", of, makes("http_500_before")),
        Fault("5xx after commit", of, makes("http_500_after")),
        Fault("garbage after commit", of, makes("garbage_after")),
        Fault("truncated body after commit", of, makes("truncated_after")),
        Fault("answer encrypted with another key", of, makes("wrong_key_after")),
        Fault("403 once", of, makes("ban")),
        Fault("crash after the centre's success", of, ours="crash"),
        Fault("our commit fails, retries too", of, ours="table_refuses"),
        Fault("our commit's answer is lost", of, ours="table_forgets"),
        Fault("arrives minutes after the caller left", of, late_arrival),
    )


def slow_answers(of: Operation) -> tuple[Fault, ...]:
    """Answers that would hold a caller for minutes: a byte per second, nothing at all, for the look-up as well."""
    drip: Mapping[str, object] = {"kind": "drip", "interval_s": 1.0}
    hang: Mapping[str, object] = {"kind": "hang"}
    return (
        Fault("a byte per second after commit", of, {of.makes: drip}),
        Fault("the same, its look-up drips too", of, {of.makes: drip, of.finds: drip}),
        Fault("no byte at all, nor to the look-up", of, {of.makes: hang, of.finds: hang}),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call was told: HTTP status (0: no answer), ``Operation.told`` of our body, after how many seconds."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether it says that nothing came of it. A 5xx without a ``code`` of ours says nothing of the kind."""
        told = self.status >= HTTPStatus.BAD_REQUEST and bool(self.body.get("code"))
        return told or self.status in range(400, 500) or self.body.get("state") == "REFUSED"

    def __str__(self) -> str:
        return f"{self.status or 'none'} {self.body.get('state') or self.body.get('code') or '-'}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault came to. ``living``: numbers at the centre. ``held``: our ledger's, of the states ``state``."""

    fault: Fault
    answers: Sequence[Answer]
    living: Sequence[str]
    held: Sequence[str]
    state: str

    @property
    def verdict(self) -> str:
        """``ok``, or everything that is wrong: LOST, DOUBLE, TOLD FAILED, WRONG NUMBER."""
        told = {answer.body["number"] for answer in self.answers if answer.body.get("number")}
        wrong = {
            "DOUBLE": len(self.living) > 1,
            "NONE": not self.living,
            "LOST": list(self.living) != list(self.held) or self.state != self.fault.of.alive,
            "TOLD FAILED": any(answer.failed for answer in self.answers),
            "WRONG NUMBER": not told <= set(self.living),
        }
        return ", ".join(name for name, holds in wrong.items() if holds) or "ok"

    def row(self) -> list[str]:
        """For a table headed by ``HEADINGS``."""
        told = ", ".join(str(answer) for answer in self.answers)
        slowest = max(answer.seconds for answer in self.answers)
        held = f"{len(self.held)} {self.state}"
        return [self.fault.name, str(len(self.living)), held, told, f"{slowest:.1f}", self.verdict]


HEADINGS = ["fault of the first call", "living", "held by us", "the three answers", "slowest s", "verdict"]
