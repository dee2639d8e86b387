"""Deadlines over HTTP (期限查詢): the query of GET /v1/deadlines, its cursor, and its answer."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime, timedelta

from einvoice.application.deadlines import Closing, Page, Place, Unit, books_of
from einvoice.edge import http, views
from einvoice.errors import InvalidRequest, Violation
from einvoice.identity import allowance_id, invoice_id
from einvoice.rules.period import TAIPEI

DEFAULT_WITHIN = timedelta(hours=48)
MAX_WITHIN = timedelta(days=62)  # a period, whole
DEFAULT_LIMIT, MAX_LIMIT = 100, 200
CURSOR_LASTS = timedelta(days=1)
PARAMETERS = ("within", "limit", "cursor")

_WITHIN = re.compile(r"([1-9][0-9]{0,3})([hd])")
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")
_NUMBER = re.compile(r"([A-Z]{2}[0-9]{8})?")


def asked(request: http.Request, now: datetime) -> tuple[Place, int]:
    """From where, for how long, and how many orders of it. Raises InvalidRequest with everything that is wrong."""
    given = request.query
    violations = [
        Violation("UNKNOWN_FIELD", _sayable(name), f"沒有這個參數，可用：{'、'.join(PARAMETERS)}")
        for name in sorted(given)
        if name not in PARAMETERS
    ]
    within = _within(given["within"]) if "within" in given else DEFAULT_WITHIN
    limit = _limit(given["limit"]) if "limit" in given else DEFAULT_LIMIT
    if within is None:
        violations.append(Violation("BAD_WITHIN", "within", "須為小時或天數，最長 62 天，例如 48h 或 7d。"))
    if limit is None:
        violations.append(Violation("BAD_LIMIT", "limit", f"須為 1 至 {MAX_LIMIT} 的整數。"))
    place = Place(now.replace(microsecond=0), within or DEFAULT_WITHIN)
    if "cursor" in given:
        standing = _place_of(request.merchant, given["cursor"], now)
        fits = standing is not None and ("within" not in given or within in (None, standing.within))
        if standing is None or not fits:
            words = "cursor 無效、已過期，或不是同一個查詢的；請不帶 cursor 重新查詢。"
            violations.append(Violation("BAD_CURSOR", "cursor", words))
        place = standing or place
    if violations or limit is None:
        raise InvalidRequest(violations)
    return place, limit


def answered(merchant: str, page: Page) -> http.Reply:
    """One page; ``next`` is the cursor of the one that follows, null after the last."""
    body = {
        "deadlines": [_closing(one) for one in page.closing],
        "periods": [_unit(one) for one in page.units],
        "invoices_of": page.books,
        "next": _cursor(merchant, page.following) if page.following else None,
    }
    return http.Reply(200, body, http.JSON_TYPE)


def _closing(one: Closing) -> http.Json:
    line = one.line
    return {
        "kind": line.kind.value,
        "at": line.at.isoformat(),
        "safe_at": line.safe_at.isoformat() if line.safe_at else None,
        "document": line.document,
        "number": line.number,
        "invoice_id": invoice_id(one.key, one.generation),
        "allowance_id": allowance_id(one.key, one.n) if one.n else None,
        "order": {"source": one.key.source, "order_id": one.key.order_id},
        "message": line.message,
        "source": line.source,
    }


def _unit(unit: Unit) -> http.Json:
    return {
        "period": unit.key,
        "void_closes_at": unit.void_closes_at.isoformat(),
        "filing_due": unit.filing_due.isoformat(),
        "filed_at": views.instant(unit.filed_at) if unit.filed_at is not None else None,
    }


def _sayable(name: str) -> str:
    """A caller's own name for something: short, and such as can be answered as UTF-8."""
    return name[:200].encode("utf-8", "replace").decode("utf-8")


def _within(text: str) -> timedelta | None:
    match = _WITHIN.fullmatch(text)
    if match is None:
        return None
    within = timedelta(hours=int(match[1])) if match[2] == "h" else timedelta(days=int(match[1]))
    return within if within <= MAX_WITHIN else None


def _limit(text: str) -> int | None:
    return int(text) if _LIMIT.fullmatch(text) and int(text) <= MAX_LIMIT else None


def _cursor(merchant: str, place: Place) -> str:
    """A place as a text that only this merchant can go on from."""
    values = [merchant, int(place.at.timestamp()), int(place.within.total_seconds()), place.period, place.after]
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def _place_of(merchant: str, cursor: str, now: datetime) -> Place | None:
    """The place of a cursor; None for one that is not this merchant's, not ours, or too old."""
    try:
        values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
    match values:
        case [str(whose), int(began), int(within_s), str(period), str(after)] if whose == merchant:
            pass
        case _:
            return None
    age_s = abs(int(now.timestamp()) - began)
    if age_s > CURSOR_LASTS.total_seconds() or not 0 < within_s <= MAX_WITHIN.total_seconds():
        return None
    place = Place(datetime.fromtimestamp(began, UTC).astimezone(TAIPEI), timedelta(seconds=within_s), period, after)
    known = period in books_of(place.at) and _NUMBER.fullmatch(after)
    return place if known and _cursor(merchant, place) == cursor else None
