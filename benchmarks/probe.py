"""One handler in a process of its own, driven over its standard input: `python -m benchmarks.probe NAME`.

Answers one JSON line per command on standard output: first of all the import, then `call`, `block N`, `count`,
`count_cold`, `batch RECORDS MERCHANTS`. Times are milliseconds.
"""

import sys
import time

# Nothing may be imported before the handler that the handler would then get for free.
_wall, _cpu = time.perf_counter(), time.process_time()


class _Sink:
    """Standard output of the handler: formatted in full, counted, thrown away."""

    size = 0

    def write(self, text: str) -> int:
        self.size += len(text.encode())
        return len(text)

    def flush(self) -> None:
        pass


_answers = sys.stdout
_sink = _Sink()
sys.stdout = _sink  # as much of a text stream as logging and print use
_name = sys.argv[1]
_wall, _cpu = time.perf_counter(), time.process_time()
_module = __import__(f"benchmarks.handlers.{_name}", fromlist=["handler"])  # importlib would be an import
_import = {"wall_ms": (time.perf_counter() - _wall) * 1000, "cpu_ms": (time.process_time() - _cpu) * 1000}

import json  # noqa: E402 — see above
import resource  # noqa: E402
import uuid  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

from benchmarks import events  # noqa: E402

handler: Callable[[dict[str, Any], events.Context], dict[str, Any]] = _module.handler
_run = uuid.uuid4().hex[:8]
_issued = 0


def main() -> None:
    """Answer commands until standard input ends."""
    _answer(_import | {"rss_mb": _rss_mb(), "cffi": "cffi" in sys.modules})
    for line in sys.stdin:
        command, *numbers = line.split()
        _answer(_COMMANDS[command](*map(int, numbers)))


def call() -> dict[str, Any]:
    """One invoice; how long it took."""
    event = _next_event()
    wall, cpu, written = time.perf_counter(), time.process_time(), _sink.size
    answer = handler(event, events.Context())
    taken = {"wall_ms": (time.perf_counter() - wall) * 1000, "cpu_ms": (time.process_time() - cpu) * 1000}
    _expect(answer, 201)
    return taken | {"log_bytes": _sink.size - written, "rss_mb": _rss_mb()}


def block(size: int) -> dict[str, Any]:
    """``size`` invoices in a row; the mean of one."""
    prepared = [(_next_event(), events.Context()) for _ in range(size)]
    wall, cpu, written = time.perf_counter(), time.process_time(), _sink.size
    answers = [handler(event, context) for event, context in prepared]
    taken_wall, taken_cpu = time.perf_counter() - wall, time.process_time() - cpu
    for answer in answers:
        _expect(answer, 201)
    return {
        "wall_ms": taken_wall * 1000 / size,
        "cpu_ms": taken_cpu * 1000 / size,
        "log_bytes": (_sink.size - written) / size,
        "rss_mb": _rss_mb(),
    }


def count() -> dict[str, Any]:
    """What one warm new invoice and its replay ask of AWS."""
    from benchmarks.traffic import watched  # noqa: PLC0415 — brings boto3, which would count as the floor's memory

    event = _next_event()
    with watched() as create:
        _expect(handler(event, events.Context()), 201)
    with watched() as replay:
        _expect(handler(event, events.Context()), 200, 201)
    return {"create": _told(create), "replay": _told(replay)}


def count_cold() -> dict[str, Any]:
    """What the first invoice of this process asks of AWS."""
    from benchmarks.traffic import watched  # noqa: PLC0415 — the same

    with watched() as create:
        _expect(handler(_next_event(), events.Context()), 201)
    return {"create": _told(create)}


def batch(records: int, merchants: int) -> dict[str, Any]:
    """One SQS batch in one invocation."""
    orders = [(_order_id(), events.merchant(index % merchants)) for index in range(records)]
    event = events.sqs_event(orders)
    wall, cpu = time.perf_counter(), time.process_time()
    answer = handler(event, events.Context())
    taken = {"wall_ms": (time.perf_counter() - wall) * 1000, "cpu_ms": (time.process_time() - cpu) * 1000}
    if answer["batchItemFailures"]:
        raise RuntimeError(f"{_name}: {answer}")
    return taken


def _next_event() -> dict[str, Any]:
    return events.http_event(_order_id(), events.merchant(_issued))


def _order_id() -> str:
    global _issued  # noqa: PLW0603 — the process is the object
    _issued += 1
    return f"{_name}-{_run}-{_issued}"


def _expect(answer: dict[str, Any], *statuses: int) -> None:
    number = json.loads(answer["body"]).get("number")
    if answer["statusCode"] not in statuses or not number:
        raise RuntimeError(f"{_name} did not issue: {answer}")


def _told(seen: list[Any]) -> list[list[Any]]:
    return [[one.service, one.operation, one.units, one.bytes] for one in seen]


def _rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _answer(values: dict[str, Any]) -> None:
    _answers.write(json.dumps(values) + "\n")
    _answers.flush()


_COMMANDS: dict[str, Callable[..., dict[str, Any]]] = {
    "call": call,
    "block": block,
    "count": count,
    "count_cold": count_cold,
    "batch": batch,
}

if __name__ == "__main__":
    main()
