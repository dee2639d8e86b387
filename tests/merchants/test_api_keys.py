"""API keys: what opens, what does not, and that nothing but the one who made it ever sees a key."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from einvoice import api_keys
from einvoice.api_key_store import ApiKeys, KeyRefusedError
from einvoice.api_keys import Grant, KeyTerms, mint, parse, verify
from einvoice.errors import InvalidRequest, StoreUnavailable
from einvoice.records import ChangedMeanwhileError
from tests.aws import NOW, TABLE

TERMS = KeyTerms("a-shop", ("invoices:write", "invoices:read"), "till")


@pytest.fixture
def keys(aws) -> ApiKeys:
    """The keys of an empty table."""
    return ApiKeys(aws.dynamodb, TABLE)


def opens(keys: ApiKeys, presented: str, now=NOW) -> Grant | None:
    """What a presented key opens, found and verified as the authorizer does."""
    key_id = parse(presented)
    return None if key_id is None else verify(presented, keys.find(key_id), now)


def test_an_issued_key_opens_for_its_merchant_and_scopes(keys):
    """Nothing more and nothing less than was asked for."""
    made = keys.issue(TERMS, NOW)
    assert opens(keys, made.presented) == Grant("a-shop", ("invoices:read", "invoices:write"), made.record.key_id)


def test_a_key_has_256_random_bits_and_no_two_are_alike():
    """Which is why a plain hash of it is enough."""
    made = [mint(TERMS, NOW).presented for _ in range(50)]
    assert len(set(made)) == 50
    assert {len(key.split("_", 2)[2]) for key in made} == {43}
    assert all(parse(key) is not None for key in made)


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
        lambda key: key.replace("ek_", "EK_"),
        lambda key: key + "A",
        lambda key: key[:-1],
        lambda key: key + "\n",
        lambda key: " " + key,
        lambda key: key[3:],
        lambda key: key.replace("_", "-", 1),
        lambda key: "ek_" + key[3:19].upper() + key[19:] if key[3:19].upper() != key[3:19] else "",
        lambda _: "",
        lambda _: "ek__",
        lambda _: "ek_" + "0" * 16 + "_" + "é" * 43,
        lambda _: "ek_" + "٠" * 16 + "_" + "A" * 43,
    ],
)
def test_a_key_that_is_changed_anywhere_opens_nothing(keys, change):
    """Whatever is not the exact key is refused."""
    assert opens(keys, change(keys.issue(TERMS, NOW).presented)) is None


def test_another_merchants_key_id_with_ones_own_secret_opens_nothing(keys):
    """The hash is over the whole key, so ids and secrets do not mix."""
    mine = keys.issue(TERMS, NOW).presented
    theirs = keys.issue(replace(TERMS, merchant="b-shop"), NOW).presented
    mixed = theirs[:20] + mine[20:]
    assert parse(mixed) == parse(theirs)
    assert opens(keys, mixed) is None


def test_the_comparison_takes_constant_time_even_without_a_record(monkeypatch):
    """Known or unknown id: one hash and one constant-time comparison of equal lengths."""
    compared = []

    def spy(a, b):
        compared.append((len(a), len(b)))
        return hmac.compare_digest(a, b)

    monkeypatch.setattr(api_keys, "hmac", type("Spy", (), {"compare_digest": staticmethod(spy)}))
    made = mint(TERMS, NOW)
    assert verify(made.presented, made.record, NOW) is not None
    assert verify(made.presented, None, NOW) is None
    assert verify(made.presented, replace(made.record, revoked_at=1), NOW) is None
    assert compared == [(64, 64)] * 3


def test_only_the_hash_is_stored(aws, keys):
    """The table holds the SHA-256 and the last four characters, and no key."""
    made = keys.issue(TERMS, NOW)
    stored = str(aws.dynamodb.scan(TableName=TABLE)["Items"])
    assert made.presented.rsplit("_", 1)[1] not in stored
    assert made.presented[20:] not in stored
    assert made.record.digest == hashlib.sha256(made.presented.encode()).hexdigest()
    assert made.presented.endswith(made.record.last4)
    assert made.presented not in repr(made)


def test_an_expired_key_opens_nothing_from_its_last_instant_on(keys):
    """The instant it expires is already outside."""
    ends = int(NOW.timestamp()) + 60
    made = keys.issue(replace(TERMS, expires_at=ends), NOW)
    assert opens(keys, made.presented, NOW + timedelta(seconds=59)) is not None
    assert opens(keys, made.presented, NOW + timedelta(seconds=60)) is None


def test_a_revoked_key_opens_nothing_at_once(keys):
    """Not even within the same second, and it cannot be revoked or rotated again."""
    made = keys.issue(TERMS, NOW)
    keys.revoke("a-shop", made.record.key_id, NOW)
    assert opens(keys, made.presented) is None
    for again in (keys.revoke, keys.rotate):
        with pytest.raises(KeyRefusedError):
            again("a-shop", made.record.key_id, NOW)


def test_a_rotation_leaves_both_keys_open_until_the_grace_ends(keys):
    """So a merchant can change its systems one after the other."""
    old = keys.issue(TERMS, NOW)
    new = keys.rotate("a-shop", old.record.key_id, NOW)
    almost = NOW + timedelta(hours=24, seconds=-1)
    assert opens(keys, old.presented, almost) is not None
    assert opens(keys, old.presented, NOW + timedelta(hours=24)) is None
    later = opens(keys, new.presented, NOW + timedelta(days=400))
    assert later == Grant("a-shop", ("invoices:read", "invoices:write"), new.record.key_id)


def test_a_rotation_without_grace_ends_the_old_key_at_once(keys):
    """For a key that leaked."""
    old = keys.issue(TERMS, NOW)
    new = keys.rotate("a-shop", old.record.key_id, NOW, grace_s=0)
    assert opens(keys, old.presented) is None
    assert opens(keys, new.presented) is not None


def test_grace_never_lengthens_a_keys_life(keys):
    """A key that was to expire sooner still does."""
    ends = int(NOW.timestamp()) + 60
    old = keys.issue(replace(TERMS, expires_at=ends), NOW)
    keys.rotate("a-shop", old.record.key_id, NOW)
    assert keys.find(old.record.key_id).expires_at == ends


def test_never_more_than_two_live_keys_under_one_label(keys):
    """A second key, a second successor and a successor's successor are refused while two are live."""
    first = keys.issue(TERMS, NOW).record.key_id
    with pytest.raises(KeyRefusedError):
        keys.issue(TERMS, NOW)
    second = keys.rotate("a-shop", first, NOW).record.key_id
    for key_id in (first, second):
        with pytest.raises(KeyRefusedError):
            keys.rotate("a-shop", key_id, NOW)
    tomorrow = NOW + timedelta(hours=24)
    third = keys.rotate("a-shop", second, tomorrow).record.key_id
    live = [r.key_id for r in keys.listed("a-shop") if r.live(int(tomorrow.timestamp()))]
    assert live == [second, third]


