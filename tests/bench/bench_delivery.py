"""Delivering facts, and drawing a newsletter as a PDF."""

import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from unittest import mock

import weasyprint

from loyalty.newsletters import documents, operations
from portal.accounts.models import Role
from portal.accounts.queries import actor_of
from portal.foundation import facts, pdf
from portal.foundation.actors import Actor
from portal.foundation.database import transaction
from tests.bench.bench_pages import a_user
from tests.bench.bench_points import durable
from tests.bench.ground import application
from tests.bench.measure import bench, measure
from tests.factories.clubs import make_club

FACTS = 200
QUEUE = """
CREATE TABLE deliveries (id INTEGER PRIMARY KEY, state TEXT, next_at TEXT, done_at TEXT);
CREATE INDEX waiting ON deliveries (next_at) WHERE state = 'pending';
"""


@facts.fact("bench.happened")
@dataclass(frozen=True)
class Happened(facts.Fact):
    """Something happened.

    number: which.
    """

    number: int


@bench
def fact_delivery() -> None:
    """Delivering a fact to one listener against finding and marking a row, each durable."""
    with application() as app, tempfile.TemporaryDirectory(prefix="guildhall-bench-") as folder:
        facts.LISTENERS["bench.hear"] = (Happened.name, lambda _happened: None)
        raw_queue = durable(Path(folder) / "raw.db")
        raw_queue.executescript(QUEUE)

        def ours() -> float:
            with app.app_context():
                with transaction():
                    for number in range(FACTS):
                        facts.announce(Happened(number))
                start = time.perf_counter()
                for delivery in facts.waiting_deliveries(limit=FACTS):
                    facts.deliver(delivery)
                return time.perf_counter() - start

        def raw() -> float:
            rows = [("pending", "2026-01-01")] * FACTS
            raw_queue.executemany("INSERT INTO deliveries (state, next_at) VALUES (?, ?)", rows)
            waiting = raw_queue.execute("SELECT id FROM deliveries WHERE state = 'pending'")
            keys = [key for (key,) in waiting]
            start = time.perf_counter()
            for key in keys:
                deliver(raw_queue, key)
            return time.perf_counter() - start

        measure("fact_delivery", ours, raw, "deliveries/s", runs=3, items=FACTS)
        raw_queue.close()
        del facts.LISTENERS["bench.hear"]


def deliver(connection: sqlite3.Connection, key: int) -> None:
    """Find and mark one row in a transaction of two statements."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("SELECT * FROM deliveries WHERE id = ? AND state = 'pending'", (key,))
    connection.execute("UPDATE deliveries SET state = 'done', done_at = 'now' WHERE id = ?", (key,))
    connection.execute("COMMIT")


BLOCKS = [
    {"kind": "heading", "text": "What is new at the Halden Circle"},
    *[{"kind": "text", "text": "Dear {name}, the works hall opens in May. " * 12}] * 6,
    {"kind": "heading", "text": "会员积分"},
    {"kind": "text", "text": "您现有 {points} 积分。" * 20},
    {"kind": "balance"},
    {"kind": "button", "text": "See your points", "url": "https://guildhall.example/"},
]


@bench
def newsletter_pdf() -> None:
    """A newsletter's print edition against bare WeasyPrint of the same HTML."""
    with application() as app:
        user = a_user(app, "marketing@vendor.example", Role.MARKETING)
        with app.app_context():
            author = cast(Actor, actor_of(user.id))
            club = make_club()
            with transaction():
                newsletter = operations.create_newsletter(
                    author, club=club, subject="Spring at the Circle", blocks=BLOCKS
                )
            drawn: list[str] = []

            def keep(html: str, *, tagged: bool = True) -> bytes:
                drawn.append(html)
                return b""

            with mock.patch.object(pdf, "html_to_pdf", keep):
                documents.print_edition(newsletter)
            base = Path(app.static_folder or "").parent.as_uri() + "/"

            def ours() -> None:
                documents.print_edition(newsletter)

            def raw() -> None:
                html = weasyprint.HTML(string=drawn[0], base_url=base)
                html.write_pdf(pdf_variant="pdf/ua-1")

            measure("newsletter_pdf", ours, raw, "s", runs=3)
            pdf.close()
