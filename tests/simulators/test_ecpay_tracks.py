"""Number tracks, and the look-ups at the ministry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulators.ecpay import Simulator
from tests.simulators.ecpay_client import Client, issued, order

JANUARY = datetime.fromisoformat("2026-01-31T23:30:00+08:00")


def test_lookups(sim: Simulator, client: Client) -> None:
    """Formats, existence, names; and what was registered."""
    assert client.call("CheckBarcode", BarCode="/abc").code == 2019001
    assert client.call("CheckBarcode", BarCode="/NOTHERE").data["IsExist"] == "N"
    assert client.call("CheckBarcode", BarCode="/AB CD12").data["IsExist"] == "Y"
    assert client.call("CheckLoveCode", LoveCode="168001").data["IsExist"] == "Y"
    assert client.call("CheckLoveCode", LoveCode="999").data["IsExist"] == "N"
    assert client.call("CheckLoveCode", LoveCode="12").code == 2020001
    assert client.call("GetCompanyNameByTaxID", UnifiedBusinessNo="97025978").data["CompanyName"]
    assert client.call("GetCompanyNameByTaxID", UnifiedBusinessNo="00000000").code == 7
    assert client.call("GetCompanyNameByTaxID", UnifiedBusinessNo="12345678").code == 1200125
    assert client.call("GetCompanyNameByTaxID", UnifiedBusinessNo="1234").code == 2027000
    sim.register({"barcodes": {"/AAAAAAA": False}, "love_codes": {"999": "甲"}, "companies": {"00000000": "乙"}})
    assert client.call("CheckBarcode", BarCode="/AAAAAAA").data["IsExist"] == "N"
    assert client.call("CheckLoveCode", LoveCode="999").data["OrganName"] == "甲"
    assert client.call("GetCompanyNameByTaxID", UnifiedBusinessNo="00000000").data["CompanyName"] == "乙"


def test_tracks_are_added_enabled_paused_and_listed(sim: Simulator, client: Client) -> None:
    """A new range gives no number before it is enabled, and none after it is paused."""
    sim.move_clock(now=JANUARY)
    given = client.call("GetGovInvoiceWordSetting", InvoiceYear="115").data["InvoiceInfo"][0]
    size = int(given["InvoiceEnd"]) - int(given["InvoiceStart"]) + 1
    assert (given["InvoiceTerm"], size) == (1, given["Number"] * 50)
    sim.exhaust()
    end = int(given["InvoiceEnd"])
    keys = {
        "InvoiceYear": "115",
        "InvoiceTerm": 1,
        "InvType": "07",
        "InvoiceCategory": "1",
        "InvoiceHeader": given["InvoiceHeader"],
        "InvoiceStart": f"{end - 49:08d}",
        "InvoiceEnd": f"{end:08d}",
    }
    track = client.call("AddInvoiceWordSetting", **keys).data["TrackID"]
    assert client.call("Issue", **order("W0")).code == 5070350
    assert client.call("UpdateInvoiceWordStatus", TrackID=track, InvoiceStatus="2").code == 1
    assert client.call("Issue", **order("W1")).data["InvoiceNo"] == f"{given['InvoiceHeader']}{end - 49:08d}"
    search = {"InvoiceYear": "115", "InvoiceTerm": 1, "UseStatus": 2, "InvoiceCategory": 1, "InvType": "07"}
    told = client.call("GetInvoiceWordSetting", **search).data["InvoiceInfo"][-1]
    assert (told["TrackID"], told["InvoiceNo"], told["UseStatus"]) == (track, f"{end - 49:08d}", 2)
    assert client.call("UpdateInvoiceWordStatus", TrackID=track, InvoiceStatus="1").code == 1
    assert client.call("Issue", **order("W2")).code == 5070350
    assert client.call("UpdateInvoiceWordStatus", TrackID=track, InvoiceStatus="0").code == 1
    assert client.call("UpdateInvoiceWordStatus", TrackID=track, InvoiceStatus="2").code == 5930006
    assert client.call("UpdateInvoiceWordStatus", TrackID="none", InvoiceStatus="2").code == 7
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"InvoiceYear": "114"}, 5930001),
        ({"InvoiceTerm": 7}, 5930002),
        ({"InvoiceHeader": "A"}, 5930002),
        ({"InvoiceStart": "00000001"}, 5930003),
        ({"InvoiceEnd": "00000048"}, 5930003),
        ({}, 5930004),
    ]
    assert [client.call("AddInvoiceWordSetting", **keys | changes).code for changes, _ in wrong] == [
        c for _, c in wrong
    ]
    assert client.call("GetGovInvoiceWordSetting", InvoiceYear="113").code == 5930001
    assert client.call("GetInvoiceWordSetting", InvoiceYear="100").code == 7
    assert client.call("UpdateInvoiceWordStatus", TrackID=track, InvoiceStatus="9").code == 5930002


def test_strict_profile_adds_only_what_the_ministry_allocated(strict_client: Client) -> None:
    """Any letters will do on stage, not here."""
    keys = {"InvType": "07", "InvoiceCategory": "1", "InvoiceStart": "00000000", "InvoiceEnd": "00000049"}
    year = str(datetime.now().astimezone().year - 1911 + 1)
    answer = strict_client.call("AddInvoiceWordSetting", InvoiceYear=year, InvoiceTerm=6, InvoiceHeader="QQ", **keys)
    assert answer.code == 5930005


def test_tracks_under_review_and_their_filters(sim: Simulator, client: Client) -> None:
    """Pending and rejected ranges give no number and cannot be enabled; every UseStatus can be asked for."""
    sim.settings({"default_tracks": False})
    made = [sim.add_track("AB", start, start + 49)["track_id"] for start in (0, 50, 100, 150, 200, 250)]
    for status, track in enumerate(made, 1):
        assert client.control("POST", f"tracks/{track}", {"status": status})[1]["tracks"][0]["status"] == status
    year = str(sim.tracks()[0]["year"])

    def listed(**more: Any) -> list[str]:
        answer = client.call("GetInvoiceWordSetting", InvoiceYear=year, **more)
        return [one["TrackID"] for one in answer.data["InvoiceInfo"]]

    assert [listed(UseStatus=status) for status in range(1, 7)] == [[track] for track in made]
    assert listed(UseStatus=0) == listed(InvoiceTerm="", InvoiceCategory="1", InvType="07") == made
    assert listed(InvoiceHeader="ZZ") == listed(InvType="08") == listed(ProductServiceID="A") == []
    wrong = [{"UseStatus": 7}, {"InvoiceTerm": 7}, {"InvoiceTerm": -1}, {"InvoiceCategory": "2"}, {"InvType": "09"}]
    codes = [client.call("GetInvoiceWordSetting", InvoiceYear=year, **one).code for one in wrong]
    assert codes == [5930002] * 5
    enabling = [client.call("UpdateInvoiceWordStatus", TrackID=track, InvoiceStatus="2").code for track in made]
    assert enabling == [1, 1, 5930006, 1, 5930007, 5930007]
    assert client.control("POST", f"tracks/{made[0]}", {"status": 7})[0] == 400
    assert client.control("POST", "tracks/none", {"status": 2})[0] == 404
    assert client.call("Issue", **order("TR")).data["InvoiceNo"] == "AB00000000"


def test_group_of_a_track_is_set_when_it_is_added(sim: Simulator, client: Client) -> None:
    """AddInvoiceWordSetting takes a ProductServiceID of letters and digits, and Issue finds the range by it."""
    sim.move_clock(now=JANUARY)
    sim.add_merchant(client.merchant, client.key, client.iv, several_tracks=True)
    keys = {
        "InvoiceYear": "115",
        "InvoiceTerm": 1,
        "InvType": "07",
        "InvoiceCategory": "1",
        "InvoiceHeader": "QQ",
        "InvoiceStart": "00000000",
        "InvoiceEnd": "00000049",
    }
    assert client.call("AddInvoiceWordSetting", **keys, ProductServiceID="a-b").code == 5930002
    track = client.call("AddInvoiceWordSetting", **keys, ProductServiceID="SHOP2").data["TrackID"]
    client.call("UpdateInvoiceWordStatus", TrackID=track, InvoiceStatus="2")
    assert issued(client, "G1", ProductServiceID="SHOP2")[0] == "QQ00000000"
    told = client.call("GetInvoiceWordSetting", InvoiceYear="115", ProductServiceID="SHOP2").data["InvoiceInfo"]
    assert [(one["TrackID"], one["ProductServiceId"], one["InvoiceNo"]) for one in told] == [
        (track, "SHOP2", "00000000")
    ]


def test_ministry_without_allocation(strict: Simulator, strict_client: Client) -> None:
    """7 when the ministry gave nothing; the strict profile adds no range then."""
    strict.move_clock(now=JANUARY)
    strict.settings({"allocation": False})
    assert strict_client.call("GetGovInvoiceWordSetting", InvoiceYear="115").code == 7
    keys = {"InvType": "07", "InvoiceCategory": "1", "InvoiceStart": "00000000", "InvoiceEnd": "00000049"}
    answer = strict_client.call("AddInvoiceWordSetting", InvoiceYear="115", InvoiceTerm=6, InvoiceHeader="QQ", **keys)
    assert answer.code == 5930005
