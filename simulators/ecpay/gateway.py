"""From the bytes of a request to the bytes of an answer: envelope, operation, faults.

Order of the envelope's checks: merchant (115), Data present (111), decryption (110), timestamp (104). Each is answered
as HTTP 500 with a JSON envelope whose Data is null; whatever the business says is HTTP 200 with TransCode 1
(observed on ECPay stage 2026-08).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from simulators.ecpay import codes, variation
from simulators.ecpay.calls import CallLog, CallRecord
from simulators.ecpay.codes import Refused, TransCode
from simulators.ecpay.delivery import AFTER, CLOSED, INSTEAD, JSON, UNKNOWN_PATH, Delivery
from simulators.ecpay.faults import Fault, Met, Target
from simulators.ecpay.fields import Data
from simulators.ecpay.operations import OPERATIONS
from simulators.ecpay.operations.base import Call, Operation, Reply
from simulators.ecpay.state import Merchant, World
from simulators.ecpay.wire import Unreadable, decrypt, dump, encrypt, parse_object

ACCEPTED = TransCode(1, "Success")
ARRIVAL = "arrival"  # the kind of clock job a request on its way is
WRONG_KEY, WRONG_IV = "0000000000000000", "1111111111111111"


@dataclass(frozen=True, slots=True)
class Request:
    """One POST to an operation, as far as it could be read."""

    operation: Operation
    envelope: Data
    base_url: str
    signer: Merchant | None  # whose keys are used
    data: Data | None  # None where those keys do not open it

    @property
    def merchant_id(self) -> str:
        """Of the envelope; numbers and strings alike."""
        return self.envelope.text("MerchantID")

    def target(self, world: World) -> Target:
        """What it is about, for faults and log; the order behind a Tsr is known from its DelayIssue."""
        data = self.data or Data({})
        issue, void = data.child("IssueModel") or data, data.child("VoidModel") or data
        delayed = world.delayed.get((self.merchant_id, data.text("Tsr")))
        relate = issue.text("RelateNumber") or (delayed.content.relate if delayed else "")
        return Target(self.operation.name.lower(), self.merchant_id, relate, void.text("InvoiceNo"))


class _Envelope(Exception):
    def __init__(self, code: TransCode) -> None:
        super().__init__(code.message)
        self.code = code


class Gateway:
    """Answers operations against one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = world.faults
        self.log = CallLog()

    def answer(self, path: str, body: bytes, base_url: str) -> Delivery:
        """What to do with a POST to ``/B2CInvoice/<path>``."""
        operation = OPERATIONS.get(path.lower())
        if operation is None:
            return UNKNOWN_PATH
        try:
            envelope = Data(parse_object(body))
        except Unreadable:
            return UNKNOWN_PATH
        with self.world.lock:
            now = self.world.clock.now()
            request = self._read(operation, envelope, base_url)
            target = request.target(self.world)
            met = self.faults.meet(target, now)
            record = self.log.add(now, operation.name, target.merchant_id, target.relate, target.invoice_no)
            record.faults = met.kinds
            delivery = self._carry(request, met, record, now)
            record.http_status = None if delivery.manner in {"close", "hang"} else delivery.status
            record.answer = met.transport.kind if met.transport else "ok"
            return delivery

    def _read(self, operation: Operation, envelope: Data, base_url: str) -> Request:
        # A contracted platform (平台商) signs with its own keys for a merchant bound to it.
        signer = self.world.merchants.get(envelope.text("PlatformID") or envelope.text("MerchantID"))
        data: Data | None = None
        if signer is not None:
            try:
                data = Data(decrypt(envelope.text("Data"), signer.key, signer.iv))
            except Unreadable:
                data = None
        return Request(operation, envelope, base_url, signer, data)

    def _carry(self, request: Request, met: Met, record: CallRecord, now: datetime) -> Delivery:
        fault = met.transport
        if fault is None:
            return self._process(request, met, record, now)
        if fault.kind == "late_arrival":
            return self._arrive_late(request, met, fault, now)
        if fault.commits:
            return AFTER[fault.kind](fault, self._process(request, met, record, now))
        return INSTEAD[fault.kind](fault)

    def _arrive_late(self, request: Request, met: Met, fault: Fault, now: datetime) -> Delivery:
        target = request.target(self.world)

        def arrive(at: datetime) -> None:
            with self.world.lock:
                record = self.log.add(at, request.operation.name, target.merchant_id, target.relate, target.invoice_no)
                record.arrived_late = True
                record.faults = met.kinds
                record.answer = fault.kind
                sent_at = at if fault.parameters["check_timestamp"] else now
                self._process(request, met, record, at, timestamp_at=sent_at)

        self.world.clock.at(now + timedelta(seconds=fault.seconds()), ARRIVAL, arrive)
        # 600 real seconds are more than any caller waits; a caller who hangs up ends it earlier.
        return CLOSED if fault.parameters["caller"] == "drop" else Delivery(manner="hang", seconds=600)

    def _process(
        self, request: Request, met: Met, record: CallRecord, now: datetime, timestamp_at: datetime | None = None
    ) -> Delivery:
        try:
            merchant, keys, data = self._open(request, met, timestamp_at or now)
        except _Envelope as refusal:
            record.trans_code = refusal.code.number
            return self._sealed(request, refusal.code, None, now)
        lag = met.condition("read_lag")
        call = Call(
            world=self.world,
            merchant=merchant,
            now=now,
            base_url=request.base_url,
            exhausted=met.condition("exhausted") is not None,
            maintenance=met.condition("maintenance") is not None,
            read_lag_s=lag.seconds() if lag else 0,
        )
        reply = self._run(request.operation, call, data)
        record.trans_code = 1
        record.rtn_code = int(str(reply["RtnCode"]))
        record.committed = request.operation.writes and record.rtn_code in request.operation.successes
        record.invoice_no = record.invoice_no or str(reply.get("InvoiceNo") or "")
        if met.transport and met.transport.kind == "wrong_key_after":
            keys = (WRONG_KEY, WRONG_IV)
        if self.world.settings.vary_types:
            reply = variation.of_reply(reply, record.number, rtn_code_as_text=request.operation.rtn_code_as_text)
        content: object = reply if request.operation.plain else encrypt(reply, *keys)
        return self._sealed(request, ACCEPTED, content, now, record.number)

    def _run(self, operation: Operation, call: Call, data: Data) -> Reply:
        try:
            return operation.run(call, data)
        except Refused as refusal:
            return {
                "RtnCode": refusal.code.number,
                "RtnMsg": refusal.code.message,
                **operation.blank,
                **refusal.extra,
            }

    def _open(self, request: Request, met: Met, now: datetime) -> tuple[Merchant, tuple[str, str], Data]:
        merchant = self.world.merchants.get(request.merchant_id)
        if merchant is None or request.signer is None:
            raise _Envelope(codes.MERCHANT_UNKNOWN)
        if not request.envelope.text("Data"):
            raise _Envelope(codes.DATA_EMPTY)
        if request.data is None:
            raise _Envelope(codes.DECRYPT_FAILED)
        off = met.condition("clock_off")
        self._check_timestamp(request, now + timedelta(seconds=off.seconds() if off else 0))
        return merchant, (request.signer.key, request.signer.iv), request.data

    def _check_timestamp(self, request: Request, now: datetime) -> None:
        header = request.envelope.child("RqHeader") or Data({})
        sent = header.number("Timestamp")
        window = self.world.settings.timestamp_window_s
        age = now.timestamp() - float(sent or 0)
        # What stage does with a time in the future was not observed; only the strict profile refuses it.
        if age > window or (self.world.settings.strict and age < -window):
            raise _Envelope(codes.TIMESTAMP_TOO_OLD)

    def _sealed(self, request: Request, code: TransCode, data: object, now: datetime, number: int = 0) -> Delivery:
        merchant_id: object = request.merchant_id
        if self.world.settings.vary_types:
            merchant_id = variation.of_merchant_id(request.merchant_id, number)
        envelope = {
            "PlatformID": request.envelope.text("PlatformID"),
            "MerchantID": merchant_id,
            "RpHeader": {"Timestamp": int(now.timestamp())},
            "TransCode": code.number,
            "TransMsg": code.message,
            "Data": data,
        }
        return Delivery(200 if code is ACCEPTED else 500, JSON, dump(envelope).encode())
