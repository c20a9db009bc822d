"""Classifiers that fail in the midst of a pass, each in one way; written beside a test's gate as `faulty.py`."""

FAULTY = '''
import ctypes, os, time
import torch
from release import Detail
from mammo_fixtures import Classifier


calls = 0


class Failing(Detail):
    """Good for 40 calls, then the fault that the environment names comes in place of every answer."""

    def forward(self, x):
        global calls
        calls += 1
        good = super().forward(x)
        return good if calls <= 40 else globals()[os.environ["FAULT"]](x, good)


def load():
    return Classifier(Failing(), name="faulty", score="logit", fingerprint="faulty 1")

def inner_step(x, good):
    raise KeyError("stage \\x1b[31m3")

def lose_gpu(x, good):
    raise RuntimeError("CUDA error: an illegal memory access was encountered\\nCompile with TORCH_USE_CUDA_DSA")

def sleep_forever(x, good):
    time.sleep(1000)

def hold_the_interpreter(x, good):
    ctypes.PyDLL(None).sleep(1000)

def die(x, good):
    os.kill(os.getpid(), 11)

def leave(x, good):
    os._exit(0)

def interrupt(x, good):
    open("reached.txt", "w").close()
    time.sleep(30)
    return good


def nan(x, good): return good * float("nan")
def one_too_many(x, good): return torch.cat([good, good[:1]])
def two_columns(x, good): return good[:, None].expand(-1, 2)
def text(x, good): return ["0.5"] * len(good)
def nothing(x, good): return good


def beyond_one():
    return Classifier(lambda x: x.mean((1, 2, 3)) * 0 + 1.25, name="beyond", score="probability")

def constant():
    return Classifier(lambda x: x.mean((1, 2, 3)) * 0 + 0.3, name="constant", fingerprint="constant 1")
'''
