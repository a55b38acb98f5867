"""Pages of newsletters: the editor without scripts, pictures, steps, unsubscribing."""

import io

import pytest
import sqlalchemy as sa
from PIL import Image

from loyalty.clubs.models import Member
from loyalty.newsletters import operations
from loyalty.newsletters.models import Newsletter, NewsletterState
from portal.foundation.actors import SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.files.models import StoredFile
from tests.factories import newsletters as factory
from tests.factories.accounts import CAST, make_user
from tests.factories.clubs import make_club, make_lin
from tests.factories.points import make_purchase
from tests.pages import parsed, part, post, sign_in


@pytest.fixture
def desk(app):
    """Marketing at the desk, a club with Lin who agreed."""
    with app.app_context():
        factory.marketing()
        lin = factory.agree(make_lin(make_club()))
        make_purchase(lin, "1234")
    return window(app, "marketing@vendor.example")


def window(app, email):
    client = app.test_client()
    assert sign_in(client, email).status_code == 303
    return client


@pytest.fixture
def colleague(app):
    with app.app_context():
        factory.colleague()
    return window(app, "mona@vendor.example")


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    return out.getvalue()


def fields_of(page) -> dict[str, str]:
    """Return what a browser would send of the editor's form, without buttons and files."""
    form = parsed(page).select_one("form[enctype]")
    sent = {one["name"]: one.get("value", "") for one in form.select("input:not([type=file])")}
    sent |= {one["name"]: one.text.lstrip("\n") for one in form.select("textarea")}
    for one in form.select("select"):
        sent[one["name"]] = one.select_one("[selected]")["value"]
    return sent


def press(client, path: str, action: str, **typed):
    """Press a button of the editor and return the page after it."""
    sent = fields_of(client.get(path)) | {"action": action} | typed
    answer = client.post(path, data=sent)
    if answer.status_code != 303:
        return answer
    return client.get(answer.headers["Location"].partition("#")[0])


def begin(client) -> str:
    page = client.get("/newsletters/new")
    token = part(page, "input[name=form_nonce]")["value"]
    data = {"club": "circle", "subject": "Winter checks", "language": "en", "form_nonce": token}
    answer = post(client, "/newsletters/new", data)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def stored(app) -> Newsletter:
    with app.app_context():
        return db.session.scalars(sa.select(Newsletter)).one()


def test_marketing_starts_at_newsletters(desk):
    assert desk.get("/").headers["Location"] == "/newsletters"
    assert "No newsletters" in desk.get("/newsletters").text


def test_required_fields_are_not_called_optional(desk):
    page = desk.get("/newsletters/new")
    assert "optional" not in part(page, "main form").text
    assert "optional" not in part(desk.get(begin(desk)), ".fields").text
    refused = post(desk, "/newsletters/new", {"club": "", "subject": "", "language": ""})
    assert refused.status_code == 422
    assert len(parsed(refused).select(".field .error")) == 3


def test_without_a_club_there_is_nothing_to_make(app):
    with app.app_context():
        factory.marketing()
    page = window(app, "marketing@vendor.example").get("/newsletters/new")
    assert "There is no club yet" in page.text


def test_blocks_are_made_arranged_and_saved_without_scripts(app, desk):
    path = begin(desk)
    for kind in ("heading", "text", "balance", "button"):
        assert press(desk, path, f"add-{kind}").status_code == 200
    typed = {
        "block-0-text": "冬季",
        "block-1-text": "Dear {name}\n\nyou have {points}.",
        "block-3-text": "Look",
        "block-3-url": "https://vendor.example/club",
    }
    press(desk, path, "up-3", **typed)
    press(desk, path, "remove-3")
    page = press(desk, path, "save")
    assert "Newsletter saved." in page.text
    assert [block["kind"] for block in stored(app).blocks] == ["heading", "text", "button"]
    letter = part(page, ".letter")
    assert letter.h2.text == "冬季"
    assert "Dear Marta Sample" in letter.text
    assert letter.a["href"] == "https://vendor.example/club"


def test_enter_saves(desk):
    page = desk.get(begin(desk))
    assert part(page, "form[enctype] button")["value"] == "save"


