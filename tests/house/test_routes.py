"""Every route names the policy that opens it."""

from flask import Flask

from portal.foundation.web.policies import policy_of, public


def undeclared(app: Flask) -> list[str]:
    """Return the endpoints that no policy opens, with their paths."""
    return sorted(
        f"{rule.endpoint} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if not policy_of(app.view_functions[rule.endpoint])
    )


def test_a_route_without_a_policy_is_found():
    app = Flask("sample", static_folder=None)
    app.add_url_rule("/open", "open", public(lambda: "open"))
    app.add_url_rule("/forgotten", "forgotten", lambda: "forgotten")
    assert undeclared(app) == ["forgotten /forgotten"]


def test_every_route_has_a_policy(app):
    assert undeclared(app) == []


def test_the_policies_command_names_every_endpoint(app, runner):
    printed = runner.invoke(args=["policies"])
    assert printed.exit_code == 0
    for endpoint in app.view_functions:
        assert endpoint in printed.output
