"""Recovery (補救), every minute: drive on whatever is due, until every order rests in a proved state."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from einvoice import wiring
from einvoice.application.recover import Recovered, recover_one
from einvoice.edge.http import where, work
from einvoice.identity import invoice_id
from einvoice.model import OrderKey

MAX_ORDERS = 400
MAX_THREADS = 10
FAILED_AGE_S = 86_400  # whatever its age: an order nothing can be done with must reach a person
RESERVE_S = 25  # nothing is begun with less left: one order's look-up, send and commit take at most this


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001, ANN401 — Lambda's own shapes
    """Lambda entry point; answers how many orders came to what."""
    p, telemetry = wiring.ports(), wiring.telemetry()
    try:
        now = p.now()
        keys = fair(p.store.due(now, MAX_ORDERS))[:MAX_ORDERS]
        with ThreadPoolExecutor(max_workers=MAX_THREADS) as pool:
            recovered = list(pool.map(lambda key: _one(key, context), keys))
        oldest = max((one.age_s for one in recovered), default=0)
        telemetry.record("OldestPendingSeconds", float(oldest))
        counts: dict[str, int] = {"due": len(keys)}
        for one in recovered:
            counts[one.outcome] = counts.get(one.outcome, 0) + 1
        telemetry.logger.info("recovered", extra={"event": "recover_run", **counts})
        return counts
    finally:
        telemetry.flush()


def fair(keys: list[OrderKey]) -> list[OrderKey]:
    """The same orders, merchants taking turns, so that one merchant's backlog holds up nobody else's."""
    turns: Counter[str] = Counter()
    placed: list[tuple[int, int, OrderKey]] = []
    for position, key in enumerate(keys):
        placed.append((turns[key.merchant], position, key))
        turns[key.merchant] += 1
    return [key for _, _, key in sorted(placed, key=lambda entry: entry[:2])]


def _one(key: OrderKey, context: Any) -> Recovered:  # noqa: ANN401 — Lambda's context has no public type
    if context.get_remaining_time_in_millis() < RESERVE_S * 1000:
        return Recovered(key, "left", 0)
    correlation_id = f"{context.aws_request_id}-{wiring.ports().token()[:6]}"
    p = wiring.ports().heard_as(correlation_id)
    try:
        return recover_one(p, work(p, context, correlation_id), key)
    except Exception as error:  # noqa: BLE001 — one order's trouble must not hold up all the others; it comes again
        named = {"merchant": key.merchant, "invoice": invoice_id(key, 1)}
        p.observe("unexpected", error=type(error).__name__, where=where(error), **named)
        return Recovered(key, "failed", FAILED_AGE_S)
