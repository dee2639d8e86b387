"""What closes when, for one document."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from einvoice.model import ProviderProfile
from einvoice.rules import deadlines as rule
from einvoice.rules.deadlines import Deadline, Document, Kind
from einvoice.rules.law import Law
from einvoice.rules.period import Period

CUTOFF_13 = ProviderProfile("13th", same_number_reissue=True)
CUTOFF_10 = replace(CUTOFF_13, name="10th", void_cutoff_day=10)
OWN_PERIOD = replace(CUTOFF_13, name="own period", void_scope="issue_period_only")
MONTHLY = replace(CUTOFF_13, name="monthly", filing="monthly")
MONTHLY_OWN_PERIOD = replace(OWN_PERIOD, name="monthly, own period", filing="monthly")
PROFILES = [CUTOFF_13, CUTOFF_10, OWN_PERIOD, MONTHLY, MONTHLY_OWN_PERIOD]

# instant, last day to void, day to file before holidays move it, day to report the period's unused numbers
VECTORS = [
    ("2026-01-01T00:00:00+08:00", "2026-03-13", "2026-03-15", "2026-03-10"),
    ("2026-02-28T23:59:59+08:00", "2026-03-13", "2026-03-15", "2026-03-10"),
    ("2026-02-28T16:00:00+00:00", "2026-05-13", "2026-05-15", "2026-05-10"),
    ("2025-12-31T15:59:59+00:00", "2026-01-13", "2026-01-15", "2026-01-10"),
    ("2025-12-31T16:00:00+00:00", "2026-03-13", "2026-03-15", "2026-03-10"),
    ("2024-02-29T12:00:00+08:00", "2024-03-13", "2024-03-15", "2024-03-10"),
    ("2026-12-31T23:59:59+08:00", "2027-01-13", "2027-01-15", "2027-01-10"),
    ("2015-04-10T00:00:00+08:00", "2015-05-13", "2015-05-15", "2015-05-10"),
]
# the days off in this module's examples, of which the rules themselves know none
NEW_YEAR_2026 = {date(2026, 2, day) for day in range(14, 23)}


def working(day):
    """Weekdays outside the Lunar New Year of 2026."""
    while day.isoweekday() > 5 or day in NEW_YEAR_2026:
        day += timedelta(days=1)
    return day


def at(text):
    """An instant."""
    return datetime.fromisoformat(text)


def document(made_at, **known):
    """A consumer's uploaded, living invoice unless told otherwise."""
    facts = {"kind": "invoice", "number": "AB12345678", "business": False, "upload": "confirmed", "living": True}
    return Document(made_at=at(made_at) if isinstance(made_at, str) else made_at, **facts | known)


def found(doc, profile=CUTOFF_13, *, filed=False, next_working_day=working):
    """Its deadlines by kind."""
    lines = rule.deadlines(doc, profile=profile, filed=filed, next_working_day=next_working_day)
    by_kind = {line.kind: line for line in lines}
    assert len(by_kind) == len(lines)
    return by_kind


def end_of(day):
    """The last second of a day, as text."""
    return f"{day}T23:59:59+08:00"


@pytest.mark.parametrize(("instant", "void", "filing", "unused"), VECTORS)
def test_an_instant_has_its_days(instant, void, filing, unused):
    """The zone decides the period; every line ends with its day in Taipei."""
    lines = found(document(instant), next_working_day=lambda day: day)
    assert lines[Kind.VOID].at.isoformat() == end_of(void)
    assert lines[Kind.FILING].at.isoformat() == end_of(filing)
    assert rule.unused_numbers_deadline(Period.of(at(instant)).key).isoformat() == end_of(unused)


