"""HTTP answers (回覆): an answer or error becomes a status in exactly one place (RFC 9457 problem documents).

201 new · 200 the same again · 202 pending or attention · 409 something stands in the way · 422 rules or a definite
refusal · 503 only where nothing was sent. A 5xx without our ``code`` means: repeat the same request.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from einvoice import wiring
from einvoice.application.answers import PENDING, Answer, in_flight, retry_after
from einvoice.application.ports import Ports, Work
from einvoice.application.sending import Overtaken
from einvoice.edge import texts, views
from einvoice.errors import (
    Conflict,
    EinvoiceError,
    InvalidRequest,
    MerchantUnusable,
    NotFound,
    Reason,
    StoreUnavailable,
    Violation,
)
from einvoice.identity import MAX_ORDER_ID_CHARS, parse_allowance_id, parse_invoice_id, valid_source
from einvoice.model import OrderKey
from einvoice.store.base import State

LEASE_MARGIN_S = 10  # a lease outlives the function that holds it
MAX_KEY_CHARS = 200
MAX_TOLD = 500  # violations of one answer: 256 KB of nonsense could break more rules than Lambda's 6 MB answer can name
_CORRELATION = re.compile(r"[A-Za-z0-9._:-]{8,64}")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One authenticated request: the merchant comes from the authorizer, never from body or path."""

    merchant: str
    scopes: frozenset[str]
    correlation_id: str
    body: bytes
    path: dict[str, str]
    idempotency_key: str
    key_id: str = ""
    query: dict[str, str] = field(default_factory=dict)

    def order(self, p: Ports) -> OrderKey:
        """The order that the path names. Raises NotFound for what no order can be called."""
        source, order_id = self.path.get("source", ""), self.path.get("order_id", "")
        if not valid_source(source) or not 0 < len(order_id) <= MAX_ORDER_ID_CHARS:
            raise NotFound
        key = OrderKey(self.merchant, source, order_id)
        # whether the path comes decoded is the gateway's business: as given first, for ids with a "%"
        if "%" not in order_id or p.store.read(key) is not None:
            return key
        return OrderKey(self.merchant, source, unquote(order_id))

    def allowance(self) -> tuple[OrderKey, int]:
        """The order and number that the path's allowance id names. Raises NotFound."""
        named = parse_allowance_id(self.merchant, self.path.get("id", ""))
        if named is None or len(named[0].order_id) > MAX_ORDER_ID_CHARS:
            raise NotFound
        return named

    def invoice(self) -> tuple[OrderKey, int]:
        """The order and generation that the path's invoice id names. Raises NotFound, also for ids we never made."""
        named = parse_invoice_id(self.merchant, self.path.get("id", ""))
        if named is None or len(named[0].order_id) > MAX_ORDER_ID_CHARS:  # more than a key of the ledger takes
            raise NotFound
        return named


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, JSON body and headers."""

    status: int
    body: Json
    headers: dict[str, str]


def handle(event: Json, context: Any, scope: str, do: Callable[[Ports, Work, Request], Reply]) -> Json:  # noqa: ANN401 — Lambda's context has no public type
    """One API Gateway (HTTP API, payload 2.0) request from event to response. Nothing escapes but a plain 500."""
    telemetry = wiring.telemetry()
    started = time.monotonic()
    request = _request(event)
    try:
        reply = _guarded(context, request, scope, do)
    finally:
        telemetry.flush()
    telemetry.logger.info(
        "handled",
        extra={
            "event": "handled",
            "correlation_id": request.correlation_id,
            "merchant": request.merchant,
            "route": event.get("routeKey", ""),
            "invoice": str(reply.body.get("id", "")),
            "state": str(reply.body.get("state", "")),
            "status": reply.status,
            "code": str(reply.body.get("code", "")),
            "seconds": round(time.monotonic() - started, 4),
        },
    )
    return {
        "statusCode": reply.status,
        "headers": reply.headers | {"x-correlation-id": request.correlation_id, "cache-control": "no-store"},
        "body": json.dumps(reply.body, ensure_ascii=False, separators=(",", ":")),
    }


def work(p: Ports, context: Any, correlation_id: str) -> Work:  # noqa: ANN401 — Lambda's context has no public type
    """The invocation's limits, from what Lambda says is left of it."""
    left_s = context.get_remaining_time_in_millis() / 1000
    return Work(correlation_id, ends_at=p.clock.monotonic() + left_s, lease_s=int(left_s) + LEASE_MARGIN_S)


def answered(p: Ports, answer: Answer) -> Reply:
    """An operation's answer as a reply: which status, and where to ask again while it is pending."""
    head = answer.head
    view = views.invoice_view(head, answer.generation)
    location = {"location": f"/v1/invoices/{view['id']}"}
    current = answer.generation == head.generation
    if current and (head.attention or head.state in PENDING):
        wait = {} if head.attention else {"retry-after": str(retry_after(head, p.now()))}
        return Reply(202, view, JSON_TYPE | location | wait)
    if current and head.state is State.REFUSED:
        return _refused(answer, view)
    return Reply(201 if answer.new else 200, view, JSON_TYPE | location)


