"""The demo of the portal: the cast, partners, price list, 60 deals, devices, 120 service jobs.

Everything is made through operations with the clock set back, so that every timeline is true.
"""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa

from portal.accounts import operations as accounts
from portal.accounts.models import Role
from portal.accounts.queries import actor_of, user_by_email
from portal.deals.models import Deal, DealState
from portal.deals.operations import drafts, steps
from portal.desk.demo_many import add_many_deals, add_many_partners
from portal.desk.demo_words import CUSTOMERS, PARTNERS, PEOPLE, PROBLEMS, PRODUCTS, RETURNS
from portal.foundation import clock
from portal.foundation.actors import SYSTEM, Actor
from portal.foundation.database import db, transaction
from portal.foundation.errors import Refused
from portal.foundation.seeding import PASSWORD, Sizes
from portal.installed_base import operations as installed_base
from portal.partners import operations as partners
from portal.partners.models import Partner, PartnerState
from portal.products import operations as products
from portal.service_jobs import operations as service_jobs
from portal.service_jobs.models import ServiceJob

DEALS, JOBS, DEVICES = 60, 120, 150
RECENT_JOBS = 24
SEED = 4187


def load(now: datetime) -> None:
    """Load the portal's part of the demo, as it grew until `now`."""
    dice = random.Random(SEED)  # noqa: S311 - the same demo each time
    start = now - timedelta(days=760)
    with clock.at(start), transaction():
        references = _add_partners()
        _add_people(references)
        for sku, name, family, price, months in PRODUCTS:
            products.add_product(
                SYSTEM,
                sku=sku,
                name=name,
                family=family,
                category=family,
                list_price=Decimal(price),
                currency="EUR",
                warranty_months=months,
            )
    _add_deals(dice, now)
    _add_jobs(dice, now)


def load_many(sizes: Sizes) -> dict[str, int]:
    """Add a large set of partners and deals; return how many of each."""
    made: dict[str, int] = {}
    if sizes.partners:
        made["partners"] = add_many_partners(sizes.partners)
    if sizes.deals:
        made["deals"] = add_many_deals(sizes.deals)
    return made


def _add_partners() -> dict[str, int]:
    made = {}
    for reference, name, kind, country, city, domain, zone, latitude, longitude in PARTNERS:
        partner = partners.add_partner(
            SYSTEM,
            reference=reference,
            name=name,
            kind=kind,
            country=country,
            city=city,
            domain=domain,
            zone=zone,
            latitude=latitude,
            longitude=longitude,
            status=PartnerState.ACTIVE,
        )
        made[reference] = partner.id
    return made


def _add_people(partner_ids: dict[str, int]) -> None:
    for email, name, role, partner, language, zone in PEOPLE:
        accounts.create_user(
            SYSTEM,
            email=email,
            name=name,
            roles=[Role(role)],
            password=PASSWORD,
            partner_id=partner_ids.get(partner) if partner else None,
            language=language,
            zone=zone,
        )


def _actor(email: str) -> Actor:
    user = user_by_email(email)
    actor = actor_of(user.id) if user else None
    if actor is None:
        raise LookupError(email)
    return actor


def _add_deals(dice: random.Random, now: datetime) -> None:
    """Register 60 deals over eight months: most decided, some waiting, two in each other's way."""
    channel = _actor("channel@vendor.example")
    sellers = [
        _actor(email)
        for email in ("sales@north.example", "owner@north.example", "owner@harbour.example")
    ]
    for number in range(DEALS):
        name, country, domain, tax_id = CUSTOMERS[number % len(CUSTOMERS)]
        age = 150 - number * 3 if number < DEALS - 12 else (DEALS - number) * 0.15
        begun = now - timedelta(days=age, hours=dice.randint(0, 5))
        seller = sellers[number % len(sellers)]
        lines = [
            {
                "sku": sku,
                "quantity": dice.randint(1, 8),
                "amount": Decimal(dice.randint(8, 900)) * 100,
            }
            for sku, *_rest in dice.sample(PRODUCTS, dice.randint(1, 2))
        ]
        close_on = clock.local_date(begun, "UTC") + timedelta(days=dice.randint(40, 160))
        with clock.at(begun), transaction():
            deal = drafts.register_deal(
                seller,
                customer_name=name,
                customer_country=country,
                customer_domain=domain,
                customer_tax_id=tax_id,
                lines=lines,
                currency="EUR",
                expected_close_on=close_on,
                source="own",
                is_tender=number % 9 == 0,
                evidence=f"Visit on {begun.date().isoformat()}; a quotation was asked for.",
            )
        _take_its_course(dice, number, deal, seller, channel, begun, now)


