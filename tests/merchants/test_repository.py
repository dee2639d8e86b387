"""Merchants and secrets: whose they are, how old they may be, and what is told where they cannot be had."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from botocore.exceptions import EndpointConnectionError

from einvoice.errors import InvalidRequest, MerchantUnusable, StoreUnavailable
from einvoice.merchants import MerchantConfig, Secret, Settings
from einvoice.merchants.repository import CACHE_ENTRIES
from einvoice.merchants.secret import Vault
from einvoice.records import Audit, ChangedMeanwhileError, Records
from tests.aws import NOW, TABLE

CONFIG = MerchantConfig("a-shop", "ecpay", "2000132", "https://einvoice-stage.ecpay.com.tw", credential_id="c1")
FIRST = Secret("FirstHashKey0001", "FirstHashIv00001")
SECOND = Secret("SecondHashKey002", "SecondHashIv0002")
THIRD = Secret("ThirdHashKey0003", "ThirdHashIv00003")


def cause(read) -> str:
    """Why the merchant was unusable."""
    with pytest.raises(MerchantUnusable) as caught:
        read()
    return caught.value.cause


@pytest.fixture
def merchants(aws):
    """A merchant with its first credential in use."""
    made = aws.merchants()
    made.put_secret("a-shop", "c1", FIRST, account="2000132", now=NOW)
    made.put_config(CONFIG)
    aws.calls.clear()
    return made


def test_the_settings_and_the_secret_come_back(merchants):
    """What an operator stored is what a function reads."""
    assert merchants.config("a-shop") == replace(CONFIG, rev=1)
    assert merchants.secret("a-shop", "c1") == FIRST


def test_a_warm_container_asks_nobody(aws, merchants):
    """Settings and secret cost one read, one read and one decryption for 300 seconds, and again after them."""
    for _ in range(3):
        merchants.config("a-shop")
        merchants.secret("a-shop", "c1")
    first = sorted(aws.calls)
    aws.clock.seconds = 299.9
    merchants.config("a-shop")
    merchants.secret("a-shop", "c1")
    assert sorted(aws.calls) == first == ["Decrypt", "GetItem", "GetItem"]
    aws.clock.seconds = 300.0
    merchants.config("a-shop")
    merchants.secret("a-shop", "c1")
    assert sorted(aws.calls) == sorted(first * 2)


def test_settings_are_never_older_than_300_seconds(aws, merchants):
    """Another container's change is seen when the cache runs out, and at once where it is refreshed."""
    merchants.config("a-shop")
    aws.merchants().put_config(replace(CONFIG, settings=Settings(void_cutoff_day=10)), 1)
    assert merchants.config("a-shop").settings.void_cutoff_day is None
    assert merchants.config("a-shop", refresh=True).settings.void_cutoff_day == 10
    aws.merchants().put_config(CONFIG, 2)
    aws.clock.seconds = 300.0
    assert merchants.config("a-shop").settings.void_cutoff_day is None


def test_a_writer_sees_its_own_change(merchants):
    """The container that changed settings does not answer with the old ones."""
    merchants.config("a-shop")
    merchants.put_config(replace(CONFIG, settings=Settings(void_cutoff_day=9)), 1)
    assert merchants.config("a-shop").settings.void_cutoff_day == 9


def test_refresh_opens_the_secret_again(aws, merchants):
    """After a signature failure the secret is read anew, whatever the cache holds."""
    merchants.secret("a-shop", "c1")
    merchants.secret("a-shop", "c1", refresh=True)
    assert aws.calls.count("Decrypt") == 2


def test_the_cache_is_bounded(aws, merchants):
    """However many merchants a container serves, it holds so many and no more."""
    made = aws.merchants()
    for number in range(CACHE_ENTRIES + 20):
        made._configs.get(f"m{number}", lambda: CONFIG)
    assert len(made._configs) == CACHE_ENTRIES


