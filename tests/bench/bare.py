"""The bare way to serve the same list: Flask, one query, one plain template, nothing else."""

import os
from typing import Any

import sqlalchemy as sa
from flask import Flask, render_template_string

from portal.deals.models import Deal
from portal.partners.models import Partner

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Deals</title></head>
<body><h1>Deals</h1><p>{{ count }}</p><table><thead><tr><th>Customer</th><th>Deal</th>
<th>Partner</th><th>State</th><th>Amount</th><th>Closes</th><th>Protected until</th></tr></thead>
<tbody>{% for row in rows %}<tr><td><a href="/deals/{{ row.id }}">{{ row.customer_name }}</a></td>
<td>{{ row.reference }}</td><td>{{ row.name }}</td><td>{{ row.status.value }}</td>
<td>{{ "{:,.2f}".format(row.amount) }} {{ row.currency }}</td>
<td>{{ row.expected_close_on or "–" }}</td><td>{{ row.protected_until or "–" }}</td></tr>
{% endfor %}</tbody></table></body></html>"""


def create_app() -> Flask:
    """Return an application of one page."""
    app = Flask("bare")
    engine = sa.create_engine(os.environ["DATABASE_URL"], pool_size=8)
    joined = sa.join(Deal, Partner, Partner.id == Deal.partner_id)
    columns: list[Any] = [
        *[Deal.id, Deal.customer_name, Deal.reference, Partner.name, Deal.status, Deal.amount],
        *[Deal.currency, Deal.expected_close_on, Deal.protected_until, Deal.protection_ends_at],
        *[Deal.protection_days, Deal.registered_on],
    ]
    order = (Deal.registered_on.desc(), Deal.id.desc())
    rows = sa.select(*columns).select_from(joined).order_by(*order).limit(51)
    inner = sa.select(Deal.id).select_from(joined).limit(1_001).subquery()
    count = sa.select(sa.func.count()).select_from(inner)

    @app.get("/deals")
    def deals() -> str:
        with engine.connect() as connection:
            found = connection.execute(rows).all()
            most = connection.scalar(count)
        return render_template_string(PAGE, rows=found[:50], count=most)

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    return app
