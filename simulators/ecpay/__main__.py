"""``python -m simulators.ecpay --port 8081``: run the simulator until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from datetime import datetime

from simulators.ecpay.periods import TAIPEI
from simulators.ecpay.simulator import Simulator
from simulators.ecpay.state import Settings


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=TAIPEI)


def _merchant(text: str) -> tuple[str, str, str]:
    try:
        merchant_id, key, iv = text.split(":")
    except ValueError as error:
        raise argparse.ArgumentTypeError("expected id:key:iv") from error
    return merchant_id, key, iv


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators.ecpay", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8081, help="port, 0 for a free one (%(default)s)")
    parser.add_argument("--profile", choices=("stage", "doc"), default="stage")
    parser.add_argument("--merchant", type=_merchant, action="append", default=[], metavar="ID:KEY:IV")
    parser.add_argument("--now", type=_instant, help="start the clock here, e.g. 2026-03-14T00:00:00+08:00")
    parser.add_argument("--vary-types", action="store_true", help="answer numbers as text and back, as ECPay does")
    parser.add_argument("--no-default-tracks", action="store_true", help="no number tracks but those that are added")
    return parser.parse_args()


def main() -> None:
    """Listen, print the address, wait."""
    arguments = _arguments()
    settings = Settings(
        profile=arguments.profile,
        vary_types=arguments.vary_types,
        default_tracks=not arguments.no_default_tracks,
    )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Simulator(settings, arguments.host, arguments.port) as sim:
        for merchant_id, key, iv in arguments.merchant:
            sim.add_merchant(merchant_id, key, iv)
        if arguments.now:
            sim.move_clock(now=arguments.now)
        sys.stdout.write(f"ECPay simulator ({settings.profile}) at {sim.url}, control at {sim.url}/_control/\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
