"""Callbacks (回呼): POST /v1/callbacks/ecpay/{merchant_id}/{name}, by which ECPay says that a buyer agreed.

No authorizer: the form carries a check value made with the merchant's own keys. Even a genuine one is only a reason to
look, never a fact: the allowance becomes one when the centre lists it.
"""

from __future__ import annotations

import base64
from typing import Any

from einvoice import wiring
from einvoice.application.consent import noticed
from einvoice.edge.http import where, work
from einvoice.errors import MerchantUnusable, StoreUnavailable
from einvoice.merchants.config import valid_merchant

TAKEN = (200, "1|OK")  # what ECPay wants to hear: developers page 15391
REFUSED = (400, "0|NOT_OURS")
LATER = (503, "0|LATER")  # it sends again


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 — Lambda's context has no public type
    """Lambda entry point."""
    correlation_id = str(event.get("requestContext", {}).get("requestId", ""))
    try:
        status, text = _answer(event, context, correlation_id)
    finally:
        wiring.telemetry().flush()
    headers = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": text}


def _answer(event: dict[str, Any], context: Any, correlation_id: str) -> tuple[int, str]:  # noqa: ANN401 — Lambda's context has no public type
    observe = wiring.telemetry().observe
    try:
        p = wiring.ports().heard_as(correlation_id)
        path = event.get("pathParameters") or {}
        merchant, name = str(path.get("merchant_id", "")), str(path.get("name", ""))
        if not valid_merchant(merchant):  # anybody may knock here: what can be nobody's asks no ledger
            return REFUSED
        genuine = noticed(p, work(p, context, correlation_id), merchant, name, _content_type(event), _body(event))
    except (StoreUnavailable, MerchantUnusable) as error:
        observe("callback_put_off", error=type(error).__name__, correlation_id=correlation_id)
        return LATER
    except Exception as error:  # noqa: BLE001 — the last line before Lambda: the type is logged, never the content
        observe("unexpected", error=type(error).__name__, where=where(error), correlation_id=correlation_id)
        return LATER
    observe("callback_taken" if genuine else "callback_refused", correlation_id=correlation_id)
    return TAKEN if genuine else REFUSED


def _content_type(event: dict[str, Any]) -> str:
    headers = event.get("headers") or {}
    return next((str(value) for name, value in headers.items() if str(name).lower() == "content-type"), "")


def _body(event: dict[str, Any]) -> bytes:
    text = event.get("body") or ""
    return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
