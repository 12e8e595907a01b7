"""Agreement between raters: which coefficient when.

- ``percent_agreement``: what readers understand at once; says nothing of chance. Show it beside every other.
- ``krippendorff_alpha``: the default. Any number of raters, missing ratings, any scale: nominal, ordinal, interval,
  ratio, label sets. ``stratified_alpha`` over projects with labels of their own.
- ``gwet_ac1``, ``gwet_ac2``: when one label dominates, where kappa and alpha fall near 0 though raters hardly differ;
  AC2 where near labels deserve part of the credit. Both depend on the declared labels.
- ``brennan_prediger``: chance spread evenly, no prevalence at all; the same in every slice with the same labels.
- ``fleiss_kappa``: many interchangeable raters, to compare with published figures; ``scott_pi`` for two.
- ``cohen_kappa``: two fixed raters; ``pairwise`` for every two, ``pair_matrix`` for a heat map.
- ``conger_kappa``: a fixed panel whose members have habits of their own.
- ``consensus_match``, ``peer_agreement``: one rater against the others; ``self_consistency``: against himself.
- ``coverage`` says what a number rests on, ``one_more_rating`` what further ratings would buy.

"Ordinal" is two things: the distance level "ordinal" is Krippendorff's metric, from the frequencies of the data; the
agreement weights "ordinal_gwet" are those that irrCAC calls ordinal, from positions alone. They give different numbers.

Two doors to the same numbers. ``<coefficient>(item, rater, label, ...)`` takes rows, one rating each, and tallies them;
``<coefficient>_of_patterns`` takes ``Patterns``, what the warehouse sums. Coefficients that need to know who rated
(Cohen, Conger, peers) take rows alone. Every coefficient returns an ``Estimate``: a share, or a coefficient at most 1;
``n`` is the items with two ratings or more; ``reason`` says in words why there is no number. Never NaN, and never 1 for
want of data. Tables of raters hold such estimates as rows.
"""

from metrics.agreement.alpha import (
    INTERVALS,
    alpha_of_patterns,
    krippendorff_alpha,
    stratified_alpha,
)
from metrics.agreement.chance import (
    CHANCE_INTERVALS,
    brennan_prediger,
    brennan_prediger_of_patterns,
    fleiss_kappa,
    fleiss_kappa_of_patterns,
    gwet_ac1,
    gwet_ac1_of_patterns,
    gwet_ac2,
    gwet_ac2_of_patterns,
    percent_agreement,
    percent_agreement_of_patterns,
    scott_pi,
    scott_pi_of_patterns,
)
from metrics.agreement.coverage import Coverage, OneMoreRating, coverage, one_more_rating
from metrics.agreement.distances import LEVELS, SEPARATOR, SET_DISTANCES, level_distances, members
from metrics.agreement.estimates import (
    NEGATIVE,
    NO_DISTANCE,
    NO_ITEMS,
    NO_PAIRS,
    NO_VARIATION,
    NOT_NUMBERS,
    ONE_ITEM,
    ONE_LABEL,
    ONE_RATER,
)
from metrics.agreement.pairs import (
    PAIR_COEFFICIENTS,
    PairMatrix,
    cohen_kappa,
    cohen_kappa_of_table,
    conger_kappa,
    pair_matrix,
    pairwise,
)
from metrics.agreement.peers import (
    TIES,
    consensus_match,
    peer_agreement,
    self_consistency,
    self_consistency_by_rater,
)
from metrics.agreement.tally import Ratings, Tally, tally
from metrics.agreement.weights import WEIGHTS, agreement_weights

__all__ = [
    "CHANCE_INTERVALS",
    "INTERVALS",
    "LEVELS",
    "NEGATIVE",
    "NOT_NUMBERS",
    "NO_DISTANCE",
    "NO_ITEMS",
    "NO_PAIRS",
    "NO_VARIATION",
    "ONE_ITEM",
    "ONE_LABEL",
    "ONE_RATER",
    "PAIR_COEFFICIENTS",
    "SEPARATOR",
    "SET_DISTANCES",
    "TIES",
    "WEIGHTS",
    "Coverage",
    "OneMoreRating",
    "PairMatrix",
    "Ratings",
    "Tally",
    "agreement_weights",
    "alpha_of_patterns",
    "brennan_prediger",
    "brennan_prediger_of_patterns",
    "cohen_kappa",
    "cohen_kappa_of_table",
    "conger_kappa",
    "consensus_match",
    "coverage",
    "fleiss_kappa",
    "fleiss_kappa_of_patterns",
    "gwet_ac1",
    "gwet_ac1_of_patterns",
    "gwet_ac2",
    "gwet_ac2_of_patterns",
    "krippendorff_alpha",
    "level_distances",
    "members",
    "one_more_rating",
    "pair_matrix",
    "pairwise",
    "peer_agreement",
    "percent_agreement",
    "percent_agreement_of_patterns",
    "scott_pi",
    "scott_pi_of_patterns",
    "self_consistency",
    "self_consistency_by_rater",
    "stratified_alpha",
    "tally",
]
