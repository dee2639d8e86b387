"""Merchants and credentials in the table (商家與憑證): cached reads for functions, audited writes for operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from einvoice.errors import InvalidRequest, MerchantUnusable, Violation
from einvoice.merchants.cache import ExpiringCache
from einvoice.merchants.config import MerchantConfig, from_record, to_record, valid_credential_id, valid_merchant
from einvoice.merchants.secret import Secret, Vault
from einvoice.records import Audit, Record, Records, Write, audit_writes, merchant_pk, new

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

CACHE_S = 300.0  # a change at the operator's desk is in force everywhere after this
CACHE_ENTRIES = 512  # of settings, and as many secrets


@dataclass(frozen=True, slots=True)
class Credential:
    """What is known of a stored credential (憑證) without opening it. ``created_at`` is epoch seconds."""

    credential_id: str
    account: str
    created_at: int


class Merchants:
    """Settings and secrets by merchant; safe to share between threads.

    Reads raise MerchantUnusable(cause) — UNKNOWN_MERCHANT, CONFIG_INVALID, DISABLED, NO_CREDENTIAL, KMS_UNAVAILABLE,
    SECRET_UNREADABLE — and StoreUnavailable where the table could not be asked.
    """

    def __init__(
        self,
        dynamodb_client: DynamoDBClient,
        kms_client: KMSClient,
        table_name: str,
        kms_key_id: str,
        monotonic: Callable[[], float],
    ) -> None:
        self._records = Records(dynamodb_client, table_name)
        self._vault = Vault(kms_client, kms_key_id)
        self._configs: ExpiringCache[MerchantConfig] = ExpiringCache(CACHE_S, CACHE_ENTRIES, monotonic)
        self._secrets: ExpiringCache[Secret] = ExpiringCache(CACHE_S, CACHE_ENTRIES, monotonic)

    # --- what the functions read --------------------------------------------------------------------------------------

    def config(self, merchant: str, *, refresh: bool = False, for_new_orders: bool = True) -> MerchantConfig:
        """The merchant's settings, at most 300 s old.

        A merchant that is disabled, or has no credential in use, may begin nothing new; orders it began before are
        still finished, looked up and voided, with ``for_new_orders=False``.
        """
        config = self._configs.get(merchant, lambda: self._load_config(merchant), refresh=refresh)
        if for_new_orders and not config.enabled:
            raise MerchantUnusable("DISABLED")
        if for_new_orders and not config.credential_id:
            raise MerchantUnusable("NO_CREDENTIAL")
        return config

    def secret(self, merchant: str, credential_id: str, *, refresh: bool = False) -> Secret:
        """The key material of one credential, at most 300 s old; ``refresh`` reads and opens it again."""
        return self._secrets.get(
            (merchant, credential_id), lambda: self._load_secret(merchant, credential_id), refresh=refresh
        )

    def current_secret_for_account(self, merchant: str, account: str, *, failed: str = "") -> Secret:
        """The key to try for an order of ``account`` whose pinned credential (``failed``) the centre no longer takes.

        The one in use if it belongs to the account, else the newest of the account; never ``failed`` again.
        Which one that is, is kept as long as the secrets are.
        """
        return self._secrets.get(
            ("account", merchant, account, failed), lambda: self._load_current(merchant, account, failed)
        )

    # --- what operators read and write --------------------------------------------------------------------------------

    def read_config(self, merchant: str) -> MerchantConfig | None:
        """The settings as they stand now, enabled or not; None if there is no such merchant."""
        record = self._records.get(_config_key(merchant)) if valid_merchant(merchant) else None
        return None if record is None else from_record(record)

    def credentials(self, merchant: str) -> list[Credential]:
        """Every credential ever stored for the merchant, newest first."""
        found = [_credential(record) for record in self._records.listed(merchant_pk(merchant), _CREDENTIAL_PREFIX)]
        return sorted(found, key=lambda credential: (credential.created_at, credential.credential_id), reverse=True)

    def put_config(
        self, config: MerchantConfig, expected_rev: int | None = None, *, audit: Audit | None = None
    ) -> MerchantConfig:
        """Store settings: new ones (``expected_rev`` None) or over exactly revision ``expected_rev``.

        A credential in use must exist and belong to the account, and ``live`` never changes.
        Returns what was stored. Raises ChangedMeanwhileError if one of these did not hold; nothing was written then.
        """
        stored = replace(config, rev=(expected_rev or 0) + 1)
        key = _config_key(config.merchant)
        if expected_rev is None:
            put = new(key, to_record(stored))
        else:
            put = Write(
                key,
                to_record(stored),
                "#rev = :rev AND #live = :live",
                {"#rev": "rev", "#live": "live"},
                {":rev": expected_rev, ":live": config.live},
            )
        self._records.write(put, *_credential_checks(stored), *audit_writes(merchant_pk(config.merchant), audit))
        self._configs.forget(config.merchant)
        return stored

    def put_secret(  # each is one part of the record; a bundle would only be unpacked again
        self,
        merchant: str,
        credential_id: str,
        secret: Secret,
        *,
        account: str,
        now: datetime,
        audit: Audit | None = None,
    ) -> Credential:
        """Seal and store a new credential of ``account``. Raises ChangedMeanwhileError if the id is taken.

        Credentials are versions: none is overwritten, for orders are pinned to them for as long as they live.
        """
        if not valid_merchant(merchant) or not valid_credential_id(credential_id):
            raise InvalidRequest([Violation("CREDENTIAL_ID", "credential_id", "商家或憑證代號格式不符")])
        credential = Credential(credential_id, account, int(now.timestamp()))
        record: Record = {
            "credential_id": credential_id,
            "account": account,
            "created_at": credential.created_at,
            "sealed": self._vault.seal(merchant, credential_id, secret),
        }
        self._records.write(
            new(_credential_key(merchant, credential_id), record), *audit_writes(merchant_pk(merchant), audit)
        )
        return credential

    # --- loading ------------------------------------------------------------------------------------------------------

    def _load_config(self, merchant: str) -> MerchantConfig:
        try:
            config = self.read_config(merchant)
        except InvalidRequest as error:
            raise MerchantUnusable("CONFIG_INVALID") from error
        if config is None:
            raise MerchantUnusable("UNKNOWN_MERCHANT")
        return config

    def _load_secret(self, merchant: str, credential_id: str) -> Secret:
        known = valid_merchant(merchant) and valid_credential_id(credential_id)
        record = self._records.get(_credential_key(merchant, credential_id)) if known else None
        if record is None:
            raise MerchantUnusable("NO_CREDENTIAL")
        return self._vault.open(merchant, credential_id, bytes(record["sealed"]))

    def _load_current(self, merchant: str, account: str, failed: str) -> Secret:
        candidates = [c.credential_id for c in self.credentials(merchant) if c.account == account]
        usable = [credential_id for credential_id in candidates if credential_id != failed]
        if not usable:
            raise MerchantUnusable("NO_CREDENTIAL")
        in_use = self.config(merchant, refresh=True, for_new_orders=False).credential_id
        return self.secret(merchant, in_use if in_use in usable else usable[0])


_CREDENTIAL_PREFIX = "CRED#"


def _config_key(merchant: str) -> tuple[str, str]:
    return merchant_pk(merchant), "CONFIG"


def _credential_key(merchant: str, credential_id: str) -> tuple[str, str]:
    return merchant_pk(merchant), _CREDENTIAL_PREFIX + credential_id


def _credential(record: Record) -> Credential:
    return Credential(record["credential_id"], record["account"], int(record["created_at"]))


def _credential_checks(config: MerchantConfig) -> list[Write]:
    if not config.credential_id:
        return []
    return [
        Write(
            _credential_key(config.merchant, config.credential_id),
            None,
            "#account = :account",
            {"#account": "account"},
            {":account": config.account},
        )
    ]