@pytest.mark.parametrize(
    ("instant", "profile", "filing"),
    [
        ("2026-01-01T00:00:00+08:00", CUTOFF_13, "2026-03-16"),
        ("2026-04-30T23:59:59+08:00", CUTOFF_13, "2026-05-15"),
        ("2026-01-31T23:59:59+08:00", MONTHLY, "2026-02-23"),
        ("2026-02-01T00:00:00+08:00", MONTHLY, "2026-03-16"),
        ("2026-12-31T23:59:59+08:00", MONTHLY, "2027-01-15"),
        ("2027-01-01T00:00:00+08:00", MONTHLY, "2027-02-15"),
        ("2024-01-31T12:00:00+08:00", MONTHLY, "2024-02-15"),
    ],
)
def test_a_filing_day_off_moves_to_the_next_working_day(instant, profile, filing):
    """2026-03-15 is a Sunday; 2026-02-15 lies in the Lunar New Year holidays, which only a monthly filer meets."""
    assert found(document(instant), profile)[Kind.FILING].at.isoformat() == end_of(filing)


@pytest.mark.parametrize(
    ("instant", "profile", "void"),
    [
        ("2026-01-15T10:20:00+08:00", CUTOFF_10, "2026-03-10"),
        ("2026-01-15T10:20:00+08:00", OWN_PERIOD, "2026-02-28"),
        ("2026-01-15T10:20:00+08:00", MONTHLY, "2026-02-13"),
        ("2026-02-28T23:59:59+08:00", MONTHLY, "2026-03-13"),
        ("2026-12-31T23:59:59+08:00", MONTHLY, "2027-01-13"),
        ("2026-01-15T10:20:00+08:00", replace(MONTHLY, void_cutoff_day=10), "2026-02-10"),
        ("2026-01-15T10:20:00+08:00", MONTHLY_OWN_PERIOD, "2026-01-31"),
        ("2026-02-15T10:20:00+08:00", MONTHLY_OWN_PERIOD, "2026-02-28"),
    ],
)
def test_the_centres_line_ends_the_void_of_an_invoice_and_of_an_allowance(instant, profile, void):
    """Its own day, its own period, and for a monthly filer the month; a holiday moves none of them."""
    assert found(document(instant), profile)[Kind.VOID].at.isoformat() == end_of(void)
    allowance = found(document(instant, kind="allowance"), profile)
    assert allowance[Kind.ALLOWANCE_VOID].at.isoformat() == end_of(void)


@pytest.mark.parametrize(
    ("business", "safe", "legal"),
    [(False, "2026-01-17T10:20:00+08:00", "2026-01-17"), (True, "2026-01-22T10:20:00+08:00", "2026-01-22")],
)
@pytest.mark.parametrize("kind", ["invoice", "allowance", "void", "allowance_void"])
@pytest.mark.parametrize("upload", ["none", "uploading", "refused"])
def test_every_document_must_be_uploaded_in_time(kind, upload, business, safe, legal):
    """Two days for a consumer, seven for a business, until the ministry has confirmed it; both readings are told."""
    line = found(document("2026-01-15T10:20:00+08:00", kind=kind, upload=upload, business=business))[Kind.UPLOAD]
    assert (line.safe_at, line.at) == (at(safe), at(end_of(legal)))
    confirmed = document("2026-01-15T10:20:00+08:00", kind=kind, business=business)
    assert Kind.UPLOAD not in found(confirmed)


def test_the_upload_counts_from_the_day_in_taipei():
    """Also over the end of a year, and of the day in London."""
    line = found(document("2026-12-30T16:00:00+00:00", upload="none"))[Kind.UPLOAD]
    assert line.at == at("2027-01-02T23:59:59+08:00")
    assert line.safe_at.isoformat() == "2027-01-02T00:00:00+08:00"


def test_an_upload_before_the_law_is_an_error():
    """Not a guess."""
    with pytest.raises(LookupError):
        found(document("2018-07-15T23:59:59+08:00", upload="none"))


