"""What a server works out before anyone asks: the pages' own answers, once, for a reader of everything alone."""

import threading

import pytest
import streamlit as st
from streamlit import runtime

from data_access.filters import Scope
from data_access.snapshot import Snapshot
from ui import changes, model_impact, warm


@pytest.fixture(scope="module")
def snapshot(sample_snapshot):
    opened = Snapshot(sample_snapshot)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def nothing_kept():
    st.cache_data.clear()
    st.cache_resource.clear()


def refused(*_, **__):
    raise AssertionError("this was to be ready")


def test_both_pages_find_their_answers_ready(snapshot, monkeypatch):
    warm.make_ready(snapshot)
    for module, name in ((changes, "ledger"), (changes, "moves"), (model_impact.impact, "impact")):
        monkeypatch.setattr(module, name, refused)
    assert len(changes.weighed(snapshot).rows) == len(changes.changes(snapshot)) > 0
    assert changes.moved(snapshot).series > 0
    assert len(model_impact.found(snapshot).impact.rows) > 0


def test_what_is_ready_for_everyone_is_not_shown_to_a_reader_of_one_project(snapshot, monkeypatch):
    warm.make_ready(snapshot)
    monkeypatch.setattr("ui.data.current_scope", lambda: Scope.stakeholder(["P01"]))
    projects = set(model_impact.found(snapshot).impact.rows["project"])
    assert projects <= {"P01"}
    assert set(changes.weighed(snapshot).changes["project_id"].dropna()) <= {"P01"}


def test_what_fails_is_left_to_the_reader(snapshot, monkeypatch, caplog):
    monkeypatch.setattr(model_impact, "prepare", refused)
    warm.make_ready(snapshot)
    assert "could not be made ready" in caplog.text
    monkeypatch.setattr(changes, "ledger", refused)
    assert changes.weighed(snapshot).rows  # the other page is ready all the same


class Server(runtime.Runtime):
    """Stands for the server's runtime."""

    def __init__(self):
        pass


def test_a_server_begins_once_for_each_snapshot_and_for_no_single_reader(snapshot, monkeypatch):
    asked = []
    done = threading.Event()
    monkeypatch.setattr(warm, "make_ready", lambda *given: (asked.append(given), done.set()))
    warm.begin(snapshot, Scope.everything())
    assert asked == []  # no server
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: Server())
    monkeypatch.setattr(runtime, "Runtime", Server)
    warm.begin(snapshot, Scope.stakeholder(["P01"]))
    warm.begin(snapshot, Scope.everything())
    warm.begin(snapshot, Scope.everything())
    assert done.wait(10)
    assert asked == [(snapshot, warm.PAUSE)]
