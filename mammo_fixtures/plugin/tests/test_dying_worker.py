"""A worker that dies costs its test and no score: the run is red and says why, the next one is green."""

DYING = '''
import os, pathlib
from release import Detail
from mammo_fixtures import Classifier

class Dying(Detail):
    """Kills its process once, in the midst of an exam."""

    def forward(self, x):
        forward.calls += 1
        if forward.calls == 7 and pathlib.Path("die").exists():
            pathlib.Path("die").unlink()
            os._exit(1)
        return super().forward(x)

class forward:
    calls = 0

def load():
    return Classifier(Dying(), name="dying", score="logit", fingerprint="dying 1")
'''


def run(gate):
    return gate.runpytest_subprocess("-n", "2", "-k", "holds or responds or clean", "--mammo-classifier=dying:load")


def test_the_others_do_its_exams_the_run_is_red_and_the_next_one_green(gate):
    gate.makefile(".py", dying=DYING)
    (gate.path / "die").touch()
    result = run(gate)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["mammo: 2 workers share the exams and the CPU's threads", "*worker 'gw?' crashed while running*"]
    )
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == 1, "the test it held, and no other"
    again = run(gate)
    assert again.ret == 0
    assert again.parseoutcomes() == {"passed": outcomes["failed"] + outcomes["passed"]}
    again.stdout.fnmatch_lines(["*1,200 of them from the store*"])
