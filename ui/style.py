"""The style sheet of what Streamlit's theme cannot say: the scorecard's grid, figures, quiet lines, numerals."""

from __future__ import annotations

import streamlit as st

from ui.theme import DARK, LIGHT


def _pair(name: str) -> str:
    return f"light-dark({getattr(LIGHT, name)}, {getattr(DARK, name)})"


NAMES = ("ink", "muted", "line", "paper", "panel", "accent", "good", "watch", "bad", "faint")
VARIABLES = "".join(f"--rs-{name}: {_pair(name)};" for name in NAMES)

# Streamlit sets `color-scheme` on the app, so light-dark() follows the theme the reader chose without a rerun.
SHEET = (
    "<style>.stApp {"
    + VARIABLES
    + """}
.stApp { font-feature-settings: "tnum" 1, "lnum" 1; font-variant-numeric: tabular-nums lining-nums; }
.stMainBlockContainer { max-width: 1440px; padding-left: 2.2rem; padding-right: 2.2rem; }
.stMainBlockContainer h1 { letter-spacing: -0.012em; line-height: 1.22; padding: 0.1rem 0 0.15rem; text-wrap: pretty; }
.stMainBlockContainer h2, .stMainBlockContainer h3 { padding: 0.35rem 0 0.1rem; letter-spacing: -0.005em; }
[data-testid="stHeaderActionElements"] { display: none; }

/* the line under the sentence, and every other quiet line */
[data-testid="stCaptionContainer"] { opacity: 1; color: var(--rs-muted); }
.st-key-context p, [data-testid="stCaptionContainer"] p { color: var(--rs-muted); font-size: 0.87rem; }

/* filter bar */
.st-key-filter_bar { border-bottom: 1px solid var(--rs-line); padding-bottom: 0.55rem; row-gap: 0.4rem; }
.st-key-filter_bar button { min-height: 2rem; padding-top: 0.1rem; padding-bottom: 0.1rem; }
.st-key-filter_bar [data-testid="stMarkdownContainer"] p { font-size: 0.9rem; }
[class*="st-key-chip_"] button { background: var(--rs-panel); border-color: var(--rs-line); border-radius: 999px; }

/* a row or a card that is one link: the link lies over all of it */
[class*="st-key-go_"] { position: relative; gap: 0; }
[class*="st-key-go_"] > [data-testid="stElementContainer"]:has([data-testid="stPageLink"]) {
  position: absolute; inset: 0; width: 100% !important; height: 100%; z-index: 2; }
[class*="st-key-go_"] [data-testid="stPageLink"], [class*="st-key-go_"] [data-testid="stPageLink"] > div,
[class*="st-key-go_"] [data-testid="stPageLink-NavLink"] {
  position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; border-radius: 4px; background: transparent; }
[class*="st-key-go_"] [data-testid="stPageLink-NavLink"] * { color: transparent !important; font-size: 1px; }
[class*="st-key-go_"] [data-testid="stPageLink-NavLink"]:hover {
  background: color-mix(in srgb, var(--rs-accent) 8%, transparent); }
[class*="st-key-go_"] [data-testid="stPageLink-NavLink"]:focus-visible { outline: 2px solid var(--rs-accent); }

/* scorecard */
.st-key-scorecard { gap: 0; }
.rs-row { display: grid; align-items: center; column-gap: 14px; padding: 0.3rem 8px; min-height: 40px;
  grid-template-columns: minmax(150px, 1.5fr) 78px minmax(92px, 0.8fr) 96px 78px 132px 56px 100px;
  border-bottom: 1px solid var(--rs-line); font-size: 0.92rem; line-height: 1.25; color: var(--rs-ink); }
.rs-row > * { min-width: 0; }
.rs-head { color: var(--rs-muted); font-size: 0.8rem; min-height: 26px; padding-bottom: 0.15rem; }
.rs-two { display: flex; flex-direction: column; line-height: 1.2; }
.rs-two > span:last-child { font-size: 0.8rem; }
.rs-num { text-align: right; white-space: nowrap; }
.rs-value { font-weight: 650; font-size: 1.05rem; }
.rs-quiet { color: var(--rs-muted); }
.rs-label { font-weight: 550; }
.rs-spark img { display: block; width: 132px; height: 30px; }
.rs-state { white-space: nowrap; display: flex; gap: 6px; align-items: center; }
.rs-mark { display: inline-block; width: 10px; height: 10px; flex: none; }
.rs-on_target { color: var(--rs-good); } .rs-watch { color: var(--rs-watch); } .rs-off_target { color: var(--rs-bad); }
.rs-too_few, .rs-no_target { color: var(--rs-muted); }
.rs-on_target .rs-mark { background: currentColor; border-radius: 50%; }
.rs-watch .rs-mark { border-radius: 50%; border: 1.5px solid currentColor;
  background: linear-gradient(90deg, currentColor 50%, transparent 50%); }
.rs-off_target .rs-mark { background: currentColor; clip-path: polygon(50% 4%, 100% 96%, 0 96%); width: 12px; }
.rs-too_few .rs-mark { border-radius: 50%; border: 1.5px solid currentColor; }
.rs-no_target .rs-mark { height: 2px; background: var(--rs-faint); }
.rs-better { color: var(--rs-good); } .rs-worse { color: var(--rs-bad); }
.rs-reason { grid-column: 2 / 6; color: var(--rs-muted); overflow: hidden; text-overflow: ellipsis;
  display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; font-size: 0.84rem; }

/* moves */
.st-key-moves { gap: 0; }
.st-key-moves [class*="st-key-go_"] { border-bottom: 1px solid var(--rs-line); padding: 0.42rem 8px 0.42rem 12px; }
.st-key-moves [data-testid="stMarkdownContainer"] { margin-bottom: 0; }
.st-key-moves [class*="st-key-go_"] p { font-size: 0.88rem; line-height: 1.32; margin: 0; text-wrap: pretty; }
[class*="st-key-go_worse"] { box-shadow: inset 3px 0 0 var(--rs-bad); }
[class*="st-key-go_better"] { box-shadow: inset 3px 0 0 var(--rs-good); }

/* figures of one KPI */
.rs-figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px 24px;
  border: solid var(--rs-line); border-width: 1px 0; padding: 0.7rem 0; color: var(--rs-ink); }
.rs-figure > div:first-child { color: var(--rs-muted); font-size: 0.8rem; }
.rs-figure > div:nth-child(2) { font-size: 1.35rem; font-weight: 650; line-height: 1.3; white-space: nowrap; }
.rs-figure > div:last-child { color: var(--rs-muted); font-size: 0.84rem; min-height: 1.1em; }
.rs-figure .rs-state { font-size: 1.15rem; line-height: 1.75rem; }

/* a picker beside its chart's title */
[class*="st-key-beside_"] { width: fit-content !important; align-self: flex-end; z-index: 3; }
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-beside_"]) { display: flex; flex-direction: column; }
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-beside_"]):has(+ * [data-testid="stVegaLiteChart"]) {
  margin-bottom: -2.9rem; }
.st-key-definition p { font-size: 0.9rem; }
.st-key-definition { background: var(--rs-panel); }

/* wide charts scroll on a narrow screen instead of shrinking to dust */
[class*="st-key-wide_"] { overflow-x: auto; }
/* the lineage flow is a list where there is no room for it */
.st-key-narrow_lineage { display: none; }
.rs-lineage { display: grid; grid-template-columns: 1fr 1fr; column-gap: 12px; padding: 0.45rem 0; font-size: 0.86rem;
  border-bottom: 1px solid var(--rs-line); align-items: center; color: var(--rs-ink); line-height: 1.35; }
.rs-head2 { color: var(--rs-muted); font-size: 0.8rem; padding: 0.1rem 0; }
.rs-dim { opacity: 0.78; }
.rs-flow { display: block; height: 5px; margin: 2px 0 1px; border-radius: 2px; background: currentColor; }
@media (max-width: 700px) {
  .stMainBlockContainer { padding-left: 1rem; padding-right: 1rem; }
  [class*="st-key-wide_"] > div { min-width: 900px; }
  .st-key-wide_lineage { display: none; }
  .st-key-narrow_lineage { display: flex; }
  [data-testid="stLayoutWrapper"]:has(> [class*="st-key-beside_"]) { margin-bottom: 0 !important; }
  [class*="st-key-beside_"] { align-self: flex-start; }
  .rs-head { display: none; }
  .rs-row { grid-template-columns: minmax(0, 1fr) auto auto; row-gap: 2px; padding: 0.5rem 4px; }
  .rs-row .rs-label { grid-column: 1 / 3; } .rs-row .rs-status { grid-column: 3; grid-row: 1; justify-self: end; }
  .rs-row .rs-value { grid-column: 1; grid-row: 2; text-align: left; }
  .rs-row .rs-change { grid-column: 2; grid-row: 2; }
  .rs-row .rs-spark { grid-column: 3; grid-row: 2; }
  .rs-row .rs-spark { min-width: 96px; }
  .rs-row .rs-spark img { width: 96px; height: 24px; }
  .rs-row .rs-interval, .rs-row .rs-n, .rs-row .rs-goal { display: none; }
  .rs-reason { grid-column: 1 / 4; grid-row: 2; }
}
</style>"""
)


def inject() -> None:
    """Puts the style sheet on the page."""
    st.html(SHEET)
