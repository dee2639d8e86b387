"""Asking the platforms again, over real sockets: one answer, or one failure named after what to do next."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from einvoice.platforms import api
from einvoice.platforms.base import FixAccess, Incomprehensible, NoSuchOrder, PlatformFailure, TryLater
from einvoice.platforms.cyberbiz.client import BASE_URL, CyberbizOrders
from einvoice.platforms.easystore.client import EasyStoreOrders, base_url
from tests.platforms.samples import Shop, answering, cyberbiz_order, easystore_order, raw
from tests.providers.servers import serving

SINCE = datetime(2026, 2, 28, 16, 30, tzinfo=UTC)  # already March in Taipei
CLIENTS = pytest.mark.parametrize("client", [EasyStoreOrders, CyberbizOrders])


def failure(client, script, timeout_s=5.0) -> PlatformFailure:
    """What fetching one order ends in."""
    with Shop(script).running() as shop, pytest.raises(PlatformFailure) as caught:
        client(shop.origin, "token", timeout_s).fetch("7")
    return caught.value


def query(path):
    """Query of a path, one value each."""
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def test_an_easystore_order_is_fetched_unwrapped_and_exact():
    """With the shop's token, by its internal id, figures as they were written."""
    body = raw({"order": easystore_order(id=7)}).replace(
        b'"total_transaction_charge": 0.0', b'"total_transaction_charge": 0.10'
    )
    with Shop(answering(200, body)).running() as shop:
        found = EasyStoreOrders(shop.origin + "/", "the-token").fetch("7")
    assert (found["id"], found["total_transaction_charge"]) == (7, Decimal("0.10"))
    assert shop.asked[0].startswith("/api/3.0/orders/7.json?fields=items%2C")
    assert shop.headers[0]["EasyStore-Access-Token"] == "the-token"


def test_a_cyberbiz_order_is_fetched():
    """Bare, with a bearer token."""
    with Shop(answering(200, cyberbiz_order(id=7))).running() as shop:
        assert CyberbizOrders(shop.origin, "the-token").fetch("7")["id"] == 7
    assert shop.asked == ["/v1/orders/7"]
    assert shop.headers[0]["Authorization"] == "Bearer the-token"


@CLIENTS
@pytest.mark.parametrize(
    ("status", "headers", "kind", "cause", "after"),
    [
        (401, {}, FixAccess, "UNAUTHORISED", None),
        (403, {}, FixAccess, "FORBIDDEN", None),
        (404, {}, NoSuchOrder, "NOT_FOUND", None),
        (408, {}, TryLater, "BUSY", None),
        (429, {"Retry_After": "7"}, TryLater, "BUSY", 7),
        (429, {"Retry_After": "99999999999999"}, TryLater, "BUSY", 3600),
        (429, {"Retry_After": "Sun, 06 Nov 1994 08:49:37 GMT"}, TryLater, "BUSY", 0),
        (429, {"Retry_After": "soon"}, TryLater, "BUSY", None),
        (500, {}, TryLater, "BROKEN", None),
        (503, {"Retry_After": "30"}, TryLater, "BROKEN", 30),
        (422, {}, Incomprehensible, "BAD_STATUS", None),
    ],
)
def test_every_status_has_its_failure(client, status, headers, kind, cause, after):
    """Named after the caller's next step; the platform's words go along."""
    found = failure(client, answering(status, {"error": "so it is"}, **headers))
    assert (type(found), found.cause, getattr(found, "retry_after_s", None)) == (kind, cause, after)
    assert found.said.startswith(f"{status} ")
    assert "so it is" in found.said


@CLIENTS
@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ({"error": ["no such feature"]}, "ERROR_ONLY"),
        ({"message": "busy"}, "ERROR_ONLY"),
        ({"messages": []}, "ERROR_ONLY"),
        ({"id": 8}, "UNREADABLE"),  # another order than asked for
        ({}, "UNREADABLE"),
        ([], "UNREADABLE"),
        (b"<html>", "UNREADABLE"),
        (b"", "UNREADABLE"),
        (b'{"id":NaN}', "UNREADABLE"),
        (b"[" * 100_000, "UNREADABLE"),
    ],
)
def test_a_good_status_without_the_order_is_no_order(client, body, cause):
    """Platforms answer 200 with an error alone, or with something else."""
    found = failure(client, answering(200, body))
    assert (type(found), found.cause) == (Incomprehensible, cause)


@CLIENTS
def test_no_redirect_is_followed(client):
    """The token goes to the configured address and nowhere else."""
    with Shop(answering(200, cyberbiz_order(id=7))).running() as elsewhere:
        found = failure(client, answering(302, b"", Location=f"{elsewhere.origin}/v1/orders/7"))
    assert (found.cause, elsewhere.asked) == ("REDIRECTED", [])


