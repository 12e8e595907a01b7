"""What is kept for one reader is not shown to another. Oracle: the scope's own projects."""

from data_access.filters import Filters, Scope
from ui import data


def test_each_scope_is_offered_its_own_members(snapshot, monkeypatch):
    everyone = data.members(snapshot, "project")["value"].tolist()
    assert len(everyone) > 2
    for project in everyone[:2]:
        monkeypatch.setattr(data, "current_scope", lambda p=project: Scope.stakeholder([p]))
        assert data.members(snapshot, "project")["value"].tolist() == [project]


def test_each_filter_has_its_own_answer(snapshot):
    projects = data.members(snapshot, "project")["value"].tolist()[:3]
    found = [
        data.sums(snapshot, "work", ("served",), ("project",), Filters.of({"project": [project]}))
        for project in projects
    ]
    assert [rows["project"].tolist() for rows in found] == [[project] for project in projects]


def test_what_one_caller_writes_to_the_lineage_no_other_sees(snapshot):
    before = data.lineage(snapshot).batches.copy()
    one = data.lineage(snapshot).batches
    one["items"] = -1.0
    one.loc[one.index[0], "project"] = "changed"
    one.attrs["reason"] = "changed"
    again = data.lineage(snapshot).batches
    assert again.equals(before)
    assert again.attrs == before.attrs
