"""The Issue function that dies on order (當機); shipped beside its handler by the torture run only.

While the file that DIE_FILE names is there, the process ends the moment the centre's answer to Issue has come back: no
commit, no answer, no cleaning up. The file goes first, so that one order means one death.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from einvoice.model import Order
from einvoice.providers.base import Call, Issued, Outcome
from einvoice.providers.ecpay.provider import EcpayProvider

handler = importlib.import_module("handler").handler  # of the function it lies beside
_issue = EcpayProvider.issue


def _issue_and_die(self: EcpayProvider, order: Order, relate_number: str, call: Call) -> Outcome[Issued]:
    outcome = _issue(self, order, relate_number, call)
    ordered = Path(os.environ["DIE_FILE"])
    if ordered.exists():
        ordered.unlink()
        os._exit(137)
    return outcome


EcpayProvider.issue = _issue_and_die  # type: ignore[method-assign]  # that is the point
