"""One running system per test process; tests share it, so each uses orders of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stack import Stack

START = "2026-03-14T10:00:00+08:00"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The deployed template, the simulated centre and merchant ``demo-shop``."""
    with Stack(now=START) as running:
        yield running
