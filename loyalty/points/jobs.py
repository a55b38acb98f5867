"""What the clock does to points; each job may run again at any time."""

from loyalty.clubs import queries as clubs
from loyalty.points.operations.auditing import audit_ledger
from loyalty.points.operations.gifts import birthday_days, give_birthday_gifts
from loyalty.points.operations.sweeping import due_lots, expire_lots, expired_lots, mature_lots
from portal.foundation.actors import SYSTEM
from portal.foundation.database import transaction
from portal.foundation.jobs.registry import Run, job


@job("clubs.birthday_gifts", every_minutes=60)
def give_gifts(run: Run) -> None:
    """Give birthday points, once a year for each member, on the club's own day."""
    for club in clubs.all_clubs():
        for day in birthday_days(SYSTEM, club=club):
            after: int | None = 0
            while after is not None:
                with transaction():
                    given, last = give_birthday_gifts(SYSTEM, club=club, day=day, after=after)
                run.done += given
                after = last or None


@job("points.mature", every_minutes=60)
def mature(run: Run) -> None:
    """Write pending points whose time has come as usable."""
    while True:
        with transaction():
            lots = due_lots(SYSTEM)
            run.done += mature_lots(SYSTEM, lot_ids=lots)
        if not lots:
            return


@job("points.expire", every_minutes=60)
def expire(run: Run) -> None:
    """Write points whose last day is over as expired, on each club's own day."""
    mature(Run(at=run.at))  # what matured before it ended is to stand there before it goes
    for club in clubs.all_clubs():
        while True:
            with transaction():
                found = expired_lots(SYSTEM, club=club)
                if found is not None:
                    day, lots = found
                    run.done += expire_lots(SYSTEM, club=club, day=day, lot_ids=lots)
            if found is None:
                break


@job("points.audit", at="02:30")
def audit(run: Run) -> None:
    """Recompute every balance from entries and lots, and keep what was found."""
    with transaction():
        found = audit_ledger(SYSTEM)
    run.done = found.accounts
    for finding in found.findings:
        run.fail(finding["what"], finding)
