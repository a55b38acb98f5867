"""One run of the tests: its folder, its environment, its worker processes."""

import os
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.making import environment_for

RUN = pytest.StashKey[Databases]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run: one folder for all its processes, and an environment without surprises."""
    given = getattr(config, "workerinput", None)
    if given is None:
        config.stash[RUN] = Databases.for_run()
    else:
        config.stash[RUN] = Databases(Path(given["databases"]), given["workerid"])
    imported = config.stash[RUN].folder / f"imported-{config.stash[RUN].worker}"
    imported.mkdir()
    os.environ.update(environment_for(imported, f"sqlite:///{imported / 'unused.db'}"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker process where the run's folder is."""
    databases = node.config.stash[RUN]  # type: ignore[attr-defined]
    node.workerinput["databases"] = str(databases.folder)  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run: stop its server, remove its folder; only the first process does."""
    if not hasattr(config, "workerinput") and RUN in config.stash:
        config.stash[RUN].close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the browser tests on one worker: they share a server and its demo."""
    for item in items:
        if "browser" in item.path.relative_to(Path(__file__).parent).parts[:1]:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def databases(pytestconfig: pytest.Config) -> Databases:
    """The databases of this run, for tests that need several."""
    return pytestconfig.stash[RUN]
