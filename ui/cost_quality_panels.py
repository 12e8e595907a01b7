"""The parts of the cost and quality page: what is chosen, the frontier, raters an item, work that moves, the table."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ui import charts, cost_controls, costs, data, links, tables
from ui import cost_quality as numbers
from ui import cost_quality_move_words as moved
from ui import cost_quality_moves as moves
from ui import cost_quality_words as say
from ui.cost_controls import amount, number
from ui.cost_names import QUALITY
from ui.cost_quality import Frontiers
from ui.cost_words import below_zero
from ui.filter_bar import go_to, open_from_click, token
from ui.page import View, tell_why
from ui.tables import Column
from ui.theme import palette
from ui.words import md

LONGEST = 40  # characters of a cell beside the numbers

PAGE, COSTS = "pages/cost_and_quality.py", "pages/costs.py"
CHOICES = {"quality": ("measure of accuracy", QUALITY)}
# parameter: what it is called, least, most, otherwise, step
NUMBERS = {
    "harm": ("harm of a wrong label", 0.0, 100_000.0, 1.0, 0.5),
    "alike": ("correlation of errors", 0.0, 0.9, 0.0, 0.1),
    "share": ("% of the work that moves", 0.0, 100.0, 10.0, 5.0),
    "usable": ("% of paid hours for handling", 10.0, 100.0, 85.0, 5.0),
}
Own = Mapping[str, str]


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters as text, and a sentence for each that was not honoured.

    `of` (a project), `source` and `target` (pools) are checked by settle(), once it is known what there is.
    """
    problems: list[str] = []
    own = {
        "quality": links.one_of(*_of("quality"), costs.GOLD, problems),
        **{name: st.query_params.get(name, "") for name in ("of", "source", "target")},
    }
    for name, (called, least, most, otherwise, _) in NUMBERS.items():
        own[name] = amount(called, st.query_params.get(name), least, most, otherwise, problems)
    return own, tuple(problems)


def _of(name: str) -> tuple:
    called, known = CHOICES[name]
    return called, st.query_params.get(name), known


def settle(own: Own, found: Frontiers, view: View) -> tuple[dict[str, str], str]:
    """The project and the two pools in force, written to the URL, and a sentence for what was not honoured."""
    settled, problems = _settled(own, found)
    if settled != dict(own) and not problems:
        go_to(view.filters, settled)
    return settled, "  \n".join(md(p) for p in problems)


def _settled(own: Own, found: Frontiers) -> tuple[dict[str, str], list[str]]:
    """The project and the two pools that a URL stands for, and what of it is not honoured.

    Work moves only between pools that share a language on the project; without such a pair there are no pools. Without
    a wish: the project with most to tell, and its dearest dominated pool against the one that beats it.
    """
    problems: list[str] = []
    first = numbers.first_project(found)
    project = links.one_of("project with pools here", own["of"] or None, found.projects, first, problems)
    rows, partners = found.of(project), found.partners(project)
    source, target = own["source"], own["target"]
    if partners:
        ranked = rows[rows["pool"].isin(partners)]
        ranked = ranked.sort_values("p_dominated", ascending=False, na_position="last")
        worst = str(ranked["pool"].iloc[0])
        changed = own["of"] not in ("", project)
        alone = "pool with another in its language on this project"
        source = links.one_of(
            alone if source in set(rows["pool"]) else "pool on this project",
            (source or None) if not changed else None,
            dict(zip(ranked["pool"], ranked["label"], strict=True)),
            worst,
            problems,
        )
        others = partners[source]
        best = ranked.loc[(ranked["pool"] == source) & ranked["dominated_by"].isin(others), "dominated_by"]
        rest = str(best.iloc[0]) if len(best) else next(iter(others))
        wish = target if target != source and not changed else ""
        called = f"other pool {'in its language ' if target in set(rows['pool']) else ''}on this project"
        target = links.one_of(called, wish or None, others, rest, problems)
    else:
        source = target = ""
    return {**own, "of": project, "source": source, "target": target}, problems


