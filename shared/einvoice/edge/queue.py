"""Queue messages (佇列訊息): the records of one batch are worked side by side, because the time goes in waiting.

A message is done once the order owns the work, or once a rule refused it (which the order's log then says). Only an
unreadable message, or one whose merchant or ledger cannot be reached, comes back, in the end to the dead letters.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from einvoice import wiring
from einvoice.application.ports import Ports, Work
from einvoice.application.sending import Overtaken
from einvoice.edge.bodies import violation
from einvoice.edge.http import where, work
from einvoice.errors import Conflict, InvalidRequest, MerchantUnusable, NotFound, Reason, StoreUnavailable
from einvoice.identity import parse_invoice_id
from einvoice.model import OrderKey

MAX_THREADS = 10

Json = dict[str, Any]
#: a refusal that only time resolves: the message comes again instead of being answered
COMES_AGAIN = frozenset({Reason.WAIT, Reason.PROVIDER_BUSY})


def handle(event: Json, context: Any, do: Callable[[Ports, Work, bytes], None]) -> Json:  # noqa: ANN401 — Lambda's context has no public type
    """One SQS batch; answers which of its messages come again (``ReportBatchItemFailures``)."""
    records = event["Records"]
    try:
        with ThreadPoolExecutor(max_workers=min(len(records), MAX_THREADS)) as pool:
            done = list(pool.map(lambda record: _one(record, context, do), records))
    finally:
        wiring.telemetry().flush()
    failed = [record["messageId"] for record, ok in zip(records, done, strict=True) if not ok]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _one(record: Json, context: Any, do: Callable[[Ports, Work, bytes], None]) -> bool:  # noqa: ANN401 — Lambda's context has no public type
    """Whether this message is done with."""
    correlation_id = _correlation_id(record)
    observe = wiring.telemetry().observe
    try:
        p = wiring.ports().heard_as(correlation_id)
        do(p, work(p, context, correlation_id), record["body"].encode("utf-8", "surrogatepass"))
    except InvalidRequest as invalid:
        observe("queue_unreadable", codes=[v.code for v in invalid.violations], correlation_id=correlation_id)
        return False
    except Conflict as conflict:
        observe("queue_refused", cause=conflict.cause, correlation_id=correlation_id)
        return conflict.reason not in COMES_AGAIN
    except NotFound:
        observe("queue_refused", cause="NOT_FOUND", correlation_id=correlation_id)
        return True
    except MerchantUnusable as unusable:
        observe("merchant_unusable", cause=unusable.cause, correlation_id=correlation_id)
        return False
    except (StoreUnavailable, Overtaken):
        observe("store_unavailable", correlation_id=correlation_id)
        return False
    except Exception as error:  # noqa: BLE001 — one record's trouble must not take its batch along; it comes again
        observe("unexpected", error=type(error).__name__, where=where(error), correlation_id=correlation_id)
        return False
    return True


def refused_by_rules(p: Ports, invalid: InvalidRequest) -> None:
    """Tell of a readable message that the rules refuse; it is done with, because it would be refused for ever."""
    codes = sorted({v.code for v in invalid.violations})
    p.observe("queue_refused", cause="RULES", codes=codes)


def _correlation_id(record: Json) -> str:
    attribute = (record.get("messageAttributes") or {}).get("correlation_id") or {}
    return str(attribute.get("stringValue") or record["messageId"])[:64]


def named(message: Any) -> tuple[OrderKey, int]:  # noqa: ANN401 — a void or reissue message
    """The order, and the generation (0: the one that lives), a void or reissue message names."""
    if message.invoice_id:
        found = parse_invoice_id(message.merchant_id, message.invoice_id)
        if found is None:
            raise InvalidRequest([violation("BAD_FORMAT", "invoice_id")])
        return found
    if not message.order_id:
        raise InvalidRequest([violation("REQUIRED", "invoice_id")])
    return OrderKey(message.merchant_id, message.source, message.order_id), 0
