"""One call, one transaction: read files, land them in the order their tables depend on each other, report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa

from data_access import tables
from data_access.imports import contract_table, csv_file, fill, judgements, label_studio, land, money, parquet
from data_access.imports import mapping as mapping_file
from data_access.imports.mapping import Mapping
from data_access.imports.pseudonyms import check_secret
from data_access.imports.report import Faults, FileReport, LoadReport
from data_access.imports.times import Clock
from data_access.imports.values import PERSONS, nearest
from metrics.errors import LoadRefused, UnknownName, WarehouseUnavailable

FORMATS: dict[str, ModuleType] = {
    "csv": csv_file,
    "tsv": csv_file,
    "parquet": parquet,
    "label_studio": label_studio,
}
MOST_PROJECTS = 5  # named in a note
_BY_SUFFIX = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "label_studio",
}


@dataclass(frozen=True)
class _Job:
    """One file, how to read it and which table its rows are; ``table`` is None for judgements."""

    path: Path
    format: str
    columns: list[str]
    table: sa.Table | None


def load(
    files: Sequence[Path],
    engine: sa.Engine,
    secret: str,
    *,
    format: str | None = None,
    mapping: Path | None = None,
    now: datetime | None = None,
) -> LoadReport:
    """Load ``files`` into the warehouse of ``engine`` and say what became of every row.

    All or nothing: one transaction, and nothing at all is written when no row is new. ``secret`` keys the raters'
    pseudonyms; ``now`` (default: the clock) bounds the future. Raises LoadRefused when a file or the mapping cannot
    be used as a whole, UnknownName for a format nobody knows, BadSetting for a secret too short, ContractBroken when
    a table of the warehouse lacks a column, WarehouseUnavailable when the database fails.
    """
    check_secret(secret)
    if not files:
        raise LoadRefused("No file was given to load; name at least one.")
    if format is not None and format not in FORMATS:
        raise UnknownName("format", format, FORMATS)
    rules = mapping_file.read(mapping)
    clock = Clock(_naive_utc(now or datetime.now(UTC)), rules.zone)
    report = LoadReport()
    try:
        jobs = [_job(Path(path), format, rules) for path in files]
        with _transaction(engine) as connection:
            land.prepare(connection)
            results = {}
            for number in sorted(range(len(jobs)), key=lambda n: _rank(jobs[n].table)):
                results[number] = _land(connection, jobs[number], rules, secret, clock)
            money.check_same({file.file: file.currency for file, *_ in results.values()})
            for number in sorted(results):
                report.add(*results[number])
            report.notes += _unlabelled(connection)
            if not report.accepted:
                connection.rollback()
    except OSError as error:
        raise LoadRefused(f"{error.filename} cannot be read: {error.strerror}; nothing was written.") from error
    except sa.exc.SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise WarehouseUnavailable(f"The warehouse failed during the load and nothing was written: {said}") from error
    return report


def _naive_utc(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


@contextmanager
def _transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One connection in one transaction, rolled back on any failure, creation of tables included."""
    with engine.connect() as connection, connection.begin() as transaction:
        if connection.dialect.name == "sqlite" and not connection.connection.driver_connection.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver begins only at the first INSERT, after CREATE
        yield connection
        if not transaction.is_active:
            return


def _job(path: Path, format: str | None, rules: Mapping) -> _Job:
    if not path.is_file():
        raise LoadRefused(f"There is no file {path}; check its name and folder.")
    chosen = format or detect(path)
    columns = FORMATS[chosen].columns(path, rules)
    return _Job(path, chosen, columns, _table_of(path, chosen, columns, rules))


def detect(path: Path) -> str:
    """The format of a file by its first bytes and its extension. Raises LoadRefused naming the nearest known."""
    with path.open("rb") as file:
        head = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    suffix = path.suffix.lower()
    if head.startswith(b"PAR1"):
        return "parquet"
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if head.startswith((b"[", b"{")):
        return "label_studio"
    near = nearest(suffix, _BY_SUFFIX)
    raise LoadRefused(
        f'{path.name}: no format is known for "{suffix or "a file without extension"}"'
        f"{near or ';'} known are {', '.join(FORMATS)}: give one with --format."
    )


