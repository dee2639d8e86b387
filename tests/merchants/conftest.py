"""In-process AWS for these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aws import Aws, in_process


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An empty table, one KMS key and a clock moved by hand."""
    with in_process(monkeypatch) as made:
        yield made
