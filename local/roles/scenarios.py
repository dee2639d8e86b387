"""What happens at shops (情境), each for a merchant of its own: together they need every right a function has.

A scenario raises UnexpectedAnswer where the system does not do what it must; that is also how one ends whose function
was robbed of a right.
"""

from __future__ import annotations

from collections.abc import Callable

from local import orders
from local.orders import Json
from local.roles import corrections
from local.roles.shop import Shop

QUEUE_S = 15.0
LATER_S = 120  # the lease is over and the order is due
BAN_S = 1900
VOID: Json = {"reason": "客戶取消訂單"}
SAME_NUMBER: Json = {
    "reason": "地址錯誤",
    "mode": "same_number",
    "corrections": {"buyer": {"address": "臺北市示範路2號"}},
}
REISSUE: Json = {"reason": "統編錯誤", "corrections": {"buyer": {"ubn": orders.OTHER_UBN}}}


def issued_and_read(shop: Shop) -> None:
    """Issue, the same again, every way to read it."""
    invoice = shop.expect(201, "POST", "/v1/invoices", orders.company("1"))
    shop.expect(200, "POST", "/v1/invoices", orders.company("1"))
    shop.expect(200, "GET", f"/v1/invoices/{invoice['id']}")
    shop.expect(200, "GET", "/v1/orders/api/1")
    shop.expect(200, "GET", f"/v1/invoices/{invoice['id']}/print")
    shop.expect(200, "GET", "/v1/health")


def wrong_key(shop: Shop) -> None:
    """A key that is not ours is refused after it was looked for."""
    shop.expect(404, "GET", "/v1/orders/api/none")
    good, shop.api_key = shop.api_key, f"{shop.api_key[:-1]}~"
    shop.expect(403, "GET", "/v1/orders/api/none")
    shop.api_key = f"{good[:-4]}AAAA"
    shop.expect(403, "GET", "/v1/orders/api/none")


def voided(shop: Shop) -> None:
    """Issue, void, the same void again."""
    invoice = shop.expect(201, "POST", "/v1/invoices", orders.donation("1"))
    shop.expect(201, "POST", f"/v1/invoices/{invoice['id']}/void", VOID)
    shop.expect(200, "POST", f"/v1/invoices/{invoice['id']}/void", VOID)


def reissued(shop: Shop) -> None:
    """Void and a new number; and the same number again, corrected."""
    first = shop.expect(201, "POST", "/v1/invoices", orders.company("1"))
    second = shop.expect(201, "POST", f"/v1/invoices/{first['id']}/reissue", REISSUE)
    shop.expect(201, "POST", f"/v1/invoices/{second['id']}/reissue", SAME_NUMBER)


def answer_lost(shop: Shop) -> None:
    """The centre issued and its answer is lost: looked up, adopted, at once."""
    shop.fault("drop_after", "Issue")
    shop.expect(201, "POST", "/v1/invoices", orders.mobile_barcode("1"))


def recovered(shop: Shop) -> None:
    """The look-up's answer is lost, too: recover finishes it."""
    _left_unknown(shop)
    shop.stack.recover()
    shop.rest("1", ["ISSUED"], 0)


def repeated_by_the_caller(shop: Shop) -> None:
    """The same, finished by the same request again."""
    _left_unknown(shop)
    shop.expect(200, "POST", "/v1/invoices", orders.mobile_barcode("1"))


def cancelled_on_its_way(shop: Shop) -> None:
    """A void over the queue meets an unfinished order: stored as a wish, carried out by recover."""
    _left_unknown(shop, wanted=True)
    for _ in range(3):
        shop.stack.recover()
    shop.rest("1", ["VOIDED"], 0)


def void_lost(shop: Shop) -> None:
    """The void's answer and its look-up are lost: recover finishes it once nothing can still arrive."""
    invoice = shop.expect(201, "POST", "/v1/invoices", orders.donation("1"))
    shop.fault("drop_after", "Invalid")
    shop.fault("drop_after", "GetIssue")
    shop.expect(202, "POST", f"/v1/invoices/{invoice['id']}/void", VOID)
    shop.stack.advance(BAN_S)
    shop.stack.recover()
    shop.rest("1", ["VOIDED"], 0)


