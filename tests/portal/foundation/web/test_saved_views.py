"""Views of lists that readers keep: their own alone, a few, with any name that can be read."""

import pytest
import sqlalchemy as sa

from portal.accounts.models import Role, User
from portal.foundation.actors import SYSTEM, Actor
from portal.foundation.database import db, transaction
from portal.foundation.errors import NotFound, Refused
from portal.foundation.web.lists.saved import (
    MOST_VIEWS,
    SavedView,
    lasting,
    remove_view,
    save_view,
    saved_views,
)
from tests.pages import parsed, post

LIST = "deals.index"


@pytest.fixture
def ada(signed_in):
    return signed_in(Role.ADMINISTRATOR, "admin@vendor.example")


def views(app) -> list[SavedView]:
    with app.app_context():
        return list(db.session.scalars(sa.select(SavedView).order_by(SavedView.id)))


def save(client, name="Mine", query="status=approved", endpoint=LIST):
    return post(client, "/views", {"endpoint": endpoint, "name": name, "query": query})


def test_a_view_leads_back_to_the_list_as_it_was(app, ada):
    answer = save(ada, query="status=approved&order=-amount&after=abc&format=csv&ids=3")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/deals?status=approved&order=-amount"
    page = ada.get(answer.headers["Location"])
    assert page.status_code == 200
    assert "View saved." in page.text
    links = [one.get("href") for one in parsed(page).find_all("a", string="Mine")]
    assert links == ["/deals?status=approved&order=-amount"]


def test_the_same_name_again_changes_the_view(app, ada):
    save(ada)
    save(ada, query="status=won")
    (view,) = views(app)
    assert view.query == "status=won"


def test_removing_leads_back_to_the_list(app, ada):
    save(ada)
    (view,) = views(app)
    answer = post(ada, f"/views/{view.id}/remove")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/deals")
    assert views(app) == []
    assert post(ada, f"/views/{view.id}/remove").status_code == 404


def test_others_views_are_not_there(app, ada, signed_in):
    save(ada, name="Secret plan")
    (view,) = views(app)
    rival = signed_in(Role.CHANNEL_MANAGER, "channel@vendor.example")
    assert "Secret plan" not in rival.get("/deals").text
    assert post(rival, f"/views/{view.id}/remove").status_code == 404
    assert len(views(app)) == 1
    save(rival, name="Secret plan", query="status=lost")
    assert [one.query for one in views(app)] == ["status=approved", "status=lost"]


def test_nobody_signed_in_keeps_nothing(app, client):
    assert save(client).headers["Location"].startswith("/login")
    assert post(client, "/views/1/remove").status_code == 303
    assert views(app) == []


def test_without_the_forgery_token_nothing_is_kept(app, ada):
    answer = ada.post("/views", data={"endpoint": LIST, "name": "X", "query": ""})
    assert answer.status_code == 400
    assert views(app) == []


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\x00b", "a\u202eb", "\u200b"])
def test_a_name_that_cannot_be_read_is_refused(app, ada, name):
    answer = save(ada, name=name)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/deals")
    assert "Give the view a name." in ada.get("/deals").text
    assert views(app) == []


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x>', "{{ 7*7 }}", "晋"])
def test_a_hostile_name_is_text(app, ada, name):
    assert save(ada, name=name).status_code == 303
    page = ada.get("/deals")
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert any(one.text.strip() == name for one in parsed(page).select("a"))


def test_a_long_name_is_cut(app, ada):
    save(ada, name="x" * 500)
    assert views(app)[0].name == "x" * 60


def test_a_list_has_twenty_views_at_most(app, ada):
    for number in range(MOST_VIEWS):
        save(ada, name=f"V{number}")
    save(ada, name="One more")
    assert len(views(app)) == MOST_VIEWS
    assert "at most 20 views" in ada.get("/deals").text
    save(ada, name="V3", query="status=won")
    assert len(views(app)) == MOST_VIEWS
    save(ada, name="Elsewhere", endpoint="partners.index")
    assert len(views(app)) == MOST_VIEWS + 1


@pytest.mark.parametrize(
    "endpoint", ["", "none", "deals.show", "deals.approve", "https://evil.example", "static"]
)
def test_what_is_no_list_has_no_views(app, ada, endpoint):
    assert save(ada, endpoint=endpoint).status_code == 404
    assert views(app) == []


@pytest.mark.parametrize(
    "query", ["a=1&" * 5_000, "%ff%fe=%00", "=&&;=", "next=//evil.example", "\x00"]
)
def test_a_hostile_address_breaks_no_list(ada, query):
    answer = save(ada, query=query)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/deals")
    assert ada.get("/deals").status_code == 200


def test_what_only_a_moment_needs_is_left_out():
    assert lasting("a=1&after=x&b=2&before=y&format=csv&ids=1&ids=2") == "a=1&b=2"


@pytest.mark.both_databases
def test_operations_see_the_actors_own_alone(app, signed_in):
    signed_in(Role.ADMINISTRATOR, "admin@vendor.example")
    with app.app_context():
        key = db.session.scalars(sa.select(User.id)).one()
        mine, other = Actor(user_id=key, name="Ada"), Actor(user_id=key + 1, name="Other")
        with transaction():
            view = save_view(mine, endpoint=LIST, name=" Mine ", query="a=1")
        assert [one.name for one in saved_views(mine, LIST)] == ["Mine"]
        assert saved_views(other, LIST) == saved_views(SYSTEM, LIST) == []
        for stranger in (other, SYSTEM):
            with pytest.raises(NotFound), transaction():
                remove_view(stranger, view_id=view.id)
        with pytest.raises(Refused), transaction():
            save_view(mine, endpoint=LIST, name="", query="")
