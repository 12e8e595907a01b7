"""The code in words and SQL: how a metric's sums are read, and the pages docs/contract.md and docs/metrics.md.

``python -m data_access.describe`` (or ``manage.py docs``) writes the pages; tests/test_docs.py fails when they differ.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from data_access import derive, marts
from data_access import dimensions as dim
from data_access import tables as t
from data_access.contract import affected, fed_by
from data_access.filters import DIMENSIONS
from data_access.selects import Question, rows_by, sums_by
from data_access.snapshot import DIALECT
from data_access.windows import Window
from metrics.catalogue import AREAS, METRICS
from metrics.catalogue import metric as find_metric
from metrics.errors import UnknownName
from metrics.shapes import (
    Coefficient,
    Count,
    GeometricMean,
    Quantile,
    Quotient,
    Ratio,
    Remainder,
    Share,
    TimeShare,
    WeightedShare,
)
from metrics.spec import Direction, Metric, Unit

DOCS = Path(__file__).resolve().parent.parent / "docs"
DIALECTS = {"duckdb": "DuckDB", "postgresql": "PostgreSQL", "sqlite": "SQLite"}
ZONE = "UTC"  # days in a zone with summer time add a CASE over its changes to each statement
MADE = "<!-- Made from {source} by `python manage.py docs`; edit that instead. -->"

INTERVALS = {
    Share: "Wilson's interval, on the n that is left after judgements of one rater resemble each other",
    Remainder: "Wilson's interval, on the n that is left after judgements of one rater resemble each other",
    WeightedShare: "Wilson's interval, on the n that is left after unequal weights and resemblance within raters",
    Ratio: "built on the logarithm of the ratio, from how much the parts (raters, weeks, projects) differ",
    TimeShare: "built on the logarithm of the ratio, from how much the parts (raters, days of pools) differ; at most 1",
    Quotient: "from the intervals of the ratio and of the share it is divided by, on the logarithm (MOVER)",
    Count: "none: a count has no sampling error",
    GeometricMean: "built on the logarithm of the time, from its spread",
    Quantile: "from the order of the values: the quantiles between which the true one lies",
    Coefficient: "from resampling the items many times over, counted by their label patterns",
}
UNITS = {
    Unit.SHARE: "share, 0 to 1",
    Unit.COEFFICIENT: "coefficient, at most 1",
    Unit.COUNT: "count",
    Unit.SECONDS: "seconds",
    Unit.HOURS: "hours",
    Unit.MONEY: "money, in the reporting currency",
    Unit.PER_HOUR: "per hour",
}


@dataclass(frozen=True)
class Statement:
    """One SQL statement on the way to a metric: what it does, where it runs, and its text."""

    title: str
    runs_on: str  # warehouse | snapshot
    sql: str


# ---- how a metric is read --------------------------------------------------------------------------------------


_DIGITS = "-- digits: for each project and label 2^(bits x position), so that a sum counts an item's labels\n"


def interval_of(metric: Metric) -> str:
    """How the metric's 95 % interval is made, in words."""
    return INTERVALS[type(metric.shape)]


def statements(name: str, dialect: str = "duckdb", by: Sequence[str] = ("week",)) -> list[Statement]:
    """Every statement between the warehouse and the metric's sums, in the order they run.

    dialect: one of DIALECTS, for the warehouse statements; snapshot statements are DuckDB's. Raises UnknownName.
    """
    metric = find_metric(name)
    if dialect not in DIALECTS:
        raise UnknownName("dialect", dialect, DIALECTS)
    selects = warehouse_selects(name)
    found = [
        Statement(
            title, "warehouse", (_DIGITS if metric.mart in ("agreement", "overlap") else "") + to_sql(select, dialect)
        )
        for title, select in selects.items()
    ]
    found += [Statement(title, "snapshot", layout(sql)) for title, sql in _derived(metric).items()]
    found.append(Statement("Sums by " + ", ".join(by), "snapshot", to_sql(snapshot_select(name, by), DIALECT)))
    if isinstance(metric.shape, Quotient):  # which is divided by another metric, read in the same way
        below = find_metric(metric.shape.denominator)
        others = statements(below.name, dialect, by)
        found += [replace(other, title=f"{below.label}: {other.title}") for other in others]
    return found


def warehouse_selects(name: str) -> dict[str, sa.Select]:
    """The mart statements that read the metric's sums from the warehouse, narrowed to those sums, by title."""
    metric = find_metric(name)
    wanted = {part for column in metric.shape.columns for part in (column, *_PARTS.get(column, ()))}
    selects = {title: _narrowed(select, wanted) for title, select in _mart_selects(metric.mart).items()}
    return {title: select for title, select in selects.items() if select is not None}


