"""A step as the service hears it (請求): an HTTP request or a queue's message, through the function's own handler."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from einvoice.application import answers
from einvoice.application.ports import Ports, Work
from einvoice.application.sending import Overtaken
from einvoice.edge import http
from einvoice.errors import EinvoiceError
from einvoice.identity import allowance_id, invoice_id
from einvoice.model import OrderKey
from einvoice.rules.period import TAIPEI
from tests.simulation.content import BODIES, CANARY, CORRECTIONS, FACTS, REFUNDS
from tests.simulation.plan import Plan, Step


def _load(function: str) -> ModuleType:
    """A function's handler module, as Lambda would load it."""
    path = Path(__file__).parents[2] / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"simulated_{function}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HANDLERS = {name: _load(name) for name in ("issue", "void", "reissue", "corrections", "allowance")}
ON_MESSAGE = {
    "issue": HANDLERS["issue"].on_message,
    "void": HANDLERS["void"].on_message,
    "reissue": HANDLERS["reissue"].on_message,
    "allow": HANDLERS["allowance"].on_message,
}
_ON_REQUEST = {
    "issue": HANDLERS["issue"].on_request,
    "void": HANDLERS["void"].on_request,
    "reissue": HANDLERS["reissue"].on_request,
    "refund": HANDLERS["corrections"].on_correction,
    "cancel": HANDLERS["corrections"].on_correction,
    "correct": HANDLERS["corrections"].on_correction,
    "facts": HANDLERS["corrections"].on_facts,
    "file": HANDLERS["corrections"].on_filing,
    "allow": HANDLERS["allowance"].allow,
    "unallow": HANDLERS["allowance"].void,
}
_COMMANDS = {"allow": "allowance"}

#: what is answered as a correction: the order's plan, its invoice and its allowances
CORRECTING = frozenset({"refund", "cancel", "correct", "allow", "unallow"})


def reason_of(refund_id: str) -> str:
    """The reason an allowance of this refund carries to the centre, so that there it can be told whose it is."""
    return f"退款 {refund_id}"


def content(plan: Plan, step: Step, key: OrderKey) -> dict[str, Any]:
    """What the shop sends, without what only a queue's message needs."""
    match step.op:
        case "issue":
            body = BODIES[step.body] | {"order_id": key.order_id}
            if step.mode == "sold_on":  # the day of the beginning, however late the request comes
                body["sold_on"] = plan.start.astimezone(TAIPEI).date().isoformat()
            return body
        case "void" | "unallow":
            return {"reason": "訂單取消" if step.op == "void" else "折讓錯誤"}
        case "refund":
            body = {"goal": "refund", "reason": reason_of(step.refund_id), "refund_id": step.refund_id}
            return body | {"refund": REFUNDS[step.body], "online_email": CANARY if step.online else ""}
        case "allow":
            body = {"reason": reason_of(step.refund_id), "refund_id": step.refund_id}
            return body | REFUNDS[step.body] | {"online_email": CANARY if step.online else ""}
        case "cancel":
            return {"goal": "cancel", "reason": "取消"}
        case "correct":
            return {"goal": "correct", "online_email": CANARY if step.online else "", **_corrected(step)}
        case "facts":
            return FACTS[step.body]
        case "file":
            return {}
        case _:
            return _corrected(step)


def _corrected(step: Step) -> dict[str, Any]:
    corrections = CORRECTIONS[step.body]
    body: dict[str, Any] = {
        "reason": "資料更正", "corrections": corrections, "mode": step.mode or "new_number"
    }
    if "total_twd" in corrections:
        body["order_total_twd"] = corrections["total_twd"]
    return body


def _path(step: Step, key: OrderKey) -> dict[str, str]:
    match step.op:
        case "refund" | "cancel" | "correct" | "facts":
            return {"source": key.source, "order_id": key.order_id}
        case "file":
            return {"period": step.body}
        case "unallow":
            return {"id": allowance_id(key, step.n)}
        case _:
            return {"id": invoice_id(key, step.generation or 1)}


def requested(p: Ports, w: Work, plan: Plan, step: Step, key: OrderKey) -> http.Reply:
    """One HTTP request through the function's own code, its errors through the edge's."""
    request = http.Request(
        merchant=key.merchant,
        scopes=frozenset(),
        correlation_id=w.correlation_id,
        body=json.dumps(content(plan, step, key)).encode(),
        path=_path(step, key),
        idempotency_key=step.idempotency_key,
    )
    try:
        return _ON_REQUEST[step.op](p, w, request)
    except Overtaken as overtaken:
        return http._error(answers.in_flight(overtaken.standing, p.now()))
    except EinvoiceError as error:
        return http._error(error)


def raw_message(plan: Plan, step: Step, key: OrderKey) -> bytes:
    """The same as a queue's message."""
    body = content(plan, step, key)
    command = _COMMANDS.get(step.op, step.op)
    body |= {"merchant_id": key.merchant, "command": command, "idempotency_key": step.idempotency_key}
    if step.op != "issue" and step.generation:
        body["invoice_id"] = invoice_id(key, step.generation)
    else:
        body["order_id"] = key.order_id
    return json.dumps(body).encode()
