"""A deal from the draft to its end."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.customers.models import Customer
from portal.deals import queries
from portal.deals.errors import DealConflict, DealLocked, NotADraft, NotSubmittable
from portal.deals.models import Deal, DealLine, DealState
from portal.deals.operations import drafts, steps
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.errors import NotFound, Refused, WrongState
from portal.foundation.facts import StoredFact
from portal.foundation.mail.models import MailMessage
from portal.foundation.settings import change_setting
from portal.partners.operations import suspend_partner
from tests.factories import deals, partners, products


@pytest.fixture(autouse=True)
def november(context, clock):
    """The day of the pictures."""
    clock.set("2026-11-23T09:00Z")
    products.price_list()


@pytest.fixture
def north():
    return partners.north()


@pytest.fixture
def harbour():
    return partners.harbour()


@pytest.fixture
def manager():
    return partners.channel_manager()


def mails() -> list[tuple[str, str]]:
    select = sa.select(MailMessage.kind, MailMessage.to_address).order_by(MailMessage.id)
    return [(kind, address) for kind, address in db.session.execute(select)]


def facts() -> list[str]:
    return list(db.session.scalars(sa.select(StoredFact.name).order_by(StoredFact.id)))


def test_a_draft_is_saved_with_nothing(north):
    with transaction():
        deal = drafts.register_deal(north)
    assert deal.status is DealState.DRAFT
    assert deal.reference == f"D-2026-{deal.id:05d}"
    assert deal.partner_id == north.tenant_id
    assert facts() == ["deals.deal_registered"]


def test_submitting_names_everything_that_is_missing_at_once(north):
    with transaction():
        deal = drafts.register_deal(
            north, customer_domain="not a domain", expected_close_on=date(2026, 11, 22)
        )
    with pytest.raises(NotSubmittable) as refusal, transaction():
        steps.submit_deal(north, deal)
    assert set(refusal.value.fields) == {
        "customer_name",
        "customer_country",
        "customer_domain",
        "lines",
        "expected_close_on",
    }
    assert deal.status is DealState.DRAFT


@pytest.mark.parametrize(
    "line",
    [
        {"sku": "NO-SUCH", "quantity": 1, "amount": Decimal(5)},
        {"sku": "HX-900", "quantity": 1, "amount": Decimal(0)},
        {"sku": None, "quantity": 1, "amount": Decimal(5)},
    ],
)
def test_a_line_needs_a_known_product_and_an_amount(north, line):
    deal = deals.draft(north, lines=[line])
    with pytest.raises(NotSubmittable) as refusal, transaction():
        steps.submit_deal(north, deal)
    assert list(refusal.value.fields) == ["lines"]


def test_evidence_is_needed_where_the_setting_says_so(north, manager):
    deal = deals.draft(north, evidence=None)
    with transaction():
        change_setting(manager, name="deals.evidence_required", value=True)
    with pytest.raises(NotSubmittable) as refusal, transaction():
        steps.submit_deal(north, deal)
    assert list(refusal.value.fields) == ["evidence"]


def test_a_product_may_be_named_by_its_family(north):
    lines = [{"sku": "spectrometers", "quantity": 1, "amount": Decimal(5)}]
    deal = deals.submitted(north, lines=lines)
    line = deal.lines[0]
    assert (line.sku, line.family, line.family_key) == (None, "Spectrometers", "spectrometers")


def test_submission_finds_the_customer_and_tells_the_channel_managers(north, manager):
    deal = deals.submitted(north)
    customer = db.session.get_one(Customer, deal.customer_id)
    assert (customer.name, customer.tax_key) == ("Statkraft AS", "987059699")
    assert deal.submitted_at == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert deal.decide_by_at == datetime(2026, 11, 25, 9, tzinfo=UTC)
    assert mails() == [("deals/submitted", "channel@vendor.example")]
    assert facts() == ["deals.deal_registered", "deals.deal_submitted"]


def test_two_deals_of_one_customer_know_it_as_one(north):
    first = deals.submitted(north)
    other = [{"sku": "PT-40", "quantity": 1, "amount": Decimal(5)}]
    second = deals.submitted(
        north, customer_name="STATKRAFT", customer_tax_id=None, customer_domain=None, lines=other
    )
    assert first.customer_id == second.customer_id
    assert db.session.scalar(sa.select(sa.func.count(Customer.id))) == 1


def test_after_submission_nothing_of_it_changes(north):
    deal = deals.submitted(north)
    with pytest.raises(DealLocked), transaction():
        drafts.change_deal(north, deal, customer_name="Equinor ASA")
    assert deal.customer_name == "Statkraft AS"


def test_a_changed_draft_counts_its_versions_and_compares_anew(north):
    deal = deals.draft(north)
    before = deal.version
    lines = [{"sku": "PT-40", "quantity": 2, "amount": Decimal("12.50")}]
    with transaction():
        drafts.change_deal(north, deal, **deals.STATKRAFT | {"lines": lines})
    assert deal.version > before
    assert deal.amount == Decimal("12.50")
    assert db.session.scalars(sa.select(DealLine.sku)).all() == ["PT-40"]


def test_approval_protects_to_the_end_of_the_local_day(north, manager):
    deal = deals.approved(north, manager)
    assert deal.status is DealState.APPROVED
    assert deal.protection_days == 90
    assert deal.protected_until == date(2027, 2, 21)
    assert deal.protection_ends_at == datetime(2027, 2, 21, 23, tzinfo=UTC)  # midnight in Oslo
    assert mails()[-1] == ("deals/approved", "sales@north.example")


def test_the_local_day_is_the_vendors(north, manager, clock):
    deal = deals.submitted(north)
    clock.set("2026-11-23T23:30Z")  # already the 24th in Oslo
    with transaction():
        steps.approve_deal(manager, deal)
    assert deal.protected_until == date(2027, 2, 22)


def test_protection_is_as_long_as_the_setting_said_at_approval(north, manager):
    with transaction():
        change_setting(manager, name="deals.protection_days", value=30)
    deal = deals.approved(north, manager)
    with transaction():
        change_setting(manager, name="deals.protection_days", value=60)
    assert (deal.protection_days, deal.protected_until) == (30, date(2026, 12, 23))


def test_a_protected_deal_blocks_another_partners(north, harbour, manager):
    first = deals.approved(north, manager)
    second = deals.submitted(harbour, customer_name="Statkraft A/S", customer_tax_id=None)
    assert second.has_conflict
    assert queries.notice_of(second) == "possible_conflict"
    with pytest.raises(DealConflict) as refusal, transaction():
        steps.approve_deal(manager, second)
    assert first.reference in str(refusal.value)
    assert refusal.value.extra == {"deals": [first.reference]}
    assert second.status is DealState.SUBMITTED


def test_of_twins_the_later_waits_for_the_earlier(north, harbour, manager, clock):
    first = deals.submitted(north)
    clock.advance(minutes=1)
    second = deals.submitted(harbour)
    with pytest.raises(DealConflict), transaction():
        steps.approve_deal(manager, second)
    with transaction():
        steps.approve_deal(manager, first)
    with pytest.raises(DealConflict), transaction():
        steps.approve_deal(manager, second)


def test_twins_of_one_moment_are_told_apart_by_their_keys(north, harbour, manager):
    first, second = deals.submitted(north), deals.submitted(harbour)
    assert first.submitted_at == second.submitted_at
    with pytest.raises(DealConflict), transaction():
        steps.approve_deal(manager, second)
    with transaction():
        steps.approve_deal(manager, first)


@pytest.mark.parametrize("way", ["rejected", "returned", "withdrawn"])
def test_a_twin_that_is_no_longer_eligible_blocks_nobody(north, harbour, manager, way):
    first, second = deals.submitted(north), deals.submitted(harbour)
    with transaction():
        if way == "rejected":
            steps.reject_deal(manager, first, reason="No.")
        elif way == "returned":
            steps.return_deal(manager, first, reason="Which site?")
        else:
            steps.withdraw_deal(north, first)
    with transaction():
        steps.approve_deal(manager, second)
    assert second.status is DealState.APPROVED


def test_an_expired_protection_blocks_nobody_even_before_the_job_ran(
    north, harbour, manager, clock
):
    deals.approved(north, manager)
    clock.set("2027-02-21T23:00Z")
    second = deals.submitted(harbour)
    assert not second.has_conflict
    with transaction():
        steps.approve_deal(manager, second)


def test_other_families_at_one_customer_may_coexist(north, harbour, manager):
    deals.approved(north, manager)
    lines = [{"family": "Probes", "quantity": 1, "amount": Decimal(5)}]
    assert not deals.approved(harbour, manager, lines=lines).has_conflict


def test_a_returned_deal_keeps_its_place_and_goes_back_into_review(north, manager, clock):
    deal = deals.returned(north, manager)
    assert deal.reason == "Which site is it for?"
    place = deal.submitted_at
    clock.advance(days=1)
    with transaction():
        drafts.answer_reviewer(
            north, deal, evidence="For Alta.", expected_close_on=date(2027, 3, 31)
        )
        steps.submit_deal(north, deal)
    assert deal.status is DealState.IN_REVIEW
    assert (deal.submitted_at, deal.reason) == (place, None)
    assert [kind for kind, _ in mails()].count("deals/submitted") == 2


def test_a_rejected_deal_cannot_be_approved(north, manager):
    deal = deals.submitted(north)
    with transaction():
        steps.reject_deal(manager, deal, reason="Named account.")
    with pytest.raises(WrongState), transaction():
        steps.approve_deal(manager, deal)
    assert mails()[-1] == ("deals/rejected", "sales@north.example")


@pytest.mark.parametrize("step", ["review_deal", "approve_deal", "withdraw_deal", "expire_deal"])
def test_a_draft_takes_no_other_step(north, step):
    deal = deals.draft(north)
    with pytest.raises(WrongState), transaction():
        getattr(steps, step)(north, deal)


def test_only_drafts_are_deleted(north):
    deal = deals.draft(north)
    with transaction():
        drafts.delete_draft(north, deal)
    assert db.session.scalars(sa.select(Deal.id)).all() == []
    assert db.session.scalars(sa.select(DealLine.id)).all() == []
    kept = deals.submitted(north)
    with pytest.raises(NotADraft), transaction():
        drafts.delete_draft(north, kept)


def test_a_deal_is_for_ones_own_partner_alone(north, harbour, manager):
    with pytest.raises(Refused) as refusal, transaction():
        drafts.register_deal(north, partner="HARBOUR")
    assert refusal.value.field == "partner"
    with pytest.raises(Refused), transaction():
        drafts.register_deal(manager)
    with transaction():
        deal = drafts.register_deal(manager, partner="HARBOUR")
    assert deal.partner_id == harbour.tenant_id


def test_a_suspended_partner_gets_no_new_deals(north, manager):
    owner = queries.partner_of(deals.draft(north))
    with transaction():
        suspend_partner(manager, owner, reason="Unpaid.")
    with pytest.raises(Refused), transaction():
        drafts.register_deal(manager, partner="NORTH")


def test_a_reference_that_a_file_brought_is_not_given_twice(north):
    taken = deals.draft(north)
    with transaction():
        taken.reference = f"D-2026-{taken.id + 1:05d}"
    assert deals.draft(north).reference == f"D-2026-{taken.id + 1:05d}-2"


def test_who_registered_is_told_unless_they_said_no(north, manager):
    deal = deals.draft(manager, partner="NORTH")
    assert [reader.email for reader in queries.readers_of(deal)] == ["office@north.example"]
    mine = deals.draft(north)
    assert [reader.email for reader in queries.readers_of(mine)] == ["sales@north.example"]


def test_rivals_see_nothing(north, harbour):
    deal = deals.draft(north)
    with pytest.raises(NotFound):
        queries.deal_for(harbour, deal.id)
    with pytest.raises(NotFound):
        queries.deal_by_reference(harbour, deal.reference)
    assert queries.deal_for(SYSTEM, deal.id) is deal


def test_partners_never_read_of_the_conflict(north, harbour, manager):
    deals.approved(north, manager)
    second = deals.submitted(harbour)
    assert queries.conflicts_for(harbour, second) == []
    assert len(queries.conflicts_for(manager, second)) == 1
    theirs = [str(entry.sentence) for entry in queries.timeline_for(harbour, second)]
    assert not [text for text in theirs if "conflict" in text]
    ours = [str(entry.sentence) for entry in queries.timeline_for(manager, second)]
    assert [text for text in ours if "score 100" in text]


def test_time_left_is_what_the_queue_is_ordered_by(north, harbour, manager, clock):
    first = deals.submitted(north)
    clock.advance(hours=5)
    second = deals.submitted(harbour, customer_name="Kemira Oyj", customer_tax_id="FI1")
    assert [one.id for one in queries.waiting_deals(manager)] == [first.id, second.id]
    assert queries.waiting_count(manager) == (2, False)
    clock.advance(days=2)
    assert queries.waiting_count(manager) == (2, True)
    assert queries.waiting_count(north) == (0, False)
    assert timedelta(days=2) == second.decide_by_at - second.submitted_at
