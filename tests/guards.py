"""What no test may do: speak to the network, send mail. And what was not run, said aloud."""

import sys
from collections.abc import Iterator

import pytest

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")  # noqa: S104 - compared, not listened on
SMTP_ALLOWED = pytest.StashKey[bool]()

_state = {"active": False, "smtp": False}


class NetworkRefused(AssertionError):  # noqa: N818 - a refusal, as in the house
    """A test tried to leave this machine or to send mail."""


def is_local(address: object) -> bool:
    """Return whether a socket's address is on this machine: loopback or a Unix socket."""
    if isinstance(address, (str, bytes)):
        return True
    if isinstance(address, tuple) and address:
        return str(address[0]).startswith(LOOPBACK)
    return False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if not _state["active"]:
        return
    if event in {"socket.connect", "socket.sendto"} and not is_local(arguments[1]):
        raise NetworkRefused(f"a test may not speak to {arguments[1]!r}")
    if event == "socket.getaddrinfo" and not is_local((arguments[0] or "localhost",)):
        raise NetworkRefused(f"a test may not look up {arguments[0]!r}")
    if event == "smtplib.connect" and not _state["smtp"]:
        raise NetworkRefused("a test may not send mail; mark it smtp and start its own server")


def pytest_configure(config: pytest.Config) -> None:
    """Watch every socket of this process from now on; an audit hook cannot be taken back."""
    if not config.stash.get(SMTP_ALLOWED, False):
        config.stash[SMTP_ALLOWED] = True
        sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    _state.update(active=True, smtp=request.node.get_closest_marker("smtp") is not None)
    yield
    _state.update(active=False, smtp=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what this machine could not run, with the reason, just above the last line."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.getreports("skipped"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        reasons[reason] = reasons.get(reason, 0) + 1
    if not reasons:
        return
    terminalreporter.section("not run on this machine")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} not run: {reason}")
