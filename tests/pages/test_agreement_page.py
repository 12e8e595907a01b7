"""The agreement page: its finding first, single ratings only when asked, the planted events to be seen on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_access.filters import Scope
from ui import agreement_controls, data

ROOT = Path(__file__).resolve().parents[2]
PERIOD = {"from_": "2026-05-18", "to": "2026-11-15"}


def opened(**params) -> AppTest:
    """The page as app.py shows it to a reader with this URL."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in params.items():
        at.query_params[name.rstrip("_")] = value
    at.switch_page("pages/agreement.py")
    return at.run()


def text(at: AppTest) -> str:
    """All that the page says."""
    parts = [*at.title, *at.subheader, *at.markdown, *at.caption, *at.info, *at.warning, *at.error]
    return "\n".join(str(p.value) for p in parts).replace("\\", "").replace("\u00a0", " ").replace("\u2060", "")


def sound(at: AppTest) -> bool:
    return not at.exception and not at.error


def press(at: AppTest, label: str) -> AppTest:
    next(b for b in at.button if b.label == label).click()
    return at.run()


BUTTONS = {
    "items": "Read the items",
    "gold": "Read the gold items",
    "pairs": "Compare the raters",
    "without": "Compare vote and model",
}
LIVE = {**BUTTONS, "groups": "Test by shuffling the raters"}


@pytest.fixture(autouse=True)
def served(monkeypatch, request, tmp_path):
    """The small sample's snapshot; the warehouse is not reached unless a test asks for it."""
    if "whole" not in request.fixturenames:
        monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")
        monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(request.getfixturevalue("sample_snapshot")))


@pytest.fixture
def warehouse(monkeypatch, sample_warehouse):
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{sample_warehouse}")


@pytest.fixture
def whole(monkeypatch, whole_sample, whole_snapshot):
    """The sample as `make run` makes it, and its events by id."""
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(whole_snapshot))
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{whole_sample}")
    truth = json.loads(whole_sample.with_name(f"{whole_sample.name}.truth.json").read_text(encoding="utf-8"))
    return {event["event_id"]: event for event in truth["events"]}


# ---- what a reader sees ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["project", "language", "policy", "guideline_version"])
@pytest.mark.parametrize("look", agreement_controls.LOOKS)
def test_every_breakdown_and_section_opens(by, look):
    at = opened(by=by, look=look, **PERIOD)
    assert sound(at)
    assert at.title[0].value.startswith("Raters agree")
    assert "Read alpha" in text(at)


@pytest.mark.parametrize("look", agreement_controls.LOOKS)
def test_a_filter_that_agreement_is_not_kept_by_leaves_the_page_standing(look):
    at = opened(look=look, pool="POOL-10", project="P01", **PERIOD)
    assert sound(at)
    assert "has no number here" in text(at)


@pytest.mark.parametrize("look", agreement_controls.LOOKS)
def test_filters_that_match_nothing(look):
    at = opened(look=look, project="P01", pool="POOL-13", language="th", policy="spam")
    assert sound(at) and "no number" in text(at)
    at = opened(look=look, project="P12", language="th", policy="spam", **PERIOD)
    assert sound(at)


def test_a_link_that_cannot_be_honoured_is_told():
    at = opened(by="polcy", look="grups", axis="regon", **PERIOD)
    assert sound(at) and len(at.warning) == 1
    assert all(word in text(at) for word in ("“polcy”", "“grups”", "“regon”", "policy", "groups", "region"))


def test_the_url_names_the_pages_own_choices():
    at = opened(by="policy", look="mix", **PERIOD)
    assert {"by", "look", "axis", "from", "to"} == set(at.query_params)
    at.selectbox[0].set_value("language").run()
    assert sound(at) and at.query_params["by"] in ("language", ["language"])


def test_selecting_a_row_narrows_the_page_and_breaks_it_down_further():
    at = opened(**PERIOD)
    key = next(k for k in (e.key for e in at.dataframe) if k.startswith("coefficients project"))
    at.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    assert sound(at)
    assert "project" in at.query_params and at.query_params["by"] in ("policy", ["policy"])


def test_a_click_on_the_chart_narrows_too():
    at = opened(by="guideline_version", **PERIOD)
    rows = at.dataframe[0].value
    assert len(rows) > 1
    from data_access.filters import Filters
    from ui.filter_bar import token

    filters = Filters.of((), *(__import__("datetime").date.fromisoformat(PERIOD[k]) for k in ("from_", "to")))
    key = f"coefficients chart guideline_version {token(filters)}"
    at.session_state[key] = {"selection": {"cell": [{"member": "P01 v5"}]}}
    at.run()
    assert sound(at)
    assert at.query_params["project"] in ("P01", ["P01"]) and at.query_params["guideline_version"] in ("v5", ["v5"])


# ---- single ratings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", LIVE)
def test_single_ratings_are_read_when_asked_one_project_at_a_time(look):
    at = opened(look=look, **PERIOD)
    assert sound(at)
    assert not [b for b in at.button if b.label == LIVE[look]]
    assert [s for s in at.selectbox if s.placeholder == "Choose a project"]


@pytest.mark.parametrize("look", LIVE)
def test_a_warehouse_that_is_gone_leaves_the_rest_standing(look, forgetful):
    at = press(opened(look=look, project="P11", **PERIOD), LIVE[look])
    assert sound(at)
    assert "no warehouse file" in text(at) and "The rest of the page stands" in text(at)
    assert at.title[0].value.startswith("Raters agree")


