"""Who sent a webhook and what it is about: only bodies the platform signed pass, and each event is known again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from einvoice.errors import InvalidRequest
from einvoice.platforms.base import Change, Stage
from einvoice.platforms.cyberbiz import webhook as cyberbiz
from einvoice.platforms.easystore import webhook as easystore
from tests.platforms.samples import cyberbiz_order, easystore_order, raw

SECRET = "test-secret"
ES_BODY = b'{"order":{"id":1,"order_number":"#1018"}}'
ES_HEX = "013f828ca9ce548ad6cb4ba570ac9c7afb86c52ed44f47594eeae1b42bb9ca48"
ES_BASE64 = "AT+CjKnOVIrWy0ulcKycevuGxS7UT0dZTurhtCu5ykg="
CB_BODY = b'{"id":500001,"order_number":10001}'
CB_HEX = "6175e1783d03605ff400fd94d75fdc0a5ff05e35d1df7e13dbf9e520c64219ff"

BOTH = pytest.mark.parametrize(
    ("platform", "body", "signature"), [(easystore, ES_BODY, ES_HEX), (cyberbiz, CB_BODY, CB_HEX)]
)


def es(topic, body, shop="demo.easy.co"):
    """The notice of an EasyStore delivery."""
    return easystore.notice(
        {easystore.SHOP: shop, easystore.TOPIC: topic}, body if isinstance(body, bytes) else raw(body)
    )


def cb(event, body, shop="demo.cyberbiz.co"):
    """The notice of a CYBERBIZ delivery."""
    return cyberbiz.notice({cyberbiz.SHOP: shop, cyberbiz.EVENT: event}, body if isinstance(body, bytes) else raw(body))


def refused(call) -> list[str]:
    """Codes of the refusal that ``call`` must end in."""
    with pytest.raises(InvalidRequest) as caught:
        call()
    return [one.code for one in caught.value.violations]


@BOTH
def test_known_signatures_are_genuine(platform, body, signature):
    """Vectors worked out by hand: lower and upper hexadecimal, Base64, and a header in any case."""
    as_base64 = base64.b64encode(bytes.fromhex(signature)).decode()
    for value in (signature, signature.upper(), as_base64, f" {signature} "):
        for name in (platform.SIGNATURE, platform.SIGNATURE.lower(), platform.SIGNATURE.upper()):
            assert platform.genuine({name: value}, body, SECRET)
    assert base64.b64decode(ES_BASE64).hex() == ES_HEX


@BOTH
def test_forged_and_damaged_signatures_are_not(platform, body, signature):
    """Another key, another hash, a piece of the right one, or a well-formed nothing."""
    sha1 = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    for value in ("", signature[:-1], signature + "00", "0" * 64, sha1, f"{signature},{signature}", "é" * 64, "=" * 44):
        assert not platform.genuine({platform.SIGNATURE: value}, body, SECRET)
    assert not platform.genuine({platform.SIGNATURE: signature}, body, "other-secret")
    nothing = hmac.new(b"", body, hashlib.sha256).hexdigest()
    assert not platform.genuine({platform.SIGNATURE: nothing}, body, "")


@BOTH
def test_a_changed_cut_or_re_encoded_body_is_not(platform, body, signature):
    """The bytes are signed, not what they mean."""
    again = json.dumps(json.loads(body)).encode()
    assert json.loads(again) == json.loads(body)
    for other in (again, body[:-1], body + b"\n", body.replace(b"1", b"2"), b""):
        assert not platform.genuine({platform.SIGNATURE: signature}, other, SECRET)


@BOTH
def test_a_missing_or_repeated_signature_is_not(platform, body, signature):
    """Two headers that differ in case are two values: nobody knows which one the platform sent."""
    name = platform.SIGNATURE
    assert not platform.genuine({}, body, SECRET)
    assert not platform.genuine({name: signature, name.lower(): signature}, body, SECRET)


def test_every_easystore_topic_says_what_it_is_about():
    """Payments, cancellations and refunds are named; everything else about an order is an update."""
    named = {topic: es(topic, {"order": {"id": 1}, "order_id": 1}).about for topic in easystore.TOPICS}
    assert {topic: about for topic, about in named.items() if about is not Change.UPDATE} == {
        "order/paid": Stage.PAID,
        "order/cancel": Stage.CANCELLED,
        "refund/create": Change.REFUND,
    }


@pytest.mark.parametrize(
    ("event", "about"),
    [
        ("orders/paid", Stage.PAID),
        ("orders/fulfilled", Stage.SHIPPED),
        ("orders/arrived", Stage.ARRIVED),
        ("orders/received", Stage.PICKED_UP),
        ("orders/cancelled", Stage.CANCELLED),
        ("orders/returned", Stage.RETURNED),
        ("orders/refunded", Change.REFUND),
        ("orders/partial_refunded", Change.REFUND),
        ("orders/partial_return", Change.UPDATE),
        ("orders/never_heard_of", Change.UPDATE),
    ],
)
def test_every_cyberbiz_event_says_what_it_is_about(event, about):
    """An event nobody documented is still a reason to look at the order."""
    assert cb(event, cyberbiz_order()).about is about


def test_a_whole_order_comes_along_and_a_thin_one_is_to_be_fetched():
    """What lacks state or figures is never mapped from the notice."""
    whole, thin = es("order/paid", {"order": easystore_order()}), es("order/cancel", {"order": {"id": 37000001}})
    assert (whole.thin, whole.order["id"], whole.order_id) == (False, 37000001, "37000001")
    assert (thin.thin, thin.order, thin.order_id) == (True, None, "37000001")
    assert not cb("orders/paid", cyberbiz_order()).thin
    assert cb("orders/paid", CB_BODY).thin


@pytest.mark.parametrize(
    "body",
    [
        {"refund": {"id": 9, "order_id": 37000001}},
        {"refund": {"id": 9}, "order_id": "37000001"},
        {"id": 9, "order_id": 37000001},
        {"order": {"id": 37000001}},
    ],
)
def test_a_refunds_own_id_is_never_taken_for_the_orders(body):
    """Of a refund only the order it belongs to counts, and it is always fetched."""
    found = es("refund/create", body)
    assert (found.order_id, found.thin) == ("37000001", True)


def test_a_refund_without_an_order_is_refused():
    """Its own id would name another order."""
    assert refused(lambda: es("refund/create", {"refund": {"id": 9}})) == ["ORDER_ID_MISSING"]


def test_what_is_no_event_is_named():
    """Each way a notice can be unfit has its own code."""
    order = {"order": {"id": 1}}
    assert refused(lambda: es("app/uninstall", {})) == ["TOPIC_NOT_ABOUT_ORDERS"]
    assert refused(lambda: cb("products/update", {})) == ["TOPIC_NOT_ABOUT_ORDERS"]
    assert refused(lambda: easystore.notice({easystore.TOPIC: "order/paid"}, raw(order))) == ["HEADER_MISSING"]
    both = {easystore.SHOP: "a.easy.co", easystore.SHOP.lower(): "b.easy.co", easystore.TOPIC: "order/paid"}
    assert refused(lambda: easystore.notice(both, raw(order))) == ["HEADER_MISSING"]
    for shop in ("easy.co", "demo.easy.co.evil.example", "evil-easy.co", "a/b.easy.co", "@.easy.co", ".easy.co"):
        assert refused(lambda shop=shop: es("order/paid", order, shop)) == ["SHOP_FORM"]
    for shop in ("cyberbiz.co", "x.cyberbiz.co.evil.example", "x.cyberbiz.io"):
        assert refused(lambda shop=shop: cb("orders/paid", CB_BODY, shop)) == ["SHOP_FORM"]
    unreadable = (
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"id":NaN}',
        b'{"order":"\xff"}',
        b"[" * 100_000,
        raw(order).decode().encode("utf-16"),
    )
    for body in unreadable:
        assert refused(lambda body=body: es("order/paid", body)) == ["BODY_UNREADABLE"]
    for order_id in (None, "", "#1018", True, -1, 0, 1.5, [1], {"id": 1}, "１"):
        assert refused(lambda order_id=order_id: cb("orders/paid", {"id": order_id})) == ["ORDER_ID_MISSING"]


def test_one_delivery_is_known_again_and_another_is_not():
    """Repeated bytes have one fingerprint; another shop, topic, order or state has another."""
    body, later = {"order": easystore_order()}, {"order": easystore_order(updated_at="2026-03-01T00:31:00+08:00")}
    first = es("order/paid", body)
    assert es("order/paid", body).fingerprint == es("order/paid", body, "DEMO.easy.co").fingerprint == first.fingerprint
    others = [
        es("order/paid", body, "other.easy.co"),
        es("order/update", body),
        es("order/paid", later),
        es("order/paid", {"order": easystore_order(id=37000002)}),
    ]
    assert len({one.fingerprint for one in [first, *others]}) == 5


def test_two_states_of_the_same_second_are_two_events():
    """``updated_at`` has whole seconds: a refund within the second of the payment must not be taken for a repeat."""
    paid, refunded = cyberbiz_order(), cyberbiz_order(return_histories=[{"price": 100.0}])
    assert paid["updated_at"] == refunded["updated_at"]
    assert cb("orders/update", paid).fingerprint != cb("orders/update", refunded).fingerprint


def test_a_body_replayed_in_another_shops_name_says_so():
    """The signature does not cover the shop: the notice names the claimed one, for the caller to compare."""
    body = raw({"order": easystore_order()})
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {easystore.SIGNATURE: signature, easystore.SHOP: "other.easy.co", easystore.TOPIC: "order/paid"}
    assert easystore.genuine(headers, body, SECRET)
    assert easystore.notice(headers, body).shop == "other.easy.co"
