"""Tax type (課稅別) and what each kind of tax needs said, and must not have said.

Taxable, zero-rated and exempt sales belong on separate invoices (統一發票使用辦法 art. 8); a consumer's invoice may be
mixed (MIG TaxType 9): taxable with exempt, or taxable with zero-rated, never both, never for a 統編 (ECPay developers
page 7896). Zero rate: 營業稅法 art. 7, MIG 4.1 CustomsClearanceMark (E0228, E0112) and ZeroTaxRateReason. Special tax:
營業稅法 art. 11 and 12.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from einvoice.errors import Violation
from einvoice.model import Order, ProviderProfile, TaxType
from einvoice.rules import law
from einvoice.rules.codes import Code, violation

_MIXABLE = frozenset({TaxType.TAXABLE, TaxType.ZERO_RATED, TaxType.EXEMPT})


def check(order: Order, on: date, profile: ProviderProfile) -> Iterator[Violation]:
    """Everything wrong with the tax of ``order`` for an invoice dated ``on``."""
    if order.tax_type not in profile.tax_types:
        yield violation(Code.TAX_TYPE_NOT_OFFERED, "tax_type")
    yield from _check_zero_rate(order, on)
    yield from _check_special(order)
    yield from _check_mixed(order) if order.tax_type is TaxType.MIXED else _check_unmixed(order)


def _check_zero_rate(order: Order, on: date) -> Iterator[Violation]:
    reason = order.zero_rate_reason
    if not _has_zero_rated_sale(order):
        if order.customs_mark is not None:
            yield violation(Code.CUSTOMS_MARK_FORBIDDEN, "customs_mark")
        if reason:
            yield violation(Code.ZERO_RATE_REASON_FORBIDDEN, "zero_rate_reason")
        return
    if order.customs_mark is None:
        yield violation(Code.CUSTOMS_MARK_REQUIRED, "customs_mark")
    if not reason:
        if law.in_force(law.ZERO_RATE_REASON_REQUIRED, on).value:
            yield violation(Code.ZERO_RATE_REASON_REQUIRED, "zero_rate_reason")
    elif reason not in law.ZERO_RATE_REASONS:
        yield violation(Code.ZERO_RATE_REASON_UNKNOWN, "zero_rate_reason")


def _has_zero_rated_sale(order: Order) -> bool:
    if order.tax_type is TaxType.MIXED:
        return any(line.tax_type is TaxType.ZERO_RATED for line in order.lines)
    return order.tax_type is TaxType.ZERO_RATED


def _check_special(order: Order) -> Iterator[Violation]:
    if order.tax_type is not TaxType.SPECIAL:
        if order.special_tax_type:
            yield violation(Code.SPECIAL_TAX_TYPE_FORBIDDEN, "special_tax_type")
    elif not order.special_tax_type:
        yield violation(Code.SPECIAL_TAX_TYPE_REQUIRED, "special_tax_type")
    elif order.special_tax_type not in law.SPECIAL_TAXES:
        yield violation(Code.SPECIAL_TAX_TYPE_UNKNOWN, "special_tax_type")


def _check_unmixed(order: Order) -> Iterator[Violation]:
    for index, line in enumerate(order.lines):
        if line.tax_type is not None:
            yield violation(Code.LINE_TAX_TYPE_FORBIDDEN, f"lines[{index}].tax_type")


def _check_mixed(order: Order) -> Iterator[Violation]:
    if order.buyer.ubn:
        yield violation(Code.MIXED_TAX_B2B, "tax_type")
    for index, line in enumerate(order.lines):
        if line.tax_type is None:
            yield violation(Code.LINE_TAX_TYPE_REQUIRED, f"lines[{index}].tax_type")
        elif line.tax_type not in _MIXABLE:
            yield violation(Code.LINE_TAX_TYPE_UNMIXABLE, f"lines[{index}].tax_type")
    kinds = {line.tax_type for line in order.lines}
    if len(kinds) == 1 and kinds <= _MIXABLE:  # with a line that names no fit kind, nobody knows yet
        yield violation(Code.MIXED_TAX_ONE_KIND, "tax_type")
    if {TaxType.ZERO_RATED, TaxType.EXEMPT} <= kinds:
        yield violation(Code.MIXED_TAX_ZERO_AND_EXEMPT, "tax_type")
    yield from _check_subtotals(order)


def _check_subtotals(order: Order) -> Iterator[Violation]:
    """MIG 4.1 keeps SalesAmount, ZeroTaxSalesAmount and FreeTaxSalesAmount apart, each at least 0."""
    subtotals: Counter[TaxType] = Counter()
    for line in order.lines:
        if line.tax_type is not None:
            subtotals[line.tax_type] += line.amount_twd
    if any(subtotal_twd < 0 for subtotal_twd in subtotals.values()):
        yield violation(Code.MIXED_TAX_SUBTOTAL_NEGATIVE, "lines")
