"""The real queues' rules (SQS in process) around the real handlers: poison, dead letters, outages (F25, F26, law 8)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

import boto3
import pytest

from einvoice import wiring
from einvoice.application import heads
from einvoice.identity import invoice_id
from einvoice.merchants import Merchants
from einvoice.model import OrderKey
from einvoice.store.base import State
from einvoice_ops.dead_letters import Queues, find_queues, move
from local import translate
from tests.aws import REGION, TABLE
from tests.service import MERCHANT, ROOT, Context, Service, load, order, running

NOW = "2026-03-20T10:00:00+08:00"
CANARY = "金絲雀買受人"
ROUNDS = 30
HOURS_DOWN = 11  # the longest maintenance ECPay announced


@dataclass
class Queue:
    """The issue queue of the template, its dead letters, and the function behind it."""

    service: Service
    sqs: Any
    urls: Queues
    receives: int

    def send(self, *bodies: Any) -> None:
        """Put messages on it, as a producer does."""
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps({"merchant_id": MERCHANT, "command": "issue", **body})
            self.sqs.send_message(QueueUrl=self.urls.source_url, MessageBody=text, MessageGroupId=MERCHANT)

    def deliver(self) -> int:
        """What Lambda's poller does until nothing comes any more: a failed message shows again at once."""
        for rounds in range(ROUNDS):
            got = self.sqs.receive_message(
                QueueUrl=self.urls.source_url, MaxNumberOfMessages=10, VisibilityTimeout=0
            ).get("Messages", [])
            if not got:
                return rounds
            records = [{"messageId": one["MessageId"], "body": one["Body"], "messageAttributes": {}} for one in got]
            answer = load("issue").handler({"Records": records}, Context())
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            for one in got:
                if one["MessageId"] not in failed:
                    self.sqs.delete_message(QueueUrl=self.urls.source_url, ReceiptHandle=one["ReceiptHandle"])
        pytest.fail(f"messages still come after {ROUNDS} rounds")

    def redrive(self) -> int:
        """What the operator's ``dead-letters redrive`` does where AWS does not move them by itself."""
        return move(self.sqs, self.urls, 100)

    def dead(self) -> list[str]:
        """The bodies of the dead letters."""
        got = self.sqs.receive_message(QueueUrl=self.urls.dead_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return sorted(one["Body"] for one in got.get("Messages", []))


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """A service of its own, with its queue as the template redrives it."""
    monkeypatch.setattr("einvoice_ops.dead_letters.WAIT_S", 0)
    resources = translate.read(ROOT / "template.yaml")["Resources"]
    receives = int(resources["IssueQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"])
    with running(now=NOW) as service:
        sqs = boto3.client("sqs", region_name=REGION)
        dead = sqs.create_queue(QueueName="issue-dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
        sqs.create_queue(QueueName="issue-queue", Attributes={"RedrivePolicy": policy})
        yield Queue(service, sqs, find_queues(sqs, "issue-queue"), receives)


def enable(queue: Queue, *, enabled: bool) -> None:
    """Switch the merchant on or off, every cache forgetting what it knew."""
    kms = boto3.client("kms", region_name=REGION)
    key_id = kms.list_keys()["Keys"][0]["KeyId"]
    merchants = Merchants(queue.service.dynamodb, kms, TABLE, key_id, lambda: 0.0)
    config = merchants.read_config(MERCHANT)
    assert config is not None
    merchants.put_config(replace(config, enabled=enabled), config.rev)
    queue.service.advance(301)


def test_f25_poison_ends_in_the_dead_letters_as_it_was_and_holds_nobody_up(queue: Queue, logged: StringIO) -> None:
    """Unreadable messages come as often as the queue allows and then lie there; their neighbours are issued once."""
    poison = ["{" + CANARY, json.dumps({"command": "issue", "merchant_id": MERCHANT, "buyer": {"name": CANARY}})]
    queue.send(order("good-1"), poison[0], order("good-2"), poison[1], order("good-3"))
    assert queue.deliver() == queue.receives
    assert queue.dead() == sorted(poison)
    for order_id in ("good-1", "good-2", "good-3"):
        assert len(queue.service.living(order_id)) == 1
    assert len(queue.service.sim.calls(op="Issue")) == 3
    assert "queue_unreadable" in logged.getvalue()
    assert CANARY not in logged.getvalue()
    assert json.dumps(CANARY)[1:-1] not in logged.getvalue()


def test_f26_a_dead_letter_redriven_twice_weeks_later_is_the_same_invoice(queue: Queue) -> None:
    """A copy of a message whose order was issued long ago: done with, both times, no call, the same number."""
    queue.send(order("1001"))
    queue.deliver()
    head = queue.service.head("1001")
    calls = len(queue.service.sim.calls())
    for _ in range(2):
        queue.service.advance(15 * 86400)
        body = json.dumps({"merchant_id": MERCHANT, "command": "issue", **order("1001")})
        queue.sqs.send_message(QueueUrl=queue.urls.dead_url, MessageBody=body)
        assert queue.redrive() == 1
        queue.deliver()
        assert queue.dead() == []
    assert queue.service.head("1001") == head
    assert len(queue.service.sim.calls()) == calls
    assert queue.service.living("1001") == [head.number]


def test_f26_a_dead_letter_of_an_ended_period_is_a_persons(queue: Queue) -> None:
    """Its merchant could not be used until the period was over: no late invoice by itself, and it is not forgotten."""
    sale = order("1001", sold_on="2026-03-20")
    enable(queue, enabled=False)
    queue.send(sale)
    queue.deliver()
    assert len(queue.dead()) == 1
    queue.service.sim.move_clock(now=queue.service.now().replace(month=5, day=2))
    enable(queue, enabled=True)
    for _ in range(2):
        assert queue.redrive() == 1
        queue.deliver()
        assert queue.dead() == []
        body = json.dumps({"merchant_id": MERCHANT, "command": "issue", **sale})
        queue.sqs.send_message(QueueUrl=queue.urls.dead_url, MessageBody=body)
    queue.service.settle(3)
    head = queue.service.head("1001")
    assert (head.state, head.attention["cause"], head.sold_period) == (State.WAITING, "SALE_PERIOD_OVER", "11504")
    assert queue.service.sim.calls() == []
    assert queue.service.issue(sale).body["attention"]["cause"] == "SALE_PERIOD_OVER"
    answer = queue.service.issue({**sale, "late_reason": "佇列延誤，補開"})
    assert (answer.status, answer.body["period"]) == (201, "11506")
    assert len(queue.service.living("1001")) == 1


def test_f26_a_kept_order_may_be_looked_into_and_cancelled(queue: Queue) -> None:
    """Kept for a person, nothing was sent: looked into, it is flagged again; cancelled, it is never issued."""
    queue.service.sim.move_clock(now=queue.service.now().replace(month=5, day=2))
    queue.send(order("1001", sold_on="2026-03-20"))
    queue.deliver()
    head = queue.service.head("1001")
    looked = heads.looked_into(head, wiring.ports().now(), by="operator", reason="看過")
    assert wiring.ports().store.replace(replace(looked, ver=head.ver + 1, write_id="looked")) is None
    queue.service.settle(3)
    assert queue.service.head("1001").attention["cause"] == "SALE_PERIOD_OVER"
    assert queue.service.messages("void", {"command": "void", "order_id": "1001", "reason": "取消"}) == []
    late = queue.service.issue(order("1001", sold_on="2026-03-20", late_reason="補開"))
    assert late.body["code"] == "ORDER_CANCELLED"
    assert queue.service.sim.invoices() == []


@pytest.mark.parametrize("fault", ["http_500_before", "ban"])
def test_law_08_a_long_outage_sends_no_paid_order_to_the_dead_letters(queue: Queue, fault: str) -> None:
    """A centre away for eleven hours, or banning us: each message is received once; all are issued when it is back."""
    order_ids = [f"paid-{number}" for number in range(2)]
    queue.service.sim.fault(fault, times=None)
    queue.send(*[order(order_id) for order_id in order_ids])
    assert queue.deliver() == 1
    for _ in range(HOURS_DOWN * 2):
        queue.service.recover(1800)
        assert queue.deliver() == 0
    assert queue.dead() == []
    queue.service.sim.clear_faults()
    queue.service.settle(10, 600)
    assert all(len(queue.service.living(order_id)) == 1 for order_id in order_ids)
    committed = [call for call in queue.service.sim.calls(op="Issue") if call["committed"]]
    assert len(committed) == len(order_ids)


@pytest.mark.parametrize("moment", ["intent stored", "centre answered"])
def test_law_08_a_message_lost_after_its_intent_is_the_orders_work(queue: Queue, moment: str) -> None:
    """Acknowledged, or its worker dead: the order finishes by itself, and a redelivery meets it."""
    if moment == "centre answered":
        queue.service.sim.fault("drop_after", op="Issue")
        queue.service.sim.fault("http_500_before", op="GetIssue")
        queue.send(order("1001"))
        queue.deliver()
    else:
        queue.service.call("issue", "POST /v1/invoices", order("1001"), left_s=3.5)
    assert invoice_id(OrderKey(MERCHANT, "api", "1001"), 1) == queue.service.issue(order("1001")).body["id"]
    queue.service.settle(5)
    queue.send(order("1001"))
    queue.deliver()
    assert queue.service.living("1001") == [queue.service.head("1001").number]
    assert len(queue.service.sim.calls(op="Issue")) == 1
