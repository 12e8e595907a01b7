"""The verb is held to the design."""

from __future__ import annotations

import itertools

import pytest

from metrics import ladder
from metrics.ladder import Rung


@pytest.mark.parametrize("design", ladder.DESIGNS)
def test_each_failed_check_drops_one_rung(design):
    best = ladder.rung_of(design, {"pre-trend": True, "placebo": True})
    assert best == ladder.DESIGNS[design]
    once = ladder.rung_of(design, {"pre-trend": False, "placebo": True})
    twice = ladder.rung_of(design, {"pre-trend": False, "placebo": False})
    assert (once, twice) == (max(best - 1, 0), max(best - 2, 0))


def test_the_ladder_is_the_one_of_the_field():
    # methods of observation below adjustment below comparison below drawing lots
    assert ladder.rung_of("correlation") < ladder.rung_of("fixed effects")
    assert ladder.rung_of("fixed effects") < ladder.rung_of("staggered difference-in-differences")
    assert ladder.rung_of("synthetic control") < ladder.rung_of("randomised")


@pytest.mark.parametrize(("design", "failed"), list(itertools.product(ladder.DESIGNS, range(3))))
def test_no_sentence_says_more_than_its_design(design, failed):
    rung = ladder.rung_of(design, {f"check {k}": k >= failed for k in range(3)})
    said = [ladder.moved(rung, "Guideline v6", "gold accuracy", "-1.8 points", "P01", "4 other projects")]
    if rung <= Rung.ADJUSTED:
        said.append(ladder.linked(rung, "gold accuracy", "a higher safety score"))
        said.append(ladder.per_point(rung, "gold accuracy", "safety score", "+0.6 points"))
    for sentence in said:
        assert ladder.overclaims(sentence, rung) == [], sentence
    # ... and the next rung's sentence would be caught
    if rung < Rung.RANDOMISED:
        above = ladder.moved(Rung(rung + 1), "Guideline v6", "gold accuracy", "-1.8 points", "P01", "4 other projects")
        assert ladder.overclaims(above, rung), above


def test_only_a_draw_by_lot_causes():
    causes = {
        d for d in ladder.DESIGNS if "caused" in ladder.moved(ladder.rung_of(d), "It", "accuracy", "+1", "P01", "x")
    }
    assert causes == {"randomised"}
    failed = ladder.rung_of("randomised", {"balance before": False})
    assert "caused" not in ladder.moved(failed, "It", "accuracy", "+1", "P01", "x")


@pytest.mark.parametrize("say", [ladder.linked, lambda r, q, o: ladder.per_point(r, q, o, "+1")])
def test_a_link_between_versions_is_never_a_cause(say):
    for rung in (Rung.QUASI_EXPERIMENT, Rung.RANDOMISED):
        with pytest.raises(ValueError, match="association"):
            say(rung, "alpha", "score")


def test_words_of_cause_are_caught_at_every_rung():
    for rung in Rung:
        assert ladder.overclaims("The score fell because of the labels", rung) == ["because"]
    assert ladder.overclaims("They moved together; not proof of cause", Rung.ASSOCIATION) == []
