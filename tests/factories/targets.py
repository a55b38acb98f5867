"""Everything that others must not see: one thing of each kind, each holding the same odd word."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.routing import Rule

from loyalty.newsletters import operations as newsletters
from loyalty.newsletters.mails import unsubscribe_token
from portal.accounts.models import ApiToken, Role, UserSession
from portal.accounts.operations import open_session
from portal.foundation import clock
from portal.foundation.actors import SYSTEM
from portal.foundation.database import Model, db, transaction
from portal.foundation.files.checks import check_upload
from portal.foundation.files.models import StoredFile
from portal.foundation.imports.models import ImportJob, ImportState
from portal.foundation.web.lists.saved import save_view
from portal.service_jobs.operations import write_note
from tests.factories import accounts, clubs, deals, partners, points, products, service_jobs
from tests.factories import installed_base as devices
from tests.factories import newsletters as letters

WORD = "Hemmelig"  # Norwegian: secret; it stands nowhere else
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass
class Target:
    """What an address may name: by the endpoint's slice and the parameter's name."""

    values: dict[tuple[str, str], Any]

    def of(self, rule: Rule, argument: str) -> Any:
        """Return what stands for a parameter; fails for one that nobody made a thing for."""
        slice_name = rule.endpoint.partition(".")[0].removeprefix("api_")
        for key in ((rule.endpoint, argument), (slice_name, argument), ("", argument)):
            if key in self.values:
                return self.values[key]
        raise AssertionError(f"{rule.endpoint} takes {argument}: make a thing for it here")


def make(app: Flask) -> Target:
    """Make North Systems, the station Fix-It, Lin's membership and what staff work with."""
    with app.app_context():
        return _make()


def _make() -> Target:
    products.price_list()
    seller = partners.north()
    manager = partners.channel_manager()
    named: dict[str, Any] = {"customer_name": f"{WORD} AS", "evidence": f"{WORD} told us."}
    draft = deals.draft(seller, **named, customer_tax_id="NO 1", customer_domain=None)
    approved = deals.approved(seller, manager, **named)
    tools = service_jobs.fixit()
    devices.device("HX9-1", owner_name=WORD, owner_email="hemmelig@club.example", sku="HX-900")
    job = service_jobs.ready_job(
        tools, serial="HX9-1", problem=f"{WORD} drifts.", customer_name=f"{WORD} Lind"
    )
    with transaction():
        write_note(tools, job, body=f"{WORD} calls back.")
    club = clubs.make_club()
    lin = clubs.make_lin(club, name=f"{WORD} 林")
    bought = points.make_purchase(lin, "500", purchase_id=WORD)
    spent = points.make_redemption(lin, 20, reason=WORD)
    letter = letters.draft(club, subject=f"{WORD} checks", blocks=letters.BLOCKS)
    admin = accounts.make_user("admin@vendor.example")
    with transaction():
        shot = check_upload(FileStorage(io.BytesIO(PNG), f"{WORD}.png"), kinds=("image",))
        picture = db.session.get_one(StoredFile, newsletters.add_picture(SYSTEM, shot))
        view = save_view(
            accounts.actor_of(admin), endpoint="deals.index", name=WORD, query="order=name"
        )
        open_session(SYSTEM, user=admin)
        sent = ImportJob(
            kind="deals", file_name=f"{WORD}.csv", stored_name=None, dry_run=False,
            state=ImportState.DONE, actor_name="Ada Halden", language="en", created_at=clock.now(),
        )  # fmt: skip
        db.session.add(sent)
    accounts.make_token(admin, WORD)
    session_id = db.session.scalar(sa.select(UserSession.id).where(UserSession.user_id == admin.id))
    token_id = db.session.scalar(sa.select(ApiToken.id).where(ApiToken.user_id == admin.id))
    return Target(
        {
            ("", "deal_id"): draft.id,
            ("deals", "reference"): approved.reference,
            ("", "job_id"): job.id,
            ("service_jobs", "reference"): job.reference,
            ("", "partner_id"): seller.tenant_id,
            ("partners", "reference"): "NORTH",
            ("", "serial"): "HX9-1",
            ("", "number"): lin.number,
            ("", "code"): club.code,
            ("", "club"): club.code,
            ("", "version"): 1,
            ("", "purchase_id"): bought.purchase_id,
            ("", "redemption_id"): spent.id,
            ("", "newsletter_id"): letter.id,
            ("newsletters", "reference"): letter.reference,
            ("newsletters.unsubscribe", "token"): unsubscribe_token(lin.id)[:-1] + "!",
            ("newsletters", "storage_name"): picture.storage_name,
            ("", "user_id"): admin.id,
            ("", "view_id"): view.id,
            ("", "import_id"): sent.id,
            ("", "session_id"): session_id,
            ("", "token_id"): token_id,
            ("accounts", "token"): "a" * 43,
            ("desk", "name"): "deals.expire",
            ("static", "filename"): "../wsgi.py",
        }
    )


# What nobody owns, or what comes and goes with every request.
SHARED = {"audit_entries", "form_nonces", "idempotency_keys", "rate_counts", "sign_in_back_offs"}
SHARED |= {"one_time_tokens", "heartbeats", "job_runs", "mail_messages", "service_job_numbers"}


def rows(app: Flask, besides: str = "") -> set[str]:
    """Return every row of the tables that hold somebody's things.

    besides: an address; the row of the user who has it is left out.
    """
    with app.app_context():
        return {
            f"{table.name} {row!r}"
            for table in Model.metadata.sorted_tables
            if table.name not in SHARED
            for row in db.session.execute(sa.select(table))
            if not (table.name == "users" and besides and row.email == besides)
        }


def rivals(app: Flask) -> dict[str, str]:
    """Make who should see none of it; return what they are called and their addresses."""
    with app.app_context():
        rival = partners.harbour()
        partners.technician_of_north(rival)
        service_jobs.pacific()
        accounts.make_user("marta@club.example")
        shut = partners.partner("Gone Trading", "GONE")
        values = {"name": "Gone", "roles": [Role.PARTNER_ADMIN, Role.TECHNICIAN]}
        partners.person("gone@gone.example", shut, **values)
        partners.suspend(shut)
        accounts.make_user("nobody@vendor.example", **values)
    return {
        "rival": "owner@harbour.example",
        "technician": "bench@pacific.example",
        "technician of the rival": "tor@north.example",
        "member": "marta@club.example",
        "suspended": "gone@gone.example",
        "without a partner": "nobody@vendor.example",
    }