def test_of_two_rotations_at_once_one_is_refused(keys, monkeypatch):
    """Both read the key before either wrote; the second finds it changed and makes no key."""
    key_id = keys.issue(TERMS, NOW).record.key_id
    seen = keys.find(key_id)
    keys.rotate("a-shop", key_id, NOW)
    monkeypatch.setattr(keys, "find", lambda _: seen)
    with pytest.raises(ChangedMeanwhileError):
        keys.rotate("a-shop", key_id, NOW)
    monkeypatch.undo()
    assert len(keys.listed("a-shop")) == 2


def test_nobody_rotates_or_revokes_another_merchants_key(keys):
    """A mistyped merchant changes nothing."""
    made = keys.issue(TERMS, NOW)
    for change in (keys.rotate, keys.revoke):
        with pytest.raises(KeyRefusedError):
            change("b-shop", made.record.key_id, NOW)
    assert opens(keys, made.presented) is not None
    assert keys.listed("b-shop") == []


def test_finding_a_key_is_one_consistent_read(aws, keys):
    """The authorizer's whole price, and a revocation is seen by the next request."""
    made = keys.issue(TERMS, NOW)
    asked = []
    aws.dynamodb.meta.events.register(
        "provide-client-params.dynamodb",
        lambda params, model, **_: asked.append((model.name, params.get("ConsistentRead"))),
    )
    assert keys.find(made.record.key_id) == made.record
    assert asked == [("GetItem", True)]


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": ()},
        {"scopes": ("invoices:write", "invoices:*")},
        {"label": ""},
        {"label": "x" * 41},
        {"label": "a\nb"},
    ],
)
def test_terms_that_make_no_sense_are_refused(change):
    """A scope that does not exist, none at all, no name to recognise the key by."""
    with pytest.raises(InvalidRequest):
        replace(TERMS, **change)


def test_every_kind_of_change_has_a_scope_of_its_own():
    """A till that issues can neither void nor give money back."""
    made = mint(KeyTerms("a-shop", ("invoices:write",), "till"), NOW)
    assert made.record.scopes == ("invoices:write",)
    changes = {f"invoices:{name}" for name in ("read", "write", "void", "reissue", "allowance", "correct")}
    assert set(api_keys.SCOPES) == changes


def test_an_unreachable_table_is_not_an_unknown_key(aws, keys):
    """The caller must be able to tell the two apart."""
    aws.dynamodb.delete_table(TableName=TABLE)
    with pytest.raises(StoreUnavailable):
        keys.find("0" * 16)


def test_a_record_survives_the_table(keys):
    """Every field comes back as it was written."""
    made = keys.issue(replace(TERMS, expires_at=int(NOW.timestamp()) + 5), NOW)
    assert asdict(keys.find(made.record.key_id)) == asdict(made.record)
