"""Key material of these tests, and what the audit trail holds."""

from __future__ import annotations

from einvoice.records import Records
from tests.aws import TABLE

KEYS = ("OperatorKey00001", "OperatorIv000001")


def audits(aws, merchant: str = "a-shop") -> list[tuple[str, str]]:
    """Action and actor of every audit entry, oldest first."""
    found = Records(aws.dynamodb, TABLE).listed(f"M#{merchant}", "AUDIT#")
    return [(entry["action"], entry["actor"]) for entry in found]
