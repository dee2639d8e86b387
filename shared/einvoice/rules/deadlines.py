"""Deadlines of documents (期限): what closes when for one invoice, void or allowance, and what is possible after it.

Two kinds of line stand here. Law's own are data with an article: the upload (統一發票使用辦法 art. 7), the filing
(營業稅法 art. 35, moved off a holiday by 行政程序法 art. 48), the unused numbers (電子發票實施作業要點). The others
come from the centre, with the ``ProviderProfile``: until when it voids, and until when it registers a number again.
An upload and a centre's line are clock times that no holiday moves; only the filing moves.

>>> invoice = Document(
...     "invoice", "AB12345678", datetime(2026, 4, 10, 9, 30, tzinfo=TAIPEI), business=False, upload="none", living=True
... )
>>> for line in deadlines(invoice, profile=ProviderProfile("any"), filed=False, next_working_day=lambda day: day):
...     print(line.kind, line.at.isoformat(), line.safe_at.isoformat() if line.safe_at else "-")
void 2026-05-13T23:59:59+08:00 -
upload 2026-04-12T23:59:59+08:00 2026-04-12T09:30:00+08:00
filing 2026-05-15T23:59:59+08:00 -
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from einvoice.model import ProviderProfile
from einvoice.rules.law import UPLOAD_WITHIN_BUSINESS, UPLOAD_WITHIN_CONSUMER, Law, in_force
from einvoice.rules.period import TAIPEI, Period, tax_day
from einvoice.rules.void import ISSUE_PERIOD_ONLY, UNTIL_CUTOFF, void_deadline

BIMONTHLY = "bimonthly"
MONTHLY = "monthly"

INVOICE = "invoice"
ALLOWANCE = "allowance"
VOID = "void"
ALLOWANCE_VOID = "allowance_void"

CONFIRMED = "confirmed"

_KINDS = frozenset({INVOICE, ALLOWANCE, VOID, ALLOWANCE_VOID})
_UPLOADS = frozenset({"none", "uploading", CONFIRMED, "refused"})
_FILED_DOCUMENTS = frozenset({INVOICE, ALLOWANCE})  # a void is told with its document, not filed for itself
_NAMES = {INVOICE: "發票", ALLOWANCE: "折讓單", VOID: "作廢發票", ALLOWANCE_VOID: "作廢折讓單"}

_VAT_ACT = "https://law.moj.gov.tw/LawClass/LawAll.aspx?pcode=G0340080"
_E_INVOICE_DIRECTIONS = "https://law-out.mof.gov.tw/LawContent.aspx?id=GL010122"

# The day of the month after the filed one by which its sales are filed and paid (申報期限).
FILING_DAY = (Law(15, date(1986, 4, 1), "營業稅法 art. 35", _VAT_ACT),)

# The day of the next period by which its unused numbers are reported (空白字軌); the day the rule began is not known.
UNUSED_NUMBERS_DAY = (Law(10, date.min, "電子發票實施作業要點", _E_INVOICE_DIRECTIONS),)


class Kind(StrEnum):
    """What closes."""

    VOID = "void"  # 作廢
    SAME_NUMBER = "same_number"  # 註銷重開
    ALLOWANCE_VOID = "allowance_void"  # 作廢折讓單
    UPLOAD = "upload"  # 上傳財政部電子發票整合服務平台
    FILING = "filing"  # 營業稅申報


@dataclass(frozen=True, slots=True)
class Deadline:
    """One line in time (期限): ``at`` is the last second in Taipei in which it can still be kept.

    ``safe_at`` is the stricter reading, never after ``at``, where law has two. ``message`` is for the merchant's staff:
    what closes, and what is possible after it.
    """

    kind: Kind
    at: datetime
    document: str
    number: str
    source: str
    message: str
    safe_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What is known of one document (文件). ValueError for a kind or an upload state that this module does not know.

    ``kind``: invoice, allowance, void, allowance_void. ``made_at``: aware, the document's own date. ``business``: the
    buyer has a 統編. ``upload``: none, uploading, confirmed, refused. ``living``: it can still be changed; so False for
    a document that is void, and for an invoice that is fully allowed or that its centre never voids.
    ``had_allowance``: an allowance was ever made of this invoice, whatever became of it.
    """

    kind: str
    number: str
    made_at: datetime
    business: bool
    upload: str
    living: bool
    had_allowance: bool = False

    def __post_init__(self) -> None:
        """Refuse what nothing is known about."""
        if self.kind not in _KINDS:
            raise ValueError(f"no such kind of document: {self.kind!r}")
        if self.upload not in _UPLOADS:
            raise ValueError(f"no such state of an upload: {self.upload!r}")


