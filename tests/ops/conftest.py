"""In-process AWS for these tests, and the operator at it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from einvoice_ops.cli import main
from tests.aws import TABLE, Aws, in_process
from tests.ops.desk import KEYS


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An empty table, one KMS key and a clock moved by hand."""
    with in_process(monkeypatch) as made:
        yield made


@pytest.fixture
def run(aws, monkeypatch, capsys, caplog):
    """Run one command; returns its status and what it said, and checks that no key material was shown or logged."""
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setenv("KMS_KEY_ID", aws.key_id)
    monkeypatch.delenv("CLOCK_SOURCE", raising=False)
    monkeypatch.delenv("ALLOWED_PRIVATE_TARGETS", raising=False)
    caplog.set_level(logging.INFO)

    def command(*argv: str, stdin: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        status = main(argv)
        said = "".join(capsys.readouterr())
        for secret in KEYS:
            assert secret not in said + caplog.text
        return status, said

    return command


@pytest.fixture
def shop(run):
    """a-shop with a credential in use."""
    assert run("merchant", "create", "a-shop", "--account", "2000132")[0] == 0
    assert run("credential", "add", "a-shop", "c1", stdin="\n".join(KEYS))[0] == 0
    assert run("credential", "use", "a-shop", "c1")[0] == 0
    return run
