"""``python -m tests.store.writer PORT``: writes heads without end, and says each write that was acknowledged.

One line per acknowledged write on standard output: ``ORDER VER WRITE_ID``. Whatever becomes of a write (the engine may
be killed in its middle), the head is read again and the work goes on from what stands there, as a worker of ours would.
Every write adds the log entry ``{"ver": …}`` of its own, so that a head says by itself whether it is whole.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from dataclasses import replace
from typing import Any

from einvoice.errors import StoreUnavailable
from einvoice.model import Centre, OrderKey
from einvoice.store import items
from einvoice.store.base import Guard, Head, State
from einvoice.store.dynamodb import DynamoStore
from tests.aws import TABLE
from tests.store.engines import client

ORDERS = 8  # written in turn, so that a kill meets every kind of write
STATES = tuple(State)
WORDS = "作廢原因" * 200  # a few kilobytes, so that a write is more than one page of a file


def key_of(number: int) -> OrderKey:
    """The order of that number."""
    return OrderKey("demo-shop", "api", f"crash-{number}")


def state_of(ver: int) -> State:
    """The state that the write of this version sets."""
    return STATES[ver % len(STATES)]


def entry(ver: int) -> dict[str, Any]:
    """The log entry of the write that made this version."""
    return {"ver": ver, "words": WORDS}


def written(store: DynamoStore, number: int, standing: Head | None, write_id: str) -> int:
    """One write on top of what stands; the version it made. Raises StoreUnavailable where nobody knows."""
    if standing is None:
        head = Head(
            key=key_of(number),
            state=state_of(1),
            generation=1,
            ver=1,
            write_id=write_id,
            op=write_id,
            created_at=1,
            updated_at=1,
            centre=Centre("ecpay", "2000132", "first"),
            due_at=1,
            payload={"words": WORDS},
            log=[entry(1)],
        )
        assert store.create(head) is None
        return 1
    ver = standing.ver + 1
    if ver % 2:
        change = {"state": state_of(ver), "write_id": write_id, "due_at": ver, "log": [entry(ver)]}
        ok, _ = store.begin(standing.key, Guard((standing.state,), 1), change)
        assert ok
    else:
        log = [*standing.log, entry(ver)][-20:]
        head = replace(standing, ver=ver, write_id=write_id, state=state_of(ver), due_at=ver, log=log)
        assert store.replace(head) is None
    return ver


def main() -> None:
    """Write until killed."""
    items.DUE_SHARDS = 1  # one merchant fills one of them
    store = DynamoStore(client(int(sys.argv[1])), TABLE)
    for count in itertools.count():
        number, write_id = count % ORDERS, f"w{count}"
        try:
            ver = written(store, number, store.read(key_of(number)), write_id)
        except StoreUnavailable:
            time.sleep(0.005)
        else:
            os.write(1, f"{number} {ver} {write_id}\n".encode())


if __name__ == "__main__":
    main()
