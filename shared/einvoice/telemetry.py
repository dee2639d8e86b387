"""What operators see (觀測): one structured log line and, where it counts, one metric per event.

Only events named in ``METRICS`` become metrics. Fields are codes, ids and numbers; buyer data and keys never come here.
"""

from __future__ import annotations

import threading
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

#: event -> (metric, field that becomes a dimension)
METRICS: dict[str, tuple[str, str | None]] = {
    "issued": ("Issued", None),
    "adopted": ("Adopted", None),
    "voided": ("Voided", None),
    "unknown": ("Unknown", None),
    "waiting": ("Waiting", "cause"),
    "refused": ("Refused", "reason"),
    "void_refused": ("Refused", "reason"),
    "reissue_refused": ("Refused", "reason"),
    "queue_refused": ("QueueRefused", None),
    "attention": ("Attention", None),
    "deadline_near": ("DeadlineNear", "kind"),
    "correction_stopped": ("CorrectionStopped", None),
    "correction_held": ("CorrectionHeld", "cause"),
    "commit_failed": ("CommitFailed", None),
    "store_unavailable": ("StoreUnavailable", None),
    "merchant_unusable": ("MerchantUnusable", None),
    "unexpected": ("Unexpected", None),
}
#: kept at WARNING: an operator looks for these first
WARNINGS = frozenset(
    {
        "attention",
        "breaker_open",
        "commit_failed",
        "deadline_near",
        "merchant_unusable",
        "store_unavailable",
        "unexpected",
        "unknown",
    }
)

_lock = threading.Lock()


class Telemetry:
    """``observe`` for one Lambda container; shared by its threads."""

    def __init__(self) -> None:
        self.logger = Logger()
        self.metrics = Metrics()

    def observe(self, event: str, **fields: Any) -> None:  # noqa: ANN401 — JSON values
        """Log the event and count it."""
        log = self.logger.warning if event in WARNINGS else self.logger.info
        log(event, extra={"event": event, **{name: value for name, value in fields.items() if value not in ("", None)}})
        if event == "provider_call" and "seconds" in fields:
            self.record("ProviderSeconds", float(fields["seconds"]), MetricUnit.Seconds)
        metric = METRICS.get(event)
        if metric is not None:
            name, field = metric
            self._count(name, field, str(fields.get(field, "")) if field else "")

    def record(self, name: str, value: float, unit: MetricUnit = MetricUnit.Count) -> None:
        """Add one value to this invocation's metrics."""
        with _lock:
            self.metrics.add_metric(name=name, unit=unit, value=value)

    def flush(self) -> None:
        """Write this invocation's metrics, if there are any."""
        with _lock:
            if self.metrics.metric_set:
                self.metrics.flush_metrics()

    def _count(self, name: str, dimension: str | None, value: str) -> None:
        self.record(name, 1)
        if dimension and value:
            with _lock, single_metric(name=f"{name}By{dimension.title()}", unit=MetricUnit.Count, value=1) as metric:
                metric.add_dimension(name=dimension, value=value)
