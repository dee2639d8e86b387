"""What a million invoices cost (費用): AWS list prices as dated data, and one pure function over measured quantities.

Left out for every design alike: free tiers, egress, storage, KMS, X-Ray, point-in-time recovery.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1_000_000
GB_BYTES = 1_000_000_000
FULL_CPU_MB = 1769  # Lambda documentation, "Memory": the memory size that comes with one vCPU


@dataclass(frozen=True, slots=True)
class Prices:
    """USD list prices of us-east-1 on a day; per million where nothing else is said."""

    as_of: str
    arm_gb_s: float  # one GB-second
    x86_gb_s: float  # one GB-second
    invocations: float
    http_api: float
    rest_api: float
    sqs_requests: float
    write_units: float
    read_units: float
    log_gb: float  # one GB taken in
    secrets_calls: float


PRICES = Prices(
    as_of="2026-09",
    arm_gb_s=0.0000133334,
    x86_gb_s=0.0000166667,
    invocations=0.20,
    http_api=1.00,
    rest_api=3.50,
    sqs_requests=0.40,
    write_units=0.625,
    read_units=0.125,
    log_gb=0.50,
    secrets_calls=5.00,
)


@dataclass(frozen=True, slots=True)
class Design:
    """One invoice in one design: what it asks of AWS and how long a function is kept for it."""

    name: str
    memory_mb: int
    arm: bool
    waiting_share: float  # of the centre's time one invoice pays: 1, or 1/10 where ten wait side by side
    cpu_ms: float  # at one full vCPU; less memory stretches it
    table_ms: float  # waiting for DynamoDB
    write_units: float
    log_bytes: float
    invocations: float = 1.0
    http_api: float = 0.0
    rest_api: float = 0.0
    sqs_requests: float = 0.0
    secrets_calls: float = 0.0


def billed_ms(design: Design, centre_ms: float) -> float:
    """Billed milliseconds of one invoice when the centre takes ``centre_ms``."""
    stretched = design.cpu_ms * max(1.0, FULL_CPU_MB / design.memory_mb)
    return (centre_ms + design.table_ms) * design.waiting_share + stretched


def usd_per_million(design: Design, centre_ms: float, prices: Prices = PRICES) -> float:
    """USD for a million invoices.

    >>> free = Design("none", 1024, True, 1.0, 0.0, 0.0, 2.0, 0.0, invocations=0.0)
    >>> usd_per_million(free, 1000.0) == 2 * PRICES.write_units + 1_000_000 * PRICES.arm_gb_s
    True
    """
    gb_seconds = MILLION * design.memory_mb / 1024 * billed_ms(design, centre_ms) / 1000
    return (
        gb_seconds * (prices.arm_gb_s if design.arm else prices.x86_gb_s)
        + design.invocations * prices.invocations
        + design.http_api * prices.http_api
        + design.rest_api * prices.rest_api
        + design.sqs_requests * prices.sqs_requests
        + design.write_units * prices.write_units
        + design.log_bytes * MILLION / GB_BYTES * prices.log_gb
        + design.secrets_calls * prices.secrets_calls
    )
