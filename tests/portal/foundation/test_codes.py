"""QR codes: drawings that a reader finds its text in, and nothing else."""

import io
import re

import pytest
import segno

from portal.foundation.codes import qr_svg


def test_a_code_draws_what_the_library_draws():
    text = "https://guildhall.example/service-jobs/88?a=1&b=2"
    out = io.StringIO()
    segno.make(text, error="m", micro=False, boost_error=False).save(out, kind="txt", border=0)
    wide = len(out.getvalue().splitlines()[0])
    assert f'viewBox="0 0 {wide + 8} {wide + 8}"' in qr_svg(text)
    assert qr_svg(text) != qr_svg(text + "3")


def test_a_code_stands_on_white_and_is_read_aloud():
    code = qr_svg("x", label='Card "1" <b>', size="30mm")
    assert 'fill="#fff"' in code
    assert 'role="img" aria-label="Card &#34;1&#34; &lt;b&gt;"' in code
    assert 'width="30mm"' in code
    assert 'aria-hidden="true"' in qr_svg("x")


def test_a_code_needs_nothing_from_elsewhere():
    code = qr_svg("javascript:alert(1)//<script>")
    assert not re.search(r"href|url\(|<script|javascript", code)


def test_a_text_that_no_code_holds_is_refused():
    with pytest.raises(ValueError, match="too long"):
        qr_svg("x" * 3_000)
