"""The middle of a call to the centre (呼叫途中): what else happens while a worker waits for its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from einvoice.providers.ecpay.provider import EcpayProvider


@contextmanager
def during(call: str, do: Callable[[], object], *, answered: bool = False) -> Iterator[None]:
    """Let ``do`` happen in the middle of the next ``call`` of the provider, once.

    Before the centre is asked, or, ``answered``, after it has answered and before anybody here has heard it.
    """
    real = getattr(EcpayProvider, call)
    left = [do]

    def meanwhile(provider: EcpayProvider, *asked: Any) -> Any:
        if not left:
            return real(provider, *asked)
        happens = left.pop()
        if not answered:
            happens()
        outcome = real(provider, *asked)
        if answered:
            happens()
        return outcome

    with patch.object(EcpayProvider, call, meanwhile):
        yield
    assert left == []


def until(done: Callable[[], bool], rounds: int = 60) -> Iterator[None]:
    """One round after the other until ``done``; a product that never comes there fails instead of hanging."""
    for _ in range(rounds):
        if done():
            return
        yield
    raise AssertionError(f"not done after {rounds} rounds")
