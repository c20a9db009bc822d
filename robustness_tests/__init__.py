"""The claims: what a mammography classifier must hold and what it must respond to.

PYTEST_DONT_REWRITE: `python -m robustness_tests` imports this module before pytest could, which then warns of it.
"""
