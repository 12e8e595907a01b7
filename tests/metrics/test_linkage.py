"""Links between labels and models: planted ones are found, and what cannot be compared gives a reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from metrics import association, exposures, impact, ladder, linkage, moves, qualities
from metrics.agreement import consensus_match
from metrics.impact import Impact
from metrics.linkage import ROW, STANDS
from metrics.patterns import Patterns
from metrics.qualities import QUALITIES

EPOCH = pd.Timestamp("2026-01-05")
POLICIES = ("spam", "hate", "harm", "self", "sex")


def world(
    versions: int = 40,
    projects: int = 1,
    coefficient: float = 0.8,
    seed: int = 0,
    by: str = "",
    higher: bool = True,
    judged: int = 4000,
    spread: float = 0.03,
) -> dict[str, pd.DataFrame]:
    """Batches, datasets, models, measures and sums in which a benchmark rises ``coefficient`` per unit of accuracy."""
    rng = np.random.default_rng(seed)
    batches, models, datasets, measures, sums = [], [], [], [], []
    members = POLICIES if by else ("",)
    for p in range(projects):
        for v in range(versions):
            start = EPOCH + pd.Timedelta(days=7 * v)
            name, batch, dataset = f"P{p}-m{v:03d}", f"P{p}-b{v:03d}", f"P{p}-d{v:03d}"
            batches.append((batch, f"P{p}", start, dataset, 1000.0 + 10 * (v % 7), 1000.0, start))
            datasets.append((dataset, f"P{p}", start + pd.Timedelta(days=1)))
            models.append((name, f"P{p}", "X", "base-1", dataset, start + pd.Timedelta(days=2), pd.NaT))
            for member in members:
                true = float(np.clip(rng.normal(0.85, spread), 0.05, 0.99))
                n = judged // len(members)
                sums.append((batch, f"P{p}", member, n, rng.binomial(n, true)))
                score = 0.1 + coefficient * true * (1 if higher else -1) + rng.normal(0, 0.004) + (0 if higher else 0.8)
                measures.append(
                    (name, f"P{p}", None, member or None, f"bench{p}", "score", score, 5000,
                     start + pd.Timedelta(days=3), higher)
                )  # fmt: skip
    sums = pd.DataFrame(sums, columns=["batch_id", "project_id", "policy", "gold_n", "gold_correct"])
    blank = {c: 0.0 for q in QUALITIES.values() for c in q.columns if c not in ("gold_n", "gold_correct")}
    sums = sums.assign(**{**blank, "judgements": sums["gold_n"]})
    parts = {"": sums.drop(columns="policy").groupby(["batch_id", "project_id"], as_index=False).sum()}
    if by:
        parts[by] = sums
    return {
        "batches": pd.DataFrame(
            batches, columns=["batch_id", "project", "closed_at", "dataset_version", "items", "labels", "labelled_at"]
        ),
        "datasets": pd.DataFrame(datasets, columns=["dataset_version", "project", "built_at"]),
        "models": pd.DataFrame(
            models,
            columns=["model_version", "project", "product", "base_model", "dataset_version", "trained_at",
                     "released_at"],
        ),
        "measures": pd.DataFrame(
            measures,
            columns=["model_version", "project", "language", "policy", "benchmark", "metric", "value", "n",
                     "measured_at", "higher_is_better"],
        ),
        "sums": parts,
    }  # fmt: skip


def linked(parts: dict) -> Impact:
    line = [parts[name] for name in ("batches", "datasets", "models", "measures")]
    return impact.impact(line, parts["sums"], {}, {})


def cell(found: Impact, lag: int = 0, quality: str = "gold_accuracy") -> pd.Series:
    rows = found.rows
    return rows[(rows["metric"] == quality) & (rows["lag"] == lag)].iloc[0]


@pytest.fixture
def only_gold(monkeypatch):
    """No other quality is made: a simulation is about one."""
    one = {"gold_accuracy": QUALITIES["gold_accuracy"]}
    monkeypatch.setattr(exposures, "QUALITIES", one)
    monkeypatch.setattr(linkage, "QUALITIES", one)


def test_a_planted_link_stands_and_its_size_is_covered(only_gold):
    inside = 0
    for seed in range(10):
        found = linked(world(seed=seed))
        row = cell(found)
        assert row["q_value"] < STANDS and row["better"] > 0
        panel, design = linkage.coefficient(found.links[0], "gold_accuracy", found.exposed)
        assert design == ladder.PARTIAL and panel.reliability > 0.8
        inside += panel.corrected.low <= 0.8 <= panel.corrected.high
    assert inside >= stats.binom.ppf(0.005, 10, 0.95)


def test_no_link_is_seldom_called(only_gold):
    called = sum(cell(linked(world(coefficient=0.0, seed=s)))["p_value"] < 0.05 for s in range(25))
    assert called <= stats.binom.ppf(0.999, 25, 0.05)


def test_a_reversed_benchmark_keeps_its_own_direction_and_is_called_better():
    row = cell(linked(world(higher=False)))
    assert row["estimate"] < 0 < row["better"]


def test_a_benchmark_by_policy_meets_the_labels_of_that_policy():
    found = linked(world(by="policy", versions=25))
    link = found.links[0]
    panel, design = linkage.coefficient(link, "gold_accuracy", found.exposed)
    assert design == ladder.FIXED_EFFECTS and panel.clusters == len(POLICIES)
    assert panel.corrected.low <= 0.8 <= panel.corrected.high
    # The labels of all policies together say nothing of one policy's.
    own = found.exposed.of("gold_accuracy", "policy", "hate", link.versions)[0][:, 0]
    whole = found.exposed.of("gold_accuracy", "", "", link.versions)[0][:, 0]
    y = link.table["hate"].to_numpy()
    assert np.corrcoef(own, y)[0, 1] > 0.8 > 0.7 > np.corrcoef(whole, y)[0, 1]


def test_one_slice_is_compared_with_its_own_labels():
    found = linked(world(by="policy", versions=25))
    link = found.links[0]
    rows = linkage.series(link.slice("hate"), "gold_accuracy", found.exposed)
    assert rows["y"].tolist() == link.table["hate"].tolist()
    own = found.exposed.of("gold_accuracy", "policy", "hate", link.versions)[0][:, 0]
    assert rows["x"].tolist() == own.tolist()
    one, all_of = (linkage.at_lag(a, linkage.series(a, "gold_accuracy", found.exposed), 0)
                   for a in (link.slice("hate"), link))  # fmt: skip
    assert one.estimate.value > 0.8 and one.estimate.value != all_of.estimate.value
    with pytest.raises(KeyError):
        link.slice("nothing")


def test_a_benchmark_by_policy_and_language_at_once_is_not_compared_by_its_last_language():
    parts = world(by="policy", versions=25)
    both = pd.concat([parts["measures"].assign(language=w) for w in ("en", "hi")], ignore_index=True)
    found = linked({**parts, "measures": both})
    assert found.links[0].reason == linkage.BOTH and found.rows["p_value"].isna().all()
    # Where a value by policy alone is on record too it is the one compared, not one of a language.
    both["value"] = 0.5
    mixed = linked({**parts, "measures": pd.concat([parts["measures"], both], ignore_index=True)})
    plain = linked(parts)
    assert mixed.links[0].by == "policy" and mixed.links[0].table.equals(plain.links[0].table)
    # And so it is with values by language beside those by policy in a language, and with values of the whole.
    whole = parts["measures"].assign(policy=None).drop_duplicates("model_version")
    assert linked({**parts, "measures": pd.concat([whole, both], ignore_index=True)}).links[0].by == ""


@pytest.mark.parametrize("method", list(linkage.CALLED))
def test_the_matrix_is_made_by_the_method_asked_for(only_gold, method):
    found = linked(world(versions=30))
    by_default = found.rows
    found = impact.by_method(found, method)
    row = cell(found)
    link = found.links[0]
    beside = linkage.series(link, "gold_accuracy", found.exposed)
    controls = np.column_stack([link.days, link.controls(beside)])
    whole = {"spearman": ("spearman", False), "prewhitened": ("spearman", True)}.get(method, (method, False))
    expected = association.associate(beside["x"], beside["y"], controls, *whole)
    assert row["method"] == method and row["estimate"] == expected.estimate.value
    assert (row["estimate"] == by_default["estimate"].iloc[0]) == (method == "spearman")
    assert linkage.CALLED[method] in row["narrative"]


def test_all_projects_together_need_five():
    panel = linkage.over_projects(list(linked(world(projects=6, versions=15)).links), "score", "gold_accuracy",
                                  linked(world(projects=6, versions=15)).exposed)  # fmt: skip
    assert panel.corrected.low <= 0.8 <= panel.corrected.high
    one = linked(world())
    alone = linkage.over_projects(list(one.links), "score", "gold_accuracy", one.exposed)
    assert alone.raw.value is None and "fewer than 5 projects" in alone.raw.reason


def test_projects_with_opposite_directions_are_not_pooled(only_gold):
    """Three of six score the same thing upside down: together they would cancel."""
    parts, turned = world(projects=6, versions=15), world(projects=6, versions=15, higher=False)
    half = {"P0", "P1", "P2"}
    rows = [w["measures"][w["measures"]["project"].isin(half) == keep] for w, keep in ((parts, False), (turned, True))]
    found = linked({**parts, "measures": pd.concat(rows, ignore_index=True)})
    assert [link.higher for link in found.links] == [False] * 3 + [True] * 3
    panel = linkage.over_projects(list(found.links), "score", "gold_accuracy", found.exposed)
    assert panel.raw.value is None and panel.raw.reason == linkage.OPPOSITE and panel.corrected.value is None
    rows = impact.coefficients(found, ["gold_accuracy"], found.links)
    over = rows[rows["project"] == linkage.ALL_PROJECTS].iloc[0]
    assert np.isnan(over["estimate"]) and linkage.OPPOSITE in over["narrative"]
    found = linked(turned)
    assert linkage.over_projects(list(found.links), "score", "gold_accuracy", found.exposed).raw.value < -0.5


def test_slices_are_compared_with_their_volume_taken_out(only_gold):
    """Volume drives both gold and score of a slice, quality nothing; dummies in statsmodels are the oracle."""
    parts, rng = world(by="policy", versions=25, coefficient=0.0, spread=0.0), np.random.default_rng(8)
    sums, measures = parts["sums"]["policy"], parts["measures"]
    volume = rng.lognormal(7, 0.6, len(sums))
    sums["gold_correct"] = (sums["gold_n"] * (0.8 + 0.05 * (np.log(volume) - 7))).round()
    sums["judgements"] = volume
    measures["value"] = 0.6 + 0.1 * (np.log(volume) - 7) + rng.normal(0, 0.02, len(sums))
    found = linked(parts)
    panel, design = linkage.coefficient(found.links[0], "gold_accuracy", found.exposed)
    x = found.exposed
    share = [x.of("gold_accuracy", "policy", p, (v,))[0][0, 0]
             for p, v in zip(measures["policy"], measures["model_version"], strict=True)]  # fmt: skip
    dummies = pd.get_dummies(measures[["policy", "model_version"]], drop_first=True, dtype=float).to_numpy()
    columns = np.column_stack([share, np.log(volume), np.ones(len(sums)), dummies])
    y = measures["value"].to_numpy(float)
    assert design == ladder.FIXED_EFFECTS
    assert panel.raw.value == pytest.approx(sm.OLS(y, columns).fit().params[0], abs=1e-6)
    assert panel.raw.low < 0 < panel.raw.high
    assert sm.OLS(y, np.delete(columns, 1, axis=1)).fit().params[0] > 1.0


def test_a_benchmark_by_policy_and_language_meets_the_labels_of_both(only_gold):
    parts = world(by="policy", versions=25)
    rows, rng = parts["sums"].pop("policy"), np.random.default_rng(4)
    right = {w: rng.binomial(rows["gold_n"], rng.uniform(0.75, 0.95, len(rows))) for w in ("en", "hi")}
    parts["sums"]["cells"] = pd.concat([rows.assign(language=w, gold_correct=right[w]) for w in right])
    given = [parts["measures"].assign(language=w, value=0.1 + 0.8 * right[w] / rows["gold_n"]) for w in right]
    found = linked({**parts, "measures": pd.concat(given, ignore_index=True)})
    link = found.links[0]
    assert link.by == exposures.CELLS and len(link.table.columns) == 10 and not link.reason
    alone = link.slice("hate in hi")
    beside = linkage.series(alone, "gold_accuracy", found.exposed)
    assert beside["x"].nunique() > 15 and beside["x"].to_numpy() == pytest.approx((beside["y"] - 0.1).to_numpy() / 0.8)
    assert set(found.rows["slice"]) == {"", *link.table}
    # One that is measured by policy alone still meets the labels of the policy alone.
    one = linked(world(by="policy", versions=25))
    assert {key[1] for key in one.exposed._parts} == {"", "policy"}


def test_slices_are_cells_of_the_family(only_gold):
    """Every slice with enough versions counts for every q, a thin one is no test."""
    parts = world(by="policy", versions=25, coefficient=0.0)
    few = (parts["measures"]["policy"] == "sex") & (parts["measures"].index < 5 * 17)
    parts["measures"].loc[few, "value"] = np.nan
    found = linked(parts)
    rows = found.rows
    asked = {"", *POLICIES} - {"sex"}
    assert rows["slice"].value_counts().to_dict() == dict.fromkeys(asked, len(linkage.LAGS))
    p = rows["p_value"].dropna()
    assert found.tests == len(p) == len(asked) * len(linkage.LAGS)
    assert np.allclose(rows["q_value"].dropna(), stats.false_discovery_control(p, method="bh"))
    link = found.links[0].slice("hate")
    alone = linkage.at_lag(link, linkage.series(link, "gold_accuracy", found.exposed), 1)
    row = rows[(rows["slice"] == "hate") & (rows["lag"] == 1)].iloc[0]
    assert (row["p_value"], row["n"]) == (alone.p_value, alone.estimate.n)
    assert "bench0, hate" in row["narrative"] and set(linkage.told(rows)["benchmark"]) >= {"bench0", "bench0, hate"}


def test_what_is_drawn_has_the_slope_of_a_regression_with_the_controls(only_gold):
    """An added-variable plot (Frisch, Waugh and Lovell): its line is the coefficient beside the controls."""
    parts = world(versions=30)
    parts["models"].loc[15:, "base_model"] = "base-2"
    parts["measures"].loc[15:, "value"] -= 0.3
    parts["measures"].loc[4, "value"] = np.nan
    found = linked(parts)
    link = found.links[0]
    rows = linkage.series(link, "gold_accuracy", found.exposed)
    drawn = linkage.added_variable(link, rows)
    known = rows["y"].notna().to_numpy()
    assert drawn["x_left"].isna().tolist() == (~known).tolist()
    columns = np.column_stack([rows["x"], np.ones(30), link.days, link.controls(rows)])[known]
    slope = sm.OLS(rows["y"].to_numpy()[known], columns).fit().params[0]
    assert np.polyfit(drawn["x_left"][known], drawn["y_left"][known], 1)[0] == pytest.approx(slope, abs=1e-8)
    assert drawn["y_left"].mean() == pytest.approx(rows["y"].mean())
    assert abs(np.polyfit(rows["x"][known], rows["y"][known], 1)[0] - slope) > 0.05


def test_q_counts_every_cell_and_lag():
    found = linked(world(projects=3))
    p = found.rows["p_value"].dropna()
    assert found.tests == len(p) > 3
    expected = stats.false_discovery_control(p, method="bh")
    assert np.allclose(found.rows["q_value"].dropna(), expected)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w["measures"].assign(value=0.9), "does not vary"),
        (lambda w: w["measures"].head(8), "fewer than 10 versions"),
        (lambda w: w["measures"].assign(measured_at=EPOCH - pd.Timedelta(days=9)), "evaluated before"),
        (lambda w: w["measures"].assign(higher_is_better=[k % 2 == 0 for k in range(40)]), "both that higher"),
        (lambda w: w["measures"].assign(model_version="unheard of"), "no version of this benchmark"),
        (lambda w: w["measures"].assign(value=np.nan), "fewer than 10 versions"),
    ],
)
def test_what_cannot_be_compared_has_a_reason_and_no_number(change, said):
    parts = world()
    parts["measures"] = change(parts)
    found = linked(parts)
    assert len(found.rows) and found.rows["estimate"].isna().all() and (found.rows["reason"] != "").all()
    assert said in cell(found)["reason"]
    rows = impact.coefficients(found, ["gold_accuracy"], found.links)
    assert rows["estimate"].isna().all()


def test_versions_trained_before_their_dataset_take_no_part():
    parts = world()
    late = parts["models"].index < 33
    parts["models"].loc[late, "trained_at"] = EPOCH - pd.Timedelta(days=30)
    found = linked(parts)
    assert found.links[0].left_out == {"trained before its dataset was built": 33}
    assert "33 of 40 versions are left out: trained before" in cell(found)["reason"]


def test_the_order_of_rows_is_no_order_of_training():
    parts = world()
    shuffled = {
        name: part if isinstance(part, dict) else part.sample(frac=1, random_state=1) for name, part in parts.items()
    }
    pd.testing.assert_frame_equal(linked(parts).rows, linked(shuffled).rows)


def test_without_batches_or_measures_there_is_a_reason():
    parts = world()
    parts["batches"] = parts["batches"].iloc[:0]
    found = linked(parts)
    assert found.reason == impact.NO_BATCHES and found.rows["estimate"].isna().all()
    parts["measures"] = parts["measures"].iloc[:0]
    found = linked(parts)
    assert found.reason == impact.NO_MEASURES and found.rows.empty and list(found.rows[ROW]) == ROW


def test_every_narrative_claims_no_more_than_its_design():
    found = linked(world(projects=6, versions=20))
    rows = pd.concat([found.rows, impact.coefficients(found, ["gold_accuracy"], found.links)])
    for row in rows.to_dict("records"):
        assert ladder.overclaims(row["narrative"], ladder.rung_of(row["design"])) == []
        assert row["reason"] or ladder.NOT_PROOF in row["narrative"] or "cannot be told" in row["narrative"]


# ---- qualities --------------------------------------------------------------------------------------------------


def test_consensus_from_patterns_is_that_from_rows():
    rng = np.random.default_rng(3)
    item, rater, label = [], [], []
    for i in range(300):
        for r in range(rng.integers(1, 6)):
            item.append(i)
            rater.append(r)
            label.append(rng.choice(3, p=[0.6, 0.3, 0.1]))
    found = consensus_match(item, rater, label, ties="abstain", others=1)
    hits, n = qualities.leave_one_out(Patterns.of(np.array(item), np.array(label), 3))
    assert n == found["n"].sum()
    assert hits == pytest.approx((found["value"] * found["n"]).sum())


def test_overdispersion_is_one_for_independent_judgements_and_seen_where_items_repeat():
    rng = np.random.default_rng(5)
    rows = [(f"b{b}", c) for b in range(60) for c in "abcdefgh"]
    cells = pd.DataFrame(rows, columns=["batch_id", "policy"]).assign(project_id="P", language="en")
    quality = QUALITIES["gold_accuracy"]
    share = np.where(cells["policy"] < "d", 0.8, 0.9)
    once = cells.assign(gold_n=40, gold_correct=rng.binomial(40, share))
    thrice = cells.assign(gold_n=120, gold_correct=3 * rng.binomial(40, share))  # every judgement counted three times
    assert qualities.overdispersion(quality, once)["P"] == pytest.approx(1.0, abs=0.15)
    assert qualities.overdispersion(quality, thrice)["P"] == pytest.approx(3.0, rel=0.15)


def test_audits_scatter_is_their_own_and_widens_their_error():
    """Audits in which every judgement counts four times: a quarter of what they seem to be."""
    rng = np.random.default_rng(6)
    cells = pd.DataFrame([(f"b{b}", c) for b in range(60) for c in "abcdefgh"], columns=["batch_id", "policy"])
    cells = cells.assign(project_id="P", language="en", right=rng.binomial(40, 0.85, len(cells)))
    quality = QUALITIES["audit_accuracy"]
    for times in (1, 4):
        audits = cells.assign(audited_weight_passed=2.0 * times * cells["right"], audited_weight=2.0 * times * 40,
                              audited_weight_squared=4.0 * times * 40)  # fmt: skip
        found = qualities.overdispersion(quality, audits)
        assert found["P"] == pytest.approx(times, rel=0.15)
        assert qualities.judged(quality, audits, found)["n"].mean() == pytest.approx(40, rel=0.2)
    whole = {c: 0.0 for q in QUALITIES.values() for c in q.columns if c not in audits}
    labels = exposures.Labels(pd.DataFrame(), pd.DataFrame(), {exposures.CELLS: audits.assign(**whole)})
    assert exposures._scatter(labels)["audit_accuracy"]["P"] == found["P"]


def test_the_match_with_consensus_has_no_error_that_its_size_could_be_corrected_by(monkeypatch):
    """Ratings of an item are each other's consensus, not independent judgements."""
    parts, rng = world(versions=30), np.random.default_rng(2)
    grouped, item = [], np.repeat(np.arange(80), 3)
    for batch in parts["batches"]["batch_id"]:
        wrong = rng.random(240) > rng.uniform(0.7, 0.95)
        grouped.append(({"batch": batch, "project": "P0"}, [(Patterns.of(item, wrong.astype(int), 2), None)]))
    monkeypatch.setattr(exposures, "QUALITIES", {"consensus_match": QUALITIES["consensus_match"]})
    labels = exposures.Labels(parts["batches"], parts["models"], parts["sums"], {}, {"": grouped})
    exposed = exposures.exposures(labels)
    assert exposed["value"].notna().all() and exposed[["low", "high"]].isna().all(axis=None)
    line = [parts[name] for name in ("measures", "models")]
    link = linkage.links(*line, pd.DataFrame(columns=["model_version", "benchmark", "reason"]))[0]
    panel, _ = linkage.coefficient(link, "consensus_match", linkage.Exposed(exposed))
    assert panel.raw.value is not None and panel.corrected.value is None


