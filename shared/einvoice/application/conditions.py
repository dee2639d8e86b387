"""Every reason not to begin a reissue (再次開立條件), checked before the old invoice is touched."""

from __future__ import annotations

from dataclasses import replace

from einvoice.application import allowances, payload, sending
from einvoice.application.ports import Json, Ports, Work
from einvoice.errors import Conflict, InvalidRequest, MerchantUnusable, Reason
from einvoice.model import Centre, Order, ProviderProfile
from einvoice.providers.base import Accepted, Found, Provider, Unknown
from einvoice.rules import issue as issue_rules
from einvoice.rules import reissue as rules
from einvoice.rules.normalise import normalise
from einvoice.rules.period import TAIPEI, Period
from einvoice.store.base import Head, State

NUMBERS_UNKNOWN = "NUMBERS_UNKNOWN"  # the centre did not say how many are left
MAX_GENERATIONS = 50  # a 51st correction of one order is a person's business


def corrected_payload(head: Head) -> Json:
    """The content of the reissue under way: the order's own, with the corrections laid over it."""
    return payload.to_json(normalise(payload.from_json(laid_over(head.payload, head.next.get("corrections", {})))))


def laid_over(original: Json, corrections: Json) -> Json:
    """``original`` with ``corrections`` laid over it: ``buyer`` part by part, everything else whole; None removes.

    >>> laid_over({"buyer": {"ubn": "1", "name": "a"}, "print": True}, {"buyer": {"ubn": "2"}, "print": None})
    {'buyer': {'ubn': '2', 'name': 'a'}}
    """
    merged = {**original, **corrections}
    if isinstance(corrections.get("buyer"), dict):
        buyer = {**original.get("buyer", {}), **corrections["buyer"]}
        merged["buyer"] = {name: value for name, value in buyer.items() if value}
    return {name: value for name, value in merged.items() if value is not None}


def checked_content(p: Ports, head: Head, corrections: Json, profile: ProviderProfile) -> Order:
    """The corrected, normalised content of the new invoice. Raises InvalidRequest with every violation."""
    order = normalise(payload.from_json(laid_over(head.payload, corrections)))
    check_order(p, order, profile)
    return order


def check_order(p: Ports, order: Order, profile: ProviderProfile) -> None:
    """The content may be issued today. Raises InvalidRequest with every violation."""
    violations = issue_rules.check(order, on=p.clock.now().astimezone(TAIPEI).date(), profile=profile)
    violations += payload.check_size(order)
    if violations:
        raise InvalidRequest([replace(v, path=f"corrections.{v.path}") for v in violations])


def check_case(p: Ports, head: Head, corrected: Order, request: Json, profile: ProviderProfile) -> None:
    """The conditions under which an order may get another invoice. Raises Conflict."""
    old_total = int(head.payload.get("total_twd", 0))
    order_total = request.get("order_total_twd")
    if order_total is not None and not request.get("plan"):  # a plan's is what is left to bill already
        order_total = int(order_total) - allowances.refunded_twd(head)
    refusal = rules.decide(
        rules.ReissueCase(
            state=State.ISSUED.value if head.state is State.REISSUING else head.state.value,
            remaining_twd=0 if head.state is State.VOIDED else old_total,
            invoice_period=head.period or head.sold_period,
            order_total_twd=old_total if order_total is None else int(order_total),
            new_total_twd=corrected.total_twd,
            new_buyer_has_ubn=bool(corrected.buyer.ubn),
            new_tax_type=corrected.tax_type,
            corrected=payload.to_json(corrected) != head.payload,
            same_number=request.get("mode") == "same_number",
            issued_at=head.issued_at,
            uploaded=head.upload == "confirmed",
        ),
        now=p.clock.now(),
        profile=profile,
    )
    if refusal is not None:
        raise Conflict(
            refusal.reason,
            refusal.cause,
            refusal.message,
            status=409 if refusal.reason in (Reason.WAIT, Reason.ORDER_HAS_INVOICE) else 422,
            retry_after_s=refusal.retry_after_s,
        )


def check_room(head: Head) -> None:
    """The order's item can keep one more generation. Raises Conflict."""
    kept = payload.stored_bytes([head.past, head.allowances, head.plans])
    if head.generation >= MAX_GENERATIONS or kept > payload.MAX_PAST_BYTES:
        raise Conflict(
            Reason.ASK_A_PERSON,
            "TOO_MANY_REISSUES",
            "這筆訂單已再次開立太多次，請由人員確認後處理。",
            status=422,
        )


def centre_for_next(p: Ports, head: Head) -> tuple[Centre, ProviderProfile]:
    """Where the next generation goes: the merchant's centre of now, or, if it may begin nothing new, the old one's."""
    try:
        return p.centres.current(head.key.merchant)
    except MerchantUnusable:
        if head.centre is None:
            raise
        return head.centre, p.centres.profile(head.key.merchant)


def numbers_left(p: Ports, w: Work, head: Head) -> int | None:
    """How many numbers (字軌號碼) the centre of the next generation has left; None: it did not say."""
    centre, _ = centre_for_next(p, head)
    provider = p.centres.pinned(head.key.merchant, centre)
    merchant, account = head.key.merchant, centre.account
    left = None
    if p.breakers.banned_until(merchant, account) is None:
        p.pace(merchant, account)
        call = p.call(w, p.timing.look_cap_s)
        left = provider.numbers_left(Period.of(p.clock.now()).key, call) if call else None
    if isinstance(left, Unknown) and left.retry_after_s is not None:
        p.breakers.open(merchant, account, left.retry_after_s, left.cause)
    return left.value if isinstance(left, Accepted) else None


def check_numbers(p: Ports, w: Work, head: Head) -> None:
    """The centre has a number left for the new invoice. Raises Conflict; nothing was sent."""
    left = numbers_left(p, w, head)
    if left is None:
        raise Conflict(
            Reason.PROVIDER_BUSY,
            NUMBERS_UNKNOWN,
            "暫時無法向加值中心確認是否還有發票號碼，尚未作廢原發票，請稍後再試。",
            status=503,
            retry_after_s=60,
        )
    if left < 1:
        raise Conflict(
            Reason.ADD_NUMBERS,
            "NUMBER_EXHAUSTED",
            "本期已無可用的發票號碼，尚未作廢原發票：請先至加值中心新增並啟用字軌，再重新送出。",
            status=422,
        )


def _upload_known(p: Ports, w: Work, head: Head, provider: Provider) -> Head:
    """The head with what the centre says now of its upload to the ministry, unless that is confirmed already."""
    if head.upload == "confirmed":
        return head
    found = sending.look(p, w, head, provider)
    return replace(head, upload=found.upload) if isinstance(found, Found) else head


def check_begun(p: Ports, w: Work, head: Head, provider: Provider) -> Order:
    """Everything at once, for a reissue whose intent ``head.next`` holds. Raises InvalidRequest or Conflict."""
    check_room(head)
    corrected = checked_content(p, head, head.next.get("corrections", {}), provider.profile)
    same_number = head.next.get("mode") == "same_number"
    check_case(p, _upload_known(p, w, head, provider) if same_number else head, corrected, head.next, provider.profile)
    if not same_number:
        check_numbers(p, w, head)
    return corrected
