"""The ECPay provider end to end: over real sockets where the network misbehaves, over a fake transport for the rest."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from einvoice.errors import MerchantUnusable, Reason
from einvoice.model import Allowance, AllowanceLine, Buyer, Carrier, CarrierKind, Line, Order
from einvoice.providers.base import Absent, Accepted, Call, Done, Found, Issued, Provider, Rejected, Unknown
from einvoice.providers.ecpay.client import CredentialSource
from einvoice.providers.ecpay.crypto import Credentials, ciphertext, decrypt, encrypt
from einvoice.providers.ecpay.provider import (
    ECPAY_PROFILE,
    PRODUCTION_URL,
    STAGE_URL,
    EcpayProvider,
    allowed_base_url,
)
from einvoice.providers.http import MAX_BODY_BYTES, HttpTransport, Lost, NotSent, Reply
from tests.providers.servers import Script, Server, always, answer, drip, read_request, serving

MERCHANT = "2000132"
KEYS = Credentials("ejCk326UnaZWKisg", "q9jcZX8Ib9LM8wYk")  # ECPay's public test account (developers page 7849)
NEW_KEYS = Credentials("0123456789abcdef", "fedcba9876543210")
OLD_KEYS = Credentials("aaaabbbbccccdddd", "ddddccccbbbbaaaa")
NOW = datetime(2026, 3, 1, 0, 0, 5, tzinfo=timezone(timedelta(hours=8)))
CALL = Call(timeout_s=5, now=NOW, correlation_id="c-1")
HURRY = Call(timeout_s=0.2, now=NOW)
RELATE = "ABCDEFGHIJ234567KLMN"
ROUND_TRIP = "全部!混~合*(字).-_%+&=/:'\"測試ABC123 空格"

ORDER = Order(
    buyer=Buyer(name=ROUND_TRIP, email="canary@example.com"),
    lines=(Line(ROUND_TRIP, Decimal("2.5"), Decimal("0.0000004"), 1),),
    total_twd=1,
    carrier=Carrier(CarrierKind.MOBILE_BARCODE, "/AB+CD12"),
    remark=ROUND_TRIP,
)
ALLOWANCE = Allowance((AllowanceLine(1, "茶", Decimal(1), Decimal(1), 1),), 1, 0, notify_email="canary@example.com")
GOOD = {
    "RtnCode": 1,
    "RtnMsg": "開立發票成功",
    "InvoiceNo": "AB12345678",
    "InvoiceDate": "2026-03-01 00:00:05",
    "RandomNumber": "0042",
}
ISSUED = Accepted(Issued("AB12345678", NOW, "0042"))


def sealed(data: object, keys: Credentials = KEYS, **envelope: Any) -> bytes:
    """An answer of ECPay's: encrypted under ``keys``."""
    fields = {"MerchantID": MERCHANT, "RpHeader": {"Timestamp": 1}, "TransCode": 1, "TransMsg": "Success"}
    return json.dumps(fields | {"Data": encrypt(keys, json.dumps(data))} | envelope).encode()


def refused(code: object, message: str = "m") -> Reply:
    """A refused envelope, the way stage answers: HTTP 500 and JSON."""
    body = {"MerchantID": MERCHANT, "TransCode": code, "TransMsg": message, "Data": None}
    return Reply(500, {}, json.dumps(body).encode())


def ok(data: object, keys: Credentials = KEYS, **envelope: Any) -> Reply:
    """A whole answer with status 200."""
    return Reply(200, {}, sealed(data, keys, **envelope))


class FakeTransport:
    """Answers with what it was given, in order, and keeps the requests."""

    def __init__(self, *answers: Reply | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []
        self.calls: list[tuple[str, float, int]] = []

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, max_bytes: int = MAX_BODY_BYTES
    ) -> Reply:
        """The next answer; an exception is raised."""
        self.requests.append(json.loads(body))
        self.calls.append((url, timeout_s, max_bytes))
        result = self.answers.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


class Log:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, **fields: object) -> None:
        """Keep one."""
        self.events.append((event, fields))


def always_keys(refresh: bool) -> Credentials:
    """A source that never changes."""
    return KEYS


