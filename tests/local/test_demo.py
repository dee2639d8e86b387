"""The demo stays true, and says so when something is not."""

from __future__ import annotations

import pytest

from local import demo, orders
from local.stack import Stack

pytestmark = pytest.mark.embedded


def test_the_demo_tells_its_story_to_the_end(capsys):
    """From an empty machine to the last comparison, exit status 0."""
    assert demo.main() == 0
    told = capsys.readouterr().out
    assert "1024" in told
    assert "adopted" in told
    assert "折讓 100%" in told
    assert "換開 11504 期" in told


def test_the_demo_notices_an_invoice_too_many(stack: Stack, capsys):
    """An order whose living invoices are not as many as expected ends the demo."""
    shop = demo.Shop(stack)
    shop.issue("", orders.donation("d-1"))
    shop.living["d-1"] = 0
    with pytest.raises(demo.DifferenceError):
        demo._compare(shop)
    capsys.readouterr()
