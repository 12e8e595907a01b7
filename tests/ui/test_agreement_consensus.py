"""Labels without gold on the agreement page: gold judges and does not teach, few ratings give no rater a number."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from data_access.drill import Ratings
from data_access.filters import Filters
from metrics.spec import Estimate
from ui import agreement_consensus, agreement_consensus_words, data


@pytest.fixture
def told(snapshot, monkeypatch):
    """The section's figures on given ratings of one project whose labels are safe and unsafe."""
    project = next(iter(snapshot.label_sets))
    known = dataclasses.replace(snapshot.label_sets[project], level="nominal", labels=("safe", "unsafe"))
    monkeypatch.setitem(snapshot.label_sets, project, known)

    def run(rows: pd.DataFrame) -> agreement_consensus.WithoutGold:
        data.st.cache_data.clear()
        read = Ratings(rows.assign(project_id=project, policy="p", language="en"))
        monkeypatch.setattr(data, "ratings", lambda *_, **__: read)
        return agreement_consensus.without_gold(snapshot, Filters.of({"project": project}))

    return run


def ratings(items: int = 400, seed: int = 1) -> pd.DataFrame:
    """Five raters an item, two of them right nineteen times in twenty, three six times in ten; a third has gold."""
    rng = np.random.default_rng(seed)
    rows = []
    for item in range(items):
        truth = rng.integers(2)
        for rater, skill in enumerate((0.95, 0.95, 0.6, 0.6, 0.6)):
            label = truth if rng.random() < skill else 1 - truth
            gold = ("safe", "unsafe")[truth] if item % 3 == 0 else None
            rows.append((f"I{item}", f"R{rater}", ("safe", "unsafe")[label], gold))
    return pd.DataFrame(rows, columns=["item_id", "rater_id", "label", "gold_label"])


def test_the_model_finds_the_able_and_gold_says_so(told):
    rows = ratings()
    shown = told(rows)
    vote, model = shown.found.majority_accuracy, shown.found.model_accuracy
    assert vote.n == model.n == rows["gold_label"].notna().sum() / 5
    # Of three right to 0.6 and two to 0.95 the majority is right on 0.907 of items, by their binomials.
    assert vote.value == pytest.approx(0.907, abs=0.075) and model.value > vote.value
    right = dict(zip(shown.raters["rater"], shown.raters["value"], strict=True))
    assert all(right[r] > 0.88 for r in ("R0", "R1")) and all(right[r] < 0.75 for r in ("R2", "R3", "R4"))
    sentence = agreement_consensus_words.without_gold(shown)
    assert "gold items that neither has seen" in sentence and "of 400 items differently" in sentence


def test_gold_teaches_nothing(told):
    rows = ratings()
    wrong = rows.assign(gold_label=rows["gold_label"].map({"safe": "unsafe", "unsafe": "safe"}))
    a, b = told(rows), told(wrong)
    pd.testing.assert_frame_equal(a.items, b.items)
    assert a.found.model_accuracy.value == pytest.approx(1 - b.found.model_accuracy.value)


def test_the_least_certain_come_first_with_their_number_of_ratings(told):
    shown = told(ratings())
    assert shown.items["probability"].is_monotonic_increasing and set(shown.items["n"]) == {5}
    assert len(shown.items) == agreement_consensus.MOST_ITEMS


def test_raters_of_few_ratings_have_no_number(told):
    rows = ratings(40)
    rows = rows[~((rows["rater_id"] == "R4") & (rows["item_id"].str[1:].astype(int) >= 29))]
    shown = told(rows)
    assert shown.few == 1 and "R4" not in set(shown.raters["rater"])


def test_without_gold_nothing_says_who_is_right(told):
    shown = told(ratings(60).assign(gold_label=None))
    assert "nothing says which of the two is right more often" in agreement_consensus_words.without_gold(shown)


def test_no_item_is_said(told):
    assert agreement_consensus_words.without_gold(told(ratings(1).head(0))) == "No item here has two ratings."


def test_words_claim_a_difference_only_where_the_intervals_part(told):
    shown = told(ratings())
    vote, model = Estimate(0.84, 0.81, 0.87, n=500), Estimate(0.91, 0.88, 0.93, n=500)
    clear = dataclasses.replace(shown.found, majority_accuracy=vote, model_accuracy=model)
    assert "the model clearly more often" in agreement_consensus_words.without_gold(
        dataclasses.replace(shown, found=clear)
    )
    near = dataclasses.replace(clear, model_accuracy=Estimate(0.86, 0.83, 0.89, n=500))
    assert "cannot be told" in agreement_consensus_words.without_gold(dataclasses.replace(shown, found=near))
