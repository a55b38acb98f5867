"""Every text is there in every language, with the same places for values."""

import re
import tomllib
from collections.abc import Iterator

import pytest
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_keywords
from babel.messages.pofile import read_po

from portal.foundation.i18n import DEFAULT_LANGUAGE, LANGUAGES
from tests.house.source import ROOT

PLACE = re.compile(r"%\((\w+)\)[sd]|%%")
KEYWORDS = parse_keywords(["_", "_l", "_n:1,2", "gettext", "ngettext:1,2"])
TRANSLATED = sorted(set(LANGUAGES) - {DEFAULT_LANGUAGE})


def collected() -> Catalog:
    """Return every text of the product, as `make translations` collects them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["babel"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in settings["mappings"]]
    catalog = Catalog()
    for folder in ("portal", "loyalty", "templates"):
        found = extract_from_dir(
            ROOT / folder,
            method_map=methods,
            options_map={pattern: {"silent": "false"} for pattern, _ in methods},
            keywords=KEYWORDS,
        )
        for name, line, message, _comments, context in found:
            catalog.add(message, locations=[(f"{folder}/{name}", line)], context=context)
    return catalog


def gaps(wanted: Catalog, translated: Catalog) -> Iterator[str]:
    """Yield the texts of `wanted` that `translated` lacks or fills differently."""
    for message in wanted:
        if not message.id:
            continue
        there = translated.get(message.id, message.context)
        source = message.id if isinstance(message.id, str) else message.id[1]
        if there is None or not there.string or there.fuzzy:
            yield f"not translated: {source!r} {message.locations[:1]}"
            continue
        texts = [there.string] if isinstance(there.string, str) else there.string
        for text in texts:
            if not text:
                yield f"a plural form is missing: {source!r}"
            elif set(PLACE.findall(text)) - set(PLACE.findall(source)):
                yield f"another place for a value: {source!r} → {text!r}"


def test_gaps_are_found():
    wanted, translated = Catalog(), Catalog("zh_Hans_CN")
    for text in ("Deal", "Job of %(name)s", "Sign in"):
        wanted.add(text)
    translated.add("Deal", "商机")
    translated.add("Job of %(name)s", "%(person)s 的工单")
    found = list(gaps(wanted, translated))
    assert len(found) == 2
    assert "another place" in found[0]
    assert "not translated: 'Sign in'" in found[1]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated(language):
    path = ROOT / f"portal/foundation/translations/{language}/LC_MESSAGES/messages.po"
    with path.open("rb") as file:
        translated = read_po(file, locale=language)
    found = list(gaps(collected(), translated))
    assert not found, f"{len(found)} gaps in {language}; run `make translations`\n" + "\n".join(
        found[:40]
    )
