"""The faults (故障) of the torture, and the verdict on what came of one. Nothing here touches a network.

Single faults of one issue: what the network and the centre may do to a call, what may befall our own process and our
own table, and a packet that arrives long after its sender gave up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

CALLS = 3  # identical, one after the other; the first meets the fault
LATE_ARRIVAL_S = 240  # minutes after the caller gave up, and within the 600 s for which ECPay takes a timestamp

Ours = Literal["", "crash", "table_refuses", "table_forgets"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``centre``: the simulator's kind by operation, with parameters. ``ours``: what breaks on our side.

    ``crash``: the process ends as the centre's answer to Issue comes back. ``table_refuses``: the commit fails, the
    SDK's own retries too. ``table_forgets``: the commit is written and its answer is lost.
    """

    name: str
    centre: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    ours: Ours = ""


def single_faults(client_timeout_s: float) -> tuple[Fault, ...]:
    """No fault, and thirteen; ``client_timeout_s`` is how long our client waits for the centre."""
    too_late_s = client_timeout_s * 1.25
    return (
        Fault("none"),
        Fault("socket dropped before commit", _issue("drop_before")),
        Fault("socket dropped after commit", _issue("drop_after")),
        Fault("answer later than the client waits", _issue("late_answer", seconds=too_late_s)),
        Fault("5xx before commit", _issue("http_500_before")),
        Fault("5xx after commit", _issue("http_500_after")),
        Fault("garbage after commit", _issue("garbage_after")),
        Fault("truncated body after commit", _issue("truncated_after")),
        Fault("answer encrypted with another key", _issue("wrong_key_after")),
        Fault("403 once", _issue("ban")),
        Fault("crash after the centre's success", ours="crash"),
        Fault("our commit fails, retries too", ours="table_refuses"),
        Fault("our commit's answer is lost", ours="table_forgets"),
        Fault("arrives minutes after the caller left", _issue("late_arrival", seconds=LATE_ARRIVAL_S, caller="hang")),
    )


def slow_answers() -> tuple[Fault, ...]:
    """Answers that would hold a caller for minutes: a byte per second, nothing at all, for the look-up as well."""
    drip: Mapping[str, object] = {"kind": "drip", "interval_s": 1.0}
    hang: Mapping[str, object] = {"kind": "hang"}
    return (
        Fault("a byte per second after commit", {"Issue": drip}),
        Fault("the same, its look-up drips too", {"Issue": drip, "GetIssue": drip}),
        Fault("no byte at all, nor to the look-up", {"Issue": hang, "GetIssue": hang}),
    )


def _issue(kind: str, **parameters: object) -> Mapping[str, Mapping[str, object]]:
    return {"Issue": {"kind": kind, **parameters}}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call was told: HTTP status (0: nothing came back), our JSON body, and after how many seconds."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether it says that no invoice came of it. A 5xx without a ``code`` of ours says nothing of the kind."""
        told = self.status >= HTTPStatus.BAD_REQUEST and bool(self.body.get("code"))
        return told or self.status in range(400, 500) or self.body.get("state") == "REFUSED"

    def __str__(self) -> str:
        return f"{self.status or 'none'} {self.body.get('state') or self.body.get('code') or '-'}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault came to. ``living``: numbers at the centre. ``held``: our ledger's, of the state ``state``."""

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
            "LOST": list(self.living) != list(self.held) or self.state != "ISSUED",
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
