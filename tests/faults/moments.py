"""When things happen (時點): in the middle of a call to the centre, or all at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

from einvoice.providers.ecpay.provider import EcpayProvider

Told = TypeVar("Told")


def at_once(*calls: Callable[[], Told]) -> list[Told]:
    """What each of them is answered, in their order, all begun at the same moment."""
    barrier = threading.Barrier(len(calls))
    answers: dict[int, Told] = {}

    def run(at: int) -> None:
        barrier.wait()
        answers[at] = calls[at]()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(calls)
    return [answers[at] for at in range(len(calls))]


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
