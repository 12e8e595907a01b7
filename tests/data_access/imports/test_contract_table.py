import pytest

from data_access import imports, tables
from metrics.errors import LoadRefused

from .conftest import NOW, SECRET, TABLE_FILES, hashes, only, rows

COSTS = TABLE_FILES["costs"]


def test_every_table_of_the_contract_can_be_loaded(engine, load_tables):
    report = load_tables(engine, ALL)
    assert report.rejections == []
    assert set(report.written) == {t.name for t in tables.TABLES}
    before = hashes(engine)
    again = load_tables(engine, ALL)
    assert (again.accepted, again.present, again.rejected) == (0, report.read, 0)
    assert hashes(engine) == before


ALL = TABLE_FILES | {
    "guidelines": "project_id,version,effective_from,summary\np,v1,2024-01-01T00:00:00Z,First\n",
    "batches": "batch_id,project_id,closed_at,dataset_version\nb1,p,2024-05-02T00:00:00Z,d1\n",
    "audits": "audit_id,annotation_id,auditor_id,audited_at,correct_label,verdict,weight\n"
    "u1,a1,eve,2024-05-02T10:00:00Z,hate,major,4\n",
    "appeals": "appeal_id,item_id,filed_at,overturned\ne1,i1,2024-05-03T00:00:00Z,yes\n",
    "shifts": "rater_id,work_date,scheduled_seconds,logged_seconds,active_seconds,sensitive_seconds\n"
    "ann@example.org,2024-05-01,28800,28000,20000,0\n",
    "budgets": "project_id,month,amount,planned_labels\np,2024-05-01,1000,5000\n",
    "trainings": "rater_id,course,due_on,score,passed\nann@example.org,basics,2030-01-01,0.9,true\n",
    "escalations": "escalation_id,project_id,kind,severity,opened_at,summary\nx1,p,policy,2,2024-05-01T00:00:00Z,S\n",
    "changes": "change_id,kind,starts_on,summary\nc1,guideline,2024-05-01,S\n",
    "targets": "metric,project_id,target,warn,valid_from\n"
    "gold_accuracy,p,0.9,0.8,2024-01-01\ngold_accuracy,,0.8,0.7,2024-01-01\n",
    "case_results": "model_version,benchmark,case_id,policy,passed\nm1,safety,c1,hate,true\nm1,safety,c2,,false\n",
    "dataset_versions": "dataset_version,project_id,built_at\nd1,p,2024-05-03T00:00:00Z\n",
    "model_versions": "model_version,product,base_model,dataset_version,trained_at\n"
    "m1,P,base,d1,2024-05-04T00:00:00Z\n",
    "model_metrics": "model_version,benchmark,metric,value,measured_at,higher_is_better\n"
    "m1,bench,accuracy,0.5,2024-05-05T00:00:00Z,true\n",
    "incidents": "incident_id,occurred_at,detected_at,product,severity,summary,model_version\n"
    "n1,2024-05-05T00:00:00Z,2024-05-05T01:00:00Z,P,3,S,m1\n",
    "comparisons": "comparison_id,project_id,item_id,rater_id,model_a,model_b,choice,first_shown,submitted_at\n"
    "k1,p,i1,ann@example.org,m0,m1,tie,a,2024-05-05T00:00:00Z\n",
    "attacks": "attack_id,project_id,rater_id,model_version,policy,language,technique,succeeded,severity,duplicate_of,"
    "submitted_at\nt2,p,ann@example.org,m1,hate,en,x,no,0,t1,2024-05-06T00:00:00Z\n"
    "t1,p,ann@example.org,m1,hate,en,x,no,0,,2024-05-05T00:00:00Z\n",
}


def test_a_table_may_be_named_in_the_mapping_and_its_columns_too(loaded, load):
    rules = '[table]\nname = "costs"\n[columns]\namount = "eur"\n[constants]\nkind = "fee"\npool_id = "north"\n'
    assert load(loaded, "cost_date,project_id,eur\n2024-06-01,p,3\n", mapping=rules, name="june.csv").accepted == 1
    assert [r["kind"] for r in rows(loaded, "costs")] == ["labour", "fee"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("costs.csv", "cost_date,project_id,pool_id,kind,amont\n",
         r'lacks the column "amount", which costs requires; it has .*"amont"'),
        ("raters.csv", "rater_id,pool_id,language,locale\n", r'lacks the column "hired_on", which raters requires'),
    ],
)  # fmt: skip
def test_a_missing_required_column_is_named(write, sqlite, name, text, message):
    with pytest.raises(LoadRefused, match=message):
        imports.load([write(name, text)], sqlite, SECRET, now=NOW)


