"""The examples in the rules' docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from einvoice import rules

MODULES = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
WITHOUT_EXAMPLES = {
    "adoption",  # needs a whole document; tests/rules/test_adoption.py is its example
    "delivery",  # these three speak through issue.check
    "lines",
    "tax",
    "codes",  # a table
}


@pytest.mark.parametrize("name", MODULES)
def test_every_rule_shows_examples_and_they_are_true(name):
    """A rule's docstring can be believed, because it runs; a module without examples is named here."""
    result = doctest.testmod(importlib.import_module(f"einvoice.rules.{name}"))
    assert result.failed == 0
    assert (result.attempted > 0) is (name not in WITHOUT_EXAMPLES)