def test_ten_workers_share_one_decryption(aws, merchants):
    """Records worked off concurrently with a cold cache read and open a merchant's secret once."""
    gate = threading.Barrier(10)

    def work(_):
        gate.wait()
        return merchants.config("a-shop").account, merchants.secret("a-shop", "c1")

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(work, range(10))) == {("2000132", FIRST)}
    assert aws.calls.count("Decrypt") <= 2  # one; two only if a thread was late enough to miss the first load
    assert aws.calls.count("GetItem") <= 4


def test_unknown_disabled_and_empty_merchants_are_told_apart(merchants):
    """Each has its own stable cause, because each has another remedy."""
    assert cause(lambda: merchants.config("b-shop")) == "UNKNOWN_MERCHANT"
    assert cause(lambda: merchants.config("no#key")) == "UNKNOWN_MERCHANT"
    merchants.put_config(replace(CONFIG, merchant="b-shop", credential_id=""))
    assert cause(lambda: merchants.config("b-shop")) == "NO_CREDENTIAL"
    merchants.put_config(replace(CONFIG, enabled=False), 1)
    assert cause(lambda: merchants.config("a-shop")) == "DISABLED"


def test_what_a_disabled_merchant_began_can_be_finished(merchants):
    """Disabling stops new orders; it does not strand those whose invoice may be living."""
    merchants.put_config(replace(CONFIG, enabled=False), 1)
    assert merchants.config("a-shop", for_new_orders=False).account == "2000132"
    assert merchants.secret("a-shop", "c1") == FIRST


def test_an_unknown_merchant_is_not_remembered(merchants):
    """A merchant created after a first try works at once."""
    assert cause(lambda: merchants.config("b-shop")) == "UNKNOWN_MERCHANT"
    merchants.put_config(replace(CONFIG, merchant="b-shop", credential_id=""))
    assert merchants.config("b-shop", for_new_orders=False).merchant == "b-shop"


def test_damaged_settings_make_a_merchant_unusable(aws, merchants):
    """Nothing is sent on settings that do not validate."""
    aws.dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": "M#a-shop"}, "sk": {"S": "CONFIG"}},
        UpdateExpression="SET base_url = :u",
        ExpressionAttributeValues={":u": {"S": "https://elsewhere.example/path"}},
    )
    assert cause(lambda: merchants.config("a-shop")) == "CONFIG_INVALID"


def test_a_missing_credential_says_so(merchants):
    """Ids that do not exist, or cannot, have no secret."""
    assert cause(lambda: merchants.secret("a-shop", "c9")) == "NO_CREDENTIAL"
    assert cause(lambda: merchants.secret("a-shop", "c1#")) == "NO_CREDENTIAL"


@pytest.mark.parametrize(("to_merchant", "to_credential"), [("b-shop", "c1"), ("a-shop", "c2")])
def test_a_ciphertext_opens_only_where_it_was_sealed(aws, merchants, to_merchant, to_credential):
    """Copied to another merchant or another credential, KMS refuses it: the encryption context is another."""
    item = aws.dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "M#a-shop"}, "sk": {"S": "CRED#c1"}})["Item"]
    copy = {**item, "pk": {"S": f"M#{to_merchant}"}, "sk": {"S": f"CRED#{to_credential}"}}
    aws.dynamodb.put_item(TableName=TABLE, Item=copy)
    assert cause(lambda: merchants.secret(to_merchant, to_credential)) == "SECRET_UNREADABLE"


def test_the_encryption_context_names_merchant_and_credential(aws, merchants):
    """The stored ciphertext opens under exactly this context."""
    item = aws.dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "M#a-shop"}, "sk": {"S": "CRED#c1"}})["Item"]
    opened = aws.kms.decrypt(
        CiphertextBlob=item["sealed"]["B"], EncryptionContext={"merchant": "a-shop", "credential": "c1"}
    )
    assert b"FirstHashKey0001" in opened["Plaintext"]
    assert "FirstHashKey0001" not in str(item)


