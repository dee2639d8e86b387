"""``python -m tests.faults.worker FUNCTION``: one invocation of a real handler, in a process that may be killed.

The event comes on standard input, the answer goes to standard output, logs go to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any

from einvoice.store import items

FUNCTION_S, SCHEDULED_S = 25.0, 60.0  # the template's


class Context:
    """Lambda's context, its time really passing."""

    aws_request_id = "worker"

    def __init__(self, function: str) -> None:
        self._ends_at = time.monotonic() + (SCHEDULED_S if function in {"recover", "confirm"} else FUNCTION_S)

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the invocation."""
        return int((self._ends_at - time.monotonic()) * 1000)


def main() -> None:
    """Answer one event."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the function logs must not mix with the answer
    items.DUE_SHARDS = 1  # as in ``tests.torture.victim``, whose recovery must find what this process leaves
    handler: Any = importlib.import_module(f"functions.{sys.argv[1]}.handler").handler
    json.dump(handler(json.load(sys.stdin), Context(sys.argv[1])), answers)
    answers.flush()


if __name__ == "__main__":
    main()
