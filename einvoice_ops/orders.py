"""Commands on orders (訂單): where one stands and why, which ones wait for a person, and that a person has looked."""

from __future__ import annotations

import argparse
import secrets
from dataclasses import replace
from typing import Any

from einvoice.application.heads import cancellation_forgotten, looked_into
from einvoice.identity import valid_source
from einvoice.merchants import valid_merchant
from einvoice.model import OrderKey
from einvoice.records import audit_writes, merchant_pk
from einvoice.store.base import Head
from einvoice.store.dynamodb import NAMES, DynamoStore, head_of
from einvoice_ops.desk import Desk, OperatorError
from einvoice_ops.text import table, when


def add_commands(subjects: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401  # argparse's type is private
    """Add ``order …``."""
    commands = subjects.add_parser("order", help="where orders stand").add_subparsers(required=True)
    show = commands.add_parser("show", parents=[common], help="state and log; no buyer data but what a flag compares")
    show.add_argument("merchant")
    show.add_argument("source", help="where the order id comes from: api, easystore, ...")
    show.add_argument("order_id")
    show.set_defaults(run=_show)
    flagged = commands.add_parser("flagged", parents=[common], help="orders that wait for a person (a scan)")
    flagged.add_argument("merchant", nargs="?", help="only this merchant's (default: everybody's)")
    flagged.set_defaults(run=_flagged)
    again = commands.add_parser(
        "look-again", parents=[common], help="a person has looked: take the flag off and ask the centre again"
    )
    again.add_argument("merchant")
    again.add_argument("source")
    again.add_argument("order_id")
    again.add_argument(
        "--forget-cancellation", action="store_true", help="also take a stored cancellation back, flagged or not"
    )
    again.add_argument("--reason", required=True, help="what was found and done; kept in the order's log")
    again.set_defaults(run=_look_again)


def head_rows(head: Head) -> list[tuple[str, Any]]:
    """What an operator decides by. The payload and pending corrections are left out: they hold personal data."""
    centre = head.centre
    return [
        ("order", f"{head.key.merchant} / {head.key.source} / {head.key.order_id}"),
        ("state", head.state.value),
        ("cause", head.cause),
        ("attention", head.attention),
        ("generation", head.generation),
        ("invoice", head.number),
        ("issued at", head.issued_at),
        ("period", head.period),
        ("upload", head.upload),
        ("refusal", head.refusal),
        ("wanted", head.want.get("kind")),
        ("reissue under way", head.next.get("mode")),
        ("void reason", head.void_reason),
        ("voided at", head.voided_at),
        ("relate number", head.relate_number),
        ("centre", centre and f"{centre.provider} {centre.account} {centre.credential_id}"),
        ("first sent", when(head.first_sent_at)),
        ("on its way since", when(head.sent_at)),
        ("may land until", when(head.settle_until)),
        ("quiet until", when(head.quiet_until)),
        ("owned until", when(head.lease_until or None)),
        ("next look", when(head.due_at)),
        ("attempts", head.attempts),
        ("earlier invoices", ", ".join(f"{past.get('number') or '?'} ({past.get('state')})" for past in head.past)),
        ("created", when(head.created_at)),
        ("updated", when(head.updated_at)),
        ("version", head.ver),
    ]


def log_rows(log: list[dict[str, Any]]) -> list[list[Any]]:
    """The log as a table, oldest first: its time, then every other field that any entry has."""
    names = list(dict.fromkeys(name for entry in log for name in entry if name != "at"))
    rows: list[list[Any]] = [["at", *names]]
    for entry in log:
        at = entry.get("at")
        rows.append([when(at) if isinstance(at, int) else at, *(entry.get(name) for name in names)])
    return rows


def _show(args: argparse.Namespace, desk: Desk) -> None:
    _, head = _found(args, desk)
    print(table([(name, value) for name, value in head_rows(head)]))
    if head.log:
        print("\n" + table(log_rows(head.log)))


def _found(args: argparse.Namespace, desk: Desk) -> tuple[DynamoStore, Head]:
    if not valid_merchant(args.merchant) or not valid_source(args.source):
        raise OperatorError("merchant or source is not written like one")
    store = DynamoStore(desk.dynamodb, desk.table)
    head = store.read(OrderKey(args.merchant, args.source, args.order_id))
    if head is None:
        raise OperatorError(f"{args.merchant} has no order {args.order_id} from {args.source}")
    return store, head


def _look_again(args: argparse.Namespace, desk: Desk) -> None:
    """Nothing is decided here: recovery takes the order up within a minute, and flags it again if it must."""
    store, head = _found(args, desk)
    forget = args.forget_cancellation and bool(head.want)
    if not head.attention and not forget:
        raise OperatorError("the order is not flagged, or holds no cancellation to forget; nothing was changed")
    now = int(desk.now.timestamp())
    after = cancellation_forgotten(head, now, by=desk.actor, reason=args.reason) if forget else head
    after = looked_into(after, now, by=desk.actor, reason=args.reason)
    after = replace(after, ver=head.ver + 1, write_id=secrets.token_urlsafe(12), updated_at=now)
    if store.replace(after) is not None:
        raise OperatorError("somebody changed the order meanwhile; look again and repeat")
    audit = desk.audit("order look-again", order=args.order_id, forget_cancellation=str(forget))
    desk.records.write(*audit_writes(merchant_pk(args.merchant), audit))
    done = [f"flag {head.attention['cause']} taken off"] if head.attention else []
    done += ["cancellation forgotten"] if forget else []
    print("; ".join([*done, "recovery looks within a minute"]))


def _flagged(args: argparse.Namespace, desk: Desk) -> None:
    if args.merchant is not None and not valid_merchant(args.merchant):
        raise OperatorError("merchant is not written like one")
    # A scan: flags are rare, so no index pays for them, and whoever is called by the alarm asks once.
    pages = desk.dynamodb.get_paginator("scan").paginate(
        TableName=desk.table,
        FilterExpression="attribute_exists(#attention) AND begins_with(pk, :orders)",
        ExpressionAttributeNames={"#attention": NAMES["attention"]},
        ExpressionAttributeValues={":orders": {"S": f"M#{args.merchant}#O#" if args.merchant else "M#"}},
    )
    heads = [head_of(item) for page in pages for item in page["Items"]]
    rows = [
        (head.key.merchant, head.key.source, head.key.order_id, head.state.value, *_flag(head), head.number)
        for head in sorted(heads, key=lambda head: int(head.attention.get("since", 0)))
    ]
    print(table([("merchant", "source", "order", "state", "cause", "since", "invoice"), *rows]))


def _flag(head: Head) -> tuple[Any, str]:
    since = head.attention.get("since")
    return head.attention.get("cause"), when(int(since) if since else None)
