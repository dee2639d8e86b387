"""The operations of the HTTP API as published (對外操作): route, scope, what may be answered and what it means.

That the routes are the template's, the scopes the handlers', and the answers complete, is proved by ``tests/contract``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from einvoice.edge import texts
from einvoice.errors import Reason
from tools import contract_examples as example

Json = dict[str, Any]

JSON, PROBLEM = "application/json", "application/problem+json"
UNAUTHORIZED = {"message": "Unauthorized"}
FORBIDDEN = {"message": "Forbidden"}
THROTTLED = {"message": "Too Many Requests"}
FAILED = {"message": "Internal Server Error"}


@dataclass(frozen=True)
class Answer:
    """One status: (media type, schema, examples by name) of what it may carry, and our headers."""

    description: str
    contents: list[tuple[str, str, Json]]
    headers: tuple[str, ...] = ("X-Correlation-Id",)


@dataclass(frozen=True)
class Operation:
    """One operation; ``scope`` empty: open to everyone."""

    method: str
    path: str
    name: str
    tag: str
    summary: str
    description: str
    scope: str
    answers: dict[str, Answer]
    parameters: tuple[str, ...] = ()
    body: str = ""
    examples: Json = field(default_factory=dict)

    @property
    def route(self) -> str:
        """As API Gateway names it."""
        return f"{self.method.upper()} {self.path}"


def _invoice(description: str, *, wait: bool = False, schema: str = "Invoice", **examples: Json) -> Answer:
    headers = ("X-Correlation-Id", "Location", *(["Retry-After"] if wait else []))
    return Answer(description, [(JSON, schema, examples)], headers)


def _problem(description: str, *, wait: bool = False, **examples: Json) -> Answer:
    headers = ("X-Correlation-Id", *(["Retry-After"] if wait else []))
    return Answer(description, [(PROBLEM, "Problem", examples)], headers)


def _gateway(description: str, message: Json, **problems: Json) -> Answer:
    """A status that API Gateway may give by itself, without anything of ours, or that we may give too."""
    contents = [(JSON, "GatewayMessage", {"gateway": message})]
    if problems:
        contents.append((PROBLEM, "Problem", problems))
    return Answer(description, contents, ("X-Correlation-Id", "Retry-After") if problems else ("Retry-After",))


_GUARDED = {
    "401": _gateway(
        "No API key came with the request.",
        UNAUTHORIZED,
        ours=example.problem(401, "UNAUTHENTICATED", "未通過驗證。", Reason.FIX_REQUEST),
    ),
    "403": _gateway(
        "The key is unknown, expired or revoked, or (with our `code`) lacks the operation's scope.",
        FORBIDDEN,
        scope_missing=example.SCOPE_MISSING,
    ),
}
_THROTTLED = {"429": _gateway("Too many requests: nothing was done. Slow down and repeat.", THROTTLED)}
_BROKEN = {
    "500": _gateway(
        "The outcome is unknown: repeat the same request. It never makes a second invoice.",
        FAILED,
        unexpected=example.UNEXPECTED,
    ),
    "503": _gateway(
        "With our `code`: nothing was sent; repeat after Retry-After, or mend the merchant's settings "
        "(`next_action` FIX_CREDENTIALS). Without it the outcome is unknown: repeat the same request.",
        {"message": "Service Unavailable"},
        unavailable=example.UNAVAILABLE,
    ),
    "5XX": _gateway("A gateway's own answer: the outcome is unknown. Repeat the same request.", FAILED),
}
_NOT_FOUND = {"404": _problem("This merchant has no such order or invoice.", not_found=example.NOT_FOUND)}
_TOO_LARGE = {"413": _problem("The body is larger than 256 KB. Nothing was done.", too_large=example.TOO_LARGE)}
_IN_THE_WAY = "Something stands in the way; `code` says what, `next_action` what to do. Nothing was changed."

_WRITES = ("IdempotencyKey", "CorrelationId")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "post",
        "/v1/invoices",
        "issueInvoice",
        "invoices",
        "Issue (開立)",
        "One order, one invoice, however often and however concurrently it is asked for. The same request again "
        "answers what became of the first; another content for an order that has an invoice is 409.",
        "invoices:write",
        {
            "200": _invoice(
                "Asked before: the order's invoice as it stands now. Look at `state`; it may be void by now.",
                same_again=example.ISSUED,
                voided=example.VOIDED,
            ),
            "201": _invoice("Issued now.", issued=example.ISSUED),
            "202": _invoice(
                "Not certain yet, or a person has to decide (`attention`). The order owns the work: never send it "
                "under another order id. Read `Location`, or repeat the request, after Retry-After.",
                wait=True,
                pending=example.PENDING,
                attention=example.ATTENTION,
            ),
            **_GUARDED,
            "409": _problem(_IN_THE_WAY, wait=True, other_body=example.OTHER_BODY),
            **_TOO_LARGE,
            "422": _problem(
                "Rules are broken (`violations`), or the centre refused for certain (`invoice`): no invoice lives and "
                "none can still arrive. Mend and send it again under the same order id.",
                wait=True,
                invalid=example.INVALID,
                refused=example.REFUSED,
            ),
            **_THROTTLED,
            **_BROKEN,
        },
        _WRITES,
        "IssueBody",
        {"consumer": example.CONSUMER, "company": example.COMPANY},
    ),
    Operation(
        "post",
        "/v1/invoices/{id}/void",
        "voidInvoice",
        "invoices",
        "Void (作廢)",
        "A whole invoice, until the period's cut-off; a partial refund is an allowance (折讓), never a void. An "
        "invoice that was voided or replaced before is answered as it stands.",
        "invoices:void",
        {
            "200": _invoice("Void already, by an earlier request.", voided=example.VOIDED, replaced=example.REPLACED),
            "201": _invoice("Void now.", voided=example.VOIDED),
            "202": _invoice(
                "Not certain yet, or a person has to decide. Until `state` is VOIDED the invoice counts as living.",
                wait=True,
                pending=example.ISSUED
                | {
                    "state": "VOIDING",
                    "state_text": texts.STATES["VOIDING"],
                    "cause": "TIMEOUT",
                    "next_action": "WAIT",
                    "next_step": texts.NEXT_STEPS["WAIT"],
                },
            ),
            **_GUARDED,
            **_NOT_FOUND,
            "409": _problem(_IN_THE_WAY, wait=True, in_progress=example.IN_PROGRESS),
            **_TOO_LARGE,
            "422": _problem("Rules are broken, or the centre refused for certain: the invoice lives on.", wait=True,
                            invalid=example.INVALID),
            **_THROTTLED,
            **_BROKEN,
        },
        ("InvoiceId", *_WRITES),
        "VoidBody",
        {"void": example.VOID},
    ),
    Operation(
        "post",
        "/v1/invoices/{id}/reissue",
        "reissueInvoice",
        "invoices",
        "Re-issue (再次開立)",
        "Replaces the invoice the path names: the old one void for certain first, then a new one, or the same number "
        "again (註銷重開). Within the period only. Everything about the new invoice is checked before the old one is "
        "touched. The answer is the new invoice once it is begun, until then the old one.",
        "invoices:reissue",
        {
            "200": _invoice("Asked before: what became of it, as it stands now.", same_again=example.REISSUED),
            "201": _invoice("Replaced now.", reissued=example.REISSUED),
            "202": _invoice(
                "Not certain yet, or a person has to decide. `generation` says whether it is the old invoice "
                "(being voided) or the new one (being issued).",
                wait=True,
                pending=example.REISSUED
                | {name: example.PENDING[name] for name in (
                    "state", "state_text", "number", "issued_at", "random_code", "period", "upload", "cause",
                    "next_action", "next_step",
                )},
            ),
            **_GUARDED,
            **_NOT_FOUND,
            "409": _problem(_IN_THE_WAY, wait=True, in_progress=example.IN_PROGRESS),
            **_TOO_LARGE,
            "422": _problem(
                "Rules are broken, or it was refused for certain. With `invoice`: the new one was not issued, and the "
                "old one, if there was one, is void; without it nothing was changed.",
                wait=True,
                invalid=example.INVALID,
            ),
            **_THROTTLED,
            **_BROKEN,
        },
        ("InvoiceId", *_WRITES),
        "ReissueBody",
        {"add_ubn": example.REISSUE},
    ),
    Operation(
        "get",
        "/v1/invoices/{id}",
        "getInvoice",
        "invoices",
        "Read an invoice (查詢發票)",
        "One generation of an order's invoice with its content, however old.",
        "invoices:read",
        {
            "200": Answer("As it stands now.", [(JSON, "InvoiceWithContent", {"issued": example.WITH_CONTENT})]),
            **_GUARDED,
            **_NOT_FOUND,
            **_THROTTLED,
            **_BROKEN,
        },
        ("InvoiceId", "CorrelationId"),
    ),
    Operation(
        "get",
        "/v1/invoices/{id}/print",
        "getPrintLink",
        "invoices",
        "Print (列印證明聯)",
        "Asks the centre for a page that prints the invoice; a person opens it.",
        "invoices:read",
        {
            "200": Answer("The link.", [(JSON, "PrintLink", {"link": example.PRINT})]),
            **_GUARDED,
            **_NOT_FOUND,
            "409": _problem("Only an order's current invoice can be printed, and only while it is issued.",
                            not_printable=example.NOT_PRINTABLE),
            "422": _problem("The centre refuses, with its words: an invoice on a carrier or donated is not printed.",
                            wait=True),
            **_THROTTLED,
            **_BROKEN,
        },
        ("InvoiceId", "CorrelationId"),
    ),
    Operation(
        "get",
        "/v1/orders/{source}/{order_id}",
        "getOrder",
        "orders",
        "Read an order (查詢訂單)",
        "Every invoice the order ever had, and its log in words for the merchant's staff.",
        "invoices:read",
        {
            "200": Answer("As it stands now.", [(JSON, "Order", {"reissued": example.ORDER})]),
            **_GUARDED,
            **_NOT_FOUND,
            **_THROTTLED,
            **_BROKEN,
        },
        ("Source", "OrderId", "CorrelationId"),
    ),
    Operation(
        "get",
        "/v1/health",
        "getHealth",
        "service",
        "Is the API there?",
        "Needs no key and asks no centre.",
        "",
        {"200": Answer("It is.", [(JSON, "Health", {"ok": example.HEALTH})], headers=()), **_THROTTLED,
         "5XX": _BROKEN["5XX"]},
    ),
)
