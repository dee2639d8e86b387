"""A function that dies on order (當機); shipped beside the handler of Issue and Allowance by the torture run only.

While the file that DIE_FILE names is there, the process ends the moment the centre's answer has come back: no commit,
no answer, no cleaning up. The file goes first, so that one order means one death.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from einvoice.providers.ecpay.provider import EcpayProvider

P = ParamSpec("P")
T = TypeVar("T")

handler = importlib.import_module("handler").handler  # of the function it lies beside


def _mortal(call: Callable[P, T]) -> Callable[P, T]:
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        outcome = call(*args, **kwargs)
        ordered = Path(os.environ["DIE_FILE"])
        if ordered.exists():
            ordered.unlink()
            os._exit(137)
        return outcome

    return called


EcpayProvider.issue = _mortal(EcpayProvider.issue)  # type: ignore[method-assign]  # that is the point
EcpayProvider.allow = _mortal(EcpayProvider.allow)  # type: ignore[method-assign]  # the same
