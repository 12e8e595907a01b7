"""What a reader sets on the audit planner, all of it in the URL; and the parts that are more than a chart."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics.errors import RaterscopeError
from metrics.spec import Metric
from ui import audit_gold, audit_planner, audit_tests, audit_words, cards, charts, data, links, tables, words
from ui import format as fmt
from ui.audit_planner import AUDITS, AUTO, GOLD, STRATA, Ask, Plan
from ui.choice import choice
from ui.filter_bar import go_to, open_from_click, token
from ui.page import View, context, tell_why
from ui.tables import Column
from ui.theme import palette

PAGE = "pages/audit_planner.py"
OF = {AUDITS: "Audits", GOLD: "Gold"}
# parameter: what it is called, least, most, step
WHOLE = {
    "audits": ("number of audits", 1, 100_000, 50),
    "floor": ("least per stratum", 0, 1_000, 1),
    "lot": ("batch size", 2, 100_000, 100),
}
PERCENT = {
    "acceptable": ("acceptable error rate", 0.0, 98.0, 1.0),
    "limit": ("limit of the error rate", 0.5, 99.0, 1.0),
    "good": ("good accuracy", 2.0, 99.5, 1.0),
    "bad": ("bad accuracy", 1.0, 99.0, 1.0),
}
CHOICES = {"of": (OF, "kind of plan"), "aim": (audit_words.AIMS, "aim"), "strata": (STRATA, "split")}


def _strata_names() -> dict[str, str]:
    named = {k: f"By {audit_planner.stratum_name(v)}" for k, v in STRATA.items() if v}
    return {AUTO: "As fits the filters", **named}


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters as text, and a sentence for each that was not honoured."""
    problems: list[str] = []
    fallback = Ask()
    own: dict[str, str] = {}
    for name, (known, called) in CHOICES.items():
        shown = _strata_names() if name == "strata" else known
        own[name] = links.one_of(called, st.query_params.get(name), shown, getattr(fallback, name), problems)
    for name, (called, least, most, _) in (WHOLE | PERCENT).items():
        own[name] = links.number(called, st.query_params.get(name), least, most, getattr(fallback, name), problems)
    for low, high in (("acceptable", "limit"), ("bad", "good")):
        if float(own[low]) >= float(own[high]):
            called = (WHOLE | PERCENT)[low][0], (WHOLE | PERCENT)[high][0]
            problems.append(
                f"The {called[0]} must lie below the {called[1]}. Shown is {getattr(fallback, low):g} % "
                f"and {getattr(fallback, high):g} %."
            )
            own |= {low: f"{getattr(fallback, low):g}", high: f"{getattr(fallback, high):g}"}
    return own, tuple(problems)


def ask(own: Mapping[str, str]) -> Ask:
    """The parameters as what is planned."""
    whole = {name: int(own[name]) for name in WHOLE}
    return Ask(**{name: own[name] for name in CHOICES}, **whole, **{name: float(own[name]) for name in PERCENT})


# ---- widgets ---------------------------------------------------------------------------------------------------


