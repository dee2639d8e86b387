"""What the buyer wants on the invoice and where it should go (買受人的選擇), from the places a shop keeps it in.

Nothing is chosen for the buyer where two wishes collide: both are kept, and the rules name the collision. Only where
nothing at all is said does a consumer get the centre's member carrier (會員載具), which needs an e-mail or a phone.
A business buyer without a carrier gets paper: what every centre takes with a 統編. A consumer without paper is not
named: neither name nor address leaves the shop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from einvoice.model import Buyer, Carrier, CarrierKind
from einvoice.platforms.base import Json
from einvoice.platforms.codes import Code
from einvoice.platforms.places import Places, look
from einvoice.platforms.reading import Reader

# CYBERBIZ einvoice.invoice_type; "class_" ones are those of its older checkout
_CHOICES = {
    "default": "none",
    "class_default": "none",
    "company": "ubn",
    "class_company": "ubn",
    "phone_barcode": "mobile_barcode",
    "nature_person": "citizen_certificate",
    "donate": "love_code",
    "love_code": "love_code",
    "paper_invoice": "print_paper",
}
_YES = frozenset({"true", "yes", "y", "1", "是", "要", "需要", "紙本", "索取"})
_NO = frozenset({"", "false", "no", "n", "0", "否", "不要", "不需要"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """Who the invoice names and where it goes, as ``model.Order`` has it."""

    buyer: Buyer
    carrier: Carrier | None
    love_code: str
    print_paper: bool


@dataclass(frozen=True, slots=True)
class _Said:
    ubn: str
    title: str
    mobile_barcode: str
    citizen_certificate: str
    love_code: str
    print_paper: bool


def wishes(order: Json, places: Places, person: Buyer, reader: Reader) -> Wishes:
    """The wishes found at ``places``; ``person`` is the buyer as the shop knows them: name, address, e-mail, phone."""
    said = _chosen(order, places, _said(order, places, reader), reader)
    carrier = _carrier(said, reader)
    if said.ubn:
        buyer = replace(person, ubn=said.ubn, name=said.title)
        return Wishes(buyer, carrier, said.love_code, said.print_paper or (carrier is None and not said.love_code))
    if said.print_paper:
        return Wishes(person, carrier, said.love_code, print_paper=True)
    if carrier is None and not said.love_code:
        carrier = Carrier(CarrierKind.MEMBER)
    # without paper nobody is named: the centre needs a way to reach the buyer, not who they are and where they live
    return Wishes(Buyer(email=person.email, phone=person.phone), carrier, said.love_code, print_paper=False)


def reachable(email: str, phone: str) -> tuple[str, str]:
    """E-mail and phone fit for an invoice: the phone in plain digits, as Taiwan dials it.

    A phone that is not one is kept only where there is no e-mail: then somebody has to mend it.

    >>> reachable("", "+886 912-345-678"), reachable("a@example.com", "ext. 3"), reachable("", "ext. 3")
    (('', '0912345678'), ('a@example.com', ''), ('', 'ext. 3'))
    """
    plain = phone.translate(str.maketrans("", "", " -()."))
    if plain.startswith(("+886", "886")):
        plain = "0" + plain.removeprefix("+").removeprefix("886").removeprefix("0")
    if plain.isascii() and plain.isdigit():
        return email, plain
    return email, "" if email else phone


def _said(order: Json, places: Places, reader: Reader) -> _Said:
    print_wish = look(order, places.print_paper, reader).lower()
    if print_wish not in _YES | _NO:
        reader.note(Code.PRINT_WISH_UNREADABLE, places.print_paper[0])
    return _Said(
        ubn=look(order, places.ubn, reader),
        title=look(order, places.title, reader),
        mobile_barcode=look(order, places.mobile_barcode, reader),
        citizen_certificate=look(order, places.citizen_certificate, reader),
        love_code=look(order, places.love_code, reader),
        print_paper=print_wish in _YES,
    )


def _chosen(order: Json, places: Places, said: _Said, reader: Reader) -> _Said:
    """Only what the invoice type says was chosen: the other fields may hold what the buyer used last time."""
    if not places.invoice_type:
        return said
    kind = look(order, places.invoice_type, reader)
    choice = _CHOICES.get(kind) if kind else "none"
    if choice is None:
        reader.note(Code.INVOICE_TYPE_UNKNOWN, places.invoice_type[0])
        choice = "none"  # nothing is invoiced; what else the fields hold is of no use to anybody
    if not kind and any((said.ubn, said.mobile_barcode, said.citizen_certificate, said.love_code, said.print_paper)):
        return said  # an order that says what it wants, but not which kind: the rules judge it whole
    missing = {
        "ubn": Code.UBN_MISSING,
        "mobile_barcode": Code.CARRIER_NUMBER_MISSING,
        "citizen_certificate": Code.CARRIER_NUMBER_MISSING,
        "love_code": Code.LOVE_CODE_MISSING,
    }
    if choice in missing and not getattr(said, choice):
        reader.note(missing[choice], places.invoice_type[0])
    return _Said(
        ubn=said.ubn if choice == "ubn" else "",
        title=said.title if choice == "ubn" else "",
        mobile_barcode=said.mobile_barcode if choice == "mobile_barcode" else "",
        citizen_certificate=said.citizen_certificate if choice == "citizen_certificate" else "",
        love_code=said.love_code if choice == "love_code" else "",
        print_paper=choice == "print_paper",
    )


def _carrier(said: _Said, reader: Reader) -> Carrier | None:
    if said.mobile_barcode and said.citizen_certificate:
        reader.note(Code.CARRIER_AMBIGUOUS, "carrier")
    if said.mobile_barcode:
        return Carrier(CarrierKind.MOBILE_BARCODE, said.mobile_barcode)
    if said.citizen_certificate:
        return Carrier(CarrierKind.CITIZEN_CERTIFICATE, said.citizen_certificate)
    return None
