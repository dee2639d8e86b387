"""ECPay's code tables: complete, counted, and never claiming more than is known."""

from __future__ import annotations

import pytest

from einvoice.errors import Reason
from einvoice.providers.base import Rejected, Unknown
from einvoice.providers.ecpay.errors import RTN_CODES, TRANS_CODES, Certainty, Entry, envelope_refusal, refusal
from einvoice.providers.ecpay.operations import Operation

# Every code somebody recorded for an operation we use.
RECORDED = {
    Operation.ISSUE: {
        "1100040", "1500047", "2001003", "2001010", "2001019", "2001096", "5000007", "5000015", "5000022", "5000028",
        "5070350", "5070357",
    },
    Operation.VOID: {"1600003", "2009005", "2011002", "5070450", "5070451", "5070453"},
    Operation.REISSUE: {"2"},
    Operation.ALLOW: {"1600003", "2000016", "2000042"},
    Operation.ASK_ALLOWANCE: set(),
    Operation.VOID_ALLOWANCE: {"2000039", "2000063"},
    Operation.CANCEL_ASKED_ALLOWANCE: {"5070250"},
    Operation.FIND_ALLOWANCES: {"7"},
    Operation.FIND_ALLOWANCE_VOID: {"7"},
    Operation.FIND: {"2", "2011002"},
    Operation.FIND_VOID: {"2", "2011002", "2013001"},
    Operation.TRACKS: {"7"},
    Operation.CHECK_BARCODE: {"2019001", "9000001", "10000010"},
    Operation.CHECK_LOVE_CODE: {"2020001", "9000001", "10000010"},
    Operation.COMPANY_NAME: {"7", "1200125", "2027000", "9000001", "10000010"},
    Operation.LIST: set(),
    Operation.PRINT: set(),
}  # fmt: skip

# Codes of operations or APIs we do not use: GetAllowance, delayed issue, B2B, the old form API.
FOREIGN = {
    "1200031", "1600006", "2014001", "2014003", "2103005", "4000001", "4000003", "4000004", "5070305", "6000015",
}  # fmt: skip

# Codes that circulate in blogs and generated texts and were never seen on this API.
FOLKLORE = {"10000001", "10000002", "10000006", "10000009", "10100058"}

ALL = [*RTN_CODES, *TRANS_CODES]


def test_the_table_holds_every_recorded_code_and_no_other() -> None:
    """The codes per operation are exactly the recorded ones: 36 entries, 44 pairs."""
    listed = {operation: {e.code for e in RTN_CODES if operation in e.operations} for operation in Operation}
    assert listed == RECORDED
    assert len(RTN_CODES) == 36
    assert sum(len(e.operations) for e in RTN_CODES) == sum(map(len, RECORDED.values())) == 44
    assert {e.code for e in TRANS_CODES} == {"104", "110", "111", "115", "128"}


def test_foreign_and_invented_codes_are_absent() -> None:
    """A code of another API means nothing here."""
    assert not {e.code for e in ALL} & (FOREIGN | FOLKLORE)


@pytest.mark.parametrize("entry", ALL, ids=lambda e: e.code)
def test_every_entry_says_who_says_so(entry: Entry) -> None:
    """A source, a cause, and "nothing done" only for writes of certain meaning."""
    assert entry.source
    assert entry.cause
    if entry.nothing_done:
        assert any(operation.writes for operation in entry.operations)
        assert entry.certainty in {Certainty.OBSERVED, Certainty.DOCUMENTED}
        assert not entry.unknown


def test_the_allow_list_of_nothing_done_is_this_and_no_longer() -> None:
    """Adding a code to the allow-list must be a decision, so the list stands here a second time."""
    assert {e.code for e in RTN_CODES if e.nothing_done} == {
        "2001003", "2001010", "2001019", "2001096", "5000007", "5000015", "5000022", "5000028", "5070350", "1500047",
        "1600003", "2009005", "5070450", "5070451", "5070453",
        "2000042", "2000039", "2000063", "5070250",
    }  # fmt: skip
    assert {e.code for e in TRANS_CODES if e.nothing_done} == {"104", "110", "111", "115"}