# ---- moves ------------------------------------------------------------------------------------------------------


def test_a_fall_at_a_new_base_model_is_not_put_down_to_labels():
    parts = world()
    parts["models"].loc[20:, "base_model"] = "base-2"
    parts["measures"].loc[20:, "value"] -= 0.2
    found = linked(parts)
    changes = pd.DataFrame({"kind": ["model"], "project_id": ["P0"], "starts_on": [EPOCH + pd.Timedelta(days=140)],
                            "summary": ["New base."]})  # fmt: skip
    rows = moves.moves(found.links, "gold_accuracy", found.exposed, parts["models"], changes)
    first = rows.iloc[0]
    assert first["model_version"] == "P0-m020" and first["reading"] == moves.CONFOUNDED
    assert "base-1 to base-2" in first["confounders"] and "New base." in first["confounders"]


def test_labels_that_fell_with_the_benchmark_are_named():
    parts = world()
    worse = parts["sums"][""]["batch_id"] == "P0-b020"
    parts["sums"][""].loc[worse, "gold_correct"] -= 1200
    parts["measures"].loc[20, "value"] -= 0.24
    found = linked(parts)
    none = pd.DataFrame(columns=["kind", "project_id", "starts_on", "summary"])
    rows = moves.moves(found.links, "gold_accuracy", found.exposed, parts["models"], none)
    first = rows.iloc[0]
    assert first["model_version"] == "P0-m020" and first["reading"] == moves.LABELS and first["quality_change"] < -0.1
