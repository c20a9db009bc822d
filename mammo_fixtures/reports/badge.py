"""A badge for a README: the result of the last gate."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from mammo_fixtures.reports.findings import Findings
from mammo_fixtures.reports.headline import headline

_FILLS = {"passed": "#1b6e5a", "failed": "#a8321a", "stopped": "#6b5a10"}
_NOTHING = "#5a6169"
_LEFT = "robustness"
_LETTER, _PADDING = 6.6, 8
"""Width of a letter of 11 px Verdana on average, and the room at each side of a word."""


def badge(findings: Findings) -> str:
    """An SVG that a CI can publish: `robustness | passed, 8 of 8 held`."""
    found = headline(findings)
    held, total = found.counts["held"], len(findings.judged) + found.never_judged
    # Green is for claims that were held: a run of other tests, or of claims that may be not run, shows nothing.
    nothing = found.word == "passed" and not held
    right = f"{found.word}, {held} of {total} held" if total else "no claim judged"
    fill = _NOTHING if nothing else _FILLS[found.word]
    left_width, right_width = (round(len(text) * _LETTER + 2 * _PADDING) for text in (_LEFT, right))
    width, title = left_width + right_width, f"{_LEFT}: {right}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label={quoteattr(title)}>'
        f"<title>{escape(title)}</title>"
        f'<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{left_width}" height="20" fill="#3b4148"/>'
        f'<rect x="{left_width}" width="{right_width}" height="20" fill="{fill}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,sans-serif" font-size="11">'
        f'<text x="{left_width / 2:g}" y="14">{escape(_LEFT)}</text>'
        f'<text x="{left_width + right_width / 2:g}" y="14">{escape(right)}</text></g></svg>\n'
    )
