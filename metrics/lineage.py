"""From labels to models and back: which batches a model version was trained on, and how good their labels were.

annotations -> batch -> dataset version -> model version -> benchmark values and incidents. A model's exposure to a
quality is the mean over its batches, weighted by items: Q_m = Σ_b w_mb q_b with w_mb = items_b / Σ_b items_b. A batch
that no model was trained on yet is "not yet used", never "no effect". Every share of a trace stands beside the share
of all labels that came from the same place, because "3 of 4 incidents" means nothing without it.

Frames are those of data_access.model_data: ``batches`` (batch_id, project, closed_at, dataset_version, items, labels),
``datasets`` (dataset_version, project, built_at), ``models`` (model_version, project, product, base_model,
dataset_version, trained_at, released_at), ``measures`` (model_version, ..., measured_at), ``incidents``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from metrics.intervals import wilson

LEAST_JUDGED = 30
"""Fewer judgements than this behind a model's labels give no exposure."""

LEAST_COVERED = 0.5  # of a model's items must lie in batches whose quality is known
OPEN, NOT_IN_DATASET, NOT_USED, USED = "still open", "in no dataset yet", "not yet used", "used"
NO_BATCHES = "no batch of labels is on record for the dataset this model was trained on"
FEW_JUDGED = f"fewer than {LEAST_JUDGED} judgements behind this model's labels"
FEW_COVERED = "for more than half of this model's labels nothing is known"
EXPOSURE = ["model_version", "value", "low", "high", "n", "covered", "reason"]
TRACE = ["items", "share", "base_share", "ratio"]


