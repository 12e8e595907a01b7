"""What a reader of the costs pages chooses, from the URL and back into it, and the way into one group."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import streamlit as st

from data_access.filters import DIMENSIONS, Filters
from ui import cost_names, costs, links, tables
from ui.choice import choice
from ui.costs import Ask
from ui.filter_bar import go_to, open_from_click
from ui.page import View
from ui.words import md

PAGE = "pages/costs.py"
CHOICES = {
    "unit": ("unit", cost_names.UNITS),
    "of": ("bridge", cost_names.OF),
    "by": ("breakdown", {d: f"By {DIMENSIONS[d]}" for d in costs.GROUPS}),
    "quality": ("measure of accuracy", cost_names.QUALITY),
}
UNITS, KINDS, POOR, BUDGET = "units", "kinds", "poor", "budget"
LOOKS = {UNITS: "Where and when", KINDS: "Kinds of cost", POOR: "Cost of poor quality", BUDGET: "Budget"}
MONEY = {"harm": "An escaped error costs", "appeal": "An appeal costs", "escalation": "An escalation costs"}
MOST = 100_000.0
Own = Mapping[str, str]


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters as text, and a sentence for each that was not honoured."""
    problems: list[str] = []
    fallback = Ask()
    own = {
        name: links.one_of(called, st.query_params.get(name), known, getattr(fallback, name), problems)
        for name, (called, known) in CHOICES.items()
    }
    own["look"] = links.one_of("section", st.query_params.get("look"), LOOKS, UNITS, problems)
    for name, called in MONEY.items():
        own[name] = amount(called.lower(), st.query_params.get(name), 0.0, MOST, getattr(fallback, name), problems)
    return own, tuple(problems)


def amount(called: str, text: str | None, least: float, most: float, fallback: float, problems: list[str]) -> str:
    """A number of the URL as text; the fallback and a sentence where it is none or lies outside."""
    if text is None:
        return f"{fallback:g}"
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        limits = f"from {least:g} to {most:,g}"
        problems.append(f"“{called}” is a number {limits}, not {links.quoted(text)}. Shown is {fallback:g}.")
        value = fallback
    return f"{round(value, 4):g}"


def ask(own: Own) -> Ask:
    """The parameters as what is asked."""
    return Ask(**{name: own[name] for name in CHOICES}, **{name: float(own[name]) for name in MONEY})


def choose(
    widget: Callable, param: str, own: Own, filters: Filters, choices: Mapping = CHOICES, **more: object
) -> None:
    """One of a few, from the URL and back into it."""
    called, known = choices[param]
    choice(widget, called.capitalize(), param, known, own, filters, **more)


def number(
    label: str, param: str, own: Own, filters: Filters, least: float, most: float, step: float, width: int = 170
) -> None:
    """A number, from the URL and back into it."""
    key = f"{param} {own[param]}"

    def write() -> None:
        value = st.session_state[key]
        if value is not None:
            go_to(filters, {**own, param: f"{value:g}"})

    st.number_input(label, least, most, float(own[param]), step, format="%g", key=key, on_change=write, width=width)


def to_load(view: View, table: str, more: str = "") -> None:
    """Which table to load and what it would show then; nothing where it is loaded."""
    said = costs.to_load(view.snapshot, table, more)
    if said:
        tables.quiet(md(said))


def look(own: Own, filters: Filters) -> None:
    """Which section is open."""
    choice(st.segmented_control, "Look into", "look", LOOKS, own, filters, wrap=True)


def open_group(filters: Filters, asked: Ask, own: Own, member: object) -> None:
    """The page of one group, broken down by what is left open."""
    if not member or filters.values(asked.by) == (str(member),):
        return
    by = "pool" if asked.by in ("project", "product") else "project"
    open_from_click(PAGE, links.write(filters.with_(asked.by, str(member)), **{**own, "by": by}))