def snapshot_select(name: str, by: Sequence[str] = ("week",)) -> sa.Select:
    """The select that sums the metric's columns over groups of the snapshot, all rows and readers included."""
    metric = find_metric(name)
    source = dim.SOURCES[metric.mart]
    question = Question(source.name, (tuple(by),))
    if isinstance(metric.shape, Quantile):
        return rows_by(question, ("bucket", *(["time_basis"] if "time_basis" in source.keys else [])), "n")
    if isinstance(metric.shape, Coefficient):
        return rows_by(question, ("project_id", "code_0"), "items")
    return sums_by(question, (metric.name,))


_COST_SUMS = tuple(f"cost_{kind}" for kind in t.COST_KINDS)
_PARTS = {  # the sums in the warehouse's statements that a sum worked out in the snapshot follows from
    "cost_labour_and_fees": ("cost_labour", "cost_fee"),
    "cost_discarded": ("cost_labour", "labels", "rejected_labels"),
    "cost_internal_failure": ("cost_rework", "cost_labour", "labels", "rejected_labels"),
    "rated_items": ("items",),
    "overlapped_items": ("items",),
    **dict.fromkeys(derive.FLOW_SUMS, ("items",)),
}


@functools.cache
def _mart_selects(mart: str) -> dict[str, sa.Select]:
    """The statements that fill a mart, by title."""
    judged, audited = _without(marts.judged(ZONE), "judged"), _without(marts.audited(ZONE), "audited")
    always = Window()
    digits = sa.table("digits", *map(sa.column, ("project_id", "label", "digit_0"))).alias("digits")
    lives = {"Items by the days of their life": marts.item_lives(ZONE, always)}
    patterns = {"Items by label-count pattern": marts.agreement(judged, digits, 1)}
    costs, labels = {"Costs": marts.cost_facts()}, {"Labels": marts.work_judgements(judged)}
    return {
        "work": {
            "Judgements": marts.work_judgements(judged),
            "Gold items": marts.work_gold(judged),
            "Audits": marts.work_audits(audited),
        },
        "handle_time": {"Histogram of handle seconds": marts.handle_time(judged)},
        "agreement": patterns,
        "overlap": patterns,
        "peers": {"Raters beside the others of an item": marts.peers(judged)},
        "flow": {**lives, "Appeals": marts.appeal_facts(ZONE)},
        "backlog": lives,
        "turnaround": {"Histogram of turnaround": marts.turnaround(ZONE, always)},
        "claim_time": {"Histogram of time to claim": marts.claim_time(ZONE, always)},
        "appeal_time": {"Histogram of appeal time": marts.appeal_time(ZONE)},
        "ledger": {**costs, **labels},
        "escalation_ledger": {**labels, "Escalations": marts.escalation_facts(ZONE)},
        "project_ledger": {**costs, **lives},
        "shift": {"Hours": marts.shift_facts()},
        "training": {"Courses": marts.training_facts()},
        "comparison": {"Choices between two answers": marts.comparison_facts(ZONE)},
    }[mart]


def _without(select: sa.Select, name: str) -> sa.CTE:
    """What the marts read, without the checksum, which not every engine has, and what only batches need."""
    unused = {"chance", "batch_id", *(["created_day"] if name == "audited" else [])}
    kept = [column for key, column in select.selected_columns.items() if key not in unused]
    return select.with_only_columns(*kept, maintain_column_froms=True).cte(name)


def _narrowed(select: sa.Select, wanted: set[str]) -> sa.Select | None:
    """The select with its keys and only the wanted sums, or None when it holds none of them."""
    grouped = {str(clause) for clause in select._group_by_clauses}
    sums = {
        name: str(column.element if isinstance(column, sa.Label) else column) not in grouped
        for name, column in select.selected_columns.items()
    }
    if not any(is_sum and name in wanted for name, is_sum in sums.items()):
        return None
    kept = [column for name, column in select.selected_columns.items() if not sums[name] or name in wanted]
    return select.with_only_columns(*kept, maintain_column_froms=True)


def _derived(metric: Metric) -> dict[str, str]:
    """What the snapshot works out from its own tables before the metric's sums can be read, by title."""
    flow = derive.FLOW.format(sums=", ".join(f"COALESCE(SUM({name}), 0) AS {name}" for name in metric.shape.columns))
    ledger = {"Ledger, from costs, labels and escalations": derive.ledger_sql()}
    return {
        "flow": {"Flow, from the days of the items' lives": flow},
        "backlog": {"Backlog, from the days of the items' lives": flow},
        "overlap": {"Overlap, from the patterns": derive.OVERLAP},
        "ledger": ledger,
        "escalation_ledger": ledger,
        "project_ledger": {"Costs and decided items of each project": derive.PROJECT_LEDGER},
    }.get(metric.mart, {})


