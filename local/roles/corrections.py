"""What happens at shops after the sale (折讓與更正的情境); see ``scenarios``."""

from __future__ import annotations

from local import orders
from local.orders import Json
from local.roles.shop import Shop, UnexpectedAnswer

QUEUE_S = 15.0
UPLOADED_S = 86_400  # what the centre uploads the next day, the ministry has confirmed, and confirm asks
SETTLED_S = 1900  # nothing that was sent can still arrive
VOID: Json = {"reason": "折讓錯誤"}
REFUND: Json = {"reason": "退貨一件", "refund_id": "R1", "amount_twd": 350}
ONLINE: Json = {**REFUND, "online_email": "buyer@example.com"}
FACTS: Json = {"consent": {"note": "買受人來函"}, "paper_back": {"note": "已收回"}}
CORRECTION: Json = {"goal": "correct", "reason": "統編錯誤", "corrections": {"buyer": {"ubn": orders.OTHER_UBN}}}


def allowed_and_taken_back(shop: Shop) -> None:
    """An allowance, the same again, read; void once the ministry has it."""
    invoice = _uploaded(shop, orders.refundable("1"))
    allow = f"/v1/invoices/{invoice['id']}/allowances"
    (allowance,) = shop.expect(201, "POST", allow, REFUND)["allowances"]
    shop.expect(200, "POST", allow, REFUND)
    shop.expect(200, "GET", f"/v1/allowances/{allowance['id']}")
    _next_day(shop)
    shop.expect(201, "POST", f"/v1/allowances/{allowance['id']}/void", VOID)
    shop.allowances("1", ["VOIDED"])


def allowed_before_the_upload(shop: Shop) -> None:
    """Over the queue, on the day of the sale: it waits for the ministry, confirm sees it, recover carries it out."""
    shop.expect(201, "POST", "/v1/invoices", orders.refundable("1"))
    shop.send("allowance", {"order_id": "1", **REFUND})
    shop.logged("1", "correction_waits", QUEUE_S)
    _next_day(shop)
    shop.stack.recover()
    shop.allowances("1", ["LIVE"])


def allowance_lost(shop: Shop) -> None:
    """The allowance's answer and the list are lost: recover compares once nothing can still arrive."""
    invoice = _uploaded(shop, orders.refundable("1"))
    shop.fault("drop_after", "Allowance")
    shop.fault("drop_after", "GetAllowanceList")
    shop.expect(202, "POST", f"/v1/invoices/{invoice['id']}/allowances", REFUND)
    shop.stack.advance(SETTLED_S)
    shop.stack.recover()
    shop.allowances("1", ["LIVE"])


def buyer_agreed(shop: Shop) -> None:
    """The buyer is asked by e-mail; a forged callback is not believed, the centre's own is looked into."""
    number = _asked(shop)
    shop.forge(number)
    shop.allowances("1", ["ASKED"])
    shop.agree(number)
    shop.allowances("1", ["LIVE"])


def corrected(shop: Shop) -> None:
    """Facts recorded, the way previewed, gone: void and a new number. An older period is told as filed."""
    shop.expect(200, "PUT", "/v1/filings/11412", {})
    _uploaded(shop, orders.company("1"))
    shop.expect(200, "PATCH", "/v1/orders/api/1/facts", FACTS)
    shop.expect(200, "POST", "/v1/orders/api/1/corrections", {**CORRECTION, "dry_run": True})
    shop.expect(201, "POST", "/v1/orders/api/1/corrections", CORRECTION)
    shop.rest("1", ["VOIDED", "ISSUED"], 0)


def held_for_a_person(shop: Shop) -> None:
    """A correction that waits for the buyer's consent is taken back; the next one goes on when that is recorded."""
    _uploaded(shop, orders.company("1"))
    shop.expect(202, "POST", "/v1/orders/api/1/corrections", CORRECTION)
    shop.expect(200, "DELETE", "/v1/orders/api/1/corrections/1")
    shop.expect(202, "POST", "/v1/orders/api/1/corrections", CORRECTION)
    shop.expect(200, "PATCH", "/v1/orders/api/1/facts", FACTS)
    shop.rest("1", ["VOIDED", "ISSUED"], 0)


def deadlines_listed(shop: Shop) -> None:
    """What of the shop's documents closes soon is found through its books."""
    invoice = shop.expect(201, "POST", "/v1/invoices", orders.refundable("1"))
    listed = shop.expect(200, "GET", "/v1/deadlines?within=62d")["deadlines"]
    if {one["invoice_id"] for one in listed} != {invoice["id"]}:
        raise UnexpectedAnswer(f"listed: {len(listed)} deadlines")


def rotated_then_allowed(shop: Shop) -> None:
    """The centre takes new keys only, while the order is pinned to the old ones."""
    invoice = _uploaded(shop, orders.refundable("1"))
    shop.rotate("second")
    shop.expect(201, "POST", f"/v1/invoices/{invoice['id']}/allowances", REFUND)


def rotated_then_corrected(shop: Shop) -> None:
    """The same, corrected."""
    _uploaded(shop, orders.company("1"))
    shop.rotate("second")
    shop.expect(201, "POST", "/v1/orders/api/1/corrections", {**CORRECTION, "evidence": FACTS})


def rotated_then_confirmed(shop: Shop) -> None:
    """The same, asked about."""
    shop.expect(201, "POST", "/v1/invoices", orders.refundable("1"))
    shop.rotate("second")
    _next_day(shop)
    shop.logged("1", "upload_confirmed", 0)


def rotated_then_agreed(shop: Shop) -> None:
    """The same: the centre signs its callback with the new ones."""
    number = _asked(shop)
    shop.rotate("second")
    shop.agree(number)
    shop.allowances("1", ["LIVE"])


def _uploaded(shop: Shop, order: Json) -> Json:
    """The order's invoice, which the ministry has confirmed."""
    invoice = shop.expect(201, "POST", "/v1/invoices", order)
    _next_day(shop)
    shop.logged(order["order_id"], "upload_confirmed", 0)
    return invoice


def _next_day(shop: Shop) -> None:
    shop.stack.advance(UPLOADED_S)
    shop.stack.confirm()


def _asked(shop: Shop) -> str:
    """The number of an online allowance of order 1 that waits for its buyer."""
    invoice = _uploaded(shop, orders.refundable("1"))
    (allowance,) = shop.expect(201, "POST", f"/v1/invoices/{invoice['id']}/allowances", ONLINE)["allowances"]
    number: str = allowance["number"]
    return number


SCENARIOS = (
    allowed_and_taken_back,
    allowed_before_the_upload,
    allowance_lost,
    buyer_agreed,
    corrected,
    held_for_a_person,
    deadlines_listed,
    rotated_then_allowed,
    rotated_then_corrected,
    rotated_then_confirmed,
    rotated_then_agreed,
)
