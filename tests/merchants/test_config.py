"""A merchant's settings are checked as a whole before they are stored, and again when they are read."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal

import pytest

from einvoice.errors import InvalidRequest
from einvoice.merchants import MerchantConfig, Settings, target_allowed
from einvoice.merchants.config import CHOICES, FLAGS, NUMBERS, UPLOAD_STEPS, from_record, to_record
from einvoice.model import ProviderProfile
from einvoice.rules import correction, correction_steps
from einvoice.rules.period import TAIPEI

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
    settings = Settings(
        void_scope="x",
        reissue_scope="y",
        void_cutoff_day=16,
        same_number_reissue="yes",
        same_number_hours=0,
        filing="yearly",
        history="none",
        consent_required="sometimes",
        upload_first=frozenset({"everything"}),
    )
    assert codes(provider="nobody", account="1" * 11, credential_id="A B", settings=settings) == {
        "PROVIDER",
        "ACCOUNT",
        "CREDENTIAL_ID",
        "SCOPE",
        "CUTOFF_DAY",
        "FLAG",
        "SAME_NUMBER_HOURS",
        "FILING",
        "HISTORY",
        "CONSENT",
        "UPLOAD_STEP",
    }


#: for every setting: the code of its violation, and values it refuses
REFUSED = {
    **{name: (code, ["", "Until_Cutoff", True, 1, ("monthly",)]) for name, (code, _) in CHOICES.items()},
    **{name: (code, [least - 1, most + 1, True, str(least), 1.0]) for name, (code, least, most) in NUMBERS.items()},
    **{name: ("FLAG", ["true", 1, 0, ""]) for name in FLAGS},
    "upload_first": ("UPLOAD_STEP", [frozenset({"issue"}), frozenset({""}), "void", [1], {"void": True}, False]),
}


@pytest.mark.parametrize("name", [f.name for f in fields(Settings)])
def test_every_setting_refuses_what_it_does_not_mean(name):
    """Each is named by its own path, and nothing near a value passes for one."""
    code, values = REFUSED[name]
    for value in values:
        with pytest.raises(InvalidRequest) as caught:
            config(settings=Settings.from_mapping({name: value}))
        assert [(v.code, v.path) for v in caught.value.violations] == [(code, f"settings.{name}")], value


def test_a_setting_is_something_its_centre_has():
    """Every name replaces a value of the profile; what only the centre can say is not among them."""
    names = {f.name for f in fields(Settings)}
    assert names <= {f.name for f in fields(ProviderProfile)}
    assert {"special_void", "online_allowances", "government", "settle_window_s"}.isdisjoint(names)


CASE = correction.Case("ISSUED", total_twd=1050, issued_on=date(2026, 1, 15), consent=True)
NOW = datetime(2026, 1, 20, 12, tzinfo=TAIPEI)


@pytest.mark.parametrize(
    "values", [{name: choice} for name, (_, choices) in CHOICES.items() for choice in choices], ids=str
)
def test_the_rules_know_every_word_a_setting_may_be(values):
    """No setting that is accepted makes the rules fail later, in the middle of an order."""
    profile = config(settings=Settings.from_mapping(values)).profile(ProviderProfile("any"))
    assert correction.refund(CASE, 1050, now=NOW, profile=profile).do is correction.Do.VOID


def test_what_can_be_told_to_wait_is_what_the_rules_can_let_wait():
    """One list of steps, here and where it is obeyed; each is accepted alone, together and in any kind of list."""
    assert set(UPLOAD_STEPS) == correction_steps._UPLOAD_NAMES
    for steps in ([], ["void"], tuple(UPLOAD_STEPS), set(UPLOAD_STEPS), ["void", "void"]):
        settings = Settings.from_mapping({"upload_first": steps})
        profile = config(settings=settings).profile(ProviderProfile("any", upload_first=frozenset({"allowance"})))
        assert profile.upload_first == frozenset(steps)
        waits = correction.refund(CASE, 1050, now=NOW, profile=profile).do is correction.Do.WAIT
        assert waits == ("void" in steps)


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


ALL = Settings(
    void_scope="until_cutoff",
    void_cutoff_day=10,
    reissue_scope="until_cutoff",
    same_number_reissue=True,
    same_number_hours=24,
    filing="monthly",
    history="void_allowances_first",
    consent_required="always",
    paper_back_required=False,
    partial_allowances=False,
    void_donated=True,
    upload_first=frozenset({"void", "allowance"}),
)


def test_every_setting_survives_a_table(aws):
    """Numbers come back as numbers, lists as sets, and an empty list stays one: nothing waits."""
    assert len(ALL.given()) == len(fields(Settings))
    for number, settings in enumerate((ALL, Settings(upload_first=frozenset()), Settings())):
        merchant = f"shop-{number}"
        stored = aws.merchants().put_config(config(merchant=merchant, settings=settings))
        assert aws.merchants().read_config(merchant) == stored
        assert stored.settings == settings


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ({"upload_first": ["allowances"]}, "UPLOAD_STEP"),
        ({"void_cutoff_day": Decimal("10.5")}, "CUTOFF_DAY"),
        ({"same_number_hours": Decimal("1E+9")}, "SAME_NUMBER_HOURS"),
        ({"filing": None, "history": ""}, "HISTORY"),
    ],
)
def test_a_setting_that_somebody_damaged_is_refused_by_name(damage, code):
    """A hand-made change of the record is told, not used."""
    with pytest.raises(InvalidRequest) as caught:
        from_record(to_record(config()) | {"settings": damage})
    assert [v.code for v in caught.value.violations] == [code]


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
