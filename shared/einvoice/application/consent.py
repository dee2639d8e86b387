"""A centre's notice that a buyer agreed to an allowance (線上折讓同意通知): a reason to look, never a fact."""

from __future__ import annotations

from einvoice.application import sending
from einvoice.application.confirm import confirm_one
from einvoice.application.ports import Ports, Work
from einvoice.errors import StoreUnavailable
from einvoice.identity import valid_allowance_name


def noticed(p: Ports, w: Work, merchant: str, name: str, content_type: str, body: bytes) -> bool:
    """Whether the notice is genuine; if so, the order it names is looked at now, or soon if it is in work.

    Raises MerchantUnusable, StoreUnavailable: nobody knows yet.
    """
    key = p.store.recall(merchant, name) if merchant and valid_allowance_name(name) else None
    head = p.store.read(key) if key is not None else None
    if head is None or not sending.provider_of(p, head).genuine(content_type, body):
        return False
    if confirm_one(p, w, head.key, now_due=True).outcome == "failed":
        raise StoreUnavailable("not looked at yet")
    return True
