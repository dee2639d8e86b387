"""The measurements as tables: medians with their spread, and ratios to both references."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

from benchmarks.measure import HANDLERS, Batch, Handler
from benchmarks.prices import Design, billed_ms, usd_per_million
from local.table import table

TABLE_MS = 6.0  # assumed for one DynamoDB call from Lambda; what stands on this machine is an emulator
CENTRE_MS = (300.0, 800.0, 1500.0)
BATCH = 10
SQS_REQUESTS = 1.2  # sent, and a tenth each of received and deleted

_QUANTITIES = (
    ("import and clients, wall ms", "import.wall_ms"),
    ("import and clients, CPU ms", "import.cpu_ms"),
    ("first call, wall ms", "first.wall_ms"),
    ("first call, CPU ms", "first.cpu_ms"),
    ("warm invoice, wall ms", "warm.wall_ms"),
    ("warm invoice, CPU ms", "warm.cpu_ms"),
    ("largest memory, MB", "warm.rss_mb"),
    ("log bytes per invoice", "warm.log_bytes"),
)
_TRAFFIC = (("a new invoice", "create"), ("its replay", "replay"), ("first invoice of a container", "first"))


def speed(measured: dict[str, Handler]) -> str:
    """Speed and size: median, in brackets half the distance between the quartiles; ratios of medians."""
    rows = []
    for heading, name in _QUANTITIES:
        floor, naive, ours = (measured[handler].median(name) for handler in HANDLERS)
        cells = [_with_spread(measured[handler].samples[name]) for handler in HANDLERS]
        rows.append([heading, *cells, _ratio(ours, floor), _ratio(ours, naive)])
    return table(["", *HANDLERS, "ours/floor", "ours/naive"], rows)


def traffic(measured: dict[str, Handler]) -> str:
    """Requests to AWS by name, and the write units they consume."""
    rows = []
    for heading, name in _TRAFFIC:
        for handler in HANDLERS:
            seen = getattr(measured[handler], name)
            calls = sum(1 for service, *_ in seen if service == "dynamodb")
            others = len(seen) - calls
            names = " ".join(operation + (f"({size} B)" if size else "") for _, operation, _, size in seen)
            rows.append([heading, handler, str(calls), str(others), str(_units(seen)), names])
    return table(["", "", "DynamoDB", "KMS", "write units", "which"], rows)


def waiting(measured: Sequence[Batch]) -> str:
    """Batches with a slow centre; a batch is one invocation, so its wall time is billed once for all its invoices."""
    rows = [
        [
            one.name,
            _with_spread(one.wall_ms),
            _with_spread([wall / one.invoices for wall in one.wall_ms]),
            _with_spread(one.cpu_ms),
        ]
        for one in measured
    ]
    return table(["", "wall ms", "billed ms per invoice", "CPU ms per invoice"], rows)


def cost(measured: dict[str, Handler]) -> str:
    """USD per million invoices by design and time of the centre."""
    rows = [
        [
            design.name,
            *(f"{usd_per_million(design, centre_ms):.1f}" for centre_ms in CENTRE_MS),
            f"{billed_ms(design, CENTRE_MS[1]):.0f}",
        ]
        for design in _designs(measured)
    ]
    headings = ["USD per million invoices", *(f"{centre_ms:.0f} ms" for centre_ms in CENTRE_MS), "billed ms at 800"]
    return table(headings, rows)


def _designs(measured: dict[str, Handler]) -> list[Design]:
    ours, naive = measured["ours"], measured["naive"]

    def design(name: str, of: Handler, memory_mb: int, **more: float) -> Design:
        return Design(
            name,
            memory_mb=memory_mb,
            arm=of is ours,
            waiting_share=1 / BATCH if "sqs_requests" in more else 1.0,
            cpu_ms=of.median("warm.cpu_ms"),
            table_ms=len(of.create) * TABLE_MS,
            write_units=_units(of.create),
            log_bytes=of.median("warm.log_bytes"),
            invocations=1 / BATCH if "sqs_requests" in more else 1.0,
            **more,
        )

    return [
        design("naive: REST API, x86 1 GB, secret fetched per call", naive, 1024, rest_api=1.0, secrets_calls=1.0),
        design("naive, spared: HTTP API, x86 1 GB, secret kept", naive, 1024, http_api=1.0),
        design("ours by HTTP: HTTP API, arm 512 MB", ours, 512, http_api=1.0),
        design("ours by queue: SQS, ten side by side, arm 512 MB", ours, 512, sqs_requests=SQS_REQUESTS),
    ]


def _units(seen: Sequence[Sequence[int]]) -> int:
    return sum(units for _, _, units, _ in seen)


def _with_spread(samples: Sequence[float]) -> str:
    if len(samples) < 2:  # noqa: PLR2004 — a single one has no spread
        return f"{samples[0]:.1f}"
    low, middle, high = quantiles(samples, n=4, method="inclusive")
    return f"{middle:.1f} ±{(high - low) / 2:.1f}"


def _ratio(value: float, reference: float) -> str:
    return f"{value / reference:.2f}" if reference else ""