@pytest.mark.parametrize("look", LIVE)
@pytest.mark.parametrize("project", ["P05", "P07", "P11"])  # sets, scores, ordered labels
def test_each_live_section_works_on_every_kind_of_label(look, project, warehouse):
    at = press(opened(look=look, project=project, **PERIOD), LIVE[look])
    assert sound(at), text(at)
    assert "The rest of the page stands" not in text(at)


@pytest.mark.parametrize("look", LIVE)
def test_live_sections_without_any_rating(look, warehouse):
    at = press(opened(look=look, project="P12", language="th", from_="2026-10-19", to="2026-10-20"), LIVE[look])
    assert sound(at), text(at)


def test_an_item_leads_to_its_ratings(warehouse):
    at = press(opened(look="items", project="P11", **PERIOD), BUTTONS["items"])
    key = next(e.key for e in at.dataframe)
    at.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    assert sound(at)
    item = at.dataframe[0].value["item"].iloc[0]
    assert f"Ratings of {item}" in text(at)
    ratings = at.dataframe[1].value
    assert len(ratings) == at.dataframe[0].value["n"].iloc[0]
    assert ratings["rater"].str.startswith("Rater ").all()


@pytest.mark.parametrize("look", LIVE)
def test_who_manages_no_raters_sees_no_single_rating(look, monkeypatch, warehouse, forgetful):
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    at = opened(look=look, project="P11", **PERIOD)
    assert sound(at)
    assert not [b for b in at.button if b.label == LIVE[look]]
    if look != "groups":
        assert "shown only to those who manage the raters" in text(at)
    assert "Rater 0" not in text(at)


# ---- the planted events ----------------------------------------------------------------------------------------


@pytest.mark.xdist_group("planted")
def test_a_region_that_reads_satire_differently_stands_apart(whole):
    where = whole["EV12"]["where"]
    at = opened(
        project=where["project"],
        policy=where["policy"],
        look="groups",
        axis="region",
        from_="2026-08-17",
        to="2026-11-15",
    )
    assert "below the 0.75 its labels are held to" in at.title[0].value.replace("\\", "")
    at = press(at, LIVE["groups"])
    assert sound(at)
    assert f"{where['region']} agrees less with the others" in text(at)
    assert f"Reads otherwise than the others: {where['region']} on {where['policy']}, “unsafe” +" in text(at)
    other = opened(
        project=where["project"], policy="privacy", look="groups", axis="region", from_="2026-08-17", to="2026-11-15"
    )
    said = text(press(other, LIVE["groups"]))
    assert "No region stands out" in said and "No region reads a policy clearly otherwise" in said


@pytest.mark.xdist_group("planted")
def test_all_policies_at_a_glance_show_the_planted_region_alone(whole):
    where = whole["EV12"]["where"]
    at = opened(look="groups", axis="region", from_="2026-10-19", to="2026-11-15")
    assert sound(at)
    sentence = next(line for line in text(at).splitlines() if line.startswith("Reads otherwise than the others: "))
    found = sentence.removeprefix("Reads otherwise than the others: ").split(" points. ")[0]
    assert found.startswith(f"{where['region']} on {where['policy']} · ") and ";" not in found and "more" not in found
    assert "No gender reads a policy clearly otherwise" in text(opened(look="groups", axis="gender", **PERIOD))


@pytest.mark.xdist_group("planted")
def test_gold_keyed_wrongly_is_listed_in_its_policy(whole):
    event = whole["EV06"]
    during = {"from_": event["starts_on"], "to": event["ends_on"]}
    at = press(opened(project=event["where"]["project"], look="gold", **during), LIVE["gold"])
    assert sound(at)
    rows = at.dataframe[0].value
    assert len(rows) > 10 and set(rows["policy"]) == {event["where"]["policy"]}
    assert (rows["n_other"] > rows["n_gold"]).all()
    later = press(
        opened(project=event["where"]["project"], look="gold", from_="2026-09-14", to="2026-10-18"), LIVE["gold"]
    )
    assert "None of" in text(later)


@pytest.mark.xdist_group("planted")
def test_a_reworded_guideline_is_seen_in_alpha_and_in_the_labels(whole):
    where = whole["EV01"]["where"]
    at = opened(by="guideline_version", look="mix", from_="2026-10-19", to="2026-11-15", **where)
    said = text(at)
    assert "Raters agree well on 1 of 2 guideline versions; under guideline v6 alpha is 0.2" in said
    assert "The mix of labels moved against 21 Sep to 18 Oct" in said and "most of all remove, +" in said
    calm = opened(by="guideline_version", look="mix", from_="2026-09-28", to="2026-10-25", **where)
    assert "did not clearly move" in text(calm)


@pytest.mark.xdist_group("planted")
def test_a_layout_that_hides_the_second_answer_is_seen_in_preferences(whole):
    where = whole["EV19"]["where"]
    at = opened(project=where["project"], from_="2026-08-10", to="2026-09-13")
    assert "below the 0.3 its labels are held to" in text(at)
    during = opened(project=where["project"], look="groups", axis="pool", from_="2026-07-26", to="2026-09-13")
    said = text(press(during, LIVE["groups"]))
    assert "Hyderabad day agrees less with itself" in said  # POOL-10
    after = opened(project=where["project"], from_="2026-09-14", to="2026-10-18")
    assert "below the 0.3" not in text(after)


@pytest.mark.xdist_group("planted")
def test_three_quiet_days_are_not_flagged(whole):
    where = whole["EV15"]["where"]
    at = opened(by="language", look="mix", from_="2026-04-13", to="2026-04-19", **where)
    assert sound(at)
    assert ", below the " not in at.title[0].value
    assert "did not clearly move" in text(at)
