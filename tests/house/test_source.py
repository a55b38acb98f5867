"""The rules of the house, judged on every Python file; each rule is first shown a breach."""

import pytest

from tests.house import rules
from tests.house.source import PRODUCT, Rule, Source, sources

TESTS = ("tests",)
ALL = (*PRODUCT, *TESTS)

OPERATION = "portal/deals/operations.py"
CASES: list[tuple[Rule, tuple[str, ...], str, str, str]] = [
    # rule, where it holds, file of the examples, a breach, the right way
    (rules.own_commit, PRODUCT, OPERATION, "db.session.commit()", "db.session.flush()"),
    (rules.own_commit, PRODUCT, OPERATION, "session.rollback()", "with transaction(): pass"),
    (rules.own_commit, PRODUCT, OPERATION, "db.engine.begin()", "chapter.begin(1)"),
    (rules.own_clock, PRODUCT, OPERATION, "datetime.now(UTC)", "clock.now()"),
    (rules.own_clock, PRODUCT, OPERATION, "datetime.datetime.utcnow()", "clock.now()"),
    (rules.own_clock, PRODUCT, OPERATION, "date.today()", "clock.today('UTC')"),
    (rules.own_clock, PRODUCT, OPERATION, "time.time()", "time.monotonic()"),
    (rules.own_clock, PRODUCT, OPERATION, "sa.func.now()", "sa.func.count()"),
    (
        rules.no_http_below_views,
        PRODUCT,
        OPERATION,
        "from flask import request",
        "from flask import current_app",
    ),
    (
        rules.no_http_below_views,
        PRODUCT,
        "loyalty/clubs/queries.py",
        "from flask_login import current_user",
        "from portal.foundation.actors import Actor",
    ),
    (
        rules.no_http_below_views,
        PRODUCT,
        "portal/deals/mails.py",
        "from flask import url_for",
        "from flask import render_template",
    ),
    (rules.empty_init, ALL, "portal/deals/__init__.py", '"""Deals."""\nx = 1', '"""Deals."""'),
    (rules.short_file, ALL, OPERATION, "x = 1\n" * 402, "x = 1\n" * 400),
    (
        rules.imports_on_top,
        ALL,
        OPERATION,
        "def f():\n    import os",
        "import os\ndef f(): pass",
    ),
    (
        rules.docstrings,
        PRODUCT,
        OPERATION,
        '"""A."""\ndef approve_deal(): pass',
        '"""A."""\ndef _approve(): pass',
    ),
    (
        rules.docstrings,
        PRODUCT,
        OPERATION,
        '"""A."""\nclass Deal:\n    """B."""\n    def value(self): pass',
        '"""A."""\nclass Deal:\n    """B."""\n    def __eq__(self, other): pass',
    ),
    (
        rules.no_spliced_sql,
        ALL,
        OPERATION,
        'f"select * from deals where id = {x}"',
        'f"choose {x} from the list"',
    ),
    (
        rules.no_spliced_sql,
        ALL,
        OPERATION,
        '"delete from deals where id = %s" % x',
        'text("delete from deals where id = :id")',
    ),
    (
        rules.no_spliced_sql,
        ALL,
        OPERATION,
        '"update deals set a = {}".format(x)',
        '"update the {} set".format(x)',
    ),
    (
        rules.no_sleep,
        TESTS,
        "tests/portal/deals/test_views.py",
        "time.sleep(1)",
        "wait_until(ready, 'ready')",
    ),
    (
        rules.actor_first,
        PRODUCT,
        OPERATION,
        "def approve_deal(deal): record(deal)",
        "def approve_deal(actor, deal): record(actor, deal)",
    ),
    (rules.explained_exceptions, ALL, OPERATION, "x = 1  # no" + "qa", "x = 1  # no" + "qa: E501"),
]
RULES = sorted({(rule, where) for rule, where, *_ in CASES}, key=lambda pair: pair[0].__name__)


@pytest.mark.parametrize(
    ("rule", "name", "wrong", "right"),
    [(rule, name, wrong, right) for rule, _, name, wrong, right in CASES],
    ids=[f"{rule.__name__}-{number}" for number, (rule, *_) in enumerate(CASES)],
)
def test_a_rule_finds_its_breach_and_nothing_else(rule, name, wrong, right):
    assert list(rule(Source.of(wrong, name)))
    assert not list(rule(Source.of(right, name)))


@pytest.mark.parametrize(("rule", "where"), RULES, ids=[rule.__name__ for rule, _ in RULES])
def test_the_house_keeps_the_rule(rule, where):
    breaches = [str(found) for source in sources(*where) for found in rule(source)]
    assert not breaches, f"{rule.__doc__}\n" + "\n".join(breaches)


def test_late_imports_name_files_that_exist():
    present = {source.name for source in sources(*ALL)}
    assert set(rules.LATE_IMPORTS) <= present
