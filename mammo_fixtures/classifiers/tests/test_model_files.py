"""Classifiers in files: declared inside or beside, called as they were stored, and never run while being read."""

import pytest
import torch

from mammo_fixtures import load_classifier
from mammo_fixtures.classifiers.declaration import EXAMPLE
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.classifiers.tests.stored_networks import quiet, write_exported, write_torchscript
from mammo_fixtures.classifiers.tests.tiny_network import DECLARED, VIEWS, expected, exported, refused, scores

SIZED = DECLARED + "input_size = [6, 4]\n"


class FourViews(torch.nn.Module):
    def forward(self, views):
        left = torch.sigmoid(views["L-CC"].mean(dim=(1, 2, 3)) + views["L-MLO"].mean(dim=(1, 2, 3)))
        right = torch.sigmoid(views["R-CC"].mean(dim=(1, 2, 3)) + views["R-MLO"].mean(dim=(1, 2, 3)))
        return {"L": left, "R": right}


FOUR = {name: torch.rand(1, 1, 6, 4) for name in ("L-CC", "L-MLO", "R-CC", "R-MLO")}


@pytest.fixture
def script(tiny, tmp_path):
    return write_torchscript(tiny, tmp_path / "release.pt", VIEWS)


def test_the_declaration_stands_beside_the_file_or_inside(tiny, script, tmp_path):
    assert refused(script) == (
        "classifier release.pt: a file does not say what it reads, so release.toml must stand beside it; for example: "
        f"{EXAMPLE} (one a line; docs/classifiers.md)"
    )
    (tmp_path / "release.toml").write_text(DECLARED + 'name = "release 3"')
    beside = load_classifier(str(script))
    assert (beside.name, beside.score, scores(beside)) == ("release 3", "probability", pytest.approx(expected(tiny)))
    inside = load_classifier(str(write_torchscript(tiny, tmp_path / "other.pt", VIEWS, DECLARED)))
    assert scores(inside) == pytest.approx(expected(tiny))


def test_two_declarations_must_agree(tiny, tmp_path):
    path = write_torchscript(tiny, tmp_path / "release.pt", VIEWS, DECLARED)
    (tmp_path / "release.toml").write_text(DECLARED)
    assert load_classifier(str(path))
    (tmp_path / "release.toml").write_text(DECLARED.replace("1]", "255]"))
    assert refused(path) == (
        "classifier release.pt: the declaration in the file and release.toml must agree, got intensity (0.0, 1.0) in "
        "the file and (0.0, 255.0) beside it; remove release.toml or correct it"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("score = logit", "a declaration must be TOML, Invalid value (at line 1, column 9); an example: " + EXAMPLE),
        (
            'score = "logit"',
            "a declaration needs score and intensity, got no intensity; an example: " + EXAMPLE,
        ),
        (
            DECLARED + "inputsize = [2, 3]",
            "'inputsize' is no field of a classifier; did you mean input_size? there are name, level, score, "
            "aggregate, input_size, fit, pixel_spacing_mm, intensity, integers, voi, chest_wall, channels, views, "
            "missing_views, cancels, notes",
        ),
        (DECLARED + "input_size = 512", "input_size must be two whole numbers, [rows, columns], got 512"),
        (DECLARED + 'integers = "yes"', "integers must be true or false, got 'yes'"),
        (DECLARED + "channels = 1.5", "channels must be a whole number, got 1.5"),
        (DECLARED + 'views = "L-CC"', 'views must be a list of texts, such as ["L-CC", "R-CC"], got \'L-CC\''),
    ],
)
def test_a_wrong_declaration(script, tmp_path, text, said):
    (tmp_path / "release.toml").write_text(text)
    assert refused(script) == f"release.toml: {said}"


def test_a_declaration_is_checked_as_any_other(script, tmp_path):
    (tmp_path / "release.toml").write_text('score = "logits"\nintensity = [0, 1]')
    assert refused(script) == "classifier release.pt: score must be 'probability' or 'logit', got 'logits'"


