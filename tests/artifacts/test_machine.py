"""What is deployed is built for the processor it is deployed to; it cannot be booted here, so its files are read."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.artifacts.conftest import functions

MACHINES = {"x86_64": 62, "arm64": 183}  # e_machine of ELF: EM_X86_64, EM_AARCH64
LIBRARIES = {"_pydantic_core", "_raw_cbc"}  # pydantic's and pycryptodome's: without them nothing works


def machine(path: Path) -> int:
    """The processor an ELF file is for. Little-endian, as both of ours are."""
    head = path.read_bytes()[:20]
    assert head[:4] == b"\x7fELF", path
    number: int = struct.unpack_from("<H", head, 18)[0]
    return number


def libraries(build: Path) -> dict[str, Path]:
    """Every binary of a build, by its place and module: ``Crypto/Cipher/_raw_cbc``."""
    layer = build / "SharedLayer" / "python"
    return {str(p.parent.relative_to(layer) / p.name.split(".")[0]): p for p in build.rglob("*.so*")}


def python_files(build: Path) -> set[str]:
    """Every source file of a build."""
    return {str(path.relative_to(build)) for path in build.rglob("*.py")}


@pytest.mark.parametrize("processor", MACHINES)
def test_every_binary_is_for_the_processor_of_its_build(builds, processor):
    """One library for another processor is a function that cannot start."""
    found = libraries(builds / processor)
    assert {name.rpartition("/")[2] for name in found} >= LIBRARIES
    assert {name: machine(path) for name, path in found.items()} == dict.fromkeys(found, MACHINES[processor])


def test_the_build_that_boots_here_consists_of_what_is_deployed(native, deployed):
    """The same sources; and a library for one processor has its like for the other, but for what only one can have."""
    assert python_files(native) == python_files(deployed)
    for name in ("einvoice", "botocore", "pydantic", "Crypto", "aws_lambda_powertools", "urllib3"):
        assert (deployed / "SharedLayer" / "python" / name / "__init__.py").is_file()
    assert set(libraries(deployed)) <= set(libraries(native))


def test_every_source_file_of_the_deployed_build_has_its_bytecode(deployed):
    """Unchecked (flags 0b01: by hash, never compared), because the times in a zip are others than Python wrote down."""
    sources = sorted(deployed.rglob("*.py"))
    assert {path.relative_to(deployed).parts[0] for path in sources} == {*functions(), "SharedLayer"}
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.is_file(), source
        assert struct.unpack_from("<I", compiled.read_bytes(), 4)[0] == 0b01, compiled


def test_no_bytecode_of_another_python_is_shipped(deployed):
    """Nor anything else that is only there because somebody worked in the tree."""
    assert {p.suffixes[-2] for p in deployed.rglob("*.pyc")} == {".cpython-313"}
    assert [p for p in deployed.rglob("*") if p.name in {".mypy_cache", ".ruff_cache", ".pytest_cache"}] == []


def test_the_layer_stays_far_below_what_lambda_takes(deployed):
    """Lambda takes 250 MB of layer and code, unzipped."""
    assert sum(path.stat().st_size for path in deployed.rglob("*") if path.is_file()) < 120 * 2**20
