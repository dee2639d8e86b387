"""Free text (文字欄位): present where needed, short enough, and of characters that survive the way to the ministry.

The ministry's messages are XML 1.0, which cannot carry control characters, unpaired surrogates, U+FFFE and U+FFFF. Line
breaks and tabs are refused too: ECPay's help desk names them as a cause of failed imports (support.ecpay.com.tw 6437).
Characters outside the basic plane (emoji, rare ideographs) are refused where the centre is not known to store them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from einvoice.errors import Violation
from einvoice.rules.codes import Code, violation

_LAST_OF_BASIC_PLANE = "\uffff"


@dataclass(frozen=True, slots=True)
class Field:
    """One text field: its path in the request, its name in the sentence shown to the merchant, its limits."""

    path: str
    label: str
    max_chars: int
    required: bool = False


def check(value: str, field: Field, *, astral: bool) -> Iterator[Violation]:
    """Everything wrong with one text: TEXT_MISSING, TEXT_TOO_LONG, TEXT_CONTROL_CHARACTER, TEXT_ASTRAL.

    ``astral``: characters outside the basic plane may be sent.
    """
    if field.required and not value.strip():
        yield violation(Code.TEXT_MISSING, field.path, label=field.label)
    yield from check_length(value, field)
    if (position := _first(value, _is_unsendable)) is not None:
        yield violation(Code.TEXT_CONTROL_CHARACTER, field.path, label=field.label, position=position)
    if not astral and (position := _first(value, _is_astral)) is not None:
        yield violation(Code.TEXT_ASTRAL, field.path, label=field.label, position=position)


def check_length(value: str, field: Field) -> Iterator[Violation]:
    """TEXT_TOO_LONG, or nothing."""
    if utf16_units(value) > field.max_chars:
        yield violation(Code.TEXT_TOO_LONG, field.path, label=field.label, max_chars=field.max_chars)


def utf16_units(value: str) -> int:
    """Length as .NET counts it, the strictest of the ways a centre may count: an emoji is two.

    >>> utf16_units("發票A"), utf16_units("😀")
    (3, 2)
    """
    return len(value) + sum(map(_is_astral, value))


def _first(value: str, is_bad: Callable[[str], bool]) -> int | None:
    """Position, counted from 1, of the first character that ``is_bad``."""
    return next((position for position, char in enumerate(value, 1) if is_bad(char)), None)


def _is_astral(char: str) -> bool:
    return char > _LAST_OF_BASIC_PLANE


def _is_unsendable(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs"} or char in "\ufffe\uffff"