def choices(view: View, found: Frontiers, own: Own) -> None:
    """The project, and how accuracy is measured."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if found.projects:
            _pick("Project", "of", found.projects, own, view, 300, drop=("source", "target"))
        cost_controls.choose(st.segmented_control, "quality", own, view.filters, CHOICES)
    if own["quality"] == costs.AUDIT:
        cost_controls.to_load(view, "audits", "how accurate each pool is by audits")


def _pick(
    label: str, param: str, known: Mapping[str, str], own: Own, view: View, width: int, drop=(), hide=True
) -> None:
    """A selectbox from the URL and back into it; ``drop`` are parameters that no longer hold then."""
    key = f"{param} {own[param]} {token(view.filters)}"

    def write() -> None:
        go_to(view.filters, {**own, **dict.fromkeys(drop, ""), param: st.session_state[key]})

    options = list(known)
    st.selectbox(
        label,
        options,
        options.index(own[param]) if own[param] in options else 0,
        format_func=lambda p: known.get(p, p),
        key=key,
        on_change=write,
        label_visibility="collapsed" if hide else "visible",
        width=width,
    )


def frontier(view: View, found: Frontiers, own: Own) -> None:
    """The project's pools by cost and accuracy; a click opens the pool's costs."""
    rows = found.of(own["of"])
    name = found.projects[own["of"]]
    if rows["quality"].isna().all():
        tell_why(f"Cost against accuracy of {name}", list(rows["reason"]))
        return
    spec, alt = charts.frontier(rows, name, palette(), view.currency)
    clicked = charts.show(spec, alt, key=f"frontier {own['of']} {own['quality']} {token(view.filters)}", select=True)
    basis = (
        "Cost is all costs over labels made; its interval is of weeks. Pools are compared only with those of the same "
        "language on the project. A line joins a language's pools that are best for their price as measured."
    )
    tables.quiet(md(f"{say.frontier_note(rows)}{_withheld(found, own['of'])}{basis}"))
    if clicked and clicked.get("member"):
        inside = view.filters.with_("project", own["of"]).with_("pool", str(clicked["member"]))
        open_from_click(COSTS, links.write(inside))


def _withheld(found: Frontiers, project: str = "") -> str:
    """How many pools of the project, or of all, are too small to show."""
    count = found.withheld.get(project, 0) if project else sum(found.withheld.values())
    return say.withheld(count, "pool", data.current_scope())


# ---- raters ----------------------------------------------------------------------------------------------------


def raters(view: View, own: Own) -> None:
    """Accuracy of the consensus against its cost, and what one more label or audit is worth."""
    project = own["of"] or next(iter(view.filters.values("project")), "")
    name = view.snapshot.names["project"].get(project, project)
    found = numbers.raters(view.snapshot, view.filters, project, float(own["alike"]))
    with st.container(horizontal=True, gap="small"):
        _number(f"A wrong label does harm of, {view.currency}", "harm", own, view, 240)
        _number("Raters err alike (0 to 0.9)", "alike", own, view, 190)
    if found.reason or found.curve["accuracy"].isna().any():
        why = found.reason or next(iter(found.curve["reason"]), "")
        tell_why(f"Raters an item{f' on {name}' if name else ''}", [why])
        return
    harm = float(own["harm"])
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        spec, alt = charts.ratings(found.curve, found.plans, found.price == found.price, palette(), view.currency)
        charts.show(spec, alt, key="ratings")
    with right:
        st.markdown(md(say.raters(found, name, harm, view.currency)))
        more = say.one_more(found, harm, view.currency)
        if more:
            st.markdown(md(more))
        tables.quiet(md(say.raters_basis(found, float(own["alike"]))))


def _number(label: str, param: str, own: Own, view: View, width: int) -> None:
    _, least, most, _, step = NUMBERS[param]
    number(label, param, own, view.filters, least, most, step, width)


# ---- moves -----------------------------------------------------------------------------------------------------


def move(view: View, found: Frontiers, own: Own) -> None:
    """What moving a share of the project's work between two of its pools would do."""
    partners = found.partners(own["of"])
    if not partners:
        one = found.of(own["of"])["pool"].nunique() < 2 if own["of"] else True
        tell_why("What a move would do", [found.reason or (moves.ONE_POOL if one else moves.NO_PAIR)])
        return
    rows = found.of(own["of"])
    names = dict(zip(rows["pool"], rows["label"], strict=True))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _number("Move, % of its labels", "share", own, view, 170)
        sources = {pool: names[pool] for pool in partners}
        _pick("From", "source", sources, own, view, 220, drop=("target",), hide=False)
        _pick("To", "target", partners.get(own["source"], {}), own, view, 220, hide=False)
        _number("Paid hours usable, %", "usable", own, view, 170)
    share, usable = float(own["share"]) / 100, float(own["usable"]) / 100
    what = (own["quality"], own["of"], own["source"], own["target"])
    answer = moves.move(view.snapshot, view.filters, *what, share, usable)
    if answer.found is None:
        tell_why("What a move would do", [answer.reason])
        return
    name = found.projects[own["of"]]
    st.markdown(md(moved.move(answer, share, name, view.currency)))
    effects = answer.found.effects
    said = [moved.effect(row, view.currency) for row in effects.to_dict("records")]
    left, right = st.columns([1.35, 1], gap="large")
    with left:
        tables.table(
            effects.assign(
                name=[moved.EFFECT[e] for e in effects["effect"]],
                said=[a for a, _ in said],
                # A long reason is the sentence's to give: a cell would cut it off.
                between=[b if len(b) <= LONGEST else "not known, see above" for _, b in said],
            ),
            key=f"move {hash(what)} {share} {usable} {token(view.filters)}",
            title=f"What moving {100 * share:.0f} % would do",
            columns={
                "name": Column("Effect", width=230),
                "said": Column("Value", "Changes carry a sign; loads are what would be.", "right", 110),
                "between": Column("95 % interval", "From draws of both pools' costs, accuracies, weeks.", "right", 190),
            },
            snapshot=view.snapshot,
            filters=view.filters,
            exported=effects,
            download="Download the move as CSV",
        )
    with right:
        tables.quiet(md(moved.assumptions(answer, usable)))
        would = "how full both pools would be, and whether the queue would keep its SLA"
        cost_controls.to_load(view, "shifts", would)


