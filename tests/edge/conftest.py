"""What the functions log, as a test can read it."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest

from einvoice import wiring


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """Everything this container's logger writes during the test; it keeps the stream it was made with."""
    (handler,) = wiring.telemetry().logger.handlers
    before = handler.stream
    handler.setStream(stream := StringIO())
    yield stream
    handler.setStream(before)