def provider(
    transport: FakeTransport | HttpTransport,
    credentials: CredentialSource = always_keys,
    base_url: str = STAGE_URL,
    observe: Log | None = None,
) -> EcpayProvider:
    """The provider under test."""
    return EcpayProvider(MERCHANT, base_url, credentials, transport, observe or Log())


def rotating(cached: Credentials, fresh: Credentials | Exception) -> Callable[[bool], Credentials]:
    """A source whose cache is stale until it is told to refresh."""
    known = [cached]

    def source(refresh: bool) -> Credentials:
        if refresh:
            if isinstance(fresh, Exception):
                raise fresh
            known[0] = fresh
        return known[0]

    return source


def test_it_is_a_provider() -> None:
    """The class has the shape the use cases expect (mypy checks the signatures here)."""
    one: Provider = provider(FakeTransport())
    assert one.profile is ECPAY_PROFILE


# --- the envelope ---


def test_the_request_is_ecpays_envelope_and_nothing_gets_lost_in_it() -> None:
    """Address, header, the caller's own clock, MerchantID twice, and every character of the order."""
    transport = FakeTransport(ok(GOOD))
    assert provider(transport).issue(ORDER, RELATE, CALL) == ISSUED
    (request,) = transport.requests
    ((url, timeout_s, max_bytes),) = transport.calls
    assert (url, max_bytes) == (f"{STAGE_URL}/B2CInvoice/Issue", MAX_BODY_BYTES)
    assert 4 < timeout_s <= 5
    assert request["MerchantID"] == MERCHANT
    assert request["RqHeader"] == {"Timestamp": int(NOW.timestamp()), "Revision": "3.0.0"}
    blocks = ciphertext(request["Data"])
    assert blocks is not None
    text = decrypt(KEYS, blocks)
    assert text is not None
    data = json.loads(text)
    assert (data["MerchantID"], data["RelateNumber"], data["CarrierNum"]) == (MERCHANT, RELATE, "/AB+CD12")
    assert data["CustomerName"] == data["InvoiceRemark"] == data["Items"][0]["ItemName"] == ROUND_TRIP
    assert '"ItemPrice":0.0000004' in text


def test_every_operation_goes_to_its_own_path() -> None:
    """One call each; the paths are ECPay's, in ECPay's case."""
    plain_list = Reply(200, {}, json.dumps({"TransCode": 1, "Data": {"RtnCode": 1}}).encode())
    transport = FakeTransport(*[ok({"RtnCode": 1})] * 16, plain_list)
    one, day = provider(transport), date(2026, 3, 1)
    outcomes = [
        one.issue(ORDER, RELATE, CALL),
        one.find(RELATE, CALL),
        one.void("AB12345678", day, "r", CALL),
        one.reissue_same_number(ORDER, RELATE, "AB12345678", NOW, "r", CALL),
        one.numbers_left("11504", CALL),
        one.print_url("AB12345678", day, CALL),
        one.find_void(RELATE, "AB12345678", day, CALL),
        one.check_barcode("/AB+CD12", CALL),
        one.check_love_code("168001", CALL),
        one.company_name("53538851", CALL),
        one.allow("AB12345678", day, ALLOWANCE, CALL),
        one.ask_allowance("AB12345678", day, ALLOWANCE, "", CALL),
        one.find_allowances("AB12345678", day, CALL),
        one.void_allowance("AB12345678", "2026030112000001", "r", CALL),
        one.cancel_asked_allowance("AB12345678", "2026030112000001", "r", CALL),
        one.find_allowance_void("AB12345678", "2026030112000001", CALL),
        one.list_issued(day, day, 1, 30, CALL),
    ]
    assert [url.removeprefix(f"{STAGE_URL}/B2CInvoice/") for url, _, _ in transport.calls] == [
        "Issue", "GetIssue", "Invalid", "VoidWithReIssue", "GetInvoiceWordSetting", "InvoicePrint", "GetInvalid",
        "CheckBarcode", "CheckLoveCode", "GetCompanyNameByTaxID", "Allowance", "AllowanceByCollegiate",
        "GetAllowanceList", "AllowanceInvalid", "AllowanceInvalidByCollegiate", "GetAllowanceInvalid", "GetIssueList",
    ]  # fmt: skip
    assert [type(outcome) for outcome in outcomes].count(Unknown) == 13
    assert outcomes[2] == outcomes[13] == outcomes[14] == Accepted(Done())
    assert outcomes[9] == Accepted("")


