"""A centre that is not reached, or is not the centre: no byte of the order leaves, and it goes out later (F14, F15)."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.providers.http import HttpTransport
from einvoice.store.base import State
from tests.faults.certificates import Authority, authority
from tests.providers.servers import Server, answer, serving
from tests.service import MERCHANT, Service, order

ID = invoice_id(OrderKey(MERCHANT, "api", "1001"), 1)


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority our transport trusts in these tests."""
    return authority(tmp_path_factory.mktemp("tls"), "trusted")


@contextmanager
def centre_at(base_url: str, ca_file: str | None = None) -> Iterator[None]:
    """The merchant's centre lies at ``base_url`` for a while; the transport is the product's own."""
    centres: Any = wiring.ports().centres
    pinned = centres.pinned

    def elsewhere(merchant: str, centre: Any) -> Any:
        provider = pinned(merchant, centre)
        provider._client._base_url = base_url
        provider._client._transport = transport
        return provider

    transport = HttpTransport(ca_file=ca_file, connect_timeout_s=0.3)
    with patch.object(centres, "pinned", elsewhere):
        yield


def nothing_left_and_it_goes_out_later(service: Service, logged: StringIO, cause: str) -> None:
    """202 and WAITING, told as "not sent"; void too; and once the centre is back, one invoice, without a look-up."""
    assert service.head("1001").state is State.WAITING
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert {line["cause"] for line in lines if line.get("event") == "provider_not_sent"} == {cause}
    assert "waiting" in {line.get("event") for line in lines}
    assert service.sim.calls() == []
    service.recover(31)
    assert service.head("1001").state is State.ISSUED
    assert [call["op"] for call in service.sim.calls()] == ["Issue"]


@pytest.mark.parametrize("how", ["expired", "wrong host", "unknown authority", "TLS 1.1", "not TLS"])
def test_f14_a_centre_with_a_wrong_certificate_gets_no_byte_of_the_order(
    service: Service, logged: StringIO, trusted: Authority, tmp_path: Path, how: str
) -> None:
    """Each is wrong in one thing only; the order waits, and is issued once there is a right centre again."""
    seen: list[bytes] = []
    tls: ssl.SSLContext | None = {
        "expired": lambda: trusted.server(ends_in_days=-1),
        "wrong host": lambda: trusted.server("127.0.0.2"),
        "unknown authority": lambda: authority(tmp_path, "unknown").server(),
        "TLS 1.1": lambda: _old(trusted.server()),
        "not TLS": lambda: None,
    }[how]()

    def script(server: Server, connection: socket.socket, number: int) -> None:
        if tls is None:
            connection.sendall(answer(b"plain"))
        seen.append(connection.recv(65536))

    with serving(script, tls) as server, centre_at(f"https://127.0.0.1:{server.port}", trusted.ca_file):
        reply = service.issue(order())
        assert server.connections > 0
    assert (reply.status, reply.body["state"]) == (202, "WAITING")
    assert int(reply.headers["retry-after"]) >= 5
    assert not any(b"B2CInvoice" in data or b"MerchantID" in data for data in seen)
    nothing_left_and_it_goes_out_later(service, logged, "TLS_FAILED")


def test_f14_the_right_certificate_is_spoken_to(service: Service, trusted: Authority) -> None:
    """The same server with nothing wrong does get the request: the tests above fail for their own reason."""
    seen: list[bytes] = []

    def script(server: Server, connection: socket.socket, number: int) -> None:
        seen.append(connection.recv(65536))

    with serving(script, trusted.server()) as server, centre_at(f"https://127.0.0.1:{server.port}", trusted.ca_file):
        assert service.issue(order()).body["state"] == "ISSUING"
    assert any(b"POST /B2CInvoice/Issue" in data for data in seen)


def test_f14_nobody_can_switch_verification_off() -> None:
    """The product's transport verifies certificate and host name, and takes nothing below TLS 1.2."""
    context = HttpTransport()._pool.connection_pool_kw["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def _old(context: ssl.SSLContext) -> ssl.SSLContext:
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@contextmanager
def nobody(where: str) -> Iterator[tuple[str, str]]:
    """An address that cannot be reached, and what our transport calls that."""
    if where == "no such name":
        yield "http://no-such-centre.invalid", "DNS_FAILED"
        return
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        if where == "no answer":  # a listener whose backlog is full lets further SYNs go unanswered
            closed.listen(0)
            with socket.create_connection(closed.getsockname()):
                yield f"http://127.0.0.1:{closed.getsockname()[1]}", "CONNECT_FAILED"
        else:
            yield f"http://127.0.0.1:{closed.getsockname()[1]}", "CONNECT_FAILED"


@pytest.mark.parametrize("where", ["no such name", "refused", "no answer"])
def test_f15_a_centre_that_cannot_be_reached_was_sent_nothing(service: Service, logged: StringIO, where: str) -> None:
    """A name without an address, a closed port, a SYN without an answer: definitely not sent, tried again at once."""
    with nobody(where) as (base_url, cause), centre_at(base_url):
        reply = service.issue(order())
    assert (reply.status, reply.body["state"]) == (202, "WAITING")
    head = service.head("1001")
    assert head.due_at is not None
    assert head.due_at - service.now().timestamp() <= 31
    assert (head.sent_at, head.settle_until) == (None, None)
    nothing_left_and_it_goes_out_later(service, logged, cause)


def test_f15_a_void_that_was_not_sent_has_no_quiet_time(service: Service) -> None:
    """Nothing of it can land, so half a minute later it goes out."""
    service.issue(order())
    with nobody("refused") as (base_url, _), centre_at(base_url):
        reply = service.void(ID)
    assert (reply.status, reply.body["state"]) == (202, "VOIDING")
    assert service.head("1001").quiet_until is None
    service.recover(31)
    assert service.head("1001").state is State.VOIDED
    assert len(service.sim.calls(op="Invalid")) == 1


def test_f15_an_earlier_unanswered_send_is_not_forgotten(service: Service) -> None:
    """First a packet that may still land, then nobody there: not "not sent" but unknown, and looked at again."""
    service.sim.fault("late_arrival", op="Issue", seconds=300.0)
    service.issue(order())
    with nobody("refused") as (base_url, _), centre_at(base_url):
        service.recover(120)
    head = service.head("1001")
    assert (head.state, head.settle_until is not None) == (State.ISSUING, True)
    service.settle(10)
    assert [service.head("1001").number] == service.living("1001")
