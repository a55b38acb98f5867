"""Why a repair job refuses."""

from portal.foundation.errors import Refused, WrongState
from portal.foundation.i18n import _l


class JobOpen(WrongState):
    """The device has a job that has not ended."""

    code = "job_open"

    def __init__(self, reference: str) -> None:
        super().__init__(
            _l("This device has an open job already: %(reference)s.", reference=reference),
            field="serial",
            reference=reference,
        )


class GateNotMet(Refused):
    """Something is missing before the step; `missing` names the fields."""

    code = "gate_not_met"

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            _l("Still missing: %(fields)s.", fields=", ".join(missing)),
            field=missing[0],
            missing=missing,
        )