def test_a_file_is_known_by_its_bytes_and_its_declaration(tiny, script, tmp_path):
    beside = tmp_path / "release.toml"
    beside.write_text(DECLARED)
    first = fingerprint(load_classifier(str(script)))
    assert first == fingerprint(load_classifier(str(script)))
    beside.write_text(DECLARED + "pixel_spacing_mm = 0.1")
    second = fingerprint(load_classifier(str(script)))
    with torch.no_grad():
        tiny.layer.bias += 1
    write_torchscript(tiny, script, VIEWS)
    third = fingerprint(load_classifier(str(script)))
    assert len({first, second, third, ""}) == 4


def test_a_frozen_program(tiny, tmp_path):
    with quiet():
        torch.jit.save(torch.jit.freeze(torch.jit.script(tiny)), str(tmp_path / "release.pt"))
    (tmp_path / "release.toml").write_text(DECLARED)
    assert scores(load_classifier(str(tmp_path / "release.pt"))) == pytest.approx(expected(tiny))


def test_a_scripted_program_is_put_into_evaluation_mode(tiny, tmp_path):
    with quiet():
        torch.jit.script(tiny.train()).save(str(tmp_path / "release.pt"))
    (tmp_path / "release.toml").write_text(DECLARED)
    assert scores(load_classifier(str(tmp_path / "release.pt"))) == pytest.approx(expected(tiny.eval()))


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_an_exported_program_of_any_batch(tiny, tmp_path, batch):
    path = exported(tiny, tmp_path / "release.pt2")
    assert scores(load_classifier(str(path)), batch) == pytest.approx(expected(tiny, batch))


@pytest.mark.parametrize("stored", [1, 2])
def test_an_exported_program_of_one_batch_is_called_with_it(tiny, tmp_path, stored):
    path = exported(tiny, tmp_path / "release.pt2", SIZED, ({},), VIEWS[:stored])
    for batch in (1, 2, 5):
        assert scores(load_classifier(str(path)), batch) == pytest.approx(expected(tiny, batch))


def test_a_size_that_was_stored_must_be_declared(tiny, tmp_path):
    path = exported(tiny, tmp_path / "release.pt2", "", ({},))
    for text, got in (
        (DECLARED, "no input_size declared"),
        (DECLARED + "input_size = [6, 5]", "6 × 5 declared"),
    ):
        (tmp_path / "release.toml").write_text(text)
        assert refused(path) == (
            f"classifier release.pt2: it was stored for 6 rows and 4 columns, got {got}; declare input_size = [6, 4]"
        )
    (tmp_path / "release.toml").write_text(SIZED + "channels = 3")
    assert refused(path) == (
        "classifier release.pt2: it was stored for 1 channels, got 3 declared; declare channels = 1"
    )


@pytest.mark.parametrize("write", [write_torchscript, write_exported])
def test_at_exam_level(tmp_path, write):
    given = {"shapes": ({name: {} for name in FOUR},)} if write is write_exported else {}
    example = FOUR if write is write_exported else (FOUR,)
    if write is write_torchscript:
        with quiet():
            torch.jit.trace(FourViews(), example, strict=False).save(str(tmp_path / "release.pt2"))
    else:
        write(FourViews(), tmp_path / "release.pt2", example, **given)
    (tmp_path / "release.toml").write_text(SIZED + 'level = "exam"')
    inference = Inference(load_classifier(str(tmp_path / "release.pt2")), device="cpu")
    found = inference.exam_scores({name: each[0] for name, each in FOUR.items()}, "exam 1")
    assert found == pytest.approx({side: each.item() for side, each in FourViews()(FOUR).items()})


def test_a_missing_file(tmp_path):
    assert refused(tmp_path / "no.pt2").startswith("classifier no.pt2: the file must exist, got '")


def test_damaged_files(script, tmp_path):
    (tmp_path / "release.toml").write_text(DECLARED)
    script.write_bytes(script.read_bytes()[:300])
    assert refused(script).startswith("classifier release.pt must be a whole file that torch.save wrote, reading it")
