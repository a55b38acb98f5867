"""Addresses built from BASE_URL, with and without a request."""

import pytest
from werkzeug.routing import BuildError

from portal.foundation.links import absolute_url, base_host


@pytest.mark.parametrize(
    ("base", "address", "host"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/static/a.css", "127.0.0.1"),
        ("https://g.example", "https://g.example/static/a.css", "g.example"),
        ("https://g.example/hall", "https://g.example/hall/static/a.css", "g.example"),
        ("http://[::1]:8000", "http://[::1]:8000/static/a.css", "localhost"),
    ],
)
def test_addresses_come_from_base_url(app, context, monkeypatch, base, address, host):
    monkeypatch.setitem(app.config, "BASE_URL", base)
    assert absolute_url("static", filename="a.css") == address
    assert base_host() == host
    with app.test_request_context("/x", headers={"Host": "evil.example"}):
        assert absolute_url("static", filename="a.css") == address
        assert absolute_url("static", filename="a.css", _anchor="b") == address + "#b"


def test_an_endpoint_that_is_not_there_is_refused(context):
    with pytest.raises(BuildError):
        absolute_url("nowhere.at_all")
