"""Key material of a centre account (加值中心金鑰) and how it is sealed for the table."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from einvoice.errors import InvalidRequest, MerchantUnusable, Violation

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

KEY_CHARS = 16  # ECPay HashKey and HashIV: AES-128-CBC, so 16 bytes each (ECPay developers, "參數加密方式說明")

# Codes that say the ciphertext is not what this merchant's credential was sealed into, or is under another key.
_UNREADABLE = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """HashKey and HashIV of an account. Shows itself nowhere: ``repr``, ``str`` and formatting all hide it."""

    hash_key: str
    hash_iv: str

    def __post_init__(self) -> None:
        violations = [
            Violation("KEY_MATERIAL", name, "金鑰須為 16 個可見的英數字或符號")
            for name in ("hash_key", "hash_iv")
            if not _is_key_text(getattr(self, name))
        ]
        if violations:
            raise InvalidRequest(violations)

    def __repr__(self) -> str:
        return "Secret(hidden)"


class Vault:
    """Seals and opens secrets with one KMS key; the merchant and credential are part of what KMS authenticates.

    A ciphertext copied to another merchant's or another credential's record does not open.
    """

    def __init__(self, kms_client: KMSClient, key_id: str) -> None:
        self._client, self._key_id = kms_client, key_id

    def seal(self, merchant: str, credential_id: str, secret: Secret) -> bytes:
        """Ciphertext of ``secret``. Raises MerchantUnusable if KMS does not answer or refuses."""
        plain = json.dumps({"hash_key": secret.hash_key, "hash_iv": secret.hash_iv}).encode()
        try:
            answer = self._client.encrypt(
                KeyId=self._key_id, Plaintext=plain, EncryptionContext=_context(merchant, credential_id)
            )
        except (ClientError, BotoCoreError) as error:
            raise MerchantUnusable("KMS_UNAVAILABLE") from error
        return answer["CiphertextBlob"]

    def open(self, merchant: str, credential_id: str, sealed: bytes) -> Secret:
        """The secret again. Raises MerchantUnusable: SECRET_UNREADABLE will stay so, KMS_UNAVAILABLE may pass."""
        try:
            answer = self._client.decrypt(
                KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=_context(merchant, credential_id)
            )
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
            raise MerchantUnusable("SECRET_UNREADABLE" if code in _UNREADABLE else "KMS_UNAVAILABLE") from error
        try:
            return Secret(**json.loads(answer["Plaintext"]))
        except (ValueError, TypeError, InvalidRequest):
            # Without the cause: its text may quote what was decrypted.
            raise MerchantUnusable("SECRET_UNREADABLE") from None


def _is_key_text(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(rf"[!-~]{{{KEY_CHARS}}}", text) is not None


def _context(merchant: str, credential_id: str) -> dict[str, str]:
    return {"merchant": merchant, "credential": credential_id}
