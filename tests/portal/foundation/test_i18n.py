"""Texts in the reader's language, safe on pages."""

from portal.foundation.i18n import _l


def test_a_lazy_text_is_escaped_on_a_page(context):
    text = _l("%(code)s is not a currency code.", code="<script>")
    page = context.jinja_env.from_string("{{ text }}").render(text=text)
    assert page == "&lt;script&gt; is not a currency code."
