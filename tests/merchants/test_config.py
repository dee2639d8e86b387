"""A merchant's settings are checked as a whole before they are stored, and again when they are read."""

from __future__ import annotations

import pytest

from einvoice.errors import InvalidRequest
from einvoice.merchants import MerchantConfig, Settings, target_allowed
from einvoice.merchants.config import from_record, to_record
from einvoice.model import ProviderProfile

STAGE = "https://einvoice-stage.ecpay.com.tw"
PRODUCTION = "https://einvoice.ecpay.com.tw"


def config(**changes) -> MerchantConfig:
    """A valid merchant, but for ``changes``."""
    values = {"merchant": "a-shop", "provider": "ecpay", "account": "2000132", "base_url": STAGE} | changes
    return MerchantConfig(**values)


def codes(**changes) -> set[str]:
    """The codes a merchant with ``changes`` is refused with."""
    with pytest.raises(InvalidRequest) as caught:
        config(**changes)
    return {violation.code for violation in caught.value.violations}


@pytest.mark.parametrize("merchant", ["", "a", "A-shop", "-shop", "a_shop", "a#O", "a" * 41, "a-shop\n", "商店"])
def test_a_merchant_id_cannot_reach_into_another_key(merchant):
    """Whatever is not a plain id is refused before it becomes part of a key."""
    assert codes(merchant=merchant) == {"MERCHANT_ID"}


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "einvoice-stage.ecpay.com.tw",
        "ftp://host",
        STAGE + "/",
        STAGE + "/B2CInvoice",
        STAGE + "?a",
        "https://user@host",
        "https://user:pw@host",
        "https://host:port",
        "https://HOST",
        "HTTPS://host",
        "https://",
        "https://host:",
        "https://ho st",
    ],
)
def test_only_an_origin_is_an_address(base_url):
    """Paths, users, bad ports and second spellings of a host are refused."""
    assert codes(base_url=base_url) == {"BASE_URL"}


@pytest.mark.parametrize(
    ("live", "base_url"),
    [
        (True, STAGE),
        (True, "http://127.0.0.1:9000"),
        (True, PRODUCTION + ":443"),
        (False, PRODUCTION),
        (False, PRODUCTION + ":443"),
        (False, "http://einvoice.ecpay.com.tw"),
        (False, PRODUCTION + "."),
    ],
)
def test_a_test_merchant_never_reaches_production_nor_a_live_one_anything_else(live, base_url):
    """``live`` and the address must agree, however the address is spelt."""
    assert codes(live=live, base_url=base_url) == {"LIVE_MISMATCH"}


def test_every_violation_is_told_at_once():
    """An operator sees all that is wrong in one go."""
    settings = Settings(void_scope="x", reissue_scope="y", void_cutoff_day=16, same_number_reissue="yes")
    assert codes(provider="nobody", account="1" * 11, credential_id="A B", settings=settings) == {
        "PROVIDER",
        "ACCOUNT",
        "CREDENTIAL_ID",
        "SCOPE",
        "CUTOFF_DAY",
        "FLAG",
    }


@pytest.mark.parametrize("day", [0, 16, -1, True, "13", 1.0])
def test_the_cutoff_is_a_day_before_the_filing_date(day):
    """A void after the 15th, when the period is filed, is never configured."""
    assert codes(settings=Settings(void_cutoff_day=day)) == {"CUTOFF_DAY"}


def test_unknown_settings_are_refused():
    """A misspelt setting is an error, not a setting that is silently not in force."""
    with pytest.raises(InvalidRequest) as caught:
        Settings.from_mapping({"void_scop": "until_cutoff", "void_scope": "until_cutoff"})
    assert [(v.code, v.path) for v in caught.value.violations] == [("UNKNOWN_SETTING", "settings.void_scop")]


def test_settings_replace_the_centres_and_nothing_else():
    """What the merchant did not say stays as its centre has it."""
    centre = ProviderProfile(name="ecpay", void_cutoff_day=13, max_lines=200)
    mine = config(settings=Settings(same_number_reissue=True, void_scope="issue_period_only")).profile(centre)
    assert (mine.same_number_reissue, mine.void_scope, mine.void_cutoff_day, mine.max_lines) == (
        True,
        "issue_period_only",
        13,
        200,
    )


def test_what_is_stored_is_what_is_read():
    """Settings survive the way through a record."""
    whole = config(credential_id="2026-03", settings=Settings(void_cutoff_day=10, same_number_reissue=False), rev=4)
    assert from_record(to_record(whole)) == whole


@pytest.mark.parametrize("damage", [{"settings": {"colour": "red"}}, {"live": "yes"}, {"base_url": "http://x/y"}])
def test_a_record_that_somebody_damaged_is_refused(damage):
    """Reading validates as strictly as writing."""
    with pytest.raises(InvalidRequest):
        from_record(to_record(config()) | damage)


def test_private_addresses_need_to_be_listed():
    """Outside the centres' own addresses only what the environment lists is a target."""
    assert target_allowed(STAGE, frozenset())
    assert not target_allowed("http://127.0.0.1:9000", frozenset({"http://127.0.0.1:9001"}))
    assert target_allowed("http://127.0.0.1:9000", frozenset({"http://127.0.0.1:9000"}))
