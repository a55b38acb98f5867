"""Settings of the web process that need code."""

import gc
import os
from typing import Any

from prometheus_client import multiprocess

timeout = 60
graceful_timeout = 15
keepalive = 5
limit_request_line = 8190
limit_request_fields = 60
errorlog = "-"
loglevel = "warning"
preload_app = False


def post_worker_init(_worker: Any) -> None:
    """Keep what was loaded out of the garbage collector: steadier answer times."""
    gc.collect()
    gc.freeze()


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the metrics of a worker that ended, where workers share them."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
