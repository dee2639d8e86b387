"""API keys in the table (API 金鑰庫): found by id for the authorizer, made, rotated and revoked by operators.

A key's record stands alone (``K#<key id>``), with a pointer under its merchant (``KEY#<key id>``) for listing;
both are written in one transaction.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING

from einvoice.api_keys import KeyRecord, KeyTerms, NewKey, from_record, mint, record_key
from einvoice.errors import EinvoiceError
from einvoice.records import Audit, Records, Write, audit_writes, merchant_pk, new

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DEFAULT_GRACE_S = 24 * 3600
_POINTER = "KEY#"


class KeyRefusedError(EinvoiceError):
    """An operation on keys that must not be done now; the sentence says why and what to do instead."""


class ApiKeys:
    """The keys of every merchant. Raises StoreUnavailable, and ChangedMeanwhileError where somebody else was faster."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._records = Records(client, table_name)

    def find(self, key_id: str) -> KeyRecord | None:
        """The record of one key, strongly consistent, in one read."""
        record = self._records.get(record_key(key_id))
        return None if record is None else from_record(record)

    def listed(self, merchant: str) -> list[KeyRecord]:
        """Every key the merchant ever had, oldest first."""
        pointers = self._records.listed(merchant_pk(merchant), _POINTER)
        found = [record for pointer in pointers if (record := self.find(pointer["key_id"])) is not None]
        return sorted(found, key=lambda record: (record.created_at, record.key_id))

    def issue(self, terms: KeyTerms, now: datetime, *, audit: Audit | None = None) -> NewKey:
        """Make a key. Refused while a key with the same label lives: that one is rotated instead."""
        made = mint(terms, now)
        for record in self.listed(terms.merchant):
            if record.label == terms.label and record.live(made.record.created_at):
                raise KeyRefusedError(
                    f"key {record.key_id} is live under the label {record.label!r}: rotate it instead"
                )
        self._records.write(*_new_key(made.record), *audit_writes(merchant_pk(terms.merchant), audit))
        return made

    def rotate(
        self, merchant: str, key_id: str, now: datetime, *, grace_s: int = DEFAULT_GRACE_S, audit: Audit | None = None
    ) -> NewKey:
        """Make the successor of a live key, which itself ends ``grace_s`` seconds from now, or sooner if it was to.

        A key has one successor, made once, and only when the key it replaced itself no longer lives: so there are
        never more than two live keys in a line.
        """
        if grace_s < 0:
            raise ValueError("grace_s must not be negative")
        instant = int(now.timestamp())
        old = self._live(merchant, key_id, instant)
        if old.replaced_by is not None:
            raise KeyRefusedError(f"key {key_id} was already replaced by {old.replaced_by}: rotate that one")
        before = self.find(old.replaces) if old.replaces else None
        # No race here: a key that no longer lives never does again.
        if before is not None and before.live(instant):
            raise KeyRefusedError(f"key {before.key_id}, replaced by this one, is still live: revoke it first")
        made = mint(KeyTerms(old.merchant, old.scopes, old.label), now, replaces=key_id)
        ends_at = instant + grace_s
        ending = replace(
            old,
            replaced_by=made.record.key_id,
            expires_at=ends_at if old.expires_at is None else min(old.expires_at, ends_at),
        )
        self._records.write(_over(old, ending), *_new_key(made.record), *audit_writes(merchant_pk(old.merchant), audit))
        return made

    def revoke(self, merchant: str, key_id: str, now: datetime, *, audit: Audit | None = None) -> KeyRecord:
        """End a key at once. Refused if it no longer lives."""
        instant = int(now.timestamp())
        old = self._live(merchant, key_id, instant)
        revoked = replace(old, revoked_at=instant)
        self._records.write(_over(old, revoked), *audit_writes(merchant_pk(old.merchant), audit))
        return revoked

    def _live(self, merchant: str, key_id: str, instant: int) -> KeyRecord:
        record = self.find(key_id)
        if record is None or record.merchant != merchant:
            raise KeyRefusedError(f"{merchant} has no key {key_id}")
        if not record.live(instant):
            raise KeyRefusedError(f"key {key_id} no longer lives")
        return record


def _new_key(record: KeyRecord) -> tuple[Write, Write]:
    pointer = (merchant_pk(record.merchant), _POINTER + record.key_id)
    return new(record_key(record.key_id), asdict(record)), new(pointer, {"key_id": record.key_id})


def _over(old: KeyRecord, changed: KeyRecord) -> Write:
    """Replace a record that is still what was read: only these three ever change."""
    return Write(
        record_key(old.key_id),
        asdict(changed),
        "#expires = :expires AND #revoked = :revoked AND #replaced = :replaced",
        {"#expires": "expires_at", "#revoked": "revoked_at", "#replaced": "replaced_by"},
        {":expires": old.expires_at, ":revoked": old.revoked_at, ":replaced": old.replaced_by},
    )
