"""Where label errors sit: planted worst cells are named, gold before audits, and reasons where nothing is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics.noise_cells import NOTHING, noise_cells

POLICIES, LANGUAGES = [f"p{k}" for k in range(10)], ["en", "hi", "vi", "ko"]


def sums(bad: dict[tuple[str, str], float], policies=POLICIES, n=500, **columns) -> pd.DataFrame:
    """Two batches of every cell, 5 % of labels wrong but in the bad cells."""
    rng = np.random.default_rng(4)
    rows = [(b, p, w) for b in ("b1", "b2") for p in policies for w in LANGUAGES]
    frame = pd.DataFrame(rows, columns=["batch_id", "policy", "language"]).assign(project_id="P")
    wrong = [rng.binomial(n, bad.get((p, w), 0.05)) for _, p, w in rows]
    none = {"gold_n": 0.0, "gold_correct": 0.0, "audited_n": 0.0, "audited_passed": 0.0}
    return frame.assign(**none | {"gold_n": float(n), "gold_correct": n - np.array(wrong, float)} | columns)


def test_the_planted_cells_are_named_with_their_share():
    bad = {("p3", "hi"): 0.4, ("p7", "vi"): 0.3}
    rows = sums(bad)
    found = noise_cells(rows, "P")
    assert set(found.worst) == set(bad) and found.cells == 40 and not found.few and found.source == "gold"
    errors = rows["gold_n"] - rows["gold_correct"]
    inside = [key in bad for key in zip(rows["policy"], rows["language"], strict=True)]
    assert found.share == pytest.approx(errors[inside].sum() / errors.sum())
    assert found.items == pytest.approx(2 / 40)
    assert found.chance < found.share / 2


def test_alike_cells_hold_what_chance_alone_puts_there():
    found = noise_cells(sums({}), "P")
    assert found.share == pytest.approx(found.chance, abs=0.02)


def test_few_cells_give_the_worst_one():
    found = noise_cells(sums({("p1", "ko"): 0.3}, POLICIES[:2]), "P")
    assert found.few and found.worst == (("p1", "ko"),) and found.cells == 8


def test_audits_stand_in_where_gold_finds_too_few_errors():
    turned = {"gold_n": "audited_n", "audited_n": "gold_n"}
    turned |= {"gold_correct": "audited_passed", "audited_passed": "gold_correct"}
    rows = sums({("p2", "en"): 0.3}).rename(columns=turned)
    found = noise_cells(rows, "P")
    assert found.source == "audits" and found.worst[0] == ("p2", "en")


def test_nothing_known_has_a_reason():
    assert noise_cells(sums({}, gold_correct=500.0), "P").reason == NOTHING
    assert noise_cells(sums({}), "Q").reason == NOTHING
