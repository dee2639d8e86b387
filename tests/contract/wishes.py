"""JSON values that are nearly what the service wants: a good one with a few parts replaced, taken away or added."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tools.contract_words import FIELDS

#: without what the two sides may see differently and nobody sends: control characters at the end of a pattern's text,
#: whole numbers written with a fraction
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3000, 3000),
    st.sampled_from([10**30, -(10**30), 0.5, 1e-7, "", "1", "-0.50", "1e3", "1_0", "２", " 1", "+1", ".5", "5."]),
    st.sampled_from(["taxable", "mixed", "mobile_barcode", "member", "via_customs", "same_number", "api"]),
    TEXTS,
    st.sampled_from([[], {}, [1], [None], {"a": 1}, "x" * 4001]),
)
#: every field there is, and one there is not
NAMES = (*sorted(name for name in FIELDS if "." not in name), "surprise")


def paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    found = []
    if isinstance(value, dict):
        found = [one for name, inner in value.items() for one in [(*before, name), *paths(inner, (*before, name))]]
    elif isinstance(value, list):
        found = [one for i, inner in enumerate(value) for one in [(*before, i), *paths(inner, (*before, i))]]
    return found


@st.composite
def mutated(draw: Any, value: Any) -> Any:
    """``value`` with up to three changes; what is drawn is copied, because the next change may fall into it."""
    made = _copied(value)
    for _ in range(draw(st.integers(0, 3))):
        places = paths(made)
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        holder = made
        for step in way:
            holder = holder[step]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "remove":
                del holder[last]
            case "add" if isinstance(holder, dict):
                holder[draw(st.sampled_from(NAMES))] = _copied(draw(SCALARS))
            case _:
                holder[last] = _copied(draw(SCALARS))
    return made


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
