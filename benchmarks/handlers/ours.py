"""Ours: the real function `functions/issue/handler.py`, with the clients its first invocation would construct."""

from __future__ import annotations

import os
import sys

_FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "functions", "issue")  # noqa: PTH118, PTH120 — pathlib would be timed with us
sys.path.insert(0, _FOLDER)

from handler import handler  # type: ignore[import-not-found] # noqa: E402 — as Lambda finds it: its folder on the path

from einvoice import wiring  # noqa: E402 — comes with it

wiring.telemetry()
wiring.ports()

__all__ = ["handler"]
