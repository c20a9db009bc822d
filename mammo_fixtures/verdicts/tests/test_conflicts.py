"""Tolerances that do not go together, and files as other editors write them."""

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.verdicts import read_tolerances

TABLE = """
[[tolerance]]
claim = "{claim}"
perturbation = "lowpass"
{severities}
subgroup = "{subgroup}"
metric = "{metric}"
margin = {margin}
reason = "Größe > 5 mm ☃"
{more}
"""


def toml(claim="holds", severities="severities = [0.5, 2]", subgroup="masses", metric="auc", margin=0.05, more=""):
    return TABLE.format(claim=claim, severities=severities, subgroup=subgroup, metric=metric, margin=margin, more=more)


def read(tmp_path, content):
    path = tmp_path / "t.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_tolerances(path)


ONE, TWO = "t.toml, table 1", "t.toml, table 2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            toml() + toml(severities="severities = [2.0]", margin=0.5, subgroup="Masses"),
            f"{TWO}: a claim may be made once, got holds for lowpass 2, Masses, auc again after {ONE}; leave that "
            "severity out of one of them",
        ),
        (
            toml(severities="") + toml(),
            f"{TWO}: a claim may be made once, got holds for lowpass 0.5, masses, auc again after {ONE}; leave that "
            "severity out of one of them",
        ),
        (
            toml(claim="responds", margin=0.2) + toml(severities=""),
            f"{ONE}: a loss that must reach 0.2 must be allowed, got holds within 0.05 for lowpass 0.5, masses, auc in "
            f"{TWO}; leave that severity out of one of them",
        ),
        (
            toml(subgroup="ALL"),
            f"{ONE}: subgroups must differ in what test ids keep of them (letters a to z in lower case, digits, _ and "
            ".), got 'ALL' beside 'all' of every cohort, all of its breasts, both 'all'; rename one, where breasts are "
            "labelled too",
        ),
        (
            toml(more='operating_point = "specificity>=0.95"'),
            f"{ONE}: operating_point must stand with a metric that uses it, got 'auc'; leave it out",
        ),
        (
            toml(metric="sensitivity", more="prevalence = 0.005"),
            f"{ONE}: prevalence must stand with a metric that uses it, got 'sensitivity'; leave it out",
        ),
        (
            toml().replace('"lowpass"', '"clean"'),
            f"{ONE}: perturbation may be 'clean' in a not_worse claim only, got 'holds'; name what changes the exams",
        ),
        (
            toml(severities='severities = "0.5 mm"'),
            f"{ONE}: severities must be a list of numbers, got '0.5 mm'; write in brackets, without quotes and unit: "
            "severities = [0.5, 1.0]",
        ),
        (
            toml(more="up_to = 1979-05-27"),
            f"{ONE}: up_to must be a number, got 1979-05-27; write with a point, without quotes and unit: up_to = 0.5",
        ),
        (
            toml().encode("latin-1", errors="replace"),
            "t.toml: tolerances must be TOML in UTF-8, got byte 0xf6 in line 9; save it as UTF-8",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(tmp_path, text, said):
    with pytest.raises(UnusableInput) as refused:
        read(tmp_path, text)
    assert str(refused.value) == said


def test_a_loss_that_may_be_within_both_margins_is_no_contradiction(tmp_path):
    """At least 0.02 and at most 0.05; at other severities, or of another subgroup, anything."""
    text = (
        toml()
        + toml(claim="responds", margin=0.02)
        + toml(claim="responds", margin=0.2, severities="severities = [4.0]")
        + toml(claim="responds", margin=0.2, subgroup="grains")
    )
    assert len(read(tmp_path, text)) == 4


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_file_as_editors_of_windows_write_it(tmp_path, mark, ending):
    text = "# Ränder: 乳房 ☃\n" + toml()
    (tolerance,) = read(tmp_path, mark + text.replace("\n", ending).encode())
    assert (tolerance.margin, tolerance.reason) == (0.05, "Größe > 5 mm ☃")
