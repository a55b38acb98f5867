import pytest
import sqlalchemy as sa

from portal.accounts.models import Role
from portal.accounts.queries import actor_of
from portal.foundation.actors import ANONYMOUS, SYSTEM
from portal.foundation.database import db, transaction
from portal.foundation.errors import NotFound
from portal.partners.operations import suspend_partner
from portal.service_jobs import policy, queries
from portal.service_jobs.models import STEPS, ServiceJob
from tests.factories import service_jobs as factory

pytestmark = pytest.mark.usefixtures("context")


def seen_by(actor) -> int:
    select = sa.select(sa.func.count()).select_from(ServiceJob).where(policy.visible_to(actor))
    return db.session.scalar(select) or 0


def test_who_sees_what():
    fixit, pacific, manager = factory.fixit(), factory.pacific(), factory.service_manager()
    job = factory.job(fixit)
    member = factory.person("lin@club.example", Role.MEMBER)
    channel = factory.person("channel@vendor.example", Role.CHANNEL_MANAGER)
    assert [seen_by(actor) for actor in (fixit, manager, SYSTEM)] == [1, 1, 1]
    assert [seen_by(actor) for actor in (pacific, member, channel, ANONYMOUS)] == [0, 0, 0, 0]
    assert queries.job_for(fixit, job.id) is job
    for stranger in (pacific, member, channel, ANONYMOUS):
        with pytest.raises(NotFound):
            queries.job_for(stranger, job.id)
        with pytest.raises(NotFound):
            queries.job_by_reference(stranger, job.reference)


def test_people_of_a_suspended_station_see_nothing():
    fixit, manager = factory.fixit(), factory.service_manager()
    job = factory.job(fixit)
    with transaction():
        suspend_partner(manager, queries.station(job.station_id), reason="Unpaid")
    suspended = actor_of(fixit.user_id or 0)
    assert suspended is not None
    assert seen_by(suspended) == 0
    assert not policy.may_mend(suspended)


def test_only_service_staff_reopen():
    fixit, manager = factory.fixit(), factory.service_manager()
    job = factory.closed_job(fixit)
    assert [step.name for step in queries.open_steps(fixit, job)] == []
    assert [step.name for step in queries.open_steps(manager, job)] == ["reopen"]


def test_every_step_has_its_policy():
    assert set(policy.MAY_STEP) == set(STEPS.steps)
    for name in STEPS.steps:
        assert policy.MAY_STEP[name].__name__ == "may_" + name.replace("-", "_")


def test_where_the_day_begins():
    place = factory.station("Fix-It", "FIXIT")
    bench = factory.person("bench@fixit.example", Role.TECHNICIAN, place)
    owner = factory.person("owner@fixit.example", Role.PARTNER_ADMIN, place)
    assert policy.works_at_bench(bench)
    assert not policy.works_at_bench(owner)
    assert policy.may_mend(owner)
    assert policy.starts_with_board(factory.service_manager())
    administrator = factory.person("admin@vendor.example", Role.ADMINISTRATOR)
    assert not policy.starts_with_board(administrator)
