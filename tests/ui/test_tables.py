"""What a table shows, sorts and returns. Oracle: the formatter for texts, the data a Styler sends for cells."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from data_access.filters import Filters, Scope
from data_access.queries import measure
from metrics.catalogue import METRICS
from metrics.catalogue import metric as find_metric
from ui import format as fmt
from ui import tables, theme, words
from ui.tables import Column

SEVERAL = ["gold_accuracy", "krippendorff_alpha", "backlog", "cost_per_accepted_label", "handle_time_p50_seconds"]


@pytest.fixture
def drawn(monkeypatch):
    """What is handed to Streamlit: the dataframe's arguments, the sentences and the exports."""
    caught = {"tables": [], "sentences": [], "exports": []}

    def dataframe(data, **options):
        caught["tables"].append((data, options))
        return {"selection": {"rows": []}}

    monkeypatch.setattr(tables.st, "dataframe", dataframe)
    monkeypatch.setattr(tables, "quiet", caught["sentences"].append)
    monkeypatch.setattr(tables.export, "download", lambda frame, **options: caught["exports"].append((frame, options)))
    return caught


def _texts(styler) -> pd.DataFrame:
    """The display values a Styler writes, as Streamlit takes them."""
    styler._compute()
    body = styler._translate(False, False)["body"]
    cells = [[cell["display_value"] for cell in row if cell["type"] == "td"] for row in body]
    return pd.DataFrame(cells, columns=styler.data.columns)


# ---- estimates -------------------------------------------------------------------------------------------------


def test_estimates_are_written_by_the_formatter_and_keep_their_numbers(snapshot, drawn):
    rows = measure(snapshot, SEVERAL, scope=Scope.everything())
    tables.estimate_table(rows, key="k", title="KPIs", snapshot=snapshot)
    ((styler, _),) = drawn["tables"]
    shown = _texts(styler)
    for k, row in enumerate(rows.to_dict("records")):
        m = find_metric(row["metric"])
        assert shown["metric"][k] == m.label
        assert shown["value"][k] == fmt.value(row["value"], m, "USD")
        assert shown["between"][k] == fmt.interval(row["low"], row["high"], m, row["value"], "USD")
        assert shown["n"][k] == f"{row['n']:,.0f}"
        assert shown["status"][k].endswith(words.status_word(row))
    np.testing.assert_array_equal(styler.data["value"].to_numpy(float), rows["value"].to_numpy(float))


def test_what_is_sorted_is_a_number_not_its_text(snapshot, drawn):
    rows = measure(snapshot, ["gold_accuracy"], by=["project"], scope=Scope.everything())
    tables.estimate_table(rows, key="k", title="t", snapshot=snapshot, by=["project"])
    data = drawn["tables"][0][0].data
    assert data["value"].dtype.kind == "f" and data["n"].dtype.kind == "f"


def test_names_stand_for_ids_and_the_export_keeps_the_ids(snapshot, drawn):
    rows = measure(snapshot, ["gold_accuracy"], by=["project"], scope=Scope.everything())
    filters = Filters.of({"language": ["Thai"]})
    tables.estimate_table(rows, key="k", title="Gold by project", snapshot=snapshot, by=["project"], filters=filters)
    assert drawn["tables"][0][0].data["project"].tolist() == [snapshot.names["project"][p] for p in rows["project"]]
    frame, options = drawn["exports"][0]
    assert frame is rows
    assert options["filters"] is filters and options["snapshot"] is snapshot
    assert [m.name for m in options["metrics"]] == ["gold_accuracy"]


def test_a_reason_takes_the_place_of_a_number(snapshot, drawn):
    rows = measure(snapshot, ["gold_accuracy", "utilisation"], by=["policy"], scope=Scope.everything())
    tables.estimate_table(rows, key="k", title="t", snapshot=snapshot, by=["policy"])
    styler, options = drawn["tables"][0]
    missing = styler.data.index[rows["metric"] == "utilisation"][0]
    assert "reason" in options["column_order"]
    assert "not kept by policy" in styler.data["reason"][missing]
    assert _texts(styler)["value"][missing] == fmt.NONE


