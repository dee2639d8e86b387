"""Commands on credentials (憑證) of a merchant's centre accounts: add, use, list. Key material never stands in argv."""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from einvoice.merchants import Secret
from einvoice_ops.desk import Desk, OperatorError
from einvoice_ops.merchants import change, existing
from einvoice_ops.text import table, when

MAX_INPUT_CHARS = 1024


def add_commands(subjects: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401  # argparse's type is private
    """Add ``credential …``."""
    commands = subjects.add_parser("credential", help="keys of the centre accounts").add_subparsers(required=True)
    add = commands.add_parser("add", parents=[common], help="store a new credential; it is not in use yet")
    add.add_argument("merchant")
    add.add_argument("credential_id", help="a new name, for instance the month: 2026-11")
    add.add_argument("--account", help="the account it belongs to (default: the merchant's present one)")
    add.add_argument("--file", type=Path, help="two lines, HashKey then HashIV (default: standard input)")
    add.set_defaults(run=_add)
    use = commands.add_parser("use", parents=[common], help="new orders use this credential, and its account")
    use.add_argument("merchant")
    use.add_argument("credential_id")
    use.add_argument("--switch-account", action="store_true", help="yes, it belongs to another account")
    use.set_defaults(run=_use)
    listing = commands.add_parser("list", parents=[common], help="what is stored, newest first; never key material")
    listing.add_argument("merchant")
    listing.set_defaults(run=_list)
    for command in (add, use):
        command.add_argument("--kms-key", help="the key that seals secrets (default: KMS_KEY_ID)")


def _add(args: argparse.Namespace, desk: Desk) -> None:
    account = args.account or existing(desk, args.merchant).account
    existing(desk, args.merchant)
    secret = _read_secret(args.file)
    audit = desk.audit("credential add", credential_id=args.credential_id, account=account)
    desk.merchants(sealing=True).put_secret(
        args.merchant, args.credential_id, secret, account=account, now=desk.now, audit=audit
    )
    print(f"merchant {args.merchant}: credential {args.credential_id} of account {account} stored, by {audit.actor}")
    print(f"next: credential use {args.merchant} {args.credential_id}")


def _use(args: argparse.Namespace, desk: Desk) -> None:
    before = existing(desk, args.merchant)
    merchants = desk.merchants(sealing=True)
    accounts = {c.credential_id: c.account for c in merchants.credentials(args.merchant)}
    account = accounts.get(args.credential_id)
    if account is None:
        raise OperatorError(f"merchant {args.merchant} has no credential {args.credential_id}")
    if account != before.account and not args.switch_account:
        raise OperatorError(f"it belongs to account {account}, not {before.account}: add --switch-account if meant")
    merchants.secret(args.merchant, args.credential_id)  # what cannot be opened is not taken into use
    change(desk, before, replace(before, account=account, credential_id=args.credential_id), "credential use")


def _list(args: argparse.Namespace, desk: Desk) -> None:
    in_use = existing(desk, args.merchant).credential_id
    found = desk.merchants().credentials(args.merchant)
    rows = [
        (c.credential_id, c.account, when(c.created_at), "in use" if c.credential_id == in_use else "") for c in found
    ]
    print(table([("credential", "account", "stored at", "state"), *rows]))


def _read_secret(path: Path | None) -> Secret:
    if path is None and sys.stdin.isatty():
        return Secret(getpass.getpass("HashKey: ").strip(), getpass.getpass("HashIV: ").strip())
    if path is None:
        text = sys.stdin.read(MAX_INPUT_CHARS)
    else:
        try:
            text = path.read_text(encoding="utf-8-sig")[:MAX_INPUT_CHARS]
        except (OSError, UnicodeDecodeError) as error:
            raise OperatorError(f"cannot read {path}: {type(error).__name__}") from error
    lines = text.split()
    if len(lines) != 2:  # noqa: PLR2004  # HashKey and HashIV
        raise OperatorError("give two lines: HashKey, then HashIV")
    return Secret(lines[0], lines[1])
