"""The agreement page's sections on single items and raters, each read live when asked for."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from ui import agreement_item_words, agreement_items, charts, links, tables, words
from ui import agreement_live as live
from ui import agreement_words as say
from ui import format as fmt
from ui.agreement_controls import Own
from ui.filter_bar import open_from_click, token
from ui.page import View
from ui.tables import Column
from ui.theme import palette

RATER_PAGE = "pages/rater_profile.py"


def contested(view: View, own: Own, rows: pd.DataFrame) -> None:
    """The items raters differ on most."""
    why = "Which items would raters differ on again? The answer ranks the items that two raters or more labelled."
    live.section(view, own, why, "Read the items", "items", agreement_items.contested, _contested)


def _contested(view: View, found: agreement_items.Contested) -> None:
    st.markdown(words.md(agreement_item_words.contested(found)))
    if found.table.empty:
        return
    rows = found.table
    shown = rows.assign(
        top=[label_and_share(r["top_label"], r["top_share"]) for r in rows.to_dict("records")],
        second=[label_and_share(r["second_label"], r["second_share"]) for r in rows.to_dict("records")],
        between=[say.share_with_interval(r["disagreement"], r["low"], r["high"]) for r in rows.to_dict("records")],
    )
    columns = {
        "item": Column("Item"),
        "policy": Column("Policy"),
        "language": Column("Language"),
        "n": Column("Ratings", kind="count"),
        "top": Column("Given most", kind="right"),
        "second": Column("Next", kind="right"),
        "between": Column("Two more would differ", "Chance, with its 95 % interval; near misses count less.", "right"),
    }
    with_ratings(view, shown, columns, "Contested items", "overlap", rows)


def gold(view: View, own: Own, rows: pd.DataFrame) -> None:
    """Gold items that good raters miss alike."""
    why = "Which gold items do good raters miss alike? There the gold answer, not the rater, may need correcting."
    live.section(view, own, why, "Read the gold items", "gold", agreement_items.doubtful_gold, _gold)


def _gold(view: View, found: agreement_items.Gold) -> None:
    st.markdown(words.md(agreement_item_words.doubtful_gold(found)))
    rows = found.table[found.table["posterior"] > agreement_items.DOUBTED]
    if rows.empty:
        return
    columns = {
        "item": Column("Gold item"),
        "policy": Column("Policy"),
        "language": Column("Language"),
        "gold_label": Column("Gold says"),
        "other_label": Column("Raters say"),
        "n": Column("Ratings", kind="count"),
        "n_gold": Column("As gold", kind="count"),
        "n_other": Column("As raters say", kind="count"),
        "posterior": Column("Gold is wrong", "Probability under the model of the raters' skill.", "share"),
        "fdr": Column("Sound among these", "Share of sound gold among this item and those above it.", "share"),
    }
    with_ratings(view, rows, columns, "Gold items that look wrong", "gold", found.table)


def pairs(view: View, own: Own, rows: pd.DataFrame) -> None:
    """Every two raters beside one another."""
    why = "Do any two raters read the items differently from the rest? An occasion to calibrate, not a ranking."
    live.section(view, own, why, "Compare the raters", "pairs", agreement_items.pairs, _pairs)


def _pairs(view: View, found: agreement_items.Pairs) -> None:
    st.markdown(words.md(agreement_item_words.pairs(found)))
    if found.matrix is None:
        return
    clear = {frozenset(pair) for pair in zip(found.clear["rater"], found.clear["other"], strict=True)}
    spec, alt = charts.pair_matrix(
        found.matrix, found.labels, found.pools, clear, palette(), agreement_items.LEAST_SHARED, found.raters
    )
    with st.container(key="wide_pairs"):
        charts.show(spec, alt, key="pairs")
    if len(found.clear):
        shown = found.clear.assign(
            kappa=[say.with_interval(r["value"], r["low"], r["high"]) for r in found.clear.to_dict("records")]
        )
        columns = {
            "rater_name": Column("Rater"),
            "other_name": Column("and"),
            "pools": Column("Pools"),
            "kappa": Column(
                "Kappa", "Cohen's, with its 95 % interval; near misses count where labels have an order.", "right"
            ),
            "n": Column("Shared items", kind="count"),
        }
        tables.table(
            shown,
            key=f"pairs table {token(view.filters)}",
            title="Pairs that agree clearly less",
            columns=columns,
            snapshot=view.snapshot,
            filters=view.filters,
        )


def label_and_share(label: object, part: float) -> str:
    """unsafe, 62.1 %; a dash where there is none."""
    if fmt.is_missing(label) or label is None:
        return fmt.NONE
    return f"{say.label_name(label)}, {say.share(part)}"


def with_ratings(
    view: View, shown: pd.DataFrame, columns: Mapping[str, Column], title: str, which: str, exported: pd.DataFrame
) -> None:
    """A table of items; the one selected shows its ratings below."""
    picked = tables.table(
        shown,
        key=f"{which} {token(view.filters)}",
        title=title,
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        members=[{"item": item} for item in shown["item"]],
        exported=exported,
    )
    if not picked:
        tables.quiet("Select an item to see who gave it which label.")
        return
    item = str(picked["item"])
    rows = agreement_items.ratings_of(view.snapshot, view.filters, which, item)
    st.markdown(f"**Ratings of {words.md(item)}**")
    columns = {
        "rater": Column("Rater"),
        "pool": Column("Pool"),
        "region": Column("Region"),
        "label": Column("Label"),
        "guideline_version": Column("Guideline"),
        "submitted_at": Column("When (UTC)", kind="time"),
        "handle_seconds": Column("Seconds", kind="number"),
    }
    opened = tables.table(
        rows,
        key=f"ratings {which} {item}",
        title=f"Ratings of {item}",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        members=[{"rater": rater} for rater in rows["rater_id"]],
        opens=True,
    )
    if opened:
        open_from_click(RATER_PAGE, links.write(view.filters.with_("rater", str(opened["rater"]))))
