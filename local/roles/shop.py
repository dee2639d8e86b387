"""A merchant for one scenario (一次性商家): new settings, credentials and API key, so that no cache knows them."""

from __future__ import annotations

import time
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from einvoice.api_key_store import ApiKeys
from einvoice.api_keys import SCOPES, KeyTerms, parse
from einvoice.merchants import MerchantConfig, Merchants, Secret
from einvoice.merchants.config import Settings
from local.orders import Json
from local.rest import Reply, call
from local.stack import Stack

FIRST_ACCOUNT = 3_000_000


class UnexpectedAnswer(Exception):
    """The system did not do what the scenario needs."""


class Shop:
    """Merchant number ``number``, with an account of its own at the centre."""

    def __init__(self, stack: Stack, number: int) -> None:
        self.stack, self.merchant, self.account = stack, f"shop-{number:04d}", str(FIRST_ACCOUNT + number)
        dynamodb, table = stack.client("dynamodb"), stack.physical["Table"]
        self._merchants = Merchants(dynamodb, stack.client("kms"), table, stack.physical["Key"], time.monotonic)
        settings = Settings(same_number_reissue=True)
        config = MerchantConfig(self.merchant, "ecpay", self.account, stack.sim_url, settings=settings)
        self._config = self._merchants.put_config(config)
        self.rotate("first")
        self.api_key = (
            ApiKeys(dynamodb, table).issue(KeyTerms(self.merchant, SCOPES, "scenario"), stack.now()).presented
        )

    @property
    def names(self) -> frozenset[str]:
        """By what a call can be told to be about this shop."""
        return frozenset({self.merchant, f"M#{self.merchant}", f"K#{parse(self.api_key)}"})

    def rotate(self, name: str) -> None:
        """The centre takes new keys only (換發金鑰), and the operator has stored them."""
        secret = Secret(f"{name:k>16}", f"{name:v>16}")
        self.stack.control(
            "POST", "merchants", {"merchant_id": self.account, "key": secret.hash_key, "iv": secret.hash_iv}
        )
        self._merchants.put_secret(self.merchant, name, secret, account=self.account, now=self.stack.now())
        self._config = self._merchants.put_config(replace(self._config, credential_id=name), self._config.rev)

    def request(self, method: str, path: str, body: object = None, *, api_key: str = "") -> Reply:
        """One request to the API."""
        headers = {"authorization": f"Bearer {api_key or self.api_key}"}
        return call(method, self.stack.base_url + path, body, headers)

    def expect(self, status: int, method: str, path: str, body: object = None) -> Json:
        """The body of an answer that must have ``status``. Raises UnexpectedAnswer."""
        reply = self.request(method, path, body)
        if reply.status != status:
            code = reply.body.get("code", "no code of ours") if isinstance(reply.body, dict) else reply.body
            raise UnexpectedAnswer(f"{reply.status} {code}")
        answered: Json = reply.body
        return answered

    def send(self, queue: str, body: Json) -> None:
        """A message of this shop."""
        self.stack.send(queue, {"merchant_id": self.merchant, **body})

    def fault(self, kind: str, op: str, **more: Any) -> None:  # noqa: ANN401  # JSON values
        """Let the centre's next ``op`` for this account fail."""
        self.stack.fault(kind, op, merchant_id=self.account, **more)

    def states(self, order_id: str) -> list[str]:
        """The states of an order's invoices."""
        reply = self.request("GET", f"/v1/orders/api/{order_id}")
        return [invoice["state"] for invoice in reply.body["invoices"]] if reply.status == HTTPStatus.OK else []

    def rest(self, order_id: str, states: list[str], seconds: float) -> None:
        """Return once the order's invoices stand so. Raises UnexpectedAnswer."""
        until = time.monotonic() + seconds
        while (seen := self.states(order_id)) != states:
            if time.monotonic() > until:
                raise UnexpectedAnswer(f"{order_id} is {seen}")
            time.sleep(0.1)

    def allowances(self, order_id: str, states: list[str], seconds: float = 0) -> None:
        """Return once the order's allowances stand so. Raises UnexpectedAnswer."""
        until = time.monotonic() + seconds
        while (seen := self._allowances(order_id)) != states:
            if time.monotonic() > until:
                raise UnexpectedAnswer(f"allowances of {order_id} are {seen}")
            time.sleep(0.1)

    def agree(self, number: str) -> None:
        """The buyer agrees to an online allowance; the centre calls back before this returns."""
        self.stack.control("POST", f"online-allowances/{number}", {"agree": True})

    def forge(self, number: str) -> None:
        """Somebody who is not the centre says that the buyer agreed. Raises UnexpectedAnswer unless that is refused."""
        self.stack.control("POST", f"online-allowances/{number}", {"forge_callback": True})
        (attempt,) = self.stack.control("GET", "callbacks")["callbacks"][-1]["attempts"]
        if attempt["status"] != HTTPStatus.BAD_REQUEST:
            raise UnexpectedAnswer(f"forged: {attempt['status']} {attempt['answer']}")

    def logged(self, order_id: str, event: str, seconds: float) -> None:
        """Return once the order's log says so. Raises UnexpectedAnswer."""
        until = time.monotonic() + seconds
        while event not in self._events(order_id):
            if time.monotonic() > until:
                raise UnexpectedAnswer(f"{order_id} is not {event}")
            time.sleep(0.1)

    def _allowances(self, order_id: str) -> list[str]:
        reply = self.request("GET", f"/v1/orders/api/{order_id}")
        return [one["state"] for one in reply.body["allowances"]] if reply.status == HTTPStatus.OK else []

    def _events(self, order_id: str) -> list[str]:
        reply = self.request("GET", f"/v1/orders/api/{order_id}")
        return [entry["event"] for entry in reply.body["log"]] if reply.status == HTTPStatus.OK else []
