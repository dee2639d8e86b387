"""Number tracks (字軌): the ministry's allocation, adding a range, enabling it, listing them.

ECPay developers pages 7859, 7870, 7875, 7881. Years are ROC years, terms 1 to 6.
"""

from __future__ import annotations

import re

from simulators.ecpay import codes, tracks
from simulators.ecpay.codes import Refused
from simulators.ecpay.fields import Data
from simulators.ecpay.operations.base import Call, Operation, Reply, check_merchant
from simulators.ecpay.periods import TERMS, term_of
from simulators.ecpay.state import DISABLED, IN_USE, NOT_ENABLED, PAUSED, PENDING, REJECTED, Track

STATUS_OF_REQUEST = {"0": DISABLED, "1": PAUSED, "2": IN_USE}  # InvoiceStatus: what UseStatus becomes


def _year(call: Call, data: Data, *, earliest: int) -> int:
    """InvoiceYear, from ``earliest`` years before this one up to the next."""
    this_year, _ = term_of(call.now.date())
    year = data.integer("InvoiceYear")
    if year is None or not this_year - earliest <= year <= this_year + 1:
        raise Refused(codes.TRACK_YEAR)
    return year


def get_gov_setting(call: Call, data: Data) -> Reply:
    """What the ministry allocated (財政部配號) for a year."""
    check_merchant(call, data)
    year = _year(call, data, earliest=1)
    if not call.world.settings.allocation:
        raise Refused(codes.NO_DATA)
    given = [
        tracks.allocation(call.merchant, year, term, inv_type)
        for term in range(1, TERMS + 1)
        for inv_type in ("07", "08")
    ]
    return {
        "RtnCode": 1,
        "RtnMsg": "查詢成功",
        "InvoiceInfo": [
            {
                "InvoiceTerm": one.term,
                "InvType": one.inv_type,
                "InvoiceHeader": one.header,
                "InvoiceStart": f"{one.start:08d}",
                "InvoiceEnd": f"{one.end:08d}",
                "Number": (one.end - one.start + 1) // tracks.BOOK,
            }
            for one in given
        ],
    }


def _range(data: Data) -> tuple[int, int]:
    start, end = data.text("InvoiceStart"), data.text("InvoiceEnd")
    if (
        not re.fullmatch(r"[0-9]{6}(00|50)", start)
        or not re.fullmatch(r"[0-9]{6}(49|99)", end)
        or int(start) > int(end)
    ):
        raise Refused(codes.TRACK_RANGE)
    return int(start), int(end)


def add_setting(call: Call, data: Data) -> Reply:
    """Add a range; it gives no number before it is enabled."""
    check_merchant(call, data)
    tracks.ensure(call.world, call.merchant, call.now)
    year, term = _year(call, data, earliest=0), data.integer("InvoiceTerm")
    inv_type, header = data.text("InvType"), data.text("InvoiceHeader")
    if term is None or not 1 <= term <= TERMS or (year, term) < term_of(call.now.date()):
        raise Refused(codes.TRACK_FIELD)
    if inv_type not in {"07", "08"} or data.text("InvoiceCategory") != "1" or not re.fullmatch("[A-Z]{2}", header):
        raise Refused(codes.TRACK_FIELD)
    if not re.fullmatch("[A-Za-z0-9]{0,10}", data.text("ProductServiceID")):
        raise Refused(codes.TRACK_FIELD)
    start, end = _range(data)
    for other in call.world.tracks:
        same_book = (other.year, other.term, other.header) == (year, term, header)
        if same_book and start <= other.end and other.start <= end:
            raise Refused(codes.TRACK_OVERLAP)
    given = tracks.allocation(call.merchant, year, term, inv_type)
    if call.strict and not call.world.settings.allocation:
        raise Refused(codes.TRACK_NOT_ALLOCATED)
    if call.strict and (header != given.header or start < given.start or end > given.end):
        raise Refused(codes.TRACK_NOT_ALLOCATED)
    wanted = tracks.Allocation(year, term, inv_type, header, start, end)
    track = tracks.add(call.world, call.merchant, wanted, NOT_ENABLED)
    track.product_service_id = data.text("ProductServiceID")
    return {"RtnCode": 1, "RtnMsg": "新增成功", "TrackID": track.track_id}


def update_status(call: Call, data: Data) -> Reply:
    """Enable, pause or disable a range; a disabled one stays so."""
    check_merchant(call, data)
    tracks.ensure(call.world, call.merchant, call.now)
    status = STATUS_OF_REQUEST.get(data.text("InvoiceStatus"))
    if status is None:
        raise Refused(codes.TRACK_FIELD)
    for track in call.world.tracks:
        if (track.merchant_id, track.track_id) == (call.merchant.merchant_id, data.text("TrackID")):
            if track.status in {PENDING, REJECTED}:
                raise Refused(codes.TRACK_NOT_APPROVED)
            if track.status == DISABLED and status != DISABLED:
                raise Refused(codes.TRACK_DISABLED)
            track.status = status
            return {"RtnCode": 1, "RtnMsg": "更新成功"}
    raise Refused(codes.NO_DATA)


def _described(track: Track) -> Reply:
    return {
        "TrackID": track.track_id,
        "InvoiceYear": str(track.year),
        "InvoiceTerm": track.term,
        "InvoiceCategory": "1",
        "InvType": track.inv_type,
        "InvoiceHeader": track.header,
        "InvoiceStart": f"{track.start:08d}",
        "InvoiceEnd": f"{track.end:08d}",
        "InvoiceNo": track.last_used,
        "UseStatus": track.status,
        "ProductServiceId": track.product_service_id,
    }


def _choice(data: Data, name: str, highest: int) -> int:
    """A filter from 1 to ``highest``; 0, also where it is empty, is for all."""
    value = data.integer(name) if data.text(name) else 0
    if value is None or not 0 <= value <= highest:
        raise Refused(codes.TRACK_FIELD)
    return value


def get_setting(call: Call, data: Data) -> Reply:
    """This merchant's ranges of a year; 0 or empty means any."""
    check_merchant(call, data)
    tracks.ensure(call.world, call.merchant, call.now)
    year = data.integer("InvoiceYear")
    if year is None:
        raise Refused(codes.TRACK_YEAR)
    term, status = _choice(data, "InvoiceTerm", TERMS), _choice(data, "UseStatus", REJECTED)
    if data.text("InvoiceCategory") not in {"", "1"} or data.text("InvType") not in {"", "07", "08"}:
        raise Refused(codes.TRACK_FIELD)
    wanted = {
        "term": term,
        "status": status,
        "inv_type": data.text("InvType"),
        "header": data.text("InvoiceHeader"),
        "product_service_id": data.text("ProductServiceID"),
    }
    found = [
        track
        for track in call.world.tracks
        if (track.merchant_id, track.year) == (call.merchant.merchant_id, year)
        and all(not value or getattr(track, name) == value for name, value in wanted.items())
    ]
    if not found:
        raise Refused(codes.NO_DATA)
    return {"RtnCode": 1, "RtnMsg": "查詢成功", "InvoiceInfo": [_described(track) for track in found]}


OPERATIONS = (
    Operation("GetGovInvoiceWordSetting", get_gov_setting, blank={"InvoiceInfo": []}),
    Operation("AddInvoiceWordSetting", add_setting, writes=True, blank={"TrackID": ""}),
    Operation("UpdateInvoiceWordStatus", update_status, writes=True, rtn_code_as_text=True),
    Operation("GetInvoiceWordSetting", get_setting, blank={"InvoiceInfo": []}),
)