def deadlines(
    document: Document, *, profile: ProviderProfile, filed: bool, next_working_day: Callable[[date], date]
) -> tuple[Deadline, ...]:
    """Every deadline the document still has, whether past or not; at most one of each kind.

    ``filed``: the sales of the document's own period are filed already, which ends every change. ``next_working_day``
    answers the day itself where it is one. LookupError for an upload before there was a law about it, ValueError for
    a naive ``made_at`` and for a profile that nobody understands.
    """
    return tuple(_deadlines(document, profile, next_working_day, filed=filed))


def closing(deadlines: Iterable[Deadline], *, now: datetime, within: timedelta) -> tuple[Deadline, ...]:
    """Those that are open at ``now`` and close ``within`` it, soonest first.

    The stricter reading says when one closes, law's last second when it is past: an upload that missed only the
    stricter one is still listed. A deadline of 23:59:59 lasts until midnight.
    """
    now = now.replace(microsecond=0)
    near = (line for line in deadlines if now <= line.at and _closes(line) <= now + within)
    return tuple(sorted(near, key=lambda line: (_closes(line), line.at, line.kind, line.document, line.number)))


def filing_deadline(made_on: date, profile: ProviderProfile, next_working_day: Callable[[date], date]) -> datetime:
    """The last second to file the sales of the period, or for a monthly filer of the month, that ``made_on`` is in.

    >>> filing_deadline(date(2026, 1, 31), ProviderProfile("any", filing="monthly"), lambda day: day).isoformat()
    '2026-02-15T23:59:59+08:00'
    """
    month = _filing_month(made_on, profile)
    return _end_of(next_working_day(month.replace(day=in_force(FILING_DAY, made_on).value)))


def upload_deadline(document: Document) -> Deadline:
    """Until when the document must have been uploaded (上傳期限), confirmed or not.

    Law counts days, or hours of the clock; both readings of the same figure are told. LookupError before that law.
    """
    made_on = tax_day(document.made_at)
    law = in_force(UPLOAD_WITHIN_BUSINESS if document.business else UPLOAD_WITHIN_CONSUMER, made_on)
    at = _end_of(made_on + law.value)
    message = (
        f"{_NAMES[document.kind]} {document.number} 最遲須於 {_told(at)} 上傳財政部電子發票整合服務平台，"
        "目前尚未確認成功；逾期可能受罰，仍須儘速補傳。"
    )
    return _deadline(
        Kind.UPLOAD, at, document, law.article, message, safe_at=_whole_second(document.made_at) + law.value
    )


def unused_numbers_deadline(period: str) -> datetime:
    """The last second to report the unused numbers of the period with this key; never moved off a holiday, to be safe.

    >>> unused_numbers_deadline("11512").isoformat()
    '2027-01-10T23:59:59+08:00'
    """
    issued_in = Period.parse(period)
    return issued_in.cutoff(in_force(UNUSED_NUMBERS_DAY, issued_in.end.date()).value)


def _deadlines(
    document: Document, profile: ProviderProfile, next_working_day: Callable[[date], date], *, filed: bool
) -> Iterator[Deadline]:
    changeable = document.living and not filed
    if document.kind == INVOICE and changeable and _may_be_void(document, profile):
        yield _void(document, profile)
        if profile.same_number_reissue and not document.had_allowance:
            yield _same_number(document, profile)
    if document.kind == ALLOWANCE and changeable:
        yield _allowance_void(document, profile)
    if document.upload != CONFIRMED:
        yield upload_deadline(document)
    if document.kind in _FILED_DOCUMENTS and not filed:
        yield _filing(document, profile, next_working_day)


