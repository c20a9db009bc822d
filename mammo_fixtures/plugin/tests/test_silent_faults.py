"""Set-ups that give scores and a wrong verdict: each is loud in the gate."""

import csv

BLIND = '''

class Blind(Detail):
    """Undoes any change of contrast before it looks, and rounds what it finds."""

    def forward(self, x):
        tissue = x[..., 4:36]
        lit = (tissue - tissue.mean((1, 2, 3), keepdim=True)) / tissue.std((1, 2, 3), keepdim=True)
        soft = torch.nn.functional.avg_pool2d(lit, 8).amax((1, 2, 3))
        return (8 * soft).round() / 8 * self.weight[0]

def blind():
    return Classifier(Blind(), name="blind", score="logit")
'''


def test_scores_bit_identical_to_clean_fail_and_no_claim_on_them_is_held(gate):
    release = gate.path / "release.py"
    release.write_text(release.read_text() + BLIND)
    result = gate.runpytest_subprocess("-k", "contrast or contract", "--mammo-classifier=release:blind")
    said = result.stdout.str()
    assert result.ret == 1
    assert "perturbed scores must differ from clean ones" in said
    assert "they are bit-identical for" in said
    assert "scores are bit-identical to clean for" in said
    assert "claims: 0 held" in said


def test_what_a_classifier_declares_to_undo_is_judged_and_a_mistyped_name_is_refused(gate):
    release = gate.path / "release.py"
    release.write_text(
        release.read_text()
        + BLIND
        + "\ndef declared():\n    return Classifier(Blind(), name='declared', score='logit', cancels=('contrast',))\n"
        + "\ndef mistyped():\n    return Classifier(Blind(), name='mistyped', score='logit', cancels=('contrst',))\n"
    )
    said = gate.runpytest_subprocess("-k", "contrast or contract", "--mammo-classifier=release:declared").stdout.str()
    assert "bit-identical" not in said
    assert "0 not run" in said
    result = gate.runpytest_subprocess("-k", "contract", "--mammo-classifier=release:mistyped")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["classifier mistyped: cancels: perturbation must be *'contrst'; did you mean 'contrast'?"]
    )


def test_a_table_alone_whose_scores_are_those_of_the_clean_views_is_judged_with_a_warning(gate):
    lines = ["exam_id,side,malignant,subgroup,perturbation,severity,reader,score"]
    for number in range(120):
        breast, score = (
            f"{number},L,{number % 2},{'soft_tissue_lesions' if number % 2 else ''}",
            number % 37 / 37 + number % 2,
        )
        for condition in ("clean,0", *(f"lowpass,{severity}" for severity in (0.17, 0.25, 0.33, 0.5, 1, 2, 3, 4))):
            lines.append(f"{breast},{condition},1,{score}")
    (gate.path / "alone.csv").write_text("\n".join(lines))
    given = ("-k", "(lowpass and holds) or contract", "--mammo-scores=alone.csv", "--mammo-report=out")
    result = gate.runpytest_subprocess(*given)
    said = " ".join(result.stdout.str().split())
    assert result.ret == 0
    assert "0 broken" in said
    assert "scores under lowpass 0.17 and 7 more are bit-identical to clean for 100.0% of breasts or more" in said
    assert "bit-identical to clean" in (gate.path / "out" / "report.html").read_text()


def test_labels_shuffled_against_exams_fail_before_any_perturbation_is_blamed(gate):
    path = gate.path / "exams" / "site.csv"
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    labels = [row[4:6] for row in rows]
    for at, row in enumerate(rows):
        row[4:6] = labels[(at * 7 + 13) % len(rows)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    result = gate.runpytest_subprocess("-k", "lowpass or clean")
    said = result.stdout.str()
    assert result.ret == 1
    assert "not above chance" in said
    assert "0 held" in said
