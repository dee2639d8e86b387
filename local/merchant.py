"""The one merchant of a local run, made with the operator's own code: settings, the centre's keys, an API key."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from einvoice.api_key_store import ApiKeys
from einvoice.api_keys import SCOPES, KeyTerms
from einvoice.merchants import MerchantConfig, Merchants, Secret

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

MERCHANT = "demo-shop"
# ECPay's published test account (ECPay developers page 7849): everybody's, so no secret.
ACCOUNT, HASH_KEY, HASH_IV = "2000132", "ejCk326UnaZWKisg", "q9jcZX8Ib9LM8wYk"
CREDENTIAL_ID = "published-test"


def seed(dynamodb: DynamoDBClient, kms: KMSClient, physical: dict[str, str], centre_url: str, now: datetime) -> str:
    """Store the merchant with its account at the centre at ``centre_url``; answers its API key."""
    table_name = physical["Table"]
    merchants = Merchants(dynamodb, kms, table_name, physical["Key"], time.monotonic)
    merchants.put_config(MerchantConfig(MERCHANT, "ecpay", ACCOUNT, centre_url))
    merchants.put_secret(MERCHANT, CREDENTIAL_ID, Secret(HASH_KEY, HASH_IV), account=ACCOUNT, now=now)
    merchants.put_config(MerchantConfig(MERCHANT, "ecpay", ACCOUNT, centre_url, credential_id=CREDENTIAL_ID), 1)
    return ApiKeys(dynamodb, table_name).issue(KeyTerms(MERCHANT, SCOPES, "local run"), now).presented