# ---- SQL as text -----------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|,|[^\s(),'"]+|\s+""")
_MAY_BREAK = "\x1f"  # stands for a space inside a long expression
_CLAUSES = {"SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "UNION", "LEFT", "JOIN", "WITH", "CREATE"}


def to_sql(select: sa.Select, dialect: str | sa.Dialect) -> str:
    """The statement in a dialect, its values written in, laid out to be read; never to be run with foreign values."""
    if isinstance(dialect, str):
        dialect = sa.dialects.registry.load(dialect)(paramstyle="named")
    return layout(str(select.compile(dialect=dialect, compile_kwargs={"literal_binds": True})))


def layout(sql: str, width: int = 100) -> str:
    """The same statement with a line for each clause and an indent for each query inside it."""
    lines: list[str] = []
    parts = [""]  # of the clause being read: it may be broken between them
    queries = [0]  # for each open query, how many brackets stand open inside it
    tokens = [" " if token.isspace() else token for token in _TOKEN.findall(sql.strip())]

    def flush() -> None:
        nonlocal parts
        indent = "    " * (len(queries) - 1)
        text = [part.strip() for part in parts if part.strip()]
        if text and len(indent) + len(" ".join(text)) > width:
            for k, part in enumerate(text):
                start = indent if k == 0 else f"{indent}    "
                lines.append(start + part.replace(_MAY_BREAK, f"\n{indent}        " if len(part) > width else " "))
        elif text:
            lines.append((indent + " ".join(text)).replace(_MAY_BREAK, " "))
        parts = [""]

    for k, token in enumerate(tokens):
        word = token.upper()
        outside = queries[-1] == 0
        if token == "(" and _next_word(tokens, k) in ("SELECT", "WITH"):
            parts[-1] += "("
            flush()
            queries.append(0)
        elif token == ")" and outside and len(queries) > 1:
            flush()
            queries.pop()
            parts = [")"]
        elif outside and word in _CLAUSES and not (word == "JOIN" and parts[-1].upper().endswith("OUTER ")):
            flush()
            parts = [token]
        elif outside and word in ("AND", "OR"):
            parts.append(token)
        else:
            queries[-1] += {"(": 1, ")": -1}.get(token, 0)
            if word in ("WHEN", "ELSE"):
                parts[-1] = parts[-1].rstrip(" ") + _MAY_BREAK
            parts[-1] += token
            if token == "," and outside:
                parts.append("")
    flush()
    return "\n".join(lines)


def _next_word(tokens: Sequence[str], k: int) -> str:
    return next((token.upper() for token in tokens[k + 1 :] if token != " "), "")


# ---- docs/contract.md ------------------------------------------------------------------------------------------


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def _type_of(column: sa.Column) -> str:
    kinds = {
        sa.Boolean: "true or false",
        sa.Integer: "whole number",
        sa.Double: "number",
        sa.DateTime: "time, UTC",
        sa.Date: "date",
    }
    plain = next((name for kind, name in kinds.items() if isinstance(column.type, kind)), "text")
    length = getattr(column.type, "length", None)
    return f"{plain}, at most {length} characters" if length else plain


def _meaning_of(column: sa.Column) -> str:
    parts = [column.comment]
    if column.info.get("one_of"):
        parts.append(f"One of {', '.join(f'`{value}`' for value in column.info['one_of'])}.")
    if column.info.get("refers_to"):
        target = column.info["refers_to"]
        parts.append(f"Refers to [{target}](#{target}).")
    if column.info.get("may_lack"):
        without = fed_by(column)
        parts.append("The table may lack it" + (f": then there is no {without}." if without else "."))
    return " ".join(parts)


def metrics_of(table: str) -> list[Metric]:
    """The metrics that read a contract table."""
    return [m for m in METRICS.values() if table in m.needs]


def _how_many(metrics: int) -> str:
    return "names, groups and pages" if not metrics else "1 metric" if metrics == 1 else f"{metrics} metrics"


def _links(metrics: Iterable[Metric]) -> str:
    return ", ".join(f"[{m.label}](metrics.md#{m.name})" for m in metrics)


def contract_markdown() -> str:
    """docs/contract.md: every table and column of the contract, from data_access/tables.py."""
    lines = [
        MADE.format(source="data_access/tables.py"),
        "# The warehouse contract",
        "",
        f"Version {t.CONTRACT_VERSION}. The tables Raterscope reads from your warehouse, whatever its engine. "
        "It only reads. Give it these names, with views where yours differ; more tables and columns do no harm.",
        "",
        "- Ids are text of at most 64 characters. A rater's id is a pseudonym, never a name or an address.",
        "- Times are UTC, without a time zone. A day is the day in the configured business time zone.",
        "- A share runs from 0 to 1. Money is in one reporting currency.",
        "- One judgement for each item, rater and stage. A repeat is kept apart at import and counted.",
        "",
        "`python manage.py doctor` compares a warehouse with this page. "
        "The pages work without the optional tables: what needs one says which.",
        "",
        "## Tables",
        "",
        *_rows(
            ("table", "needed", "one row is", "fresh by", "feeds"),
            (
                (
                    f"[{table.name}](#{table.name})",
                    "optional" if table.info["optional"] else "required",
                    table.comment,
                    f"`{table.info['time']}`" if table.info["time"] else "",
                    _how_many(len(metrics_of(table.name))),
                )
                for table in t.TABLES
            ),
        ),
    ]
    for table in t.TABLES:
        lines += ["", f"## {table.name}", "", table.comment]
        if table.info["optional"]:
            without = affected(table.name)
            lines[-1] += f" Optional: without it there is no {without}." if without else " Optional."
        lines += [
            "",
            *_rows(
                ("column", "type", "may be empty", "meaning"),
                (
                    (
                        f"`{column.name}`" + (" (key)" if column.primary_key else ""),
                        _type_of(column),
                        "yes" if column.nullable else "",
                        _meaning_of(column),
                    )
                    for column in table.columns
                ),
            ),
        ]
        if metrics_of(table.name):
            lines += ["", f"Feeds {_links(metrics_of(table.name))}."]
    return "\n".join(lines) + "\n"


# ---- docs/metrics.md -------------------------------------------------------------------------------------------


def dimensions_of(metric: Metric) -> list[str]:
    """The dimensions the metric can be shown and filtered by."""
    marts_read = [metric.mart]
    if isinstance(metric.shape, Quotient):
        marts_read.append(find_metric(metric.shape.denominator).mart)
    sources = [dim.SOURCES[name] for name in marts_read]
    return [name for name in DIMENSIONS if all(dim.expression(source, name) is not None for source in sources)]


def facts_of(metric: Metric) -> dict[str, str]:
    """Everything the catalogue says of a metric, as name and text."""
    facts = {
        "Formula": metric.formula,
        "Unit": UNITS[metric.unit],
        "Direction": str(metric.direction),
        "n counts": metric.counts,
        "No number below": f"n = {metric.min_n}" if metric.min_n > 1 else "",
        "Interval (95 %)": interval_of(metric),
        "Target by default": _default_target(metric),
        "Read from": ", ".join(metric.needs),
        "Needs the column": f"`{metric.column}`, which a warehouse may lack" if metric.column else "",
        "By": ", ".join(DIMENSIONS[name] for name in dimensions_of(metric)),
        "Caution": metric.caution,
    }
    return {name: text for name, text in facts.items() if text}


def _default_target(metric: Metric) -> str:
    if metric.target is None:
        return ""
    if metric.warn is None:
        return f"{metric.target:g}"
    between = metric.direction is Direction.BAND
    return f"{metric.target:g} to {metric.warn:g}" if between else f"{metric.target:g}, watched from {metric.warn:g}"


def metrics_markdown() -> str:
    """docs/metrics.md: every metric of the catalogue, by area."""
    lines = [
        MADE.format(source="metrics/catalogue.py"),
        "# The metrics",
        "",
        "Each is declared once, in `metrics/catalogue.py`; pages, targets, exports and the command line read that. "
        "The names below are those of `python manage.py measure`. The definitions page of the app says the same, "
        "with the SQL of each and the targets in force.",
        "",
        "- A value stands with its 95 % interval and its n, or with the reason why there is none.",
        "- A ratio is always a sum over a sum: a total is never a mean of its parts.",
    ]
    for area, title in AREAS.items():
        ours = [m for m in METRICS.values() if m.area == area]
        lines += [
            "",
            f"## {title}",
            "",
            *_rows(
                ("metric", "name", "unit", "direction"),
                ((f"[{m.label}](#{m.name})", f"`{m.name}`", str(m.unit), str(m.direction)) for m in ours),
            ),
        ]
        for m in ours:
            lines += ["", f'<a id="{m.name}"></a>', f"### {m.label}", "", m.meaning, ""]
            facts = facts_of(m)
            facts["Read from"] = ", ".join(f"[{table}](contract.md#{table})" for table in m.needs)
            lines += [f"- {name}: {text}" for name, text in facts.items()]
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """The text of every generated page, by file name."""
    return {"contract.md": contract_markdown(), "metrics.md": metrics_markdown()}


def write_docs(folder: Path = DOCS) -> list[Path]:
    """Writes the generated pages and returns those that changed."""
    changed = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def main() -> int:
    """Writes the pages and says which changed."""
    for path in write_docs():
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
