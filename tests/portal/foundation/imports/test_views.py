import io
import re

import pytest
import sqlalchemy as sa

from portal.foundation.actors import Actor
from portal.foundation.database import db, transaction
from portal.foundation.imports.models import ImportJob
from portal.foundation.imports.registry import KINDS
from portal.foundation.jobs.worker import work_one
from tests.portal.foundation.imports import toys

STAFF = Actor(
    user_id=1,
    name="Ada Staff",
    email="ada@vendor.example",
    roles=frozenset({"administrator"}),
    staff_roles=frozenset({"administrator"}),
)
PARTNER = Actor(user_id=2, name="Bo Partner", roles=frozenset({"partner_admin"}), tenant_id=1)
HEAD = "reference,amount,note\n"


@pytest.fixture
def browse_as(client, toy_kind, monkeypatch):
    """Returns the client, signed in as the given actor."""

    def sign_in(actor):
        monkeypatch.setattr("flask_login.utils._get_user", lambda: actor)
        return client

    return sign_in


def post(client, content=HEAD + "A,1,\n", name="toys.csv", **fields):
    page = client.get("/desk/imports/new").text
    hidden = dict(re.findall(r'name="(csrf_token|form_nonce)"[^>]*value="([^"]+)"', page))
    content = content if isinstance(content, bytes) else content.encode()
    data = {"kind": "toys", "file": (io.BytesIO(content), name), **hidden, **fields}
    return client.post("/desk/imports/new", data=data, content_type="multipart/form-data")


def only_job():
    with transaction():
        return db.session.scalars(sa.select(ImportJob)).one()


def test_a_file_is_sent_watched_and_its_rejects_fetched(browse_as):
    client = browse_as(STAFF)
    answer = post(client, HEAD + "A,1,\nB,x,=1\n")
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert page.status_code == 200
    assert 'hx-trigger="every 1s"' in page.text
    work_one("test")
    progress = client.get(f"{answer.location}/progress").text
    assert "hx-trigger" not in progress
    assert "Done" in progress
    assert "rejects.csv" in progress
    told = client.get(f"{answer.location}/rejects.csv")
    assert told.mimetype == "text/csv"
    assert "attachment" in told.headers["Content-Disposition"]
    assert "3,amount," in told.text
    assert "'=1" in told.text
    listed = client.get("/desk/imports")
    assert "toys.csv" in listed.text
    assert client.get("/desk/imports/9999").status_code == 404


def test_a_dry_run_and_a_mapping_are_taken_along(browse_as):
    client = browse_as(STAFF)
    mapping = (io.BytesIO(b"columns: {amount: Price}"), "map.yaml")
    answer = post(client, "reference,Price\nA,1\n", dry_run="y", mapping=mapping)
    assert answer.status_code == 303
    job = only_job()
    assert (job.dry_run, job.mapping) == (True, "columns: {amount: Price}")
    work_one("test")
    assert "nothing was kept" in client.get(answer.location).text


@pytest.mark.parametrize(
    ("content", "name", "fields", "sentence"),
    [
        ("a,b\n", "toys.csv", {}, "Required columns are missing: reference, amount."),
        (HEAD, "toys.pdf", {}, "Send a file that ends in"),
        (b"", "toys.csv", {}, "The file is empty."),
        (HEAD, "toys.xlsx", {}, "not what its name says"),
        (HEAD, "toys.csv", {"kind": "trains"}, "Not a valid choice"),
        (HEAD, "toys.csv", {"mapping": (io.BytesIO(b"x: 1"), "m.yaml")}, "there is no such part"),
        (HEAD, "toys.csv", {"mapping": (io.BytesIO(b"\xff"), "m.yaml")}, "not UTF-8"),
        (HEAD, "toys.csv", {"mapping": (io.BytesIO(b"x" * 70_000), "m.yaml")}, "at most 64 KB"),
    ],
)
def test_what_cannot_be_taken_is_refused_on_the_form(
    browse_as, app, content, name, fields, sentence
):
    client = browse_as(STAFF)
    answer = post(client, content, name, **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    with transaction():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(ImportJob)) == 0


def test_the_same_form_sent_twice_imports_once(browse_as):
    client = browse_as(STAFF)
    page = client.get("/desk/imports/new").text
    (nonce,) = re.findall(r'name="form_nonce"[^>]*value="([^"]+)"', page)
    assert post(client, form_nonce=nonce).status_code == 303
    again = post(client, form_nonce=nonce)
    assert again.status_code == 422
    assert only_job().state == "queued"


def test_the_form_documents_every_column(browse_as):
    page = browse_as(STAFF).get("/desk/imports/new").text
    for column in toys.COLUMNS:
        assert str(column.doc) in page


@pytest.mark.parametrize("path", ["", "/new", "/1", "/1/progress", "/1/rejects.csv"])
def test_partners_and_staff_without_a_kind_see_nothing(browse_as, monkeypatch, path):
    post(browse_as(STAFF))
    assert browse_as(PARTNER).get(f"/desk/imports{path}").status_code == 403
    for name in KINDS:
        closed = toys.kind(name=name, policy=lambda actor: False)
        monkeypatch.setitem(KINDS, name, closed)
    assert browse_as(STAFF).get(f"/desk/imports{path}").status_code == 403


def test_imports_of_a_kind_that_is_not_open_are_not_found(browse_as, monkeypatch):
    post(browse_as(STAFF))
    import_id = only_job().id
    monkeypatch.setitem(KINDS, "toys", toys.kind(policy=lambda actor: False))
    monkeypatch.setitem(KINDS, "others", toys.kind(name="others"))
    client = browse_as(STAFF)
    assert client.get(f"/desk/imports/{import_id}").status_code == 404
    assert client.get(f"/desk/imports/{import_id}/rejects.csv").status_code == 404
    assert "toys.csv" not in client.get("/desk/imports").text
