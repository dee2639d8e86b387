"""Commands on merchants (商家): create, show, set, disable, enable."""

from __future__ import annotations

import argparse
import os
from dataclasses import fields, replace
from typing import Any

from einvoice.merchants import MerchantConfig, Settings, target_allowed
from einvoice.merchants.config import ORIGINS, PROVIDERS, UPLOAD_STEPS
from einvoice.merchants.repository import CACHE_S
from einvoice.records import AUDIT_PREFIX, merchant_pk
from einvoice_ops.desk import Desk, OperatorError
from einvoice_ops.text import plain, table, when

SHOWN_AUDITS = 10
NO_STEP = "none"  # upload_first=none: nothing waits; NAME= alone goes back to the centre's own


def add_commands(subjects: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401  # argparse's type is private
    """Add ``merchant …``."""
    commands = subjects.add_parser("merchant", help="who may issue, and where").add_subparsers(required=True)
    create = commands.add_parser("create", parents=[common], help="a new merchant, without a credential yet")
    create.add_argument("merchant")
    create.add_argument("--account", required=True, help="the centre's account, ECPay: MerchantID")
    create.add_argument("--provider", choices=sorted(PROVIDERS), default="ecpay")
    create.add_argument("--live", action="store_true", help="issues real invoices; never changes afterwards")
    create.add_argument("--base-url", help="another address, listed in ALLOWED_PRIVATE_TARGETS (local runs)")
    create.add_argument("settings", nargs="*", metavar="NAME=VALUE", help=_settings_help())
    create.set_defaults(run=_create)
    change = commands.add_parser("set", parents=[common], help="change settings; NAME= goes back to the centre's own")
    change.add_argument("merchant")
    change.add_argument("settings", nargs="+", metavar="NAME=VALUE", help=_settings_help())
    change.set_defaults(run=_set)
    for name, run, text in (
        ("show", _show, "settings, credentials and the last changes"),
        ("disable", _disable, "nothing new is issued; what was begun is still finished"),
        ("enable", _enable, "issues again"),
    ):
        command = commands.add_parser(name, parents=[common], help=text)
        command.add_argument("merchant")
        command.set_defaults(run=run)


def existing(desk: Desk, merchant: str) -> MerchantConfig:
    """The merchant's settings as they stand now."""
    config = desk.merchants().read_config(merchant)
    if config is None:
        raise OperatorError(f"there is no merchant {merchant}")
    return config


def change(desk: Desk, before: MerchantConfig, after: MerchantConfig, action: str) -> None:
    """Store changed settings with their audit entry, and print what changed; nothing is written where nothing did."""
    changes = _differences(before, after)
    if not changes:
        print(f"merchant {before.merchant}: nothing to change")
        return
    audit = desk.audit(action, **changes)
    stored = desk.merchants().put_config(after, before.rev, audit=audit)
    print(f"merchant {before.merchant}: revision {before.rev} -> {stored.rev}, by {audit.actor}")
    for name, text in changes.items():
        print(f"  {name}: {text}")
    print(f"in force everywhere within {CACHE_S:.0f} seconds")


def _create(args: argparse.Namespace, desk: Desk) -> None:
    base_url = args.base_url or ORIGINS[(args.provider, args.live)]
    private = frozenset(filter(None, os.environ.get("ALLOWED_PRIVATE_TARGETS", "").split(",")))
    if not target_allowed(base_url, private):
        raise OperatorError(f"{base_url} is neither a centre's address nor listed in ALLOWED_PRIVATE_TARGETS")
    config = MerchantConfig(
        merchant=args.merchant,
        provider=args.provider,
        account=args.account,
        base_url=base_url,
        live=args.live,
        settings=_settings(Settings(), args.settings),
    )
    audit = desk.audit("merchant create", account=args.account, base_url=base_url, live=str(args.live))
    desk.merchants().put_config(config, audit=audit)
    print(f"merchant {args.merchant}: created for account {args.account} at {base_url}, by {audit.actor}")
    print(f"next: credential add {args.merchant} ID, then credential use {args.merchant} ID")


def _set(args: argparse.Namespace, desk: Desk) -> None:
    before = existing(desk, args.merchant)
    change(desk, before, replace(before, settings=_settings(before.settings, args.settings)), "merchant set")


def _disable(args: argparse.Namespace, desk: Desk) -> None:
    before = existing(desk, args.merchant)
    change(desk, before, replace(before, enabled=False), "merchant disable")


def _enable(args: argparse.Namespace, desk: Desk) -> None:
    before = existing(desk, args.merchant)
    change(desk, before, replace(before, enabled=True), "merchant enable")


def _show(args: argparse.Namespace, desk: Desk) -> None:
    config = existing(desk, args.merchant)
    rows = [(f.name, getattr(config, f.name)) for f in fields(MerchantConfig) if f.name != "settings"]
    rows += [(name, _shown(value, "as the centre")) for name, value in _values(config.settings).items()]
    print(table(rows))
    credentials = desk.merchants().credentials(config.merchant)
    heading = ("credential", "account", "stored at", "")
    print("\n" + table([heading, *((c.credential_id, c.account, when(c.created_at), "") for c in credentials)]))
    audits = desk.records.listed(merchant_pk(config.merchant), AUDIT_PREFIX, limit=SHOWN_AUDITS, newest_first=True)
    print(f"\nlast changes (at most {SHOWN_AUDITS}, newest first)")
    for audit in audits:
        details = ", ".join(f"{name}: {text}" for name, text in sorted(audit["details"].items()))
        print(plain(f"{audit['at']}  {audit['actor']}  {audit['action']}  {details}"))


def _settings(before: Settings, assignments: list[str]) -> Settings:
    values = before.given()
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise OperatorError(f"{assignment}: write NAME=VALUE")
        values[name] = _typed(name, text)
    return Settings.from_mapping(values)


def _typed(name: str, text: str) -> str | int | bool | list[str] | None:
    if name == "upload_first" and text:
        return [] if text == NO_STEP else text.split(",")
    if text in ("true", "false"):
        return text == "true"
    if text.isascii() and text.isdigit():
        return int(text)
    return text or None


def _values(settings: Settings) -> dict[str, Any]:
    return {f.name: getattr(settings, f.name) for f in fields(Settings)}


def _differences(before: MerchantConfig, after: MerchantConfig) -> dict[str, str]:
    def flat(config: MerchantConfig) -> dict[str, Any]:
        own = {f.name: getattr(config, f.name) for f in fields(MerchantConfig) if f.name not in ("settings", "rev")}
        return own | _values(config.settings)

    old, new = flat(before), flat(after)
    return {name: f"{plain(_shown(old[name]))} -> {plain(_shown(new[name]))}" for name in old if old[name] != new[name]}


def _shown(value: Any, absent: str | None = None) -> Any:  # noqa: ANN401  # any setting
    """A setting as it would be typed; ``absent`` for one that is not given."""
    if isinstance(value, frozenset):
        return ",".join(step for step in UPLOAD_STEPS if step in value) or NO_STEP
    return absent if value is None else value


def _settings_help() -> str:
    names = ", ".join(f.name for f in fields(Settings))
    return f"{names}; upload_first is {NO_STEP} or a list with commas of {', '.join(UPLOAD_STEPS)}"
