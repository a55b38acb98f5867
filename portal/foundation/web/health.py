"""Whether the process lives, whether it can serve, and figures for Prometheus."""

import time
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Blueprint, Flask, Response, g, jsonify, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from portal.foundation.database import db
from portal.foundation.facts import DeliveryState, FactDelivery
from portal.foundation.jobs import queries as jobs
from portal.foundation.migrations import is_behind
from portal.foundation.web.policies import public

log = structlog.get_logger()
bp = Blueprint("health", __name__)
# Labels come from lists of our own: each new value costs memory for good.
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
REQUESTS = Counter("guildhall_requests_total", "Requests.", ["method", "endpoint", "status"])
SECONDS = Histogram("guildhall_request_seconds", "Time to answer.", ["endpoint"])


class WaitingWork(Collector):
    """Queue ages and failures, read from the database when asked."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield one gauge for each kind of waiting work."""
        age = jobs.heartbeat_age()
        failed = sa.select(sa.func.count()).where(FactDelivery.state == DeliveryState.FAILED)
        figures = {
            "scheduler_heartbeat_age_seconds": age.total_seconds() if age else float("inf"),
            "job_queue_age_seconds": jobs.queue_age().total_seconds(),
            "fact_deliveries_failed": float(db.session.scalar(failed) or 0),
        }
        for name, value in figures.items():
            yield GaugeMetricFamily(f"guildhall_{name}", name.replace("_", " "), value=value)


@bp.get("/healthz")
@public
def healthz() -> Response:
    """Say that the process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """Say whether the database answers, is migrated, and the scheduler is alive."""
    checks: dict[str, Any] = {"database": "ok", "migrations": "ok", "scheduler": "ok"}
    try:
        db.session.execute(sa.select(1))
        if is_behind():
            checks["migrations"] = "behind"
        elif jobs.clock_is_stopped():
            checks["scheduler"] = "stopped"
        age = jobs.heartbeat_age() if checks["migrations"] == "ok" else None
        checks["heartbeat_age_seconds"] = round(age.total_seconds(), 1) if age else None
    except sa.exc.SQLAlchemyError:
        checks["database"] = "unavailable"
    ready = checks["database"] == checks["migrations"] == "ok"
    return jsonify(status="ready" if ready else "not ready", **checks), 200 if ready else 503


@bp.get("/metrics")
@public
def metrics() -> Response:
    """Show counters of all workers and the age of waiting work."""
    registry = CollectorRegistry()
    try:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:
        registry.register(REQUESTS)
        registry.register(SECONDS)
    registry.register(WaitingWork())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def init_app(app: Flask) -> None:
    """Measure and log every request of `app`."""
    app.register_blueprint(bp)

    @app.before_request
    def start_clock() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def note(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        endpoint = request.endpoint or "-"
        if endpoint != "static":
            method = request.method if request.method in METHODS else "other"
            REQUESTS.labels(method, endpoint, response.status_code).inc()
            SECONDS.labels(endpoint).observe(seconds)
            log.info(
                "request",
                method=request.method,
                endpoint=endpoint,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
            )
        return response
