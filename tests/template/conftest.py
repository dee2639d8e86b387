"""The template as CloudFormation gets it, translated once."""

from __future__ import annotations

import pytest

from tests.template.reading import ROOT, Template
from tools import translate


@pytest.fixture(scope="session")
def template() -> Template:
    """The translated template; nothing may change it."""
    return Template(translate.translated(ROOT / "template.yaml"))
