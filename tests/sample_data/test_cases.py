"""Case results agree with the benchmark's value to the case, and most cases keep their result."""

import numpy as np

from sample_data.cases import WITH_CASES, results


def test_as_many_cases_pass_as_the_value_says(db):
    rows = db.execute(
        """
        SELECT m.benchmark, m.value * m.n, count(*), sum(passed::INT), m.n
        FROM model_metrics m JOIN case_results r USING (benchmark, model_version)
        GROUP BY m.benchmark, m.model_version, m.value, m.n
        """
    ).fetchall()
    assert {row[0] for row in rows} == set(WITH_CASES)
    measured = db.execute(
        "SELECT count(*) FROM model_metrics WHERE benchmark IN ('harmful-prompts', 'response-safety')"
    ).fetchone()[0]
    assert len(rows) == measured
    for _, hits, cases, passed, n in rows:
        assert cases == n
        assert passed == round(hits)
        assert abs(hits - round(hits)) < 1e-9


def test_cases_are_the_same_from_version_to_version(db):
    per_case = db.execute(
        "SELECT benchmark, case_id, count(DISTINCT coalesce(language, policy)), count(*) FROM case_results GROUP BY ALL"
    ).fetchall()
    assert {row[2] for row in per_case} == {1}
    assert all(len({row[3] for row in per_case if row[0] == b}) == 1 for b in WITH_CASES)
    kinds = dict(
        db.execute(
            "SELECT benchmark, count(DISTINCT coalesce(language, policy)) FROM case_results GROUP BY ALL"
        ).fetchall()
    )
    assert min(kinds.values()) > 2


def test_most_cases_keep_their_result_and_some_do_not():
    passed = results(np.random.default_rng(3), np.full(20, 0.9), 2_000)
    assert (passed.sum(axis=1) == 1_800).all()
    kept = (passed[1:] == passed[:-1]).mean(axis=1)
    assert (kept > 0.9).all()  # of independent results 0.82 would be kept
    assert (kept < 1).all()
