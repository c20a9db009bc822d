"""tolerances.toml: what is read, and every way of getting it wrong."""

from dataclasses import fields
from pathlib import Path

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import METRICS
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.verdicts import Tolerance, read_tolerances

GOOD = {
    "claim": '"holds"',
    "perturbation": '"lowpass"',
    "severities": "[0.17, 2]",
    "subgroup": '"masses"',
    "metric": '"auc"',
    "margin": "0.05",
    "reason": '"Masses are large."',
}


def toml(**changed):
    """A table with some keys changed, added, or left out (None)."""
    lines = [f"{key} = {value}" for key, value in (GOOD | changed).items() if value is not None]
    return "\n".join(["[[tolerance]]", *lines, ""])


@pytest.fixture
def read(tmp_path):
    def write_and_read(text):
        path = tmp_path / "tolerances.toml"
        path.write_text(text, encoding="utf-8")
        return read_tolerances(path)

    return write_and_read


def test_a_table_is_read(read):
    (tolerance,) = read(toml())
    assert tolerance == Tolerance(
        claim="holds",
        perturbation="lowpass",
        severities=(0.17, 2.0),
        subgroup="masses",
        metric="auc",
        margin=0.05,
        reason="Masses are large.",
        where="tolerances.toml, table 1",
    )
    assert all(type(severity) is float for severity in tolerance.severities)


def test_defaults(read):
    (tolerance,) = read(toml(severities=None, subgroup=None, metric=None, margin="1"))
    assert (tolerance.severities, tolerance.subgroup, tolerance.metric) == ((), "all", "auc")
    assert (tolerance.confidence, tolerance.inconclusive, tolerance.not_run) == (0.95, "fail", "fail")
    assert type(tolerance.margin) is float


def test_every_key_can_be_set(read):
    text = toml(
        confidence="0.9", inconclusive='"warn"', not_run='"allow"', metric='"recall_rate"', prevalence="0.006",
        operating_point='"sensitivity >= 0.85"', readers='"random"',
    )  # fmt: skip
    tolerance, more = read(text + toml(claim='"responds_more"', than='"grains"'))
    assert (tolerance.confidence, tolerance.inconclusive, tolerance.not_run) == (0.9, "warn", "allow")
    assert (tolerance.operating_point, tolerance.prevalence) == ("sensitivity>=0.85", 0.006)
    assert (tolerance.readers, more.than) == ("random", "grains")
    keys = {line.split(" =")[0] for line in text.splitlines()[1:]} | {"up_to", "than"}
    assert keys == {f.name for f in fields(Tolerance)} - {"where"}


def test_all_severities_up_to_one(read):
    (rising,) = read(toml(severities=None, up_to="0.5"))
    assert rising.severities == (0.17, 0.22, 0.33, 0.5)
    (falling,) = read(toml(perturbation='"contrast"', severities=None, up_to="0.75"))
    ladder = PERTURBATIONS["contrast"].severities
    assert falling.severities == tuple(severity for severity in ladder if severity >= 0.75)
    assert 0 < len(falling.severities) < len(ladder)


def test_a_candidate_may_be_held_against_its_baseline_when_clean(read):
    (tolerance,) = read(toml(claim='"not_worse"', perturbation='"clean"', severities=None))
    assert tolerance.severities == (0.0,)


def test_tables_keep_their_order_and_number(read):
    tolerances = read(toml(severities="[0.5]") + toml(claim='"responds"', severities="[2.0]"))
    assert [(t.claim, t.where) for t in tolerances] == [
        ("holds", "tolerances.toml, table 1"),
        ("responds", "tolerances.toml, table 2"),
    ]


NAMES = ", ".join(PERTURBATIONS.names)
METRIC_NAMES = ", ".join(metric.name for metric in METRICS)
KEYS = (
    "claim, perturbation, severities, up_to, subgroup, than, metric, margin, reason, confidence, operating_point, "
    "prevalence, readers, inconclusive, not_run"
)
ONE = "tolerances.toml, table 1: "

