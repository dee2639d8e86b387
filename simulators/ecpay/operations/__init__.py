"""One module per family of operations; ``OPERATIONS`` is all of them by lower-case path."""

from __future__ import annotations

from simulators.ecpay.operations import allowance, issue, lookup, printing, query, void, words
from simulators.ecpay.operations.base import Operation

OPERATIONS: dict[str, Operation] = {
    operation.name.lower(): operation
    for family in (issue, void, allowance, query, lookup, words, printing)
    for operation in family.OPERATIONS
}
