"""Which deals compete."""

from hypothesis import given
from hypothesis import strategies as st

from portal.customers.queries import CustomerKeys, keys_of
from portal.deals.conflicts import Claim, claim_of, competes, conflicts_of, likeness
from tests.factories import deals, partners, products

some = st.sampled_from
customers = st.builds(
    CustomerKeys,
    name=some(["", "statkraft", "equinor"]),
    country=some([None, "NO", "SE"]),
    domain=some([None, "statkraft.example", "equinor.example"]),
    tax_id=some([None, "987059699", "923609016"]),
)
claims = st.builds(
    Claim, keys=customers, families=st.frozensets(some(["probes", "spectrometers", "lamps"]))
)


@given(claims, claims)
def test_what_one_sees_in_the_other_the_other_sees_too(one, other):
    assert competes(one, other) == competes(other, one)


@given(claims)
def test_a_deal_competes_with_its_own_copy(claim):
    known = claim.keys.tax_id or claim.keys.domain or (claim.keys.name and claim.keys.country)
    expected = 0
    if claim.families and known:
        expected = 100 if claim.keys.tax_id else 90 if claim.keys.domain else 80
    assert competes(claim, claim) == expected


def test_scores():
    statkraft = keys_of("Statkraft AS", "NO", "statkraft.example", "NO 987 059 699")
    assert likeness(statkraft, keys_of("Other", "SE", None, "987059699")) == 100
    assert likeness(statkraft, keys_of("Other", "SE", "www.statkraft.example", None)) == 90
    assert likeness(statkraft, keys_of("STATKRAFT", "NO", None, None)) == 80
    assert likeness(statkraft, keys_of("Statkraft", "SE", None, None)) == 0


def test_different_tax_ids_never_compete_by_name_alone():
    one = keys_of("Statkraft AS", "NO", None, "987059699")
    other = keys_of("Statkraft AS", "NO", None, "923609016")
    assert likeness(one, other) == 0


def test_free_mail_never_competes():
    one = keys_of("One AS", "NO", "gmail.com", None)
    other = keys_of("Other AS", "NO", "gmail.com", None)
    assert likeness(one, other) == 0


def test_staff_read_who_and_why(context, clock):
    clock.set("2026-11-23T09:00Z")
    products.price_list()
    north, harbour, manager = partners.north(), partners.harbour(), partners.channel_manager()
    first = deals.approved(north, manager)
    second = deals.submitted(harbour, customer_tax_id=None)
    (conflict,) = conflicts_of(claim_of(second))
    assert (conflict.reference, conflict.score, conflict.verdict) == (
        first.reference,
        90,
        "conflict",
    )
    assert conflict.partner_name == "North Systems"
    assert conflict.comes_first
    assert [str(reason) for reason in conflict.reasons] == [
        "Both customers have the domain statkraft.example.",
        "Both customers are called Statkraft AS in Norway.",
        "Both deals are about Spectrometers.",
        "It is protected until 21 February 2027.",
    ]
    looks = {str(finding.label): str(finding.look.label) for finding in conflict.findings}
    assert looks == {
        "Legal name": "Same",
        "Country": "Same",
        "Tax id": "Not comparable",
        "Domain": "Same",
        "Family": "Overlap",
    }


def test_one_that_waits_behind_is_shown_but_does_not_come_first(context, clock):
    clock.set("2026-11-23T09:00Z")
    products.price_list()
    first = deals.submitted(partners.north())
    deals.submitted(partners.harbour())
    (conflict,) = conflicts_of(claim_of(first))
    assert not conflict.comes_first
    assert str(conflict.reasons[-1]) == "It waits for a decision and was submitted later."
