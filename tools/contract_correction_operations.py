"""The operations of corrections and allowances as published (更正與折讓的對外操作): see ``contract_operations``."""

from __future__ import annotations

from tools import contract_correction_examples as example
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
    Json,
    Operation,
    problem,
)

TEXT, FORM = "text/plain", "application/x-www-form-urlencoded"


def _corrected(description: str, *, wait: bool = False, schema: str = "Corrected", **examples: Json) -> Answer:
    headers = ("X-Correlation-Id", "OrderLocation", *(["Retry-After"] if wait else []))
    return Answer(description, [(JSON, schema, examples)], headers)


_PENDING = _corrected(
    "Kept, and on its way: the ministry's answer, a buyer's click, another request or a person is waited for "
    "(`waits_for`). It goes on by itself; without Retry-After once a person did what `next_step` says.",
    wait=True,
    waiting=example.WAITING,
)
_STOPPED = problem(
    "Rules are broken (`violations`), or forbid it (`code`), and nothing was changed; or, with `correction`, it was "
    "begun and could not be finished: what was done stands in `invoice` and `allowances`.",
    wait=True,
    invalid=example.INVALID,
    too_much=example.TOO_MUCH,
)
_DONE = {
    "201": _corrected("Done now.", refunded=example.REFUNDED),
    "202": _PENDING,
    **GUARDED,
    **NOT_FOUND,
    "409": problem(IN_THE_WAY, wait=True, old=example.OLD_GENERATION),
    **TOO_LARGE,
    "422": _STOPPED,
    **BUSY,
    **BROKEN,
}

