"""What every operation's page is made of (對外操作的共用部分): answers, their media types, and those all may give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
    takes: str = JSON

    @property
    def route(self) -> str:
        """As API Gateway names it."""
        return f"{self.method.upper()} {self.path}"


def invoice(description: str, *, wait: bool = False, schema: str = "Invoice", **examples: Json) -> Answer:
    """An answer with one invoice, and where to read it later."""
    headers = ("X-Correlation-Id", "Location", *(["Retry-After"] if wait else []))
    return Answer(description, [(JSON, schema, examples)], headers)


def problem(description: str, *, wait: bool = False, **examples: Json) -> Answer:
    """An answer with a problem document."""
    headers = ("X-Correlation-Id", *(["Retry-After"] if wait else []))
    return Answer(description, [(PROBLEM, "Problem", examples)], headers)


def gateway(description: str, message: Json, **problems: Json) -> Answer:
    """A status that API Gateway may give by itself, without anything of ours, or that we may give too."""
    contents = [(JSON, "GatewayMessage", {"gateway": message})]
    if problems:
        contents.append((PROBLEM, "Problem", problems))
    return Answer(description, contents, ("X-Correlation-Id", "Retry-After") if problems else ("Retry-After",))


GUARDED = {
    "401": gateway(
        "No API key came with the request.",
        UNAUTHORIZED,
        ours=example.problem(401, "UNAUTHENTICATED", "未通過驗證。", Reason.FIX_REQUEST),
    ),
    "403": gateway(
        "The key is unknown, expired or revoked, or (with our `code`) lacks the operation's scope.",
        FORBIDDEN,
        scope_missing=example.SCOPE_MISSING,
    ),
}
BUSY = {"429": gateway("Too many requests: nothing was done. Slow down and repeat.", THROTTLED)}
BROKEN = {
    "500": gateway(
        "The outcome is unknown: repeat the same request. It never makes a second invoice.",
        FAILED,
        unexpected=example.UNEXPECTED,
    ),
    "503": gateway(
        "With our `code`: nothing was sent; repeat after Retry-After, or mend the merchant's settings "
        "(`next_action` FIX_CREDENTIALS). Without it the outcome is unknown: repeat the same request.",
        {"message": "Service Unavailable"},
        unavailable=example.UNAVAILABLE,
    ),
    "5XX": gateway("A gateway's own answer: the outcome is unknown. Repeat the same request.", FAILED),
}
NOT_FOUND = {"404": problem("This merchant has no such order or invoice.", not_found=example.NOT_FOUND)}
TOO_LARGE = {"413": problem("The body is larger than 256 KB. Nothing was done.", too_large=example.TOO_LARGE)}
IN_THE_WAY = "Something stands in the way; `code` says what, `next_action` what to do. Nothing was changed."

WRITES = ("IdempotencyKey", "CorrelationId")
