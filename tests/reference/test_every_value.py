"""Every entry of shared/reference_values.json: computed by our functions, or left out for a reason in words.

An entry that neither table knows fails, as does one of whose numbers a check says nothing, and a row of either table
that no entry needs. The small tables are typed in with their source in the tests of each subject; these read the rest.
"""

import numpy as np
import pytest

from tests.reference import agreement, consensus, raters
from tests.shared_data import DATA, NEEDS_SHARED, entries, needs_shared

NAMED = {  # metric: how it is computed
    **dict.fromkeys(agreement.FUNCTIONS, agreement.coefficient),
    "mean_pairwise_cohen_kappa": agreement.mean_pairwise_kappa,
    "pearson_r": agreement.pearson_of_means,
    "ds_class_priors": consensus.priors,
    "ds_confusion_matrix": consensus.confusion,
    "ds_posterior": consensus.posterior,
    "ds_labels_equal_plain_em": consensus.same_labels,
    "n_items_with_gold": consensus.items_with_gold,
    "majority_vote_expected_accuracy": consensus.fair_vote,
    "majority_vote_accuracy": consensus.vote_with_ties_to_1,
    "dawid_skene_accuracy": consensus.dawid_skene,
    "one_coin_dawid_skene_accuracy": consensus.model("one_coin", 0),
    "mace_accuracy": consensus.model("mace", 3),
    "glad_accuracy": consensus.model("glad", 2),
    "mean_worker_label_accuracy": raters.mean_accuracy,
    "beta_binomial_mle": raters.prior,
    "beta_binomial_shrunk_accuracy": raters.shrunk_accuracy,
    **{f"grasp_{statistic}": raters.group_statistic for statistic in ("irr", "xrr", "gai")},
}

WITHOUT_RATINGS = {  # dataset: why nothing of it can be computed here
    "DICES-350 (104 raters)": "published tables alone: the ratings are not in shared/data",
    "DICES-350 (all raters)": "figures of a third party alone: the ratings are not in shared/data",
    "DICES-990 (all raters)": "figures of a third party alone: the ratings are not in shared/data",
    "snow2008/wordsim": "the ratings are not in shared/data",
    **{
        f"snow2008/{feeling}": "of Snow's feelings only the ratings of valence are in shared/data"
        for feeling in ("anger", "disgust", "fear", "joy", "sadness", "surprise")
    },
}
NOT_OFFERED = {  # metric: why there is no such function
    "wawa_accuracy": "votes weighted by agreement with the majority: a first step of Dawid and Skene's model",
    "wawa_skill_mean": "the weights of such votes",
    "zbs_accuracy": "votes weighted again and again by agreement with the outcome: left to Dawid and Skene's model",
}
NOT_COMPARED = {  # number of an entry: why no function of ours gives it
    "p_value": "a test of no agreement at all: nobody asks it of labels that are paid for, so no coefficient has it",
    "p_ge": "a group has the p of the side on which it stands, not of the other",
    "p_le": "a group has the p of the side on which it stands, not of the other",
}
WORDS = {"dataset", "metric", "options", "source", "note", "published_from", "significance"}
COUNTS = (343, 169)
"""Entries in all, and those computed: 168 have no ratings here and 6 are of methods that are not offered."""


def why_not(entry):
    """Why an entry is not computed; empty when it is to be."""
    return WITHOUT_RATINGS.get(entry["dataset"], "") or NOT_OFFERED.get(entry["metric"], "")


def computed():
    return [e for e in entries() if not why_not(e)]


def name_of(entry):
    return "-".join([entry["dataset"], entry["metric"], *map(str, entry["options"].values())])


@pytest.mark.parametrize(
    "entry",
    [pytest.param(e, marks=NEEDS_SHARED, id=name_of(e)) for e in computed()]
    or [pytest.param(None, marks=NEEDS_SHARED)],
)
def test_reference_value(entry):
    """irrCAC, krippendorff, statsmodels, scikit-learn, nltk, crowd-kit, numpy: every number of the entry."""
    assert entry["metric"] in NAMED, "a reference value that is neither computed nor left out for a reason"
    found = list(NAMED[entry["metric"]](entry))
    for one in found:
        np.testing.assert_allclose(
            np.asarray(one.found, float), np.asarray(one.expected, float), rtol=0, atol=one.within, err_msg=one.field
        )
    numbers = {field for field, value in entry.items() if value is not None} - WORDS
    assert numbers - {one.field for one in found} <= set(NOT_COMPARED)


@needs_shared
def test_every_entry_is_accounted_for_and_no_reason_is_idle():
    everything = entries()
    assert (len(everything), len(computed())) == COUNTS
    assert {e["metric"] for e in computed()} == set(NAMED)
    assert {e["dataset"] for e in computed()} == set(DATA)
    assert {e["dataset"] for e in everything if e["dataset"] not in DATA} == set(WITHOUT_RATINGS)
    assert {e["metric"] for e in everything if e["metric"] in NOT_OFFERED} == set(NOT_OFFERED)


@needs_shared
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"metric": "kupper_hafner"}, AssertionError),
        ({"dataset": "another"}, KeyError),
        ({"gini": 0.5}, AssertionError),
        ({"value": 0.5}, AssertionError),
    ],
)
def test_what_nobody_has_placed_and_what_is_not_so_fails(change, error):
    """Another metric, another dataset, another number of a known entry, a wrong one."""
    changed = {**entries()[0], **change}
    assert not why_not(changed)
    with pytest.raises(error):
        test_reference_value(changed)
