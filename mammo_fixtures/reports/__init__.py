"""Reports: what people read of verdicts and curves."""
