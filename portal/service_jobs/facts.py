"""What service jobs announce, and how their audit entries read."""

from dataclasses import dataclass
from datetime import datetime

from portal.foundation.audit import Sentence, sentences
from portal.foundation.facts import Fact, fact
from portal.foundation.i18n import _l


@fact("service_jobs.service_job_closed")
@dataclass(frozen=True)
class ServiceJobClosed(Fact):
    """A repaired device was handed back to its owner.

    job_id, reference: the job. closing: 1 for the first time, more after a reopening. serial, sku:
    of the device, as written. station_id: the partner that mended it. owner_email, owner_name: of
    the device's owner, else of who brought it. closed_at: when.
    """

    job_id: int
    reference: str
    closing: int
    serial: str | None
    sku: str | None
    station_id: int
    owner_email: str | None
    owner_name: str | None
    closed_at: datetime


@fact("service_jobs.service_job_reopened")
@dataclass(frozen=True)
class ServiceJobReopened(Fact):
    """A closed job was taken up again, so that its closing no longer counts.

    job_id, reference: the job. closing: number of the closing that is undone. serial: of the
    device. station_id: the partner that mends. owner_email: as the closing said. reopened_at: when.
    """

    job_id: int
    reference: str
    closing: int
    serial: str | None
    station_id: int
    owner_email: str | None
    reopened_at: datetime


sentences(
    {
        "service_jobs.job.received": Sentence(
            _l("%(actor)s took in %(reference)s"), "ring", "info"
        ),
        "service_jobs.job.repair_started": Sentence(
            _l("%(actor)s started the repair"), "half", "info"
        ),
        "service_jobs.job.readied": Sentence(
            _l("%(actor)s finished the repair: %(repair_code)s"), "dot", "good"
        ),
        "service_jobs.job.closed": Sentence(_l("%(actor)s handed it over"), "tick", "good"),
        "service_jobs.job.declined": Sentence(
            _l("%(actor)s noted that the customer declines: %(reason)s"), "cross", "neutral"
        ),
        "service_jobs.job.given_up": Sentence(
            _l("%(actor)s found it beyond repair: %(reason)s"), "cross", "bad"
        ),
        "service_jobs.job.cancelled": Sentence(
            _l("%(actor)s cancelled the job: %(reason)s"), "bar", "neutral"
        ),
        "service_jobs.job.reopened": Sentence(_l("%(actor)s reopened it"), "triangle", "warn"),
        "service_jobs.file.imported": Sentence(
            _l("%(actor)s imported service jobs: %(created)s new, %(updated)s changed"), "bar"
        ),
        "service_jobs.note.written": Sentence(_l("%(actor)s wrote a note"), "ring"),
    }
)
