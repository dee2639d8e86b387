"""The buyer (買受人): 統一編號, name, address and how to reach them.

Name and 統編 of a business buyer: 統一發票使用辦法 art. 9. Name and address on a printed invoice, and an e-mail or
phone: ECPay developers page 7896, through the profile where centres differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from einvoice.errors import Violation
from einvoice.model import CarrierKind, Order, ProviderProfile
from einvoice.rules import text, ubn
from einvoice.rules.codes import Code, violation

# One address, no display name and no list. ASCII only: no centre documents that it takes others.
_EMAIL = re.compile(r"[!-~]+@[!-~]+\.[!-~]+")
_NOT_IN_ONE_ADDRESS = re.compile(r'[,;<>"()]|@.*@')
_PHONE = re.compile(r"[0-9]+")


def check(order: Order, on: date, profile: ProviderProfile) -> Iterator[Violation]:
    """Everything wrong with the buyer of ``order`` for an invoice dated ``on``."""
    yield from _check_ubn(order, on, profile)
    yield from _check_texts(order, profile)
    yield from _check_contact(order, profile)


def check_email(email: str, path: str, profile: ProviderProfile) -> Iterator[Violation]:
    """Everything wrong with an e-mail address at ``path``; nothing where there is none.

    >>> profile = ProviderProfile("any")
    >>> [[one.code for one in check_email(text, "x", profile)] for text in ("", "a@example.com", "a@b.c, d@e.f")]
    [[], [], ['EMAIL_FORM']]
    """
    if email and (not _EMAIL.fullmatch(email) or _NOT_IN_ONE_ADDRESS.search(email)):
        yield violation(Code.EMAIL_FORM, path)
    yield from text.check_length(email, text.Field(path, "電子郵件", profile.max_email_chars))


def _check_ubn(order: Order, on: date, profile: ProviderProfile) -> Iterator[Violation]:
    buyer = order.buyer
    if buyer.ubn and (code := ubn.problem(buyer.ubn, on, override=buyer.ubn_override)):
        yield violation(code, "buyer.ubn")
    # never sent to a centre, so only its size and its safety in a log matter
    override = text.Field("buyer.ubn_override", "略過檢查的理由", profile.max_remark_chars)
    yield from text.check(buyer.ubn_override, override, astral=True)


def _check_texts(order: Order, profile: ProviderProfile) -> Iterator[Violation]:
    buyer = order.buyer
    if (buyer.ubn or order.print_paper) and not buyer.name.strip():
        yield violation(Code.BUYER_NAME_REQUIRED, "buyer.name")
    if order.print_paper and not buyer.address.strip():
        yield violation(Code.BUYER_ADDRESS_REQUIRED, "buyer.address")
    name = text.Field("buyer.name", "買受人名稱", profile.max_buyer_name_chars)
    address = text.Field("buyer.address", "買受人地址", profile.max_buyer_address_chars)
    yield from text.check(buyer.name, name, astral=profile.astral_text)
    yield from text.check(buyer.address, address, astral=profile.astral_text)


def _check_contact(order: Order, profile: ProviderProfile) -> Iterator[Violation]:
    buyer, carrier = order.buyer, order.carrier
    # the member carrier is found again by e-mail or phone and by nothing else
    needed = profile.contact_required or (carrier is not None and carrier.kind is CarrierKind.MEMBER)
    if needed and not (buyer.email or buyer.phone):
        yield violation(Code.CONTACT_REQUIRED, "buyer.email")
    yield from check_email(buyer.email, "buyer.email", profile)
    if buyer.phone and not _PHONE.fullmatch(buyer.phone):
        yield violation(Code.PHONE_FORM, "buyer.phone")
    yield from text.check_length(buyer.phone, text.Field("buyer.phone", "電話", profile.max_phone_chars))