def test_columns_that_would_be_empty_are_left_out(snapshot, drawn):
    rows = measure(snapshot, ["judgements"], scope=Scope.everything())
    tables.estimate_table(rows.assign(target=np.nan), key="k", title="t", snapshot=snapshot)
    order = drawn["tables"][0][1]["column_order"]
    assert "reason" not in order and "goal" not in order


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_metric_can_be_shown(snapshot, drawn, name):
    rows = measure(snapshot, [name], by=["week"], scope=Scope.everything()).tail(3)
    tables.estimate_table(rows, key="k", title="t", snapshot=snapshot, by=["week"])
    styler, options = drawn["tables"][0]
    shown = _texts(styler)
    assert shown.shape == (len(rows), len(options["column_order"]))
    assert shown["value"].tolist() == [fmt.value(value, METRICS[name], "USD") for value in rows["value"]]
    assert options["column_config"]["value"]["label"] == METRICS[name].label
    assert METRICS[name].formula in options["column_config"]["value"]["help"]


def test_no_rows_make_an_empty_table(snapshot, drawn):
    rows = measure(snapshot, ["gold_accuracy"], by=["project"], scope=Scope())
    assert tables.estimate_table(rows.iloc[:0], key="k", title="t", snapshot=snapshot, by=["project"]) is None
    assert len(drawn["tables"][0][0].data) == 0


def test_figures_stand_to_the_right_and_a_status_is_a_word_a_shape_and_a_colour(snapshot, drawn):
    rows = measure(snapshot, ["gold_accuracy"], by=["project"], scope=Scope.everything())
    tables.estimate_table(rows, key="k", title="The name", snapshot=snapshot, by=["project"])
    styler, options = drawn["tables"][0]
    config = options["column_config"]
    assert {name for name in config if config[name]["alignment"] == "right"} == {"value", "between", "n", "goal"}
    assert options["lazy"] is False and options["alt"] == "The name"
    state = words.status_of(rows.iloc[0])
    styler._compute()
    css = {styler.data.iat[at]: rules for at, rules in styler.ctx.items() if rules}
    shown = f"{theme.SHAPES[state]} {words.STATUS[state]}".strip()
    assert ("color", theme.palette().states[state]) in css[shown]


# ---- any table -------------------------------------------------------------------------------------------------

FRAME = pd.DataFrame(
    {
        "name": ["a", "b", None],
        "n": [1234567, 0, -5],
        "share": [0.1234, np.nan, 1.0],
        "day": pd.to_datetime(["2025-02-18", None, "2026-11-15"]),
        "at": pd.to_datetime(["2025-02-18 21:34:05", None, "2025-11-15 00:00:00"]),
        "hidden": [1, 2, 3],
    }
)
COLUMNS = {
    "name": Column("Name", "Whose."),
    "n": Column("How many", kind="count"),
    "share": Column("Share", kind="share"),
    "day": Column("Day", kind="day"),
    "at": Column("Time", kind="time"),
}


def test_each_kind_is_written_its_way(drawn):
    tables.table(FRAME, key="k", title="t", columns=COLUMNS)
    styler, options = drawn["tables"][0]
    shown = _texts(styler)
    assert shown["n"].tolist() == ["1,234,567", "0", "−5"]
    assert [t.replace("\u00a0", " ") for t in shown["share"]] == ["12.3 %", "", "100.0 %"]
    assert [t.replace("\u00a0", " ") for t in shown["day"]][:2] == ["18 Feb 2025", ""]
    assert shown["at"][0].replace("\u00a0", " ") == "18 Feb 2025, 21:34"
    assert "hidden" not in styler.data and options["column_order"] == list(COLUMNS)
    assert options["column_config"]["name"]["help"] == "Whose."


def test_days_of_this_year_go_without_the_year():
    today = dt.datetime.now(dt.UTC).date()
    assert str(today.year) not in tables.WRITERS["day"](pd.Timestamp(today))


