"""Which lines a refund takes from: worked examples, and every way a wish can be wrong."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from einvoice.errors import InvalidRequest
from einvoice.model import Buyer, CustomsMark, Line, Order, TaxType
from einvoice.rules import allocation
from einvoice.rules.allocation import RefundCode, Taken, Wanted, WantedLine, allocate, allocate_rest, taken_from
from einvoice.rules.allowance_tax import allowance_tax, cumulative_tax

D = Decimal
T, Z, E, S = TaxType.TAXABLE, TaxType.ZERO_RATED, TaxType.EXEMPT, TaxType.SPECIAL


def item(name, quantity, price, amount=None, kind=None, unit="件"):
    """An invoice line; the amount is worked out unless the price has odd cents."""
    quantity, price = D(quantity), D(price)
    return Line(name, quantity, price, int(quantity * price) if amount is None else amount, unit, kind)


def order(*lines, tax_type=T):
    """An order of these lines."""
    return Order(Buyer(), lines, sum(line.amount_twd for line in lines), tax_type)


SHIRT, SHOES, SHIP = item("T恤", 3, 350), item("鞋", 1, 900), item("運費", 1, 100, unit="式")
PLAIN = order(SHIRT, SHOES, SHIP)
COUPON = order(SHIRT, SHOES, SHIP, item("九折", 1, -205))  # of 2050
ODD = order(item("貼紙", 3, "33.33", 100), SHIP)
MIXED = order(
    replace(SHIRT, tax_type=T),
    item("鮮魚", 2, 200, kind=E),
    item("魚券", 1, -40, kind=E),
    replace(SHIP, tax_type=T),
    tax_type=TaxType.MIXED,
)


def told(lines):
    """Allowance lines as (line, name, quantity, price, amount)."""
    return [(line.line, line.name, line.quantity, line.unit_price_twd, line.amount_twd) for line in lines]


def billed(lines):
    """Invoice lines as (name, quantity, price, amount)."""
    return [(line.name, line.quantity, line.unit_price_twd, line.amount_twd) for line in lines]


def refused(wanted, of=PLAIN, taken=()):
    """Codes and paths of a refused wish."""
    with pytest.raises(InvalidRequest) as caught:
        allocate(of, taken, wanted)
    assert all(one.message.endswith("。") and "{" not in one.message for one in caught.value.violations)
    return [f"{one.code} {one.path}" for one in caught.value.violations]


def pieces(line, quantity):
    """A wish for pieces of one line."""
    return Wanted(lines=(WantedLine(line, quantity=D(quantity)),))


def money(line, amount):
    """A wish for money of one line."""
    return Wanted(lines=(WantedLine(line, amount_twd=amount),))


# what was paid for each line


@pytest.mark.parametrize(
    ("of", "net"),
    [
        (PLAIN, (1050, 900, 100)),
        (COUPON, (945, 810, 90, 0)),
        (ODD, (100, 100)),
        (MIXED, (1050, 360, 0, 100)),  # the fish's coupon lowers the fish alone
        (order(SHOES, item("點數折抵", 1, -1), SHIP), (899, 0, 100)),
        (order(item("甲", 1, 1), item("乙", 1, 1), item("丙", 1, 1), item("點數", 1, -2)), (1, 0, 0, 0)),
        (order(SHOES, item("贈品", 1, 0), item("點數", 2, -50)), (800, 0, 0)),
        (order(SHOES, item("券", 1, -100), item("點數", 1, -800), SHIP), (90, 0, 0, 10)),
    ],
)
def test_discounts_lower_what_was_paid_for_every_line_of_their_tax_type(of, net):
    """In proportion, by largest remainder, to the dollar."""
    assert allocation.net_lines(of) == net
    assert sum(net) == of.total_twd


def test_a_discount_greater_than_its_tax_type_is_no_invoice():
    """Such an order was never issued."""
    with pytest.raises(ValueError, match="spread"):
        allocation.net_lines(replace(MIXED, lines=(replace(SHIRT, tax_type=T), item("魚券", 1, -40, kind=E))))


# from a wish to lines


def test_an_amount_is_spread_over_what_is_left_of_every_line():
    """137 of 2050: no piece comes back, and the name says so."""
    assert told(allocate(PLAIN, (), Wanted(amount_twd=137))) == [
        (1, "T恤（部分金額）", 1, 70, 70),
        (2, "鞋（部分金額）", 1, 60, 60),
        (3, "運費（部分金額）", 1, 7, 7),
    ]
    assert told(allocate(PLAIN, (Taken(1, 1050, D(3)),), Wanted(amount_twd=100))) == [
        (2, "鞋（部分金額）", 1, 90, 90),
        (3, "運費（部分金額）", 1, 10, 10),
    ]


def test_lines_that_get_nothing_are_left_out():
    """A refund of one dollar is one line."""
    assert told(allocate(PLAIN, (), Wanted(amount_twd=1))) == [(1, "T恤（部分金額）", 1, 1, 1)]


def test_pieces_give_back_what_was_paid_for_them():
    """Two shirts at ten percent off, and half the shipping."""
    wanted = Wanted(lines=(WantedLine(1, quantity=D(2)), WantedLine(3, amount_twd=45)))
    assert told(allocate(COUPON, (), wanted)) == [(1, "T恤", 2, 315, 630), (3, "運費（部分金額）", 1, 45, 45)]


def test_pieces_that_cost_no_whole_dollar_are_a_lump_sum():
    """Three stickers for 100, one after the other: 33, 34 and 33; a piece alone needs no note."""
    taken, amounts = (), []
    for _ in range(3):
        lines = allocate(ODD, taken, pieces(1, 1))
        taken += taken_from(lines)
        amounts += [line.amount_twd for line in lines]
    assert amounts == [33, 34, 33]
    assert told(allocate(ODD, (), pieces(1, 2))) == [(1, "貼紙（2件）", 1, 67, 67)]
    assert taken_from(allocate(ODD, (), pieces(1, 2))) == (Taken(1, 67, D(2)),)


def test_a_thousand_cheap_pieces_cost_what_they_cost():
    """Rounding does not run away: after any number of single returns the sum is the share to the dollar."""
    many, total, taken = order(item("螺絲", 500, "1.43", 715)), 0, ()
    for count in range(1, 501):
        (line,) = allocate(many, taken, pieces(1, 1))
        total += line.amount_twd
        taken = (Taken(1, total, D(count)),)
        assert abs(total - D("1.43") * count) <= D("0.5")
    assert total == 715


def test_parts_of_a_piece_and_half_the_price():
    """Sold by weight."""
    fish = order(item("魚", "1.5", 200, unit="公斤"))
    assert told(allocate(fish, (), pieces(1, "0.5"))) == [(1, "魚", D("0.5"), 200, 100)]
    assert told(allocate(fish, (), pieces(1, "0.7"))) == [(1, "魚", D("0.7"), 200, 140)]
    assert told(allocate(fish, (), pieces(1, "0.333"))) == [(1, "魚（0.333件）", 1, 67, 67)]


def test_a_line_wanted_twice_finds_what_the_first_wish_left():
    """One piece and ten dollars more; but not four of three."""
    wanted = Wanted(lines=(WantedLine(1, quantity=D(1)), WantedLine(1, amount_twd=10)))
    assert [line.amount_twd for line in allocate(PLAIN, (), wanted)] == [350, 10]
    twice = Wanted(lines=(WantedLine(1, quantity=D(2)), WantedLine(1, quantity=D(2))))
    assert refused(twice) == ["EXCEEDS_QUANTITY refund.lines[1].quantity"]


def test_the_platforms_sum_counts_only_what_is_new():
    """Told again, or told less, it does nothing."""
    wanted = Wanted(refunded_total_twd=500)
    assert sum(line.amount_twd for line in allocate(PLAIN, (), wanted)) == 500
    assert sum(line.amount_twd for line in allocate(PLAIN, (), wanted, refunded_so_far_twd=363)) == 137
    assert allocate(PLAIN, (), wanted, refunded_so_far_twd=500) == ()
    assert allocate(PLAIN, (), wanted, refunded_so_far_twd=501) == ()


def test_everything_left_comes_back_as_it_was_sold():
    """Whole pieces where the price allows it, and then nothing is left."""
    assert told(allocate_rest(COUPON, ())) == [(1, "T恤", 3, 315, 945), (2, "鞋", 1, 810, 810), (3, "運費", 1, 90, 90)]
    first = allocate(COUPON, (), Wanted(amount_twd=200))
    rest = allocate_rest(COUPON, taken_from(first))
    assert sum(line.amount_twd for line in rest) == COUPON.total_twd - 200
    assert allocate_rest(COUPON, taken_from(first + rest)) == ()
    assert allocate(COUPON, (), Wanted(amount_twd=COUPON.total_twd)) == allocate_rest(COUPON, ())


def test_after_a_price_reduction_the_last_pieces_take_what_is_left():
    """100 off three shirts of 1050: all three give back 950, one gives 350."""
    taken = taken_from(allocate(PLAIN, (), money(1, 100)))
    assert taken == (Taken(1, 100),)
    assert told(allocate(PLAIN, taken, pieces(1, 3))) == [(1, "T恤（3件）", 1, 950, 950)]
    assert told(allocate(PLAIN, taken, pieces(1, 1))) == [(1, "T恤", 1, 350, 350)]
    assert refused(pieces(1, 2), taken=(Taken(1, 400),)) == ["EXCEEDS_LINE refund.lines[0].quantity"]


def test_a_void_allowance_leaves_room_for_its_pieces_again():
    """Seven for 10, the dearer ones refunded, a cheap one voided: a missing dollar refuses no piece."""
    seven = order(item("糖", 7, "1.43", 10))
    taken = (Taken(1, 2, D(1)), Taken(1, 2, D(1)), Taken(1, 2, D(1)))
    amounts = []
    for _ in range(3):
        lines = allocate(seven, taken, pieces(1, 1))
        taken += taken_from(lines)
        amounts += [line.amount_twd for line in lines]
    assert amounts == [2, 1, 1]
    assert allocate_rest(seven, taken) == ()


def test_a_mixed_invoice_keeps_each_lines_tax_type_and_any_other_the_orders():
    """Special tax stays special."""
    assert [line.tax_type for line in allocate(MIXED, (), Wanted(amount_twd=500))] == [T, E, T]
    for kind in (T, Z, E, S):
        assert {line.tax_type for line in allocate_rest(replace(PLAIN, tax_type=kind), ())} == {kind}


@pytest.mark.parametrize("name", ["襪子（2件）", "襪子（部分金額）", "襪子（0.5件）", "襪子（2件）（3件）"])
def test_a_name_that_looks_like_a_note_is_never_read_as_one(name):
    """What was taken can be read back from the lines, whatever the goods are called."""
    of = order(item(name, 3, 50))
    for wanted, expected in (
        (pieces(1, 1), Taken(1, 50, D(1))),
        (pieces(1, 3), Taken(1, 150, D(3))),
        (money(1, 50), Taken(1, 50)),
    ):
        assert taken_from(allocate(of, (), wanted)) == (expected,)


def test_a_name_is_cut_to_make_room_for_its_note():
    """500 characters as .NET counts them, and the note is whole."""
    for name in ("長" * 500, "😀" * 250, "長" + "😀" * 249):
        (line,) = allocate(order(item(name, 3, "33.33", 100)), (), pieces(1, 2))
        assert len(line.name.encode("utf-16-le")) // 2 <= 500
        assert line.name.endswith("（2件）")


# what is refused

BAD = [
    (Wanted(), ["ONE_WAY refund"]),
    (Wanted(amount_twd=1, refunded_total_twd=1), ["ONE_WAY refund"]),
    (Wanted(amount_twd=1, lines=(WantedLine(1, amount_twd=1),)), ["ONE_WAY refund"]),
    (Wanted(amount_twd=0), ["BAD_AMOUNT refund.amount_twd"]),
    (Wanted(amount_twd=-1), ["BAD_AMOUNT refund.amount_twd"]),
    (Wanted(amount_twd=1846), ["EXCEEDS_REMAINING refund.amount_twd"]),
    (Wanted(refunded_total_twd=1846), ["EXCEEDS_REMAINING refund.refunded_total_twd"]),
    (money(1, 0), ["BAD_AMOUNT refund.lines[0].amount_twd"]),
    (money(3, 91), ["EXCEEDS_LINE refund.lines[0].amount_twd"]),
    (money(4, 1), ["DISCOUNT_LINE refund.lines[0].line"]),
    (money(0, 1), ["NO_SUCH_LINE refund.lines[0].line"]),
    (money(-1, 1), ["NO_SUCH_LINE refund.lines[0].line"]),
    (pieces(6, 1), ["NO_SUCH_LINE refund.lines[0].line"]),
    (pieces(1, 4), ["EXCEEDS_QUANTITY refund.lines[0].quantity"]),
    (pieces(1, "1E+999999"), ["EXCEEDS_QUANTITY refund.lines[0].quantity"]),
    *(
        (pieces(1, quantity), ["BAD_QUANTITY refund.lines[0].quantity"])
        for quantity in ("0", "-1", "NaN", "sNaN", "Infinity", "1E-8", "1E-999999")
    ),
    (pieces(5, 1), ["BAD_AMOUNT refund.lines"]),  # only the gift comes back
    (Wanted(lines=(WantedLine(1),)), ["ONE_WAY refund.lines[0]"]),
    (Wanted(lines=(WantedLine(1, D(1), 1),)), ["ONE_WAY refund.lines[0]"]),
    (
        Wanted(lines=(WantedLine(9), WantedLine(4, D(0)), WantedLine(1, amount_twd=1), WantedLine(2, D(2)))),
        [
            "NO_SUCH_LINE refund.lines[0].line",
            "ONE_WAY refund.lines[0]",
            "DISCOUNT_LINE refund.lines[1].line",
            "BAD_QUANTITY refund.lines[1].quantity",
            "EXCEEDS_QUANTITY refund.lines[3].quantity",
        ],
    ),
]


@pytest.mark.parametrize(("wanted", "expected"), BAD)
def test_every_violation_is_named_where_it_is(wanted, expected):
    """Exactly these codes at exactly these paths."""
    assert refused(wanted, order(*COUPON.lines, item("贈品", 1, 0))) == expected


def test_every_code_is_proved_by_a_wish_here():
    """No code exists that no wish can cause."""
    assert {code.name for code in RefundCode} == {entry.split()[0] for _, found in BAD for entry in found}


def test_a_gift_beside_goods_is_just_left_out():
    """A platform lists it among what came back."""
    wanted = Wanted(lines=(WantedLine(1, quantity=D(1)), WantedLine(2, quantity=D(1))))
    assert told(allocate(order(SHOES, item("贈品", 1, 0)), (), wanted)) == [(1, "鞋", 1, 900, 900)]


@pytest.mark.parametrize("taken", [Taken(4, 1), Taken(0, 1), Taken(2, 901), Taken(2, -1)])
def test_a_ledger_that_does_not_fit_the_invoice_is_an_error(taken):
    """It is never quietly taken for less."""
    with pytest.raises(ValueError, match="line"):
        allocate_rest(PLAIN, (taken,))


# what a new invoice bills


def test_with_nothing_refunded_the_order_is_billed_as_it_was():
    """Line by line."""
    for of in (PLAIN, COUPON, ODD, MIXED):
        assert allocation.rest_of(of, ()) == of.lines
        assert allocation.rest_order(of, ()) == of


def test_what_was_refunded_is_gone_with_its_discount():
    """The shirts went back; shoes and shipping keep their price and their part of the coupon."""
    rest = allocation.rest_of(COUPON, (Taken(1, 945, D(3)),))
    assert billed(rest) == [("鞋", 1, 900, 900), ("運費", 1, 100, 100), ("九折", 1, -100, -100)]


def test_pieces_that_stayed_keep_their_price():
    """One shirt of three stayed."""
    rest = allocation.rest_of(COUPON, taken_from(allocate(COUPON, (), pieces(1, 2))))
    assert billed(rest)[0] == ("T恤", 1, 350, 350)
    assert billed(rest)[-1] == ("九折", 1, -135, -135)


def test_a_price_reduction_lowers_the_price():
    """In whole dollars, or as a lump sum."""
    rest = allocation.rest_of(PLAIN, (Taken(1, 150), Taken(2, 100)))
    assert billed(rest) == [("T恤", 3, 300, 900), ("鞋", 1, 800, 800), ("運費", 1, 100, 100)]
    assert billed(allocation.rest_of(PLAIN, (Taken(1, 100),)))[0] == ("T恤（3件）", 1, 950, 950)


def test_odd_cents_stay_as_they_are_where_they_close():
    """Two of three stickers at 33.33 are 67."""
    assert billed(allocation.rest_of(ODD, (Taken(1, 33, D(1)),)))[0] == ("貼紙", 2, D("33.33"), 67)


def test_a_gift_stays_beside_what_is_left():
    """It was given with the goods that were kept."""
    gift = item("贈品", 1, 0)
    assert allocation.rest_of(order(SHIRT, SHOES, gift), (Taken(1, 1050, D(3)),)) == (SHOES, gift)


def test_a_discount_that_belonged_to_refunded_goods_alone_is_gone():
    """The sticker of one dollar bore no dollar of it."""
    sticker = item("貼紙", 1, 1)
    of = order(item("外套", 1, 1000), sticker, item("折價券", 1, -10))
    assert allocation.rest_of(of, (Taken(1, 990, D(1)),)) == (sticker,)


def test_a_price_that_no_longer_closes_becomes_a_lump_sum():
    """Three at 1.17 were 4; one gave back 1, and the two left are 3, though 2.34 would round to 2."""
    of = order(item("貼紙", 3, "1.17", 4), SHOES, item("券", 1, -1))
    taken = (Taken(1, 1, D(1)), Taken(2, 899, D(1)))
    assert billed(allocation.rest_of(of, taken)) == [("貼紙（2件）", 1, 3, 3)]


def test_a_tax_type_that_is_gone_leaves_an_invoice_of_one_kind():
    """No mixed invoice of one kind, no gift without its goods, no customs mark without an export."""
    of = replace(
        order(
            replace(SHIRT, tax_type=T),
            item("外銷品", 1, 500, kind=Z),
            item("贈品", 1, 0, kind=Z),
            tax_type=TaxType.MIXED,
        ),
        customs_mark=CustomsMark.VIA_CUSTOMS,
        zero_rate_reason="71",
    )
    only_taxable = allocation.rest_order(of, (Taken(2, 500, D(1)),))
    assert only_taxable == replace(
        of, tax_type=T, lines=(SHIRT,), total_twd=1050, customs_mark=None, zero_rate_reason=""
    )
    only_exported = allocation.rest_order(of, (Taken(1, 1050, D(3)),))
    assert (only_exported.tax_type, only_exported.total_twd, only_exported.customs_mark, len(only_exported.lines)) == (
        Z,
        500,
        CustomsMark.VIA_CUSTOMS,
        2,
    )


def test_nothing_left_is_nothing_to_bill():
    """No lines, no total."""
    rest = allocation.rest_order(COUPON, taken_from(allocate_rest(COUPON, ())))
    assert (rest.lines, rest.total_twd) == ((), 0)


# tax


def test_the_tax_of_all_allowances_closes_to_the_invoices():
    """1050 in three of 350: 17, 16, 17; each by itself would be 51."""
    assert [cumulative_tax(1050, earlier, 350) for earlier in (0, 350, 700)] == [17, 16, 17]


def test_after_a_void_the_tax_that_was_said_counts():
    """Of 17, 16, 17 the second is void; the next must be 16 again, not 17."""
    assert cumulative_tax(1050, 700, 350) == 17
    assert cumulative_tax(1050, 700, 350, earlier_tax_twd=34) == 16


def test_tax_is_never_negative_nor_more_than_the_amount():
    """Whatever the allowances before it said."""
    assert cumulative_tax(100, 98, 1, earlier_tax_twd=5) == 0
    assert cumulative_tax(100, 98, 1, earlier_tax_twd=0) == 1


def test_only_taxable_lines_carry_tax():
    """1050 + 100 taxable of a mixed invoice; nothing of any other kind."""
    assert allowance_tax(MIXED, (), allocate_rest(MIXED, ())) == 55
    assert allowance_tax(MIXED, (), allocate(MIXED, (), money(2, 360))) == 0
    for kind in (Z, E, S):
        of = replace(PLAIN, tax_type=kind)
        assert allowance_tax(of, (), allocate_rest(of, ())) == 0
    assert cumulative_tax(1050, 0, 1050, taxable=False) == 0


@pytest.mark.parametrize(("earlier", "amount"), [(0, 1051), (1050, 1), (-1, 1), (1, -1)])
def test_tax_of_more_than_the_invoice_is_an_error(earlier, amount):
    """It is never quietly worked out."""
    with pytest.raises(ValueError, match="1050"):
        cumulative_tax(1050, earlier, amount)
