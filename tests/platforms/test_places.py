"""Where a shop keeps the buyer's wishes: paths that find exactly what they say, and nothing chosen in doubt."""

from __future__ import annotations

import pytest

from einvoice.platforms.places import Places, look
from einvoice.platforms.reading import Reader

ORDER = {
    "note_attributes": [
        {"name": "統一編號", "value": "04595257"},
        {"name": "same", "value": "x"},
        {"name": "same", "value": " x "},
        {"name": "two", "value": "x"},
        {"name": "two", "value": "y"},
        {"name": 7, "value": 8},
        "no object",
    ],
    "billing_address": {"company": " ", "公司": "範例"},
    "flag": True,
    "list": ["x"],
    "zero": 0,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("note_attributes[name=統一編號].value", "04595257"),
        ("note_attributes[name=same].value", "x"),
        ("note_attributes[name=7].value", "8"),
        ("note_attributes[name=absent].value", ""),
        ("note_attributes[value=04595257].name", "統一編號"),
        ("note_attributes.name", ""),
        ("billing_address.company", ""),
        ("billing_address.公司", "範例"),
        ("billing_address.company.deeper", ""),
        ("flag", "true"),
        ("zero", "0"),
        ("nothing[name=x].value", ""),
    ],
)
def test_a_path_finds_what_it_names(path, found):
    """Names go down, brackets pick, and what is not there is empty."""
    reader = Reader()
    assert look(ORDER, (path,), reader) == found
    assert reader.violations == []


def test_the_first_fruitful_path_counts():
    """A blank is no find."""
    paths = ("billing_address.company", "note_attributes[name=統一編號].value", "flag")
    assert look(ORDER, paths, Reader()) == "04595257"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("note_attributes[name=two].value", "PLACE_AMBIGUOUS"),
        ("list", "PLACE_UNREADABLE"),
        ("billing_address", "PLACE_UNREADABLE"),
    ],
)
def test_a_doubtful_find_is_noted_and_not_used(path, code):
    """Two different values, or something that is no text."""
    reader = Reader()
    assert look(ORDER, (path,), reader) == ""
    assert [one.code for one in reader.violations] == [code]


@pytest.mark.parametrize("path", ["", ".", "a..b", "a[b]", "a[b=c", "a]b", "a[=c]", "a.b."])
def test_what_is_no_path_is_refused_when_the_settings_are_read(path):
    """A typing mistake must not turn every company into a consumer."""
    with pytest.raises(ValueError, match="no path"):
        Places(ubn=(path,))