@CLIENTS
def test_nobody_there_and_nobody_answering(client):
    """Refused, silent and dripping servers all end as "try later", within the wall clock."""
    with Shop(answering(200, b"")).running() as shop:
        closed = shop.origin
    with pytest.raises(TryLater, match="UNREACHABLE"):
        client(closed, "token").fetch("7")

    def drip(server, connection, number):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not server.stopped.wait(0.05):
            connection.sendall(b"x")

    def silence(server, connection, number):
        connection.recv(65536)
        server.stopped.wait(5)

    for script in (silence, drip):
        with serving(script) as server:
            began = time.monotonic()
            with pytest.raises(TryLater, match="TIMEOUT"):
                client(server.origin, "token", 0.3).fetch("7")
            assert time.monotonic() - began < 3


@CLIENTS
def test_a_broken_off_answer_is_no_answer(client):
    """Half an order is nothing."""

    def cut(server, connection, number):
        connection.recv(65536)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"id":7')

    with serving(cut) as server, pytest.raises(TryLater, match="UNREACHABLE"):
        client(server.origin, "token").fetch("7")


@CLIENTS
def test_an_endless_answer_is_cut_off(client, monkeypatch):
    """There is a limit on everything."""
    monkeypatch.setattr(api, "MAX_BYTES", 1000)
    assert failure(client, answering(200, b"x" * 1001)).cause == "TOO_LARGE"


@CLIENTS
def test_an_id_cannot_leave_its_place_in_the_address(client):
    """A slash or a question mark stays part of the id."""
    with Shop(answering(404, {})).running() as shop, pytest.raises(NoSuchOrder):
        client(shop.origin, "token").fetch("7/../8?x=1")
    assert "7%2F..%2F8%3Fx%3D1" in shop.asked[0]


def test_easystore_pages_are_read_to_the_end_each_order_once():
    """A short page is not the last one; an order seen on two pages is one order; UTC is the safe reading."""
    pages = {"1": [1, 2], "2": [2, 3], "3": [4], "4": []}

    def script(path):
        return answering(200, {"orders": [{"id": one} for one in pages[query(path)["page"]]]})(path)

    with Shop(script).running() as shop:
        found = [one["id"] for one in EasyStoreOrders(shop.origin, "token").updated_since(SINCE)]
    assert found == [1, 2, 3, 4]
    assert len(shop.asked) == 4
    assert query(shop.asked[0])["updated_at_min"] == "2026-02-28 16:30:00"


def test_cyberbiz_pages_are_read_until_the_total_or_an_empty_one():
    """Taipei's time, as documented; X-Total saves the last empty page, but is not needed."""
    pages = {"1": [1, 2], "2": [3], "3": []}

    def script(headers):
        return lambda path: answering(200, [{"id": one} for one in pages[query(path)["page"]]], **headers)(path)

    for headers, calls in (({"X_Total": "3"}, 2), ({}, 3), ({"X_Total": "many"}, 3)):
        with Shop(script(headers)).running() as shop:
            found = [one["id"] for one in CyberbizOrders(shop.origin, "token").updated_since(SINCE)]
        assert (found, len(shop.asked)) == ([1, 2, 3], calls)
        assert query(shop.asked[0])["updated_at_start_time"] == "2026-03-01 00:30:00"


@CLIENTS
def test_a_page_that_repeats_for_ever_ends(client):
    """A server that ignores the page number is asked twice, not for ever."""
    body = [{"id": 1}] if client is CyberbizOrders else {"orders": [{"id": 1}]}
    with Shop(answering(200, body)).running() as shop:
        assert len(list(client(shop.origin, "token").updated_since(SINCE))) == 1
    assert len(shop.asked) == 2


@CLIENTS
def test_a_failure_between_pages_is_told(client):
    """What was read stands; the rest is not pretended to be empty."""

    def script(path):
        if query(path)["page"] == "1":
            return answering(200, [{"id": 1}] if client is CyberbizOrders else {"orders": [{"id": 1}]})(path)
        return answering(429, {})(path)

    with Shop(script).running() as shop:
        orders = client(shop.origin, "token").updated_since(SINCE)
        assert next(orders)["id"] == 1
        with pytest.raises(TryLater):
            next(orders)


@pytest.mark.parametrize(
    "shop",
    ["", "easy.co", "demo.easy.co.evil.example", "evil.example/.easy.co", "a@b.easy.co", "Demo.easy.co", "x.easy.co\n"],
)
def test_only_easystores_own_hosts_get_a_token(shop):
    """The address is built from the shop's name, so the name must be one."""
    with pytest.raises(ValueError, match="EasyStore shop"):
        base_url(shop)


def test_addresses_are_fixed_and_encrypted():
    """TLS, on the platforms' own hosts."""
    assert (base_url("demo.easy.co"), BASE_URL) == ("https://demo.easy.co", "https://app-store-api.cyberbiz.io")
