"""What every command works with (工作環境): the table, the clients, who is asking, and what time it is."""

from __future__ import annotations

import argparse
import getpass
import os
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from einvoice.api_key_store import ApiKeys
from einvoice.clock import from_environment
from einvoice.errors import EinvoiceError
from einvoice.merchants import Merchants
from einvoice.records import Audit, Records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

AWS_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})


class OperatorError(EinvoiceError):
    """The command cannot be done as it was given; the sentence is for the person at the terminal."""


class Desk:
    """One run of the command. Region, credentials and endpoints are what AWS's own tools would use."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._clock = from_environment(os.environ)

    @property
    def now(self) -> datetime:
        """The instant of the change."""
        return self._clock.now()

    @cached_property
    def table(self) -> str:
        """The table, from ``--table`` or TABLE_NAME."""
        return self._needed("table", "--table", "TABLE_NAME")

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """The table's client."""
        return boto3.client("dynamodb", config=AWS_CONFIG)

    @cached_property
    def sqs(self) -> SQSClient:
        """The queues' client."""
        return boto3.client("sqs", config=AWS_CONFIG)

    @cached_property
    def records(self) -> Records:
        """The table's small records."""
        return Records(self.dynamodb, self.table)

    @cached_property
    def keys(self) -> ApiKeys:
        """API keys."""
        return ApiKeys(self.dynamodb, self.table)

    def merchants(self, *, sealing: bool = False) -> Merchants:
        """Merchants; ``sealing`` where secrets are opened or stored, which alone needs the KMS key."""
        key = self._needed("kms_key", "--kms-key", "KMS_KEY_ID") if sealing else ""
        kms = boto3.client("kms", config=AWS_CONFIG)
        return Merchants(self.dynamodb, kms, self.table, key, self._clock.monotonic)

    def audit(self, action: str, **details: str) -> Audit:
        """The audit entry of a change being made now."""
        return Audit(actor=self.actor, action=action, at=self.now, details=details)

    @cached_property
    def actor(self) -> str:
        """Who is asking: ``--actor``, else the caller AWS knows, else the user of this machine."""
        if self._args.actor:
            return str(self._args.actor)
        try:
            return str(boto3.client("sts", config=AWS_CONFIG).get_caller_identity()["Arn"])
        except (ClientError, BotoCoreError):
            return f"os-user:{getpass.getuser()}"  # marked as what it is: nobody vouches for it

    def _needed(self, name: str, option: str, variable: str) -> str:
        value = getattr(self._args, name, None) or os.environ.get(variable)
        if not value:
            raise OperatorError(f"say which: {option}, or {variable} in the environment")
        return str(value)
