"""Plots as SVG that stands inside a page."""

from __future__ import annotations

from html import escape

from cloudkata.reports.text import safe

_WIDTH, _ROW, _LABEL, _BAR = 900, 28, 520, 280
_HEIGHT, _BASE = 180, 150
_LETTERS = 72
_BLUE = "#3572b0"


def bars(rows: list[tuple[str, float, str]], title: str) -> str:
    """Horizontal bars: (label, length from 0 to 1, what stands after the bar)."""
    parts = []
    for place, (label, share, after) in enumerate(rows):
        top, length = place * _ROW, max(0.0, min(1.0, share)) * _BAR
        parts.append(f'<text x="{_LABEL - 10}" y="{top + 19}" text-anchor="end">{_short(label)}</text>')
        parts.append(f'<rect x="{_LABEL}" y="{top + 5}" width="{length:.1f}" height="18" fill="{_BLUE}"/>')
        parts.append(f'<text x="{_LABEL + length + 8:.1f}" y="{top + 19}">{escape(after)}</text>')
    return _svg(_WIDTH, max(1, len(rows)) * _ROW, title, parts)


def columns(rows: list[tuple[str, int]], title: str) -> str:
    """Upright bars: (label below, height as a count)."""
    most, step = max([1, *(count for _, count in rows)]), _WIDTH / max(1, len(rows))
    parts = []
    for place, (label, count) in enumerate(rows):
        height, middle = count / most * (_BASE - 24), (place + 0.5) * step
        if count:
            left, top = place * step + 6, _BASE - height
            parts.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{step - 12:.1f}" height="{height:.1f}" fill="{_BLUE}"/>'
            )
            parts.append(f'<text x="{middle:.1f}" y="{top - 6:.1f}" text-anchor="middle">{count}</text>')
        parts.append(f'<text x="{middle:.1f}" y="{_BASE + 20}" text-anchor="middle">{escape(label)}</text>')
    return _svg(_WIDTH, _HEIGHT, title, parts)


def _svg(width: int, height: int, title: str, parts: list[str]) -> str:
    name = escape(title)
    head = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{name}"><title>{name}</title>'
    return f"{head}{''.join(parts)}</svg>"


def _short(text: str) -> str:
    shown = safe(text)
    return escape(shown if len(shown) <= _LETTERS else shown[: _LETTERS - 1] + "…")
