"""API keys (API 金鑰) of merchants: ``ek_<key id>_<secret>``, found by id, proved by hash.

The hash is a plain SHA-256 of the whole key, on purpose: the secret is 256 random bits, so there is no dictionary to
slow an attacker down over, and a slow hash would only be paid on every request of ours. Standard library only: the
authorizer of every request imports this.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from einvoice.errors import InvalidRequest, Violation

SCOPES = (
    "invoices:read",
    "invoices:write",
    "invoices:void",
    "invoices:reissue",
    "invoices:allowance",
    "invoices:correct",
)
MAX_LABEL_CHARS = 40

_KEY = re.compile(r"ek_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")  # 43: 32 bytes in base64url
_NO_DIGEST = "0" * 64  # of no key at all; compared with where there is no record, so that both take as long


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What a key is to be: whose, what for, under which name, until when (epoch seconds; None: no end).

    Raises InvalidRequest for scopes that do not exist, none at all, or an empty or overlong label.
    """

    merchant: str
    scopes: tuple[str, ...]
    label: str
    expires_at: int | None = None

    def __post_init__(self) -> None:
        unknown = sorted(set(self.scopes) - set(SCOPES))
        violations = [Violation("SCOPE", "scopes", f"沒有這個權限：{name}") for name in unknown]
        if not self.scopes:
            violations.append(Violation("SCOPE", "scopes", "至少要有一個權限"))
        if not (0 < len(self.label) <= MAX_LABEL_CHARS and self.label.isprintable()):
            violations.append(Violation("LABEL", "label", "名稱須為 1 至 40 個可見字元"))
        if violations:
            raise InvalidRequest(violations)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is stored of a key: everything but the key. Instants are epoch seconds.

    ``replaces``/``replaced_by`` link the two keys of a rotation.
    """

    key_id: str
    merchant: str
    scopes: tuple[str, ...]
    digest: str
    last4: str
    label: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    replaces: str | None = None
    replaced_by: str | None = None

    def live(self, now: int) -> bool:
        """Whether the key opens anything at ``now``: neither revoked nor expired; its last instant is already out."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a verified key allows: this merchant, these scopes."""

    merchant: str
    scopes: tuple[str, ...]
    key_id: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: ``presented`` is the only copy of it, to be shown once; ``repr`` hides it."""

    presented: str
    record: KeyRecord

    def __repr__(self) -> str:
        return f"NewKey({self.record.key_id}, hidden)"


def parse(presented: str) -> str | None:
    """The key id inside a presented key; None if it cannot be one of ours.

    >>> parse("ek_0123456789abcdef_" + "A" * 43)
    '0123456789abcdef'
    >>> parse("ek_0123456789abcdef_short") is None
    True
    """
    match = _KEY.fullmatch(presented)
    return match[1] if match else None


def verify(presented: str, record: KeyRecord | None, now: datetime) -> Grant | None:
    """What ``presented`` allows, compared with the record found by its id in constant time; None: nothing."""
    expected = _NO_DIGEST if record is None else record.digest
    same = hmac.compare_digest(_digest(presented), expected)
    if record is None or not same or not record.live(int(now.timestamp())):
        return None
    return Grant(record.merchant, record.scopes, record.key_id)


def mint(terms: KeyTerms, now: datetime, *, replaces: str | None = None) -> NewKey:
    """A new key on ``terms``."""
    key_id = secrets.token_hex(8)
    presented = f"ek_{key_id}_{secrets.token_urlsafe(32)}"
    record = KeyRecord(
        key_id=key_id,
        merchant=terms.merchant,
        scopes=tuple(scope for scope in SCOPES if scope in terms.scopes),
        digest=_digest(presented),
        last4=presented[-4:],
        label=terms.label,
        created_at=int(now.timestamp()),
        expires_at=terms.expires_at,
        replaces=replaces,
    )
    return NewKey(presented, record)


def record_key(key_id: str) -> tuple[str, str]:
    """Where a key's record stands in the table: one GetItem finds it."""
    return f"K#{key_id}", "K"


def from_record(record: Mapping[str, Any]) -> KeyRecord:
    """A key's record as it was stored."""

    def whole(name: str) -> int | None:
        return None if record.get(name) is None else int(record[name])

    return KeyRecord(
        key_id=record["key_id"],
        merchant=record["merchant"],
        scopes=tuple(record["scopes"]),
        digest=record["digest"],
        last4=record["last4"],
        label=record["label"],
        created_at=int(record["created_at"]),
        expires_at=whole("expires_at"),
        revoked_at=whole("revoked_at"),
        replaces=record.get("replaces"),
        replaced_by=record.get("replaced_by"),
    )


def _digest(presented: str) -> str:
    return hashlib.sha256(presented.encode()).hexdigest()
