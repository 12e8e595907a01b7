"""Statements as text to be read: a line for each clause, an indent for each query inside."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlalchemy as sa

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
