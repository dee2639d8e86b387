"""Run one command that ends with the process that started it, however that one ends, even by ``kill -9``.

``python -m local.lifeline COMMAND ARG…``, with a pipe as standard input and as the leader of a session of its own. The
pipe's end is the order to stop: the command gets SIGTERM, then whatever it left behind (the embedded AWS runs every
Lambda function in a process of its own) goes with the group.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

STOP_S = 5.0  # how long the command may take to end by itself
POLL_S = 0.2


def main(command: list[str]) -> None:
    """Run ``command`` until it ends or our starter is gone; never returns, for it ends its own group."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while child.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], POLL_S)
        if readable and not os.read(sys.stdin.fileno(), 1):
            _stop(child)
    sys.stderr.flush()
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        print(f"lifeline: {child.args!r} did not end within {STOP_S} s", file=sys.stderr)
        child.kill()
        child.wait()


if __name__ == "__main__":
    if os.getpgrp() != os.getpid():
        sys.exit("lifeline: must lead a process group of its own, or it would end its starter's")
    main(sys.argv[1:])