# ---- table -----------------------------------------------------------------------------------------------------


def table(view: View, found: Frontiers, own: Own) -> None:
    """All projects' pools; a row shows its project above."""
    if found.rows.empty:
        tell_why("Pools by cost and accuracy", [found.reason])
        return
    order = {p: k for k, p in enumerate(found.projects)}
    rows = found.rows.assign(at=found.rows["project"].map(order))
    rows = rows.sort_values(["at", "language", "cost"], kind="stable")
    records = rows.to_dict("records")
    shown = rows.assign(
        standing=[say.standing(row) for row in records],
        money=[say.cost_text(row, view.currency) for row in records],
        right=[say.quality_text(row) if row["quality"] == row["quality"] else "" for row in records],
    )
    if found.withheld:
        tables.quiet(md(_withheld(found)))
    refunds = costs.below_zero(view.snapshot, view.filters, ("pool",))
    if refunds:
        of = "A pool whose costs come to less than 0 on a project is not among its pools."
        tables.quiet(md(below_zero(refunds, view.snapshot.names.get("pool", {}), of, view.currency)))
    picked = tables.table(
        shown.reset_index(drop=True),
        key=f"pools {own['quality']} {token(view.filters)}",
        title="Pools by cost and accuracy",
        columns={
            "project_label": Column("Project", "Open a row to see its project above."),
            "language": Column("Language", "Pools are compared inside a project and language."),
            "label": Column("Pool"),
            "money": Column("Cost a label", "All costs over labels made, with its 95 % interval.", "right"),
            "right": Column(QUALITY[own["quality"]], "Drawn towards the others where few are known.", "right"),
            "standing": Column(
                "Standing",
                "In brackets how likely another pool of its language is cheaper and as good; clear from 95 % on.",
            ),
            "beaten_by": Column("Beaten most often by"),
            "labels": Column("Labels", "", "count"),
            "gold": Column("Known answers", "Gold or audited judgements.", "count"),
        },
        snapshot=view.snapshot,
        filters=view.filters,
        members=[{"project": p} for p in rows["project"]],
        opens=True,
        exported=rows.drop(columns="at"),
        download="Download all pools as CSV",
    )
    if picked and picked["project"] != own["of"]:
        # The whole URL, so that the page rewrites nothing and Back leads here.
        settled, _ = _settled({**own, "of": str(picked["project"]), "source": "", "target": ""}, found)
        open_from_click(PAGE, links.write(view.filters, **settled))
