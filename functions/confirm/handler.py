"""Confirmation (上傳確認), every five minutes: ask what the ministry made of the documents whose time has come."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from einvoice import wiring
from einvoice.application.confirm import Confirmed, confirm_one
from einvoice.edge.http import where, work
from einvoice.identity import invoice_id
from einvoice.model import OrderKey

MAX_ORDERS = 400
MAX_THREADS = 10
RESERVE_S = 30  # nothing is begun with less left: one order's look-ups and commit take at most this


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001, ANN401 — Lambda's own shapes
    """Lambda entry point; answers how many orders came to what."""
    p, telemetry = wiring.ports(), wiring.telemetry()
    try:
        keys = p.store.due(p.now(), MAX_ORDERS, confirm=True)[:MAX_ORDERS]
        with ThreadPoolExecutor(max_workers=MAX_THREADS) as pool:
            done = list(pool.map(lambda key: _one(key, context), keys))
        counts: dict[str, int] = {"due": len(keys)} | Counter(one.outcome for one in done)
        telemetry.logger.info("confirmed", extra={"event": "confirm_run", **counts})
        return counts
    finally:
        telemetry.flush()


def _one(key: OrderKey, context: Any) -> Confirmed:  # noqa: ANN401 — Lambda's context has no public type
    if context.get_remaining_time_in_millis() < RESERVE_S * 1000:
        return Confirmed(key, "left")
    correlation_id = f"{context.aws_request_id}-{wiring.ports().token()[:6]}"
    p = wiring.ports().heard_as(correlation_id)
    try:
        return confirm_one(p, work(p, context, correlation_id), key)
    except Exception as error:  # noqa: BLE001 — one order's trouble must not hold up all the others; it comes again
        named = {"merchant": key.merchant, "invoice": invoice_id(key, 1)}
        p.observe("unexpected", error=type(error).__name__, where=where(error), **named)
        return Confirmed(key, "failed")
