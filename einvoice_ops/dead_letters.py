"""Commands on dead letters (死信佇列): count them, send them back.

Sending back is safe to repeat: an order that has its invoice answers a second message with that invoice.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from einvoice.merchants import valid_merchant
from einvoice.records import audit_writes
from einvoice_ops.desk import Desk, OperatorError
from einvoice_ops.text import table

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

AUDIT_PK = "OPS"  # a queue belongs to no merchant
DEFAULT_MAX = 1000
BATCH = 10
WAIT_S = 1  # an answer without messages after a wait means that there are none; without one it may not
HELD_S = 60  # how long a received message stays ours; one that could not be sent is back after this

# How services that cannot move messages by themselves say so.
_NO_MOVE_TASK = frozenset(
    {
        "AWS.SimpleQueueService.UnsupportedOperation",
        "UnsupportedOperation",
        "InvalidAction",
        "UnknownOperationException",
    }
)


@dataclass(frozen=True, slots=True)
class Queues:
    """A dead-letter queue and the queue its messages came from."""

    dead_url: str
    dead_arn: str
    source_url: str


def add_commands(subjects: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401  # argparse's type is private
    """Add ``dead-letters …``."""
    commands = subjects.add_parser("dead-letters", help="messages nobody could work off").add_subparsers(required=True)
    counting = commands.add_parser("count", parents=[common], help="how many there are")
    counting.add_argument("queue", nargs="+", help="name or address of a queue, or of its dead-letter queue")
    counting.set_defaults(run=_count)
    back = commands.add_parser("redrive", parents=[common], help="send them back to the queue they came from")
    back.add_argument("queue", help="name or address of a queue, or of its dead-letter queue")
    back.add_argument(
        "--max", type=int, help=f"at most so many, one by one (where AWS moves them: all; else {DEFAULT_MAX})"
    )
    back.set_defaults(run=_redrive)


def find_queues(sqs: SQSClient, queue: str) -> Queues:
    """The pair that ``queue`` is one of. Raises OperatorError where it is not clear which."""
    url = queue if queue.startswith(("http://", "https://")) else sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    if "RedrivePolicy" in attributes:
        dead_arn = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"]
        return Queues(sqs.get_queue_url(QueueName=dead_arn.rsplit(":", 1)[1])["QueueUrl"], dead_arn, url)
    sources = sqs.list_dead_letter_source_queues(QueueUrl=url)["queueUrls"]
    if len(sources) != 1:
        raise OperatorError(f"{queue} takes the dead letters of {len(sources)} queues: name the queue they came from")
    return Queues(url, attributes["QueueArn"], sources[0])


def start_move(sqs: SQSClient, queues: Queues) -> bool:
    """Have AWS move every message back; False where the service cannot."""
    try:
        sqs.start_message_move_task(SourceArn=queues.dead_arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in _NO_MOVE_TASK:
            return False
        raise
    return True


def move(sqs: SQSClient, queues: Queues, limit: int) -> int:
    """Send back at most ``limit`` messages, one by one; returns how many. Each is deleted only after it was sent.

    A message keeps its group, which is its merchant: without it, one merchant's backlog would delay all others.
    """
    moved = 0
    while moved < limit:
        received = sqs.receive_message(
            QueueUrl=queues.dead_url,
            MaxNumberOfMessages=min(BATCH, limit - moved),
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
            VisibilityTimeout=HELD_S,
            WaitTimeSeconds=WAIT_S,
        )
        messages = received.get("Messages", [])
        if not messages:
            break
        for message in messages:
            sqs.send_message(**_again(queues.source_url, message))
            sqs.delete_message(QueueUrl=queues.dead_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def _again(url: str, message: MessageTypeDef) -> Any:  # noqa: ANN401  # keyword arguments of send_message, as received
    sending: dict[str, Any] = {"QueueUrl": url, "MessageBody": message["Body"]}
    group = message.get("Attributes", {}).get("MessageGroupId") or _merchant_in(message["Body"])
    if group:
        sending["MessageGroupId"] = group
    if message.get("MessageAttributes"):
        sending["MessageAttributes"] = message["MessageAttributes"]
    return sending


def _merchant_in(body: str) -> str | None:
    """The merchant a message names; None if it cannot be read, which may be why it died."""
    try:
        merchant = json.loads(body)["merchant_id"]
    except (ValueError, KeyError, TypeError):
        return None
    return merchant if isinstance(merchant, str) and valid_merchant(merchant) else None


def _count(args: argparse.Namespace, desk: Desk) -> None:
    rows: list[tuple[str, str, str]] = [("dead-letter queue", "waiting", "being read")]
    for queue in args.queue:
        url = find_queues(desk.sqs, queue).dead_url
        found = desk.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        waiting, read = found["ApproximateNumberOfMessages"], found["ApproximateNumberOfMessagesNotVisible"]
        rows.append((url.rsplit("/", 1)[1], waiting, read))
    print(table(rows))


def _redrive(args: argparse.Namespace, desk: Desk) -> None:
    if args.max is not None and args.max < 1:
        raise OperatorError("--max must be at least 1")
    queues = find_queues(desk.sqs, args.queue)
    dead, source = queues.dead_url.rsplit("/", 1)[1], queues.source_url.rsplit("/", 1)[1]
    bound = "all" if args.max is None else str(args.max)
    # Before the first message moves: a redrive that is cut off has its entry too.
    audit = desk.audit("dead-letters redrive", dead_letter_queue=dead, queue=source, max=bound)
    desk.records.write(*audit_writes(AUDIT_PK, audit))
    if args.max is None and start_move(desk.sqs, queues):
        print(
            f"{dead}: AWS is moving every message back to {source}, by {audit.actor}; follow it with dead-letters count"
        )
        return
    limit = DEFAULT_MAX if args.max is None else args.max
    moved = move(desk.sqs, queues, limit)
    print(f"{dead}: {moved} sent back to {source}, by {audit.actor}")
    if moved == limit:
        print("that was the limit; there may be more")
