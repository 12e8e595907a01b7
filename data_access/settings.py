"""Where the warehouse and the app's own files are: the environment first, then secrets.toml, then the sample."""

from __future__ import annotations

import contextlib
import os
import secrets
import tomllib
import zoneinfo
from dataclasses import dataclass, field
from pathlib import Path

from metrics.errors import BadSetting

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"  # everything made at run time; git ignores it
SAMPLE_WAREHOUSE = VAR / "sample.duckdb"
SECRETS_FILE = ROOT / ".streamlit" / "secrets.toml"


@dataclass(frozen=True)
class Settings:
    """Where things are. ``warehouse_url`` and ``secret`` stay out of ``repr`` and so out of logs."""

    warehouse_url: str = field(repr=False)
    snapshot: Path
    journal_url: str = field(repr=False)
    secret: str | None = field(repr=False, default=None)
    timezone: str = "UTC"  # the business time zone: what a day is
    currency: str = "USD"

    @property
    def is_sample(self) -> bool:
        """Whether nothing is configured and the sample warehouse is meant."""
        return self.warehouse_url == f"duckdb:///{SAMPLE_WAREHOUSE}"


def load() -> Settings:
    """The settings in force.

    Environment: RATERSCOPE_WAREHOUSE_URL, RATERSCOPE_SNAPSHOT, RATERSCOPE_JOURNAL_URL, RATERSCOPE_SECRET,
    RATERSCOPE_TIMEZONE, RATERSCOPE_CURRENCY; then ``[connections.warehouse] url`` and ``[raterscope]`` of
    .streamlit/secrets.toml; then the sample warehouse under var/. Raises BadSetting when one cannot be used.
    """
    file = _secrets()
    own = file.get("raterscope", {})

    def setting(name: str, default: str | None) -> str | None:
        return os.environ.get(f"RATERSCOPE_{name.upper()}") or own.get(name) or default

    connection = file.get("connections", {}).get("warehouse", {})
    zone = setting("timezone", "UTC")
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSetting(
            f'RATERSCOPE_TIMEZONE is "{zone}", which is no IANA time zone; write one such as "Asia/Singapore".'
        ) from None
    return Settings(
        warehouse_url=setting("warehouse_url", connection.get("url")) or f"duckdb:///{SAMPLE_WAREHOUSE}",
        snapshot=Path(setting("snapshot", str(VAR / "snapshot.duckdb"))),
        journal_url=setting("journal_url", f"sqlite:///{VAR / 'journal.sqlite'}"),
        secret=setting("secret", None),
        timezone=zone,
        currency=setting("currency", "USD"),
    )


def _secrets() -> dict:
    """The secrets file, or nothing when there is none (st.secrets raises then)."""
    if not SECRETS_FILE.is_file():
        return {}
    try:
        return tomllib.loads(SECRETS_FILE.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f".streamlit/secrets.toml cannot be read: {error}. Mend it or remove it.") from None


def secret_key() -> str:
    """The key that pseudonyms are made with: RATERSCOPE_SECRET, or one made once and kept under var/.

    Raises BadSetting when the configured one is too short to protect anyone.
    """
    configured = load().secret
    if configured is not None:
        if len(configured) < 32:
            raise BadSetting("RATERSCOPE_SECRET is shorter than 32 characters; make a longer one and keep it.")
        return configured
    kept = VAR / "secret"
    if not kept.is_file():
        VAR.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            handle = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(secrets.token_hex(32))
    return kept.read_text(encoding="utf-8").strip()
