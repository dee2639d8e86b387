"""The operator's command from end to end: what it changes, what it says, what it never shows."""

from __future__ import annotations

import pytest

from einvoice.api_key_store import ApiKeys
from einvoice.api_keys import parse, verify
from einvoice.clock import SystemClock
from einvoice.merchants import Secret
from einvoice.model import OrderKey
from einvoice.store.base import Head, State
from einvoice.store.dynamodb import DynamoStore
from einvoice_ops.cli import main
from einvoice_ops.orders import log_rows
from tests.aws import TABLE
from tests.ops.desk import KEYS, audits


def test_a_new_merchant_can_issue_after_three_commands(aws, shop):
    """create, add, use: then the functions find settings and secret, and each change has its entry."""
    merchants = aws.merchants()
    config = merchants.config("a-shop")
    assert (config.account, config.credential_id, config.live) == ("2000132", "c1", False)
    assert merchants.secret("a-shop", "c1") == Secret(*KEYS)
    assert [action for action, _ in audits(aws)] == ["merchant create", "credential add", "credential use"]


def test_the_actor_is_the_aws_caller_unless_said_otherwise(aws, shop):
    """Who did it can be asked afterwards."""
    shop("merchant", "disable", "a-shop", "--actor", "on-call")
    (*_, before, last) = audits(aws)
    assert before[1].startswith("arn:aws:")
    assert last == ("merchant disable", "on-call")


def test_settings_are_changed_shown_and_taken_back(aws, shop):
    """What changed is printed; NAME= goes back to the centre's own value; nothing to change writes nothing."""
    status, said = shop("merchant", "set", "a-shop", "void_cutoff_day=10", "same_number_reissue=true")
    assert status == 0
    assert "void_cutoff_day" in said
    assert aws.merchants().config("a-shop").settings.given() == {"void_cutoff_day": 10, "same_number_reissue": True}
    assert shop("merchant", "set", "a-shop", "void_cutoff_day=", "same_number_reissue=false")[0] == 0
    assert aws.merchants().config("a-shop").settings.given() == {"same_number_reissue": False}
    before = audits(aws)
    assert shop("merchant", "set", "a-shop", "same_number_reissue=false")[0] == 0
    assert audits(aws) == before
    assert "merchant set" in shop("merchant", "show", "a-shop")[1]


def test_every_setting_of_corrections_can_be_set(aws, shop):
    """Words, numbers, flags and the list of steps; ``none`` is an empty list, and NAME= the centre's own again."""
    given = {
        "filing": "monthly",
        "history": "void_allowances_first",
        "consent_required": "always",
        "paper_back_required": False,
        "partial_allowances": False,
        "void_donated": True,
        "same_number_hours": 24,
        "upload_first": frozenset({"void", "allowance"}),
    }
    typed = {name: str(value).lower() for name, value in given.items()} | {"upload_first": "allowance,void"}
    assert shop("merchant", "set", "a-shop", *(f"{name}={text}" for name, text in typed.items()))[0] == 0
    assert aws.merchants().config("a-shop").settings.given() == given
    shown = dict(line.split(maxsplit=1) for line in shop("merchant", "show", "a-shop")[1].splitlines() if "  " in line)
    assert (shown["upload_first"], shown["filing"]) == ("void,allowance", "monthly")
    back = [f"{name}=" for name in given if name != "upload_first"]
    status, said = shop("merchant", "set", "a-shop", "upload_first=none", *back)
    assert (status, "upload_first: void,allowance -> none" in said) == (0, True)
    assert aws.merchants().config("a-shop").settings.given() == {"upload_first": frozenset()}
    assert shop("merchant", "set", "a-shop", "upload_first=")[0] == 0
    assert aws.merchants().config("a-shop").settings.given() == {}


@pytest.mark.parametrize(
    "setting",
    [
        "colour=red",
        "void_cutoff_day=31",
        "void_scope",
        "same_number_reissue=maybe",
        "=1",
        "filing=yearly",
        "upload_first=void,",
        "upload_first=none,void",
        "upload_first=everything",
        "consent_required=true",
        "special_void=true",
    ],
)
def test_settings_that_make_no_sense_change_nothing(aws, shop, setting):
    """Refused with status 1, without an entry."""
    before = audits(aws)
    assert shop("merchant", "set", "a-shop", setting)[0] == 1
    assert audits(aws) == before
    assert aws.merchants().config("a-shop").settings.given() == {}


