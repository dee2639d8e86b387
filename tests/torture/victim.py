"""``python -m tests.torture.victim [sabotage]``: the real handlers, each invocation in a process of its own.

One line of JSON in: ``{"function", "event", "kill_at"}``, the last an edge of ``boundaries``. One line out:
``{"status", "edges", "answer"}``, where status is the dead process's own. This process stays without threads and
without connections, so that its forks are clean. Its environment is a function's, with AWS_ENDPOINT_URL for an AWS
outside of it.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import sys
import urllib.request
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import botocore.session

from einvoice import wiring
from einvoice.application import allowing, generations, heads, sending, uploads
from einvoice.application.ports import Ports
from einvoice.providers.base import Absent
from einvoice.store import items
from tests.torture.boundaries import Edges, edged

FUNCTIONS = ("issue", "void", "reissue", "allowance", "corrections", "callbacks", "recover", "confirm")
SCHEDULED = ("recover", "confirm")
MERCHANT = "demo-shop"
LATE_S = 540  # a packet this old is still within the 600 s for which ECPay takes its timestamp


class Context:
    """Lambda's context, as far as the handlers look at it."""

    aws_request_id = "torture"

    def __init__(self, function: str) -> None:
        self._left_ms = 60_000 if function in SCHEDULED else 25_000

    def get_remaining_time_in_millis(self) -> int:
        """The whole timeout, as if no time ever passed."""
        return self._left_ms


def hold_back(op: str) -> None:
    """Let the centre's next ``op`` arrive late; its sender sees a closed socket at once."""
    fault = {"kind": "late_arrival", "op": op, "seconds": LATE_S, "caller": "drop"}
    url = os.environ["CLOCK_SOURCE"].replace("/clock", "/faults")
    request = urllib.request.Request(url, json.dumps(fault).encode(), {"content-type": "application/json"})  # noqa: S310 — our own simulator
    with urllib.request.urlopen(request, timeout=5):  # noqa: S310 — the same
        pass


def invocation(job: dict[str, Any], ports: Ports, handlers: dict[str, Any], out: int) -> None:
    """What the forked process does; it leaves through ``os._exit`` whatever happens."""
    status = 1
    try:
        edges = Edges(job["kill_at"], lambda name: os.write(out, f"{name}\n".encode()), hold_back)
        mine = edged(ports, edges)
        wiring.ports = lambda: mine  # type: ignore[assignment]  # the container's ports, as wiring keeps them
        answer = handlers[job["function"]](job["event"], Context(job["function"]))
        os.write(out, f"={json.dumps(answer)}\n".encode())
        status = 0
    finally:
        os._exit(status)


def run(job: dict[str, Any], ports: Ports, handlers: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait, and tell how far it came."""
    source, out = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(source)
        invocation(job, ports, handlers, out)
    os.close(out)
    with os.fdopen(source) as lines:
        told = lines.read().splitlines()
    _, status = os.waitpid(pid, 0)
    answers = [json.loads(line[1:]) for line in told if line.startswith("=")]
    return {
        "status": os.waitstatus_to_exitcode(status),
        "edges": [line for line in told if not line.startswith("=")],
        "answer": answers[0] if answers else None,
    }


def _nothing_is_found() -> None:
    sending.look = lambda p, w, head, provider: Absent()


def _every_attempt_mints_a_number() -> None:
    taken_over = heads.taken_over
    heads.taken_over = lambda head, **how: replace(taken_over(head, **how), relate_number=secrets.token_hex(10))


def _repeats_are_carried_out() -> None:
    generations.repeated = lambda head: False


def _no_allowance_is_found() -> None:
    allowing._after_allow = lambda p, found, head: head


def _nobody_waits_for_the_ministry() -> None:
    uploads.confirmed = lambda head, kind: True


#: ways to break the product, for the proof that the torture would see it
SABOTAGES = {
    "nothing is found": _nothing_is_found,
    "every attempt mints a number": _every_attempt_mints_a_number,
    "repeats are carried out": _repeats_are_carried_out,
    "no allowance is found": _no_allowance_is_found,
    "nobody waits for the ministry": _nobody_waits_for_the_ministry,
}


def container() -> Ports:
    """The ports of a warm container, without the 200 ms between calls; its connections are closed again."""
    items.DUE_SHARDS = 1  # one merchant fills one of them; asking the empty others is half of a recovery's time
    made: list[Any] = []
    create = botocore.session.Session.create_client

    def kept(*args: Any, **kwargs: Any) -> Any:
        made.append(create(*args, **kwargs))
        return made[-1]

    with patch.object(botocore.session.Session, "create_client", kept):
        ports = replace(wiring.build(os.environ), pace=lambda merchant, account: None)
    ports.centres.pinned(MERCHANT, ports.centres.current(MERCHANT)[0])
    ports.store.due(0, 1)
    assert made, "wiring makes its clients some other way: none could be closed"
    for one in made:
        one.close()  # a connection must not be shared with the forks; the client opens its next one by itself
    return ports


def main() -> None:
    """Serve jobs until standard input ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the functions log must not mix with the replies
    handlers = {name: importlib.import_module(f"functions.{name}.handler").handler for name in FUNCTIONS}
    if len(sys.argv) > 1:
        SABOTAGES[sys.argv[1]]()
    ports = container()
    for line in sys.stdin:
        replies.write(json.dumps(run(json.loads(line), ports, handlers)) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