def test_what_is_wrong_is_said_and_what_was_typed_kept(desk):
    path = begin(desk)
    press(desk, path, "add-button")
    wrong = {"block-0-text": "Look", "block-0-url": "javascript:alert(1)", "subject": "Typed"}
    page = press(desk, path, "save", **wrong)
    assert page.status_code == 422
    assert "Block 1: write an address" in page.text
    sent = fields_of(page)
    assert (sent["subject"], sent["block-0-url"]) == ("Typed", "javascript:alert(1)")
    for odd in ({"count": "²"}, {"count": "9" * 5_000}, {"block-0-kind": "bogus"}):
        assert press(desk, path, "save", **odd).status_code == 200
    assert press(desk, path, "add-bogus").status_code == 200
    assert press(desk, path, "remove-²").status_code == 200


def test_hostile_text_is_text(desk):
    path = begin(desk)
    press(desk, path, "add-text")
    words = "</textarea><script>alert(1)</script>{{ 7*7 }}"
    page = press(desk, path, "save", **{"block-0-text": words, "subject": "<i>S</i>"})
    for shown in (page, desk.get(path), desk.get("/newsletters")):
        assert "<script>alert" not in shown.text
        assert "<i>S" not in shown.text
    assert words in part(page, ".letter").text


def test_a_stale_editor_overwrites_nothing(app, desk, colleague):
    path = begin(desk)
    sent = fields_of(desk.get(path)) | {"action": "save", "subject": "Late"}
    press(colleague, path, "save", subject="First")
    answer = desk.post(path, data=sent)
    assert answer.status_code == 422
    assert "Somebody else changed this" in answer.text
    assert "Late" in answer.text
    assert stored(app).subject == "First"


def upload(client, path, content=None, name="probe.png", **typed):
    sent = fields_of(client.get(path)) | {"action": "save"} | typed
    sent["block-0-file"] = (io.BytesIO(png() if content is None else content), name)
    return client.post(path, data=sent)


def test_a_picture_of_a_draft_is_for_marketing_alone(app, desk, colleague):
    path = begin(desk)
    press(desk, path, "add-picture")
    assert upload(desk, path, **{"block-0-alt": "A probe"}).status_code == 303
    picture = part(desk.get(path), ".block-picture")["src"]
    answer = desk.get(picture)
    assert (answer.status_code, answer.content_type) == (200, "image/png")
    nobody = app.test_client()
    with app.app_context():
        make_user("lin@club.example")
        make_user("channel@vendor.example")
    others = [nobody, window(app, "lin@club.example"), window(app, "channel@vendor.example")]
    for other in others:
        assert other.get(picture).status_code == 404
    page = path.removesuffix("/edit")
    assert post(colleague, f"{page}/approve").status_code == 303
    for other in others:
        answer = other.get(picture)
        assert answer.status_code == 200
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert nobody.get("/newsletters/pictures/unknown").status_code == 404
    post(desk, f"{page}/cancel")
    assert nobody.get(picture).status_code == 404
    assert desk.get(picture).status_code == 200


def test_no_other_file_is_a_picture_of_a_newsletter(app, desk):
    with app.app_context(), transaction():
        file = StoredFile(
            storage_name="ab" * 20,
            name="secret.png",
            media_type="image/png",
            size=1,
            sha256="0" * 64,
            purpose="deals.proof",
            created_at=stored_at(),
        )
        db.session.add(file)
        db.session.flush()
        key = file.id
    path = begin(desk)
    press(desk, path, "add-picture")
    refused = press(desk, path, "save", **{"block-0-file_id": str(key), "block-0-alt": "x"})
    assert refused.status_code == 422
    assert "upload it again" in refused.text
    assert desk.get(f"/newsletters/pictures/{'ab' * 20}").status_code == 404


def stored_at():
    from_newsletter = sa.select(Member.created_at).limit(1)
    return db.session.scalar(from_newsletter)


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "x.svg"), (b"GIF", "x.png"), (b"", "x.png")],
)
def test_what_is_no_picture_is_refused(app, desk, content, name):
    path = begin(desk)
    press(desk, path, "add-picture")
    assert upload(desk, path, content, name).status_code == 422
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(StoredFile)) == 0


def test_a_refused_change_keeps_no_picture(app, desk):
    path = begin(desk)
    press(desk, path, "add-picture")
    refused = upload(desk, path, **{"block-0-alt": "x" * 301})
    assert refused.status_code == 422
    assert fields_of(refused)["block-0-file_id"] == ""
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(StoredFile)) == 0


