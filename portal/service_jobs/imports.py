"""Repair jobs from files: what stations did before, or elsewhere.

Nothing is announced: a file tells of the past, and the past earns nothing.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from portal.foundation import clock
from portal.foundation.actors import Actor
from portal.foundation.audit import record
from portal.foundation.database import db
from portal.foundation.i18n import _l
from portal.foundation.imports.columns import Choice, Column, Day, Parser, Reading, Text
from portal.foundation.imports.registry import (
    Context,
    ImportKind,
    Outcome,
    Row,
    Settled,
    created,
    register,
    rejected,
    unchanged,
    updated,
)
from portal.installed_base.models import Device, serial_key
from portal.partners.models import Partner
from portal.products.models import sku_key
from portal.products.queries import products_by_sku
from portal.service_jobs import policy
from portal.service_jobs.models import END_STATES, OPEN_STATES, JobNumber, JobState, ServiceJob

ZONE = "UTC"
LONGEST = 100_000
_own_reference = re.compile(r"J-([0-9]{4})-([0-9]{5,12})")
KEPT = ("problem", "serial", "sku", "brand", "category", "symptom_code", "repair_code")


class FileStatus(StrEnum):
    """A job's state as files write it; `open` is any state that has not ended."""

    OPEN = "open"
    CLOSED = "closed"
    UNREPAIRABLE = "unrepairable"
    DECLINED = "declined"
    CANCELLED = "cancelled"


STATES = {
    FileStatus.OPEN: JobState.RECEIVED,
    FileStatus.CLOSED: JobState.CLOSED,
    FileStatus.UNREPAIRABLE: JobState.UNREPAIRABLE,
    FileStatus.DECLINED: JobState.DECLINED,
    FileStatus.CANCELLED: JobState.CANCELLED,
}
FILE_STATES = {state: word for word, state in STATES.items()} | dict.fromkeys(
    OPEN_STATES, FileStatus.OPEN
)


class _Given(Column):
    """A column that every file has, though a cell may be empty."""

    def reader(self, reading: Reading) -> Parser:
        """Return a reader that takes empty cells."""
        return Column(self.name, self.type, doc=self.doc).reader(reading)


def _instant(day: date) -> datetime:
    return clock.day_start(day, ZONE)


