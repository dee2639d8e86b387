"""What a centre holds (憑證): invoices, their allowances (折讓單), and what the ministry answered to each upload."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from zlib import crc32

from einvoice.model import Order, OrderKey
from einvoice.providers.base import Found, FoundAllowance, FoundLine
from einvoice.rules.decimals import canonical
from einvoice.rules.period import TAIPEI
from tests.simulation.engine import Rng, World

ASKED, LIVE, VOID, CANCELLED, EXPIRED = "ASKED", "LIVE", "VOID", "CANCELLED", "EXPIRED"
HOLDING = (ASKED, LIVE)  # these take from what is left of the invoice


@dataclass
class Ministry:
    """The ministry's platform (財政部電子發票整合服務平台): each upload is answered after a while, rarely with no."""

    world: World
    delay_s: tuple[float, float]
    refuses: float
    hurried: list[float] = field(default_factory=list)  # instants at which everything sent until then was answered

    def answer(self, what: str, since: float, seen: float) -> str:
        """What became, as seen at ``seen``, of an upload that was sent at ``since``: uploading, confirmed, refused."""
        rng = Rng(crc32(what.encode()) * 0x9E3779B1 + self.world.seed)
        due = since + rng.between(*self.delay_s)
        if seen < due and not any(since <= at <= seen for at in self.hurried):
            return "uploading"
        return "refused" if rng.chance(self.refuses) else "confirmed"


@dataclass(eq=False)
class Slip:
    """One allowance, or the question to the buyer that may become one; ``history`` is (since when, status)."""

    number: str
    reason: str
    total_twd: int
    lines: tuple[FoundLine, ...]
    made_at: datetime
    sent_t: float
    history: list[tuple[float, str]]

    @property
    def status(self) -> str:
        """How it stands."""
        return self.history[-1][1]

    def at(self, before: float) -> tuple[float, str]:
        """Since when it stood how, as seen at ``before``; an empty status before it was made."""
        return next((entry for entry in reversed(self.history) if entry[0] <= before), (0.0, ""))


@dataclass(eq=False)
class Document:
    """One invoice at a centre; ``versions`` are (since when, content, void), the last one is how it stands."""

    key: OrderKey
    account: str
    relate: str
    number: str
    random_code: str
    issued_at: datetime
    versions: list[tuple[float, Order, bool]]
    ministry: Ministry
    slips: list[Slip] = field(default_factory=list)

    @property
    def order(self) -> Order:
        """Its content now."""
        return self.versions[-1][1]

    @property
    def void(self) -> bool:
        """Whether it is void (作廢) now."""
        return self.versions[-1][2]

    @property
    def issued_on(self) -> date:
        """Its Taipei day."""
        return self.issued_at.astimezone(TAIPEI).date()

    @property
    def billed_twd(self) -> int:
        """What it still bills: nothing if void, else its total less the allowances that live."""
        if self.void:
            return 0
        return self.order.total_twd - sum(slip.total_twd for slip in self.slips if slip.status == LIVE)

    def remaining_twd(self, before: float) -> int:
        """What may still be allowed of it, as seen at ``before``."""
        _, order, void = self._version(before)
        if void:
            return 0
        return order.total_twd - sum(slip.total_twd for slip in self.slips if slip.at(before)[1] in HOLDING)

    def upload(self, before: float) -> str:
        """What the ministry made of its present content, as seen at ``before``."""
        living = [since for since, _, void in self.versions if since <= before and not void]
        return self.ministry.answer(f"{self.number}:{len(living)}", living[-1], before)

    def found(self, before: float) -> Found | None:
        """As a look-up shows it that sees only what is older than ``before``."""
        if self.versions[0][0] > before:
            return None
        _, order, void = self._version(before)
        return Found(
            number=self.number,
            issued_at=self.issued_at,
            random_code=self.random_code,
            total_twd=order.total_twd,
            ubn=order.buyer.ubn,
            tax_type=order.tax_type.value,
            carrier_kind=order.carrier.kind.value if order.carrier else "",
            carrier_number=order.carrier.number if order.carrier else "",
            love_code=order.love_code,
            print_paper=order.print_paper,
            lines=tuple(FoundLine(line.name, canonical(line.quantity), line.amount_twd) for line in order.lines),
            void=void,
            withdrawn=False,
            upload=self.upload(before),
            remaining_twd=self.remaining_twd(before),
        )

    def found_allowances(self, before: float) -> tuple[FoundAllowance, ...]:
        """The allowances, void ones too, as seen at ``before``; what still waits for the buyer is not among them."""
        shown = ((slip, *slip.at(before)) for slip in self.slips)
        return tuple(self._shown(slip, before) for slip, _, status in shown if status in (LIVE, VOID))

    def slip(self, number: str) -> Slip | None:
        """The allowance of this number."""
        return next((slip for slip in self.slips if slip.number == number), None)

    def slip_upload(self, slip: Slip, before: float) -> str:
        """What the ministry made of an allowance."""
        since = next((since for since, status in slip.history if status == LIVE), None)
        return "none" if since is None else self.ministry.answer(slip.number, since, before)

    def _shown(self, slip: Slip, before: float) -> FoundAllowance:
        return FoundAllowance(
            number=slip.number,
            invoice_number=self.number,
            allowed_at=slip.made_at,
            total_twd=slip.total_twd,
            tax_twd=slip.total_twd // 21,
            lines=slip.lines,
            void=slip.at(before)[1] == VOID,
            upload=self.slip_upload(slip, before),
        )

    def _version(self, before: float) -> tuple[float, Order, bool]:
        return next(version for version in reversed(self.versions) if version[0] <= before)
