"""Law 6 in the middle of calls: the merchant moves to another account, its orders stay where they were sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import boto3
import pytest

from einvoice.merchants import Merchants, Secret
from einvoice.store.base import State
from tests.aws import REGION, TABLE
from tests.faults.moments import during
from tests.faults.shop import ALLOWANCE_ID, ID, LAST_PERIOD, both, correct, refund, sold, through
from tests.service import MERCHANT, Service, order, running

CORRECTION = {"reason": "更正備註", "corrections": {"remark": "更正"}}
NOW = "2026-03-20T10:00:00+08:00"
OLD, NEW = "2000132", "3000001"
NEW_KEY, NEW_IV = "AAAAbbbbCCCCdddd", "1111222233334444"


@dataclass
class Moving:
    """A service whose merchant moves to another account of the centre."""

    service: Service
    merchants: Merchants

    def move(self) -> None:
        """From now on, in every container, new orders go to the new account."""
        config = self.merchants.read_config(MERCHANT)
        assert config is not None
        self.merchants.put_config(replace(config, account=NEW, credential_id="second"), config.rev)
        self.service.advance(301)  # every cache has forgotten the old settings


@pytest.fixture
def moving() -> Iterator[Moving]:
    """The merchant has its second account already, and does not use it yet."""
    with running(now=NOW) as service:
        kms = boto3.client("kms", region_name=REGION)
        key_id = kms.list_keys()["Keys"][0]["KeyId"]
        merchants = Merchants(service.dynamodb, kms, TABLE, key_id, lambda: 0.0)
        service.sim.add_merchant(NEW, NEW_KEY, NEW_IV)
        merchants.put_secret(MERCHANT, "second", Secret(NEW_KEY, NEW_IV), account=NEW, now=service.now())
        yield Moving(service, merchants)


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
def test_law_06_an_account_changed_in_mid_call_changes_nothing_of_this_order(moving: Moving, answered: bool) -> None:
    """Its answer is lost as well: looked for and adopted where it was sent, and its void goes there too."""
    service = moving.service
    service.sim.fault("drop_after", op="Issue")
    service.sim.fault("http_500_before", op="GetIssue")
    with during("issue", moving.move, answered=answered):
        service.issue(order())
    service.settle(5)
    assert service.issue(order("1002")).status == 201
    assert service.void(ID).status == 201
    used = {(call["op"], call["merchant_id"]) for call in service.sim.calls(relate=service.head("1001").relate_number)}
    assert {merchant_id for _, merchant_id in used} == {OLD}
    assert service.head("1002").centre is not None
    assert service.head("1002").centre.account == NEW  # type: ignore[union-attr]  # asserted above


def test_law_06_a_reissue_voids_at_the_old_account_and_issues_at_the_new_one(moving: Moving) -> None:
    """The merchant moves while its invoice is being voided: each generation stays where it was sent."""
    service = moving.service
    service.issue(order())
    service.sim.fault("drop_after", op="Invalid")
    with during("void", moving.move):
        service.reissue(ID, CORRECTION)
    service.settle(10)
    head = service.head("1001")
    assert (head.state, head.generation, head.centre and head.centre.account) == (State.ISSUED, 2, NEW)
    assert head.past[0]["centre"]["account"] == OLD
    assert service.living("1001") == [head.number]
    assert {call["merchant_id"] for call in service.sim.calls(op="Invalid")} == {OLD}


def test_f63_a_correction_keeps_to_the_old_account_and_issues_at_the_new_one(moving: Moving) -> None:
    """The merchant moves between allowance and new invoice: the allowance is asked after where it was made."""
    service = moving.service
    sold(service, LAST_PERIOD)
    assert correct(service).status == 202
    moving.move()
    through(service)
    head = service.head("1001")
    assert (head.state, head.generation, head.centre and head.centre.account) == (State.ISSUED, 2, NEW)
    (living,) = [one for one in service.sim.invoices() if one["living"]]
    assert (living["number"], living["merchant_id"]) == (head.number, NEW)
    assert both(service) == [(1050, False)]
    asked = {str(call["merchant_id"]) for op in ("Allowance", "GetAllowanceList") for call in service.sim.calls(op=op)}
    assert asked == {OLD}


@pytest.mark.parametrize("answered", [False, True], ids=["before the centre has it", "after"])
def test_f63_an_account_changed_in_the_middle_of_an_allowance_changes_nothing_of_it(
    moving: Moving, answered: bool
) -> None:
    """Its answer is lost as well: looked for and adopted where it was sent, void there too."""
    service = moving.service
    sold(service)
    service.sim.fault("drop_after", op="Allowance")
    service.sim.fault("http_500_before", op="GetAllowanceList")
    with during("allow", moving.move, answered=answered):
        assert service.allow(ID, refund()).status == 202
    through(service)
    assert service.void_allowance(ALLOWANCE_ID).status == 201
    through(service)
    assert both(service) == [(300, True)]
    assert {call["merchant_id"] for call in service.sim.calls()} == {OLD}
