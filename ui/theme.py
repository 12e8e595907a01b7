"""Every colour, size and typeface, once: light and dark tokens, the charts' configuration and Streamlit's theme."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from metrics.compare import BETTER, NEITHER, UNCLEAR, WORSE
from metrics.spec import Status

FONT = "'Source Sans', 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"  # the first comes with Streamlit: no download
CHART_TEXT = 12  # pixels; the smallest text of a chart


@dataclass(frozen=True)
class Palette:
    """The colours of one theme. Text reaches 4.5:1 and marks 3:1 on paper and on panel."""

    ink: str
    muted: str
    line: str
    paper: str
    panel: str
    accent: str
    good: str
    watch: str
    bad: str
    faint: str  # marks in the background: earlier weeks, other series

    @property
    def states(self) -> dict[str, str]:
        """The colour of each status."""
        return {
            Status.ON_TARGET: self.good,
            Status.WATCH: self.watch,
            Status.OFF_TARGET: self.bad,
            Status.TOO_FEW: self.muted,
            Status.NO_TARGET: self.muted,
        }

    @property
    def verdicts(self) -> dict[str, str]:
        """The colour of each judgement of a change."""
        return {BETTER: self.good, WORSE: self.bad, NEITHER: self.ink, UNCLEAR: self.muted}


LIGHT = Palette(
    ink="#16202a",
    muted="#5b6773",
    line="#d9dee3",
    paper="#ffffff",
    panel="#f6f7f9",
    accent="#2457c5",
    good="#12795a",
    watch="#a15c00",
    bad="#b3261e",
    faint="#8a96a3",
)
DARK = Palette(
    ink="#e8ecf0",
    muted="#9aa6b2",
    line="#2f3a45",
    paper="#0f151b",
    panel="#171f27",
    accent="#7aa2ff",
    good="#3fbf93",
    watch="#e3a13b",
    bad="#ff7a70",
    faint="#66727e",
)
CATEGORIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6d1f", "#666666")
SEQUENTIAL = (
    "#eef3fc",
    "#d9e4f8",
    "#bfd1f2",
    "#a3bcec",
    "#86a6e4",
    "#6a8fdb",
    "#4f78d1",
    "#3865c8",
    "#2457c5",
    "#1a408f",
)
TOGETHER, APART = "#0072b2", "#d55e00"  # a diverging pair around nothing: better with better, better with worse
TINT = {Status.ON_TARGET: 0.10, Status.WATCH: 0.16, Status.OFF_TARGET: 0.22}  # of a cell by its status; others none

# A status is a word and a shape as well as a colour.
SHAPES = {
    Status.ON_TARGET: "●",
    Status.WATCH: "◐",
    Status.OFF_TARGET: "▲",
    Status.TOO_FEW: "○",
    Status.NO_TARGET: "",
}


MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="148" height="32" viewBox="0 0 148 32">'
    '<circle cx="14" cy="16" r="11" fill="none" stroke="{accent}" stroke-width="2.4"/>'
    '<path d="M6.5 19.5 L11 14 L15.5 17.5 L22 10" fill="none" stroke="{ink}" stroke-width="2.4" '
    'stroke-linecap="round" stroke-linejoin="round"/><circle cx="22" cy="10" r="2.6" fill="{accent}"/>'
    '<text x="33" y="22" font-family="Source Sans, Segoe UI, Helvetica, Arial, sans-serif" font-size="18" '
    'font-weight="650" letter-spacing="-0.2" fill="{ink}">Raterscope</text></svg>'
)


def icon() -> str:
    """The product's mark alone, as SVG; its colours show on light and dark tabs."""
    text = MARK[: MARK.index("<text")].replace('width="148" height="32" viewBox="0 0 148 32"', 'viewBox="1 3 26 26"')
    return text.format(accent=LIGHT.accent, ink=LIGHT.accent) + "</svg>"


def mark() -> str:
    """The product's mark with its name, as SVG in the reader's theme."""
    colours = palette()
    return MARK.format(accent=colours.accent, ink=colours.ink)


def is_dark() -> bool:
    """Whether the reader's browser shows the dark theme; light where nobody says."""
    return st.context.theme.type == "dark"


def palette() -> Palette:
    """The colours of the theme the reader sees."""
    return DARK if is_dark() else LIGHT


def chart_config(colours: Palette) -> dict:
    """The ``config`` of every chart: one look, set here and nowhere else."""
    text = {"labelColor": colours.muted, "titleColor": colours.muted, "labelFontSize": CHART_TEXT}
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            **text,
            "titleFontSize": CHART_TEXT,
            "titleFontWeight": "normal",
            "labelAngle": 0,
            "domainColor": colours.line,
            "tickColor": colours.line,
            "gridColor": colours.line,
            "gridOpacity": 0.6,
            "labelPadding": 6,
            "titlePadding": 10,
        },
        "title": {
            "anchor": "start",
            "color": colours.ink,
            "fontSize": 14,
            "fontWeight": 600,
            "subtitleColor": colours.muted,
            "subtitleFontSize": CHART_TEXT,
            "offset": 14,
            "subtitlePadding": 5,
        },
        "text": {"font": FONT, "fontSize": CHART_TEXT, "color": colours.ink},
        "range": {"category": list(CATEGORIES), "ramp": list(SEQUENTIAL)},
    }


def config_theme() -> dict[str, dict]:
    """The ``[theme]`` tables of .streamlit/config.toml; a test keeps the file equal to this."""

    def part(colours: Palette) -> dict:
        return {
            "primaryColor": colours.accent,
            "backgroundColor": colours.paper,
            "secondaryBackgroundColor": colours.panel,
            "textColor": colours.ink,
            "borderColor": colours.line,
            "linkColor": colours.accent,
            "redColor": colours.bad,
            "orangeColor": colours.watch,
            "greenColor": colours.good,
            "blueColor": colours.accent,
            "grayColor": colours.muted,
            "redTextColor": colours.bad,
            "orangeTextColor": colours.watch,
            "greenTextColor": colours.good,
            "blueTextColor": colours.accent,
            "grayTextColor": colours.muted,
            "yellowColor": colours.watch,
            "yellowTextColor": colours.watch,
            "blueBackgroundColor": colours.panel,
            "yellowBackgroundColor": colours.panel,
            "redBackgroundColor": colours.panel,
            "greenBackgroundColor": colours.panel,
            "dataframeBorderColor": colours.line,
            "dataframeHeaderBackgroundColor": colours.panel,
            "dataframeHeaderTextColor": colours.muted,
        }

    return {
        "theme": {
            "font": FONT,
            "headingFont": FONT,
            "baseFontSize": 15,
            "baseRadius": "6px",
            "paddingTop": "0.6rem",
            "paddingBottom": "3rem",
            "headingFontSizes": ["1.6rem", "1.2rem", "1.05rem", "0.95rem", "0.9rem", "0.85rem"],
            "headingFontWeights": [650, 650, 600, 600, 600, 600],
            "linkUnderline": False,
            "showWidgetBorder": True,
            "chartCategoricalColors": list(CATEGORIES),
            "chartSequentialColors": list(SEQUENTIAL),
        },
        "theme.light": part(LIGHT),
        "theme.dark": part(DARK),
    }