def test_disable_and_enable(aws, shop):
    """New orders stop and start again."""
    shop("merchant", "disable", "a-shop")
    assert not aws.merchants().read_config("a-shop").enabled
    shop("merchant", "enable", "a-shop")
    assert aws.merchants().config("a-shop").enabled


def test_a_merchant_is_not_created_twice_or_over_another(aws, shop):
    """The second is refused and the first stays."""
    assert shop("merchant", "create", "a-shop", "--account", "3000000")[0] == 1
    assert aws.merchants().config("a-shop").account == "2000132"


def test_live_and_private_addresses(aws, run, monkeypatch):
    """Live merchants get the real address; another one only if the environment lists it."""
    assert run("merchant", "create", "b-shop", "--account", "1", "--live")[0] == 0
    assert aws.merchants().read_config("b-shop").base_url == "https://einvoice.ecpay.com.tw"
    private = ("merchant", "create", "c-shop", "--account", "1", "--base-url", "http://127.0.0.1:9000")
    assert run(*private)[0] == 1
    monkeypatch.setenv("ALLOWED_PRIVATE_TARGETS", "http://127.0.0.1:8999,http://127.0.0.1:9000")
    assert run(*private)[0] == 0
    assert (
        run("merchant", "create", "d-shop", "--account", "1", "--live", "--base-url", "http://127.0.0.1:9000")[0] == 1
    )


def test_key_material_comes_from_a_file_or_standard_input_only(shop, tmp_path, aws):
    """Two lines; a byte order mark and Windows line ends do no harm; a wrong shape is refused without quoting it."""
    path = tmp_path / "keys.txt"
    path.write_bytes(("\ufeff" + "\r\n".join(KEYS) + "\r\n").encode())
    assert shop("credential", "add", "a-shop", "c2", "--file", str(path))[0] == 0
    assert aws.merchants().secret("a-shop", "c2") == Secret(*KEYS)
    assert shop("credential", "add", "a-shop", "c3", "--file", str(tmp_path / "none"))[0] == 1
    for stdin in ("", KEYS[0], f"{KEYS[0]}\n{KEYS[1]}\nmore", f"{KEYS[0]}\n{KEYS[1][:-1]}"):
        assert shop("credential", "add", "a-shop", "c3", stdin=stdin)[0] == 1
    assert shop("credential", "add", "a-shop", "c1", stdin="\n".join(KEYS))[0] == 1
    with pytest.raises(SystemExit) as caught:
        main(["credential", "add", "a-shop", "c3", KEYS[0]])
    assert caught.value.code == 2


def test_credentials_are_listed_without_their_keys(shop):
    """Which there are, whose, and which is in use."""
    status, said = shop("credential", "list", "a-shop")
    assert status == 0
    (row,) = [line.split() for line in said.splitlines() if line.startswith("c1")]
    assert (row[1], row[-2:]) == ("2000132", ["in", "use"])


def test_another_accounts_credential_is_taken_into_use_only_on_purpose(aws, shop):
    """Switching the account is said aloud; settings and credential change together."""
    add = ("credential", "add", "a-shop", "x1", "--account", "3000000")
    assert shop(*add, stdin="\n".join(KEYS))[0] == 0
    assert shop("credential", "use", "a-shop", "x1")[0] == 1
    assert shop("credential", "use", "a-shop", "nope")[0] == 1
    assert aws.merchants().config("a-shop").account == "2000132"
    assert shop("credential", "use", "a-shop", "x1", "--switch-account")[0] == 0
    config = aws.merchants().config("a-shop")
    assert (config.account, config.credential_id) == ("3000000", "x1")


