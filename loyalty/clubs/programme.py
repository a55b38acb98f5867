"""The programme document: a club's rules, checked key by key; unknown keys are refused.

Rules of the base phase give points for money: `points` for each `points_per` of what was paid for
the lines that `where` describes. Rules of the bonus phase give `points` at once for something that
is not a purchase: `where: {source: [service_job]}` for a repair that was closed.
"""

import calendar
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from portal.foundation.errors import Refused
from portal.foundation.i18n import _, _l
from portal.foundation.web.api.schemas import AmountIn, Points, ShortText

MOST_DAYS = 36_500


def _not_yet(value: object) -> object:
    """Refuse a key of the full document that this version does not carry out."""
    if value is None or value is False:
        return None
    raise PydanticCustomError("not_supported", "{text}", {"text": _("This is not supported yet.")})


NotYet = Annotated[Any, BeforeValidator(_not_yet), WithJsonSchema({"type": "null"})]


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("is not above zero")
    return value


Positive = Annotated[AmountIn, AfterValidator(_positive)]
Days = Annotated[int, Field(ge=0, le=MOST_DAYS, strict=True)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Where(_Part):
    """Which lines or happenings a rule is about; every condition given must hold.

    category, sku: of a line. min_amount: the least that was paid for the lines meant. source: what
    else may earn, for the bonus phase: `service_job`.
    """

    category: Annotated[list[ShortText], Field(max_length=500)] = []
    sku: Annotated[list[ShortText], Field(max_length=5_000)] = []
    min_amount: AmountIn | None = None
    source: Annotated[list[Literal["service_job"]], Field(max_length=1)] = []
    tier: NotYet = None
    weekday: NotYet = None
    first_purchase: NotYet = None
    birthday: NotYet = None
    tender: NotYet = None


class Rule(_Part):
    """One way to earn."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    phase: Literal["base", "bonus"]
    points_per: Positive | None = None
    points: Points
    where: Where = Where()
    valid: NotYet = None
    cap: NotYet = None
    times: NotYet = None

    @model_validator(mode="before")
    @classmethod
    def _phases_to_come(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("phase") == "multiplier":
            text = _("Rules of the phase multiplier are not supported yet.")
            raise PydanticCustomError("not_supported", "{text}", {"text": text})
        return value

    @model_validator(mode="after")
    def _fits_its_phase(self) -> "Rule":
        if self.phase == "base" and self.points_per is None:
            raise ValueError("a base rule needs points_per")
        if self.phase == "base" and self.where.source:
            raise ValueError("source belongs to the bonus phase")
        if self.phase == "bonus":
            if not self.where.source:
                text = _("A bonus on purchases is not supported yet; name a source.")
                raise PydanticCustomError("not_supported", "{text}", {"text": text})
            lines = self.where.category or self.where.sku or self.where.min_amount is not None
            if lines or self.points_per is not None:
                raise ValueError("a bonus of a source knows no lines and no amount")
        return self


class Excluded(_Part):
    """Lines that earn nothing, whatever the rules say."""

    category: Annotated[list[ShortText], Field(max_length=500)] = []
    sku: Annotated[list[ShortText], Field(max_length=5_000)] = []


class Expiry(_Part):
    """When points end; the last day counts, in the club's zone."""

    mode: Literal["never", "after_days", "after_months", "end_of_month", "end_of_year"] = "never"
    days: Days | None = None
    months: Annotated[int, Field(ge=0, le=1_200, strict=True)] | None = None
    years: Annotated[int, Field(ge=0, le=100, strict=True)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _modes_to_come(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("mode") == "inactivity":
            text = _("Expiry after inactivity is not supported yet.")
            raise PydanticCustomError("not_supported", "{text}", {"text": text})
        return value

    @model_validator(mode="after")
    def _has_its_length(self) -> "Expiry":
        needs = {
            "never": None,
            "after_days": "days",
            "after_months": "months",
            "end_of_month": "months",
            "end_of_year": "years",
        }[self.mode]
        for name in ("days", "months", "years"):
            if (getattr(self, name) is None) == (name == needs):
                what = "is needed" if name == needs else "has no place here"
                raise ValueError(f"{name} {what} for {self.mode}")
        return self

    def last_day(self, earned_on: date) -> date | None:
        """Return the last day on which points earned on a day can be used; None for ever."""
        if self.mode == "after_days":
            return earned_on + timedelta(days=self.days or 0)
        if self.mode == "after_months":
            return add_months(earned_on, self.months or 0)
        if self.mode == "end_of_month":
            day = add_months(earned_on.replace(day=1), self.months or 0)
            return day.replace(day=calendar.monthrange(day.year, day.month)[1])
        if self.mode == "end_of_year":
            return date(earned_on.year + (self.years or 0), 12, 31)
        return None


def add_months(day: date, months: int) -> date:
    """Return the same day some months on, or the last day of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


class Redemption(_Part):
    """How points may be spent: at least `minimum` at once, in multiples of `step`."""

    minimum: Points = 1
    step: Points = 1
    value: NotYet = None
    requires: NotYet = None


class Gift(_Part):
    """Points given by a job. window_days: how long after the day a gift that was missed comes."""

    job: Literal["birthday"]
    points: Points
    window_days: Annotated[int, Field(ge=0, le=60, strict=True)] = 7
    coupon: NotYet = None

    @model_validator(mode="before")
    @classmethod
    def _jobs_to_come(cls, value: Any) -> Any:
        job = value.get("job") if isinstance(value, dict) else None
        if job in {"anniversary", "inactivity", "tier_reached"}:
            text = _("Gifts of %(job)s are not supported yet.", job=job)
            raise PydanticCustomError("not_supported", "{text}", {"text": text})
        return value


class Programme(_Part):
    """A club's rules from a day on.

    negative: what happens when points are taken back that were spent: a debt that later earnings
    repay, or only what is there is taken (clamp). rounding: down, once an order.
    """

    effective_from: date
    earning: Annotated[list[Rule], Field(max_length=100)] = []
    excluded: Excluded = Excluded()
    rounding: Literal["floor"] = "floor"
    pending_days: Days = 0
    expiry: Expiry = Expiry()
    negative: Literal["debt", "clamp"] = "debt"
    redemption: Redemption = Redemption()
    gifts: Annotated[list[Gift], Field(max_length=1)] = []
    combine_multipliers: NotYet = None
    returns: NotYet = None
    late_claim_days: NotYet = None
    metrics: NotYet = None
    tiers: NotYet = None
    qualification: NotYet = None
    milestones: NotYet = None
    conversion: NotYet = None
    carry_fractions: NotYet = None
    adjustment_limit: NotYet = None

    @model_validator(mode="after")
    def _names_differ(self) -> "Programme":
        names = [rule.name for rule in self.earning]
        if len(set(names)) != len(names):
            raise ValueError("two rules have one name")
        if "birthday" in names:
            raise ValueError("birthday is the name of the gift")
        return self

    @property
    def base_rules(self) -> list[Rule]:
        """Return the rules that give points for money."""
        return [rule for rule in self.earning if rule.phase == "base"]

    def rules_for(self, source: str) -> list[Rule]:
        """Return the rules that give points for a happening of the kind `source`."""
        return [rule for rule in self.earning if source in rule.where.source]

    @property
    def birthday_gift(self) -> Gift | None:
        """Return the birthday's gift, None when there is none."""
        return self.gifts[0] if self.gifts else None


def read_programme(document: object) -> Programme:
    """Return the programme that a document describes.

    Refuses (`programme_invalid`) with the path of the first wrong key, and all of them as `wrong`.
    """
    try:
        return Programme.model_validate(document)
    except ValidationError as error:
        wrong = [
            {"field": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
            for one in error.errors(include_url=False, include_input=False)
        ]
    sentence = _l(
        "The programme cannot be used: %(path)s: %(what)s",
        path=wrong[0]["field"] or "-",
        what=wrong[0]["message"],
    )
    raise Refused(sentence, field=wrong[0]["field"] or None, code="programme_invalid", wrong=wrong)