def test_another_kms_key_does_not_serve(aws, merchants):
    """A ciphertext under a key that is not ours is not opened."""
    other = Vault(aws.kms, aws.kms.create_key()["KeyMetadata"]["KeyId"])
    sealed = other.seal("a-shop", "c1", FIRST)
    ours = Vault(aws.kms, aws.key_id)
    assert cause(lambda: ours.open("a-shop", "c1", sealed)) in {"SECRET_UNREADABLE", "KMS_UNAVAILABLE"}


def test_garbage_under_our_key_is_unreadable_and_not_quoted(aws, merchants):
    """What KMS opens but is no secret is refused without its text in the chain of errors."""
    sealed = aws.kms.encrypt(
        KeyId=aws.key_id,
        Plaintext=b'{"hash_key": "PlaintextLeak", "hash_iv": ""}',
        EncryptionContext={"merchant": "a-shop", "credential": "c1"},
    )["CiphertextBlob"]
    with pytest.raises(MerchantUnusable) as caught:
        Vault(aws.kms, aws.key_id).open("a-shop", "c1", sealed)
    assert caught.value.cause == "SECRET_UNREADABLE"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def down(**_):
    """A hook: the service cannot be reached."""
    raise EndpointConnectionError(endpoint_url="https://down.example")


def test_a_table_that_cannot_be_asked_is_not_a_missing_merchant(aws, merchants):
    """The caller hears "try again", and the failure is not kept."""
    aws.dynamodb.meta.events.register_first("before-send.dynamodb", down)
    with pytest.raises(StoreUnavailable):
        merchants.config("a-shop")
    with pytest.raises(StoreUnavailable):
        merchants.put_config(CONFIG, 1)
    with pytest.raises(StoreUnavailable):
        merchants.credentials("a-shop")
    aws.dynamodb.meta.events.unregister("before-send.dynamodb", down)
    assert merchants.config("a-shop").account == "2000132"


def test_a_kms_that_cannot_be_asked_is_told_as_such(aws, merchants):
    """It may pass, so it is not told as an unreadable secret, nor kept."""
    aws.kms.meta.events.register_first("before-send.kms", down)
    assert cause(lambda: merchants.secret("a-shop", "c1")) == "KMS_UNAVAILABLE"
    assert cause(lambda: merchants.put_secret("a-shop", "c2", SECOND, account="2000132", now=NOW)) == "KMS_UNAVAILABLE"
    aws.kms.meta.events.unregister("before-send.kms", down)
    assert merchants.secret("a-shop", "c1") == FIRST


def test_a_credential_is_never_overwritten(merchants):
    """Orders are pinned to it: the same id again is refused and the first stays."""
    with pytest.raises(ChangedMeanwhileError):
        merchants.put_secret("a-shop", "c1", SECOND, account="2000132", now=NOW)
    assert merchants.secret("a-shop", "c1", refresh=True) == FIRST


@pytest.mark.parametrize("credential_id", ["", "A", "c 1", "c#1"])
def test_a_credential_id_is_a_plain_name(merchants, credential_id):
    """It becomes part of a key."""
    with pytest.raises(InvalidRequest):
        merchants.put_secret("a-shop", credential_id, SECOND, account="2000132", now=NOW)


def test_of_two_operators_the_second_is_refused(merchants):
    """A change made on a revision that is no longer the last is not written; nor a second creation."""
    merchants.put_config(replace(CONFIG, settings=Settings(void_cutoff_day=10)), 1)
    for rev in (1, None, 7):
        with pytest.raises(ChangedMeanwhileError):
            merchants.put_config(replace(CONFIG, settings=Settings(void_cutoff_day=5)), rev)
    assert merchants.read_config("a-shop").settings.void_cutoff_day == 10


def test_a_merchant_never_turns_live(merchants):
    """An order begun at the test centre is never continued at the real one."""
    with pytest.raises(ChangedMeanwhileError):
        merchants.put_config(replace(CONFIG, live=True, base_url="https://einvoice.ecpay.com.tw"), 1)


