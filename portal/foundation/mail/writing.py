"""Writing a message: templates to subject, text and HTML, and those to bytes for a server."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import lru_cache
from typing import Any

import css_inline
from email_validator import EmailNotValidError, validate_email
from flask import current_app
from jinja2 import Template

from portal.foundation import i18n
from portal.foundation.errors import Refused
from portal.foundation.i18n import _l
from portal.foundation.links import absolute_url, base_host
from portal.foundation.mail.models import MailMessage
from portal.foundation.settings import Definition, define, setting

POLICY = SMTP.clone(cte_type="7bit")
POLICY_UTF8 = POLICY.clone(utf8=True)
MOST_SUBJECT = 300
MOST_NAME = 120
OWN_HEADERS = frozenset(
    {"from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "auto-submitted"}
    | {"mime-version", "content-type", "content-transfer-encoding", "return-path", "received"}
)
_header_name = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_line_ends = re.compile(r"[\r\n\x00\x0b\x0c\x85\u2028\u2029]")

define(
    Definition(
        "mail.from",
        "",
        _l("Sender of mail"),
        help=_l("Such as: Guildhall <no-reply@vendor.example>. Empty: no-reply at this site."),
    )
)


@dataclass(frozen=True, slots=True)
class Written:
    """A message before it has a reader's address: subject, plain text, HTML."""

    subject: str
    text: str
    html: str


def one_line(text: str, most: int) -> str:
    """Return `text` without line ends and control characters, cut to `most` characters."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return " ".join(kept.split())[:most].rstrip()


def checked_address(address: str) -> str:
    """Return `address` as servers take it, its domain in ASCII and lower case.

    Refuses what is not one e-mail address; whether anybody reads it is not asked.
    """
    try:
        found = validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Refused(_l("This is not an e-mail address."), field="email") from None
    return found.ascii_email or f"{found.local_part}@{found.ascii_domain}"


def checked_headers(headers: dict[str, str] | None) -> dict[str, str]:
    """Return `headers` as they are.

    Refuses (ValueError) a name or value that could end its line, and headers that are set here.
    """
    for name, value in (headers or {}).items():
        if not _header_name.fullmatch(name) or name.lower() in OWN_HEADERS:
            raise ValueError(f"{name!r} is not a header that a mail may add")
        if _line_ends.search(value):
            raise ValueError(f"the header {name} holds a line end")
    return dict(headers or {})


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    # Media queries cannot be inlined: the tag keeps them, the rules beside them go.
    return css_inline.CSSInliner(
        load_remote_stylesheets=False, keep_at_rules=True, remove_inlined_selectors=True
    )


def _subject(template: Template, values: dict[str, Any]) -> str:
    block = template.blocks.get("subject")
    if block is None:
        raise LookupError(f"{template.name} has no block named subject")
    return one_line("".join(block(template.new_context(values))), MOST_SUBJECT)


def write_mail(kind: str, *, language: str | None, zone: str, **context: Any) -> Written:
    """Return the mail `kind` in `language`, times in `zone`.

    kind: "accounts/reset" for `templates/mail/accounts/reset.txt` and `.html`; the first names
    the subject in a block. Refuses (TemplateNotFound, LookupError) a mail without one of the three.
    """
    environment = current_app.jinja_env
    with i18n.in_language(language, zone):
        values = {
            "absolute_url": absolute_url,
            "language_tag": i18n.LANGUAGE_TAGS[i18n.language()],
            "vendor": str(setting("vendor.name")),
            "base_url": current_app.config["BASE_URL"],
            "day_text": i18n.day_text,
            "long_day_text": i18n.long_day_text,
            "instant_text": i18n.instant_text,
            "number_text": i18n.number_text,
            **context,
        }
        plain = environment.get_template(f"mail/{kind}.txt")
        rich = environment.get_template(f"mail/{kind}.html")
        values["subject"] = _subject(plain, values)
        # CSS is inlined into what was rendered: an HTML parser moves Jinja's loops out of tables.
        return Written(
            subject=values["subject"],
            text=_tidy(plain.render(values)),
            html=_inliner().inline(rich.render(values)),
        )


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def sender() -> Address:
    """Return who mail comes from: the setting `mail.from`, else no-reply at BASE_URL's host."""
    host = base_host()
    try:
        fallback = Address("Guildhall", "no-reply", host)
    except (ValueError, HeaderParseError):
        fallback = Address("Guildhall", "no-reply", "localhost")
    given = str(setting("mail.from"))
    if not given:
        return fallback
    try:
        header = POLICY.header_factory("From", one_line(given, 200))
        if len(header.addresses) != 1 or header.defects:
            return fallback
        found: Address = header.addresses[0]
        checked_address(found.addr_spec)
    except (ValueError, IndexError, HeaderParseError, Refused):
        return fallback
    return found


def address_header(name: str, address: str) -> Address | str:
    """Return a name and address for a header, encoded by the library."""
    try:
        return Address(display_name=name, addr_spec=address)
    except (ValueError, IndexError, HeaderParseError):
        return address


def compose(
    row: MailMessage, origin: Address, attachments: Iterable[tuple[str, str, bytes]] = ()
) -> EmailMessage:
    """Return `row` as a message; every try gives the same headers.

    attachments: name, media type and content. Refuses (ValueError) a line end in any header.
    """
    message = EmailMessage(policy=POLICY)
    message["From"] = origin
    message["To"] = address_header(row.to_name, row.to_address)
    message["Subject"] = row.subject
    message["Date"] = row.created_at
    message["Message-ID"] = f"<{row.message_id}>"
    message["Auto-Submitted"] = "auto-generated"
    for name, value in checked_headers(row.headers).items():
        message[name] = value
    message.set_content(row.text)
    message.add_alternative(row.html, subtype="html")
    for name, media_type, content in attachments:
        main, _, sub = media_type.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    message["Content-Language"] = i18n.LANGUAGE_TAGS.get(row.language, "en")
    return message
