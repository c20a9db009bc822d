"""How examples of property tests are drawn: the same ones in every run, however slow the machine is."""

from hypothesis import HealthCheck, Phase, settings


def examples(count):
    """`@examples(100)`: so many drawn cases; nothing of them is kept between runs."""
    return settings(
        phases=[Phase.explicit, Phase.generate],
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
