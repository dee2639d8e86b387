"""What ends a schedule (違反): an invariant that does not hold."""

from __future__ import annotations


class Violation(AssertionError):
    """An invariant does not hold: the schedule ends here."""

    def __init__(self, invariant: str, sentence: str) -> None:
        super().__init__(f"{invariant}: {sentence}")
        self.invariant = invariant


def expect(holds: bool, invariant: str, sentence: str) -> None:
    """Raise Violation unless it ``holds``."""
    if not holds:
        raise Violation(invariant, sentence)
