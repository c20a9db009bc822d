"""`.onnx` files through onnxruntime: names, types, sizes, metadata, weights in files beside."""

import sys

import pytest
import torch

from mammo_fixtures import UnusableInput, load_classifier
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.classifiers.tests.stored_networks import write_onnx
from mammo_fixtures.classifiers.tests.tiny_network import DECLARED, VIEWS, refused, scores

pytest.importorskip("onnxruntime", reason="reading an .onnx file needs onnxruntime")


class Mean(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.linspace(0.5, 1.5, 24).reshape(6, 4))

    def forward(self, views):
        return torch.sigmoid((views.float() * self.gain).mean(dim=(1, 2, 3)))


class FourViews(torch.nn.Module):
    def forward(self, l_cc, r_cc, l_mlo, r_mlo):
        return torch.sigmoid((l_cc + l_mlo).mean(dim=(1, 2, 3))), torch.sigmoid((r_cc + r_mlo).mean(dim=(1, 2, 3)))


def written(path, network=None, views=VIEWS, inside=DECLARED, axes=None, **how):
    return write_onnx(network or Mean(), path, inside, args=(views,), dynamic_axes=axes or {}, **how)


@pytest.mark.parametrize("stored", [1, 2])
def test_a_stored_batch_is_kept_to(tmp_path, stored):
    path = written(tmp_path / "release.onnx", views=VIEWS[:stored], inside=DECLARED + "input_size = [6, 4]")
    classifier = load_classifier(str(path))
    for count in (1, 2, 3):
        assert scores(classifier, count) == pytest.approx([Mean()(VIEWS)[i % 2].item() for i in range(count)])


def test_a_stored_size_must_be_declared(tmp_path):
    assert refused(written(tmp_path / "release.onnx")) == (
        "classifier release.onnx: it was stored for 6 rows and 4 columns, got no input_size declared; declare "
        "input_size = [6, 4]"
    )


def test_integer_input_must_be_declared(tmp_path):
    views = (VIEWS * 255).to(torch.uint8)
    how = {"views": views, "axes": {"views": {0: "batch"}}}
    path = written(tmp_path / "release.onnx", **how)
    assert refused(path) == (
        "classifier release.onnx: its input takes integers, which must be declared; add integers = true, and the "
        "intensity that they range over, such as [0, 4095]"
    )
    inside = 'score = "probability"\nintensity = [0, 255]\nintegers = true\ninput_size = [6, 4]'
    classifier = load_classifier(str(written(path, inside=inside, **how)))
    inference = Inference(classifier, device="cpu")
    assert inference.view_scores([views[0].float()], ["one"]) == pytest.approx([Mean()(views)[0].item()])


def test_at_exam_level_inputs_are_named_like_views(tmp_path):
    how = {"args": (VIEWS[:1],) * 4, "output_names": ["L", "R"], "dynamic_axes": {}}
    inside = DECLARED + 'level = "exam"\ninput_size = [6, 4]'
    names = ["l_cc", "r_cc", "l_mlo", "R-MLO"]
    path = write_onnx(FourViews(), tmp_path / "release.onnx", inside, input_names=names, **how)
    given = {name: torch.rand(1, 6, 4) for name in ("L-CC", "R-CC", "L-MLO", "R-MLO")}
    found = Inference(load_classifier(str(path)), device="cpu").exam_scores(given, "exam 1")
    left, right = FourViews()(*(given[name][None] for name in ("L-CC", "R-CC", "L-MLO", "R-MLO")))
    assert found == pytest.approx({"L": left.item(), "R": right.item()})

    write_onnx(FourViews(), path, inside, input_names=["a", "r_cc", "l_mlo", "r_mlo"], **how)
    assert refused(path) == (
        "classifier release.onnx: at exam level its inputs must be named like the views, got no L-CC among a, r_cc, "
        "l_mlo, r_mlo; name them when exporting, or declare the views it takes"
    )
    write_onnx(FourViews(), path, inside, input_names=names, **(how | {"output_names": ["left", "right"]}))
    assert refused(path) == (
        "classifier release.onnx: at exam level its outputs must be named L and R, got left, right"
    )
    write_onnx(FourViews(), path, DECLARED, input_names=names, **how)
    assert "at view level it must have one input, got l_cc, r_cc, l_mlo, R-MLO" in refused(path)


def test_weights_in_a_file_beside_count(tmp_path):
    onnx = pytest.importorskip("onnx", reason="writing an .onnx file needs onnx")
    path = written(tmp_path / "release.onnx", inside=DECLARED + "input_size = [6, 4]", axes={"views": {0: "batch"}})

    def apart():
        onnx.save(onnx.load(str(path)), str(path), save_as_external_data=True, location="w.bin", size_threshold=0)
        return load_classifier(str(path))

    classifier = apart()
    assert scores(classifier, 2) == pytest.approx(Mean()(VIEWS).tolist())
    before = fingerprint(classifier)
    content = bytearray((tmp_path / "w.bin").read_bytes())
    content[3] ^= 1
    (tmp_path / "w.bin").write_bytes(content)
    assert fingerprint(load_classifier(str(path))) != before


def test_precision_is_its_own(tmp_path):
    path = written(tmp_path / "release.onnx", inside=DECLARED + "input_size = [6, 4]")
    with pytest.raises(UnusableInput, match="which --mammo-precision=bf16 cannot change; leave it at fp32"):
        Inference(load_classifier(str(path)), device="cpu", precision="bf16")


def test_without_onnxruntime(tmp_path, monkeypatch):
    path = tmp_path / "release.onnx"
    path.write_bytes(b"anything")
    assert refused(path).startswith("classifier release.onnx: an .onnx file must be readable by onnxruntime ")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert refused(path) == (
        "classifier release.onnx: an .onnx file needs onnxruntime; pip install 'mammo-robustness[onnx]'"
    )
