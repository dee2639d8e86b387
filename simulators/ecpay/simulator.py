"""One running simulator, for use in process; the control API says the same over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from simulators.ecpay import callbacks, control, oracle, tracks
from simulators.ecpay.clock import Clock
from simulators.ecpay.delivery import HTML, UNKNOWN_PATH, Delivery
from simulators.ecpay.documents import AllowanceRequest, Invoice
from simulators.ecpay.gateway import ARRIVAL, Gateway
from simulators.ecpay.operations import collegiate
from simulators.ecpay.pages import PRINT_PATH, page
from simulators.ecpay.periods import term_of
from simulators.ecpay.server import Server, is_operation
from simulators.ecpay.state import NOT_ENABLED, REJECTED, TEST_MERCHANT, Merchant, Profile, Settings, World

PRIZES = range(13)  # IIS_Award_Type


class Simulator:
    """Every method may be called from any thread, also while requests are served."""

    def __init__(self, settings: Settings, host: str = "127.0.0.1", port: int = 0) -> None:
        self.clock = Clock()
        self.world = World(settings, self.clock)
        self.gateway = Gateway(self.world)
        self.world.add_merchant(*TEST_MERCHANT)
        self._server = Server(host, port, self._route)

    @property
    def url(self) -> str:
        """Base URL to give to a client instead of ECPay's."""
        return self._server.url

    def _route(self, method: str, path: str, body: bytes, base_url: str) -> Delivery:
        operation = is_operation(path)
        if operation is not None and method == "POST":
            return self.gateway.answer(operation, body, base_url)
        plain = urlsplit(path).path
        if plain.startswith(control.PREFIX):
            return control.answer(self, method, path, body)
        if plain.startswith(PRINT_PATH) and method == "GET":
            shown = page(self.world, plain.removeprefix(PRINT_PATH), self.clock.now())
            if shown is not None:
                return Delivery(200, HTML, shown.encode(errors="replace"))
        return UNKNOWN_PATH

    # clock
    def now(self) -> datetime:
        """The simulator's instant, Taipei."""
        return self.clock.now()

    def move_clock(self, *, now: datetime | None = None, advance_s: float | None = None) -> datetime:
        """Set or move the clock; late arrivals that fall due are committed before this returns."""
        return self.clock.move(to=now, advance_s=advance_s)

    # faults
    def fault(self, kind: str, **wish: object) -> dict[str, object]:
        """Order a fault of one of the kinds in ``faults.FAULTS``.

        ``wish``: targets ``op``, ``relate``, ``invoice_no``, ``merchant_id``; ``times`` (1; None is for ever), ``skip``
        (0); and the kind's own parameters. Raises ``ValueError`` or ``TypeError`` for what it does not understand.
        """
        with self.world.lock:
            return self.gateway.faults.add(self.now(), {"kind": kind, **wish}).described()

    def faults(self) -> list[dict[str, object]]:
        """All faults ordered so far, used up ones too."""
        with self.world.lock:
            return [fault.described() for fault in self.gateway.faults.ordered]

    def clear_faults(self) -> None:
        """Forget the faults; late arrivals on their way still arrive."""
        with self.world.lock:
            self.gateway.faults.clear()

    # what is there
    def invoices(self, *, relate: str | None = None, number: str | None = None) -> list[dict[str, object]]:
        """All invoices of all merchants, oldest first; or those of one RelateNumber (any case) or number."""
        with self.world.lock:
            return [
                oracle.invoice_of(self.world, invoice)
                for invoice in self.world.by_relate.values()
                if (relate is None or invoice.relate.lower() == relate.lower()) and number in (None, invoice.number)
            ]

    def allowances(self) -> list[dict[str, object]]:
        """All allowances, oldest first."""
        with self.world.lock:
            return [oracle.allowance_of(allowance) for allowance in self.world.allowances.values()]

    def online_allowances(self) -> list[dict[str, object]]:
        """All AllowanceByCollegiate, oldest first, whatever became of them."""
        with self.world.lock:
            return [oracle.request_of(request) for request in self.world.requests.values()]

    def agree(self, number: str) -> None:
        """The buyer agrees to an online allowance; the callback was tried once before this returns.

        Raises ``KeyError`` for an unknown number, ``ValueError`` for one that is not waiting any more.
        """
        with self.world.lock:
            collegiate.agree(self.world, self._request(number), self.now())
        self.clock.run_due()

    def forge_consent(self, number: str) -> None:
        """Somebody else posts the callback of an online allowance, with a false CheckMacValue.

        Raises ``KeyError`` for an unknown number, ``ValueError`` where no ReturnURL was given.
        """
        with self.world.lock:
            request = self._request(number)
            if not request.return_url:
                raise ValueError(f"{number} has no ReturnURL")
            callbacks.tell_agreed(self.world, request, self.now(), forged=True)
        self.clock.run_due()

    def _request(self, number: str) -> AllowanceRequest:
        found = [request for request in self.world.requests.values() if request.allowance.number == number]
        if not found:
            raise KeyError(number)
        return found[-1]

    def delayed(self) -> list[dict[str, object]]:
        """All DelayIssue, oldest first, whatever became of them."""
        with self.world.lock:
            return [oracle.delayed_of(delayed) for delayed in self.world.delayed.values()]

    def forge_issue(self, tsr: str) -> None:
        """The same for a delayed issue, with a false number; ``ValueError`` where no NotifyURL was given."""
        with self.world.lock:
            found = [delayed for delayed in self.world.delayed.values() if delayed.tsr == tsr]
            if not found:
                raise KeyError(tsr)
            if not found[-1].notify_url:
                raise ValueError(f"{tsr} has no NotifyURL")
            callbacks.tell_issued(self.world, found[-1], self.now(), forged=True)
        self.clock.run_due()

    def callbacks(self) -> list[dict[str, object]]:
        """What was posted to merchants, or would have been, oldest first."""
        with self.world.lock:
            return [oracle.callback_of(callback) for callback in self.world.callbacks]

    def notifications(self) -> list[dict[str, object]]:
        """The InvoiceNotify that were accepted, oldest first."""
        with self.world.lock:
            return [oracle.notification_of(notification) for notification in self.world.notifications]

    def fail_upload(self, number: str, *, failed: bool = True) -> None:
        """Let the ministry refuse the upload of an invoice (Turnkey status E), or not. Raises ``KeyError``."""
        with self.world.lock:
            for invoice in self._numbered(number):
                invoice.upload_failed = failed

    def award(self, number: str, prize: int | None) -> None:
        """The draw (開獎): IIS_Award_Type 1 to 12, 0 for no prize, None for not drawn yet.

        Raises ``KeyError`` for an unknown number, ``ValueError`` for a prize that is none, or that the invoice cannot
        win: a business, a donor and a void invoice have none.
        """
        if prize is not None and prize not in PRIZES:
            raise ValueError("award is 0 to 12, or null")
        with self.world.lock:
            for invoice in self._numbered(number):
                if prize and (invoice.content.ubn or invoice.content.donation == "1" or invoice.voided):
                    raise ValueError(f"{number} cannot win")
                invoice.award = prize

    def _numbered(self, number: str) -> list[Invoice]:
        invoices = [invoice for invoice in self.world.invoices.values() if invoice.number == number]
        if not invoices:
            raise KeyError(number)
        return invoices

    def calls(self, *, op: str | None = None, relate: str | None = None) -> list[dict[str, object]]:
        """The log of operations, oldest first."""
        with self.world.lock:
            return [
                record.described()
                for record in self.gateway.log.records
                if (op is None or record.op.lower() == op.lower())
                and (relate is None or record.relate.lower() == relate.lower())
            ]

    def clear_calls(self) -> None:
        """Empty the log."""
        with self.world.lock:
            self.gateway.log.clear()

    def pending(self) -> list[datetime]:
        """When requests on their way (``late_arrival``) will arrive."""
        return self.clock.pending(ARRIVAL)

    # merchants, tracks, registry
    def add_merchant(self, merchant_id: str, key: str, iv: str, **more: object) -> None:
        """Add an account, or change the keys of one; ``name``, ``ubn``, ``several_tracks``. Raises ``ValueError``."""
        self.world.add_merchant(merchant_id, key, iv, **more)

    def merchants(self) -> list[dict[str, object]]:
        """The accounts, without their keys."""
        with self.world.lock:
            return [
                {"merchant_id": one.merchant_id, "name": one.name, "ubn": one.ubn, "several_tracks": one.several_tracks}
                for one in self.world.merchants.values()
            ]

    def tracks(self) -> list[dict[str, object]]:
        """The number tracks of all merchants, the default ones of now included."""
        with self.world.lock:
            for merchant in self.world.merchants.values():
                tracks.ensure(self.world, merchant, self.now())
            return [oracle.track_of(track) for track in self.world.tracks]

    def exhaust(self, merchant_id: str = TEST_MERCHANT[0]) -> int:
        """Use up the current term's tracks; answers how many numbers that threw away. Raises ``KeyError``."""
        with self.world.lock:
            return tracks.exhaust(self.world, self.world.merchants[merchant_id], self.now())

    def add_track(  # noqa: PLR0913 - a range has that many properties, all but three by keyword
        self,
        header: str,
        start: int,
        end: int,
        *,
        merchant_id: str = TEST_MERCHANT[0],
        year: int | None = None,
        term: int | None = None,
        inv_type: str = "07",
        product_service_id: str = "",
    ) -> dict[str, object]:
        """Add an enabled range of any length, in the current term unless told otherwise. Raises ``KeyError``."""
        with self.world.lock:
            merchant: Merchant = self.world.merchants[merchant_id]
            this_year, this_term = term_of(self.now().date())
            wanted = tracks.Allocation(year or this_year, term or this_term, inv_type, header, start, end)
            track = tracks.add(self.world, merchant, wanted)
            track.product_service_id = product_service_id
            return oracle.track_of(track)

    def review_track(self, track_id: str, status: int) -> None:
        """Give a track any UseStatus, also 5 (pending) and 6 (rejected). Raises ``KeyError``, ``ValueError``."""
        if not NOT_ENABLED <= status <= REJECTED:
            raise ValueError(f"status is {NOT_ENABLED} to {REJECTED}")
        with self.world.lock:
            found = [track for track in self.world.tracks if track.track_id == track_id]
            if not found:
                raise KeyError(track_id)
            found[0].status = status

    def register(self, known: Mapping[str, Mapping[str, object]]) -> None:
        """Tell the ministry's look-ups: ``barcodes`` {code: exists}, ``love_codes`` and ``companies`` {code: name}."""
        registry = self.world.registry
        with self.world.lock:
            registry.barcodes.update({code: bool(exists) for code, exists in known.get("barcodes", {}).items()})
            registry.love_codes.update({code: str(name) for code, name in known.get("love_codes", {}).items()})
            registry.companies.update({code: str(name) for code, name in known.get("companies", {}).items()})

    def settings(self, changes: Mapping[str, object] | None = None) -> dict[str, object]:
        """The switches, after changing some. Raises ``ValueError`` for one that does not exist."""
        with self.world.lock:
            return control.change_settings(self.world.settings, changes or {})

    def reset(self) -> None:
        """As new: no documents, faults, calls, late arrivals; real time. Merchants and switches stay."""
        self.clock.forget()
        with self.world.lock:
            self.world.clear()
            self.gateway.faults.clear()
            self.gateway.log.clear()

    def close(self) -> None:
        """Stop serving."""
        self._server.stop()
        self.clock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start(
    port: int = 0, profile: Profile = "stage", *, host: str = "127.0.0.1", settings: Settings | None = None
) -> Simulator:
    """Start one simulator; port 0 takes a free one. ``settings`` overrides ``profile``."""
    return Simulator(settings or Settings(profile=profile), host, port)
