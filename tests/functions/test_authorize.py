"""The authorizer: one well-formed, live key opens; everything else is refused alike; a dead table is not a "no"."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from einvoice.api_key_store import ApiKeys
from einvoice.api_keys import KeyTerms, NewKey
from einvoice.errors import StoreUnavailable
from functions.authorize import handler as function
from tests.aws import NOW, TABLE, Aws, in_process

ROOT = Path(__file__).parents[2]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An empty table and a clock moved by hand."""
    with in_process(monkeypatch) as made:
        yield made


@pytest.fixture
def keys(aws) -> ApiKeys:
    """The keys of an empty table."""
    return ApiKeys(aws.dynamodb, TABLE)


@pytest.fixture
def made(keys) -> NewKey:
    """A live key of a-shop."""
    return keys.issue(KeyTerms("a-shop", ("invoices:read", "invoices:write"), "till"), NOW)


def event(**headers) -> dict:
    """An authorizer event, payload format 2.0, as far as it is read."""
    return {"version": "2.0", "type": "REQUEST", "rawPath": "/v1/invoices", "headers": headers}


def test_a_live_key_is_let_in_with_its_merchant_and_scopes(aws, keys, made):
    """What stands in the context is all that later code may believe about the caller."""
    assert function.authorize(event(authorization=f"Bearer {made.presented}"), keys, aws.clock) == {
        "isAuthorized": True,
        "context": {"merchant": "a-shop", "scopes": "invoices:read invoices:write", "key_id": made.record.key_id},
    }


def test_the_scheme_is_read_without_case_and_the_header_too(aws, keys, made):
    """As RFC 9110 has it."""
    assert function.authorize(event(Authorization=f"bearer {made.presented}"), keys, aws.clock)["isAuthorized"]


KEY = "ek_0123456789abcdef_" + "A" * 43


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"headers": None},
        {"headers": []},
        {"headers": "authorization"},
        event(),
        event(authorization=""),
        event(authorization="Bearer"),
        event(authorization="Bearer "),
        event(authorization=KEY),
        event(authorization=f"Basic {KEY}"),
        event(authorization=f"Bearer  {KEY}"),
        event(authorization=f" Bearer {KEY}"),
        event(authorization=f"Bearer\t{KEY}"),
        event(authorization=f"Bearer {KEY} "),
        event(authorization=f"Bearer {KEY}\n"),
        event(authorization=f"Bearer {KEY},Bearer {KEY}"),
        event(authorization=f"Bearer {KEY}A"),
        event(authorization=f"Bearer {KEY[:-1]}"),
        event(authorization=f"Bearer {KEY.upper()}"),
        event(authorization=f"Bearer ek_../../x_{'A' * 43}"),
        event(authorization=f"Bearer {'e' * 10_000}"),
        event(authorization=["Bearer " + KEY]),
        event(authorization=None),
        event(authorization=f"Bearer {KEY}", Authorization=f"Bearer {KEY}"),
        event(cookie=f"authorization=Bearer {KEY}"),
    ],
)
def test_anything_odd_is_refused_without_asking_the_table(aws, keys, odd):
    """Malformed headers cost nothing and say nothing."""
    aws.calls.clear()
    assert function.authorize(odd, keys, aws.clock) == {"isAuthorized": False}
    assert aws.calls == []


def test_unknown_wrong_expired_and_revoked_keys_look_the_same(aws, keys, made):
    """A caller cannot learn which ids exist; each costs exactly one read."""
    other = keys.issue(KeyTerms("b-shop", ("invoices:read",), "till"), NOW)
    ending = keys.issue(KeyTerms("a-shop", ("invoices:read",), "soon", int(NOW.timestamp()) + 1), NOW)
    keys.revoke("b-shop", other.record.key_id, NOW)
    aws.clock.seconds = 1
    wrong = made.presented[:20] + other.presented[20:]
    for presented in (KEY, wrong, other.presented, ending.presented):
        aws.calls.clear()
        refused = function.authorize(event(authorization=f"Bearer {presented}"), keys, aws.clock)
        assert refused == {"isAuthorized": False}
        assert aws.calls == ["GetItem"]


def test_a_rotated_key_ends_with_its_grace_by_the_injected_clock(aws, keys, made):
    """The clock that is moved in local runs decides here too."""
    keys.rotate("a-shop", made.record.key_id, NOW, grace_s=60)
    header = event(authorization=f"Bearer {made.presented}")
    aws.clock.seconds = 59
    assert function.authorize(header, keys, aws.clock)["isAuthorized"]
    aws.clock.start += timedelta(seconds=1)
    assert not function.authorize(header, keys, aws.clock)["isAuthorized"]


def test_a_table_that_cannot_be_asked_raises(aws, keys, made, caplog):
    """API Gateway answers 500, which callers repeat; a "no" would make them give up."""
    aws.dynamodb.delete_table(TableName=TABLE)
    with caplog.at_level(logging.INFO), pytest.raises(StoreUnavailable):
        function.authorize(event(authorization=f"Bearer {made.presented}"), keys, aws.clock)
    assert made.record.key_id in caplog.text
    assert made.presented not in caplog.text


def test_no_log_holds_a_key(aws, keys, made, caplog):
    """Refused or let in: ids only, and nothing of a malformed header."""
    caplog.set_level(logging.DEBUG, logger="authorize")
    for value in (f"Bearer {made.presented}", f"Bearer {made.presented}x", f"Basic {made.presented}", f"Bearer {KEY}"):
        function.authorize(event(authorization=value), keys, aws.clock)
    secret = made.presented.split("_", 2)[2]
    assert caplog.records
    assert secret not in caplog.text
    assert KEY[20:] not in caplog.text


def test_the_handler_is_wired_from_the_environment(aws, keys, made, monkeypatch):
    """TABLE_NAME names the table, CLOCK_SOURCE is empty; an issued key is let in end to end."""
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.delenv("CLOCK_SOURCE", raising=False)
    function._wired.cache_clear()
    try:
        assert function.handler(event(authorization=f"Bearer {made.presented}"), None)["isAuthorized"]
    finally:
        function._wired.cache_clear()


def test_it_imports_nothing_heavy():
    """boto3 and the standard library: every request of a new container waits for this import."""
    heavy = ("pydantic", "aws_lambda_powertools", "requests")
    code = f"import sys; import functions.authorize.handler; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(  # this interpreter, our own text
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"