def problem(status: int, code: str, detail: str, next_action: Reason, **more: Any) -> Reply:  # noqa: ANN401 — JSON values
    """A problem document with our stable ``code`` and what to do next."""
    headers = dict(_PROBLEM_TYPE)
    retry_after_s = more.pop("retry_after_s", None)
    if retry_after_s is not None:
        headers["retry-after"] = str(retry_after_s)
    body = {
        "type": f"urn:einvoice:problem:{code.lower().replace('_', '-')}",
        "title": code,
        "status": status,
        "detail": detail,
        "code": code,
        "next_action": next_action.value,
        "next_step": texts.PROBLEM_STEPS[next_action.value],
        **more,
    }
    return Reply(status, body, headers)


JSON_TYPE = {"content-type": "application/json; charset=utf-8"}
_PROBLEM_TYPE = {"content-type": "application/problem+json; charset=utf-8"}


def _guarded(context: Any, request: Request, scope: str, do: Callable[[Ports, Work, Request], Reply]) -> Reply:  # noqa: ANN401 — Lambda's context has no public type
    """Run the operation if this caller may; every error it may end with becomes its one status."""
    if not request.merchant:
        return problem(401, "UNAUTHENTICATED", "未通過驗證。", Reason.FIX_REQUEST)
    if scope not in request.scopes:
        return problem(403, "SCOPE_MISSING", f"這把金鑰沒有 {scope} 權限。", Reason.FIX_REQUEST)
    if len(request.idempotency_key) > MAX_KEY_CHARS:
        return _invalid([Violation("TOO_LONG", "Idempotency-Key", f"Idempotency-Key 最長 {MAX_KEY_CHARS} 字元")])
    try:
        p = wiring.ports().heard_as(request.correlation_id)
        try:
            return do(p, work(p, context, request.correlation_id), request)
        except Overtaken as overtaken:
            return _error(in_flight(overtaken.standing, p.now()))
    except EinvoiceError as error:
        return _error(error)
    except Exception as error:  # noqa: BLE001 — the last line before Lambda: the type is logged, never the content
        wiring.telemetry().observe(
            "unexpected", error=type(error).__name__, where=where(error), correlation_id=request.correlation_id
        )
        detail = "系統發生未預期的狀況，結果未知：請以相同內容重送，不會重複開立。"
        return problem(500, "UNEXPECTED", detail, Reason.WAIT, retry_after_s=30)


def _error(error: EinvoiceError) -> Reply:
    """The one place where our errors get their statuses."""
    match error:
        case InvalidRequest(violations=violations):
            return _invalid(violations)
        case NotFound():
            return problem(404, "NOT_FOUND", "查無此訂單或發票。", Reason.FIX_REQUEST)
        case Conflict(retry_after_s=after):
            more = {"retry_after_s": after} if after is not None else {}
            return problem(error.status, error.cause, error.message, error.reason, **more)
        case MerchantUnusable(cause=cause):
            detail = f"商店設定無法使用（{cause}），尚未送出任何請求。"
            return problem(503, "MERCHANT_UNUSABLE", detail, Reason.FIX_CREDENTIALS, cause=cause)
        case StoreUnavailable():
            detail = "系統暫時無法存取帳本，請以相同內容重送；不會重複開立。"
            return problem(503, "LEDGER_UNAVAILABLE", detail, Reason.WAIT, retry_after_s=5)
        case _:
            raise AssertionError(f"an error without a status: {type(error).__name__}")


def _invalid(violations: list[Violation]) -> Reply:
    status = 413 if any(v.code == "BODY_TOO_LARGE" for v in violations) else 422
    listed = [{"code": v.code, "path": v.path, "message": v.message} for v in violations[:MAX_TOLD]]
    rest = f"（以下列出前 {MAX_TOLD} 處）" if len(violations) > MAX_TOLD else ""
    detail = f"內容有 {len(violations)} 處需要修正，尚未執行。{rest}"
    return problem(status, "INVALID_REQUEST", detail, Reason.FIX_REQUEST, violations=listed)


def _refused(answer: Answer, view: Json) -> Reply:
    """A proved refusal: 422, with the centre's own words and the way on."""
    refusal = answer.head.refusal
    reason = Reason(refusal.get("reason", Reason.ASK_A_PERSON))
    lead = "原發票已作廢，新發票未開立" if answer.head.past else "未開立發票"
    detail = f"{lead}：{refusal.get('raw_message') or texts.cause_text(refusal)}"
    refused = problem(422, refusal.get("cause", "REFUSED"), detail, reason, invoice=view)
    return Reply(refused.status, refused.body | {"id": view["id"], "state": view["state"]}, refused.headers)


def _request(event: Json) -> Request:
    context = event.get("requestContext", {})
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    granted = (context.get("authorizer") or {}).get("lambda") or {}
    given = headers.get("x-correlation-id", "")
    return Request(
        merchant=str(granted.get("merchant", "")),
        scopes=frozenset(str(granted.get("scopes", "")).split()),
        correlation_id=given if _CORRELATION.fullmatch(given) else str(context.get("requestId", "")),
        body=_body(event),
        path={str(name): str(value) for name, value in (event.get("pathParameters") or {}).items()},
        idempotency_key=headers.get("idempotency-key", ""),
        key_id=str(granted.get("key_id", "")),
        query={str(name): str(value) for name, value in (event.get("queryStringParameters") or {}).items()},
    )


def _body(event: Json) -> bytes:
    text = event.get("body") or ""
    return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")


def where(error: Exception) -> str:
    """File and line of an unexpected error: enough to find it, nothing of what it carried."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else ""