REFUSED = {
    "misspelt key": (
        toml(margn="0.1"),
        ONE + "keys must be known ones, got 'margn'; did you mean 'margin'?",
    ),
    "foreign key": (toml(zzz="1"), ONE + f"keys must be known ones, got 'zzz'; known are {KEYS}"),
    "where is no key": (toml(where='"x"'), ONE + f"keys must be known ones, got 'where'; known are {KEYS}"),
    "no margin": (
        toml(margin=None),
        ONE + "claim, perturbation, margin, reason must be there, got no margin; add margin = …",
    ),
    "text margin": (
        toml(margin='"0.05"'),
        ONE + "margin must be a number, got '0.05'; write with a point, without quotes and unit: margin = 0.05",
    ),
    "true margin": (
        toml(margin="true"),
        ONE + "margin must be a number, got true; write with a point, without quotes and unit: margin = 0.05",
    ),
    "number as name": (
        toml(subgroup="3"),
        ONE + 'subgroup must be text in quotes, got 3; write it so: subgroup = "masses"',
    ),
    "one severity bare": (
        toml(severities="0.5"),
        ONE + "severities must be a list of numbers, got 0.5; write in brackets, without quotes and unit: severities = "
        "[0.5, 1.0]",
    ),
    "no severity": (
        toml(severities="[]"),
        ONE + "severities must hold a number, got []; leave the key out for the whole ladder",
    ),
    "repeated severity": (
        toml(severities="[0.5, 0.50]"),
        ONE + "severities must be different finite numbers, got [0.5, 0.5]",
    ),
    "infinite severity": (
        toml(severities="[inf]"),
        ONE + "severities must be different finite numbers, got [inf]",
    ),
    "unknown claim": (
        toml(claim='"hold"'),
        ONE
        + "claim must be 'holds' or 'responds' or 'responds_more' or 'not_worse', got 'hold'; did you mean 'holds'?",
    ),
    "unknown metric": (
        toml(metric='"acu"'),
        ONE + f"metric must be one of {METRIC_NAMES}, got 'acu'; did you mean 'auc'?",
    ),
    "misspelt perturbation": (
        toml(perturbation='"low_pass"'),
        ONE + "perturbation must be in the catalogue, got 'low_pass'; did you mean 'lowpass'?",
    ),
    "foreign perturbation": (
        toml(perturbation='"zzz"'),
        ONE + f"perturbation must be in the catalogue, got 'zzz'; known are {NAMES}",
    ),
    "no perturbation": (toml(perturbation='""'), ONE + "perturbation must not be empty, got ''; name one"),
    "no reason": (toml(reason='" "'), ONE + "reason must not be empty, got ' '; say why this margin is right"),
    "no margin at all": (toml(margin="0"), ONE + "margin must lie in (0, 1], a difference of the metric, got 0.0"),
    "margin in per cent": (
        toml(margin="5"),
        ONE + "margin must lie in (0, 1], a difference of the metric, got 5.0; 5 per cent are 0.05",
    ),
    "margin not a number": (
        toml(margin="nan"),
        ONE + "margin must lie in (0, 1], a difference of the metric, got nan",
    ),
    "confidence in per cent": (
        toml(confidence="95"),
        ONE + "confidence must lie between 0.5 and 1, got 95.0; 0.95 is usual",
    ),
    "inconclusive": (
        toml(inconclusive='"allow"'),
        ONE + "inconclusive must be 'fail' or 'warn', got 'allow'",
    ),
    "not_run": (toml(not_run='"alow"'), ONE + "not_run must be 'fail' or 'allow', got 'alow'; did you mean 'allow'?"),
    "severities twice": (
        toml(up_to="0.5"),
        ONE + "severities and up_to must not both stand, got both; leave one out",
    ),
    "up to nothing": (
        toml(severities=None, up_to="0.1"),
        ONE + "up_to must reach the ladder of lowpass, got 0.1; its ladder is "
        f"{', '.join(format(s, 'g') for s in PERTURBATIONS['lowpass'].severities)}",
    ),
    "clean with severities": (
        toml(claim='"not_worse"', perturbation='"clean"'),
        ONE + "clean has no severities, got some; leave them out",
    ),
    "than what": (
        toml(claim='"responds_more"'),
        ONE + "than must name the other subgroup in a responds_more claim, and stand in no other, got ''",
    ),
    "than in another claim": (
        toml(than='"grains"'),
        ONE + "than must name the other subgroup in a responds_more claim, and stand in no other, got 'grains'",
    ),
    "than itself": (
        toml(claim='"responds_more"', than='"masses"'),
        ONE + "than must be another subgroup than the claim's own, got 'masses'; name the other",
    ),
    "operating point": (
        toml(metric='"sensitivity"', operating_point='"specificity=0.9"'),
        ONE + "operating_point must be like 'specificity>=0.90', 'sensitivity>=0.85' or 'score>0.42', the first two "
        "between 0 and 1, got 'specificity=0.9'; write one of these",
    ),
    "prevalence in per cent": (
        toml(prevalence="5", metric='"brier"'),
        ONE + "prevalence must lie between 0 and 1, got 5.0; screening has about 0.005",
    ),
    "more steady": (
        toml(claim='"responds_more"', than='"grains"', metric='"logit_shift"'),
        ONE + "metric of responds_more must be one that can get worse, got 'logit_shift'",
    ),
    "more of what is shared": (
        toml(claim='"responds_more"', than='"grains"', metric='"specificity"'),
        ONE + "metric of responds_more must be one in which subgroups can differ, got 'specificity'; name sensitivity",
    ),
    "random releases": (
        toml(claim='"not_worse"', readers='"random"'),
        ONE + "readers of not_worse must be 'fixed', got 'random'; readers of two releases are not the same ones, "
        "leave it out",
    ),
    "readers": (toml(readers='"any"'), ONE + "readers must be 'fixed' or 'random', got 'any'"),
    "no shift at all": (
        toml(metric='"logit_shift"', margin="0"),
        ONE + "margin must be above 0, a difference of the metric, got 0.0",
    ),
    "second table": (
        toml() + toml(margin="2", severities="[1]"),
        "tolerances.toml, table 2: margin must lie in (0, 1], a difference of the metric, got 2.0; 2 per cent are 0.02",
    ),
    "no tables": ("", "tolerances.toml: a gate needs at least one tolerance, got none; add a [[tolerance]] table"),
    "misspelt table": (
        "[[tolerances]]\n",
        "tolerances.toml: only [[tolerance]] tables may stand here, got 'tolerances'; write [[tolerance]] above "
        "each table",
    ),
    "single brackets": (
        toml().replace("[[tolerance]]", "[tolerance]"),
        "tolerances.toml: tolerance must be a list of tables, got one; write [[tolerance]] above each",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes_are_told_in_one_line(read, case):
    text, message = REFUSED[case]
    with pytest.raises(UnusableInput) as refused:
        read(text)
    assert str(refused.value) == message


def test_a_severity_outside_the_records_range(read):
    record = next(record for record in PERTURBATIONS if record.name == "lowpass")
    low, high = record.valid
    with pytest.raises(UnusableInput) as refused:
        read(toml(severities=f"[{10 * high}]"))
    assert str(refused.value) == (
        f"{ONE}severities of lowpass must lie in {low:g} … {high:g} mm and change something, got {10 * high:g}; its "
        f"ladder is {', '.join(format(severity, 'g') for severity in record.severities)}"
    )


def test_a_severity_that_changes_nothing(read):
    record = next(record for record in PERTURBATIONS if record.name == "contrast")
    with pytest.raises(UnusableInput, match="and change something, got 1;"):
        read(toml(perturbation='"contrast"', severities=f"[{record.nothing}]"))


def test_broken_toml_names_the_line(read):
    with pytest.raises(UnusableInput) as refused:
        read('[[tolerance]]\nclaim = "holds\n')
    assert str(refused.value).startswith("tolerances.toml: tolerances must be TOML in UTF-8, got ")
    assert "line 2" in str(refused.value)
    assert str(refused.value).endswith("; mend that line")


def test_a_missing_file_names_the_option(tmp_path):
    with pytest.raises(UnusableInput) as refused:
        read_tolerances(tmp_path / "none.toml")
    assert str(refused.value) == (
        f"{tmp_path / 'none.toml'}: tolerances must be a readable TOML file, got 'No such file or directory'; give one "
        "with --mammo-tolerances=FILE"
    )
    assert isinstance(refused.value.__cause__, OSError)


def test_what_ships_is_sound():
    shipped = Path(__file__).parents[3] / "robustness_tests" / "tolerances.toml"
    if not shipped.is_file():
        pytest.skip("no checkout: robustness_tests/tolerances.toml is not beside the package")
    assert {tolerance.claim for tolerance in read_tolerances(shipped)} == {"holds", "responds"}