def banned(shop: Shop) -> None:
    """HTTP 403 closes the account for everybody; issued when the ban is over."""
    shop.fault("ban", "Issue")
    shop.expect(202, "POST", "/v1/invoices", orders.mobile_barcode("1"))
    shop.stack.advance(BAN_S)
    shop.stack.recover()
    shop.rest("1", ["ISSUED"], 0)


def banned_while_voiding(shop: Shop) -> None:
    """The same for a void: the breaker is opened by another function."""
    invoice = shop.expect(201, "POST", "/v1/invoices", orders.donation("1"))
    shop.fault("ban", "Invalid")
    shop.expect(202, "POST", f"/v1/invoices/{invoice['id']}/void", VOID)
    shop.stack.advance(BAN_S)
    shop.stack.recover()
    shop.rest("1", ["VOIDED"], 0)


def over_the_queues(shop: Shop) -> None:
    """Issue, reissue and void as messages; one message that the rules refuse; one for no order at all."""
    shop.send("issue", orders.company("1"))
    shop.send("issue", {**orders.company("2"), "total_twd": 1})
    shop.send("void", {"order_id": "3", **VOID})
    shop.rest("1", ["ISSUED"], QUEUE_S)
    (first,) = shop.expect(200, "GET", "/v1/orders/api/1")["invoices"]
    shop.send("reissue", {"invoice_id": first["id"], **REISSUE})
    shop.rest("1", ["VOIDED", "ISSUED"], QUEUE_S)
    shop.send("void", {"order_id": "1", **VOID})
    shop.rest("1", ["VOIDED", "VOIDED"], QUEUE_S)
    shop.rest("2", ["REFUSED"], QUEUE_S)


def rotated_then_issued(shop: Shop) -> None:
    """The centre takes new keys only, while this container still knows the old ones."""
    shop.expect(201, "POST", "/v1/invoices", orders.donation("1"))
    shop.rotate("second")
    shop.expect(201, "POST", "/v1/invoices", orders.donation("2"))


def rotated_then_voided(shop: Shop) -> None:
    """An order pinned to old keys is voided with the account's new ones."""
    invoice = shop.expect(201, "POST", "/v1/invoices", orders.donation("1"))
    shop.rotate("second")
    shop.expect(201, "POST", f"/v1/invoices/{invoice['id']}/void", VOID)


def rotated_then_reissued(shop: Shop) -> None:
    """The same, replaced."""
    invoice = shop.expect(201, "POST", "/v1/invoices", orders.company("1"))
    shop.rotate("second")
    shop.expect(201, "POST", f"/v1/invoices/{invoice['id']}/reissue", REISSUE)


def rotated_then_printed(shop: Shop) -> None:
    """The same, printed."""
    invoice = shop.expect(201, "POST", "/v1/invoices", orders.company("1"))
    shop.rotate("second")
    shop.expect(200, "GET", f"/v1/invoices/{invoice['id']}/print")


def rotated_then_recovered(shop: Shop) -> None:
    """The same, of unknown fate."""
    _left_unknown(shop)
    shop.rotate("second")
    shop.stack.recover()
    shop.rest("1", ["ISSUED"], 0)


def _left_unknown(shop: Shop, *, wanted: bool = False) -> None:
    """Order 1 was issued and nobody here knows; ``wanted``: it was cancelled since. It is due."""
    shop.fault("drop_after", "Issue")
    shop.fault("drop_after", "GetIssue")
    shop.expect(202, "POST", "/v1/invoices", orders.mobile_barcode("1"))
    if wanted:
        shop.send("void", {"order_id": "1", **VOID})
        shop.logged("1", "wanted", QUEUE_S)
    shop.stack.advance(LATER_S)


SCENARIOS: dict[str, Callable[[Shop], None]] = {
    scenario.__name__.replace("_", " "): scenario
    for scenario in (
        issued_and_read,
        wrong_key,
        voided,
        reissued,
        answer_lost,
        recovered,
        repeated_by_the_caller,
        cancelled_on_its_way,
        void_lost,
        banned,
        banned_while_voiding,
        over_the_queues,
        rotated_then_issued,
        rotated_then_voided,
        rotated_then_reissued,
        rotated_then_printed,
        rotated_then_recovered,
        *corrections.SCENARIOS,
    )
}