def weights(batches: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """What each model version was trained on: model_version, batch_id, items, weight; weights of a model sum to 1.

    A model whose dataset has no batch with items is left out.
    """
    held = batches.loc[batches["items"] > 0, ["batch_id", "dataset_version", "items"]].dropna(subset="dataset_version")
    joined = models[["model_version", "dataset_version"]].merge(held, on="dataset_version")
    joined["items"] = joined["items"].astype(float)  # a frame without rows may hold texts
    joined["weight"] = joined["items"] / joined.groupby("model_version")["items"].transform("sum")
    return joined[["model_version", "batch_id", "items", "weight"]]


def standing(batches: pd.DataFrame, models: pd.DataFrame) -> pd.Series:
    """How far each batch has come, in the order of ``batches``: OPEN, NOT_IN_DATASET, NOT_USED or USED."""
    trained = batches["dataset_version"].isin(models["dataset_version"].dropna())
    told = np.select(
        [trained, batches["dataset_version"].notna(), batches["closed_at"].notna()],
        [USED, NOT_USED, NOT_IN_DATASET],
        OPEN,
    )
    return pd.Series(told, index=batches.index, dtype=object)


def exposure(weighted: pd.DataFrame, judged: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """The quality of the labels that each model version was trained on, a row per model: EXPOSURE.

    weighted: of weights(). judged: batch_id, hits, n: judgements of the batch's labels (right on gold, passed in audit,
    accepted ...) out of n; for weighted audits n is Kish's effective number and hits = share * n. value: 0 to 1, the
    item-weighted mean of the batches' shares; covered: the share of items in batches with any judgement, over which
    the weights are taken anew. Interval: Wilson on the n that has the variance Σ w² p(1-p)/n_b, p the model's own
    share, for a batch of few judgements cannot show its spread. Judgements are taken as independent.
    """
    code, names = pd.factorize(models["model_version"])
    hits, n = _beside(weighted, judged, ("hits", "n"))
    model = names.get_indexer(weighted["model_version"])
    known = (model >= 0) & (n > 0)
    model, hits, n, weight = model[known], hits[known], n[known], weighted["weight"].to_numpy(float)[known]
    whole = np.bincount(model, weight, len(names))
    part, behind = weight / whole[model], np.bincount(model, n, len(names))
    with np.errstate(all="ignore"):
        effective = 1 / np.bincount(model, part**2 / n, len(names))
        share = np.where(behind > 0, np.bincount(model, part * hits / n, len(names)), np.nan)
        found = wilson(share * effective, effective)
    return _with_reasons(models, weighted, *(table[code] for table in (*found, behind, whole)))


def mean_exposure(weighted: pd.DataFrame, values: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """Like exposure(), for a quality that is a number with an error of its own: batch_id, value, error, n.

    For alpha, percent agreement or the mean log handle time of a batch. error: the standard error, NaN where unknown.
    Interval: value ± 1.96 √(Σ w² error²).
    """
    code, names = pd.factorize(models["model_version"])
    value, error, n = _beside(weighted, values, ("value", "error", "n"))
    model = names.get_indexer(weighted["model_version"])
    known = (model >= 0) & np.isfinite(value) & np.isfinite(error)
    model, weight = model[known], weighted["weight"].to_numpy(float)[known]
    whole = np.bincount(model, weight, len(names))
    part, behind = weight / whole[model], np.bincount(model, np.nan_to_num(n[known]), len(names))
    mean = np.where(whole > 0, np.bincount(model, part * value[known], len(names)), np.nan)
    half = stats.norm.ppf(0.975) * np.sqrt(np.bincount(model, (part * error[known]) ** 2, len(names)))
    return _with_reasons(models, weighted, *(table[code] for table in (mean, mean - half, mean + half, behind, whole)))


def _beside(weighted: pd.DataFrame, values: pd.DataFrame, columns: Sequence[str]) -> list[NDArray[np.float64]]:
    """The columns for the batch of each row of ``weighted``, NaN where ``values``, which has a batch once, has none."""
    place = pd.Index(values["batch_id"]).get_indexer(weighted["batch_id"])
    return [np.append(values[c].to_numpy(float), np.nan)[place] for c in columns]


def _with_reasons(models: pd.DataFrame, weighted: pd.DataFrame, *columns: NDArray[np.float64]) -> pd.DataFrame:
    """An exposure of each model from value, low, high, n and covered; where too little is behind it, the reason in
    place of the number.
    """
    value, low, high, n, covered = columns
    versions = models["model_version"]
    trained = versions.isin(weighted["model_version"]).to_numpy()
    lacking = [~trained, n < LEAST_JUDGED, covered < LEAST_COVERED]
    reason = np.select(lacking, [NO_BATCHES, FEW_JUDGED, FEW_COVERED], "").astype(object)
    value, low, high = (np.where(reason == "", end, np.nan) for end in (value, low, high))
    return pd.DataFrame(dict(zip(EXPOSURE, (versions.to_numpy(), value, low, high, n, covered, reason), strict=True)))


def lags(weighted: pd.DataFrame, labelled: pd.DataFrame, measures: pd.DataFrame) -> pd.DataFrame:
    """How old the labels were when the model was measured: measures' rows with lag_days, first_days and last_days.

    labelled: batch_id, labelled_at, the time a batch's labels were given on average. lag_days: the item-weighted mean
    over the model's batches; first_days and last_days: of its newest and its oldest batch. NaN without batches.
    """
    dated = weighted.merge(labelled, on="batch_id")
    stamp = dated["labelled_at"].astype("datetime64[s]").astype("int64") / 86_400.0
    dated = dated.assign(day=stamp, weighted_day=stamp * dated["weight"])
    by_model = dated.groupby("model_version").agg(
        day=("weighted_day", "sum"), whole=("weight", "sum"), newest=("day", "max"), oldest=("day", "min")
    )
    measured = measures["measured_at"].astype("datetime64[s]").astype("int64") / 86_400.0
    of = by_model.reindex(measures["model_version"]).reset_index(drop=True)
    when = measured.reset_index(drop=True)
    return measures.reset_index(drop=True).assign(
        lag_days=when - of["day"] / of["whole"], first_days=when - of["newest"], last_days=when - of["oldest"]
    )


def trace_back(weighted: pd.DataFrame, cells: pd.DataFrame, traced: Collection[str], by: Sequence[str]) -> pd.DataFrame:
    """Where the labels behind some model versions came from, beside where all labels in models came from.

    weighted: of weights(), of the models to compare with, the traced ones among them. cells: batch_id, the columns of
    ``by`` (pool, guideline_version, policy, language ... or batch_id itself) and items: how a batch's items divide.
    traced: the model versions to explain. One row per value of ``by``: items, share (of the labels behind the traced
    versions, each version counted alike), base_share (likewise over all versions) and ratio. Shares sum to 1 where
    every batch has cells; the most over-represented come first. Empty when no traced version has batches.
    """
    by = list(by)
    whole = cells.groupby("batch_id")["items"].transform("sum")
    divided = cells.assign(part=cells["items"] / whole.where(whole > 0))
    keys = by if "batch_id" in by else ["batch_id", *by]
    spread = weighted[["model_version", "batch_id", "weight"]].merge(
        divided[[*dict.fromkeys([*keys, "part", "items"])]], on="batch_id"
    )
    spread = spread.assign(share=spread["weight"] * spread["part"])
    ours = spread[spread["model_version"].isin(list(traced))]
    if ours.empty:
        return pd.DataFrame(columns=[*by, *TRACE])
    found = ours.groupby(by).agg(items=("items", "sum"), share=("share", "sum"))
    found["share"] /= ours["model_version"].nunique()
    base = spread.groupby(by)["share"].sum() / spread["model_version"].nunique()
    found["base_share"] = base.reindex(found.index)
    found["ratio"] = found["share"] / found["base_share"]
    return found.reset_index().sort_values(["ratio", "share"], ascending=False, ignore_index=True)


def traced_incidents(
    weighted: pd.DataFrame, incidents: pd.DataFrame, batches: Collection[str], least: float = 0.0
) -> dict[str, float]:
    """How many incidents are of model versions trained on these batches, beside the share of versions that were.

    least: a version counts as trained on them from this share of its labels on. reached and incidents: how many of the
    incidents with a model version of ``weighted``; share; base_share: the share of model versions; label_share: the
    mean share of labels from the batches over all versions; p_value: of ``chance_of_sum``, None without incidents or
    where every version or none was reached.
    """
    part = weighted[weighted["batch_id"].isin(list(batches))].groupby("model_version")["weight"].sum()
    versions = weighted["model_version"].unique()
    reached = set(part.index[part > least])
    known = incidents[incidents["model_version"].isin(versions)]
    counts = known["model_version"].value_counts()
    hit = int(counts[counts.index.isin(reached)].sum())
    base = len(reached) / len(versions) if len(versions) else float("nan")
    testable = len(known) and 0 < base < 1
    return {
        "reached": hit,
        "incidents": len(known),
        "share": hit / len(known) if len(known) else float("nan"),
        "base_share": base,
        "label_share": float(part.sum() / len(versions)) if len(versions) else float("nan"),
        "p_value": chance_of_sum(counts.tolist(), len(versions), len(reached), hit) if testable else None,
    }


def incidents_by_batch(weighted: pd.DataFrame, incidents: pd.DataFrame) -> pd.DataFrame:
    """How many incidents each batch is behind, beside what chance gives: a row per batch of ``weighted``.

    batch_id; reached: incidents of model versions trained on the batch; incidents: those of all versions of
    ``weighted``; base_share: the share of versions trained on it; p_value: the probability of ``reached`` or more
    (exact binomial, one-sided, Clopper and Pearson 1934), times the number of batches (Bonferroni), at most 1; NaN
    without incidents. The base is the share of versions and not of labels, for an incident is behind every batch of its
    version, be it a small part. Incidents are taken as independent: chance_of_sum() is not of use for one batch, whose
    version, drawn from V, is the worst with probability 1 / V.
    """
    held = weighted[["model_version", "batch_id"]].drop_duplicates()
    versions = held["model_version"].nunique()
    counts = incidents["model_version"].value_counts()
    held = held.assign(reached=held["model_version"].map(counts).fillna(0).astype(int))
    known = int(counts[counts.index.isin(held["model_version"])].sum())
    found = held.groupby("batch_id").agg(reached=("reached", "sum"), base_share=("model_version", "size")).reset_index()
    base = found["base_share"] / max(versions, 1)
    p = stats.binom.sf(found["reached"] - 1, known, base) if known else np.full(len(found), np.nan)
    return found.assign(incidents=known, base_share=base, p_value=np.minimum(p * len(found), 1.0))


def chance_of_sum(counts: Sequence[int], versions: int, chosen: int, least: int) -> float:
    """The probability that ``chosen`` of ``versions``, drawn without replacement, hold ``least`` incidents or more.

    counts: incidents of each version that has any, 0 of the others. A version keeps all its incidents, since one fault
    makes several; taken one by one they would fall on as many versions as there are incidents, and 10 to 12 % of chance
    clusters would be called at 5 %. A version that served longer has more incidents whatever its labels: versions are
    taken as alike but for what is tested. Exact permutation test, one-sided (Pitman 1937): version by version the
    probability of each number of versions drawn and incidents held, no draws.
    """
    counts = [int(n) for n in counts]
    total = sum(counts)
    held = np.zeros((chosen + 1, total + 1))
    held[0, 0] = 1.0
    already = np.arange(chosen + 1)
    for k, n in enumerate([*counts, *[0] * (versions - len(counts))]):
        # Of the versions left, so many are still to be drawn.
        drawn = held * ((chosen - already) / (versions - k))[:, None]
        held = held - drawn
        held[1:, n:] += drawn[:-1, : total + 1 - n]
    return float(min(held[chosen, max(least, 0) :].sum(), 1.0))


def trace_forward(weighted: pd.DataFrame, batches: Collection[str], models: pd.DataFrame) -> pd.DataFrame:
    """The model versions that a batch or some batches reached: rows of ``models`` in order of training, with weight.

    weight: the share of the version's labels that came from these batches. Empty: no model was trained on them yet.
    """
    part = weighted[weighted["batch_id"].isin(list(batches))].groupby("model_version")["weight"].sum()
    reached = models[models["model_version"].isin(part.index)]
    return reached.assign(weight=reached["model_version"].map(part)).sort_values("trained_at", ignore_index=True)


def untimely(
    batches: pd.DataFrame, datasets: pd.DataFrame, models: pd.DataFrame, measures: pd.DataFrame
) -> pd.DataFrame:
    """What cannot have happened in the order on record: model_version, benchmark (or None), reason.

    Such a version or value takes no part in any comparison: a dataset built before a batch in it closed, a model
    trained before its dataset was built or on a dataset not on record, a value measured before its model was trained.
    """
    built = models.merge(datasets[["dataset_version", "built_at"]], on="dataset_version", how="left")
    # An open batch in a dataset closes later than the dataset was built, whenever that will be.
    latest = batches.assign(closed_at=batches["closed_at"].fillna(pd.Timestamp.max.floor("s")))
    closed = latest.dropna(subset="dataset_version").groupby("dataset_version")["closed_at"].max()
    built = built.assign(closed_at=closed.reindex(built["dataset_version"]).to_numpy())
    tests = (
        (built["built_at"].isna(), "trained on a dataset that is not on record"),
        (built["trained_at"] < built["built_at"], "trained before its dataset was built"),
        (built["built_at"] < built["closed_at"], "its dataset was built before a batch in it was closed"),
        (built["released_at"] < built["trained_at"], "released before it was trained"),
    )
    found = [built.loc[wrong, ["model_version"]].assign(benchmark=None, reason=reason) for wrong, reason in tests]
    tested = measures.merge(models[["model_version", "trained_at"]], on="model_version", how="left")
    early = tested["measured_at"] < tested["trained_at"]
    found.append(
        tested.loc[early, ["model_version", "benchmark"]].assign(reason="evaluated before the model was trained")
    )
    unknown = tested["trained_at"].isna()
    found.append(
        tested.loc[unknown, ["model_version", "benchmark"]].assign(reason="the model version is not on record")
    )
    return pd.concat(found, ignore_index=True).drop_duplicates(ignore_index=True)


def on_time(measures: pd.DataFrame, wrong: pd.DataFrame) -> pd.DataFrame:
    """The measures that take part: none of a version that ``untimely`` names, nor of a benchmark it names for one."""
    late = wrong.loc[wrong["benchmark"].isna(), "model_version"]
    early = set(zip(wrong["model_version"], wrong["benchmark"], strict=True))
    named = [key in early for key in zip(measures["model_version"], measures["benchmark"], strict=True)]
    return measures[~measures["model_version"].isin(late) & ~np.array(named, bool)]