def test_the_same_key_twice_with_the_same_content_is_present_with_other_content_rejected(engine, load_tables):
    load_tables(engine, {n: TABLE_FILES[n] for n in ("projects", "pools")})
    line = COSTS.splitlines()[1]
    report = load_tables(engine, {"costs": f"{COSTS}{line}\n{line.replace('12.5', '13')}\n"})
    assert (report.read, report.accepted, report.present, report.rejected) == (3, 1, 1, 1)
    assert (only(report).line, only(report).kind) == (4, "conflicting key")
    assert "(cost_date, project_id, pool_id, kind) is on line 2 with other content" in only(report).reason


def test_a_row_that_repeats_a_rejected_one_is_rejected_too(engine, load_tables):
    load_tables(engine, {n: TABLE_FILES[n] for n in ("projects", "pools")})
    report = load_tables(engine, {"costs": COSTS + "2024-05-01,p,south,fee,1\n" * 2})
    assert (report.accepted, report.present) == (1, 0)
    assert [(r.line, r.kind) for r in report.rejections] == [(3, "unknown pool"), (4, "repeats a rejected row")]


def test_a_key_loaded_before_with_other_content_conflicts_and_changes_nothing(loaded, load_tables):
    before = hashes(loaded)
    report = load_tables(
        loaded,
        {
            "costs": COSTS.replace("12.5", "99"),
            "items": TABLE_FILES["items"].replace(",hate\n", ",ok\n"),
            "annotations": TABLE_FILES["annotations"].replace("submitted,", "accepted,"),
        },
    )
    assert (report.accepted, report.present, report.rejected) == (0, 0, 3)
    assert [r.reason.split(":")[1].split(";")[0] for r in report.rejections] == [
        " amount differs",
        " gold_label differs",
        " status differs",
    ]
    assert hashes(loaded) == before


A = TABLE_FILES["annotations"]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("a2,i9,p,ann@example.org,label,ok,submitted,2024-05-01T10:00:00Z,unknown,false", "unknown item"),
        ("a2,i1,q,ann@example.org,label,ok,submitted,2024-05-01T10:00:00Z,unknown,false", "unknown project"),
        ("a2,i1,p,bob@example.org,label,ok,submitted,2024-05-01T10:00:00Z,unknown,false", "unknown rater"),
        ("a2,i1,r,ann@example.org,review,ok,submitted,2024-05-01T10:00:00Z,unknown,false", "item of another project"),
        ("a2,i1,p,ann@example.org,label,ok,submitted,2024-05-01T10:00:00Z,unknown,false", "repeated judgement"),
        ("a2,i1,p,ann@example.org,review,,submitted,2024-05-01T10:00:00Z,unknown,false", "no label"),
        ("a2,i1,p,ann@example.org,review,ok,skipped,2024-05-01T10:00:00Z,unknown,false", "label on a skipped row"),
        (
            "a2,i1,p,ann@example.org,review,OK,submitted,2024-05-01T10:00:00Z,unknown,false",
            "label outside the declared set",
        ),
        ("a2,i1,p,ann@example.org,audit,ok,submitted,2024-05-01T10:00:00Z,unknown,false", "value outside the contract"),
        ("a2,i1,p,ann@example.org,review,ok,submitted,2024-05-01T10:00:00Z,wall,false", "value outside the contract"),
    ],
)
def test_an_annotation_must_fit_what_is_loaded(loaded, load_tables, row, kind):
    load_tables(loaded, {"projects": TABLE_FILES["projects"].replace("\np,", "\nr,")})
    report = load_tables(loaded, {"annotations": f"{A.splitlines()[0]}\n{row}\n"})
    assert (report.accepted, only(report).kind) == (0, kind)


def test_a_second_judgement_in_the_file_is_a_repeat(sqlite, load_tables):
    report = load_tables(sqlite, TABLE_FILES | {"annotations": A + A.splitlines()[1].replace("a1", "a2") + "\n"})
    assert (only(report).line, only(report).kind) == (3, "repeated judgement")


def test_a_duplicate_of_an_attack_that_is_rejected_is_rejected_too(sqlite, load_tables):
    text = ALL["attacks"].replace("t1,p", "t1,nowhere")
    report = load_tables(sqlite, ALL | {"attacks": text})
    assert [(r.file, r.line, r.kind) for r in report.rejections] == [
        ("attacks.csv", 2, "unknown attack"),
        ("attacks.csv", 3, "unknown project"),
    ]


def test_columns_beyond_the_contract_and_absent_ones_are_reported(sqlite, load_tables):
    report = load_tables(sqlite, TABLE_FILES)
    raters = next(f for f in report.files if f.table == "raters")
    assert raters.unknown_columns == ("name",)
    assert "no age_band: what needs it is not available (Self-declared; used only in groups of the minimum size)" in (
        raters.switched_off
    )
