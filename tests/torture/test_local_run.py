"""The faults that only a deployed function can show: its process dies, its own table fails. See ``local.torture``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.torture.__main__ import CLIENT_TIMEOUT_S, Torture, running
from local.torture.faults import ALLOWANCE, ISSUE, Fault, single_faults

pytestmark = pytest.mark.embedded

OURS = [fault for of in (ISSUE, ALLOWANCE) for fault in single_faults(of, CLIENT_TIMEOUT_S) if fault.ours]


@pytest.fixture(scope="module")
def torture() -> Iterator[Torture]:
    """The real template on the embedded AWS."""
    with running() as made:
        yield made


@pytest.mark.parametrize("fault", OURS, ids=lambda fault: f"{fault.of.makes}-{fault.ours}")
def test_a_fault_of_our_own_loses_and_doubles_nothing(torture: Torture, fault: Fault) -> None:
    """Through API Gateway, Lambda and DynamoDB as deployed: one living document, ours, and nobody was told "failed"."""
    assert torture.outcome(fault, f"{fault.of.makes}-{fault.ours.replace('_', '-')}").verdict == "ok"
