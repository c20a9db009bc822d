"""`python -m robustness_tests`: the gate, in a checkout or installed, from any folder."""

import sys
from pathlib import Path

from mammo_fixtures.plugin.command import main

if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent, sys.argv[1:]))
