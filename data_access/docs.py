"""The pages docs/contract.md and docs/metrics.md, written from the code.

``python -m data_access.docs`` (or ``manage.py docs``) writes them; tests/test_docs.py fails when they differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import sqlalchemy as sa

from data_access import tables as t
from data_access.contract import affected, fed_by
from data_access.metric_facts import facts_of
from metrics.catalogue import AREAS, METRICS
from metrics.spec import Metric

DOCS = Path(__file__).resolve().parent.parent / "docs"
MADE = "<!-- Made from {source} by `python manage.py docs`; edit that instead. -->"


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