def test_more_rows_than_the_cap_are_said_and_exported(drawn):
    rows = pd.DataFrame({"x": range(1234)})
    tables.table(rows, key="k", title="t", columns={"x": Column("X", kind="count")}, max_rows=200)
    assert len(drawn["tables"][0][0].data) == 200
    assert drawn["sentences"] == ["Shown are the first 200 of 1,234 rows; the download has them all."]
    assert len(drawn["exports"][0][0]) == 1234


def test_a_short_table_says_nothing_about_a_cap_and_is_shown_whole(drawn):
    tables.table(FRAME, key="k", title="t", columns=COLUMNS)
    assert drawn["sentences"] == []
    assert drawn["tables"][0][1]["height"] == "content"
    assert "on_select" not in drawn["tables"][0][1]


def test_the_same_table_again_is_the_same_message_and_no_two_tables_share_their_colours(drawn):
    rows = pd.DataFrame({"name": ["a"], "state": ["on target"]})
    columns = {"name": Column("Name"), "state": Column("Status", kind="status")}
    for key in ("one", "one", "other"):
        tables.table(rows, key=key, title="T", columns=columns)
    once, again, other = (styler.uuid for styler, _ in drawn["tables"])
    assert once == again != other
    assert once.isalnum()


def test_the_rows_are_not_changed(drawn):
    before = FRAME.copy()
    tables.table(FRAME, key="k", title="t", columns=COLUMNS)
    pd.testing.assert_frame_equal(FRAME, before)


# ---- selection -------------------------------------------------------------------------------------------------


def _page():
    import pandas as pd
    import streamlit as st

    from ui.tables import Column, table

    names = st.session_state.get("names", ["a", "b", "c"])
    rows = pd.DataFrame({"name": names})
    members = [{"name": name} for name in names]
    st.write("chosen", table(rows, key="t", title="T", columns={"name": Column("Name")}, members=members))


def _chosen(at: AppTest):
    assert not at.exception
    return at.json[0].value if len(at.json) else None


def test_nothing_is_chosen_at_first():
    assert _chosen(AppTest.from_function(_page).run()) is None


def test_the_chosen_row_is_returned():
    at = AppTest.from_function(_page)
    at.session_state["t"] = {"selection": {"rows": [1]}}
    assert '"b"' in _chosen(at.run())


def test_the_choice_follows_its_row():
    at = AppTest.from_function(_page)
    at.session_state["t"] = {"selection": {"rows": [1]}}
    at.run()
    at.session_state["names"] = ["z", "a", "b"]
    assert '"b"' in _chosen(at.run())


def test_the_choice_ends_with_its_row():
    at = AppTest.from_function(_page)
    at.session_state["t"] = {"selection": {"rows": [1]}}
    at.run()
    at.session_state["names"] = ["a", "c"]
    assert _chosen(at.run()) is None


def test_a_choice_beyond_the_rows_is_none():
    at = AppTest.from_function(_page)
    at.session_state["t"] = {"selection": {"rows": [7]}}
    assert _chosen(at.run()) is None


def _leading() -> None:
    import pandas as pd
    import streamlit as st

    from ui.tables import Column, table

    if st.session_state.get("elsewhere"):
        return
    rows = pd.DataFrame({"name": ["a", "b"]})
    members = [{"name": name} for name in rows["name"]]
    columns = {"name": Column("Name")}
    st.write("chosen", table(rows, key="t", title="T", columns=columns, members=members, opens=True))


def test_a_row_that_leads_away_is_not_chosen_when_the_reader_is_back():
    at = AppTest.from_function(_leading)
    chosen = {"selection": {"rows": [1]}}
    at.session_state["t"] = chosen
    assert '"b"' in _chosen(at.run())
    at.session_state["elsewhere"] = True
    at.run()
    at.session_state["elsewhere"] = False
    at.session_state["t"] = chosen  # a browser remembers what was selected in a table of this name
    assert _chosen(at.run()) is None


def _folded() -> None:
    import streamlit as st

    from ui import tables

    tables.fold("Details", "details", lambda: st.write("drawn"))


def test_a_fold_draws_its_content_only_once_it_is_open():
    app = AppTest.from_function(_folded).run()
    assert not app.markdown
    app.session_state["details"] = True
    assert [one.value for one in app.run().markdown] == ["drawn"]
