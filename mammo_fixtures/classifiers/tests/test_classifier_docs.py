"""The pages on classifiers and on HTTP are held against the code: fields, endings, numbers, snippets."""

import re
import threading
import tomllib
from dataclasses import fields
from http.server import HTTPServer
from pathlib import Path

import pytest
import torch

from mammo_fixtures import Classifier, load_classifier
from mammo_fixtures.classifiers import http_endpoint
from mammo_fixtures.classifiers.declaration import NAME, REQUIRED, checked
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.classifiers.onnx_file import METADATA_KEY

DOCS = Path(__file__).resolve().parents[3] / "docs"
CLASSIFIERS = (DOCS / "classifiers.md").read_text(encoding="utf-8")
HTTP = (DOCS / "http.md").read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"```{language}(?: [^\n]*)?\n(.*?)```", page, re.DOTALL)


def table():
    """Cells of the table of fields, without its head."""
    rows = CLASSIFIERS.split("| field | default | meaning |\n")[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_every_field_stands_in_the_table_with_its_default():
    names = [name for first, _, _ in table() for name in re.findall(r"`(\w+)`", first)]
    assert sorted(names) == sorted({each.name for each in fields(Classifier)} - {"network"})
    plain = Classifier(lambda views: views)
    for first, default, _ in table():
        (name, *others) = re.findall(r"`(\w+)`", first)
        if default.startswith("`") and not others:
            assert repr(getattr(plain, name)).replace("'", '"') == default.strip("`"), name


def test_the_declaration_is_one():
    (text,) = blocks(CLASSIFIERS, "toml")
    declared = checked(tomllib.loads(text), "docs")
    assert set(REQUIRED) <= set(declared)
    assert f"`{NAME}`" in CLASSIFIERS
    assert f"metadata key `{METADATA_KEY}`" in CLASSIFIERS


def test_four_lines_give_a_classifier():
    """The same lines as in the README, run where the network's library is there."""
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    block = next(b for b in blocks(CLASSIFIERS, "python") if "DenseNet121" in b)
    assert block in blocks(readme, "python")
    pytest.importorskip("monai", reason="its network is the example")
    made = {}
    exec(block, made)
    inference = Inference(made["load"](), device="cpu")
    assert len(inference.view_scores([torch.rand(1, 512, 384)], ["one"])) == 1


def test_the_server_keeps_the_contract():
    block = next(b for b in blocks(HTTP, "python") if "def serve" in b)
    made = {"__name__": "server"}
    exec(block, made)
    made["Handler"].log_message = lambda *arguments: None
    server = HTTPServer(("localhost", 0), made["Handler"])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        classifier = load_classifier(f"http://localhost:{server.server_port}/score")
        views = [torch.full((1, 3, 2), 0.25), torch.full((1, 3, 2), 0.5)]
        assert Inference(classifier, device="cpu").view_scores(views, ["one", "two"]) == [0.25, 0.5]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_numbers_of_the_contract():
    pause, tries = http_endpoint.FIRST_PAUSE_SECONDS, http_endpoint.TRIES
    pauses = [f"{pause * 2**i:g}" for i in range(tries - 1)]
    assert f"no whole answer in {http_endpoint.TIMEOUT_SECONDS:g} s" in HTTP
    assert f"after {', '.join(pauses[:-1])} and {pauses[-1]} s" in HTTP
    assert http_endpoint.NPY in HTTP
    assert http_endpoint.NPZ in HTTP