def _table_of(path: Path, format: str, columns: list[str], rules: Mapping) -> sa.Table | None:
    """The contract table a file holds rows of; None for a file of judgements."""
    if rules.table:
        return tables.metadata.tables[rules.table]
    named = tables.metadata.tables.get(path.stem)
    if named is not None and contract_table.fits(named, columns):
        return named
    if rules.describes_judgements or format == "label_studio":
        return None
    if named is not None:
        contract_table.sources(path, named, columns, rules)
        return named
    raise LoadRefused(
        f'{path.name} needs a mapping file that names its columns (docs/loading.md), or [table] name = "..." or a name '
        f"such as raters{path.suffix} when its columns are those of a contract table."
    )


def _rank(table: sa.Table | None) -> tuple[int, str]:
    """Where a file stands in the order of loading: after every table its rows refer to; judgements before audits."""
    table = tables.annotations if table is None else table
    return _depth(table), table.name


def _depth(table: sa.Table) -> int:
    names = {c.info["refers_to"] for c in table.c if c.info.get("refers_to")} - {table.name}
    return 1 + max((_depth(tables.metadata.tables[name]) for name in names), default=0)


def _land(connection: sa.Connection, job: _Job, rules: Mapping, secret: str, clock: Clock):
    """Read and land one file. Returns its report, its rejections and the new rows of each table."""
    if job.table is not None:
        if not rules.table:  # the mapping's columns are those of the judgements loaded beside this file
            rules = replace(rules, columns={}, constants={})
        given = contract_table.sources(job.path, job.table, job.columns, rules)
        _check_identifiers(job, {given[n]: n for n in given}, job.table)
        loaded = set(given.values())
        named = money.currency_column(job.table, job.columns, loaded)
        loaded |= {named} if named else set()
        landing = FORMATS[job.format].read(job.path, rules, loaded)
        currency = money.currency_of(job.path, named, landing.frame[named]) if named else ""
        outcome, faults = contract_table.load_table(connection, landing, job.table, rules, secret, clock)
        outcome.currency = currency
        outcome.notes += [money.note(currency)] if currency else []
    else:
        loaded = judgements.wanted(job.columns, rules)
        meanings = {rules.columns.get(c.name, c.name): c.name for c in (*tables.annotations.c, *tables.items.c)}
        _check_identifiers(job, {c: meanings[c] for c in loaded if c in meanings}, tables.annotations)
        landing = judgements.unfold(FORMATS[job.format].read(job.path, rules, loaded), rules)
        made = judgements.build(landing, rules, secret, clock)
        faults = made.faults
        outcome = fill.land_judgements(connection, made, landing.projects, rules, clock)
    report = FileReport(
        file=job.path.name,
        format=job.format,
        table=job.table.name if job.table is not None else "annotations",
        unit=landing.unit,
        read=len(landing.frame) + len(landing.rejections),
        accepted=outcome.accepted,
        present=outcome.present,
        unknown_columns=tuple(c for c in job.columns if c and c not in loaded),
        switched_off=tuple(outcome.switched_off),
        notes=tuple(outcome.notes),
        currency=outcome.currency,
    )
    return report, _sorted(landing.rejections, faults), {t: n for t, n in outcome.written.items() if n}


def _unlabelled(connection: sa.Connection) -> list[str]:
    """One sentence on the projects that declare no labels, where there are any."""
    p, label = tables.projects.c, tables.labels.c
    found = list(
        connection.scalars(
            sa.select(p.project_id)
            .where(~sa.exists().where(label.project_id == p.project_id))
            .order_by(p.project_id)
            .limit(MOST_PROJECTS + 1)
        )
    )
    if not found:
        return []
    shown = ", ".join(found[:MOST_PROJECTS]) + (" ..." if len(found) > MOST_PROJECTS else "")
    one = len(found) == 1
    return [
        f"{'Project' if one else 'Projects'} {shown} {'declares' if one else 'declare'} no labels: any label is taken, "
        "and agreement, over- and under-enforcement cannot be computed; load `labels`."
    ]


def _sorted(rejections: list, faults: Faults) -> list:
    return sorted([*rejections, *faults.rejections()], key=lambda r: r.line)


def _check_identifiers(job: _Job, meanings: dict[str, str], table: sa.Table) -> None:
    """Refuse a Parquet file that keeps identifiers as floats: their last digits may be gone already."""
    if job.format != "parquet":
        return
    for column, meaning in meanings.items():
        own = table.c.get(meaning)
        if meaning in PERSONS or (own is not None and meaning.endswith("_id")):
            parquet.check_identifier(job.path, column, meaning)