@pytest.mark.parametrize(
    ("made_at", "profile", "last"),
    [
        ("2026-01-15T10:20:00+08:00", CUTOFF_13, "2026-01-17T10:20:00+08:00"),
        ("2026-01-15T02:20:00.900000+00:00", CUTOFF_13, "2026-01-17T10:20:00+08:00"),
        ("2026-02-28T10:20:00+08:00", CUTOFF_13, "2026-03-02T10:20:00+08:00"),
        ("2026-02-28T10:20:00+08:00", OWN_PERIOD, "2026-02-28T23:59:59+08:00"),
        ("2026-01-15T10:20:00+08:00", replace(CUTOFF_13, same_number_hours=2400), "2026-03-13T23:59:59+08:00"),
    ],
)
def test_the_same_number_has_its_hours_and_never_more_than_a_void(made_at, profile, last):
    """註銷重開: the centre's hours from issue, cut by its line for a void."""
    assert found(document(made_at), profile)[Kind.SAME_NUMBER].at == at(last)


def test_the_same_number_is_told_only_where_it_is_switched_on():
    """Off unless the merchant has it."""
    assert Kind.SAME_NUMBER not in found(document("2026-01-15T10:20:00+08:00"), ProviderProfile("off"))


@pytest.mark.parametrize(
    ("facts", "profile", "kinds"),
    [
        ({}, CUTOFF_13, {"void", "same_number", "filing"}),
        ({"living": False}, CUTOFF_13, {"filing"}),
        ({"had_allowance": True}, CUTOFF_13, {"filing"}),
        ({"had_allowance": True}, replace(CUTOFF_13, history="void_allowances_first"), {"void", "filing"}),
        ({"upload": "none"}, CUTOFF_13, {"void", "same_number", "upload", "filing"}),
        ({"kind": "allowance"}, CUTOFF_13, {"allowance_void", "filing"}),
        ({"kind": "allowance", "living": False}, CUTOFF_13, {"filing"}),
        ({"kind": "void"}, CUTOFF_13, set()),
        ({"kind": "void", "upload": "refused"}, CUTOFF_13, {"upload"}),
        ({"kind": "allowance_void", "upload": "uploading"}, CUTOFF_13, {"upload"}),
    ],
)
def test_a_document_has_the_deadlines_of_what_can_still_be_done(facts, profile, kinds):
    """And after the filing nothing is left but an upload."""
    doc = document("2026-01-15T10:20:00+08:00", **facts)
    assert set(found(doc, profile)) == kinds
    assert set(found(doc, profile, filed=True)) == kinds & {"upload"}


def test_every_deadline_says_whose_it_is():
    """Document, number, source, and a sentence with the number and the last second."""
    for kind in ("invoice", "allowance"):
        for line in found(document("2026-01-15T10:20:00+08:00", kind=kind, upload="none")).values():
            assert (line.document, line.number) == (kind, "AB12345678")
            assert line.source
            assert "AB12345678" in line.message
            assert f"{line.at:%Y-%m-%d %H:%M:%S}" in line.message


@pytest.mark.parametrize(
    ("facts", "named"), [({"kind": "receipt"}, "kind"), ({"upload": ""}, "upload"), ({"upload": "Confirmed"}, "upload")]
)
def test_a_document_nothing_is_known_about_is_refused(facts, named):
    """Parsed, not patched."""
    with pytest.raises(ValueError, match=named):
        document("2026-01-15T10:20:00+08:00", **facts)


@pytest.mark.parametrize(
    ("doc", "profile", "named"),
    [
        (document("2026-01-15T10:20:00"), CUTOFF_13, "zone"),
        (document("2026-01-15T10:20:00+08:00"), replace(CUTOFF_13, filing="weekly"), "filing"),
        (document("2026-01-15T10:20:00+08:00", kind="allowance"), replace(CUTOFF_13, void_scope="ever"), "void_scope"),
        (document("2026-01-15T10:20:00+08:00", kind="allowance"), replace(MONTHLY, void_scope="ever"), "void_scope"),
    ],
)
def test_what_nobody_understands_has_no_deadline(doc, profile, named):
    """No zone and no reading is guessed."""
    with pytest.raises(ValueError, match=named):
        found(doc, profile)


