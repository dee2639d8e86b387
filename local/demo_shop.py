"""The shop of ``local.demo`` (示範商店): what it asks for, and what the centre really holds of it."""

from __future__ import annotations

from http import HTTPStatus

from local.orders import Json
from local.rest import Reply
from local.stack import Stack, wait_until

UPLOADED_S = 86_400  # what the centre uploads the next day, the ministry has confirmed


class DifferenceError(Exception):
    """Something is not as it must be."""


def expect(holds: bool, fact: str) -> None:
    """Print the fact, or stop the demo."""
    if not holds:
        raise DifferenceError(fact)
    print(f"      ✓ {fact}")


class Shop:
    """The shop's side of the story. ``living`` is how many living invoices each order must have in the end."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.living: dict[str, int] = {}

    def post(self, title: str, body: Json) -> Reply:
        """Ask for an invoice over HTTP."""
        reply = self.stack.request("POST", "/v1/invoices", body)
        print(f"    訂單 {body['order_id']}  {title}  NT${body['total_twd']:,} → HTTP {reply.status}")
        return reply

    def issue(self, title: str, body: Json) -> Json:
        """The same, where an invoice must come of it at once."""
        invoice = created(self.post(title, body))
        self.living[body["order_id"]] = 1
        expect(bool(invoice["number"]), f"發票 {invoice['number']}，隨機碼 {invoice['random_code']}")
        return invoice

    def enqueue(self, title: str, body: Json) -> None:
        """Ask for an invoice over the queue; nobody waits for it."""
        self.stack.send("issue", body)
        self.living[body["order_id"]] = 1
        print(f"    訂單 {body['order_id']}  {title}  NT${body['total_twd']:,} → 佇列 queue")

    def order(self, order_id: str) -> Json:
        """What the service knows of an order: its invoices, its log."""
        reply = self.stack.request("GET", f"/v1/orders/api/{order_id}")
        return reply.body if reply.status == HTTPStatus.OK else {"invoices": [], "log": []}

    def invoice(self, order_id: str) -> Json:
        """The order's newest invoice, once it is issued."""

        def issued() -> Json | None:
            newest: Json = (self.order(order_id)["invoices"] or [{}])[-1]
            return newest if newest.get("state") == "ISSUED" else None

        return wait_until(f"the invoice of order {order_id}", issued)

    def held(self) -> list[Json]:
        """What the centre holds: its own list, not ours."""
        invoices: list[Json] = self.stack.control("GET", "invoices")["invoices"]
        return invoices

    def held_numbers(self) -> set[str]:
        """The numbers of every invoice the centre holds."""
        return {invoice["number"] for invoice in self.held()}

    def allowances_of(self, number: str) -> list[int]:
        """The sums of an invoice's living allowances, as the centre holds them."""
        held: list[Json] = self.stack.control("GET", "allowances")["allowances"]
        return [one["amount"] for one in held if one["invoice_no"] == number and not one["void"]]

    def upload(self) -> None:
        """A day later: the schedules ask for the uploads, and carry on what waited for them."""
        self.stack.advance(UPLOADED_S)
        self.stack.confirm()
        self.stack.recover()


def created(reply: Reply) -> Json:
    """The invoice of a 201."""
    if reply.status != HTTPStatus.CREATED:
        raise DifferenceError(f"201 was expected, but: {reply}")
    body: Json = reply.body
    return body
