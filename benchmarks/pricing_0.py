"""A pack of ten tools, of which the benchmark installs copies: `pricing_1`, `pricing_2` and so on.

It has models and descriptions of the usual size, and neither tables nor settings: each tool works its answer out from
its arguments. No role is granted anything here, so that its tools are there for admins alone.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sixty import Arguments, Call, Permissions, Result, Tool, hookimpl, tool

NAME = __name__.rpartition(".")[2]
NUMBER = NAME.rpartition("_")[2]
USE = f"{NAME}:use"

Amount = Annotated[float, Field(ge=0, le=1e9, description="In the organisation's currency.")]
Percent = Annotated[float, Field(ge=0, le=100, description="In percent, from 0 to 100.")]
Months = Annotated[int, Field(ge=1, le=120, description="A number of months.")]


class Priced(Result):
    """An amount that came out."""

    amount: Amount


class Shared(Result):
    """An amount that came out, and what is left of the one that was given."""

    amount: Amount
    rest: Amount


class Discount(Arguments):
    """A discount on a price."""

    price: Amount
    percent: Percent
    rounding: Literal["none", "whole", "ninety_nine"] = "none"


class Taxed(Arguments):
    """A price and its tax."""

    price: Amount
    percent: Percent
    included: bool = Field(default=False, description="Whether the price contains the tax already.")


class Margin(Arguments):
    """What is left of a price."""

    cost: Amount
    percent: Annotated[float, Field(ge=0, lt=100, description="Of the price, and not of the cost.")]


class Split(Arguments):
    """A party's share of an amount."""

    amount: Amount
    percent: Percent
    party: Literal["seller", "partner", "referrer"] = "seller"


class Term(Arguments):
    """What is paid for how long."""

    monthly: Amount
    months: Months = 12
    setup: Amount = 0


class Instalments(Arguments):
    """An amount to be paid month by month."""

    amount: Amount
    months: Months
    percent_per_year: Percent = 0


class Weighted(Arguments):
    """A value that is not certain."""

    value: Amount
    probability: Percent


class BreakEven(Arguments):
    """What is paid whether anything is sold or not, and for each piece."""

    fixed_costs: Amount
    price: Annotated[float, Field(gt=0, le=1e9)]
    cost: Amount = 0


class Converted(Arguments):
    """An amount in another currency."""

    amount: Amount
    rate: Annotated[float, Field(gt=0, le=1e6, description="What one unit of the source costs in the target.")]
    target: Annotated[str, Field(pattern="^[A-Z]{3}$", description="The code of a currency, such as EUR.")]


class Tiers(Arguments):
    """A quantity of which a part is cheaper."""

    quantity: Annotated[int, Field(ge=1, le=1_000_000)]
    price: Amount
    from_quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    percent: Percent = 10


@tool(f"discount_price_{NUMBER}", permission=USE, effect="read")
async def discount_price(args: Discount, call: Call) -> Priced:  # noqa: ARG001 - it needs nothing of the call
    """Take a discount off a price. Say how to round; prices are left as they come out otherwise."""
    amount = args.price * (1 - args.percent / 100)
    if args.rounding != "none":
        amount = round(amount) - (0.01 if args.rounding == "ninety_nine" and amount >= 1 else 0)
    return priced(amount, "with the discount")


@tool(f"tax_price_{NUMBER}", permission=USE, effect="read")
async def tax_price(args: Taxed, call: Call) -> Shared:  # noqa: ARG001 - as above
    """Work out the tax on a price, on top of it or contained in it. `rest` is the price without the tax."""
    net = args.price / (1 + args.percent / 100) if args.included else args.price
    return shared(net * args.percent / 100, net, "of tax")


@tool(f"price_for_margin_{NUMBER}", permission=USE, effect="read")
async def price_for_margin(args: Margin, call: Call) -> Priced:  # noqa: ARG001 - as above
    """Find the price that leaves a margin over what something costs."""
    return priced(args.cost / (1 - args.percent / 100), "for that margin")


@tool(f"split_commission_{NUMBER}", permission=USE, effect="read")
async def split_commission(args: Split, call: Call) -> Shared:  # noqa: ARG001 - as above
    """Split a commission between a party and the house. `rest` is what the house keeps."""
    amount = args.amount * args.percent / 100
    return shared(amount, args.amount - amount, f"for the {args.party}")


@tool(f"contract_value_{NUMBER}", permission=USE, effect="read")
async def contract_value(args: Term, call: Call) -> Priced:  # noqa: ARG001 - as above
    """Work out what a contract is worth over its term, with what is paid once at its beginning."""
    return priced(args.monthly * args.months + args.setup, f"over {args.months} months")


@tool(f"plan_instalments_{NUMBER}", permission=USE, effect="read")
async def plan_instalments(args: Instalments, call: Call) -> Shared:  # noqa: ARG001 - as above
    """Spread an amount over equal monthly instalments, with interest. `rest` is the interest that it costs in all."""
    rate = args.percent_per_year / 1200
    amount = args.amount * rate / (1 - (1 + rate) ** -args.months) if rate else args.amount / args.months
    return shared(amount, max(0.0, amount * args.months - args.amount), "each month")


@tool(f"weigh_value_{NUMBER}", permission=USE, effect="read")
async def weigh_value(args: Weighted, call: Call) -> Priced:  # noqa: ARG001 - as above
    """Weigh what a deal is worth with how probable it is."""
    return priced(args.value * args.probability / 100, "to be expected")


@tool(f"break_even_{NUMBER}", permission=USE, effect="read")
async def break_even(args: BreakEven, call: Call) -> Priced:  # noqa: ARG001 - as above
    """Find the turnover at which fixed costs are covered, from the price and the cost of one piece."""
    share = max(0.0, args.price - args.cost) / args.price
    return priced(args.fixed_costs / share if share else 0.0, "to break even")


@tool(f"convert_amount_{NUMBER}", permission=USE, effect="read")
async def convert_amount(args: Converted, call: Call) -> Priced:  # noqa: ARG001 - as above
    """Convert an amount into another currency at a rate that you know already."""
    return priced(args.amount * args.rate, args.target)


@tool(f"tier_price_{NUMBER}", permission=USE, effect="read")
async def tier_price(args: Tiers, call: Call) -> Priced:  # noqa: ARG001 - as above
    """Price a quantity, of which everything from some piece on is cheaper."""
    full = min(args.quantity, args.from_quantity - 1)
    reduced = (args.quantity - full) * (1 - args.percent / 100)
    return priced(args.price * (full + reduced), f"for {args.quantity} pieces")


TOOLS = (
    discount_price,
    tax_price,
    price_for_margin,
    split_commission,
    contract_value,
    plan_instalments,
    weigh_value,
    break_even,
    convert_amount,
    tier_price,
)


@hookimpl
def sixty_tools() -> tuple[Tool, ...]:
    """All ten."""
    return TOOLS


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    """One for all of them."""
    return (Permissions(NAME, actions={"use": "Work out prices"}),)


def priced(amount: float, what: str) -> Priced:
    """The amount, and a sentence about it."""
    return Priced(message=f"It is {amount:,.2f} {what}.", amount=round(amount, 2))


def shared(amount: float, rest: float, what: str) -> Shared:
    """The amount and the rest, and a sentence about both."""
    return Shared(
        message=f"It is {amount:,.2f} {what}; {rest:,.2f} are left.", amount=round(amount, 2), rest=round(rest, 2)
    )
