"""Mutated files against every reader: only the documented exception, no hang, no growth, no silent change."""