def plan_controls(own: Mapping[str, str], filters: Filters) -> None:
    """How many, of what, for what, split how, at least how many each."""
    with st.container(key="plan_controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        _count("How many", "audits", own, filters, 120)
        choice(st.segmented_control, "Plan", "of", OF, own, filters, labelled=True)
        choice(st.selectbox, "Aim", "aim", audit_words.AIMS, own, filters, labelled=True, width=290)
        choice(st.selectbox, "Split the work", "strata", _strata_names(), own, filters, labelled=True, width=260)
        _count("At least per stratum", "floor", own, filters, 150)


def batch_controls(own: Mapping[str, str], filters: Filters) -> None:
    """Batch size, acceptable and limit error rate."""
    with st.container(horizontal=True, gap="small"):
        _count("Batch size", "lot", own, filters, 130)
        _count("Acceptable, % errors", "acceptable", own, filters, 160, most=float(own["limit"]) - 0.5)
        _count("Limit, % errors", "limit", own, filters, 140, least=float(own["acceptable"]) + 0.5)


def test_controls(own: Mapping[str, str], filters: Filters) -> None:
    """The two accuracies a rater's test tells apart."""
    with st.container(horizontal=True, gap="small"):
        _count("A good rater, % right", "good", own, filters, 170, least=float(own["bad"]) + 0.5)
        _count("To be told from, % right", "bad", own, filters, 190, most=float(own["good"]) - 0.5)


def _write(name: str, key: str, own: Mapping[str, str], filters: Filters) -> None:
    value = st.session_state[key]
    if value is not None:
        go_to(filters, {**own, name: f"{value:g}" if isinstance(value, float) else str(value)})


def _count(
    label: str,
    name: str,
    own: Mapping[str, str],
    filters: Filters,
    width: int,
    least: float | None = None,
    most: float | None = None,
) -> None:
    """A number that starts from the URL and writes it back."""
    _, low, high, step = (WHOLE | PERCENT)[name]
    kind = int if name in WHOLE else float
    # Its limits are part of the key: a widget whose limits change under it would lose its value.
    low, high = kind(low if least is None else max(low, least)), kind(high if most is None else min(high, most))
    key = f"{name} {own[name]} {low} {high}"
    st.number_input(
        label,
        low,
        high,
        kind(float(own[name])),
        kind(step),
        format="%d" if kind is int else "%g",
        key=key,
        on_change=_write,
        args=(name, key, own, filters),
        width=width,
    )


# ---- parts of the page -----------------------------------------------------------------------------------------


def heading(view: View, sentence: str) -> None:
    """The finding, and what is looked at; nothing here is compared with another period."""
    st.title(words.md(sentence) + ".", anchor=False)
    context(view, against=False)


def figure_row(plan: Plan, asked: Ask, currency: str) -> None:
    """What is known today and after the plan, and what it costs."""
    cards.figures_row(audit_words.figures(plan, asked, currency))


def where_they_go(view: View, plan: Plan, asked: Ask, own: Mapping[str, str]) -> None:
    """The large chart; a click plans inside the stratum, or opens its KPI where it cannot be split further."""
    what, each = audit_planner.stratum_name(plan.keys), audit_words.EACH[asked.of]
    spec, alt = charts.allocation(plan.rows, plan.overall, what, each, palette())
    with st.container(key="wide_allocation"):
        clicked = charts.show(spec, alt, key=f"allocation {token(view.filters)} {hash(asked)}", select=True)
    st.caption(words.md(audit_words.assumptions(plan, asked)))
    if clicked and "place" in clicked:
        open_stratum(view, plan, asked, own, int(clicked["place"]))


def worklist(view: View, plan: Plan, asked: Ask, own: Mapping[str, str]) -> None:
    """Every stratum with what to do, to be handed to the audit team as a file."""
    rows, each = plan.rows, audit_words.EACH[asked.of]
    share = {"error_rate": Column("Error rate", "Drawn towards the average where few are known.", "share")}
    columns = {
        "label": Column("Stratum"),
        "audits": Column(f"Next {each}", "What this plan gives it.", "count"),
        "proportional": Column("By size alone", "What its volume alone would give it.", "count"),
        **share,
        "between": Column("95 % interval", "Where the true rate lies, as far as the data can tell.", "right"),
        "audited": Column("So far", f"{each.capitalize()} in this period.", "count"),
        "left": Column("Not looked at", "Judgements of this period that nobody has looked at yet.", "count"),
        "harm": Column("Weight", "How much an error weighs here; 1 is the average.", "number"),
        "why": Column("What stands out", "What about it draws audits.", width="large"),
    }
    if asked.aim == audit_planner.UNCERTAINTY:
        columns.pop("harm")
    metric = audit_planner.find_metric(audit_planner.METRIC[asked.of])
    records = rows.to_dict("records")
    said = {"between": [_between(row, metric) for row in records], "why": [audit_words.why(row) for row in records]}
    picked = tables.table(
        rows.assign(**said),
        key=f"worklist {token(view.filters)} {hash(asked)}",
        title=f"Worklist: the next {plan.audits:,} {each}",
        columns=columns,
        snapshot=view.snapshot,
        filters=view.filters,
        metrics=[metric],
        members=[{"place": k} for k in range(len(rows))],
        opens=True,
        exported=audit_planner.worklist(view.snapshot, plan).assign(why=said["why"]),
    )
    if picked:
        open_stratum(view, plan, asked, own, int(picked["place"]))


def _between(row: dict, metric: Metric) -> str:
    """The interval, with a word where it rests on little; without a rate only the word."""
    if fmt.is_missing(row["error_rate"]):
        return row["known"]
    return f"{row['known']} {fmt.interval(row['low'], row['high'], metric, row['error_rate'])}".strip()


def open_stratum(view: View, plan: Plan, asked: Ask, own: Mapping[str, str], place: int) -> None:
    """The next level: a plan inside the stratum, else its KPI; the filters go along."""
    if not 0 <= place < len(plan.rows):
        return
    filters = view.filters
    for key in plan.keys:
        filters = filters.with_(key, str(plan.rows[key].iloc[place]))
    if plan.keys == STRATA["project_policy"]:
        # The whole project is planned, so that its policies are seen beside one another.
        inside = view.filters.with_("project", str(plan.rows["project"].iloc[place]))
        open_from_click(PAGE, links.write(inside, **{**own, "strata": "policy_language"}))
    else:
        open_from_click(cards.KPI_PAGE, cards.kpi_params(audit_planner.METRIC[asked.of], filters))


def tests(own: Mapping[str, str], view: View, plan: Plan, asked: Ask) -> None:
    """Side by side: what more audits buy, a batch plan, and the test of a rater."""
    colours = palette()
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("When may a batch be accepted?", anchor=False)
        batch_controls(own, view.filters)
        found = audit_tests.batch(asked)
        st.markdown(audit_words.batch(found, asked))
        if found.plan.n is not None:
            ends = (asked.acceptable / 100, 1 - found.plan.producer_risk), (asked.limit / 100, found.plan.consumer_risk)
            spec, alt = charts.operating_curve(found.curve, *ends, colours)
            charts.show(spec, alt, key="operating curve")
    with right:
        st.subheader("How much gold does a rater's test take?", anchor=False)
        test_controls(own, view.filters)
        stand = audit_tests.tested(view.snapshot, view.filters, asked)
        test = audit_tests.rater_test(asked, float(stand.rows["n"].max()) if len(stand.rows) else 0)
        st.markdown(audit_words.rater_test(test, asked))
        fixed = (test.fixed.n, test.fixed.n - test.fixed.flag_at_most) if test.fixed else None
        spec, alt = charts.corridor(test.lines, fixed, colours, stand.rows)
        charts.show(spec, alt, key="corridor")
        st.caption(words.md(audit_words.tested(stand)))


def gold(view: View, plan: Plan, asked: Ask) -> None:
    """What each further audit buys, the share of gold in the work by pool, and how worn the gold is."""
    snapshot, filters = view.snapshot, view.filters
    left, right = st.columns(2, gap="large")
    with left:
        if plan.curve is not None and len(plan.curve) > 1:
            spec, alt = charts.gains(plan.curve, plan.audits, audit_words.EACH[asked.of], palette())
            charts.show(spec, alt, key="gains")
        st.subheader("Is the gold worn?", anchor=False)
        gold_wear(snapshot, filters)
    with right:
        rows, why_not = audit_gold.exposure(snapshot, filters)
        metric = audit_planner.find_metric("gold_exposure_rate")
        if why_not or rows.empty:
            tell_why(metric.label, [why_not])
        else:
            spec, alt = charts.interval_dots(rows, metric, palette(), "pool", view.currency)
            clicked = charts.show(spec, alt, key=f"exposure {token(filters)}", select=True)
            if clicked and clicked.get("member"):
                narrower = filters.with_("pool", str(clicked["member"]))
                open_from_click(cards.KPI_PAGE, cards.kpi_params(metric.name, narrower))


@st.fragment
def gold_wear(snapshot: Snapshot, filters: Filters) -> None:
    """How worn the gold is, and how far it has told raters apart; live, on demand, for those who may see raters."""
    if not data.current_scope().sees_raters:
        st.markdown("How often single raters met the same gold is shown to those who manage them.")
        return
    projects = audit_gold.gold_projects(snapshot, filters)
    if not projects:
        tell_why("How worn the gold is", ["no gold was met in this work"])
        return
    st.caption("Read live from the warehouse. A rater meets only the gold of the projects and languages worked on.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        project = st.selectbox("Project", list(projects), format_func=projects.get, key="wear project", width=260)
        pressed = st.button("Look", key="wear look", icon=":material/search:")
    # Pressed once, it goes on showing what is chosen, until the filters change.
    asked = st.session_state.get("wear of") == token(filters) or pressed
    if not asked:
        return
    st.session_state["wear of"] = token(filters)
    try:
        with st.spinner("Counting the gold each rater met ...", show_time=False):
            found = audit_gold.wear(snapshot, filters, project)
        st.markdown(words.md(audit_words.wear(found, projects[project])))
        told = audit_gold.settled(snapshot, filters.with_("project", project))
        if told:
            st.markdown(words.md(audit_words.settled(told)))
    except (RaterscopeError, ValueError) as error:
        st.info(words.md_error(str(error)), icon=":material/cloud_off:")
        return
    _wear_table(snapshot, filters.with_("project", project), found)


def _wear_table(snapshot: Snapshot, filters: Filters, found) -> None:
    columns = {
        "rater": Column("Rater", "A pseudonym."),
        "gold_judgements": Column("Gold met", "", "count"),
        "gold_share": Column("Of the work", "Gold judgements of all judgements.", "share"),
        "repeats": Column("Met again", "Gold judgements on an item met before: memory, not skill.", "count"),
        "seen_share": Column("Of the pool", "The chance that the next gold item is one met before.", "share"),
    }
    tables.fold(
        "Rater by rater, most gold first",
        "wear details",
        lambda: tables.table(
            found.table,
            key=f"wear table {token(filters)}",
            title="Gold met by rater",
            columns=columns,
            snapshot=snapshot,
            filters=filters,
            exported=found.table,
        ),
    )
