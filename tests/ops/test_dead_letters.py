"""Dead letters go back to the queue they came from, each with its merchant's group, and none is lost on the way."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from einvoice.records import Records
from einvoice_ops.cli import main
from einvoice_ops.dead_letters import find_queues, move, start_move
from einvoice_ops.desk import OperatorError
from tests.aws import TABLE


@pytest.fixture
def queues(aws, monkeypatch):
    """A queue and its dead-letter queue, by name."""
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setattr("einvoice_ops.dead_letters.BATCH", 3)
    monkeypatch.setattr("einvoice_ops.dead_letters.WAIT_S", 0)
    dead = aws.sqs.create_queue(QueueName="issue-dead")["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    aws.sqs.create_queue(QueueName="issue-queue", Attributes={"RedrivePolicy": policy})
    return find_queues(aws.sqs, "issue-queue")


def put(aws, queues, count: int) -> None:
    """Put so many dead letters, each of another merchant."""
    for number in range(count):
        body = json.dumps({"command": "issue", "merchant_id": f"shop-{number}", "order_id": str(number)})
        aws.sqs.send_message(
            QueueUrl=queues.dead_url,
            MessageBody=body,
            MessageGroupId=f"shop-{number}",
            MessageAttributes={"trace": {"DataType": "String", "StringValue": f"t{number}"}},
        )


def waiting(aws, url: str) -> int:
    """How many messages a queue holds, also those being read."""
    found = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])


def taken(aws, url: str) -> list[dict]:
    """Everything a queue gives."""
    found = []
    while messages := aws.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        found += messages
    return found


def test_either_queue_of_a_pair_names_it(aws, queues):
    """At three in the morning nobody should have to remember which of the two is meant."""
    assert find_queues(aws.sqs, "issue-dead") == queues
    assert find_queues(aws.sqs, queues.dead_url) == queues


def test_a_queue_without_a_pair_is_refused(aws, queues):
    """Nothing is sent where it is not clear where to."""
    aws.sqs.create_queue(QueueName="alone")
    with pytest.raises(OperatorError):
        find_queues(aws.sqs, "alone")


def test_every_message_goes_back_as_it_was(aws, queues):
    """Body, attributes and group, so that the queue stays fair between merchants."""
    put(aws, queues, 7)
    assert move(aws.sqs, queues, 100) == 7
    assert waiting(aws, queues.dead_url) == 0
    back = taken(aws, queues.source_url)
    seen = {(m["Attributes"]["MessageGroupId"], json.loads(m["Body"])["merchant_id"]) for m in back}
    assert seen == {(f"shop-{n}", f"shop-{n}") for n in range(7)}
    assert {m["MessageAttributes"]["trace"]["StringValue"] for m in back} == {f"t{n}" for n in range(7)}


@pytest.mark.parametrize(
    ("body", "group"),
    [('{"merchant_id": "a-shop"}', "a-shop"), ('{"merchant_id": "A#"}', None), ("[]", None), ("not json", None)],
)
def test_a_message_without_a_group_gets_its_merchants(aws, queues, body, group):
    """Taken from the body where that can be read; an unreadable one goes back all the same."""
    aws.sqs.send_message(QueueUrl=queues.dead_url, MessageBody=body)
    assert move(aws.sqs, queues, 10) == 1
    (message,) = taken(aws, queues.source_url)
    assert (message["Body"], message["Attributes"].get("MessageGroupId")) == (body, group)


def test_the_limit_holds(aws, queues):
    """No more than asked for, the rest stays where it is."""
    put(aws, queues, 7)
    assert move(aws.sqs, queues, 4) == 4
    assert (waiting(aws, queues.source_url), waiting(aws, queues.dead_url)) == (4, 3)


def test_a_message_that_could_not_be_sent_is_not_deleted(aws, queues):
    """It is back in the dead-letter queue after a minute."""
    put(aws, queues, 3)

    def refuse(model, **_):
        if model.name == "SendMessage":
            raise aws.sqs.exceptions.QueueDoesNotExist({"Error": {"Code": "x", "Message": ""}}, model.name)

    aws.sqs.meta.events.register("before-call.sqs", refuse)
    with pytest.raises(aws.sqs.exceptions.QueueDoesNotExist):
        move(aws.sqs, queues, 10)
    assert waiting(aws, queues.dead_url) == 3


def answering(status: int, error: str):
    """A hook of botocore's that answers in the service's place; moto does not know this operation."""
    parsed = {"Error": {"Code": error, "Message": ""}, "ResponseMetadata": {}} if error else {"TaskHandle": "h"}
    return lambda **_: (SimpleNamespace(status_code=status), parsed)


@pytest.mark.parametrize(("status", "error", "moved"), [(200, "", True), (400, "UnsupportedOperation", False)])
def test_aws_moves_the_messages_where_it_can(aws, queues, status, error, moved):
    """One call instead of thousands; where the service cannot, that is known before anything moved."""
    aws.sqs.meta.events.register("before-call.sqs.StartMessageMoveTask", answering(status, error))
    assert start_move(aws.sqs, queues) is moved


def test_a_refused_move_is_an_error_and_not_a_reason_to_loop(aws, queues):
    """Missing permission is told, not worked around."""
    aws.sqs.meta.events.register("before-call.sqs.StartMessageMoveTask", answering(403, "AccessDenied"))
    with pytest.raises(aws.sqs.exceptions.ClientError):
        start_move(aws.sqs, queues)


def test_count_and_redrive_by_command(aws, queues, capsys):
    """Counted, sent back, entered in the audit; message bodies are never printed."""
    put(aws, queues, 5)
    assert main(["dead-letters", "count", "issue-queue"]) == 0
    counted = capsys.readouterr().out
    assert counted.splitlines()[1].split() == ["issue-dead", "5", "0"]
    assert main(["dead-letters", "redrive", "issue-dead", "--max", "4", "--actor", "on-call"]) == 0
    assert main(["dead-letters", "redrive", "issue-dead", "--max", "0"]) == 1
    assert main(["dead-letters", "redrive", "no-such-queue", "--max", "1"]) == 3
    said = "".join(capsys.readouterr())
    assert "shop-1" not in counted + said
    assert (waiting(aws, queues.source_url), waiting(aws, queues.dead_url)) == (4, 1)
    (entry,) = Records(aws.dynamodb, TABLE).listed("OPS", "AUDIT#")
    assert (entry["actor"], entry["action"], entry["details"]["max"]) == ("on-call", "dead-letters redrive", "4")
