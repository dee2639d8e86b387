"""An order stays with the account it was claimed for, whatever the settings say now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest

from einvoice import wiring
from einvoice.identity import invoice_id
from einvoice.merchants import Merchants, Secret
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.aws import REGION, TABLE
from tests.service import MERCHANT, Service, order, running

ID = invoice_id(OrderKey(MERCHANT, "api", "1001"), 1)
NOW = "2026-03-20T10:00:00+08:00"
NEW_KEY, NEW_IV = "AAAAbbbbCCCCdddd", "1111222233334444"


def unanswered(service: Service) -> Any:
    """An order whose invoice the centre made, while we know nothing of it; that invoice."""
    service.sim.fault("drop_after", op="Issue")
    service.sim.fault("http_500_before", op="GetIssue")
    assert service.issue(order()).status == 202
    return next(iter(service.sim.world.invoices.values()))


@pytest.fixture
def merchants() -> Any:
    """A running service whose merchant's settings this test may change, and what changes them."""
    with running(now=NOW) as service:
        kms = boto3.client("kms", region_name=REGION)
        key_id = kms.list_keys()["Keys"][0]["KeyId"]
        yield service, Merchants(service.dynamodb, kms, TABLE, key_id, lambda: 0.0)


def rotate(service: Service, made: Merchants, *, account: str = "2000132", credential_id: str = "second") -> None:
    """A new credential, taken into use for new orders; every cache has forgotten the old settings afterwards."""
    made.put_secret(MERCHANT, credential_id, Secret(NEW_KEY, NEW_IV), account=account, now=service.now())
    config = made.read_config(MERCHANT)
    assert config is not None
    made.put_config(replace(config, account=account, credential_id=credential_id), config.rev)
    service.advance(301)


def test_06_a_merchant_that_changed_accounts_keeps_its_orders_where_they_are(merchants: Any) -> None:
    """Unknown at the old account, new settings: recovered, read and voided at the old one; a new order at the new."""
    service, made = merchants
    invoice = unanswered(service)
    service.sim.add_merchant("3000001", NEW_KEY, NEW_IV)
    rotate(service, made, account="3000001")
    service.settle(5)
    assert (service.head("1001").state, service.head("1001").number) == (State.ISSUED, invoice.number)
    assert service.issue(order()).body["number"] == invoice.number
    assert service.issue(order("1002")).status == 201
    assert service.void(ID).status == 201
    assert {one["merchant_id"] for one in service.sim.invoices()} == {"2000132", "3000001"}
    assert {call["merchant_id"] for call in service.sim.calls(op="Invalid")} == {"2000132"}
    assert service.head("1001").centre.account == "2000132"


def test_06_an_order_is_recovered_with_its_own_key_where_the_centre_still_takes_it(merchants: Any) -> None:
    """A new credential for new orders does not change how old ones are asked for."""
    service, made = merchants
    invoice = unanswered(service)
    rotate(service, made)
    service.settle(5)
    assert service.head("1001").number == invoice.number


@pytest.mark.parametrize("known", ["before", "after"])
def test_06_an_order_is_recovered_with_the_newest_key_where_the_centre_changed_it(merchants: Any, known: str) -> None:
    """The centre knows one key at a time: the pinned one fails, the account's newest opens the order again."""
    service, made = merchants
    invoice = unanswered(service)
    if known == "before":
        rotate(service, made)
    service.sim.add_merchant("2000132", NEW_KEY, NEW_IV)
    service.recover(120)
    if known == "after":
        assert service.head("1001").state is State.ISSUING
        rotate(service, made)
    service.settle(10, 400)
    assert service.head("1001").number == invoice.number
    assert service.void(ID).status == 201


def test_06_wrong_credentials_wait_for_the_operator(merchants: Any) -> None:
    """The centre takes no key of ours: nothing was issued, the order waits, and goes out when there is a right one."""
    service, made = merchants
    service.sim.add_merchant("2000132", NEW_KEY, NEW_IV)
    answer = service.issue(order())
    assert (answer.status, answer.body["state"], answer.body["next_action"]) == (202, "WAITING", "FIX_CREDENTIALS")
    service.recover(300)
    assert service.head("1001").state is State.WAITING
    rotate(service, made)
    service.settle(10, 400)
    assert len(service.living("1001")) == 1


def test_06_a_disabled_merchant_finishes_what_it_began(merchants: Any) -> None:
    """No new orders: 503 before anything is stored; what is on its way is brought to rest, and may be voided."""
    service, made = merchants
    invoice = unanswered(service)
    config = made.read_config(MERCHANT)
    made.put_config(replace(config, enabled=False), config.rev)
    service.advance(301)
    assert service.issue(order("1002")).body["code"] == "MERCHANT_UNUSABLE"
    assert wiring.ports().store.read(OrderKey(MERCHANT, "api", "1002")) is None
    service.settle(5)
    assert service.head("1001").number == invoice.number
    assert service.void(ID).status == 201