def test_a_credential_that_does_not_open_is_not_taken_into_use(aws, shop):
    """Better found at the desk than by the first order."""
    shop("credential", "add", "a-shop", "c2", stdin="\n".join(KEYS))
    key = {"pk": {"S": "M#a-shop"}, "sk": {"S": "CRED#c2"}}
    aws.dynamodb.update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET sealed = :s",
        ExpressionAttributeValues={":s": {"B": b"x" * 200}},
    )
    status, _ = shop("credential", "use", "a-shop", "c2")
    assert status != 0
    assert aws.merchants().config("a-shop").credential_id == "c1"


def issued(said: str) -> str:
    """The one key that was printed."""
    (key,) = [line for line in said.splitlines() if parse(line)]
    return key


def test_a_key_is_printed_once_and_works(aws, shop, caplog):
    """The one print is the only place it ever stands in; lists and logs show its id and last four."""
    _, said = shop("key", "issue", "a-shop", "--label", "till", "--scope", "invoices:write", "--days", "30")
    key = issued(said)
    secret = key.split("_", 2)[2]
    assert said.count(secret) == 1
    keys = ApiKeys(aws.dynamodb, TABLE)
    record = keys.find(parse(key))
    assert verify(key, record, SystemClock().now()).scopes == ("invoices:write",)
    assert record.expires_at - record.created_at == 30 * 86400
    _, listed = shop("key", "list", "a-shop")
    assert record.key_id in listed
    assert record.last4 in listed
    _, shown = shop("merchant", "show", "a-shop")
    assert secret not in listed + shown + caplog.text + str(aws.dynamodb.scan(TableName=TABLE))


def test_rotate_then_revoke(aws, shop):
    """The old key lives on for its grace, the new one is printed, and a revoked key is dead at once."""
    old = issued(shop("key", "issue", "a-shop", "--label", "till", "--scope", "invoices:read")[1])
    new = issued(shop("key", "rotate", "a-shop", parse(old), "--grace-hours", "2")[1])
    keys, now = ApiKeys(aws.dynamodb, TABLE), SystemClock().now()
    assert verify(old, keys.find(parse(old)), now)
    assert verify(new, keys.find(parse(new)), now)
    assert shop("key", "revoke", "a-shop", parse(old))[0] == 0
    assert verify(old, keys.find(parse(old)), now) is None
    assert shop("key", "revoke", "a-shop", parse(old))[0] == 1
    assert shop("key", "revoke", "b-shop", parse(new))[0] == 1
    assert [a for a, _ in audits(aws)][-3:] == ["key issue", "key rotate", "key revoke"]


@pytest.mark.parametrize(
    "argv",
    [
        ("merchant", "show", "b-shop"),
        ("merchant", "set", "b-shop", "void_cutoff_day=10"),
        ("credential", "add", "b-shop", "c1"),
        ("credential", "list", "b-shop"),
        ("key", "issue", "b-shop", "--label", "x", "--scope", "invoices:read"),
        ("key", "list", "b-shop"),
        ("key", "rotate", "b-shop", "0" * 16),
        ("order", "show", "b-shop", "api", "1"),
        ("order", "show", "B#", "api", "1"),
    ],
)
def test_a_merchant_that_does_not_exist_is_said(aws, run, argv):
    """Status 1, one sentence, nothing written."""
    status, said = run(*argv)
    assert (status, said.startswith("error: "), said.count("\n")) == (1, True, 1)
    assert aws.dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_a_missing_table_name_and_a_dead_table_are_told_apart(aws, run, monkeypatch):
    """1: say which table. 3: AWS did not answer, look before repeating."""
    assert run("merchant", "show", "a-shop", "--table", "elsewhere")[0] == 3
    monkeypatch.delenv("TABLE_NAME")
    assert run("merchant", "show", "a-shop")[0] == 1


