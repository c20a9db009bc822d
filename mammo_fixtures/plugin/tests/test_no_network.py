"""A run needs no network: with every socket to one refused, in all its processes, the gate gives the same verdicts.

The whole default gate, on Linux, in a network namespace that has no interface: `unshare -rn .venv/bin/pytest`.
"""

import os
import subprocess
import sys

BLOCKED = '''
"""Runs in every Python process before anything else: no address of a network can be looked up or reached."""
import socket

def _refuse(*address, **more):
    with open(LOG, "a") as log:
        log.write(f"{address!r}\\n")
    raise OSError("a test forbids the network")

class _NoNetwork(socket.socket):
    def connect(self, address):
        return super().connect(address) if self.family == socket.AF_UNIX else _refuse(address)

    def connect_ex(self, address):
        return super().connect_ex(address) if self.family == socket.AF_UNIX else _refuse(address)

    def sendto(self, *what):
        return super().sendto(*what) if self.family == socket.AF_UNIX else _refuse(what[-1])

socket.socket = socket.SocketType = _NoNetwork
for _name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "create_connection"):
    setattr(socket, _name, _refuse)
'''


def test_a_run_with_every_output_opens_no_socket(gate, monkeypatch):
    site, log = gate.mkdir("site"), gate.path / "sockets.txt"
    (site / "sitecustomize.py").write_text(BLOCKED.replace("LOG", repr(str(log))))
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    ask = "import urllib.request; urllib.request.urlopen('http://localhost:9')"
    asked = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert "a test forbids the network" in asked.stderr, "the block must work"
    assert log.exists()
    log.unlink()
    outputs = ("--mammo-report=out", "--junitxml=junit.xml", "--mammo-snapshots=curves", "--snapshot-update")
    result = gate.runpytest_subprocess("-k", "lowpass", "-n", "2", *outputs, timeout=300)
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["*claims: 2 held, 0 broken*", "note: report written to *report.html"])
    assert not log.exists(), log.read_text()
