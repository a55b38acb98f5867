"""Handing messages to the next server, or to a folder of files where there is none."""

import os
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import SplitResult, unquote, urlsplit

from portal.foundation.mail.writing import POLICY, POLICY_UTF8

TIMEOUT_SECONDS = 10.0
# Leaving before a late 250 would send the message twice.
CONTENT_TIMEOUT_SECONDS = 60.0
# Enhanced codes (RFC 3463) that speak of our message or of us, not of the reader's address.
NOT_THE_ADDRESS = ("5.3.", "5.5.", "5.6.", "5.7.")


class TryLater(Exception):  # noqa: N818 - what the server asks for
    """The server does not take this message now; others may go."""


class Unreachable(TryLater):
    """No server answers; nothing else can be sent for now either."""


class RefusedForGood(Exception):  # noqa: N818 - the server's last word
    """The server will never take this message.

    stops_address: whether it says so of the address, which then gets no more mail.
    """

    def __init__(self, answer: str, *, stops_address: bool) -> None:
        super().__init__(answer)
        self.stops_address = stops_address


class Transport(Protocol):
    """Where messages go; a context manager that keeps its connection until it is left."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Hand over one message.

        Refuses with TryLater, Unreachable or RefusedForGood; returns once it was taken.
        """


class Folder:
    """Writes each message as `<message id>.eml`, so that a second try replaces the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Write the file whole or not at all; a full disk is TryLater."""
        name = str(message["Message-ID"]).strip("<>").split("@")[0]
        target = self.folder / f"{name}.eml"
        making = self.folder / f".{name}.{os.getpid()}.tmp"
        try:
            with making.open("wb") as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            making.replace(target)
        except OSError as error:
            making.unlink(missing_ok=True)
            raise Unreachable(f"{target.name}: {error}") from error


@dataclass(frozen=True, slots=True)
class Server:
    """An SMTP server as MAIL_URL names it."""

    host: str
    port: int
    tls: bool
    user: str
    password: str

    @classmethod
    def of(cls, parts: SplitResult) -> "Server":
        """Return the server of a smtp:// or smtps:// address, user and password decoded.

        The port is 465 for smtps, else 587 with a user and 25 without one.
        """
        tls = parts.scheme == "smtps"
        user = unquote(parts.username or "")
        usual = 465 if tls else 587 if user else 25
        return cls(
            parts.hostname or "localhost",
            parts.port or usual,
            tls,
            user,
            unquote(parts.password or ""),
        )

    @property
    def is_this_machine(self) -> bool:
        """Return whether the server's name is this machine's own."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Smtp:
    """Sends over one connection, opened at the first message and again when it was lost."""

    def __init__(self, server: Server, own_name: str) -> None:
        self.server = server
        self.own_name = own_name
        self.connection: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.connection is not None:
            try:
                self.connection.quit()
            except (OSError, smtplib.SMTPException):
                self._drop()
            self.connection = None

    def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Hand over one message; the server's 250 after the content is what counts."""
        connection = self._connected()
        options = ["SMTPUTF8"] if not recipient.isascii() else []
        if options and not connection.has_extn("smtputf8"):
            raise RefusedForGood("the server takes no such address", stops_address=False)
        content = message.as_bytes(policy=POLICY_UTF8 if options else POLICY)
        self._step("MAIL", lambda: connection.mail(sender, options))
        self._step("RCPT", lambda: connection.rcpt(recipient))
        self._patience(CONTENT_TIMEOUT_SECONDS)
        self._step("DATA", lambda: connection.data(content))
        self._patience(TIMEOUT_SECONDS)

    def _patience(self, seconds: float) -> None:
        if self.connection is not None and self.connection.sock is not None:
            self.connection.sock.settimeout(seconds)

    def _step(self, verb: str, ask: Callable[[], tuple[int, bytes]]) -> None:
        try:
            code, answer = ask()
        except smtplib.SMTPDataError as error:
            code, answer = error.smtp_code, _bytes(error.smtp_error)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # The connection went before an answer came: whether the message arrived is unknown.
            self._drop()
            raise TryLater(f"{verb}: {error!r}") from error
        if 200 <= code < 300:
            return
        text = f"{verb}: {code} {answer.decode(errors='replace')}"[:500]
        if code == 421 or code < 0:
            self._drop()
            raise TryLater(text)
        self._reset()
        if code >= 500 and verb != "MAIL":  # at MAIL it speaks of the sender, which can be mended
            enhanced = answer.decode(errors="replace").split(" ", 1)[0]
            raise RefusedForGood(text, stops_address=not enhanced.startswith(NOT_THE_ADDRESS))
        raise TryLater(text)

    def _connected(self) -> smtplib.SMTP:
        if self.connection is not None:
            return self.connection
        try:
            self.connection = self._opened()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Unreachable(f"{self.server.host}:{self.server.port}: {error!r}") from error
        return self.connection

    def _opened(self) -> smtplib.SMTP:
        server, verified = self.server, ssl.create_default_context()
        if server.tls:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, self.own_name, timeout=TIMEOUT_SECONDS, context=verified
            )
        else:
            connection = smtplib.SMTP(
                server.host, server.port, self.own_name, timeout=TIMEOUT_SECONDS
            )
        try:
            connection.ehlo_or_helo_if_needed()
            secret = server.tls
            if not server.tls and connection.has_extn("starttls"):
                connection.starttls(context=verified)
                connection.ehlo()
                secret = True
            if server.user:
                if not secret and not server.is_this_machine:
                    raise smtplib.SMTPException("no TLS is offered: the password is not sent")
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _reset(self) -> None:
        try:
            if self.connection is not None:
                self.connection.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def _bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode()


def transport_for(mail_url: str, data_dir: Path, host: str) -> Transport:
    """Return where MAIL_URL sends to; host: the name this machine greets with."""
    parts = urlsplit(mail_url)
    if parts.scheme == "file":
        return Folder(data_dir / "outbox")
    return Smtp(Server.of(parts), _greeting(host))


def _greeting(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        return host
    return f"[{host}]"
