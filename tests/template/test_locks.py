"""What is installed is what was locked: by version and by hash, and the same wherever the functions run."""

from __future__ import annotations

import re

import pytest

from tests.template.reading import ROOT

LOCKS = ("runtime", "test", "local", "tools", "lock", "ric")
PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)(\[[a-z0-9_, -]+\])?==(?P<version>[^\s;\\]+)", re.IGNORECASE)
# The emulator pins its own botocore, and with it what depends on it.
EMULATORS_OWN = {"boto3", "botocore", "s3transfer"}


def pins(lock):
    """Package → version of a lock."""
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8").splitlines()
    found = {m["name"]: m["version"] for line in lines if (m := PIN.match(line))}
    assert found
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pin_with_a_hash(lock):
    """No range, no address, no path: pip takes these files with --require-hashes."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    code = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for entry in "\n".join(code).replace("\\\n", " ").splitlines():
        assert PIN.match(entry), entry
        assert "--hash=sha256:" in entry, entry
        assert "://" not in entry
        assert " @ " not in entry


@pytest.mark.parametrize("lock", ["test", "local"])
def test_functions_meet_the_deployed_packages_wherever_they_run(lock):
    """Tests and the local run use the versions of the layer; only the emulator's own few may differ."""
    there, different = pins(lock), EMULATORS_OWN if lock == "local" else set()
    expected = {name: version for name, version in pins("runtime").items() if name not in different}
    assert {name: there.get(name) for name in expected} == expected


def test_layer_installs_exactly_the_locked_packages():
    """The manifest beside the layer's code, which sam reads, is the runtime lock, byte for byte."""
    manifest = (ROOT / "shared" / "requirements.txt").read_text("utf-8")
    assert manifest == (ROOT / "requirements" / "runtime.txt").read_text("utf-8")


def test_layer_stays_small_enough_to_oversee():
    """Few direct dependencies: each one is code that handles merchants' credentials."""
    text = (ROOT / "requirements" / "runtime.in").read_text("utf-8")
    assert len([line for line in text.splitlines() if line and not line.startswith("#")]) <= 8
