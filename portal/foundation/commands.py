"""Commands of the foundation itself: policies, facts, settings."""

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from portal.foundation import clock, facts
from portal.foundation.backup import backup, restore
from portal.foundation.database import db, transaction
from portal.foundation.facts import DeliveryState, FactDelivery, StoredFact
from portal.foundation.seeding import seed
from portal.foundation.serve import serve
from portal.foundation.web.policies import policy_of

facts_cli = AppGroup("facts", help="Deliveries of facts to listeners.")


@click.command("policies")
@with_appcontext
def show_policies() -> None:
    """List every endpoint with the policy that opens it.

    Example: flask --app wsgi policies
    """
    for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        policy = policy_of(current_app.view_functions[rule.endpoint]) or "NONE"
        click.echo(f"{rule.endpoint:40} {methods:12} {rule.rule:50} {policy}")


@facts_cli.command("deliver")
@with_appcontext
def deliver() -> None:
    """Deliver what waits now.

    Example: flask --app wsgi facts deliver
    """
    done = failed = 0
    while waiting := facts.waiting_deliveries():
        outcomes = [facts.deliver(delivery_id) for delivery_id in waiting]
        done += outcomes.count(True)
        failed += outcomes.count(False)
        if set(outcomes) == {None}:  # another process has all of them
            break
    click.echo(f"{done} delivered, {failed} failed")
    raise SystemExit(3 if failed else 0)


@facts_cli.command("failed")
@with_appcontext
def failed() -> None:
    """List deliveries that were given up.

    Example: flask --app wsgi facts failed
    """
    rows = db.session.execute(
        sa.select(FactDelivery, StoredFact.name)
        .join(StoredFact, StoredFact.id == FactDelivery.fact_id)
        .where(FactDelivery.state == DeliveryState.FAILED)
        .order_by(FactDelivery.id)
    )
    for delivery, name in rows:
        error = (delivery.error or "").strip().split("\n")[-1]
        click.echo(f"{delivery.id} {name} {delivery.listener} after {delivery.attempts}: {error}")


@facts_cli.command("replay")
@click.argument("listener")
@click.option("--since", metavar="INSTANT", help="Only facts announced from then on (ISO 8601).")
@with_appcontext
def replay(listener: str, since: str | None) -> None:
    """Queue every fact of LISTENER's kind for it again.

    Example: flask --app wsgi facts replay points.award_for_closed_job --since 2026-11-01
    """
    if listener not in facts.LISTENERS:
        known = ", ".join(sorted(facts.LISTENERS))
        raise click.UsageError(f"There is no listener {listener}. There are: {known}")
    try:
        instant = clock.parse_instant(since) if since else None
    except ValueError:
        raise click.UsageError(f"{since} is not an instant, such as 2026-11-01.") from None
    with transaction():
        count = facts.replay(listener, instant)
    click.echo(f"{count} queued")


COMMANDS = [show_policies, facts_cli, seed, serve, backup, restore]
