"""The print edition: Latin, Chinese, pictures and a member's balance; by page and by command."""

import io
import subprocess

import pikepdf
import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage

from loyalty.newsletters import documents, operations
from portal.foundation.actors import SYSTEM
from portal.foundation.database import transaction
from portal.foundation.files.checks import check_upload
from tests.factories import newsletters as factory
from tests.factories.clubs import make_club, make_lin
from tests.factories.points import make_purchase
from tests.pages import sign_in


def text_of(content: bytes) -> str:
    done = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture
def lin(app):
    with app.app_context():
        member = make_lin(make_club())
        make_purchase(member, "1234")
        return member


def picture() -> int:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    upload = check_upload(FileStorage(io.BytesIO(out.getvalue()), "p.png"), kinds=("image",))
    with transaction():
        return operations.add_picture(SYSTEM, upload)


def test_it_holds_a_members_name_balance_and_pictures(app, lin):
    hostile = {"kind": "text", "text": "<b>not bold</b> {{ 7*7 }} <img src='/etc/passwd'>"}
    with app.app_context():
        shown = {"kind": "picture", "file_id": picture(), "alt": "A probe"}
        club = documents.queries.db.session.get_one(operations.Club, lin.club_id)
        newsletter = factory.draft(club, blocks=[*factory.BLOCKS, shown, hostile])
        own = documents.print_edition(newsletter, lin)
        sample = documents.print_edition(newsletter)
    text = text_of(own)
    for words in (
        "Winter checks",
        "Dear 林晓雯",
        "1,234",
        "冬季保养",
        "https://vendor.example/club",
    ):
        assert words in text
    assert "<b>not bold</b> {{ 7*7 }} <img src='/etc/passwd'>" in text
    with pikepdf.open(io.BytesIO(own)) as document:
        images = [o for o in document.objects if isinstance(o, pikepdf.Stream)]
        assert sum(image.get("/Subtype") == "/Image" for image in images) == 1
    assert "Marta Sample" in text_of(sample)
    assert "林晓雯" not in text_of(sample)


def test_by_command_and_by_page(app, lin, runner, tmp_path):
    with app.app_context():
        club = documents.queries.db.session.get_one(operations.Club, lin.club_id)
        newsletter = factory.draft(club)
        factory.marketing()
    out = tmp_path / "f.pdf"

    def command(*arguments):
        return runner.invoke(args=["newsletters", "pdf", *arguments])

    done = command(newsletter.reference, "--out", str(out), "--member", lin.number)
    assert done.exit_code == 0, done.output
    assert "1,234" in text_of(out.read_bytes())
    assert command("none", "--out", str(out)).exit_code == 2
    assert command(newsletter.reference, "--out", str(out), "--member", "1").exit_code == 2
    nowhere = command(newsletter.reference, "--out", str(tmp_path / "no" / "f.pdf"))
    assert nowhere.exit_code in {1, 2}
    assert "Traceback" not in nowhere.output
    client = app.test_client()
    sign_in(client, "marketing@vendor.example")
    page = f"/newsletters/{newsletter.id}/print.pdf"
    answer = client.get(page, query_string={"number": lin.number})
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert "1,234" in text_of(answer.data)
    assert client.get(page, query_string={"number": "4711"}).status_code == 404
