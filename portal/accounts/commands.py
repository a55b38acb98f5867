"""`flask users create` and `flask tokens create`."""

import sys
from datetime import timedelta
from typing import NoReturn

import click
from flask.cli import AppGroup, with_appcontext

from portal.accounts import operations, queries
from portal.accounts.models import Role
from portal.foundation.actors import SYSTEM
from portal.foundation.database import transaction
from portal.foundation.errors import Refused

users = AppGroup("users", help="People who sign in.")
tokens = AppGroup("tokens", help="Tokens for the API.")
COMMANDS = [users, tokens]
MOST_DAYS = 36_500


def _stop(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    raise SystemExit(2)


def _password(from_stdin: bool) -> str:
    if not from_stdin:
        _stop("Give the password on standard input with --password-stdin.")
    return sys.stdin.readline().rstrip("\r\n")


@users.command("create")
@click.option("--email", default="", help="The address to sign in with.")
@click.option("--name", default="", help="The name that others see.")
@click.option("--role", default="", help="One of: " + ", ".join(Role))
@click.option("--partner", default=None, metavar="REF", help="The partner's reference.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_appcontext
def create_user(
    email: str, name: str, role: str, partner: str | None, password_stdin: bool
) -> None:
    """Add a user who can sign in at once.

    Example: echo "$PASSWORD" | flask --app wsgi users create --email ada@vendor.example
    --name Ada --role administrator --password-stdin
    """
    if not email or not name.strip() or not role:
        _stop("Give --email, --name and --role.")
    if len(email) > 254 or len(name) > 200 or not (email + name).isprintable():
        _stop("This address or name is too long, or holds characters that cannot be printed.")
    if role not in set(Role):
        _stop(f"There is no role {role}. There are: {', '.join(Role)}")
    partner_id = queries.partner_id_by_reference(partner) if partner else None
    if partner and partner_id is None:
        _stop(f"No partner has the reference {partner}.")
    password = _password(password_stdin)
    try:
        with transaction():
            user = operations.create_user(
                SYSTEM,
                email=email,
                name=name,
                roles=[Role(role)],
                password=password,
                partner_id=partner_id,
            )
    except Refused as refusal:
        _stop(str(refusal))
    click.echo(f"{user.email} created")


@tokens.command("create")
@click.option("--email", default="", help="Whom the token acts as.")
@click.option("--name", default="", help="What the token is for.")
@click.option("--expires-in", default=None, metavar="DAYS", help="Days until it ends.")
@with_appcontext
def create_token(email: str, name: str, expires_in: str | None) -> None:
    """Make an API token and print it alone; only its hash is stored.

    Example: flask --app wsgi tokens create --email ada@vendor.example --name shop --expires-in 90
    """
    if not email or not name.strip() or len(name) > 100 or not name.isprintable():
        _stop("Give --email, and --name of at most 100 characters.")
    life = None
    if expires_in is not None:
        if not expires_in.isdecimal() or not 1 <= int(expires_in) <= MOST_DAYS:
            _stop(f"--expires-in is a whole number of days from 1 to {MOST_DAYS}.")
        life = timedelta(days=int(expires_in))
    user = queries.user_by_email(email)
    if user is None or not user.is_active:
        _stop(f"There is no active user {email}.")
    with transaction():
        token = operations.create_token(SYSTEM, user=user, name=name.strip(), expires_in=life)
    click.echo(token)
