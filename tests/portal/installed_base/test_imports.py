import csv
import json
from datetime import date

import pytest
import sqlalchemy as sa

from portal.foundation.database import db
from portal.installed_base.models import Device
from portal.installed_base.queries import device_by_serial
from tests.factories import installed_base as factory
from tests.factories import service_jobs as stations

HEAD = "serial,sku,sold_on,sold_by,owner_name,owner_email,country\n"


@pytest.fixture
def load(context, runner, tmp_path):
    """Import lines of devices and return the counts."""

    def run(*lines: str) -> dict[str, object]:
        path = tmp_path / "devices.csv"
        path.write_text(HEAD + "\n".join(lines) + "\n", "utf-8")
        rejects = tmp_path / "rejects.csv"
        result = runner.invoke(args=["import", "devices", str(path), "--rejects", str(rejects)])
        db.session.rollback()
        return dict(json.loads(result.stdout.strip().splitlines()[-1]))

    return run


def test_devices_are_made_once_and_changed_where_they_differ(load):
    factory.spectrometer()
    stations.station("Fix-It", "FIXIT")
    line = "HX9-1,HX-900,2025-03-15,FIXIT,Marta Lind,marta@club.example,SE"
    assert load(line)["created"] == 1
    assert load(line)["unchanged"] == 1
    device = device_by_serial("hx91")
    assert device is not None
    assert device.warranty_until == date(2027, 3, 14)
    assert device.owner_email_key == "marta@club.example"
    assert load("hx9 1,HX-900,2025-04-15,,,,")["updated"] == 1
    db.session.expire_all()
    assert device.warranty_until == date(2027, 4, 14)
    assert device.owner_name == "Marta Lind"


def test_unknown_products_and_sellers_are_kept_with_a_warning(load, tmp_path):
    counts = load("A1,NONE-1,,NOBODY,,,")
    assert (counts["created"], counts["warned"], counts["rejected"]) == (1, 1, 0)
    device = device_by_serial("A1")
    assert device is not None
    assert (device.sku, device.product_id, device.sold_by_id) == ("NONE-1", None, None)
    assert "NOBODY" in (tmp_path / "rejects.csv").read_text()


def test_bad_rows_are_rejected_and_the_good_ones_kept(load):
    counts = load("--,HX-900,,,,,", "B2,HX-900,,,,,XX1", "B-3,HX-900,,,,,", "b3,HX-900,,,,,")
    assert (counts["created"], counts["rejected"]) == (1, 3)


def test_a_file_confirms_what_a_station_registered(load):
    factory.spectrometer()
    factory.device("C1", is_confirmed=False)
    load("C1,HX-900,2025-03-15,,,,")
    assert db.session.scalar(sa.select(Device.is_confirmed)) is True


def test_an_export_comes_back_unchanged(load, runner, tmp_path):
    factory.spectrometer()
    stations.station("Fix-It", "FIXIT")
    load("HX9-1,HX-900,2025-03-15,FIXIT,=Marta,marta@club.example,SE", "A2,NONE-1,,,,,")
    out = tmp_path / "out.csv"
    assert runner.invoke(args=["export", "devices", "--out", str(out)]).exit_code == 0
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert [row["serial"] for row in rows] == ["A2", "HX9-1"]
    assert rows[1]["owner_name"] == "'=Marta"
    again = runner.invoke(args=["import", "devices", str(out)])
    assert json.loads(again.stdout.strip().splitlines()[-1])["unchanged"] == 2