@pytest.mark.parametrize("history", [rule.FILING_DAY, rule.UNUSED_NUMBERS_DAY])
def test_every_figure_of_law_says_where_it_comes_from(history):
    """In order of time, each with an article that can be looked up."""
    assert all(isinstance(entry, Law) for entry in history)
    assert [entry.since for entry in history] == sorted({entry.since for entry in history})
    assert all(entry.article and entry.source.startswith("https://") for entry in history)


VOID_LINE = Deadline(Kind.VOID, at("2026-03-13T23:59:59+08:00"), "invoice", "AB00000001", "source", "message")
UPLOAD_LINE = Deadline(
    Kind.UPLOAD,
    at("2026-03-13T23:59:59+08:00"),
    "invoice",
    "AB00000002",
    "source",
    "message",
    safe_at=at("2026-03-13T10:00:00+08:00"),
)


@pytest.mark.parametrize(
    ("now", "hours", "listed"),
    [
        ("2026-03-12T09:59:59+08:00", 24, []),
        ("2026-03-12T10:00:00+08:00", 24, [UPLOAD_LINE]),
        ("2026-03-12T23:59:58+08:00", 24, [UPLOAD_LINE]),
        ("2026-03-12T23:59:59+08:00", 24, [UPLOAD_LINE, VOID_LINE]),
        ("2026-03-13T12:00:00+08:00", 24, [UPLOAD_LINE, VOID_LINE]),
        ("2026-03-13T15:59:59+00:00", 0, [UPLOAD_LINE, VOID_LINE]),
        ("2026-03-13T15:59:59.999999+00:00", 0, [UPLOAD_LINE, VOID_LINE]),
        ("2026-03-14T00:00:00+08:00", 24, []),
    ],
)
def test_what_closes_soon_is_listed_until_its_last_second(now, hours, listed):
    """The stricter reading lists it earlier; a second after law's line it is gone. Soonest first."""
    lines = (VOID_LINE, UPLOAD_LINE)
    assert list(rule.closing(lines, now=at(now), within=timedelta(hours=hours))) == listed


INSTANTS = st.datetimes(datetime(2018, 7, 17), datetime(2090, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - zone apart
DOCUMENTS = st.builds(
    Document,
    kind=st.sampled_from(["invoice", "allowance", "void", "allowance_void"]),
    number=st.sampled_from(["AB00000001", "AB00000002"]),
    made_at=INSTANTS,
    business=st.booleans(),
    upload=st.sampled_from(["none", "uploading", "confirmed", "refused"]),
    living=st.booleans(),
    had_allowance=st.booleans(),
)


@given(DOCUMENTS, st.sampled_from(PROFILES), st.booleans())
def test_no_deadline_precedes_its_document(doc, profile, filed):
    """Down to the second, and the stricter reading is never the later one; all are whole seconds of Taipei."""
    made_at = doc.made_at.replace(microsecond=0)
    for line in found(doc, profile, filed=filed).values():
        assert made_at <= (line.safe_at or line.at) <= line.at
        assert (line.at.microsecond, line.at.utcoffset()) == (0, timedelta(hours=8))


@given(
    st.lists(DOCUMENTS, max_size=4),
    st.sampled_from(PROFILES),
    st.timedeltas(timedelta(days=-10), timedelta(days=100)),
    st.timedeltas(timedelta(0), timedelta(days=70)),
)
def test_nothing_past_is_closing(docs, profile, passed, within):
    """And nothing else is left out: what is not listed is past or closes later."""
    now = (docs[0].made_at + passed).replace(microsecond=0) if docs else at("2026-01-01T00:00:00+08:00")
    every = [line for doc in docs for line in found(doc, profile).values()]
    listed = rule.closing(every, now=now, within=within)
    closes = [line.safe_at or line.at for line in listed]
    assert closes == sorted(closes)
    assert all(line.at >= now for line in listed)
    assert all(line.at < now or (line.safe_at or line.at) > now + within for line in every if line not in listed)