@pytest.mark.parametrize(
    "envelope",
    [{"MerchantID": 2000132}, {"MerchantID": None}, {"TransCode": "1"}, {"EncData": "x"}, {"RpHeader": None}],
)
def test_the_envelope_is_read_in_every_spelling(envelope: dict[str, Any]) -> None:
    """MerchantID as a number or absent, TransCode as text, stray keys."""
    assert provider(FakeTransport(ok(GOOD, **envelope))).issue(ORDER, RELATE, CALL) == ISSUED


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (ok(GOOD, MerchantID="3085340"), Unknown("UNREADABLE", "200", "MerchantID")),
        (ok(GOOD, Data=None), Unknown("UNREADABLE", raw_message="Data")),
        (ok(GOOD, Data=""), Unknown("UNREADABLE", raw_message="Data")),
        (ok(GOOD, Data=GOOD), Unknown("UNREADABLE", raw_message="Data")),
        (ok(GOOD, Data="uvI4yrErM37X"), Unknown("UNREADABLE", raw_message="Data")),
        (ok([GOOD]), Unknown("UNREADABLE", raw_message="Data")),
        (ok({}), Unknown("UNREADABLE", raw_message="Data")),
        (Reply(200, {}, b"<html>"), Unknown("UNREADABLE", "200")),
        (Reply(200, {}, b""), Unknown("UNREADABLE", "200")),
        (Reply(200, {}, sealed(GOOD)[:-9]), Unknown("UNREADABLE", "200")),
        (Reply(200, {}, b'{"TransCode":"x"}'), Unknown("UNREADABLE", "200")),
        (Reply(500, {}, b"<html>"), Unknown("BAD_STATUS", "500")),
        (Reply(502, {}, b""), Unknown("BAD_STATUS", "502")),
        (Reply(302, {}, sealed(GOOD)), Unknown("BAD_STATUS", "302")),
        (Reply(403, {}, b"<html>"), Unknown("BANNED", "403", retry_after_s=1800)),
        (Reply(403, {}, sealed(GOOD)), Unknown("BANNED", "403", retry_after_s=1800)),
        (Reply(500, {}, sealed(GOOD)), ISSUED),
        (refused(104), Rejected(Reason.PROVIDER_BUSY, "CLOCK_SKEW", "TransCode 104", "m", definite=True)),
        (refused("115"), Rejected(Reason.FIX_CREDENTIALS, "NOT_ENABLED", "TransCode 115", "m", definite=True)),
        (refused(777), Unknown("UNMAPPED_CODE", "TransCode 777", "m", answered=True)),
        (NotSent("DNS_FAILED"), Rejected(Reason.PROVIDER_BUSY, "NOT_SENT", definite=True, sent=False)),
        (Lost("TOO_LARGE"), Unknown("TOO_LARGE")),
        (ok({"RtnCode": 5070357, "RtnMsg": "m"}),
         Rejected(Reason.ORDER_HAS_INVOICE, "DUPLICATE_ORDER_NUMBER", "5070357", "m")),
    ],
)  # fmt: skip
def test_what_each_answer_to_an_issue_means(reply: Reply | Exception, outcome: object) -> None:
    """The body is read before the status; only proof refuses, the rest is unknown. One request, whatever comes."""
    transport = FakeTransport(reply)
    assert provider(transport).issue(ORDER, RELATE, CALL) == outcome
    assert len(transport.requests) == 1


def test_the_list_comes_unencrypted_and_other_answers_must_not() -> None:
    """GetIssueList answers in the clear; it is read encrypted as well."""
    data = {"RtnCode": 1, "TotalCount": 0, "ShowingPage": 1, "InvoiceData": []}
    plain = Reply(200, {}, json.dumps({"MerchantID": MERCHANT, "TransCode": 1, "Data": data}).encode())
    one, day = provider(FakeTransport(plain, ok(data), plain)), date(2026, 3, 1)
    first, second = (one.list_issued(day, day, 1, 30, CALL) for _ in range(2))
    assert isinstance(first, Accepted)
    assert first == second
    assert one.find(RELATE, CALL) == Unknown("UNREADABLE", raw_message="Data")


