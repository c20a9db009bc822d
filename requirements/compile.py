"""Writes hashed.txt and torch.txt: every distribution that the extras need, with the hashes of all its files.

    tox -e hashes

asks the package index for the versions in constraints.txt, for Python 3.11 and later and every platform. torch and what
only its CUDA build needs stand apart in torch.txt: who takes torch from elsewhere installs it first and leaves it out.
"""

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
TORCH = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)==")
HEAD = "# Made by requirements/compile.py from pyproject.toml and constraints.txt; use with pip's --require-hashes.\n"


def compiled():
    """One text a distribution, its name first, its hashes indented."""
    line = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal"]
    line += ["--python-version=3.11", "--generate-hashes", "--constraints=constraints.txt"]
    line += ["--no-header", "--no-annotate", "--no-emit-index-url", "--quiet", "--only-binary=:all:"]
    text = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return re.split(r"\n(?=\w)", text.strip())


def main():
    entries = compiled()
    for name, wanted in (("torch.txt", True), ("hashed.txt", False)):
        chosen = [entry for entry in entries if bool(TORCH.match(entry)) is wanted]
        (FOLDER / name).write_text(HEAD + "".join(f"{entry}\n" for entry in chosen), encoding="utf-8")
        print(f"{name}: {len(chosen)} distributions, {sum(entry.count('--hash=') for entry in chosen)} hashes")


if __name__ == "__main__":
    main()
