"""The job that empties the outbox."""

from portal.foundation.jobs.registry import Run, job
from portal.foundation.mail.sending import send_waiting


@job("mail.send", continuous=True)
def send_mail(run: Run) -> None:
    """Hand queued mail to the next server."""
    send_waiting(run)
