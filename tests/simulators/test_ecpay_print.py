"""InvoicePrint: which invoices have a page, in which styles, for how long, and what stands on it."""

from __future__ import annotations

import contextlib
import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulators.ecpay import Simulator
from tests.simulators.ecpay_client import COMPANY, DONATED, PAPER, Client, issued


def page(client: Client, number: str, at: str, **style: Any) -> tuple[str, str]:
    """The address and the text behind it."""
    address = client.call("InvoicePrint", InvoiceNo=number, InvoiceDate=at, **style).data["InvoiceHtml"]
    status, text = fetch(address)
    assert status == 200
    return address, text


def fetch(address: str) -> tuple[int, str]:
    """GET."""
    parts = urlsplit(address)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=5)) as connection:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def test_address_serves_a_page_for_an_hour(sim: Simulator, client: Client) -> None:
    """What was issued on paper can be seen, escaped; what was not is 7."""
    number, at = issued(client, "P1", **COMPANY, CustomerName="<b>")
    address, text = page(client, number, at, PrintStyle=4)
    assert address.startswith(client.url + "/")
    assert (f"{number[:2]}-{number[2:]}" in text, "<b>" in text, "53538851" in text) == (True, False, True)
    sim.move_clock(advance_s=3599)
    assert fetch(address)[0] == 200
    sim.move_clock(advance_s=2)
    assert fetch(address)[0] == 500
    for relate, changes in (("P2", {}), ("P3", DONATED)):
        other, day = issued(client, relate, **changes)
        assert client.call("InvoicePrint", InvoiceNo=other, InvoiceDate=day).code == 7
    assert client.call("InvoicePrint", InvoiceNo=number, InvoiceDate="1999-01-01").code == 7


@pytest.mark.parametrize(
    ("style", "consumer", "business"),
    [
        ({}, 1, 1),
        ({"PrintStyle": 1}, 1, 1),
        ({"PrintStyle": "2"}, 1, 1),
        ({"PrintStyle": 3, "IsReprintInvoice": "Y"}, 1, 1),
        ({"PrintStyle": 4}, 5940001, 1),
        ({"PrintStyle": 5, "IsReprintInvoice": "Y"}, 5940001, 5940003),
        ({"PrintStyle": 6}, 5940001, 5940001),
        ({"IsShowingDetail": 2}, 1, 1),
        ({"IsShowingDetail": 3}, 5940002, 5940002),
        ({"IsReprintInvoice": "X"}, 5940003, 5940003),
    ],
)
def test_styles(client: Client, style: dict[str, Any], consumer: int, business: int) -> None:
    """A4 and A5 are for businesses, reprints for the other three."""
    for relate, changes, code in (("S1", PAPER, consumer), ("S2", COMPANY, business)):
        number, at = issued(client, relate, **changes)
        assert client.call("InvoicePrint", InvoiceNo=number, InvoiceDate=at, **style).code == code


def test_what_stands_on_the_page(sim: Simulator, client: Client) -> None:
    """The details unless hidden, which a business cannot; the mark of a reprint and of a void; the bar code's text."""
    consumer, business = issued(client, "T1", **PAPER), issued(client, "T2", **COMPANY)
    texts = [page(client, *one, IsShowingDetail=detail)[1] for one in (consumer, business) for detail in (1, 2)]
    assert ["測試商品" in text for text in texts] == [True, False, True, True]
    assert ["補印" in text for text in (texts[0], page(client, *consumer, IsReprintInvoice="Y")[1])] == [False, True]
    random = str(sim.invoices(relate="T1")[0]["random"])
    day = sim.now()
    assert f"{day.year - 1911}{(day.month + 1) // 2 * 2:02d}{consumer[0]}{random}" in texts[0]
    client.call("Invalid", InvoiceNo=consumer[0], InvoiceDate=consumer[1], Reason="x")
    assert "已作廢" in page(client, *consumer)[1]
    assert sim.invoices(relate="T1")[0]["printed"] is True