class JobImport:
    """Stores jobs; an empty cell leaves what is known as it is."""

    def __init__(self, actor: Actor, context: Context) -> None:
        self.actor = actor

    def apply(self, batch: list[Row]) -> list[Outcome]:
        """Store a batch: one read of each kind of thing, one insert, one write a changed job."""
        known = self._known(batch)
        stations = self._stations(batch)
        devices = self._devices(batch)
        products = products_by_sku({row.values["sku"] for row in batch if row.values["sku"]})
        taken = self._open_keys(batch)
        new: list[dict[str, Any]] = []
        outcomes = []
        for row in batch:
            given = row.values
            refusal = self._refusal(given, stations, taken)
            if refusal is not None:
                outcomes.append(refusal)
                continue
            warnings = self._warnings(given, products)
            values = self._values(given, stations, devices)
            job = known.get(given["reference"])
            if job is not None and self._is_settled(job, given):
                reason = _l("This job has ended here otherwise; its state is left as it is.")
                warnings.append(("status", reason))
            if job is None:
                new.append(values)
                outcomes.append(created(*warnings))
            else:
                did = updated if self._change(job, given, values) else unchanged
                outcomes.append(did(*warnings))
            if values["serial_key"] and values["status"] not in END_STATES:
                taken[values["serial_key"]] = given["reference"]
        if new:
            db.session.execute(sa.insert(ServiceJob).execution_options(render_nulls=True), new)
            _raise_numbers(job["reference"] for job in new)
        changed = sum(outcome.did.value == "updated" for outcome in outcomes)
        if new or changed:
            record(self.actor, "service_jobs.file.imported", created=len(new), updated=changed)
        return outcomes

    def finish(self) -> Iterator[Settled] | None:
        """Leave nothing to do."""
        return None

    @staticmethod
    def _known(batch: list[Row]) -> dict[str, ServiceJob]:
        references = [row.values["reference"] for row in batch]
        select = sa.select(ServiceJob).where(ServiceJob.reference.in_(references))
        return {job.reference: job for job in db.session.scalars(select)}

    @staticmethod
    def _stations(batch: list[Row]) -> dict[str, int]:
        names = {row.values["station"] for row in batch}
        select = sa.select(Partner.reference, Partner.id).where(Partner.reference.in_(names))
        return {row.reference: row.id for row in db.session.execute(select)}

    @staticmethod
    def _devices(batch: list[Row]) -> dict[str, Device]:
        keys = {serial_key(row.values["serial"]) for row in batch if row.values["serial"]}
        if not keys:
            return {}
        select = sa.select(Device).where(Device.serial_key.in_(keys))
        return {device.serial_key: device for device in db.session.scalars(select)}

    @staticmethod
    def _open_keys(batch: list[Row]) -> dict[str, str]:
        """Return the serial keys of the batch that have an open job, with its reference."""
        keys = {serial_key(row.values["serial"]) for row in batch if row.values["serial"]}
        if not keys:
            return {}
        select = sa.select(ServiceJob.serial_key, ServiceJob.reference).where(
            ServiceJob.serial_key.in_(keys), ServiceJob.status.not_in(END_STATES)
        )
        return {key: reference for key, reference in db.session.execute(select) if key}

    @staticmethod
    def _refusal(
        given: dict[str, Any], stations: dict[str, int], taken: dict[str, str]
    ) -> Outcome | None:
        if given["station"] not in stations:
            return rejected("station", _l("There is no partner %(name)s.", name=given["station"]))
        key = serial_key(given["serial"] or "")
        if given["serial"] and not key:
            return rejected("serial", _l("A serial number has letters or digits."))
        first = taken.get(key)
        is_open = (given["status"] or FileStatus.OPEN) is FileStatus.OPEN
        if key and is_open and first not in {None, given["reference"]}:
            reason = _l("This device has an open job already: %(reference)s.", reference=first)
            return rejected("serial", reason)
        if given["closed_on"] and is_open:
            return rejected("closed_on", _l("An open job has no day of closing."))
        if given["closed_on"] and given["closed_on"] < given["received_on"]:
            return rejected("closed_on", _l("This is before it was received."))
        return None

    @staticmethod
    def _warnings(given: dict[str, Any], products: dict[str, Any]) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        if not given["problem"]:
            found.append(("problem", _l("There are no words about the problem; kept without.")))
        if given["sku"] and sku_key(given["sku"]) not in products:
            found.append(("sku", _l("There is no product %(sku)s; kept.", sku=given["sku"])))
        return found

    @staticmethod
    def _values(
        given: dict[str, Any], stations: dict[str, int], devices: dict[str, Device]
    ) -> dict[str, Any]:
        """Return a whole new row; a job without a word about its state is open."""
        status = STATES[given["status"] or FileStatus.OPEN]
        key = serial_key(given["serial"]) if given["serial"] else None
        device = devices.get(key or "")
        received = _instant(given["received_on"])
        ended = (
            None if status in OPEN_STATES else _instant(given["closed_on"] or given["received_on"])
        )
        return {
            **{name: given[name] for name in KEPT},
            "reference": given["reference"],
            "reference_key": given["reference"].lower(),
            "station_id": stations[given["station"]],
            "device_id": device.id if device else None,
            "serial_key": key,
            "is_unknown_serial": bool(key) and device is None,
            "problem": given["problem"] or "",
            "entitlement": {},
            "status": status,
            "status_since": ended or received,
            "received_at": received,
            "ended_at": ended,
            "closings": int(status is JobState.CLOSED),
            "version": 1,
        }

    @staticmethod
    def _is_settled(job: ServiceJob, given: dict[str, Any]) -> bool:
        """Return whether the job ended another way than the file says; a file reopens nothing."""
        differs = given["status"] not in {None, FILE_STATES[job.status]}
        return differs and not job.is_open

    @staticmethod
    def _change(job: ServiceJob, given: dict[str, Any], values: dict[str, Any]) -> bool:
        """Write what the file says otherwise; return whether anything differs.

        Days are compared as days, so that an export's own file changes no time of day.
        """
        wanted = {name: given[name] for name in KEPT if given[name] is not None}
        wanted["station_id"] = values["station_id"]
        is_other = values["serial_key"] != job.serial_key
        if given["serial"] and (is_other or job.device_id is None):
            linked = ("serial_key", "device_id", "is_unknown_serial")
            wanted |= {name: values[name] for name in linked}
        if clock.local_date(job.received_at, ZONE) != given["received_on"]:
            wanted["received_at"] = values["received_at"]
        if given["status"] and job.is_open and values["status"] in END_STATES:
            ended = ("status", "status_since", "ended_at", "closings")
            wanted |= {name: values[name] for name in ended}
        elif not job.is_open and given["closed_on"] and _day(job.ended_at) != given["closed_on"]:
            wanted["ended_at"] = values["ended_at"]
        changes = {name: value for name, value in wanted.items() if getattr(job, name) != value}
        for name, value in changes.items():
            setattr(job, name, value)
        return bool(changes)


