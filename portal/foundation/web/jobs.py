"""Daily cleaning of marks that have served their time."""

from datetime import timedelta

from portal.foundation.database import transaction
from portal.foundation.jobs.registry import Run, job
from portal.foundation.web.api.blueprint import forget_keys
from portal.foundation.web.forms import forget_nonces
from portal.foundation.web.limits import forget_expired


@job("web.clean", at="03:30")
def clean_marks(run: Run) -> None:
    """Forget idempotency keys and form nonces after 30 days, and old rate counts."""
    month_ago = run.at - timedelta(days=30)
    with transaction():
        run.done = forget_keys(month_ago) + forget_nonces(month_ago) + forget_expired()
