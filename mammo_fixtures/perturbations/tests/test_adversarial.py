"""Adversarial images: balls after rounding, closed forms, foolbox on the same loss and steps, universal fields."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mammo_fixtures import UnusableInput, View
from mammo_fixtures.perturbations import Shared, adversarial, apply
from mammo_fixtures.perturbations.adversarial import DIGITAL_UNIT, FGSM, PGD_L2, PGD_LINF, STEP_SHARE, STEPS, together
from mammo_fixtures.perturbations.universal import UNIVERSAL, UniversalFields, fold_of, of_view, sampled

SHAPE = (48, 37)


def view(seed=1, *, shape=SHAPE, exam_id="17", side="L", position="CC", spacing=(0.1, 0.1)):
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.16 + column**2 / 0.64 < 1
    pixels = np.where(inside, 0.2 + 0.6 * np.random.default_rng(seed).random(shape), 0)
    return View.from_array(
        (pixels if side == "L" else pixels[:, ::-1]).astype(np.float32),
        pixel_spacing_mm=spacing, side=side, position=position, exam_id=exam_id, intensity_range=(0, 1),
    )  # fmt: skip


def network():
    torch.manual_seed(3)
    layers = (torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.Tanh(), torch.nn.Conv2d(6, 1, 3, padding=1))
    return torch.nn.Sequential(*layers).requires_grad_(False)


def loss_of(model, image):
    return model(image[None, None]).square().mean()


def following(model):
    def gradients(images):
        found = []
        for image in images:
            leaf = image.clone().requires_grad_()
            found.append(torch.autograd.grad(loss_of(model, leaf), leaf)[0])
        return found

    return gradients


def shared_view(gradients=None, seed=0, **keywords):
    shared = Shared(view(**keywords), seed=seed)
    shared.ascent.gradients = gradients or following(network())
    return shared


def image(record, shared, severity):
    return apply(record, shared, severity, torch.empty_like(shared.pixels))


def away(image_, shared):
    """Exact distance from clean: differences of float32 numbers have no rounding in float64."""
    return image_.double() - shared.pixels.double()


@pytest.mark.parametrize("record", [FGSM, PGD_LINF], ids=lambda record: record.name)
@pytest.mark.parametrize("severity", [0.5, 8, 100, 4095])
def test_no_pixel_leaves_its_ball_after_rounding(record, severity):
    shared = shared_view()
    distance = away(image(record, shared, severity), shared).abs()
    radius = severity * DIGITAL_UNIT
    assert distance.max() <= radius
    assert distance.max() > 0.995 * radius


@pytest.mark.parametrize("severity", [0.25, 4, 4095])
def test_the_root_mean_square_never_exceeds_epsilon(severity):
    shared = shared_view()
    rms = away(image(PGD_L2, shared, severity), shared).square().mean().sqrt()
    radius = severity * DIGITAL_UNIT
    assert 0.999 * radius < rms <= radius


@pytest.mark.parametrize("severity", [0.001, 0.0015, 0.004])
def test_nor_does_it_where_a_step_is_of_the_size_of_float32s_rounding(severity):
    dark = view()
    shared = Shared(replace(dark, pixels=1 - dark.pixels))
    shared.ascent.gradients = following(network())
    rms = away(image(PGD_L2, shared, severity), shared).square().mean().sqrt()
    assert rms <= severity * DIGITAL_UNIT


def test_the_fast_gradient_moves_each_pixel_by_epsilon_along_the_sign():
    shared = shared_view()
    sign = following(network())([shared.pixels])[0].sign()
    ours = away(image(FGSM, shared, 2), shared)
    assert torch.allclose(ours, 2 * DIGITAL_UNIT * sign.double(), atol=1e-7)


def test_on_a_linear_loss_every_method_ends_where_the_closed_form_says():
    slope = torch.randn(SHAPE, generator=torch.Generator().manual_seed(2))
    shared = shared_view(lambda images: [slope.clone() for _ in images])
    expected = slope.sign() * 4 * DIGITAL_UNIT
    for record in (FGSM, PGD_LINF):
        assert torch.allclose(away(image(record, shared, 4), shared).float(), expected, atol=1e-7)
    expected = slope / slope.square().mean().sqrt() * 4 * DIGITAL_UNIT
    ours = away(image(PGD_L2, shared, 4), shared).float()
    cosine = (ours * expected).sum() / ours.norm() / expected.norm()
    assert cosine > 0.9, "2.5 radii of steps pull a random start toward the slope"


def test_steps_raise_the_loss_more_than_one_and_that_more_than_none():
    model = network()
    shared = shared_view(following(model))
    clean, one, many, ball = (
        float(loss_of(model, each))
        for each in (shared.pixels, image(FGSM, shared, 8), image(PGD_LINF, shared, 8), image(PGD_L2, shared, 4))
    )
    assert clean < one <= many * 1.001
    assert clean < ball


def test_more_steps_gain_at_most_one_per_cent():
    model = network()
    shared = shared_view(following(model))
    start = float(loss_of(model, shared.pixels))
    gains = [
        float(loss_of(model, together("pgd_linf", [shared], 8, following(model), steps=steps)[0])) - start
        for steps in (STEPS, 5 * STEPS)
    ]
    assert gains[1] <= gains[0] * 1.01


@pytest.mark.parametrize("record", [PGD_LINF, PGD_L2], ids=lambda record: record.name)
def test_the_start_is_keyed(record):
    def end(**keywords):
        return image(record, shared_view(lambda images: [torch.zeros_like(each) for each in images], **keywords), 2)

    assert torch.equal(end(), end())
    assert not torch.equal(end(), end(seed=1))
    assert not torch.equal(end(), end(exam_id="18"))


@pytest.mark.parametrize("record", [FGSM, PGD_LINF, PGD_L2], ids=lambda record: record.name)
def test_several_views_together_are_each_as_alone_where_the_loss_is_a_sum(record):
    ones = [shared_view(seed=4), shared_view(seed=4, side="R", shape=(30, 40))]
    both = together(record.name, ones, 2, following(network()))
    for one, moved in zip(ones, both, strict=True):
        assert torch.equal(moved, image(record, one, 2))


@pytest.mark.parametrize("record", [FGSM, PGD_LINF, PGD_L2], ids=lambda record: record.name)
def test_without_a_classifier_there_is_no_gradient(record):
    with pytest.raises(UnusableInput) as caught:
        image(record, Shared(view()), 1)
    assert str(caught.value) == (
        "exam 17, L-CC: adversarial perturbations need a classifier's gradient, got a view alone; "
        "score a cohort with score(...)"
    )


@pytest.mark.parametrize("record", [PGD_LINF, PGD_L2, FGSM], ids=lambda record: record.name)
def test_agrees_with_foolbox_on_the_same_loss_and_steps(record, monkeypatch):
    foolbox = pytest.importorskip("foolbox")
    import eagerpy

    model = network()

    class OurLoss:
        def get_loss_fn(self, _model, _labels):
            return lambda inputs: eagerpy.astensor(torch.stack([loss_of(model, each[0]) for each in inputs.raw]).sum())

    base = foolbox.attacks
    method = {"pgd_linf": base.LinfPGD, "pgd_l2": base.L2PGD, "fgsm": base.FGSM}[record.name]
    same = type("Same", (OurLoss, method), {})
    steps = {} if record is FGSM else {"steps": STEPS, "rel_stepsize": STEP_SHARE / STEPS, "random_start": False}
    shared = shared_view(following(model))
    radius = 4 * DIGITAL_UNIT * ((shared.pixels.numel() ** 0.5) if record is PGD_L2 else 1)
    theirs = same(**steps).run(
        foolbox.PyTorchModel(model.eval(), bounds=(-10, 10)),
        shared.pixels[None, None],
        foolbox.criteria.Misclassification(torch.zeros(1, dtype=torch.long)),
        epsilon=radius,
    )[0, 0]
    # The same start: the clean pixels.
    monkeypatch.setattr(adversarial.Ascent, "uniform_start", torch.zeros(SHAPE))
    monkeypatch.setattr(adversarial.Ascent, "start_in_ball", torch.zeros(SHAPE))
    ours = image(record, shared, 4)
    # A gradient next to 0 may have either sign.
    apart = (ours - theirs).abs()
    assert (apart > 1e-6).float().mean() < 0.002
    assert float(loss_of(model, ours)) == pytest.approx(float(loss_of(model, theirs)), rel=1e-5)


def fields(rows=41, columns=30, seed=0):
    generator = torch.Generator().manual_seed(9)
    return UniversalFields(
        directions={
            (fold, position): torch.rand((rows, columns), generator=generator) * 2 - 1
            for fold in (0, 1)
            for position in ("CC", "MLO")
        },
        seed=seed,
    )


def test_on_pixels_of_the_grid_a_field_lies_at_chest_wall_and_centre_mirrored_by_side():
    field = fields().directions[0, "CC"]
    left, right = (of_view(Shared(view(side=side)), field) for side in "LR")
    assert torch.equal(left.flip(1), right)
    top, bottom, _, _ = Shared(view()).breast_box
    first = (top + bottom) // 2 - 20
    assert torch.equal(left[first : first + 41, :30], field)
    left[first : first + 41, :30] = 0
    assert not left.any()


@pytest.mark.parametrize("spacing", [(0.07, 0.07), (0.05, 0.1), (0.25, 0.2)])
def test_on_other_pixels_it_is_bilinear_in_millimetres(spacing):
    rows, columns = torch.arange(61.0)[:, None] - 30, torch.arange(50.0)
    plane = 0.01 * rows - 0.008 * columns
    ours = sampled(plane, (20, 15), spacing, "left", 8)
    expected = 0.1 * (torch.arange(20.0)[:, None] - 8) * spacing[0] - 0.08 * torch.arange(15.0) * spacing[1]
    assert torch.allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("centre", [-90, -25, -5, 0, 18, 70])
def test_beyond_its_edges_a_field_is_zero(centre):
    field = torch.ones((41, 30))
    ours = sampled(field, (20, 45), (0.1, 0.1), "right", centre)
    rows = (torch.arange(20) - centre).abs() <= 20
    expected = rows[:, None] * (torch.arange(45) >= 15)
    assert torch.equal(ours, expected.float())


@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.07, 0.08)])
@pytest.mark.parametrize("severity", [1, 16])
def test_a_universal_field_stays_within_epsilon(spacing, severity):
    shared = Shared(view(spacing=spacing))
    shared.universal_fields = fields().against("17")
    distance = away(image(UNIVERSAL, shared, severity), shared)
    assert 0.5 * severity * DIGITAL_UNIT < distance.abs().max() <= severity * DIGITAL_UNIT


def test_an_exam_is_judged_by_the_field_of_the_other_half():
    ours = fields(seed=5)
    halves = [fold_of(str(number), 5) for number in range(200)]
    assert 70 < sum(halves) < 130
    for number, half in enumerate(halves):
        against = ours.against(str(number))
        assert against["CC"] is ours.directions[1 - half, "CC"]
        assert set(against) == {"CC", "MLO"}


def test_fields_come_back_from_their_file_and_their_digest_says_so(tmp_path):
    ours = fields(seed=7)
    path = tmp_path / "folder" / "universal.safetensors"
    ours.write(path)
    back = UniversalFields.read(path)
    assert back.seed == 7
    assert back.digest == ours.digest
    assert torch.equal(back.directions[1, "MLO"], ours.directions[1, "MLO"])
    assert fields(seed=8).digest != ours.digest
    other = fields(seed=7)
    other.directions[0, "CC"][3, 3] += 0.5
    assert other.digest != back.digest


def test_files_that_hold_no_fields_are_refused(tmp_path):
    from safetensors.torch import save_file

    other, broken = tmp_path / "weights.safetensors", tmp_path / "broken.safetensors"
    save_file({"a": torch.zeros(3)}, other)
    broken.write_bytes(b"no")
    with pytest.raises(UnusableInput) as caught:
        UniversalFields.read(other)
    assert str(caught.value) == (
        f"universal fields {other}: must be fields that a run of this suite saved, got another safetensors file; "
        "give the universal.safetensors of a report"
    )
    for path in (broken, tmp_path / "absent.safetensors"):
        with pytest.raises(UnusableInput, match=r"must be a readable safetensors file, got: .*; give the universal"):
            UniversalFields.read(path)


def test_without_fields_and_for_positions_without_one():
    with pytest.raises(UnusableInput) as caught:
        image(UNIVERSAL, Shared(view()), 1)
    assert str(caught.value) == (
        "exam 17, L-CC: universal needs fields fitted to a classifier, got a view alone; score a cohort with score(...)"
    )
    shared = Shared(view(position="ML"))
    shared.universal_fields = fields().against("17")
    assert torch.equal(image(UNIVERSAL, shared, 16), shared.pixels)
