"""Look-ups at the ministry: CheckBarcode (手機條碼), CheckLoveCode (捐贈碼), GetCompanyNameByTaxID (統編查名稱).

ECPay developers pages 7886, 7891, 32089.
"""

from __future__ import annotations

import re

from simulators.ecpay import codes
from simulators.ecpay.amounts import ubn_is_valid
from simulators.ecpay.codes import Refused
from simulators.ecpay.fields import Data
from simulators.ecpay.operations.base import Call, Operation, Reply, check_merchant


def _check_ministry(call: Call) -> None:
    if call.maintenance:
        raise Refused(codes.MINISTRY_DOWN)


def check_barcode(call: Call, data: Data) -> Reply:
    """Whether a mobile barcode exists; every well-formed one does but those registered as absent."""
    check_merchant(call, data)
    barcode = data.text("BarCode").replace(" ", "+")  # the page advises callers to send a space for a plus
    if not re.fullmatch(r"/[0-9A-Z+\-.]{7}", barcode):
        raise Refused(codes.BARCODE_FORMAT)
    _check_ministry(call)
    return {"RtnCode": 1, "RtnMsg": "", "IsExist": "Y" if call.world.registry.barcodes.get(barcode, True) else "N"}


def check_love_code(call: Call, data: Data) -> Reply:
    """Whether a donation code exists; only registered ones do."""
    check_merchant(call, data)
    love_code = data.text("LoveCode")
    if not re.fullmatch(r"[0-9]{3,7}", love_code):
        raise Refused(codes.LOVE_CODE_FORMAT)
    _check_ministry(call)
    organisation = call.world.registry.love_codes.get(love_code)
    if organisation is None:
        return {"RtnCode": 1, "RtnMsg": "", "IsExist": "N"}
    return {"RtnCode": 1, "RtnMsg": "", "IsExist": "Y", "OrganName": organisation}


def get_company_name(call: Call, data: Data) -> Reply:
    """The registered name behind a UBN; 7 where none is known, which does not forbid to issue."""
    check_merchant(call, data)
    ubn = data.text("UnifiedBusinessNo")
    if not re.fullmatch(r"[0-9]{8}", ubn):
        raise Refused(codes.UBN_LENGTH)
    if not ubn_is_valid(ubn):
        raise Refused(codes.UBN_CHECKSUM)
    _check_ministry(call)
    name = call.world.registry.companies.get(ubn)
    if name is None:
        raise Refused(codes.NO_DATA)
    return {"RtnCode": 1, "RtnMsg": "成功", "CompanyName": name}


OPERATIONS = (
    Operation("CheckBarcode", check_barcode, blank={"IsExist": "N"}),
    Operation("CheckLoveCode", check_love_code, blank={"IsExist": "N"}),
    Operation("GetCompanyNameByTaxID", get_company_name, blank={"CompanyName": None}),
)
