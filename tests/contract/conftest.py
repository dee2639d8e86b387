"""One service for the scenarios of a module: they use orders of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.contract import Held
from tests.service import running


@pytest.fixture(scope="module")
def service() -> Iterator[Held]:
    """A service whose answers are held against the document, in the middle of a period."""
    with running(now="2026-03-20T10:00:00+08:00", same_number_reissue=True) as made:
        yield Held(made.sim, made.dynamodb)