def _may_be_void(document: Document, profile: ProviderProfile) -> bool:
    """Whether the centre voids it at all: most never void an invoice that ever had an allowance."""
    return not document.had_allowance or profile.history == "void_allowances_first"


def _void(document: Document, profile: ProviderProfile) -> Deadline:
    at = _void_line(tax_day(document.made_at), profile)
    message = f"發票 {document.number} 最遲可於 {_told(at)} 作廢；逾期不可作廢，只能開立折讓單。"
    return _deadline(Kind.VOID, at, document, f"統一發票使用辦法 art. 20; {profile.name}", message)


def _same_number(document: Document, profile: ProviderProfile) -> Deadline:
    window_end = _whole_second(document.made_at) + timedelta(hours=profile.same_number_hours)
    at = min(window_end, _void_line(tax_day(document.made_at), profile))
    message = (
        f"發票 {document.number} 最遲可於 {_told(at)} 註銷重開（沿用原號碼）；逾期須先作廢或全額折讓，再以新號碼開立。"
    )
    return _deadline(Kind.SAME_NUMBER, at, document, profile.name, message)


def _allowance_void(document: Document, profile: ProviderProfile) -> Deadline:
    at = _void_line(tax_day(document.made_at), profile)
    message = (
        f"折讓單 {document.number} 最遲可於 {_told(at)} 作廢；逾期不可作廢，如需恢復銷售額，請由人員確認後另開發票。"
    )
    return _deadline(Kind.ALLOWANCE_VOID, at, document, f"統一發票使用辦法 art. 20; {profile.name}", message)


def _filing(document: Document, profile: ProviderProfile, next_working_day: Callable[[date], date]) -> Deadline:
    made_on = tax_day(document.made_at)
    at = filing_deadline(made_on, profile, next_working_day)
    message = (
        f"{_NAMES[document.kind]} {document.number} 所屬期別最遲須於 {_told(at)} 申報營業稅；"
        "申報後即不可作廢，發票只能開立折讓單。"
    )
    return _deadline(Kind.FILING, at, document, in_force(FILING_DAY, made_on).article, message)


def _deadline(
    kind: Kind, at: datetime, document: Document, source: str, message: str, *, safe_at: datetime | None = None
) -> Deadline:
    return Deadline(kind, at, document.kind, document.number, source, message, safe_at)


def _void_line(made_on: date, profile: ProviderProfile) -> datetime:
    """The centre's line for a document of the day; a monthly filer's own month stands for the period."""
    if profile.filing == BIMONTHLY:
        return void_deadline(Period.of_day(made_on).key, profile)
    filed_in = _filing_month(made_on, profile)
    if profile.void_scope == UNTIL_CUTOFF:
        return _end_of(filed_in.replace(day=profile.void_cutoff_day))
    if profile.void_scope == ISSUE_PERIOD_ONLY:
        return _end_of(filed_in - timedelta(days=1))
    raise ValueError(f"no such void_scope: {profile.void_scope!r}")


def _filing_month(made_on: date, profile: ProviderProfile) -> date:
    """The first day of the month in which the sales of the day ``made_on`` are filed."""
    if profile.filing == BIMONTHLY:
        return Period.of_day(made_on).next().start.date()
    if profile.filing == MONTHLY:
        return (made_on.replace(day=1) + timedelta(days=31)).replace(day=1)
    raise ValueError(f"no such filing: {profile.filing!r}")


def _closes(line: Deadline) -> datetime:
    return line.safe_at or line.at


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), TAIPEI)


def _whole_second(at: datetime) -> datetime:
    """In Taipei, rounded down: the stricter way."""
    return at.astimezone(TAIPEI).replace(microsecond=0)


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