# --- credentials ---


def test_a_refused_key_is_renewed_and_the_request_sent_once_more() -> None:
    """110 with a stale cache: the envelope was refused before anything ran, so the second send is safe."""
    transport = FakeTransport(refused(110), ok(GOOD, NEW_KEYS))
    assert provider(transport, rotating(KEYS, NEW_KEYS)).issue(ORDER, RELATE, CALL) == ISSUED
    blocks = ciphertext(transport.requests[1]["Data"])
    assert blocks is not None
    assert decrypt(NEW_KEYS, blocks) is not None
    assert transport.calls[1][1] <= 5


@pytest.mark.parametrize("fresh", [KEYS, MerchantUnusable("GONE")], ids=["unchanged", "unavailable"])
def test_a_refused_key_that_did_not_change_is_a_refusal(fresh: Credentials | Exception) -> None:
    """Nothing to try again with; the refusal is definite and the source's own failure does not surface."""
    transport = FakeTransport(refused(110))
    assert provider(transport, rotating(KEYS, fresh)).issue(ORDER, RELATE, CALL) == Rejected(
        Reason.FIX_CREDENTIALS, "WRONG_KEY", "TransCode 110", "m", definite=True
    )


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        (refused(110), Rejected(Reason.FIX_CREDENTIALS, "WRONG_KEY", "TransCode 110", "m", definite=True)),
        (Lost("TIMEOUT"), Unknown("TIMEOUT")),
        (NotSent("CONNECT_FAILED"), Rejected(Reason.PROVIDER_BUSY, "NOT_SENT", definite=True, sent=True)),
    ],
)
def test_the_second_send_is_the_last(second: Reply | Exception, outcome: object) -> None:
    """At most two sends; the first one did reach the centre, so ``sent`` stays true."""
    transport = FakeTransport(refused(110), second)
    assert provider(transport, rotating(KEYS, NEW_KEYS)).issue(ORDER, RELATE, CALL) == outcome
    assert len(transport.requests) == 2


def test_an_answer_under_a_renewed_key_is_read_and_nothing_sent_again() -> None:
    """The centre answered with a key newer than our cache."""
    transport = FakeTransport(ok(GOOD, NEW_KEYS))
    assert provider(transport, rotating(KEYS, NEW_KEYS)).issue(ORDER, RELATE, CALL) == ISSUED
    assert len(transport.requests) == 1


def test_an_answer_under_the_key_before_is_read() -> None:
    """The centre answered with the key we used until just now."""
    current = [OLD_KEYS]
    transport = FakeTransport(ok(GOOD, OLD_KEYS), ok(GOOD, OLD_KEYS))
    one = provider(transport, lambda refresh: current[0])
    assert one.issue(ORDER, RELATE, CALL) == ISSUED
    current[0] = KEYS
    assert one.issue(ORDER, RELATE, CALL) == ISSUED
    assert len(transport.requests) == 2


@pytest.mark.parametrize("fresh", [KEYS, NEW_KEYS, MerchantUnusable("GONE")], ids=["same", "new", "unavailable"])
def test_an_answer_no_key_opens_is_unknown(fresh: Credentials | Exception) -> None:
    """Never a second send: the write may have been done."""
    transport = FakeTransport(ok(GOOD, OLD_KEYS))
    assert provider(transport, rotating(KEYS, fresh)).issue(ORDER, RELATE, CALL) == Unknown("WRONG_KEY")
    assert len(transport.requests) == 1


def test_credentials_that_cannot_be_had_stop_before_sending() -> None:
    """The source's own error comes through, and nothing was sent."""

    def broken(refresh: bool) -> Credentials:
        raise MerchantUnusable("NO_CREDENTIALS")

    transport = FakeTransport()
    with pytest.raises(MerchantUnusable):
        provider(transport, broken).issue(ORDER, RELATE, CALL)
    assert not transport.requests


def test_time_spent_on_credentials_is_the_calls_own() -> None:
    """A slow credential source shortens the send; with nothing left, nothing is sent."""

    def slow(refresh: bool) -> Credentials:
        time.sleep(0.25)
        return KEYS

    with serving(always(answer(sealed(GOOD)))) as server:
        one = provider(HttpTransport(), slow, server.origin)
        assert one.issue(ORDER, RELATE, HURRY) == Rejected(Reason.PROVIDER_BUSY, "NOT_SENT", definite=True, sent=False)
        assert server.connections == 0


