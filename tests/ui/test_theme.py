"""The theme file is that of the tokens, and its colours can be read."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from metrics.spec import Status
from ui import theme
from ui.charts.heat import _tint

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
PALETTES = {"light": theme.LIGHT, "dark": theme.DARK}


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_config_file_holds_exactly_the_tokens():
    read = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"]
    flat = {"theme": {k: v for k, v in read.items() if not isinstance(v, dict)}}
    flat |= {f"theme.{k}": v for k, v in read.items() if isinstance(v, dict)}
    assert flat == theme.config_theme()


def test_config_file_keeps_the_server_closed():
    read = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    assert read["client"]["showErrorDetails"] == "none"
    assert read["server"]["address"] == "127.0.0.1"
    assert read["server"]["enableXsrfProtection"] and read["server"]["enableCORS"]
    assert not read["server"]["enableStaticServing"]
    assert not read["browser"]["gatherUsageStats"]
    assert not read["runner"]["postScriptGC"]


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("ground", ["paper", "panel"])
def test_text_and_marks_stand_out(name, ground):
    colours = PALETTES[name]
    under = getattr(colours, ground)
    for text in ("ink", "muted", "accent", "good", "watch", "bad"):
        assert contrast(getattr(colours, text), under) >= 4.5, (text, ground)
    assert contrast(colours.faint, under) >= 2.7  # marks of the background; everything they say is said elsewhere too


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("status", list(Status))
def test_ink_stays_readable_on_tinted_cells(name, status):
    colours = PALETTES[name]
    tint = _tint(colours, status)
    assert contrast(colours.ink, tint) >= 4.5
    assert contrast(colours.states[status], tint) >= 3


def test_every_status_has_a_colour_and_every_judged_one_its_own_shape():
    judged = [s for s in Status if s is not Status.NO_TARGET]
    assert len({theme.SHAPES[s] for s in judged}) == len(judged)
    assert all(set(p.states) == set(Status) for p in PALETTES.values())


def test_the_palettes_hold_full_hex_colours():
    for colours in PALETTES.values():
        assert all(len(getattr(colours, f.name)) == 7 for f in fields(colours))
