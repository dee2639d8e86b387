"""The builds of ``tools/check-artifacts``: one for this machine's processor, to boot, and the one that is deployed."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from tests.template.reading import ROOT, Template
from tools import translate

BOOTS: dict[str, float] = {}


@pytest.fixture(scope="session")
def builds() -> Path:
    """The folder with a build per processor."""
    named = os.environ.get("EINVOICE_ARTIFACTS")
    if not named:
        pytest.skip("needs the builds that `make artifacts` makes")
    return ROOT / named


@pytest.fixture(scope="session")
def native(builds: Path) -> Path:
    """The build for this machine's processor."""
    return builds / ("arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64")


@pytest.fixture(scope="session")
def deployed(builds: Path) -> Path:
    """The build that is deployed."""
    return builds / "arm64"


@pytest.fixture(scope="session")
def runtime() -> Path:
    """A Python of the functions' version that has ``awslambdaric`` and nothing else."""
    return ROOT / ".venv-ric" / "bin" / "python"


@pytest.fixture(scope="session")
def template() -> Template:
    """The translated template; nothing may change it."""
    return Template(translate.translated(ROOT / "template.yaml"))


def functions() -> list[str]:
    """Logical ids of every function of the template."""
    resources = translate.source(ROOT / "template.yaml")["Resources"]
    return [name for name, resource in resources.items() if resource["Type"] == "AWS::Serverless::Function"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How long each function took from the start of its process to asking for an event."""
    for name, seconds in BOOTS.items():
        terminalreporter.write_line(f"booted {name:<18} {seconds * 1000:5.0f} ms")