# --- what is told to the log ---


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (ok(GOOD), {"outcome": "accepted", "code": "1", "cause": ""}),
        (ok({"RtnCode": 5000022, "RtnMsg": "canary"}),
         {"outcome": "rejected", "code": "5000022", "cause": "AMOUNT_MISMATCH"}),
        (Lost("TIMEOUT"), {"outcome": "unknown", "code": "", "cause": "TIMEOUT"}),
        (NotSent("TLS_FAILED"), {"outcome": "rejected", "code": "", "cause": "NOT_SENT"}),
    ],
)  # fmt: skip
def test_every_call_is_told_once_without_personal_data(reply: Reply | Exception, told: dict[str, object]) -> None:
    """One ``provider_call`` with op, outcome, code, cause, seconds and id; no payload, no words, no keys."""
    log = Log()
    provider(FakeTransport(reply), observe=log).issue(ORDER, RELATE, CALL)
    (fields,) = (fields for event, fields in log.events if event == "provider_call")
    assert isinstance(fields.pop("seconds"), float)
    assert fields == told | {"provider": "ecpay", "op": "Issue", "correlation_id": "c-1"}
    for secret in ("canary", "測試", "AB12345678", "/AB+CD12", "ejCk", RELATE):
        assert secret not in repr(log.events)


# --- over real sockets ---


def over_http(server: Server, call: Call = CALL) -> object:
    """Issue through the real transport."""
    return provider(HttpTransport(), base_url=server.origin).issue(ORDER, RELATE, call)


def test_an_invoice_over_a_real_socket() -> None:
    """Issue, void and look-up over one connection."""
    replies = [sealed(GOOD), sealed({"RtnCode": 5070453}), sealed({"RtnCode": 2})]

    def script(server: Server, connection: socket.socket, number: int) -> None:
        for reply in replies:
            read_request(server, connection)
            connection.sendall(answer(reply))

    with serving(script) as server:
        one = provider(HttpTransport(), base_url=server.origin)
        assert one.issue(ORDER, RELATE, CALL) == ISSUED
        assert one.void("AB12345678", date(2026, 3, 1), "r", CALL) == Accepted(Done(already=True))
        assert one.find(RELATE, CALL) == Absent()
        assert server.connections == 1


