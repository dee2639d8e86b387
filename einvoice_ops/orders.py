"""Commands on orders (訂單): where one stands and why, which ones wait for a person, and that a person has looked."""

from __future__ import annotations

import argparse
import secrets
from dataclasses import replace
from typing import Any

from einvoice.application import allowances, uploads
from einvoice.application.heads import cancellation_forgotten, looked_into
from einvoice.application.planning import forgotten
from einvoice.identity import valid_source
from einvoice.merchants import valid_merchant
from einvoice.model import OrderKey
from einvoice.records import Audit, audit_writes, merchant_pk
from einvoice.store.base import Head
from einvoice.store.dynamodb import DynamoStore
from einvoice.store.items import NAMES, head_of
from einvoice_ops.desk import Desk, OperatorError
from einvoice_ops.order_tables import tables
from einvoice_ops.text import table, when


def add_commands(subjects: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401  # argparse's type is private
    """Add ``order …``."""
    commands = subjects.add_parser("order", help="where orders stand").add_subparsers(required=True)
    show = commands.add_parser(
        "show",
        parents=[common],
        help="state, documents, allowances, corrections and log; no buyer data but what a flag compares",
    )
    _names(show)
    show.set_defaults(run=_show)
    flagged = commands.add_parser("flagged", parents=[common], help="orders that wait for a person (a scan)")
    flagged.add_argument("merchant", nargs="?", help="only this merchant's (default: everybody's)")
    flagged.set_defaults(run=_flagged)
    again = commands.add_parser(
        "look-again", parents=[common], help="a person has looked: take the flag off and ask the centre again"
    )
    _names(again)
    again.add_argument(
        "--forget-cancellation", action="store_true", help="also take a stored cancellation back, flagged or not"
    )
    again.add_argument("--reason", required=True, help="what was found and done; kept in the order's log")
    again.set_defaults(run=_look_again)
    confirm = commands.add_parser("confirm", parents=[common], help="ask now what the ministry made of its documents")
    _names(confirm)
    confirm.set_defaults(run=_confirm)
    forget = commands.add_parser(
        "forget-plan", parents=[common], help="stop a correction that waits; what was done of it stays"
    )
    _names(forget)
    forget.add_argument("--plan", required=True, type=int, help="its number in `order show`")
    forget.add_argument("--reason", required=True, help="why, for the order's log")
    forget.set_defaults(run=_forget_plan)


def _names(command: argparse.ArgumentParser) -> None:
    command.add_argument("merchant")
    command.add_argument("source", help="where the order id comes from: api, easystore, ...")
    command.add_argument("order_id")


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
        ("left of it", int(head.payload.get("total_twd", 0)) - head.allowed_twd if head.number else None),
        ("refusal", head.refusal),
        ("wanted", head.want.get("kind")),
        ("reissue under way", head.next.get("mode")),
        ("void reason", head.void_reason),
        ("voided at", head.voided_at),
        ("upload of the void", head.void_upload),
        ("relate number", head.relate_number),
        ("centre", centre and f"{centre.provider} {centre.account} {centre.credential_id}"),
        ("first sent", when(head.first_sent_at)),
        ("on its way since", when(head.sent_at)),
        ("may land until", when(head.settle_until)),
        ("quiet until", when(head.quiet_until)),
        ("owned until", when(head.lease_until or None)),
        ("next look", when(head.due_at)),
        ("ministry asked at", when(head.confirm_at)),
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
    for title, rows in tables(head):
        print(f"\n{title}\n{table(rows)}")
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
    audit = desk.audit("order look-again", order=args.order_id, forget_cancellation=str(forget))
    _write(desk, store, head, after, audit)
    done = [f"flag {head.attention['cause']} taken off"] if head.attention else []
    done += ["cancellation forgotten"] if forget else []
    print("; ".join([*done, "recovery looks within a minute"]))


def _confirm(args: argparse.Namespace, desk: Desk) -> None:
    """Also for an order whose time to ask was lost: it is put back into the queue."""
    store, head = _found(args, desk)
    asked = any(one["status"] == allowances.ASKED for one in head.allowances)
    if head.due_at is not None:
        raise OperatorError("the order has work to do, and is asked about after that; nothing was changed")
    if not uploads.unconfirmed(head) and not asked:
        raise OperatorError("nothing of this order waits for the ministry or its buyer; nothing was changed")
    after = replace(head, confirm_at=int(desk.now.timestamp()))
    _write(desk, store, head, after, desk.audit("order confirm", order=args.order_id))
    print("the centre is asked within five minutes")


def _forget_plan(args: argparse.Namespace, desk: Desk) -> None:
    """What was done of it stays: an invoice that was allowed in full stays allowed, and is not issued anew."""
    store, head = _found(args, desk)
    now = int(desk.now.timestamp())
    after = forgotten(head, args.plan, now, by=desk.actor, reason=args.reason)
    if after is None:
        raise OperatorError("it has no such open plan, or something is under way just now; nothing was changed")
    audit = desk.audit("order forget-plan", order=args.order_id, plan=str(args.plan), reason=args.reason)
    _write(desk, store, head, after, audit)
    print(f"plan {args.plan} stopped by {desk.actor}; what was done of it stays, see `order show`")


def _write(desk: Desk, store: DynamoStore, head: Head, after: Head, audit: Audit) -> None:
    now = int(desk.now.timestamp())
    after = replace(after, ver=head.ver + 1, write_id=secrets.token_urlsafe(12), updated_at=now)
    if store.replace(after) is not None:
        raise OperatorError("somebody changed the order meanwhile; look again and repeat")
    desk.records.write(*audit_writes(merchant_pk(head.key.merchant), audit))


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
