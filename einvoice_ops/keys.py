"""Commands on API keys (API 金鑰): issue, list, rotate, revoke. A key is printed once, when it is made."""

from __future__ import annotations

import argparse
from typing import Any

from einvoice.api_key_store import DEFAULT_GRACE_S
from einvoice.api_keys import SCOPES, KeyRecord, KeyTerms, NewKey
from einvoice_ops.desk import Desk
from einvoice_ops.merchants import existing
from einvoice_ops.text import table, when

DAY_S = 24 * 3600
HOUR_S = 3600


def add_commands(subjects: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401  # argparse's type is private
    """Add ``key …``."""
    commands = subjects.add_parser("key", help="API keys of merchants").add_subparsers(required=True)
    issue = commands.add_parser("issue", parents=[common], help="a new key, printed once")
    issue.add_argument("merchant")
    issue.add_argument("--label", required=True, help="who or what uses it")
    issue.add_argument("--scope", required=True, action="append", choices=SCOPES, help="may be given several times")
    issue.add_argument("--days", type=_positive, help="how long it lives (default: until it is revoked)")
    issue.set_defaults(run=_issue)
    listing = commands.add_parser("list", parents=[common], help="every key the merchant ever had")
    listing.add_argument("merchant")
    listing.set_defaults(run=_list)
    rotate = commands.add_parser("rotate", parents=[common], help="a successor, printed once; the old key ends later")
    rotate.add_argument("--grace-hours", type=_count, default=DEFAULT_GRACE_S // HOUR_S, help="0: the old ends at once")
    rotate.set_defaults(run=_rotate)
    revoke = commands.add_parser("revoke", parents=[common], help="end a key at once")
    revoke.set_defaults(run=_revoke)
    for command in (rotate, revoke):
        command.add_argument("merchant")
        command.add_argument("key_id", help="the 16 characters after ek_, as key list shows them")


def _issue(args: argparse.Namespace, desk: Desk) -> None:
    existing(desk, args.merchant)
    now = desk.now
    expires_at = None if args.days is None else int(now.timestamp()) + args.days * DAY_S
    terms = KeyTerms(args.merchant, tuple(args.scope), args.label, expires_at)
    audit = desk.audit("key issue", label=args.label, scopes=" ".join(args.scope), expires_at=when(expires_at))
    made = desk.keys.issue(terms, now, audit=audit)
    print(f"merchant {args.merchant}: key {made.record.key_id} ({args.label}) issued, by {audit.actor}")
    _print_once(made)


def _rotate(args: argparse.Namespace, desk: Desk) -> None:
    audit = desk.audit("key rotate", key_id=args.key_id, grace_hours=str(args.grace_hours))
    made = desk.keys.rotate(args.merchant, args.key_id, desk.now, grace_s=args.grace_hours * HOUR_S, audit=audit)
    old = desk.keys.find(args.key_id)
    print(f"merchant {args.merchant}: key {args.key_id} replaced by {made.record.key_id}, by {audit.actor}")
    print(f"the old key ends at {when(old.expires_at if old else None)}")
    _print_once(made)


def _revoke(args: argparse.Namespace, desk: Desk) -> None:
    audit = desk.audit("key revoke", key_id=args.key_id)
    revoked = desk.keys.revoke(args.merchant, args.key_id, desk.now, audit=audit)
    print(f"merchant {args.merchant}: key {args.key_id} revoked at {when(revoked.revoked_at)}, by {audit.actor}")


def _list(args: argparse.Namespace, desk: Desk) -> None:
    existing(desk, args.merchant)
    instant = int(desk.now.timestamp())
    heading = ("key", "ends in", "label", "state", "made", "expires", "scopes")
    rows = [
        (r.key_id, r.last4, r.label, _state(r, instant), when(r.created_at), when(r.expires_at), " ".join(r.scopes))
        for r in desk.keys.listed(args.merchant)
    ]
    print(table([heading, *rows]))


def _state(record: KeyRecord, instant: int) -> str:
    if record.revoked_at is not None:
        return f"revoked {when(record.revoked_at)}"
    if not record.live(instant):
        return "expired"
    return "live, being replaced" if record.replaced_by else "live"


def _print_once(made: NewKey) -> None:
    print("the key, shown this once and stored nowhere:")
    print(made.presented)


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def _positive(text: str) -> int:
    number = _count(text)
    if number == 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
