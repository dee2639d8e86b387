"""One module per family of operations; ``OPERATIONS`` is all of them by lower-case path."""

from __future__ import annotations

from simulators.ecpay.operations import (
    allowance,
    allowance_query,
    blank,
    collegiate,
    delay,
    issue,
    listing,
    lookup,
    notify,
    notify_settings,
    printing,
    query,
    void,
    words,
)
from simulators.ecpay.operations.base import Operation

FAMILIES = (
    *(issue, delay, void),
    *(allowance, collegiate, allowance_query),
    *(query, listing, printing),
    *(notify, notify_settings),
    *(lookup, words, blank),
)
OPERATIONS: dict[str, Operation] = {
    operation.name.lower(): operation for family in FAMILIES for operation in family.OPERATIONS
}