def test_an_order_is_shown_with_its_log_and_without_its_buyer(aws, run):
    """State and Chinese log texts as stored; no payload; nothing stored can drive the terminal."""
    key = OrderKey("a-shop", "api", "#1018")
    log = [
        {"at": 1773478800, "event": "claimed", "relate_number": "ABC"},
        {"at": 1773478801, "event": "refused", "raw_code": "1", "raw_message": "統一編號錯誤\x1b[2J"},
    ]
    payload = {"buyer": {"name": "王小明", "email": "buyer@example.com"}}
    head = Head(
        key, State.ISSUED, 1, 1, "w", "op", 1773478800, 1773478801, payload=payload, number="AB12345678", log=log
    )
    assert DynamoStore(aws.dynamodb, TABLE).create(head) is None
    status, said = run("order", "show", "a-shop", "api", "#1018")
    assert status == 0
    for expected in ("AB12345678", "ISSUED", "2026-03-14T17:00:00+08:00", "統一編號錯誤", "claimed"):
        assert expected in said
    for hidden in ("王小明", "buyer@example.com", "\x1b"):
        assert hidden not in said
    assert run("order", "show", "a-shop", "api", "1019")[0] == 1


def test_orders_that_wait_for_a_person_are_found_without_knowing_them(aws, shop):
    """Oldest flag first, everybody's or one merchant's; an order without a flag is not among them."""
    store = DynamoStore(aws.dynamodb, TABLE)
    for merchant, order_id, since in (("a-shop", "late", 300), ("b-shop", "first", 100), ("a-shop", "fine", 0)):
        flag = {"cause": "DIFFERENT_DOCUMENT", "since": since} if since else {}
        key = OrderKey(merchant, "api", order_id)
        assert store.create(Head(key, State.ISSUING, 1, 1, "w", "op", 0, 0, attention=flag)) is None

    def found(*argv: str) -> list[list[str]]:
        status, said = shop("order", "flagged", *argv)
        assert status == 0
        return [line.split()[:5] for line in said.splitlines()[1:]]

    late = ["a-shop", "api", "late", "ISSUING", "DIFFERENT_DOCUMENT"]
    assert found() == [["b-shop", "api", "first", "ISSUING", "DIFFERENT_DOCUMENT"], late]
    assert found("a-shop") == [late]
    assert found("c-shop") == []
    assert shop("order", "flagged", "A#")[0] == 1


def test_log_columns_come_from_the_entries():
    """Fields that only some entries have are empty in the others."""
    assert log_rows([{"at": 0, "event": "a"}, {"at": 1, "event": "b", "cause": "c"}]) == [
        ["at", "event", "cause"],
        ["1970-01-01T08:00:00+08:00", "a", None],
        ["1970-01-01T08:00:01+08:00", "b", "c"],
    ]


def test_a_person_who_has_looked_takes_the_flag_off_and_recovery_asks_again(aws, shop):
    """``order look-again`` decides nothing: the order is due at once, its log says who looked and what was found."""
    store, key = DynamoStore(aws.dynamodb, TABLE), OrderKey("a-shop", "api", "odd")
    flag = {"cause": "DIFFERENT_DOCUMENT", "since": 1, "ours": {}, "theirs": {}}
    assert store.create(Head(key, State.ISSUING, 1, 1, "w", "op", 0, 0, attention=flag, attempts=3)) is None
    status, said = shop("order", "look-again", "a-shop", "api", "odd", "--reason", "voided in the console")
    assert (status, "DIFFERENT_DOCUMENT" in said) == (0, True)
    head = store.read(key)
    assert (head.attention, head.attempts, head.ver) == ({}, 0, 2)
    assert key in store.due(head.due_at, 10)
    assert (head.log[-1]["event"], head.log[-1]["reason"]) == ("looked_into", "voided in the console")
    assert shop("order", "look-again", "a-shop", "api", "odd", "--reason", "again")[0] == 1


def test_a_cancellation_that_was_a_mistake_is_taken_back(aws, shop):
    """An order id that only a mistaken cancellation stands under is free again, and its log says by whom."""
    store, key = DynamoStore(aws.dynamodb, TABLE), OrderKey("a-shop", "api", "typo")
    want = {"kind": "cancelled", "reason": "typo", "at": 1}
    assert store.create(Head(key, State.WANTED, 1, 1, "w", "op", 0, 0, want=want)) is None
    command = ("order", "look-again", "a-shop", "api", "typo", "--reason", "wrong id")
    assert shop(*command)[0] == 1
    assert shop(*command, "--forget-cancellation")[0] == 0
    head = store.read(key)
    assert (head.state, head.want, head.cause) == (State.REFUSED, {}, "CANCELLATION_FORGOTTEN")
