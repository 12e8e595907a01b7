"""Money in files: the contract has one currency, so a file that names two is refused and one that names one is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from data_access.imports.report import show
from metrics.errors import LoadRefused

_NAMES = frozenset({"currency", "currency_code", "currencycode", "ccy", "iso_currency"})
_MOST_SHOWN = 4


def currency_column(table: sa.Table, columns: list[str], taken: set[str]) -> str | None:
    """The file's column that names the currency of its amounts, where the table holds money."""
    if "amount" not in table.c:
        return None
    return next((c for c in columns if c not in taken and c.strip().casefold() in _NAMES), None)


def currency_of(path: Path, column: str, text: pd.Series) -> str:
    """The one currency that the column names; "" for none. Raises LoadRefused for two."""
    found = sorted(set(text.dropna().str.strip().str.upper()) - {""})
    if len(found) > 1:
        shown = ", ".join(map(show, found[:_MOST_SHOWN])) + (" ..." if len(found) > _MOST_SHOWN else "")
        raise LoadRefused(
            f'{path.name}: the column "{column}" names {len(found)} currencies ({shown}); amounts are kept in one '
            "reporting currency and never added up across two: convert them, then load. Nothing was written."
        )
    return found[0] if found else ""


def note(currency: str) -> str:
    """What to know of amounts whose file names their currency."""
    return (
        f"amounts were taken as they are, in {show(currency)}: the pages call them RATERSCOPE_CURRENCY, which should "
        "be the same"
    )


def check_same(currencies: Mapping[str, str]) -> None:
    """Raise LoadRefused where two files of one call name different currencies; {file: currency}."""
    by_currency = {currency: file for file, currency in currencies.items() if currency}
    if len(by_currency) > 1:
        shown = " and ".join(f"{file} in {show(currency)}" for currency, file in sorted(by_currency.items()))
        raise LoadRefused(
            f"The files hold amounts in {len(by_currency)} currencies ({shown}); convert them to one reporting "
            "currency, then load. Nothing was written."
        )
