"""One filter record and one scope record: every query takes both, and nothing else narrows rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from metrics.errors import BadPeriod, UnknownName

# Every dimension: what readers call it, in the singular. Filter keys and `--by` are these names.
DIMENSIONS: dict[str, str] = {
    "day": "day",
    "week": "week",
    "month": "month",
    "project": "project",
    "product": "product",
    "policy_area": "policy area",
    "task_type": "task type",
    "pool": "pool",
    "vendor": "vendor",
    "site": "site",
    "region": "region",
    "rater": "rater",
    "lead": "lead",
    "language": "language",
    "locale": "locale",
    "policy": "policy",
    "content_type": "content type",
    "guideline_version": "guideline version",
    "stage": "stage",
    "tenure_band": "tenure",
    "time_basis": "time basis",
}
TIME_DIMENSIONS = ("day", "week", "month")
FILTERABLE = tuple(d for d in DIMENSIONS if d not in TIME_DIMENSIONS)
EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2100, 1, 1)


def dimension(name: str) -> str:
    """The name itself, when it is a dimension; raises UnknownName with the nearest one."""
    if name not in DIMENSIONS:
        raise UnknownName("dimension", name, DIMENSIONS)
    return name


@dataclass(frozen=True)
class Filters:
    """Which rows count: a period, both days included, and for each dimension the values allowed.

    The same dimension twice means either; two dimensions mean both. Hashable, so it can be a cache key.
    """

    start: dt.date | None = None
    end: dt.date | None = None
    where: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())

    def __post_init__(self) -> None:
        for day in (self.start, self.end):
            if day is not None and not EARLIEST <= day <= LATEST:
                raise BadPeriod(f"{day} is outside {EARLIEST.year} to {LATEST.year}; choose a date inside.")
        if self.start and self.end and self.start > self.end:
            raise BadPeriod(f"The period starts on {self.start}, after it ends on {self.end}; swap the two.")
        for name, _values in self.where:
            if name not in FILTERABLE:
                raise UnknownName("filter", name, FILTERABLE)

    @classmethod
    def of(
        cls,
        where: Mapping[str, Iterable[str]] | Iterable[tuple[str, str]] = (),
        start: dt.date | None = None,
        end: dt.date | None = None,
    ) -> Filters:
        """Filters from dimension and value pairs, in a fixed order whatever theirs."""
        found: dict[str, set[str]] = {}
        pairs = where.items() if isinstance(where, Mapping) else where
        for name, value in pairs:
            values = [value] if isinstance(value, str) else list(value)
            if values:
                found.setdefault(name, set()).update(str(v) for v in values)
        order = list(DIMENSIONS)
        known = sorted(found, key=lambda n: (order.index(n) if n in order else len(order), n))
        return cls(start, end, tuple((name, tuple(sorted(found[name]))) for name in known))

    def values(self, name: str) -> tuple[str, ...]:
        """The values allowed for a dimension; none means all."""
        return dict(self.where).get(name, ())

    def with_(self, name: str, *values: str) -> Filters:
        """The same filters with this dimension set to these values; none frees it."""
        rest = {n: v for n, v in self.where if n != name}
        return Filters.of({**rest, name: values} if values else rest, self.start, self.end)

    def over(self, start: dt.date | None, end: dt.date | None) -> Filters:
        """The same filters over another period."""
        return replace(self, start=start, end=end)

    @property
    def days(self) -> int | None:
        """Days in the period, when both ends are given."""
        return (self.end - self.start).days + 1 if self.start and self.end else None

    def before(self) -> Filters:
        """The same filters over the period of equal length just before."""
        if not self.days:
            return self
        return self.over(self.start - dt.timedelta(days=self.days), self.start - dt.timedelta(days=1))

    def to_params(self) -> dict[str, list[str] | str]:
        """Every value, for a link: nothing is left to a default."""
        params: dict[str, list[str] | str] = {}
        if self.start:
            params["from"] = self.start.isoformat()
        if self.end:
            params["to"] = self.end.isoformat()
        for name, values in self.where:
            params[name] = list(values)
        return params

    def describe(self, names: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """The filters in English: "Harbour Reviews; Thai or Malay; 19 Oct to 15 Nov 2026"."""
        parts = []
        for name, values in self.where:
            shown = [(names or {}).get(name, {}).get(v, v) for v in values]
            said = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
            parts.append(said if name in ("project", "pool") else f"{DIMENSIONS[name]} {said}")
        if self.start or self.end:
            parts.append(describe_period(self.start, self.end))
        return "; ".join(parts) if parts else "everything"


def describe_period(start: dt.date | None, end: dt.date | None) -> str:
    """A period in words: "19 Oct to 15 Nov 2026"."""
    if start and end:
        if start == end:
            return f"{start.day} {start:%b %Y}"
        first = f"{start.day} {start:%b}" if start.year == end.year else f"{start.day} {start:%b %Y}"
        return f"{first} to {end.day} {end:%b %Y}"
    if start:
        return f"from {start.day} {start:%b %Y}"
    return f"up to {end.day} {end:%b %Y}" if end else "all days"


def parse_day(text: str) -> dt.date:
    """A date written YYYY-MM-DD; raises BadPeriod."""
    try:
        return dt.date.fromisoformat(str(text).strip())
    except ValueError:
        shown = str(text)[:30]
        raise BadPeriod(f'"{shown}" is no date; write it as YYYY-MM-DD, such as 2026-11-16.') from None


@dataclass(frozen=True)
class Scope:
    """What a reader may see. Made on the server on every run; an argument of every query and part of every cache key.

    ``projects`` and ``pools``: None is all of them, an empty set is none. A group with fewer than ``minimum_raters``
    raters or ``minimum_items`` of n shows no number. ``pseudonymous`` readers see no rater.
    """

    roles: frozenset[str] = frozenset()
    projects: frozenset[str] | None = frozenset()
    pools: frozenset[str] | None = frozenset()
    pseudonymous: bool = True
    minimum_raters: int = 5
    minimum_items: int = 20

    @classmethod
    def everything(cls) -> Scope:
        """Who runs the server: the command line, and the app before people can sign in."""
        return cls(frozenset({"owner"}), None, None, pseudonymous=False, minimum_raters=0, minimum_items=0)

    @classmethod
    def stakeholder(cls, projects: Iterable[str] | None = None) -> Scope:
        """A reader with a link: aggregated and pseudonymous."""
        chosen = None if projects is None else frozenset(projects)
        return cls(frozenset({"stakeholder"}), chosen, None)

    @property
    def sees_raters(self) -> bool:
        """Whether single raters may be shown: to those who manage them, under their pseudonyms."""
        return not self.pseudonymous and self.minimum_raters <= 1

    @property
    def is_nobody(self) -> bool:
        """Whether the scope allows no row at all."""
        return self.projects == frozenset() or self.pools == frozenset()
