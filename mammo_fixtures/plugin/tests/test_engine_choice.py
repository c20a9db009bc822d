"""Engines, their addresses and devices that do not go together are one line each."""

from types import SimpleNamespace

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.engine_choice import check_engine, engine_of, engine_said, own_device


def config(workers=None, address=None):
    """Of a command line with so many workers and this address."""
    option = SimpleNamespace(numprocesses=workers, tx=["popen"] * (workers or 0))
    return SimpleNamespace(option=option, getoption={"mammo_ray_address": address}.get)


def settings(engine="ray", address="", device="auto"):
    return SimpleNamespace(
        engine=engine, ray_address=address, device=device, classifier="reference", allow_pickle=False,
        timeout_seconds=7.0,
    )  # fmt: skip


def check(engine="ray", address="", device="auto", *, workers=None, given=None):
    values = {"engine": engine, "ray_address": address, "device": device, "scores": "table.csv"}
    check_engine(config(workers, given), values)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"engine": "spark"}, "--mammo-engine must be one of local, ray, got 'spark'"),
    ({"engine": "local", "address": "auto", "given": "auto"},
     "--mammo-ray-address=auto needs --mammo-engine=ray; give both or neither"),
    ({"workers": 2},
     "--mammo-engine=ray shares exams among actors of its own, not among the workers of -n; leave out one"),
    ({"device": "cuda:1"},
     "--mammo-device must be auto, cpu or cuda with --mammo-engine=ray, which gives each actor its GPU, got 'cuda:1'"),
    ({"address": "ray://head:10001"}, "the address of a Ray cluster must be auto or its head node's host:port, such as "
     "10.0.0.5:6379, got 'ray://head:10001'; leave it out to start Ray on this machine"),
])  # fmt: skip
def test_what_does_not_go_together(arguments, message):
    with pytest.raises(UnusableInput) as refused:
        check(**arguments)
    assert str(refused.value) == message


@pytest.mark.parametrize("arguments", [
    {}, {"workers": 0}, {"address": "auto"}, {"address": "10.0.0.5:6379", "device": "cuda"},
    {"engine": "local", "workers": 2, "device": "cuda:1"}, {"engine": "local", "address": "auto"},
])  # fmt: skip
def test_what_does(arguments):
    try:
        said = check(**arguments)
    except UnusableInput as refused:
        said = str(refused)
    assert said is None


def test_ray_is_asked_for_only_where_it_will_run(monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check()  # a score table is judged
    values = {"engine": "ray", "ray_address": "", "device": "auto", "scores": ""}
    with pytest.raises(UnusableInput, match=r"pip install 'mammo-robustness\[ray\]', or use --mammo-engine=local$"):
        check_engine(config(), values)


def test_the_driver_needs_no_gpu_where_actors_have_them():
    assert own_device(settings(device="cuda")) == "auto"
    assert own_device(settings(device="cpu")) == "cpu"
    assert own_device(settings("local", device="cuda")) == "cuda"
    assert engine_said(settings()) == "engine ray at this machine, "
    assert engine_said(settings("local")) == ""


def test_engines_by_name():
    engine = engine_of(settings(address="auto", device="cpu"))
    assert (type(engine).__name__, engine.address, engine.device) == ("RayEngine", "auto", "cpu")
    assert engine.timeout_seconds == 7.0
    assert engine.load().name == "reference"
    assert type(engine_of(settings("local"))).__name__ == "LocalEngine"
