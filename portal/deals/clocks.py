"""The two clocks of a deal as pages draw them: words, the part of the time gone, a tone."""

from datetime import date, datetime, timedelta

from portal.foundation import clock
from portal.foundation.i18n import _, day_text, duration_text

Drawn = tuple[str, float, str]
FIRST_REMINDER = timedelta(days=30)


def _tone(gone: float, warns_from: float) -> str:
    if gone >= 0.9:
        return "bad"
    return "warn" if gone >= warns_from else "neutral"


def left_text(left: timedelta) -> str:
    """Return a length of time short, such as "5 h 20 m", "3 days" or "late by 1 h 10 m"."""
    if left < timedelta():
        return _("late by %(length)s", length=left_text(-left))
    if left >= timedelta(hours=48):
        return duration_text(left)
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    if not hours:
        return _("%(minutes)s m", minutes=minutes)
    if not minutes:
        return _("%(hours)s h", hours=hours)
    return _("%(hours)s h %(minutes)s m", hours=hours, minutes=minutes)


def decision_clock(decide_by: datetime | None, days: int) -> Drawn | None:
    """Return the clock of a decision that is due at `decide_by`, of `days` in all."""
    if decide_by is None:
        return None
    left = decide_by - clock.now()
    gone = min(max(1 - left / timedelta(days=days), 0.0), 1.0)
    return left_text(left), gone, _tone(gone, 0.5)


def protection_clock(
    until: date | None, ends_at: datetime | None, days: int | None
) -> Drawn | None:
    """Return the clock of a protection of `days` in all; None where there is none."""
    if until is None or ends_at is None or not days:
        return None
    total, left = timedelta(days=days), ends_at - clock.now()
    gone = min(max(1 - left / total, 0.0), 1.0)
    warns_from = max(1 - FIRST_REMINDER / total, 0.5)
    return day_text(until), gone, _tone(gone, warns_from)
