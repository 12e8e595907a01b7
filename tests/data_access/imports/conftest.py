"""Small files typed in, and warehouses of two engines to load them into."""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from data_access import imports, tables

SECRET = "a secret for tests only"
NOW = datetime(2026, 11, 22, 12)
MAPPINGS = Path(__file__).parent / "mappings"

# What most tests load: three raters, two items, a declared scale, one row a judgement.
BASIC = """
[project]
project_id = "p"
[labels]
order = ["ok", "hate"]
[columns]
item_id = "item"
rater_id = "who"
label = "verdict"
submitted_at = "at"
"""
HEADER = "item,who,verdict,at\n"
GOOD = "i1,ann@example.org,ok,2024-05-01T10:00:00Z\n"
OTHER = "i2,bob@example.org,hate,2024-05-01T11:00:00Z\n"

TABLE_FILES = {  # one valid file for each table that needs no annotation, in an order that does not matter
    "projects": "project_id,name,product,policy_area,task_type,label_level,started_on\n"
    "p,Project,Prod,hate,moderation,nominal,2024-01-01\n",
    "labels": "project_id,label,position,is_violation,severity\np,ok,0,false,0\np,hate,1,true,2\n",
    "pools": "pool_id,name,vendor,site,region,timezone\nnorth,North,V,S,R,UTC\n",
    "raters": "rater_id,name,pool_id,lead,language,locale,hired_on\n"
    "ann@example.org,Ann Archer,north,lea@example.org,en,en-GB,2023-01-01\n",
    "items": "item_id,project_id,created_at,language,policy,content_type,severity,gold_label\n"
    "i1,p,2024-05-01T09:00:00Z,en,hate,text,1,hate\n",
    "annotations": "annotation_id,item_id,project_id,rater_id,stage,label,status,submitted_at,time_basis,is_rework\n"
    "a1,i1,p,ann@example.org,label,ok,submitted,2024-05-01T10:00:00Z,unknown,false\n",
    "costs": "cost_date,project_id,pool_id,kind,amount\n2024-05-01,p,north,labour,12.5\n",
}


@pytest.fixture(scope="session")
def memory():
    """One engine of each kind for the whole session, so that its compiled statements are used again."""
    made = {kind: sa.create_engine(f"{kind}:///:memory:", poolclass=sa.StaticPool) for kind in ("duckdb", "sqlite")}
    made["duckdb"].connect().close()  # which sets what is set next
    made["duckdb"].dialect.supports_comments = False  # two hundred statements a warehouse, which no test here reads
    yield made
    for engine in made.values():
        engine.dispose()


@pytest.fixture(params=["duckdb", "sqlite"])
def engine(request, memory):
    """An empty warehouse in memory; ``loaded`` is one in a file."""
    yield memory[request.param]
    tables.metadata.drop_all(memory[request.param])


@pytest.fixture
def sqlite(memory):
    """The same, for what no engine has a part in."""
    yield memory["sqlite"]
    tables.metadata.drop_all(memory["sqlite"])


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """One warehouse file of each engine that holds TABLE_FILES, to be copied."""
    folder = tmp_path_factory.mktemp("templates")
    paths = []
    for name, text in TABLE_FILES.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(text)
    for kind in ("duckdb", "sqlite"):
        made = sa.create_engine(f"{kind}:///{folder / 'full'}.{kind}")
        imports.load(paths, made, SECRET, now=NOW)
        made.dispose()
    return folder


@pytest.fixture(params=["duckdb", "sqlite"])
def loaded(request, tmp_path, templates):
    """A warehouse that holds TABLE_FILES."""
    file = shutil.copy(templates / f"full.{request.param}", tmp_path)
    made = sa.create_engine(f"{request.param}:///{file}")
    yield made
    made.dispose()


@pytest.fixture
def write(tmp_path):
    """Writes a file of text or bytes and returns its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def load(write):
    """Loads text as a file of judgements: load(engine, text), with another mapping or file name if given."""

    def load(engine, content, mapping=BASIC, name="judgements.csv", **options):
        file = write(name, content)
        rules = write("mapping.toml", mapping) if mapping is not None else None
        return imports.load([file], engine, SECRET, mapping=rules, now=NOW, **options)

    return load


@pytest.fixture
def load_tables(write):
    """Loads {table: text} as one call, every file named after its table."""

    def load_tables(engine, files, suffix=".csv"):
        paths = [write(f"{name}{suffix}", text) for name, text in files.items()]
        return imports.load(paths, engine, SECRET, now=NOW)

    return load_tables


def rows(engine, table: str) -> list[dict]:
    """The rows of a contract table, ordered by all columns; none when the table is absent."""
    try:
        with engine.connect() as connection:
            found = [dict(r) for r in connection.execute(sa.select(tables.metadata.tables[table])).mappings()]
    except sa.exc.DBAPIError as error:
        assert "no such table" in str(error) or "does not exist" in str(error)
        return []
    return sorted(found, key=repr)


def hashes(engine) -> dict[str, str]:
    """A hash of every contract table's rows, absent tables included."""
    return {t.name: hashlib.sha256(repr(rows(engine, t.name)).encode()).hexdigest() for t in tables.TABLES}


def everything(engine) -> str:
    """All text in all contract tables."""
    return repr([rows(engine, table.name) for table in tables.TABLES])


def only(report) -> imports.Rejection:
    """The one rejection of a report."""
    (rejection,) = report.rejections
    return rejection
