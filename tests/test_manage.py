"""The command line: what it prints, and that every refusal is one sentence with exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import manage
from metrics.catalogue import METRICS


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sample_snapshot: Path, sample_warehouse: Path) -> Path:
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(sample_snapshot))
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{sample_warehouse}")
    return tmp_path


def run(capsys: pytest.CaptureFixture, *arguments: str) -> tuple[int, str, str]:
    try:
        code = manage.main(list(arguments))
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return code, out, err


def test_measure_prints_the_keys_of_the_design(here, capsys):
    code, out, _ = run(capsys, "measure", "gold_accuracy", "--by", "project", "--format", "json")
    rows = json.loads(out)
    assert code == 0
    assert list(rows[0]) == ["metric", "project", "value", "low", "high", "n", "reason", "status"]
    assert len(rows) >= 5
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows if row["value"] is not None)


def test_the_same_filter_twice_means_either_and_two_filters_mean_both(here, capsys):
    def count(*where: str) -> float:
        options = [part for text in where for part in ("--where", text)]
        out = run(capsys, "measure", "judgements", *options, "--format", "json")[1]
        return json.loads(out)[0]["value"] or 0

    one, two = count("project=P01"), count("project=P02")
    assert count("project=P01", "project=P02") == one + two
    assert count("project=P01", "stage=label") + count("project=P01", "stage=review") == one


def test_impact_prints_the_keys_of_the_design(here, capsys):
    code, out, err = run(
        capsys, "impact", "--metric", "percent_agreement", "--benchmark", "harmful-prompts", "--format", "json"
    )
    rows = json.loads(out)
    assert code == 0 and "not proof of cause" in err
    keys = "metric benchmark project lag method estimate low high n n_effective p_value q_value design narrative"
    assert all(list(row) == keys.split() for row in rows)
    assert {row["lag"] for row in rows if row["method"] == "spearman"} == {0, 1}
    assert {(row["metric"], row["benchmark"]) for row in rows} == {("percent_agreement", "harmful-prompts")}
    assert {row["method"] for row in rows} >= {"spearman", "versions"}


def test_impact_tells_the_slices_that_count_for_q(here, capsys):
    asked = ("impact", "--metric", "percent_agreement", "--benchmark", "harmful-prompts-languages", "--format", "json")
    code, out, err = run(capsys, *asked)
    rows = [row for row in json.loads(out) if row["method"] == "spearman"]
    told = {row["benchmark"] for row in rows}
    assert code == 0 and "harmful-prompts-languages" in told and len(told) > 1
    assert told - {"harmful-prompts-languages"} <= {f"harmful-prompts-languages, {w}" for w in ("en", "hi", "vi")}
    assert len(rows) == 2 * len(told) and int(err.split(" links tested")[0].split()[-1]) > len(rows)


def test_impact_by_another_method(here, capsys):
    asked = ("impact", "--metric", "handle_time_log_mean_seconds", "--format", "json")
    ours = {}
    for method in ("spearman", "kendall"):
        code, out, _ = run(capsys, *asked, "--method", method)
        ours[method] = [row["estimate"] for row in json.loads(out) if row["method"] == method]
        assert code == 0 and [value for value in ours[method] if value is not None]
    assert ours["spearman"] != ours["kendall"]
    assert run(capsys, *asked, "--method", "guess")[0] == 2


def test_measure_list_prints_the_whole_catalogue(here, capsys):
    _, out, _ = run(capsys, "measure", "--list", "--format", "csv")
    assert [line.split(",")[0] for line in out.splitlines()[1:]] == list(METRICS)


def test_changes_prints_the_keys_of_the_design(here, capsys):
    code, out, _ = run(capsys, "changes", "--format", "json")
    rows = json.loads(out)
    assert code == 0
    keys = (
        "change_id, kind, metric, where, starts_on, design, effect, low, high, placebo_p, verdict, narrative, reason, "
        "design_reason"
    )
    assert ", ".join(rows[0]) == keys
    places = [(row["change_id"], row["metric"], *sorted(row["where"].items())) for row in rows]
    assert len(set(places)) == len(rows) > len({place[:2] for place in places})
    assert all(row["where"] and row["reason"] for row in rows)
    assert len({row["change_id"] for row in rows}) >= 20
    for row in rows:
        assert row["change_id"] in row["narrative"]
        if row["effect"] is not None:
            assert row["low"] <= row["effect"] <= row["high"]


REFUSALS = [
    (("measure", "gold_acuracy"), 'did you mean "gold_accuracy"'),
    (("measure",), "Name at least one metric"),
    (("measure", "judgements", "--by", "polcy"), 'did you mean "policy"'),
    (("measure", "judgements", "--where", "projct=P01"), 'did you mean "project"'),
    (("measure", "judgements", "--where", "project=P99"), 'There is no project "P99"'),
    (("measure", "judgements", "--where", "project"), "--where takes DIM=VALUE"),
    (("measure", "judgements", "--from", "2026-13-40"), '"2026-13-40" is no date'),
    (("measure", "judgements", "--from", "2026-05-01", "--to", "2026-04-01"), "swap the two"),
    (("measure", "judgements", "--from", "0001-01-01"), "is outside 1990 to 2100"),
    (("measure", "judgements", "--where", "project=' OR 1=1 --"), "There is no project"),
    (("measure", "judgements", "--format", "xml"), "invalid choice"),
    (("sample", "--annotations", "5"), "annotations"),
    (("load", "/nowhere.csv", "--into", "duckdb:////nowhere/x.duckdb"), "/nowhere"),
    (("impact", "--metric", "gold_acuracy"), 'did you mean "gold_accuracy"'),
    (("impact", "--benchmark", "harmfull-prompts"), 'did you mean "harmful-prompts"'),
    (("frobnicate",), "invalid choice"),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSALS, ids=[" ".join(a)[:50] for a, _ in REFUSALS])
def test_every_refusal_is_one_sentence_with_exit_code_2(here, capsys, arguments, sentence):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert sentence in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("content", [None, b"", b"junk" * 4096])
def test_a_missing_or_corrupt_snapshot(here, capsys, monkeypatch, content):
    path = here / "s.duckdb"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(path))
    code, _, err = run(capsys, "measure", "judgements")
    assert code == 2
    assert "manage.py refresh" in err
    assert len(err.strip().splitlines()) == 1


def test_an_unreachable_warehouse(here, capsys, monkeypatch):
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", "postgresql+psycopg://u:secretword@127.0.0.1:1/x")
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(here / "s.duckdb"))
    code, _, err = run(capsys, "refresh")
    assert code == 2
    assert "does not answer" in err
    assert "secretword" not in err
    assert run(capsys, "doctor", "--format", "json")[0] == 1


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("RATERSCOPE_TIMEZONE", "Mars/Olympus", "is no IANA time zone"),
        ("RATERSCOPE_WAREHOUSE_URL", "not a url", "is no SQLAlchemy URL"),
        ("RATERSCOPE_WAREHOUSE_URL", "oracle+nothing://x/y", "There is no driver"),
    ],
)
def test_a_bad_setting(here, capsys, monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(here / "s.duckdb"))
    code, _, err = run(capsys, "refresh")
    assert code == 2
    assert sentence in err


def test_refresh_then_doctor_on_the_sample(here, capsys, monkeypatch):
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(here / "s.duckdb"))
    code, _, err = run(capsys, "refresh")
    assert code == 0
    assert "(full)" in err
    code, _, err = run(capsys, "refresh")
    assert "(incremental): 0 days" in err
    code, out, err = run(capsys, "doctor", "--format", "json")
    assert code == 0, out
    assert [f for f in json.loads(out) if f["severity"] != "note"] == []
