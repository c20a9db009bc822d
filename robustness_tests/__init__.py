"""The claims: what a mammography classifier must hold and what it must respond to."""
