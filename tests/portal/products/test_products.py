"""The price list: operation, page, API, files."""

import json

import pytest

from portal.foundation.database import db
from portal.foundation.errors import Refused
from portal.products import queries
from tests.factories import accounts, partners, products
from tests.factories.service_jobs import bearer, browser

HEAD = "sku,name,family,category,list_price,currency,warranty_months\n"
FILE = (
    HEAD + "HX-900,HX-900 spectrometer,Spectrometers,Optics,26768,USD,24\nPT-40,PT-40 probe,,,,,\n"
)


@pytest.fixture
def load(runner, tmp_path):
    def run(text: str):
        file = tmp_path / "products.csv"
        file.write_text(text, "utf-8")
        done = runner.invoke(args=["import", "products", str(file)])
        return done.exit_code, json.loads(done.stdout.strip().splitlines()[-1])

    return run


def test_an_article_number_is_taken_whatever_its_case(context):
    products.product("HX-900")
    with pytest.raises(Refused) as refusal:
        products.product("hx-900")
    assert refusal.value.field == "sku"


def test_texts_find_products_by_number_or_name(context):
    products.price_list()
    found = queries.products_by_sku_or_name(["hx-900", "PT-40 Probe", "other", None])
    assert {text: product.sku for text, product in found.items() if text != "pt-40"} == {
        "hx-900": "HX-900",
        "hx-900 spectrometer": "HX-900",
        "pt-40 probe": "PT-40",
    }
    assert queries.known_families() == {"spectrometers": "Spectrometers", "probes": "Probes"}


def test_a_file_makes_and_changes_products(app, load):
    assert load(FILE)[1]["created"] == 2
    assert load(FILE)[1]["unchanged"] == 2
    code, counts = load(HEAD + "hx-900,HX-900 Mark II,,,,,\n")
    assert (code, counts["updated"]) == (0, 1)
    with app.app_context():
        product = queries.product_by_sku("HX-900")
        assert product is not None
        assert (product.name, product.family) == ("HX-900 Mark II", "Spectrometers")


@pytest.mark.parametrize("row", ["A,A,,,5,,", "A,A,,,-5,EUR,", "A,A,,,,,9999", ",A,,,,,"])
def test_bad_rows_are_rejected(load, row):
    code, counts = load(HEAD + row + "\n")
    assert (code, counts["rejected"]) == (3, 1)


def test_what_is_exported_is_taken_as_unchanged(load, runner):
    load(FILE)
    exported = runner.invoke(args=["export", "products"])
    assert exported.exit_code == 0
    text = exported.stdout.lstrip("\ufeff")
    assert load(text)[1]["unchanged"] == 2


def test_who_sees_the_price_list(app, client):
    with app.app_context():
        products.price_list()
        seller, manager = partners.north(), partners.channel_manager()
        member = accounts.actor_of(accounts.make_user("lin@club.example"))
        db.session.close()
    assert "HX-900 spectrometer" in browser(app, manager).get("/products").text
    assert browser(app, seller).get("/products").status_code == 403
    assert browser(app, member).get("/products").status_code == 403
    assert client.get("/products").status_code == 303
    listed = client.get("/api/v1/products", headers=bearer(app, seller))
    assert [item["sku"] for item in listed.json["items"]] == ["PT-40", "HX-950", "HX-900"]
    assert client.get("/api/v1/products", headers=bearer(app, member)).status_code == 403
    assert client.get("/api/v1/products").status_code == 401
