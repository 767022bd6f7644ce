"""The style sheet of the HTML report: light and dark, from phone width up, nothing fetched."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f5f7fa; --ink: #1a2230; --muted: #566070; --line: #d8dee7;
  --first: #0b62c4; --second: #b84a0a; --third: #0a7450; --heat: 20 82 170;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151c; --panel: #18202a; --ink: #e7ebf1; --muted: #a0abba; --line: #303b4a;
    --first: #6cb1ff; --second: #ffa069; --third: #57d3a5; --heat: 46 110 210;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem clamp(0.9rem, 4vw, 2.5rem) 4rem; max-width: 76rem;
  background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 0.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 3rem 0 0.25rem; padding-top: 1.25rem; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 0 0 0.6rem; }
p { margin: 0 0 1rem; }
a { color: var(--first); }
.muted, figcaption { color: var(--muted); font-size: 0.875rem; }
.scroll { overflow-x: auto; }
.scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--first); outline-offset: 2px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.25rem, 1fr)); gap: 0.6rem;
  margin: 1rem 0 1.25rem; padding: 0; }
.tiles div { background: var(--panel); border-radius: 0.6rem; padding: 0.6rem 0.8rem; }
.tiles dt { color: var(--muted); font-size: 0.8125rem; }
.tiles dd { margin: 0; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: 1rem;
  align-items: start; }
.card { margin: 0; border: 1px solid var(--line); border-radius: 0.75rem; padding: 1rem; min-width: 0; }
.wide { grid-column: 1 / -1; }
figcaption { margin-top: 0.6rem; }
th, td, dd, h2 { unicode-bidi: isolate; }
table { border-collapse: collapse; font-size: 0.9375rem; font-variant-numeric: tabular-nums; }
.rows { width: 100%; }
.rows th, .rows td { padding: 0.4rem 0.7rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
.rows thead th { color: var(--muted); font-weight: 500; font-size: 0.8125rem; line-height: 1.25;
  vertical-align: bottom; white-space: normal; }
.rows tbody tr:last-child > * { border-bottom: 0; }
.rows tbody th { font-weight: 500; }
.rows tr > :first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; padding-left: 0;
  min-width: clamp(9rem, 28vw, 14rem); }
.bars { width: 100%; table-layout: fixed; }
.bars th { width: 34%; text-align: left; font-weight: 500; padding: 0.3rem 0.75rem 0.3rem 0;
  overflow-wrap: anywhere; }
.bars td { padding: 0.3rem 0; }
.bar { display: flex; align-items: center; gap: 0.5rem; }
.bar i { display: block; height: 0.9rem; min-width: 2px; border-radius: 2px; background: var(--first);
  width: calc((100% - 4.75rem) * var(--share)); }
.heat th, .heat td { font-size: 0.8125rem; padding: 0.3rem 0.4rem; text-align: center; }
.heat thead th { font-weight: 500; vertical-align: bottom; }
.heat.many thead th:not(.corner) { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left;
  max-height: 12rem; }
.heat tbody th { text-align: right; font-weight: 500; min-width: 5.5rem; max-width: 16rem;
  overflow-wrap: anywhere; }
.heat.many tbody th { min-width: 9rem; }
.heat.many td { min-width: 1.9rem; padding: 0.3rem 0.15rem; }
.heat td { min-width: 2.6rem; border: 1px solid var(--page); border-radius: 4px;
  background: rgb(var(--heat) / calc(0.07 + 0.93 * var(--share))); }
.heat td.strong { color: #ffffff; }
.heat td.none { color: var(--muted); background: none; }
.heat .corner { color: var(--muted); font-weight: 400; text-align: right; }
summary { cursor: pointer; font-weight: 600; }
details[open] > summary { margin-bottom: 0.6rem; }
svg { display: block; width: 100%; height: auto; max-width: 34rem; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--muted); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .ideal { stroke: var(--muted); stroke-width: 1.25; stroke-dasharray: 4 4; fill: none; }
svg .series { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .first { stroke: var(--first); }
svg .second { stroke: var(--second); stroke-dasharray: 7 3; }
svg .third { stroke: var(--third); stroke-dasharray: 2 3; stroke-linecap: round; }
svg .column { fill: var(--first); fill-opacity: 0.7; }
svg .mean { stroke: var(--second); stroke-width: 3; }
svg .mark { fill: var(--page); stroke: var(--third); stroke-width: 2; }
@media print { .card, .tiles { break-inside: avoid; } }
"""
