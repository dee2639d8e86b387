"""Commands on filed periods (申報): once a period is filed nothing of it is void any more, whatever the date."""

from __future__ import annotations

import argparse
import re
from datetime import date, datetime
from typing import Any

from einvoice import wiring
from einvoice.application.filings import filing_key
from einvoice.model import ProviderProfile
from einvoice.records import audit_writes, merchant_pk, new
from einvoice.rules.correction_time import filing_end
from einvoice.store.items import filed_key
from einvoice_ops.desk import Desk, OperatorError
from einvoice_ops.merchants import existing
from einvoice_ops.text import table, when

PERIOD = re.compile(r"([0-9]{3})(0[1-9]|1[0-2])")
ROC = 1911


def add_commands(subjects: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401  # argparse's type is private
    """Add ``filing …``."""
    commands = subjects.add_parser("filing", help="which periods a merchant has filed").add_subparsers(required=True)
    mark = commands.add_parser("mark", parents=[common], help="a period was filed; cannot be taken back")
    mark.add_argument("merchant")
    mark.add_argument("period", help="ROC year and even month, 11502; for monthly filers the month, 11501")
    mark.add_argument("--at", help="when, RFC 3339 with its offset (default: now)")
    mark.set_defaults(run=_mark)
    show = commands.add_parser("show", parents=[common], help="the filed periods, and when")
    show.add_argument("merchant")
    show.set_defaults(run=_show)


def end_of(period: str, profile: ProviderProfile) -> datetime:
    """The last second of what is filed as ``period``. Raises OperatorError for what this merchant does not file by."""
    named = PERIOD.fullmatch(period)
    day = date(ROC + int(named[1]), int(named[2]), 1) if named and int(named[1]) else None
    if day is None or filing_key(day, profile) != period:
        raise OperatorError(f"{period} is no period of a merchant that files {profile.filing}")
    return filing_end(day, profile)


def _mark(args: argparse.Namespace, desk: Desk) -> None:
    config = existing(desk, args.merchant)
    end = end_of(args.period, config.profile(wiring.PROFILES[config.provider]))
    at = _instant(args.at) if args.at else desk.now
    if not end < at <= desk.now:
        raise OperatorError(f"{args.period} can have been filed after {end.isoformat()}, and not in the future")
    key = filed_key(args.merchant, args.period)
    audit = desk.audit("filing mark", period=args.period, filed_at=at.isoformat())
    record = {"at": int(at.timestamp())}
    pk = merchant_pk(args.merchant)
    desk.records.write(new((key["pk"]["S"], key["sk"]["S"]), record), *audit_writes(pk, audit))
    print(f"merchant {args.merchant}: {args.period} filed at {when(record['at'])}, by {audit.actor}")
    print("from now on its invoices are allowed, not void")


def _show(args: argparse.Namespace, desk: Desk) -> None:
    existing(desk, args.merchant)
    prefix = filed_key(args.merchant, "")["sk"]["S"]
    marks = desk.records.listed(merchant_pk(args.merchant), prefix)
    print(table([("period", "filed at"), *((m["sk"].removeprefix(prefix), when(int(m["at"]))) for m in marks)]))


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.utcoffset() is None:
        raise OperatorError(f"{text} is not an instant with its offset, such as 2026-03-10T09:00:00+08:00")
    return at
