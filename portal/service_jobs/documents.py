"""Papers of repair jobs."""

from portal.foundation import i18n
from portal.foundation.codes import qr_svg
from portal.foundation.i18n import _, _l
from portal.foundation.links import absolute_url
from portal.foundation.pdf import render_pdf
from portal.installed_base.queries import LINE_LABELS, product_of
from portal.service_jobs import queries
from portal.service_jobs.models import LOOKS, ServiceJob

PAYER_LABELS = {"warranty": _l("Warranty"), "customer": _l("Customer")}


def job_sheet(job: ServiceJob) -> bytes:
    """Return the job sheet as PDF in the reader's language, with a QR code that leads to the job.

    Not inside `transaction()`: drawing takes a while.
    """
    device = queries.device_of(job)
    return render_pdf(
        "pdf/service_jobs/sheet.html",
        language=i18n.language(),
        zone=i18n.zone(),
        title=_("Job sheet %(reference)s", reference=job.reference),
        job=job,
        look=LOOKS[job.status],
        station=queries.station(job.station_id),
        product=product_of(device) if device else None,
        parts=queries.parts_of(job),
        payers=payers(job),
        qr=qr_svg(absolute_url("service_jobs.show", job_id=job.id)),
    )


def payers(job: ServiceJob) -> list[tuple[object, object]]:
    """Return for each kind of cost its words and those of who pays, as frozen at intake."""
    lines = job.entitlement.get("lines", [])
    return [(LINE_LABELS[line["line"]], PAYER_LABELS[line["payer"]]) for line in lines]
