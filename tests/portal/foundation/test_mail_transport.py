"""What MAIL_URL says of a server, and what is never said to one."""

from urllib.parse import urlsplit

import pytest

from portal.foundation.mail.transport import Server, Smtp, Unreachable, transport_for
from tests.portal.foundation.mailing import Postbox, free_port, mail_server


def test_server_addresses():
    assert Server.of(urlsplit("smtp://mail.example")) == Server("mail.example", 25, False, "", "")
    assert Server.of(urlsplit("smtp://u:p%2F@mail.example")).port == 587
    assert Server.of(urlsplit("smtps://u:p@mail.example")) == Server(
        "mail.example", 465, True, "u", "p"
    )
    assert Server.of(urlsplit("smtp://[::1]:2525")).is_this_machine
    assert not Server.of(urlsplit("smtp://mail.example")).is_this_machine


@pytest.mark.smtp
def test_a_password_is_not_sent_in_the_open(monkeypatch):
    postbox = Postbox()
    monkeypatch.setattr(Server, "is_this_machine", False)
    with mail_server(postbox, free_port()) as url:
        port = urlsplit(url).port
        assert port is not None
        with pytest.raises(Unreachable, match="password is not sent"):
            Smtp(Server("127.0.0.1", port, False, "u", "p"), "x")._connected()
    assert postbox.users == []


@pytest.mark.parametrize(
    ("host", "greeting"), [("g.example", "g.example"), ("127.0.0.1", "[127.0.0.1]")]
)
def test_this_machine_greets_with_the_name_of_base_url(tmp_path, host, greeting):
    smtp = transport_for("smtp://mail.example", tmp_path, host)
    assert isinstance(smtp, Smtp)
    assert smtp.own_name == greeting
