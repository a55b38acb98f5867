"""The job that removes bytes without a row: uploads whose transaction was rolled back."""

from portal.foundation.files.operations import clean_store
from portal.foundation.jobs.registry import Run, job


@job("files.clean", at="03:50")
def clean_files(run: Run) -> None:
    """Remove stored bytes that nothing names."""
    run.done = clean_store()
