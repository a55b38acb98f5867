"""A mail server of the tests' own, and a small mail to send."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader

TEMPLATES = {
    "mail/tests/hello.txt": (
        '{% extends "layouts/mail.txt" %}{% block subject %}Hello {{ who }}{% endblock %}'
        "{% block body %}Dear {{ who }}, see {{ absolute_url('static', filename='x') }}"
        "{% endblock %}"
    ),
    "mail/tests/hello.html": (
        '{% extends "layouts/mail.html" %}{% from "components/mail.html" import button, facts %}'
        "{% block body %}<h1>Hello {{ who }}</h1>"
        "{{ facts([('One', 1), ('Two', 2)]) }}"
        "{{ button(absolute_url('static', filename='x'), 'Open') }}{% endblock %}"
    ),
    "mail/tests/headless.txt": "{% block body %}nothing{% endblock %}",
    "mail/tests/headless.html": "<p>nothing</p>",
}
# A key for 127.0.0.1 that guards nothing.
CERTIFICATE = Path(__file__).with_name("mail_server.pem")
CUT = "cut the connection"


@contextmanager
def mail_templates(app: Flask) -> Iterator[None]:
    """Let `app` know the tests' mails."""
    before = app.jinja_env.loader
    assert before is not None
    app.jinja_env.loader = ChoiceLoader([DictLoader(TEMPLATES), before])
    try:
        yield
    finally:
        app.jinja_env.loader = before


class Postbox:
    """A server's handler: takes everything but what a test scripts for an address.

    at_recipient, at_data: answers for an address, used up one by one; CUT ends the connection
    after the content has come and before the answer goes.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.at_recipient: dict[str, list[str]] = {}
        self.at_data: dict[str, list[str]] = {}
        self.peers: list[object] = []
        self.users: list[str] = []
        self.encrypted: list[bool] = []

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to a recipient."""
        script = self.at_recipient.get(address)
        if script:
            return script.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep the message, then answer."""
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients += envelope.rcpt_tos
        self.peers.append(session.peer)
        self.encrypted.append(session.ssl is not None)
        script = self.at_data.get(envelope.rcpt_tos[0])
        answer = script.pop(0) if script else "250 OK"
        if answer == CUT:
            assert server.transport is not None
            server.transport.abort()  # type: ignore[attr-defined]
        return answer

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _kind: str, data: object
    ) -> AuthResult:
        """Let in whoever knows the password."""
        assert isinstance(data, LoginPassword)
        self.users.append(data.login.decode())
        return AuthResult(success=data.password == b"p@ss:w/rd", handled=False)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def mail_server(postbox: Postbox, port: int, *, tls: bool = False) -> Iterator[str]:
    """Run a mail server on this machine; give its address as MAIL_URL takes it.

    tls: whether it offers STARTTLS, with a certificate that nobody vouches for.
    """
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
    controller = Controller(
        postbox,
        hostname="127.0.0.1",
        port=port,
        authenticator=postbox.authenticate,
        auth_require_tls=False,
        enable_SMTPUTF8=False,
        tls_context=context,
    )
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()
