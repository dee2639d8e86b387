"""Blank numbers (空白字軌), given out to nobody when their term ended: QueryBlankInvoiceList and its two companions.

O'Pay's guide V1.6.0; ECPay has no page. Which fields a row of BlankList has is not published: those here are ours.
"""

from __future__ import annotations

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.fields import Data
from simulators.ecpay.operations.base import Call, Operation, Reply, check_merchant
from simulators.ecpay.periods import TERMS, term_of
from simulators.ecpay.state import PENDING, REJECTED, Track

MAX_PAGE_SIZE = 200


def _blank_tracks(call: Call) -> dict[int, Track]:
    """This merchant's ranges with numbers left whose term is over, by BlankID."""
    now = term_of(call.now.date())
    return {
        int(track.track_id): track
        for track in call.world.tracks
        if track.merchant_id == call.merchant.merchant_id
        and (track.year, track.term) < now
        and track.next <= track.end
        and track.status not in {PENDING, REJECTED}
    }


def _ended_term(call: Call, data: Data) -> tuple[int, int]:
    """A term that is over, of the last six."""
    year, term = data.integer("InvoiceYear"), data.integer("InvoiceTerm")
    if year is None or term is None or not 1 <= term <= TERMS:
        raise Refused(codes.BLANK_TERM)
    this_year, this_term = term_of(call.now.date())
    if not 1 <= (this_year - year) * TERMS + this_term - term <= TERMS:
        raise Refused(codes.BLANK_TERM)
    return year, term


def _row(blank_id: int, track: Track) -> Reply:
    return {
        "BlankID": blank_id,
        "InvoiceYear": str(track.year),
        "InvoiceTerm": track.term,
        "InvType": track.inv_type,
        "InvoiceHeader": track.header,
        "InvoiceStart": f"{track.next:08d}",
        "InvoiceEnd": f"{track.end:08d}",
        "Number": track.end + 1 - track.next,
        "IsAutoUpload": int(track.auto_upload),
    }


def query_blank_list(call: Call, data: Data) -> Reply:
    """The blank ranges of one ended term, a page at a time."""
    check_merchant(call, data)
    wanted = _ended_term(call, data)
    page, size = data.integer("PageNo"), data.integer("PageSize")
    if page is None or page < 1 or size is None or not 1 <= size <= MAX_PAGE_SIZE:
        raise Refused(codes.BLANK_FIELD)
    found = [_row(key, track) for key, track in _blank_tracks(call).items() if (track.year, track.term) == wanted]
    return {
        "RtnCode": 1,
        "RtnMsg": "查詢成功",
        "TotalCount": len(found),
        "IsAuth": 1,
        "BlankList": found[(page - 1) * size : page * size],
    }


def auto_upload_setting(call: Call, data: Data) -> Reply:
    """Have ranges reported without being asked; all of them or none."""
    check_merchant(call, data)
    known, chosen = _blank_tracks(call), data.children("SettingList")
    if not chosen:
        raise Refused(codes.BLANK_FIELD)
    wishes: list[tuple[Track, bool]] = []
    for one in chosen:
        blank_id, wish = one.integer("BlankID"), one.integer("IsAutoUpload")
        if blank_id is None or wish not in {0, 1}:
            raise Refused(codes.BLANK_FIELD)
        if blank_id not in known:
            raise Refused(codes.NO_DATA)
        wishes.append((known[blank_id], wish == 1))
    for track, automatic in wishes:
        track.auto_upload = automatic
    return {"RtnCode": 1, "RtnMsg": "設定成功"}


def download_blank_list(call: Call, data: Data) -> Reply:
    """RtnCode and RtnMsg are all that is documented of the answer."""
    check_merchant(call, data)
    wanted = data.raw("BlankList")
    if not isinstance(wanted, list) or not wanted:
        raise Refused(codes.BLANK_FIELD)
    if set(map(str, wanted)) - set(map(str, _blank_tracks(call))):
        raise Refused(codes.NO_DATA)
    return {"RtnCode": 1, "RtnMsg": "下載成功"}


OPERATIONS = (
    Operation("QueryBlankInvoiceList", query_blank_list, blank={"TotalCount": 0, "BlankList": []}),
    Operation("BlankInvAutoUploadSetting", auto_upload_setting, writes=True),
    Operation("DownLoadBlankInvList", download_blank_list),
)