def _take_its_course(
    dice: random.Random,
    number: int,
    deal: Deal,
    seller: Actor,
    channel: Actor,
    begun: datetime,
    now: datetime,
) -> None:
    def later(**length: float) -> datetime:
        return min(begun + timedelta(**length), now - timedelta(minutes=3))

    if number % 13 == 5:
        return  # stays a draft
    if not _done(later(hours=3), lambda: steps.submit_deal(seller, deal)):
        return
    is_recent = number >= DEALS - 12
    if is_recent and number % 3:
        return  # waits in the queue
    _done(later(hours=5), lambda: steps.review_deal(channel, deal))
    if is_recent:
        return
    decided = later(hours=dice.randint(6, 40))
    if number % 8 == 3:
        reason = dice.choice(RETURNS)
        _done(decided, lambda: steps.return_deal(channel, deal, reason=reason))
        return
    if number % 8 == 6 or not _done(decided, lambda: steps.approve_deal(channel, deal)):
        reason = "The customer is a named account of the vendor."
        _done(decided, lambda: steps.reject_deal(channel, deal, reason=reason))
        return
    if number % 11 == 4:
        _done(later(days=30), lambda: steps.withdraw_deal(seller, deal))
    elif deal.status == DealState.APPROVED and begun + timedelta(days=95) < now:
        _done(begun + timedelta(days=95), lambda: steps.expire_deal(SYSTEM, deal))


def _done(at: datetime, change: Callable[[], object]) -> bool:
    """Make a change as of an instant; return whether the rules allowed it."""
    try:
        with clock.at(at), transaction():
            change()
    except Refused:
        return False
    return True


def _add_jobs(dice: random.Random, now: datetime) -> None:
    """Sell 150 devices in two years, and take 120 of them in for repair."""
    seller_ids = list(db.session.scalars(sa.select(Partner.id).order_by(Partner.id).limit(2)))
    benches = [_actor("bench@fixit.example"), _actor("bench@pacific.example")]
    owners = [("林晓雯", "lin@club.example"), ("Marta Nowak", "marta@club.example")]
    serials: list[tuple[str, str, str]] = []
    with clock.at(now - timedelta(days=755)), transaction():
        for number in range(DEVICES):
            sku, _name, _family, _price, months = PRODUCTS[number % 4]
            owner, email = owners[number % 2] if number % 30 < 2 else _customer(number)
            serial = f"{sku.replace('-', '')[:3]}9-{2200 + number % 70}-{number * 37 % 10_000:05d}"
            sold_on = _sold_on(dice, now, months)
            installed_base.register_device(
                SYSTEM,
                serial=serial,
                sku=sku,
                sold_on=sold_on,
                sold_by_id=seller_ids[number % len(seller_ids)],
                owner_name=owner,
                owner_email=email,
                country="NO",
            )
            serials.append((serial, owner, email))
    for number in range(JOBS):
        serial, owner, email = serials[number]
        is_recent = number >= JOBS - RECENT_JOBS
        age = (JOBS - number) * 0.3 if is_recent else 700 * (1 - number / JOBS) + 1
        begun = now - timedelta(days=age, hours=dice.randint(0, 6))
        bench = benches[0] if number % 5 < 3 else benches[1]
        problem, repair = dice.choice(PROBLEMS)
        with clock.at(begun), transaction():
            job = service_jobs.receive_job(
                bench,
                serial=serial,
                problem=problem,
                customer_name=owner,
                customer_email=email,
                accessories="Power supply",
            )
        _mend(dice, number, job, bench, repair, begun, now)


def _customer(number: int) -> tuple[str, str]:
    name = CUSTOMERS[number % len(CUSTOMERS)][0]
    return name, f"lab{number}@customer.example"


def _sold_on(dice: random.Random, now: datetime, months: int) -> date:
    days = dice.randint(756, 756 + months * 12)
    return clock.local_date(now - timedelta(days=days), "UTC")


def _mend(
    dice: random.Random,
    number: int,
    job: ServiceJob,
    bench: Actor,
    repair: str,
    begun: datetime,
    now: datetime,
) -> None:
    """Take a job as far as its age allows; a few are declined or beyond repair."""
    hours = [dice.randint(2, 30), dice.randint(20, 90), dice.randint(8, 60)]
    at = begun + timedelta(hours=hours[0])
    if at >= now:
        return
    if number % 17 == 9:
        _done(at, lambda: service_jobs.decline_job(bench, job, reason="A new one is cheaper."))
        return
    _done(at, lambda: service_jobs.start_repair(bench, job))
    at += timedelta(hours=hours[1])
    if at >= now:
        return
    if number % 19 == 7:
        _done(at, lambda: service_jobs.give_up_job(bench, job, reason="Main board is corroded."))
        return
    code = f"R{10 + number % 40}"
    _done(at, lambda: service_jobs.ready_job(bench, job, repair_code=code, repair_note=repair))
    at += timedelta(hours=hours[2])
    if at < now:
        _done(at, lambda: service_jobs.close_job(bench, job))
