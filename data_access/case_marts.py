"""Model versions side by side on the cases of a benchmark they both met."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from data_access import tables as t

OUTCOMES = {"both_passed": (1, 1), "lost": (1, 0), "gained": (0, 1), "both_failed": (0, 0)}  # before, now


def version_steps(present: Collection[str]) -> sa.Select:
    """Each version of a benchmark and the version before it: benchmark, model_version, previous_version.

    Among the versions of one product with case results, in the order they were first measured on the benchmark, or
    where that is not known were trained. A version of which neither is known has no place and is left out.
    """
    r, m, v = t.case_results.c, t.model_metrics.c, t.model_versions.c
    tried = sa.select(r.benchmark, r.model_version).distinct().subquery("tried")
    of: sa.FromClause = tried
    moments, product = [], sa.literal_column("''", sa.String)
    if "model_metrics" in present:
        first = (
            sa.select(m.benchmark, m.model_version, sa.func.min(m.measured_at).label("measured_at"))
            .group_by(m.benchmark, m.model_version)
            .subquery("first")
        )
        same = sa.and_(first.c.benchmark == tried.c.benchmark, first.c.model_version == tried.c.model_version)
        of = of.outerjoin(first, same)
        moments.append(first.c.measured_at)
    if "model_versions" in present:
        of = of.outerjoin(t.model_versions, v.model_version == tried.c.model_version)
        moments.append(v.trained_at)
        product = v.product
    if not moments:
        return sa.select(tried, tried.c.model_version.label("previous_version")).where(sa.false())
    moment = sa.func.coalesce(*moments) if len(moments) > 1 else moments[0]
    before = sa.func.lag(tried.c.model_version).over(
        partition_by=(tried.c.benchmark, product), order_by=(moment, tried.c.model_version)
    )
    steps = sa.select(tried.c.benchmark, tried.c.model_version, before.label("previous_version"))
    return steps.select_from(of).where(moment.is_not(None))


def case_pairs(present: Collection[str]) -> sa.Select:
    """Common cases of consecutive versions of a benchmark, counted by what became of them, by language and policy.

    lost: passed before and fails now; gained: the other way round. Language and policy are those the later version's
    result names.
    """
    now, before = t.case_results.alias("now"), t.case_results.alias("before")
    steps = version_steps(present).subquery("steps")
    s, n, b = steps.c, now.c, before.c
    keys = (n.benchmark, n.model_version, s.previous_version, n.language, n.policy)
    joined = now.join(steps, sa.and_(s.benchmark == n.benchmark, s.model_version == n.model_version)).join(
        before,
        sa.and_(b.benchmark == n.benchmark, b.model_version == s.previous_version, b.case_id == n.case_id),
    )

    def is_(passed: sa.ColumnElement, wanted: int) -> sa.ColumnElement:
        return passed if wanted else sa.not_(passed)

    counts = (
        sa.func.sum(sa.case((sa.and_(is_(b.passed, was), is_(n.passed, now_)), 1), else_=0)).label(name)
        for name, (was, now_) in OUTCOMES.items()
    )
    return sa.select(*keys, *counts).select_from(joined).group_by(*keys)
