"""The operations of the HTTP API as published (對外操作): route, scope, what may be answered and what it means.

That the routes are the template's, the scopes the handlers', and the answers complete, is proved by ``tests/contract``.
"""

from __future__ import annotations

from einvoice.edge import texts
from tools import contract_examples as example
from tools.contract_answers import (
    BROKEN,
    BUSY,
    GUARDED,
    IN_THE_WAY,
    JSON,
    NOT_FOUND,
    TOO_LARGE,
    WRITES,
    Answer,
    Operation,
    invoice,
    problem,
)
from tools.contract_correction_operations import CORRECTIONS

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
            "200": invoice(
                "Asked before: the order's invoice as it stands now. Look at `state`; it may be void by now.",
                same_again=example.ISSUED,
                voided=example.VOIDED,
            ),
            "201": invoice("Issued now.", issued=example.ISSUED),
            "202": invoice(
                "Not certain yet, or a person has to decide (`attention`). The order owns the work: never send it "
                "under another order id. Read `Location`, or repeat the request, after Retry-After.",
                wait=True,
                pending=example.PENDING,
                attention=example.ATTENTION,
            ),
            **GUARDED,
            "409": problem(IN_THE_WAY, wait=True, other_body=example.OTHER_BODY),
            **TOO_LARGE,
            "422": problem(
                "Rules are broken (`violations`), or the centre refused for certain (`invoice`): no invoice lives and "
                "none can still arrive. Mend and send it again under the same order id.",
                wait=True,
                invalid=example.INVALID,
                refused=example.REFUSED,
            ),
            **BUSY,
            **BROKEN,
        },
        WRITES,
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
            "200": invoice("Void already, by an earlier request.", voided=example.VOIDED, replaced=example.REPLACED),
            "201": invoice("Void now.", voided=example.VOIDED),
            "202": invoice(
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
            **GUARDED,
            **NOT_FOUND,
            "409": problem(IN_THE_WAY, wait=True, in_progress=example.IN_PROGRESS),
            **TOO_LARGE,
            "422": problem("Rules are broken, or the centre refused for certain: the invoice lives on.", wait=True,
                            invalid=example.INVALID),
            **BUSY,
            **BROKEN,
        },
        ("InvoiceId", *WRITES),
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
            "200": invoice("Asked before: what became of it, as it stands now.", same_again=example.REISSUED),
            "201": invoice("Replaced now.", reissued=example.REISSUED),
            "202": invoice(
                "Not certain yet, or a person has to decide. `generation` says whether it is the old invoice "
                "(being voided) or the new one (being issued).",
                wait=True,
                pending=example.REISSUED
                | {name: example.PENDING[name] for name in (
                    "state", "state_text", "number", "issued_at", "random_code", "period", "upload", "cause",
                    "next_action", "next_step",
                )},
            ),
            **GUARDED,
            **NOT_FOUND,
            "409": problem(IN_THE_WAY, wait=True, in_progress=example.IN_PROGRESS),
            **TOO_LARGE,
            "422": problem(
                "Rules are broken, or it was refused for certain. With `invoice`: the new one was not issued, and the "
                "old one, if there was one, is void; without it nothing was changed.",
                wait=True,
                invalid=example.INVALID,
            ),
            **BUSY,
            **BROKEN,
        },
        ("InvoiceId", *WRITES),
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
            **GUARDED,
            **NOT_FOUND,
            **BUSY,
            **BROKEN,
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
            **GUARDED,
            **NOT_FOUND,
            "409": problem("Only an order's current invoice can be printed, and only while it is issued.",
                            not_printable=example.NOT_PRINTABLE),
            "422": problem("The centre refuses, with its words: an invoice on a carrier or donated is not printed.",
                            wait=True),
            **BUSY,
            **BROKEN,
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
            **GUARDED,
            **NOT_FOUND,
            **BUSY,
            **BROKEN,
        },
        ("Source", "OrderId", "CorrelationId"),
    ),
    *CORRECTIONS,
    Operation(
        "get",
        "/v1/health",
        "getHealth",
        "service",
        "Is the API there?",
        "Needs no key and asks no centre.",
        "",
        {"200": Answer("It is.", [(JSON, "Health", {"ok": example.HEALTH})], headers=()), **BUSY,
         "5XX": BROKEN["5XX"]},
    ),
)
