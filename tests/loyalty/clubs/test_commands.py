"""`flask programme load | show`."""

import json

import pytest
import yaml

from tests.factories.clubs import PROGRAMME, make_club


@pytest.fixture
def club(context):
    return make_club(programme=PROGRAMME | {"pending_days": 3})


def test_a_yaml_programme_is_loaded_and_shown(club, runner, tmp_path):
    path = tmp_path / "programme.yaml"
    path.write_text(
        "effective_from: 2026-01-01\n"
        "earning:\n  - {name: base, phase: base, points_per: '1.00', points: 1}\n"
    )
    done = runner.invoke(args=["programme", "load", "circle", str(path)])
    assert done.exit_code == 0
    assert json.loads(done.output) == {"version": 2, "status": "published"}
    shown = runner.invoke(args=["programme", "show", "circle"])
    assert json.loads(shown.output)["programme"]["effective_from"] == "2026-01-01"
    again = runner.invoke(args=["programme", "load", "circle", str(path)])
    assert json.loads(again.output)["version"] == 2


def test_json_is_read_too(club, runner, tmp_path):
    path = tmp_path / "programme.json"
    path.write_text(json.dumps(PROGRAMME))
    assert runner.invoke(args=["programme", "load", "circle", str(path)]).exit_code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("surprise: 1\neffective_from: 2026-01-01", "surprise"),
        (yaml.safe_dump(PROGRAMME | {"tiers": [{"code": "a"}]}), "not supported yet"),
        ("[1, 2", "cannot be read"),
        ("- 1", "no programme document"),
        ("a: &a 1\nb: *a", "aliases"),
        ("!!python/object/apply:os.system [ls]", "cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(club, runner, tmp_path, text, words):
    path = tmp_path / "programme.yaml"
    path.write_text(text)
    done = runner.invoke(args=["programme", "load", "circle", str(path)])
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


def test_an_unknown_club_and_a_missing_file(club, runner, tmp_path):
    assert runner.invoke(args=["programme", "show", "nowhere"]).exit_code == 2
    args = ["programme", "load", "circle", str(tmp_path / "none.yaml")]
    assert runner.invoke(args=args).exit_code == 2
