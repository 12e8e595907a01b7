"""One label per item from the ratings of several raters, with how sure it is and what it says of the raters.

Every method is ``method(item, rater, label, labels=None, gold=None, *, ...) -> Consensus``: equal-length columns, one
rating a row. Which when:

- ``majority_vote``: the plain count. Raters of about equal skill, or a first look; it says nothing of the raters.
- ``one_coin``: one accuracy per rater. Few ratings per rater (below about 20 per label): fewest parameters to fit.
- ``dawid_skene``: a confusion matrix per rater. Enough ratings, raters who err in a direction of their own (lenient on
  one policy, strict on another), unequal classes. The default for a pool that labels every day.
- ``mace``: each rater either knows the answer or draws from a habit of his own. To separate spammers from the merely
  weak; ``skill`` is the share of ratings he knew.
- ``glad``: items differ in difficulty. When the question is which items are hard, with ten ratings an item or more.

``compare`` puts the first and the third side by side, and scores both against gold.

What holds for all of them:

- A missing label (None, NaN) is no rating and is left out; nothing else means "missing". An item or rater without a
  single rating is not in the answer.
- Every row counts, a rater's repeats on one item too, as three ratings of one observer do in Dawid and Skene's own
  data; ``n_repeats`` says how many. Where only a first judgement should count, drop the others before.
- ``labels`` declares the labels in their order; without them those seen are taken, sorted where they can be.
- ``gold`` maps items to known labels. A gold item has that label with certainty and still teaches how its raters err.
  Items of ``gold`` that nobody rated, or whose gold label is missing, are passed over; ``n_gold`` says how many count.
- Raters are taken to err independently of one another, given the item's label. Copied or shared errors break that and
  make posteriors look surer than they are: show none as a probability before it was compared with gold.
"""

from metrics.consensus.coin import one_coin
from metrics.consensus.comparison import SETTLED_FROM, Comparison, compare
from metrics.consensus.confusion import dawid_skene
from metrics.consensus.difficulty import glad
from metrics.consensus.result import Consensus
from metrics.consensus.spamming import mace
from metrics.consensus.votes import majority_vote

__all__ = [
    "SETTLED_FROM",
    "Comparison",
    "Consensus",
    "compare",
    "dawid_skene",
    "glad",
    "mace",
    "majority_vote",
    "one_coin",
]
