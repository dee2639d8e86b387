"""One call to ECPay (呼叫綠界): envelope, encryption, transport, and what can be said before ``RtnCode`` is looked at.

The body is read before the status: ECPay refuses an envelope with HTTP 500 *and* a JSON envelope that says why
(observed on ECPay stage 2026-08). Source of the envelope: ECPay developers page 7896 and following.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from einvoice.errors import EinvoiceError, Reason
from einvoice.providers.base import Call, Rejected, Unknown
from einvoice.providers.ecpay.crypto import Credentials, ciphertext, decrypt, encrypt
from einvoice.providers.ecpay.errors import SUCCESS, WRONG_KEY, envelope_refusal
from einvoice.providers.ecpay.fields import Fields, Unreadable, from_json, text, to_json, whole
from einvoice.providers.ecpay.operations import Operation
from einvoice.providers.http import Lost, NotSent, Reply, Transport

REVISION = "3.0.0"
BAN_S = 1800  # page 7854 family: HTTP 403 means too many calls, wait 30 minutes
FORBIDDEN = 403
REDIRECTS = range(300, 400)
OK = 200
HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "einvoice-tw"}

R = TypeVar("R")


class Observe(Protocol):
    """Receives one event per call; fields are codes, seconds and ids, never payload or personal data."""

    def __call__(self, event: str, **fields: object) -> None:
        """Take note of ``event``."""


CredentialSource = Callable[[bool], Credentials]
"""The merchant's current credentials; ``True`` reads them again past any cache."""


@dataclass(frozen=True, slots=True)
class _Envelope:
    """An answer whose envelope ECPay accepted (``TransCode`` 1); ``data`` is still as it came."""

    data: object


class EcpayClient:
    """One merchant's line to ECPay. Holds no state but the credentials it saw last and the ones before them."""

    def __init__(
        self, merchant_id: str, base_url: str, credentials: CredentialSource, transport: Transport, observe: Observe
    ) -> None:
        self._merchant_id = merchant_id
        self._base_url = base_url.rstrip("/")
        self._source = credentials
        self._transport = transport
        self._observe = observe
        self._latest: Credentials | None = None
        self._previous: Credentials | None = None

    def ask(
        self, operation: Operation, data: dict[str, object], parse: Callable[[Fields], R], call: Call
    ) -> R | Rejected | Unknown:
        """Send ``data``, ``parse`` the decrypted answer. Raises only what the credential source does before sending."""
        started = time.monotonic()
        answer = self._answer(operation, data, call)
        outcome = answer if isinstance(answer, (Rejected, Unknown)) else parse(answer)
        self._observe(
            "provider_call",
            provider="ecpay",
            op=operation.value,
            outcome=type(outcome).__name__.lower(),
            cause=outcome.cause if isinstance(outcome, (Rejected, Unknown)) else "",
            code=outcome.raw_code if isinstance(outcome, (Rejected, Unknown)) else SUCCESS,
            seconds=round(time.monotonic() - started, 4),
            correlation_id=call.correlation_id,
        )
        return outcome

    def _answer(self, operation: Operation, data: dict[str, object], call: Call) -> Fields | Rejected | Unknown:
        deadline = time.monotonic() + call.timeout_s
        credentials = self._remember(self._source(False))
        reply = self._send(operation, data, credentials, call, deadline - time.monotonic())
        if isinstance(reply, Rejected) and reply.cause == WRONG_KEY:
            renewed = self._renewed(call)
            if renewed is None or renewed == credentials:
                return reply
            # Refused before anything ran, so this is not a second try of a write: it is the first with a valid key.
            credentials = renewed
            reply = self._send(operation, data, credentials, call, deadline - time.monotonic())
            if isinstance(reply, Rejected):
                return replace(reply, sent=True)
        if isinstance(reply, (Rejected, Unknown)):
            return reply
        return self._open(operation, reply.data, credentials, call)

    def _send(
        self, operation: Operation, data: dict[str, object], credentials: Credentials, call: Call, timeout_s: float
    ) -> _Envelope | Rejected | Unknown:
        envelope = {
            "MerchantID": self._merchant_id,
            "RqHeader": {"Timestamp": int(call.now.timestamp()), "Revision": REVISION},
            "Data": encrypt(credentials, to_json({"MerchantID": self._merchant_id} | data)),
        }
        url = f"{self._base_url}/B2CInvoice/{operation.value}"
        try:
            reply = self._transport.post(
                url, to_json(envelope).encode(), HEADERS, timeout_s, operation.max_answer_bytes
            )
        except NotSent as error:
            self._observe("provider_not_sent", cause=error.cause, correlation_id=call.correlation_id)
            return Rejected(Reason.PROVIDER_BUSY, "NOT_SENT", definite=True, sent=False)
        except Lost as error:
            return Unknown(error.cause)
        return self._envelope(operation, reply)

    def _envelope(self, operation: Operation, reply: Reply) -> _Envelope | Rejected | Unknown:
        status = str(reply.status)
        if reply.status == FORBIDDEN:
            return Unknown("BANNED", raw_code=status, retry_after_s=BAN_S)
        if reply.status in REDIRECTS:
            return Unknown("BAD_STATUS", raw_code=status)
        body = from_json(reply.body) or {}
        try:
            code = str(whole(body, "TransCode"))
            message = text(body, "TransMsg")
            merchant_id = text(body, "MerchantID")
        except Unreadable:
            return Unknown("UNREADABLE" if reply.status == OK else "BAD_STATUS", raw_code=status)
        if code != SUCCESS:
            return envelope_refusal(operation, code, message)
        if merchant_id and merchant_id.lstrip("0") != self._merchant_id.lstrip("0"):  # as a number it loses its zeros
            return Unknown("UNREADABLE", raw_code=status, raw_message="MerchantID")
        return _Envelope(body.get("Data"))

    def _open(self, operation: Operation, data: object, credentials: Credentials, call: Call) -> Fields | Unknown:
        if operation.answers_plainly and isinstance(data, dict):
            return data
        blocks = ciphertext(data) if isinstance(data, str) else None
        if blocks is None:
            return Unknown("UNREADABLE", raw_message="Data")
        for candidate in self._candidates(credentials, call):
            plain = decrypt(candidate, blocks)
            if plain is not None:
                return from_json(plain) or Unknown("UNREADABLE", raw_message="Data")
        return Unknown(WRONG_KEY)

    def _candidates(self, credentials: Credentials, call: Call) -> Iterator[Credentials]:
        """Keys an answer may be under: the one used; then, past the cache, the renewed one; then the one before."""
        yield credentials
        renewed = self._renewed(call)
        if renewed is not None and renewed != credentials:
            yield renewed
        if self._previous is not None and self._previous != credentials:
            yield self._previous

    def _renewed(self, call: Call) -> Credentials | None:
        """Fresh credentials; None if they cannot be had. The request is out by now, so this must not raise."""
        try:
            return self._remember(self._source(True))
        except EinvoiceError as error:
            self._observe("credentials_unavailable", cause=type(error).__name__, correlation_id=call.correlation_id)
            return None

    def _remember(self, credentials: Credentials) -> Credentials:
        if self._latest is not None and credentials != self._latest:
            self._previous = self._latest
        self._latest = credentials
        return credentials
