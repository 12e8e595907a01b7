"""Model versions side by side on the cases of a benchmark they both met."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from data_access import tables as t

OUTCOMES = {"both_passed": (1, 1), "lost": (1, 0), "gained": (0, 1), "both_failed": (0, 0)}  # before, now


def version_order(present: Collection[str]) -> sa.Select:
    """Where each version of a benchmark stands: benchmark, model_version, product, place, previous_version.

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
            .subquery("first_measured")
        )
        same = sa.and_(first.c.benchmark == tried.c.benchmark, first.c.model_version == tried.c.model_version)
        of = of.outerjoin(first, same)
        moments.append(first.c.measured_at)
    if "model_versions" in present:
        of = of.outerjoin(t.model_versions, v.model_version == tried.c.model_version)
        moments.append(v.trained_at)
        product = v.product
    moment = sa.func.coalesce(*moments, sa.null()) if moments else sa.cast(sa.null(), sa.DateTime())
    line = {"partition_by": (tried.c.benchmark, product), "order_by": (moment, tried.c.model_version)}
    columns = (
        tried.c.benchmark,
        tried.c.model_version,
        product.label("product"),
        sa.func.row_number().over(**line).label("place"),
        sa.func.lag(tried.c.model_version).over(**line).label("previous_version"),
    )
    return sa.select(*columns).select_from(of).where(moment.is_not(None))


def case_pairs(present: Collection[str]) -> sa.Select:
    """Common cases of consecutive versions of a benchmark, counted by what became of them, by language and policy.

    lost: passed before and fails now; gained: the other way round. Language and policy are those the later version's
    result names.
    """
    r = t.case_results.c
    o = version_order(present).subquery("line")
    # One pass over the results in order: a join of each case with its like takes twice as long.
    one, none = sa.literal_column("1"), sa.literal_column("0")
    passed = sa.case((r.passed, one), else_=none)
    line = {"partition_by": (r.benchmark, o.c.product, r.case_id), "order_by": o.c.place}
    each = (
        sa.select(
            r.benchmark,
            r.model_version,
            o.c.previous_version,
            r.language,
            r.policy,
            o.c.place,
            passed.label("now"),
            sa.func.lag(passed).over(**line).label("before"),
            sa.func.lag(o.c.place).over(**line).label("place_before"),
        )
        .select_from(
            t.case_results.join(o, sa.and_(o.c.benchmark == r.benchmark, o.c.model_version == r.model_version))
        )
        .subquery("each_case")
    )
    e = each.c
    keys = (e.benchmark, e.model_version, e.previous_version, e.language, e.policy)
    counts = (
        sa.func.sum(sa.case((sa.and_(e.before == was, e.now == is_), 1), else_=0)).label(name)
        for name, (was, is_) in OUTCOMES.items()
    )
    return sa.select(*keys, *counts).where(e.place_before == e.place - 1).group_by(*keys)
