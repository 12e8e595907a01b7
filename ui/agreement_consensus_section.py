"""The agreement page's section without gold: what majority vote and a model of the raters make of the same ratings."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ui import agreement_consensus, agreement_consensus_words, links, tables, words
from ui import agreement_live as live
from ui import agreement_words as say
from ui.agreement_controls import Own
from ui.agreement_item_sections import RATER_PAGE, label_and_share, with_ratings
from ui.filter_bar import open_from_click, token
from ui.page import View
from ui.tables import Column

WHY = (
    "Which label would each item get if there were no gold? The majority vote counts every rater alike; Dawid and "
    "Skene's model learns from the overlap alone how each rater errs, and weighs the votes by it. Gold, where there is "
    "some, judges both."
)


def without_gold(view: View, own: Own, rows: pd.DataFrame) -> None:
    """Majority vote beside Dawid and Skene's model."""
    live.section(
        view,
        own,
        WHY,
        "Compare vote and model",
        "without",
        agreement_consensus.without_gold,
        _compared,
    )


def _compared(view: View, found: agreement_consensus.WithoutGold) -> None:
    st.markdown(words.md(agreement_consensus_words.without_gold(found)))
    if not found.found.reason and len(found.items):
        _items(view, found)
        _raters(view, found)


def _items(view: View, shown: agreement_consensus.WithoutGold) -> None:
    """The most uncertain items; one opens its ratings."""
    st.markdown("**Most uncertain items**")
    rows = shown.items
    records = rows.to_dict("records")
    columns = {
        "item": Column("Item"),
        "policy": Column("Policy"),
        "language": Column("Language"),
        "n": Column("Ratings", kind="count"),
        "model": Column("Model", "The most probable label and its probability.", "right"),
        "vote": Column("Majority", "The label of most votes.", "right"),
    }
    shown_rows = rows.assign(
        model=[label_and_share(r["label"], r["probability"]) if r["label"] is not None else "tie" for r in records],
        vote=["tie" if r["majority"] is None else say.label_name(r["majority"]) for r in records],
    )
    with_ratings(view, shown_rows, columns, "Most uncertain items", "overlap", rows)


def _raters(view: View, shown: agreement_consensus.WithoutGold) -> None:
    """How often each rater is right under the model, by pool and name; a row opens the rater."""
    st.markdown("**How often raters are right under the model**")
    fewest = agreement_consensus.FEWEST_RATINGS
    few = f" {shown.few} raters with fewer than {fewest} ratings are left out." if shown.few else ""
    tables.quiet(
        "In order of pools, not of raters. The model takes raters to err independently: a guideline that many misread "
        f"alike makes them look right. An occasion to calibrate; gold says more.{few}"
    )
    rows = shown.raters
    if rows.empty:
        return
    between = [say.share_with_interval(r["value"], r["low"], r["high"]) for r in rows.to_dict("records")]
    columns = {
        "rater": Column("Rater"),
        "pool": Column("Pool"),
        "between": Column("Right under the model", "Share of ratings expected right, with its 95 % interval.", "right"),
        "n": Column("Ratings", kind="count"),
    }
    picked = tables.table(
        rows.assign(between=between),
        key=f"model raters {token(view.filters)}",
        title="Raters under the model",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        members=[{"rater": rater} for rater in rows["rater_id"]],
        opens=True,
        exported=rows.drop(columns=["rater_id", "reason"]),
    )
    if picked:
        open_from_click(RATER_PAGE, links.write(view.filters.with_("rater", str(picked["rater"]))))