def after_request(play: Callable[[Server, socket.socket], object]) -> Script:
    """A script that reads one request first."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        read_request(server, connection)
        play(server, connection)

    return script


MISBEHAVIOUR: dict[str, tuple[Script, object]] = {
    "drop": (after_request(lambda s, c: None), Unknown("CONNECTION_LOST")),
    "truncated": (after_request(lambda s, c: c.sendall(answer(sealed(GOOD))[:-9])), Unknown("CONNECTION_LOST")),
    "truncated within": (always(answer(sealed(GOOD)[:-9])), Unknown("UNREADABLE", "200")),
    "garbage": (after_request(lambda s, c: c.sendall(b"\x00\xff" * 99)), Unknown("CONNECTION_LOST")),
    "garbage body": (always(answer(b"\x00\xff" * 99)), Unknown("UNREADABLE", "200")),
    "hang": (after_request(lambda s, c: s.stopped.wait(5)), Unknown("TIMEOUT")),
    "drip": (after_request(lambda s, c: drip(s, c, answer(sealed(GOOD)))), Unknown("TIMEOUT")),
    "redirect": (always(answer(b"", "302 Found", "Location: /\r\n")), Unknown("BAD_STATUS", "302")),
    "html 500": (always(answer(b"<html>", "500 Error")), Unknown("BAD_STATUS", "500")),
    "banned": (always(answer(b"<html>", "403 Forbidden")), Unknown("BANNED", "403", retry_after_s=1800)),
    "huge": (always(answer(b"x" * (MAX_BODY_BYTES + 9))), Unknown("TOO_LARGE")),
    "500 with JSON": (
        always(answer(refused(104).body, "500 Error")),
        Rejected(Reason.PROVIDER_BUSY, "CLOCK_SKEW", "TransCode 104", "m", definite=True),
    ),
    "wrong key": (always(answer(sealed(GOOD, OLD_KEYS))), Unknown("WRONG_KEY")),
}


@pytest.mark.parametrize("how", MISBEHAVIOUR)
def test_a_centre_that_misbehaves_gives_an_outcome_and_gets_one_request(how: str) -> None:
    """Each fault on a real socket: never an exception, never a second request."""
    script, outcome = MISBEHAVIOUR[how]
    with serving(script) as server:
        assert over_http(server, HURRY if outcome == Unknown("TIMEOUT") else CALL) == outcome
        assert len(server.requests) == 1


@pytest.mark.parametrize("how", ["refused", "no name"])
def test_a_centre_that_cannot_be_reached_was_not_sent_anything(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both prove that the order can be tried again at once."""
    with serving(always(b"")) as server:
        pass
    if how == "no name":

        def unknown(*args: object, **kwargs: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert over_http(server) == Rejected(Reason.PROVIDER_BUSY, "NOT_SENT", definite=True, sent=False)


def test_the_largest_invoice_that_can_be_issued_can_be_looked_up() -> None:
    """999 lines of 500 characters come back in several megabytes."""
    items = [{"ItemName": "測" * 500, "ItemCount": 1.0, "ItemAmount": 1, "ItemRemark": "備" * 120}] * 999
    stored = {
        "RtnCode": 1, "IIS_Number": "AB12345678", "IIS_Create_Date": "2026-03-01 00:00:05", "IIS_Random_Number": "0042",
        "IIS_Sales_Amount": 999, "IIS_Identifier": "0000000000", "IIS_Tax_Type": "1", "IIS_Print_Flag": "0",
        "IIS_Issue_Status": "1", "IIS_Invalid_Status": "0", "IIS_Upload_Status": "0", "IIS_Remain_Allowance_Amt": 999,
        "Items": items,
    }  # fmt: skip
    with serving(always(answer(sealed(stored)))) as server:
        found = provider(HttpTransport(), base_url=server.origin).find(RELATE, CALL)
    assert isinstance(found, Found)
    assert len(found.lines) == 999


# --- where it may go ---


@pytest.mark.parametrize("url", [STAGE_URL, PRODUCTION_URL, "http://127.0.0.1:9000", "http://[::1]:9000"])
def test_the_centres_own_hosts_and_listed_origins_are_allowed(url: str) -> None:
    """And nothing has to be listed for the first two."""
    assert allowed_base_url(url, ["http://127.0.0.1:9000", "http://[::1]:9000"])


@pytest.mark.parametrize(
    "url",
    [
        "", "einvoice.ecpay.com.tw", "http://einvoice.ecpay.com.tw", "https://einvoice.ecpay.com.tw/", "https://einvoice.ecpay.com.tw:443",
        "https://einvoice.ecpay.com.tw@127.0.0.1", "https://einvoice.ecpay.com.tw.example.net", "https://EINVOICE.ecpay.com.tw",
        "https://einvoice.ecpay.com.tw#", "https://einvoice.ecpay.com.tw?", "http://127.0.0.1:9001", "http://169.254.169.254",
        "file:///etc/passwd", "https://einvoice.ecpay.com.tw:x", "http://[::1", "https://logistics.ecpay.com.tw",
    ],
)  # fmt: skip
def test_every_other_address_is_refused(url: str) -> None:
    """Another host, scheme, port, path or spelling is not the centre."""
    assert not allowed_base_url(url, ["http://127.0.0.1:9000"])


@pytest.mark.parametrize("listed", ["", "ftp://127.0.0.1", "http://127.0.0.1:9000/path", "http://u:p@127.0.0.1"])
def test_a_listed_target_that_is_no_origin_allows_nothing(listed: str) -> None:
    """A mistake in the list does not open a door."""
    assert not allowed_base_url(listed, [listed])


def test_the_callers_clock_stamps_the_request() -> None:
    """``Timestamp`` is the injected instant in any zone, not the process's clock."""
    transport = FakeTransport(ok({"RtnCode": 2}))
    moment = datetime(2031, 7, 1, tzinfo=UTC)
    provider(transport).find(RELATE, Call(timeout_s=1, now=moment))
    assert transport.requests[0]["RqHeader"]["Timestamp"] == int(moment.timestamp())
