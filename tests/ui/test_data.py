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
