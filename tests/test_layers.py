"""Imports run one way, and each kind of code stays in its place. Every rule is shown to bite on a planted fault."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("metrics", "data_access", "ui", "pages", "sample_data")
DRAWING, DATABASES = {"streamlit", "altair"}, {"sqlalchemy", "duckdb", "duckdb_sqlalchemy", "psycopg", "sqlite3"}

# What a folder may import of ours (a name stands for itself and what is inside it) and what it may not of others.
MAY_IMPORT = {
    "pages": {"ui", "metrics", *(f"data_access.{m}" for m in ("filters", "queries", "describe", "health", "journal"))},
    "ui": {"ui", "metrics", "data_access"},
    "metrics": {"metrics"},
    "data_access": {"data_access", "metrics"},
    "sample_data": {"sample_data", "data_access.tables", "metrics.errors"},
}
MAY_NOT_IMPORT = {
    "pages": {"altair", "pandas", "numpy", *DATABASES},
    "ui": DATABASES,
    "metrics": {*DRAWING, *DATABASES},
    "data_access": DRAWING,
    "sample_data": DRAWING,
}
PAGE_LINES = 80
COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})\b")
SQL = re.compile(r"\b(SELECT\s|INSERT INTO|DELETE FROM|UPDATE\s+\w+\s+SET|FROM\s+\w+|GROUP BY|ORDER BY|JOIN\s+\w+)")
FIGURING = {"groupby", "merge", "pivot", "pivot_table", "agg", "query", "execute", "apply", "eval"}


# ---- what a file holds -----------------------------------------------------------------------------------------


def files(root: Path, folder: str) -> list[Path]:
    return sorted((root / folder).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return parsed(path.read_text(encoding="utf-8"), str(path))


@functools.cache
def parsed(text: str, name: str) -> ast.Module:
    """Once for all rules, which only read it."""
    return ast.parse(text, name)


def imports(path: Path, root: Path) -> set[str]:
    """Every module a file imports, anywhere in it; names taken from a package of ours count as its modules."""
    package = path.relative_to(root).parent.parts
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *([node.module] if node.module else ())))
            inner = {
                alias.name for alias in node.names if (root / Path(*module.split(".")) / f"{alias.name}.py").is_file()
            }
            found |= {f"{module}.{name}" for name in inner} or {module}
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__"):
                found.add(str(getattr(node.args[0], "value", "a computed name")) if node.args else "a computed name")
    return found


def within(module: str, allowed: set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed)


def texts(path: Path) -> list[tuple[int, str]]:
    """The text of every string that is no docstring, f-strings included."""
    module = tree(path)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = {
        id(n.body[0].value) for n in ast.walk(module) if isinstance(n, documented) and ast.get_docstring(n) is not None
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


# ---- the rules: each gives its complaints ----------------------------------------------------------------------


def wrong_arrows(root: Path) -> list[str]:
    found = []
    for folder, allowed in MAY_IMPORT.items():
        for path in files(root, folder):
            for module in sorted(imports(path, root)):
                ours = module.split(".")[0] in (*OURS, "app", "manage")
                if (ours and not within(module, allowed)) or within(module, MAY_NOT_IMPORT[folder]):
                    found.append(f"{path.relative_to(root)} imports {module}")
    return found


def streamlit_elsewhere(root: Path) -> list[str]:
    outside = [*root.glob("*.py"), *(p for f in ("metrics", "data_access", "sample_data") for p in files(root, f))]
    return [
        f"{path.relative_to(root)} imports streamlit"
        for path in outside
        if path.name != "app.py" and any(within(m, {"streamlit"}) for m in imports(path, root))
    ]


def app_does_more(root: Path) -> list[str]:
    path = root / "app.py"
    wrong = {*DATABASES, "altair", "pandas", "numpy", "sample_data"}
    return [f"app.py imports {m}" for m in sorted(imports(path, root)) if within(m, wrong)] if path.is_file() else []


def long_pages(root: Path) -> list[str]:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files(root, "pages")}
    return [f"pages/{path.name} has {n} lines" for path, n in lengths.items() if n > PAGE_LINES]


def pages_without_a_question(root: Path) -> list[str]:
    return [
        f"pages/{path.name} does not open with its question"
        for path in files(root, "pages")
        if path.name != "__init__.py" and "?" not in (ast.get_docstring(tree(path)) or "").partition("\n")[0]
    ]


def stray_colours(root: Path) -> list[str]:
    everything = [*root.glob("*.py"), *(path for folder in OURS for path in files(root, folder))]
    return [
        f"{path.relative_to(root)}:{line} holds the colour {COLOUR.search(text)[0]}"
        for path in everything
        if path != root / "ui" / "theme.py"
        for line, text in texts(path)
        if COLOUR.search(text)
    ]


def stray_sql(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}:{line} holds SQL"
        for folder in ("pages", "ui", "metrics")
        for path in files(root, folder)
        for line, text in texts(path)
        if SQL.search(text)
    ]


def figuring_in_pages(root: Path) -> list[str]:
    """Charts, arithmetic on frames, number formats and raw HTML belong to ui and metrics; functions too."""
    found = []
    for path in files(root, "pages"):
        for node in ast.walk(tree(path)):
            where = f"pages/{path.name}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute) and node.attr in FIGURING:
                found.append(f"{where} calls .{node.attr}")
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in ("alt", "pd", "np")
            ):
                found.append(f"{where} uses {node.value.id}.{node.attr}")
            if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
                found.append(f"{where} formats a number")
            if isinstance(node, ast.keyword) and node.arg == "unsafe_allow_html":
                found.append(f"{where} writes raw HTML")
            if isinstance(node, ast.FunctionDef) and any(isinstance(n, ast.Return) and n.value for n in ast.walk(node)):
                found.append(f"{where} defines {node.name}, which returns data")
    return found


def undocumented(root: Path) -> list[str]:
    everything = [*root.glob("*.py"), *(path for folder in OURS for path in files(root, folder))]
    found = []
    for path in everything:
        module = tree(path)
        if ast.get_docstring(module) is None:
            found.append(f"{path.relative_to(root)} has no docstring")
        classes = [n for n in module.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")]
        for node in (n for holder in (module, *classes) for n in holder.body):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                overload = any("overload" in ast.unparse(d) or "setter" in ast.unparse(d) for d in node.decorator_list)
                if ast.get_docstring(node) is None and not overload:
                    found.append(f"{path.relative_to(root)}:{node.lineno} {node.name} has no docstring")
    return found


RULES = (
    wrong_arrows,
    streamlit_elsewhere,
    app_does_more,
    long_pages,
    pages_without_a_question,
    stray_colours,
    stray_sql,
    figuring_in_pages,
    undocumented,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_code_keeps_the_rule(rule):
    assert rule(ROOT) == []


# ---- do they bite? ---------------------------------------------------------------------------------------------

QUESTION = '"""Is it so?"""\n'
FAULTS = [
    (wrong_arrows, "metrics/x.py", "import streamlit as st"),
    (wrong_arrows, "metrics/x.py", "def f():\n    from sqlalchemy import select"),
    (wrong_arrows, "metrics/x.py", "from data_access.filters import Filters"),
    (wrong_arrows, "metrics/x.py", "import duckdb"),
    (wrong_arrows, "data_access/x.py", "from ui import data"),
    (wrong_arrows, "data_access/x.py", "import altair"),
    (wrong_arrows, "data_access/x.py", "from sample_data import world"),
    (wrong_arrows, "data_access/inner/x.py", "from ...ui import data"),
    (wrong_arrows, "ui/x.py", "from sqlalchemy.sql import select"),
    (wrong_arrows, "ui/x.py", "import importlib\nimportlib.import_module('duckdb')"),
    (wrong_arrows, "ui/x.py", "from pages import overview"),
    (wrong_arrows, "pages/x.py", "from data_access import warehouse"),
    (wrong_arrows, "pages/x.py", "from data_access.warehouse import Warehouse"),
    (wrong_arrows, "pages/x.py", "import altair as alt"),
    (wrong_arrows, "pages/x.py", "import pandas as pd"),
    (wrong_arrows, "sample_data/x.py", "from data_access import marts, tables"),
    (wrong_arrows, "sample_data/x.py", "from metrics import agreement"),
    (streamlit_elsewhere, "manage.py", "import streamlit"),
    (streamlit_elsewhere, "data_access/x.py", "from streamlit import cache_data"),
    (app_does_more, "app.py", "import sqlalchemy as sa"),
    (long_pages, "pages/x.py", QUESTION + "x = 1\n" * PAGE_LINES),
    (pages_without_a_question, "pages/x.py", '"""Shows raters."""'),
    (stray_colours, "ui/x.py", "RED = '#b3261e'"),
    (stray_colours, "pages/x.py", "x = f'color: #fff; {1}'"),
    (stray_sql, "pages/x.py", "q = 'SELECT 1'"),
    (stray_sql, "ui/x.py", "q = f'SELECT a FROM {1}'"),
    (figuring_in_pages, "pages/x.py", "alt.Chart(rows)"),
    (figuring_in_pages, "pages/x.py", "rows.groupby('a').sum()"),
    (figuring_in_pages, "pages/x.py", "x = f'{1:.1%}'"),
    (figuring_in_pages, "pages/x.py", "st.markdown(x, unsafe_allow_html=True)"),
    (figuring_in_pages, "pages/x.py", "def f():\n    return 1"),
    (undocumented, "ui/x.py", '"""M."""\ndef f():\n    pass'),
    (undocumented, "metrics/x.py", '"""M."""\nclass A:\n    """A."""\n    def f(self):\n        pass'),
    (undocumented, "metrics/x.py", "x = 1"),
]
HARMLESS = {
    "pages/x.py": QUESTION + "import streamlit as st\nfrom data_access.filters import Filters\nfrom ui import data\n"
    "from metrics.spec import Status\nst.write(f'Read the list from {1} below.')",
    "ui/theme.py": '"""M."""\nRED = "#b3261e"',
    "ui/data.py": '"""M."""\nimport streamlit\nfrom data_access import tables',
    "metrics/spec.py": '"""M: item #5 of SELECT FROM x."""\nimport numpy',
    "data_access/tables.py": '"""M."""\nimport sqlalchemy\nfrom metrics import spec\nQ = "SELECT 1"',
    "data_access/marts.py": '"""M."""',
    "data_access/warehouse.py": '"""M."""',
    "sample_data/world.py": '"""M."""\nfrom data_access import tables\nfrom metrics.errors import E',
    "metrics/errors.py": '"""M."""',
    "metrics/agreement.py": '"""M."""',
    "app.py": '"""M."""\nimport streamlit as st\nfrom ui import theme',
    "manage.py": '"""M."""',
}


@pytest.fixture
def copy(tmp_path):
    """A small copy of the layout that breaks no rule."""
    for name, text in HARMLESS.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_harmless_code_breaks_no_rule(copy):
    assert [complaint for rule in RULES for complaint in rule(copy)] == []


@pytest.mark.parametrize(("rule", "name", "text"), FAULTS)
def test_a_planted_fault_is_seen(copy, rule, name, text):
    path = copy / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    found = rule(copy)
    assert found, "the fault was not seen"
    assert all(name.split("/")[-1] in complaint for complaint in found)


def test_every_rule_has_a_fault():
    assert {rule for rule, _, _ in FAULTS} == set(RULES)
