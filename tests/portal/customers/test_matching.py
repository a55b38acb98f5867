"""What makes two spellings one company."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.customers.matching import (
    is_free_mail,
    normal_domain,
    normal_name,
    normal_tax_id,
    telling_domain,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH & Co. KG", "MULLER UND SOHNE".replace("UND", "and")),
        ("Koninklijke Philips N.V.", "koninklijke philips nv"),
        ("Strumenti Lodi S.p.A.", "Strumenti Lodi SPA"),
        ("浙江蓝海光电股份有限公司", "浙江 蓝海光电有限公司"),
        ("株式会社日立製作所", "㈱日立製作所"),
        ("ＡＣＭＥ　Ｌｔｄ．", "Acme Limited"),
        ("ООО «Ромашка»", "Ромашка, ООО"),
        ("Ørsted A/S", "Orsted"),
        ("Acme Sp. z o.o.", "ACME"),
        ("A.B.C. Ltd", "ABC"),
        ("St. John’s Ltd", "St Johns"),
        ("AB Volvo", "Volvo AB (publ)".replace(" (publ)", "")),
        ("삼성전자 주식회사", "삼성전자"),
        ("Grupo Alfa, S.A.B. de C.V.", "Grupo Alfa"),
    ],
)
def test_spellings_of_one_company_are_the_same(one, other):
    assert normal_name(one) == normal_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Halden Group AS", "Halden Holding AS"),
        ("Nordic Water", "Nordic Waters"),
        ("浙江蓝海光电", "浙江蓝海光学"),
        ("3M", "3N"),
        ("Bakery 1", "Bakery 2"),
    ],
)
def test_other_companies_stay_apart(one, other):
    assert normal_name(one) != normal_name(other)


@pytest.mark.parametrize("name", ["GmbH", "株式会社", "PT", "& Co."])
def test_a_name_is_never_all_taken_away(name):
    assert normal_name(name)


@given(st.text(max_size=260))
def test_normalising_twice_changes_nothing(name):
    once = normal_name(name)
    assert normal_name(once) == once
    assert len(once) <= 200


@given(
    st.lists(
        st.sampled_from(
            [
                "acme",
                "A",
                "b",
                "GmbH",
                "& Co.",
                "KG",
                "PT",
                "株式会社",
                "日立",
                "有限公司",
                "é",
                "S.p.A.",
            ]
        ),
        max_size=6,
    ),
    st.sampled_from([" ", "", "-"]),
)
def test_legal_forms_come_off_once_and_for_all(parts, between):
    once = normal_name(between.join(parts))
    assert normal_name(once) == once


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("https://www.Acme.example/about?x=1", "acme.example"),
        ("sales@acme.example", "acme.example"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("acme.example:8080", "acme.example"),
        ("ＡＣＭＥ.example", "acme.example"),
        ("acme", None),
        ("a..example", None),
        ("-acme.example", None),
        ("", None),
        (None, None),
    ],
)
def test_domains(text, domain):
    assert normal_domain(text) == domain


def test_free_mail_tells_nothing():
    assert is_free_mail("gmail.com")
    assert telling_domain("somebody@QQ.com") is None
    assert telling_domain("somebody@acme.example") == "acme.example"


@given(st.text(max_size=80))
def test_any_text_has_a_domain_or_none(text):
    found = normal_domain(text)
    assert found is None or normal_domain(found) == found


@pytest.mark.parametrize(
    ("text", "country", "key"),
    [
        ("NO 923 609 016", "NO", "923609016"),
        ("DE-123456789", "DE", "123456789"),
        ("EL123456789", "GR", "123456789"),
        ("91330108MA2KE7X41B", "CN", "91330108MA2KE7X41B"),
        ("IT 012", "IT", "IT012"),
        ("９２３６０９０１６", None, "923609016"),
        (" - ", "NO", None),
        (None, "NO", None),
    ],
)
def test_tax_ids(text, country, key):
    assert normal_tax_id(text, country) == key
