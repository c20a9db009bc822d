"""What no program can be faster than on this machine: bytes against bandwidth, operations against the rate of products.

python robustness_tests/benchmarks/floors.py [--threads=1] [--device=cuda]
"""

import argparse
import statistics
import time

import torch
from resnet22 import SIZE, ResNet22

ROUNDS = 9
IMAGE_BYTES = 4 * SIZE[0] * SIZE[1]


def median_seconds(work, device):
    """CPU time of one thread's worth of work, which other work changes little; wall time with several, or on a GPU."""
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    took = []
    for _ in range(ROUNDS + 1):
        began = clock()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        took.append(clock() - began)
    return statistics.median(took[1:])


def operations(network):
    """Multiplications and additions of the convolutions, for one full-size view."""
    counted = []

    def count(module, _, out):
        inputs, (rows, columns) = module.in_channels, module.kernel_size
        counted.append(2 * out.numel() * inputs * rows * columns)

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 1, *SIZE))
    return sum(counted)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    image, out = torch.rand(SIZE, device=device), torch.empty(SIZE, device=device)
    bandwidth = 2 * IMAGE_BYTES / median_seconds(lambda: out.copy_(image), device)
    factor = torch.rand(2048, 2048, device=device)
    rate = 2 * 2048**3 / median_seconds(lambda: factor @ factor, device)
    needed = operations(ResNet22())
    print(f"{options.device}, {options.threads} threads: {bandwidth / 1e9:.1f} GB/s copied, {rate / 1e9:.0f} GFLOP/s")
    print(f"an image read and another written, {2 * IMAGE_BYTES / 1e6:.0f} MB: {2e3 * IMAGE_BYTES / bandwidth:.2f} ms")
    print(f"ResNet-22's convolutions, {needed / 1e9:.0f} GFLOP: {1e3 * needed / rate:.0f} ms a view")


if __name__ == "__main__":
    main()
