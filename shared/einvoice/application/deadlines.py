"""Deadlines (期限) of one merchant's documents that close soon: a read over its books, a page at a time.

The books list invoices by the period of their number, so what is read are the invoices of the running period and of
the two before it, each with everything that was made of it: an allowance belongs to its own day, and is found with its
invoice. Within a page what closes first comes first. A page reads a bounded number of orders, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from einvoice.application import documents, filings
from einvoice.application.ports import Ports
from einvoice.model import OrderKey
from einvoice.rules import deadlines
from einvoice.rules.correction_time import filing_unit, void_deadline_of
from einvoice.rules.deadlines import Deadline, filing_deadline
from einvoice.rules.period import TAIPEI, Period
from einvoice.store.base import Head
from einvoice.workdays import next_working_day

MAX_LINES = 2_000  # of one page: one order of a hundred allowances has hundreds
_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reading stands: begun ``at``, for what closes until ``within`` after it; after which number of a book.

    The instant it began is kept, so that every page of one reading is about the same time and the same books.
    """

    at: datetime
    within: timedelta
    period: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """One deadline of one document, and whose it is."""

    line: Deadline
    key: OrderKey
    generation: int
    n: int  # of an allowance, or its void; else 0


@dataclass(frozen=True, slots=True)
class Unit:
    """What is filed at once, a period or a month by its key, and until when: common to all its documents."""

    key: str
    void_closes_at: datetime
    filing_due: datetime
    filed_at: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """What one page found; ``following`` is None where nothing more is to be read."""

    closing: list[Closing]
    units: list[Unit]
    books: list[str]
    following: Place | None


def page(p: Ports, merchant: str, place: Place, limit: int) -> Page:
    """Read at most ``limit`` orders from ``place`` on. Raises MerchantUnusable, StoreUnavailable."""
    view = _View(p, merchant, place)
    books = books_of(place.at)
    found: list[Closing] = []
    here, left = replace(place, period=place.period or books[0]), limit
    for period in books[books.index(here.period) :]:
        here = replace(here, period=period, after=here.after if here.period == period else "")
        entries = p.store.booked(merchant, period, here.after, left)
        heads = {head.key: head for head in p.store.read_many([key for _, key in entries])}
        for number, key in entries:
            found += view.of(heads[key]) if key in heads else ()
            here, left = replace(here, after=number), left - 1
            if left == 0 or len(found) >= MAX_LINES:
                return view.page(found, books, here)
    return view.page(found, books, None)


def books_of(at: datetime) -> list[str]:
    """The periods whose invoices are read: the one that closes next first, then the running one, then an older one.

    >>> books_of(datetime(2026, 3, 5, tzinfo=TAIPEI)), books_of(datetime(2026, 4, 5, tzinfo=TAIPEI))
    (['11502', '11504', '11412'], ['11504', '11502', '11412'])
    """
    running = Period.of(at)
    last = running.previous()
    closing = at.astimezone(TAIPEI).date() < running.start.date() + _MONTH
    first = [last, running] if closing else [running, last]
    return [period.key for period in (*first, last.previous())]


class _View:
    """What one page needs of a merchant, each asked for once."""

    def __init__(self, p: Ports, merchant: str, place: Place) -> None:
        self._p, self._merchant = p, merchant
        self._now = p.clock.now().replace(microsecond=0)
        self._within = place.at + place.within - self._now
        self._profile = p.centres.profile(merchant)
        self._filed: dict[str, int | None] = {}

    def of(self, head: Head) -> Iterator[Closing]:
        """What of this order closes in time."""
        for one in documents.dated(head, self._profile):
            made_on = one.document.made_at.astimezone(TAIPEI).date()
            lines = deadlines.deadlines(
                one.document,
                profile=self._profile,
                filed=self._filed_at(made_on) is not None,
                next_working_day=next_working_day,
            )
            for line in deadlines.closing(lines, now=self._now, within=self._within):
                yield Closing(line, head.key, one.generation, one.n)

    def page(self, found: list[Closing], books: list[str], following: Place | None) -> Page:
        """The page of what was found."""
        found.sort(key=lambda one: (one.line.safe_at or one.line.at, one.line.kind, one.line.number, one.n))
        return Page(found, list(self._units(books)), books, following)

    def _units(self, books: list[str]) -> Iterator[Unit]:
        """What of these books is still to be filed, or was before its day; soonest first."""
        today = self._now.astimezone(TAIPEI).date()
        starts = (Period.parse(key).start.date() for key in sorted(books))
        days = (day for start in starts for day in (start, start + _MONTH) if day <= today)
        for day in sorted({filing_unit(day, self._profile) for day in days}):
            due = filing_deadline(day, self._profile, next_working_day)
            if due >= self._now:
                key = filings.filing_key(day, self._profile)
                yield Unit(key, void_deadline_of(day, self._profile), due, self._filed_at(day))

    def _filed_at(self, day: date) -> int | None:
        """When the merchant filed the documents of this day; what has not ended cannot have been filed."""
        key = filings.filing_key(day, self._profile)
        if key >= filings.filing_key(self._now.astimezone(TAIPEI).date(), self._profile):
            return None
        if key not in self._filed:
            self._filed[key] = self._p.store.filed_at(self._merchant, key)
        return self._filed[key]
