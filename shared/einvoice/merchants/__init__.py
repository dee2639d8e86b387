"""Merchants (商家): their settings, the credentials of their centre accounts, and the cache in front of both."""

from einvoice.merchants.config import MerchantConfig, Settings, target_allowed, valid_merchant
from einvoice.merchants.repository import Credential, Merchants
from einvoice.merchants.secret import Secret

__all__ = ["Credential", "MerchantConfig", "Merchants", "Secret", "Settings", "target_allowed", "valid_merchant"]