@pytest.mark.parametrize(
    ("operation", "code", "outcome"),
    [
        (Operation.ISSUE, "5070350", Rejected(Reason.ADD_NUMBERS, "NUMBER_EXHAUSTED", "5070350", "m", definite=True)),
        (Operation.ISSUE, "1500047", Rejected(Reason.ADD_NUMBERS, "NUMBER_EXHAUSTED", "1500047", "m", definite=True)),
        (Operation.ISSUE, "1100040", Rejected(Reason.ADD_NUMBERS, "NUMBER_EXHAUSTED", "1100040", "m")),
        (Operation.ISSUE, "5070357", Rejected(Reason.ORDER_HAS_INVOICE, "DUPLICATE_ORDER_NUMBER", "5070357", "m")),
        (Operation.ISSUE, "2", Unknown("UNMAPPED_CODE", "2", "m", answered=True)),
        (Operation.ISSUE, "5070453", Unknown("UNMAPPED_CODE", "5070453", "m", answered=True)),
        (Operation.VOID, "5070357", Unknown("UNMAPPED_CODE", "5070357", "m", answered=True)),
        (Operation.REISSUE, "5070350", Unknown("UNMAPPED_CODE", "5070350", "m", answered=True)),
        (Operation.REISSUE, "0", Unknown("UNMAPPED_CODE", "0", "m", answered=True)),
        (Operation.ALLOW, "2000042", Rejected(Reason.ASK_A_PERSON, "INVOICE_VOID", "2000042", "m", definite=True)),
        (Operation.ALLOW, "2000016", Rejected(Reason.ASK_A_PERSON, "EXCEEDS_REMAINING", "2000016", "m")),
        (Operation.ALLOW, "5902001", Unknown("UNMAPPED_CODE", "5902001", "m", answered=True)),
        (Operation.ASK_ALLOWANCE, "2000042", Unknown("UNMAPPED_CODE", "2000042", "m", answered=True)),
        (Operation.CANCEL_ASKED_ALLOWANCE, "2000063", Unknown("UNMAPPED_CODE", "2000063", "m", answered=True)),
        (Operation.FIND, "10000009", Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", "10000009", "m")),
        (Operation.COMPANY_NAME, "9000001", Unknown("REGISTRY_DOWN", "9000001", "m")),
        (Operation.CHECK_BARCODE, "10000010", Unknown("REGISTRY_DOWN", "10000010", "m")),
        (Operation.COMPANY_NAME, "1200125", Rejected(Reason.FIX_REQUEST, "UBN_CHECKSUM", "1200125", "m")),
    ],
)
def test_a_code_means_something_only_where_it_was_recorded(operation: Operation, code: str, outcome: object) -> None:
    """Unmapped: unknown for a write, a person for a read; the centre's own words stay."""
    assert refusal(operation, code, "m") == outcome


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("110", Rejected(Reason.FIX_CREDENTIALS, "WRONG_KEY", "TransCode 110", "m", definite=True)),
        ("115", Rejected(Reason.FIX_CREDENTIALS, "NOT_ENABLED", "TransCode 115", "m", definite=True)),
        ("104", Rejected(Reason.PROVIDER_BUSY, "CLOCK_SKEW", "TransCode 104", "m", definite=True)),
        ("128", Rejected(Reason.FIX_CREDENTIALS, "NOT_ENABLED", "TransCode 128", "m")),
        ("999", Unknown("UNMAPPED_CODE", "TransCode 999", "m", answered=True)),
    ],
)
def test_a_refused_envelope_is_definite_where_its_code_is_known(code: str, outcome: object) -> None:
    """The envelope comes before any operation."""
    assert envelope_refusal(Operation.ISSUE, code, "m") == outcome