def test_a_credential_in_use_exists_and_belongs_to_the_account(merchants):
    """Settings never point at a key that is not there, or is another account's."""
    for change in ({"credential_id": "c9"}, {"account": "3000000"}):
        with pytest.raises(ChangedMeanwhileError):
            merchants.put_config(replace(CONFIG, **change), 1)


def test_a_change_and_its_audit_entry_are_one(aws, merchants):
    """A refused change leaves no entry; a written one leaves exactly one, and neither holds key material."""
    audit = Audit("someone", "merchant set", NOW, {"void_cutoff_day": "- -> 10"})
    with pytest.raises(ChangedMeanwhileError):
        merchants.put_config(CONFIG, 9, audit=audit)
    records = Records(aws.dynamodb, TABLE)
    assert records.listed("M#a-shop", "AUDIT#") == []
    merchants.put_config(CONFIG, 1, audit=audit)
    (entry,) = records.listed("M#a-shop", "AUDIT#")
    assert (entry["actor"], entry["action"], entry["details"]) == ("someone", "merchant set", audit.details)


def test_after_a_rotation_the_account_has_another_key_to_try(aws, merchants):
    """For an order whose pinned key the centre no longer takes: the one in use, else the newest, never the failed."""
    assert merchants.current_secret_for_account("a-shop", "2000132") == FIRST
    assert cause(lambda: merchants.current_secret_for_account("a-shop", "2000132", failed="c1")) == "NO_CREDENTIAL"
    merchants.put_secret("a-shop", "c2", SECOND, account="2000132", now=NOW)
    merchants.put_secret("a-shop", "c3", THIRD, account="2000132", now=NOW.replace(hour=10))
    merchants.put_secret("a-shop", "x1", THIRD, account="3000000", now=NOW.replace(hour=11))
    assert merchants.current_secret_for_account("a-shop", "2000132", failed="c1") == THIRD  # newest; c1 is in use
    merchants.put_config(replace(CONFIG, credential_id="c2"), 1)
    aws.clock.seconds = 300.0
    assert merchants.current_secret_for_account("a-shop", "2000132", failed="c1") == SECOND  # in use
    assert merchants.current_secret_for_account("a-shop", "3000000") == THIRD


def test_the_key_to_try_is_cached(aws, merchants):
    """A thousand old orders after a rotation do not query the table a thousand times."""
    for _ in range(5):
        merchants.current_secret_for_account("a-shop", "2000132")
    assert aws.calls.count("Query") == 1


def test_a_transaction_conflict_is_tried_again_and_then_told(aws, merchants):
    """DynamoDB never retries it by itself; we do, a few times."""
    conflicts = [2]

    def conflict(model, **_):
        if model.name == "TransactWriteItems" and conflicts[0] > 0:
            conflicts[0] -= 1
            error = {
                "Error": {"Code": "TransactionCanceledException", "Message": ""},
                "CancellationReasons": [{"Code": "TransactionConflict"}],
            }
            raise aws.dynamodb.exceptions.TransactionCanceledException(error, model.name)

    aws.dynamodb.meta.events.register("before-call.dynamodb", conflict)
    assert merchants.put_config(CONFIG, 1).rev == 2
    conflicts[0] = 99
    with pytest.raises(StoreUnavailable):
        merchants.put_config(CONFIG, 2)


def test_secrets_show_themselves_nowhere(merchants):
    """Not by repr, str, formatting, nor inside what holds them."""
    secret = merchants.secret("a-shop", "c1")
    for text in (repr(secret), str(secret), f"{secret}", f"{[secret]}", f"{vars(merchants)}"):
        assert "FirstHash" not in text


@pytest.mark.parametrize("text", ["", "short", "x" * 15, "x" * 17, "x" * 15 + "\n", "x" * 15 + " ", "鑰" * 16, None])
def test_key_material_of_the_wrong_shape_is_refused_and_not_quoted(text):
    """A truncated paste is caught at the desk, without repeating it."""
    with pytest.raises(InvalidRequest) as caught:
        Secret(text, "x" * 16)
    assert [v.path for v in caught.value.violations] == ["hash_key"]
    assert not text or text not in str(caught.value.violations)
