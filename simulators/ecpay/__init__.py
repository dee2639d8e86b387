"""A simulator of ECPay's (綠界) B2C e-invoice JSON API: a real HTTP server that keeps state and can be made to fail.

>>> from simulators.ecpay import start
>>> with start(profile="stage") as sim:
...     sim.url.startswith("http://127.0.0.1:")
True
"""

from __future__ import annotations

from simulators.ecpay.simulator import Simulator, start
from simulators.ecpay.state import Settings

__all__ = ["Settings", "Simulator", "start"]