def _raise_numbers(references: Iterable[str]) -> None:
    """Let new references begin above those of a file that look like ours."""
    highest: dict[int, int] = {}
    for reference in references:
        found = _own_reference.fullmatch(reference)
        if found:
            year, number = int(found[1]), int(found[2])
            highest[year] = max(number, highest.get(year, 0))
    for year, number in highest.items():
        select = sa.select(JobNumber).where(JobNumber.year == year).with_for_update()
        row = db.session.scalar(select)
        if row is None:
            db.session.add(JobNumber(year=year, last=number))
        else:
            row.last = max(row.last, number)


def _day(instant: datetime | None) -> date | None:
    return None if instant is None else instant.astimezone(UTC).date()


def export(_context: Context) -> Iterator[dict[str, Any]]:
    """Yield all jobs in the order in which they came."""
    select = (
        sa.select(
            ServiceJob.reference,
            Partner.reference.label("station"),
            ServiceJob.received_at,
            ServiceJob.ended_at,
            ServiceJob.status,
            *(getattr(ServiceJob, name) for name in KEPT),
        )
        .join(Partner, Partner.id == ServiceJob.station_id)
        .order_by(ServiceJob.id)
    )
    for row in db.session.execute(select, execution_options={"yield_per": 1_000}):
        values = row._asdict()
        yield values | {
            "received_on": _day(row.received_at),
            "closed_on": _day(row.ended_at),
            "status": FILE_STATES[row.status],
        }


register(
    ImportKind(
        name="service-jobs",
        label=_l("Service jobs"),
        key=("reference",),
        columns=[
            Column("reference", Text(60), True, _l("The job's reference.")),
            Column("station", Text(80), True, _l("Reference of the partner that mends.")),
            Column("received_on", Day(), True, _l("The day it was taken in.")),
            _Given("problem", Text(LONGEST), True, _l("The customer's words; may be empty.")),
            Column("serial", Text(80), doc=_l("The device's serial number.")),
            Column("sku", Text(80), doc=_l("The product's article number; unknown ones are kept.")),
            Column("brand", Text(100), doc=_l("The maker, for devices of others.")),
            Column("category", Text(100), doc=_l("The kind of device.")),
            Column("symptom_code", Text(40), doc=_l("Coded symptom.")),
            Column("status", Choice(FileStatus), doc=_l("How it stands; open when empty.")),
            Column("closed_on", Day(), doc=_l("The day it ended; else the day it came.")),
            Column("repair_code", Text(80), doc=_l("Coded outcome of the repair.")),
        ],
        handler=JobImport,
        policy=policy.may_import_jobs,
        export=export,
    )
)
