"""Number tracks (字軌): the ministry's allocation, the default ranges, and giving out the next number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.periods import TAIPEI, header_of, next_term, term_of
from simulators.ecpay.state import IN_USE, Merchant, Track, World

ALLOCATED = 800_000  # numbers a merchant is allocated per term and type
DEFAULT_RANGE = 500_000  # of which the default track takes the first; the rest can be added by AddInvoiceWordSetting
BOOK = 50  # 1 本
FIRST = 10_000_000


@dataclass(frozen=True, slots=True)
class Allocation:
    """What the ministry gave one merchant for one term (財政部配號)."""

    year: int
    term: int
    inv_type: str
    header: str
    start: int
    end: int


def allocation(merchant: Merchant, year: int, term: int, inv_type: str) -> Allocation:
    """Merchants never share a range, as invoice numbers are unique in the country."""
    start = FIRST + merchant.slot * ALLOCATED
    return Allocation(year, term, inv_type, header_of(year, term, inv_type), start, start + ALLOCATED - 1)


def ensure(world: World, merchant: Merchant, now: datetime) -> None:
    """Make the default tracks of the current and the next term, unless switched off or made before."""
    if not world.settings.default_tracks:
        return
    current = term_of(now.astimezone(TAIPEI).date())
    for year, term in (current, next_term(*current)):
        if (merchant.merchant_id, year, term) in world.made_terms:
            continue
        world.made_terms.add((merchant.merchant_id, year, term))
        for inv_type in ("07", "08"):
            given = allocation(merchant, year, term, inv_type)
            add(world, merchant, replace(given, end=given.start + DEFAULT_RANGE - 1))


def add(world: World, merchant: Merchant, given: Allocation, status: int = IN_USE) -> Track:
    """Append the range ``given``."""
    track = Track(
        track_id=f"{world.serial():010d}",
        merchant_id=merchant.merchant_id,
        year=given.year,
        term=given.term,
        inv_type=given.inv_type,
        header=given.header,
        start=given.start,
        end=given.end,
        next=given.start,
        status=status,
    )
    world.tracks.append(track)
    return track


def take(world: World, merchant: Merchant, inv_type: str, product_service_id: str, now: datetime) -> str:
    """The next number of the current term, ascending within a track. Raises ``Refused`` with 5070350."""
    ensure(world, merchant, now)
    year, term = term_of(now.astimezone(TAIPEI).date())
    for track in world.tracks:
        if (
            (track.merchant_id, track.year, track.term) == (merchant.merchant_id, year, term)
            and track.inv_type == inv_type
            and track.status == IN_USE
            and track.next <= track.end
            and (not merchant.several_tracks or track.product_service_id == product_service_id)
        ):
            number = f"{track.header}{track.next:08d}"
            track.next += 1
            return number
    raise Refused(codes.NO_TRACK)


def exhaust(world: World, merchant: Merchant, now: datetime) -> int:
    """Use up every enabled track of the current term; answers how many numbers were thrown away."""
    ensure(world, merchant, now)
    current = term_of(now.astimezone(TAIPEI).date())
    lost = 0
    for track in world.tracks:
        if track.merchant_id == merchant.merchant_id and (track.year, track.term) == current and track.status == IN_USE:
            lost += track.end + 1 - track.next
            track.next = track.end + 1
    return lost