def test_a_second_person_approves_what_they_read(app, desk, colleague):
    path = begin(desk)
    press(desk, path, "add-balance")
    page = path.removesuffix("/edit")
    shown = desk.get(page)
    assert "Somebody else approves it" in shown.text
    assert f'action="{page}/approve"' not in shown.text
    assert post(desk, f"{page}/approve").status_code == 403
    read = part(colleague.get(page), f"form[action='{page}/approve'] [name=version]")["value"]
    press(desk, path, "save", subject="Changed since")
    post(colleague, f"{page}/approve", {"version": read})
    assert stored(app).state is NewsletterState.DRAFT
    assert "Somebody else changed this" in colleague.get(page).text
    read = part(colleague.get(page), f"form[action='{page}/approve'] [name=version]")["value"]
    post(colleague, f"{page}/approve", {"version": read})
    assert stored(app).state is NewsletterState.APPROVED
    assert desk.get(path).headers["Location"] == page
    shown = desk.get(page)
    assert "1 members" in shown.text
    assert post(desk, f"{page}/send").status_code == 303
    assert stored(app).state is NewsletterState.SENDING
    assert post(desk, f"{page}/send").status_code == 303
    assert "that step is not possible" in desk.get(page).text
    assert post(desk, f"{page}/cancel").status_code == 303
    assert stored(app).state is NewsletterState.CANCELLED


def test_it_is_shown_as_one_member_reads_it(app, desk):
    path = begin(desk)
    press(desk, path, "add-text", subject="S")
    press(desk, path, "save", **{"block-0-text": "{name}: {points}"})
    page = path.removesuffix("/edit")
    with app.app_context():
        number = db.session.scalars(sa.select(Member.number)).one()
    spaced = f"{number[:4]} {number[4:]}"
    shown = desk.get(page, query_string={"number": spaced})
    assert part(shown, ".letter p").text == "林晓雯: 1,234"
    assert f"print.pdf?number={number}" in shown.text
    odd = desk.get(page, query_string={"number": "<4711>"})
    assert "No member of this club has this number" in odd.text
    assert "Marta Sample" in part(odd, ".letter p").text


ROUTES = [
    ("get", "/newsletters"),
    ("get", "/newsletters/new"),
    ("post", "/newsletters/new"),
    ("get", "/newsletters/1"),
    ("get", "/newsletters/1/edit"),
    ("post", "/newsletters/1/edit"),
    ("get", "/newsletters/1/print.pdf"),
    ("post", "/newsletters/1/approve"),
    ("post", "/newsletters/1/send"),
    ("post", "/newsletters/1/cancel"),
]
ALLOWED = {"admin@vendor.example", "marketing@vendor.example"}


@pytest.mark.parametrize("email", sorted(CAST.keys() - ALLOWED))
def test_others_see_nothing(app, email):
    with app.app_context():
        assert factory.draft(make_club()).id == 1
        make_user(email)
    client = window(app, email)
    assert 'href="/newsletters"' not in client.get("/", follow_redirects=True).text
    for method, path in ROUTES:
        answer = client.get(path) if method == "get" else post(client, path)
        assert answer.status_code == 403, (method, path)


def test_nobody_signed_in_is_asked_to(app):
    with app.app_context():
        factory.draft(make_club())
    client = app.test_client()
    for method, path in ROUTES:
        answer = client.get(path) if method == "get" else post(client, path)
        assert answer.status_code == 303, (method, path)
        assert answer.headers["Location"].startswith("/login")
    assert stored(app).state is NewsletterState.DRAFT


def test_what_is_not_there_is_404(desk):
    for path in ("/newsletters/99", "/newsletters/99/edit", "/newsletters/99/print.pdf"):
        assert desk.get(path).status_code == 404
    assert post(desk, "/newsletters/99/send").status_code == 404


def test_the_page_asks_no_query_for_each_newsletter_or_block(app, desk):
    with app.app_context():
        club = db.session.scalars(sa.select(Member.club_id)).one()
        from_club = db.session.get_one(operations.Club, club)
        first = factory.draft(from_club).id
        few = reads(app, desk, first)
        for number in range(12):
            blocks = [{"kind": "heading", "text": str(n)} for n in range(number + 1)]
            last = factory.draft(from_club, SYSTEM, blocks=blocks).id
    assert reads(app, desk, last) == few


def reads(app, client, newsletter_id: int) -> list[int]:
    found = []
    for path in ("/newsletters", f"/newsletters/{newsletter_id}"):
        sent: list[str] = []
        with app.app_context():
            engine = db.engine

        def note(*arguments, sent=sent):
            sent.append(arguments[2])

        sa.event.listen(engine, "before_cursor_execute", note)
        assert client.get(path).status_code == 200
        sa.event.remove(engine, "before_cursor_execute", note)
        found.append(len(sent))
    return found
