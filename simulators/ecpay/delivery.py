"""How an answer is carried back to the caller, and what each transport fault makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from simulators.ecpay.faults import Fault

HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"
ERROR_PAGE = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Server Error</h1></body></html>"
BANNED_PAGE = b"<!DOCTYPE html><html><head><title>Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"
GARBAGE = b"\x00\xff{]not json at all"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One answer and its ``manner``.

    ``normal``; ``close`` (no byte leaves); ``hang`` (no byte leaves, the socket stays for ``seconds``); ``truncate``
    (half the body, then closed); ``drip`` (a byte per ``seconds``). ``delay_s`` is waited before the first byte.
    Seconds are real ones here.
    """

    status: int = 200
    content_type: str = JSON
    body: bytes = b""
    manner: str = "normal"
    seconds: float = 0
    delay_s: float = 0
    location: str = ""
    drip_headers: bool = False


UNKNOWN_PATH = Delivery(500, HTML, ERROR_PAGE)
CLOSED = Delivery(manner="close")


def _redirect(fault: Fault) -> Delivery:
    status, location = int(str(fault.parameters["status"])), str(fault.parameters["location"])
    return Delivery(status, HTML, location=location)


def _drip(fault: Fault, usual: Delivery) -> Delivery:
    interval_s, headers = fault.seconds("interval_s"), bool(fault.parameters["headers"])
    return replace(usual, manner="drip", seconds=interval_s, drip_headers=headers)


# Faults that keep the operation from being carried out, and what is answered instead of it.
INSTEAD: dict[str, Callable[[Fault], Delivery]] = {
    "ban": lambda _fault: Delivery(403, HTML, BANNED_PAGE),
    "drop_before": lambda _fault: CLOSED,
    "http_500_before": lambda _fault: Delivery(500, HTML, ERROR_PAGE),
    "garbage_before": lambda _fault: Delivery(200, JSON, GARBAGE),
    "hang": lambda fault: Delivery(manner="hang", seconds=fault.seconds()),
    "redirect": _redirect,
    "drip": lambda fault: _drip(fault, Delivery(500, HTML, ERROR_PAGE)),
}

# Faults that spoil the answer after the operation was carried out.
AFTER: dict[str, Callable[[Fault, Delivery], Delivery]] = {
    "drop_after": lambda _fault, _usual: CLOSED,
    "late_answer": lambda fault, usual: replace(usual, delay_s=fault.seconds()),
    "http_500_after": lambda _fault, _usual: Delivery(500, HTML, ERROR_PAGE),
    "garbage_after": lambda _fault, _usual: Delivery(200, JSON, GARBAGE),
    "truncated_after": lambda _fault, usual: replace(usual, manner="truncate"),
    "wrong_key_after": lambda _fault, usual: usual,  # it was encrypted with the wrong key already
    "drip": _drip,
}