CORRECTIONS: tuple[Operation, ...] = (
    Operation(
        "post",
        "/v1/orders/{source}/{order_id}/corrections",
        "correctOrder",
        "corrections",
        "Cancel, refund or correct (更正)",
        "Says what is wanted in the end; the lawful way there, a void, an allowance, a new invoice or all of them, is "
        "found by the rules and carried through. With `dry_run` it only says which. The same request again answers "
        "what became of the first; a `refund_id` is one refund for ever.",
        "invoices:correct",
        {
            "200": _corrected(
                "With `dry_run`: what would be done. Else asked before, or nothing had to be done (`cause`): how it "
                "stands now.",
                schema="CorrectedOrPreview",
                preview=example.PREVIEW,
                same_again=example.REFUNDED,
            ),
            **_DONE,
        },
        ("Source", "OrderId", *WRITES),
        "CorrectionBody",
        {"refund": example.REFUND, "cancel": example.CANCEL, "correct": example.CORRECT},
    ),
    Operation(
        "delete",
        "/v1/orders/{source}/{order_id}/corrections/{id}",
        "withdrawCorrection",
        "corrections",
        "Take a correction back (撤回更正)",
        "Stops a correction that waits, or is held for a person, and of which nothing was done yet. Those behind it go "
        "on by themselves. Its `refund_id` may be used again.",
        "invoices:correct",
        {
            "200": Answer("Stopped, now or before; the order as it stands now.",
                          [(JSON, "Corrected", {"withdrawn": example.WITHDRAWN})]),
            **GUARDED,
            **NOT_FOUND,
            "409": problem(
                "It is done, or something is or may be under way for it, or stands that only the rest of it makes "
                "right (`CORRECTION_IN_PROGRESS`); nothing was changed.",
                wait=True,
                in_progress=example.IN_PROGRESS,
            ),
            **BUSY,
            **BROKEN,
        },
        ("Source", "OrderId", "CorrectionId", "CorrelationId"),
    ),
    Operation(
        "patch",
        "/v1/orders/{source}/{order_id}/facts",
        "recordFacts",
        "corrections",
        "Record facts (登錄事實)",
        "What people know and the rules ask for: the buyer's consent, paper that came back, an approval number. A "
        "fact that is null is taken back, one that is left out stays. A correction that waited for it goes on.",
        "invoices:correct",
        {
            "200": Answer("Recorded; the order as it stands now.", [(JSON, "Order", {})]),
            **GUARDED,
            **NOT_FOUND,
            "409": problem("Others changed the order all the time: repeat the request.", wait=True),
            **TOO_LARGE,
            "422": problem("Parts cannot be read; nothing was recorded.", invalid=example.BAD_DAY),
            **BUSY,
            **BROKEN,
        },
        ("Source", "OrderId", "CorrelationId"),
        "FactsBody",
        {"consent": example.FACTS},
    ),
    Operation(
        "put",
        "/v1/filings/{period}",
        "markFiled",
        "corrections",
        "A period was filed (登錄已申報)",
        "From then on nothing of the period is void any more: refunds are allowances. The first answer stays.",
        "invoices:correct",
        {
            "200": Answer("Kept.", [(JSON, "Filing", {"filed": example.FILING})]),
            **GUARDED,
            **TOO_LARGE,
            "422": problem("No period, or one that is not over.", not_over=example.NOT_OVER),
            **BUSY,
            **BROKEN,
        },
        ("Period", "CorrelationId"),
        "FilingBody",
        {"now": {}},
    ),
    Operation(
        "post",
        "/v1/invoices/{id}/allowances",
        "allowInvoice",
        "allowances",
        "Allow (折讓)",
        "A refund by allowance of the invoice that the path names, also where the invoice could still be void. Most "
        "callers want `correctOrder` instead, which finds the lawful way.",
        "invoices:allowance",
        {
            "200": _corrected("Asked before, or nothing had to be done: how it stands now.",
                              same_again=example.REFUNDED),
            **_DONE,
        },
        ("InvoiceId", *WRITES),
        "AllowanceBody",
        {"amount": example.ALLOWANCE, "lines": example.ALLOWANCE_BY_LINES},
    ),
    Operation(
        "get",
        "/v1/allowances/{id}",
        "getAllowance",
        "allowances",
        "Read an allowance (查詢折讓)",
        "One allowance of an order with its lines, however old.",
        "invoices:read",
        {
            "200": Answer("As it stands now.", [(JSON, "AllowanceWithLines", {"allowed": example.WITH_LINES})]),
            **GUARDED,
            **NOT_FOUND,
            **BUSY,
            **BROKEN,
        },
        ("AllowanceId", "CorrelationId"),
    ),
    Operation(
        "post",
        "/v1/allowances/{id}/void",
        "voidAllowance",
        "allowances",
        "Void an allowance (折讓作廢)",
        "Takes an allowance back, or the question to a buyer who has not agreed yet. Its sum belongs to the invoice "
        "again.",
        "invoices:allowance",
        {
            "200": _corrected("Asked before, or void already: how it stands now.", voided=example.ALLOWANCE_VOIDED),
            **_DONE,
            "201": _corrected("Void now.", voided=example.ALLOWANCE_VOIDED),
        },
        ("AllowanceId", *WRITES),
        "VoidBody",
        {"void": {"reason": "折讓錯誤"}},
    ),
    Operation(
        "get",
        "/v1/deadlines",
        "getDeadlines",
        "corrections",
        "What closes soon (期限)",
        "Voids, uploads and filings of the merchant's documents that close soon, a page of orders at a time. A page "
        "may be empty and not the last: go on while `next` is not null.",
        "invoices:read",
        {
            "200": Answer("One page.", [(JSON, "Deadlines", {"none": example.NO_DEADLINES})]),
            **GUARDED,
            "422": problem("A parameter cannot be read.", invalid=example.BAD_WITHIN),
            **BUSY,
            **BROKEN,
        },
        ("Within", "Limit", "Cursor", "CorrelationId"),
    ),
    Operation(
        "post",
        "/v1/callbacks/ecpay/{merchant_id}/{name}",
        "ecpayCallback",
        "callbacks",
        "The centre's own: a buyer agreed",
        "Not for callers. ECPay posts here when a buyer agreed to an allowance online, signed with the merchant's keys "
        "(CheckMacValue). It only makes the service look: what counts is what the centre then lists.",
        "",
        {
            "200": Answer("Taken.", [(TEXT, "CentreAnswer", {"taken": "1|OK"})], headers=()),
            "400": Answer("Not signed by this merchant's centre, or about nothing we asked.",
                          [(TEXT, "CentreAnswer", {"refused": "0|NOT_OURS"})], headers=()),
            "503": Answer("Not now: the centre sends it again.", [(TEXT, "CentreAnswer", {"later": "0|LATER"})],
                          headers=()),
            **BUSY,
            "5XX": BROKEN["5XX"],
        },
        ("MerchantId", "CallbackName"),
        "CentreNotice",
        {"agreed": example.NOTICE},
        FORM,
    ),
)
