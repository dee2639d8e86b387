"""The control API: plain JSON under ``/_control/``. One table, ``ROUTES``; the words are those of ``Simulator``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from simulators.ecpay.delivery import JSON, Delivery
from simulators.ecpay.periods import TAIPEI
from simulators.ecpay.state import Settings
from simulators.ecpay.wire import Unreadable, dump, parse_object

if TYPE_CHECKING:
    from simulators.ecpay.simulator import Simulator

PREFIX = "/_control/"


class NotThere(Exception):
    """Answered as 404."""


def change_settings(settings: Settings, changes: Mapping[str, object]) -> dict[str, object]:
    """Change switches in place and answer all of them. Raises ``ValueError`` before anything is changed."""
    switches = ("vary_types", "default_tracks", "reissue_keeps_number", "allocation")
    kinds: dict[str, type] = {"profile": str, **dict.fromkeys(switches, bool)}
    for name, value in changes.items():
        if name not in {field.name for field in fields(settings)}:
            raise ValueError(f"there is no switch {name}")
        kind = kinds.get(name)
        if name == "callback_attempts":
            if _whole({name: value}, name) < 1:
                raise ValueError(f"{name} is at least 1")
        elif kind is None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            raise ValueError(f"{name} is a number of seconds")
        if kind is not None and not isinstance(value, kind):
            raise ValueError(f"{name} is of type {kind.__name__}")
    if changes.get("profile", "stage") not in {"stage", "doc"}:
        raise ValueError("profile is stage or doc")
    for name, value in changes.items():
        setattr(settings, name, value)
    return asdict(settings)


def _clock(sim: Simulator) -> dict[str, object]:
    now = sim.now()
    return {"now": now.isoformat(), "offset_s": round(sim.clock.offset_s, 6)}


def _move(sim: Simulator, body: Mapping[str, object]) -> object:
    known = {"now", "advance_s"}
    if not body or body.keys() - known:
        raise ValueError("give now (RFC 3339) or advance_s (seconds)")
    to, advance = body.get("now"), body.get("advance_s")
    if to is not None and not isinstance(to, str):
        raise ValueError("now must be RFC 3339 text")
    if advance is not None and (isinstance(advance, bool) or not isinstance(advance, int | float)):
        raise ValueError("advance_s must be a number")
    instant = datetime.fromisoformat(to) if to else None
    if instant is not None and instant.tzinfo is None:
        instant = instant.replace(tzinfo=TAIPEI)
    sim.move_clock(now=instant, advance_s=float(advance) if advance is not None else None)
    return _clock(sim)


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise ValueError(f"{name} is missing")
    return str(value)


def _whole(body: Mapping[str, object], name: str) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number")
    return value


def _true_or_false(body: Mapping[str, object], name: str) -> bool:
    value = body.get(name)
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be true or false")
    return value


def _add_merchant(sim: Simulator, body: Mapping[str, object]) -> object:
    more = {name: body[name] for name in ("name", "ubn", "several_tracks") if name in body}
    sim.add_merchant(_text(body, "merchant_id"), _text(body, "key"), _text(body, "iv"), **more)
    return {"merchants": sim.merchants()}


def _change_tracks(sim: Simulator, body: Mapping[str, object]) -> object:
    merchant_id = _text(body, "merchant_id") if "merchant_id" in body else next(iter(sim.world.merchants))
    if body.get("exhaust") is True:
        return {"thrown_away": sim.exhaust(merchant_id)}
    return sim.add_track(
        _text(body, "header"),
        _whole(body, "start"),
        _whole(body, "end"),
        merchant_id=merchant_id,
        year=_whole(body, "year") if "year" in body else None,
        term=_whole(body, "term") if "term" in body else None,
        inv_type=str(body.get("inv_type", "07")),
        product_service_id=str(body.get("product_service_id", "")),
    )


def _register(sim: Simulator, body: Mapping[str, object]) -> object:
    known: dict[str, Mapping[str, object]] = {}
    for name, entries in body.items():
        if name not in {"barcodes", "love_codes", "companies"} or not isinstance(entries, dict):
            raise ValueError("give barcodes, love_codes or companies, each an object")
        known[name] = entries
    sim.register(known)
    return asdict(sim.world.registry)


def _order(sim: Simulator, relate: str) -> object:
    invoices = sim.invoices(relate=relate)
    if not invoices:
        raise NotThere(relate)
    return {"invoice": invoices[0], "calls": sim.calls(relate=relate)}


def _change_invoice(sim: Simulator, number: str, body: Mapping[str, object]) -> object:
    if not body or body.keys() - {"upload_failed", "award"}:
        raise ValueError("give upload_failed or award")
    failed = _true_or_false(body, "upload_failed") if "upload_failed" in body else None
    if "award" in body:
        sim.award(number, None if body["award"] is None else _whole(body, "award"))
    if failed is not None:
        sim.fail_upload(number, failed=failed)
    return {"invoices": sim.invoices(number=number)}


def _consent(sim: Simulator, number: str, body: Mapping[str, object]) -> object:
    if body == {"agree": True}:
        sim.agree(number)
    elif body == {"forge_callback": True}:
        sim.forge_consent(number)
    else:
        raise ValueError('give {"agree": true} or {"forge_callback": true}')
    return {"online_allowances": [one for one in sim.online_allowances() if one["number"] == number]}


def _forge_issue(sim: Simulator, tsr: str, body: Mapping[str, object]) -> object:
    if body != {"forge_callback": True}:
        raise ValueError('give {"forge_callback": true}')
    sim.forge_issue(tsr)
    return {"delayed": [one for one in sim.delayed() if one["tsr"] == tsr]}


def _review(sim: Simulator, track_id: str, body: Mapping[str, object]) -> object:
    sim.review_track(track_id, _whole(body, "status"))
    return {"tracks": [one for one in sim.tracks() if one["track_id"] == track_id]}


def _invoices(sim: Simulator, query: Mapping[str, str]) -> object:
    return {"invoices": sim.invoices(relate=query.get("relate"), number=query.get("number"))}


def _calls(sim: Simulator, query: Mapping[str, str]) -> object:
    return {
        "calls": sim.calls(op=query.get("op"), relate=query.get("relate")),
        "arriving": [at.isoformat() for at in sim.pending()],
    }


def _cleared(action: Callable[[], None]) -> object:
    action()
    return {"ok": True}


# (method, first path segment, whether a second segment is wanted): what to do
ROUTES: dict[tuple[str, str, bool], Callable[[Simulator, Mapping[str, object], Mapping[str, str], str], object]] = {
    ("GET", "clock", False): lambda sim, _b, _q, _r: _clock(sim),
    ("POST", "clock", False): lambda sim, body, _q, _r: _move(sim, body),
    ("GET", "faults", False): lambda sim, _b, _q, _r: {"faults": sim.faults()},
    ("POST", "faults", False): lambda sim, body, _q, _r: sim.fault(
        str(body.get("kind", "")), **{name: value for name, value in body.items() if name != "kind"}
    ),
    ("DELETE", "faults", False): lambda sim, _b, _q, _r: _cleared(sim.clear_faults),
    ("GET", "invoices", False): lambda sim, _b, query, _r: _invoices(sim, query),
    ("POST", "invoices", True): lambda sim, body, _q, number: _change_invoice(sim, number, body),
    ("GET", "orders", True): lambda sim, _b, _q, relate: _order(sim, relate),
    ("GET", "allowances", False): lambda sim, _b, _q, _r: {"allowances": sim.allowances()},
    ("GET", "online-allowances", False): lambda sim, _b, _q, _r: {"online_allowances": sim.online_allowances()},
    ("POST", "online-allowances", True): lambda sim, body, _q, number: _consent(sim, number, body),
    ("GET", "delayed", False): lambda sim, _b, _q, _r: {"delayed": sim.delayed()},
    ("POST", "delayed", True): lambda sim, body, _q, tsr: _forge_issue(sim, tsr, body),
    ("GET", "callbacks", False): lambda sim, _b, _q, _r: {"callbacks": sim.callbacks()},
    ("GET", "notifications", False): lambda sim, _b, _q, _r: {"notifications": sim.notifications()},
    ("GET", "calls", False): lambda sim, _b, query, _r: _calls(sim, query),
    ("DELETE", "calls", False): lambda sim, _b, _q, _r: _cleared(sim.clear_calls),
    ("GET", "merchants", False): lambda sim, _b, _q, _r: {"merchants": sim.merchants()},
    ("POST", "merchants", False): lambda sim, body, _q, _r: _add_merchant(sim, body),
    ("GET", "tracks", False): lambda sim, _b, _q, _r: {"tracks": sim.tracks()},
    ("POST", "tracks", False): lambda sim, body, _q, _r: _change_tracks(sim, body),
    ("POST", "tracks", True): lambda sim, body, _q, track_id: _review(sim, track_id, body),
    ("POST", "registry", False): lambda sim, body, _q, _r: _register(sim, body),
    ("GET", "settings", False): lambda sim, _b, _q, _r: sim.settings(),
    ("POST", "settings", False): lambda sim, body, _q, _r: sim.settings(body),
    ("POST", "reset", False): lambda sim, _b, _q, _r: _cleared(sim.reset),
}


def _plain(body: bytes) -> dict[str, object]:
    read = parse_object(body) if body.strip() else {}
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in read.items()}


def answer(sim: Simulator, method: str, path: str, body: bytes) -> Delivery:
    """200 with what was asked; 400 for what cannot be understood, 404 for what is not there."""
    parts = urlsplit(path)
    first, _, rest = parts.path.removeprefix(PREFIX).rstrip("/").partition("/")
    action = ROUTES.get((method, first, bool(rest)))
    if action is None:
        return Delivery(404, JSON, dump({"error": f"not there: {method} {parts.path}"}).encode())
    try:
        result = action(sim, _plain(body), dict(parse_qsl(parts.query)), unquote(rest))
    except (NotThere, KeyError) as error:
        return Delivery(404, JSON, dump({"error": f"not there: {error}"}).encode())
    except (Unreadable, ValueError, TypeError, OverflowError) as error:
        return Delivery(400, JSON, dump({"error": str(error)}).encode())
    return Delivery(200, JSON, dump(result).encode())
