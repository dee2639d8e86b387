"""The simulator's own clock: real time plus an offset, and things to do when it reaches an instant."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from simulators.ecpay.periods import TAIPEI

YEARS = range(1950, 2900)  # so that no arithmetic on an instant can leave the calendar
Job = Callable[[datetime], None]


class Clock:
    """Taipei instants, and jobs that each run once, when time passes or a move goes beyond their instant.

    A job is told its own instant, so that a jump of a month over a job due in a minute does it "in a minute".
    """

    def __init__(self) -> None:
        self._offset = timedelta(0)
        self._jobs: list[tuple[datetime, int, str, Job]] = []
        self._changed = threading.Condition()
        self._running = threading.RLock()
        self._count = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def now(self) -> datetime:
        """The instant it is here."""
        return datetime.now(TAIPEI) + self._offset

    @property
    def offset_s(self) -> float:
        """Seconds this clock is ahead of the real one."""
        return self._offset.total_seconds()

    def move(self, *, to: datetime | None = None, advance_s: float | None = None) -> datetime:
        """Set the clock to ``to`` or move it by ``advance_s``; jobs that fall due are done before this returns.

        Raises ``ValueError`` or ``OverflowError`` for an instant out of range; the clock stays then.
        """
        with self._changed:
            real = datetime.now(TAIPEI)
            there = to.astimezone(TAIPEI) if to is not None else real + self._offset
            there += timedelta(seconds=advance_s or 0)
            if there.year not in YEARS:
                raise ValueError(f"the clock goes from {YEARS[0]} to {YEARS[-1]}")
            self._offset = there - real
            self._changed.notify_all()
        self.run_due()
        return self.now()

    def at(self, due: datetime, kind: str, job: Job) -> None:
        """Do ``job(due)`` when it is ``due``; ``kind`` is a name to ask for in ``pending``."""
        with self._changed:
            self._count += 1
            heapq.heappush(self._jobs, (due, self._count, kind, job))
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._watch, name="ecpay-simulator-clock", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def pending(self, kind: str) -> list[datetime]:
        """Instants of the jobs of that kind not done yet, in order."""
        with self._changed:
            return sorted(due for due, _, of_kind, _ in self._jobs if of_kind == kind)

    def forget(self) -> None:
        """Drop all jobs and go back to real time."""
        with self._changed:
            self._jobs.clear()
            self._offset = timedelta(0)

    def close(self) -> None:
        """Stop the watching thread; jobs not done are never done."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()

    def run_due(self) -> None:
        """Do every job that is due; it is done, here or by the watching thread, before this returns."""
        # One at a time and in order: a move and the watcher must not run jobs of different instants at once.
        with self._running:
            while True:
                with self._changed:
                    if not self._jobs or self._jobs[0][0] > self.now():
                        return
                    due, _, _, job = heapq.heappop(self._jobs)
                job(due)

    def _watch(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                wait_s = (self._jobs[0][0] - self.now()).total_seconds() if self._jobs else None
                if wait_s is None or wait_s > 0:
                    # A cap, because a condition refuses waits of centuries.
                    self._changed.wait(None if wait_s is None else min(wait_s, 3600))
                    continue
            self.run_due()
