"""`--mammo-engine=`: where a run's exams are scored."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from mammo_fixtures.plugin.settings import Settings
    from mammo_fixtures.scoring.engines import Engine

ENGINES = ("local", "ray")
DEVICES_OF_RAY = ("auto", "cpu", "cuda")


def check_engine(config: pytest.Config, values: Mapping[str, str]) -> None:
    """Raises UnusableInput for settings that do not go together. Imports neither Ray nor torch."""
    engine, address, device = values["engine"], values["ray_address"], values["device"]
    if engine not in ENGINES:
        raise UnusableInput(f"--mammo-engine must be one of {', '.join(ENGINES)}, got {engine!r}")
    if engine == "local":
        # In an ini file the address may wait for the runs that use it.
        if config.getoption("mammo_ray_address"):
            raise UnusableInput(f"--mammo-ray-address={address} needs --mammo-engine=ray; give both or neither")
        return
    from mammo_fixtures.scoring.engines.ray_session import check_address, check_installed

    if getattr(config.option, "numprocesses", None) or getattr(config.option, "tx", None):
        raise UnusableInput(
            "--mammo-engine=ray shares exams among actors of its own, not among the workers of -n; leave out one"
        )
    if device not in DEVICES_OF_RAY:
        raise UnusableInput(
            f"--mammo-device must be auto, cpu or cuda with --mammo-engine=ray, which gives each actor its GPU, "
            f"got {device!r}"
        )
    check_address(address)
    if not values["scores"]:
        check_installed()


def engine_of(settings: Settings) -> Engine:
    """The engine that the settings name."""
    if settings.engine == "local":
        from mammo_fixtures.scoring.engines.local import LocalEngine

        return LocalEngine()
    from mammo_fixtures.classifiers import load_classifier
    from mammo_fixtures.scoring.engines.ray import RayEngine

    load = partial(load_classifier, settings.classifier, allow_pickle=settings.allow_pickle)
    return RayEngine(
        load=load,
        address=settings.ray_address,
        device=settings.device,
        timeout_seconds=settings.timeout_seconds,
    )


def own_device(settings: Settings) -> str:
    """The device of this process, which with Ray only fits universal fields and asks for gradients."""
    return "auto" if settings.engine == "ray" and settings.device == "cuda" else settings.device


def device_said(engine: Engine, own: str) -> str:
    """The device that scores came from, for headers."""
    return getattr(engine, "ran_on", "") or own


def engine_said(settings: Settings) -> str:
    """For the run's header; nothing of the default."""
    return "" if settings.engine == "local" else f"engine ray at {settings.ray_address or 'this machine'}, "
