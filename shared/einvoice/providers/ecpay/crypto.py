"""ECPay's data encryption (資料加密): URL-encoded JSON, AES-128-CBC, PKCS7, base64.

The IV is fixed per merchant by ECPay's protocol; TLS, not this layer, keeps the data private.
Source: ECPay developers page 7958 (with the official test vector).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote_plus

from Crypto.Cipher import AES
from Crypto.Util.Padding import pad, unpad

from einvoice.errors import MerchantUnusable

KEY_BYTES = 16


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """HashKey and HashIV of one merchant (串接金鑰), 16 ASCII characters each; never shown."""

    hash_key: str
    hash_iv: str

    def __post_init__(self) -> None:
        for value in (self.hash_key, self.hash_iv):
            if len(value) != KEY_BYTES or not value.isascii():
                raise MerchantUnusable("CREDENTIALS_MALFORMED")

    def __repr__(self) -> str:
        return "Credentials(hidden)"


def encrypt(credentials: Credentials, text: str) -> str:
    """``Data`` of a request: ``text`` URL-encoded as PHP's ``urlencode`` does it, encrypted, in base64."""
    return seal(credentials, quote_plus(text).replace("~", "%7E"))


def seal(credentials: Credentials, encoded: str) -> str:
    """Encrypt text that is URL-encoded already."""
    return base64.b64encode(_cipher(credentials).encrypt(pad(encoded.encode(), AES.block_size))).decode()


def ciphertext(data: str) -> bytes | None:
    """The encrypted blocks in ``data``; None if it is not base64 of whole blocks, whatever the key (damaged)."""
    try:
        blocks = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):  # ValueError: characters outside ASCII
        return None
    return blocks if blocks and len(blocks) % AES.block_size == 0 else None


def decrypt(credentials: Credentials, blocks: bytes) -> str | None:
    """The text in ``blocks``, form-decoded (``+`` is a space); None if this is not the key."""
    try:
        encoded = unpad(_cipher(credentials).decrypt(blocks), AES.block_size).decode()
        return unquote_plus(encoded, errors="strict")
    except ValueError:  # padding; UnicodeDecodeError: one wrong key in 256 pads well by chance
        return None


def _cipher(credentials: Credentials):  # type: ignore[no-untyped-def] # noqa: ANN202 - the library's type is private
    return AES.new(credentials.hash_key.encode(), AES.MODE_CBC, iv=credentials.hash_iv.encode())
