"""``python -m local.serve``: the whole system on this machine, left running until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from local import deploy, orders
from local.merchant import MERCHANT
from local.processes import LocalRunError
from local.stack import Stack

PORT = 8080
LOG_EVERY_S = 1.0
LATE_MS = 5000  # entries of several functions may come out of order by this much
NOISE = ("START RequestId", "END RequestId")


class FunctionLogs:
    """Copies what the functions log from the embedded CloudWatch to one file, as it comes."""

    def __init__(self, logs: Any, path: Path) -> None:  # noqa: ANN401  # a boto3 client
        self._logs, self._path = logs, path
        self._from_ms = 0
        self._seen: set[tuple[int, str, str]] = set()
        path.touch()

    def copy(self) -> None:
        """Append what is new since the last time."""
        groups = self._logs.describe_log_groups(logGroupNamePrefix="/einvoice/")["logGroups"]
        recent = [entry for group in groups for entry in self._entries(group["logGroupName"])]
        with self._path.open("a") as out:
            for entry in sorted(recent, key=lambda entry: entry[0]):
                if entry not in self._seen:
                    out.write(f"{entry[1]}  {entry[2]}\n")
        self._seen = set(recent)
        self._from_ms = max((at_ms for at_ms, _, _ in recent), default=LATE_MS) - LATE_MS

    def _entries(self, group: str) -> Iterator[tuple[int, str, str]]:
        function = group.rpartition("/")[2]
        for event in self._logs.filter_log_events(logGroupName=group, startTime=self._from_ms)["events"]:
            if not event["message"].startswith(NOISE):
                yield event["timestamp"], function, event["message"].rstrip()


def curl(method: str, url: str, body: orders.Json, api_key: str = "") -> str:
    """One line for a shell."""
    key = ["-H", f"Authorization: Bearer {api_key}"] if api_key else []
    data = ["-H", "Content-Type: application/json", "-d", json.dumps(body, ensure_ascii=False)]
    return shlex.join(["curl", "-sS", "-X", method, url, *key, *data])


def invoke(stack: Stack, function: str) -> str:
    """One line for a shell that runs a function now, as its schedule does."""
    url = f"{stack.endpoint}/2015-03-31/functions/{stack.physical[function]}/invocations"
    signed = ["--aws-sigv4", f"aws:amz:{deploy.REGION}:lambda", "--user", f"{deploy.ADMIN}:{deploy.ADMIN}"]
    return shlex.join(["curl", "-sS", "-X", "POST", url, *signed, "-d", "{}"])


def describe(stack: Stack) -> str:
    """What a person needs to use it."""
    return f"""
  API          {stack.base_url}/v1
  API key      {stack.api_key}   (merchant {MERCHANT})
  ECPay        {stack.sim_url}   (simulated; nothing leaves this machine)
  AWS          {stack.endpoint}   (region ap-northeast-1, key and secret: test)
  logs         {stack.run_dir}/*.log   (functions.log, aws.log, ecpay.log)

  issue an invoice 開立一張發票
    {curl("POST", stack.base_url + "/v1/invoices", orders.mobile_barcode(), stack.api_key)}

  move every clock 調整時鐘
    {curl("POST", stack.sim_url + "/_control/clock", {"now": "2026-05-01T00:00:00+08:00"})}
    {curl("POST", stack.sim_url + "/_control/clock", {"advance_s": 3600})}

  do now what the schedules do 立即執行排程：財政部上傳確認（每五分鐘）、補救（每分鐘）
    {invoke(stack, "ConfirmFunction")}
    {invoke(stack, "RecoverFunction")}

  Ctrl-C stops everything and leaves nothing behind.
"""


def _instant(text: str) -> str:
    try:
        zone = datetime.fromisoformat(text).tzinfo
    except ValueError:
        zone = None
    if zone is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an instant with a zone, such as 2026-03-14T00:00:00+08:00")
    return text


def main() -> int:
    """Exit status: 0 after Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help=f"of the API (default {PORT}; 0: a free one)")
    parser.add_argument("--now", type=_instant, help="RFC 3339, where the clock starts (default: the real time)")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Stack(port=given.port, now=given.now or "") as stack:
            print(describe(stack), flush=True)
            logs = FunctionLogs(stack.client("logs"), stack.run_dir / "functions.log")
            while True:
                logs.copy()
                stack.check()
                time.sleep(LOG_EVERY_S)
    except LocalRunError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped")
        return 0


if __name__ == "__main__":
    sys.exit(main())
