"""The table of changes: each line says where its metric and effect were measured, and why nothing is called."""

import dataclasses
import datetime as dt

import pandas as pd

from data_access.filters import Filters
from metrics.change_ledger import Row
from metrics.change_units import Change
from metrics.effects import Design, Effect, Verdict
from metrics.effects.verdict import Judgement
from metrics.spec import Estimate
from metrics.unexplained import Move, Moves
from ui import changes

NAMES = {"project": {"P1": "Comments"}, "language": {"id": "Indonesian"}, "policy": {"spam": "Spam"}}


def row(where: dict[str, str], verdict: Verdict, reason: str, value: float | None = 0.42) -> Row:
    change = Change("CH-1", "guideline", "P1", None, dt.date(2026, 3, 2), 30, 30, None)
    numbers = Estimate.missing(reason) if value is None else Estimate(value, value - 0.1, value + 0.1, 8)
    effect = Effect(Design.COMPARED, numbers, p_value=0.001, statistic=9.0)
    return Row(change, "gold_over_enforcement_rate", where, effect, 0.001, Judgement(verdict, reason, {}))


def shown(rows: list[Row], project: str | None = "P1") -> dict:
    one = {"change_id": "CH-1", "summary": "A clause.", "kind": "guideline", "project_id": project, "pool_id": None}
    recorded = pd.DataFrame([{**one, "starts_on": pd.Timestamp("2026-03-02"), "ends_on": pd.NaT}])
    (line,) = changes.table(changes.Weighed(recorded, {"CH-1": rows}, []), NAMES).to_dict("records")
    return line


def test_an_effect_stands_beside_the_work_it_was_measured_on():
    whole = row({"project": "P1"}, Verdict.CANNOT_TELL, "made-up changes look as large", 0.01)
    part = row({"project": "P1", "language": "id", "policy": "spam"}, Verdict.HARM, "clear")
    line = shown([whole, part])
    assert (line["effect"][:3], line["where"]) == ("+42", "Comments, Indonesian, Spam")
    assert line["reason"] == ""


def test_whatever_is_not_called_says_why():
    for verdict in (Verdict.CANNOT_TELL, Verdict.TOO_EARLY, Verdict.NO_EFFECT):
        line = shown([row({"project": "P1"}, verdict, "so few weeks")])
        assert line["reason"] == "so few weeks"
    line = shown([row({"project": "P1"}, Verdict.TOO_EARLY, "so few weeks", None)])
    assert (line["effect"], line["design"], line["reason"]) == ("", "", "so few weeks")


def test_a_change_of_which_nothing_may_be_shown_names_its_place():
    assert shown([])["where"] == "Comments"
    assert shown([], None)["where"] == "all work in view"
    assert "may be shown" in shown([])["reason"]


def test_rows_of_everything_and_of_benchmarks_are_named():
    one = row({"everything": "all work in view"}, Verdict.CANNOT_TELL, "so few weeks")
    assert shown([one])["where"] == "all work in view"
    assert shown([dataclasses.replace(one, where={"project": "P1", "benchmark": "b"})])["where"] == "Comments, b"


def test_filters_keep_what_came_to_their_work():
    """A change to a pool is one to the projects the pool works in, and to no other; one to all is one to each."""
    places = frozenset({("P1", "A"), ("P1", "B"), ("P2", "C")})
    recorded = pd.DataFrame(
        [("CH-1", "P1", None), ("CH-2", None, "C"), ("CH-3", None, "A"), ("CH-4", None, None), ("CH-5", "P9", "Z")],
        columns=["change_id", "project_id", "pool_id"],
    ).assign(kind="tool")
    found = changes.Weighed(recorded, {c: [] for c in recorded["change_id"]}, [], places)

    def kept(**where: str) -> list[str]:
        return [*changes.narrowed(found, Filters.of({k: [v] for k, v in where.items()})).rows]

    assert kept() == ["CH-1", "CH-2", "CH-3", "CH-4", "CH-5"]
    assert kept(project="P1") == ["CH-1", "CH-3", "CH-4"]
    assert kept(project="P2") == ["CH-2", "CH-4"]
    assert kept(pool="B") == ["CH-1", "CH-4"]
    assert kept(project="P2", pool="A") == []
    assert kept(project="P9") == ["CH-5"]


def test_moves_without_a_record_follow_the_filters():
    def move(change=None, **where):
        return Move("gold_accuracy", where, dt.date(2026, 3, 2), 0.9, 0.8, change)

    one, two, whole = move(project="P1", pool="A"), move(project="P2", pool="A"), move(project="P1")
    hours = move(pool="B")
    found = Moves((one, two, whole, hours, move("CH-1", project="P1")), 40)
    assert changes.unrecorded(found, Filters()) == [one, two, whole, hours]
    assert changes.unrecorded(found, Filters.of({"project": ["P1"]})) == [one, whole, hours]
    assert changes.unrecorded(found, Filters.of({"pool": ["A"]})) == [one, two, whole]
