"""The cost of a correct label from raw rows alone: sums, intervals and shrinkage written out, sharing no code."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from data_access import queries
from tests.data_access.test_ledger import frames, small_numbers_count, snapshot_of  # noqa: F401  a fixture for all here
from tests.data_access.worlds import EVERYONE

Z = stats.norm.ppf(0.975)


@pytest.fixture(
    scope="module", params=[pytest.param(s, marks=pytest.mark.xdist_group(f"apart-{s}")) for s in (31, 32, 33)]
)
def world(request, tmp_path_factory):
    """The raw rows with the week, project and pool of each, and the snapshot of them."""
    tables = frames(request.param)
    snapshot = snapshot_of(tmp_path_factory.mktemp("apart"), tables)
    pool = dict(zip(tables["raters"]["rater_id"], tables["raters"]["pool_id"], strict=True))
    truth = dict(zip(tables["items"]["item_id"], tables["items"]["gold_label"], strict=True))
    notes = tables["annotations"][tables["annotations"]["status"] != "skipped"]
    work = pd.DataFrame(
        {
            "project": notes["project_id"],
            "pool": notes["rater_id"].map(pool),
            "rater": notes["rater_id"],
            "day": notes["submitted_at"].dt.normalize(),
            "label": (notes["stage"] == "label").astype(int),
            "truth": notes["item_id"].map(truth),
            "given": notes["label"],
        }
    )
    money = tables["costs"].rename(columns={"project_id": "project", "pool_id": "pool", "cost_date": "day"})
    money = money.assign(day=pd.to_datetime(money["day"]))
    for rows in (work, money):
        rows["week"] = rows["day"] - pd.to_timedelta(rows["day"].dt.day_of_week, unit="D")
    yield work, money, snapshot
    snapshot.close()


def spread(x: np.ndarray, n: np.ndarray) -> tuple[float, float, float]:
    """A ratio of sums over clusters and its 95 % ends: delta method on the log scale, t with the clusters' worth.

    The upper end is moved by Hall's term, for prices with skewness 3 CV and volumes as unequal as these.
    """
    ratio, worth = x.sum() / n.sum(), min(n.sum() ** 2 / (n**2).sum(), len(n))
    variance = worth / (worth - 1) * ((x - ratio * n) ** 2).sum() / n.sum() ** 2
    error = np.sqrt(variance) / ratio
    half = stats.t.ppf(0.975, worth - 1) * error
    third = min((n > 0).sum() / worth**1.5, 1.0)  # n³ over (n²)^1.5 of log-normal volumes; 1 is the most there can be
    tail = error * third * np.sqrt(worth) * error * (2 * Z**2 + 1) / 2 - (error * Z) ** 2 / 2
    return ratio, ratio * np.exp(-half), ratio * np.exp(half + tail)


def correct(work: pd.DataFrame, money: pd.DataFrame, gold_row: pd.Series) -> tuple[float, float, float]:
    """Cost of a correct label of these rows. The gold interval is read off the published accuracy, nothing else."""
    place = ["week", "project", "pool"]
    both = pd.concat([money.groupby(place)["amount"].sum(), work.groupby(place)["label"].sum()], axis=1).fillna(0.0)
    cost, low, high = spread(both["amount"].to_numpy(), both["label"].to_numpy(float))
    gold = work[work["truth"].notna() & work["given"].notna()]
    n, share = len(gold), float((gold["truth"] == gold["given"]).mean())
    assert gold_row["value"] == pytest.approx(share) and gold_row["n"] == n
    # As many judgements as an interval this wide is worth (Wilson), then Jeffreys: fewer than five groups.
    worth = min([n, *(Z**2 * e * (1 - e) / (share - e) ** 2 for e in (gold_row["low"], gold_row["high"]) if 0 < e < 1)])
    right = stats.beta(0.5 + share * worth, 0.5 + (1 - share) * worth)
    accuracy, least, most = right.mean(), *right.ppf([0.025, 0.975])
    value = cost / accuracy
    below = np.hypot(np.log(cost / low), np.log(most / accuracy))
    above = np.hypot(np.log(high / cost), np.log(accuracy / least))
    return value, value * np.exp(-below), value * np.exp(above)


@pytest.mark.parametrize("by", [None, "project", "pool"])
def test_cost_of_a_correct_label_from_raw_rows(world, by):
    work, money, snapshot = world
    keys = [by] if by else []
    names = ["cost_per_correct_label", "gold_accuracy"]
    found = queries.measure(snapshot, names, by=keys, scope=EVERYONE)
    tried = 0
    for group in work[by].unique() if by else [None]:
        rows = found[found[by] == group] if by else found
        ours, gold = (rows[rows["metric"] == name].iloc[0] for name in names)
        narrowed = (r[r[by] == group] if by else r for r in (work, money))
        if not gold["value"] > 0:
            assert np.isnan(ours["value"])
            continue
        want = correct(*narrowed, gold)
        np.testing.assert_allclose(ours[["value", "low", "high"]].astype(float), want, rtol=1e-6)
        tried += 1
    assert tried


def test_total_cost_and_cost_of_a_label_from_raw_rows(world):
    work, money, snapshot = world
    found = queries.measure(snapshot, ["total_cost", "cost_per_label"], by=["pool", "project"], scope=EVERYONE)
    spent = money.groupby(["pool", "project"])["amount"].sum()
    paid = money[money["kind"].isin(("labour", "fee"))].groupby(["pool", "project"])["amount"].sum()
    made = work.groupby(["pool", "project"])["label"].sum()
    seen = found.set_index(["metric", "pool", "project"])["value"]
    for place, amount in spent.items():
        assert seen["total_cost", *place] == pytest.approx(amount)
        if made.get(place, 0):
            assert seen["cost_per_label", *place] == pytest.approx(paid.get(place, 0.0) / made[place])
    assert seen["total_cost"].sum() == pytest.approx(money["amount"].sum())
