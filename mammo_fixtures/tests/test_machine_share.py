"""What a process may use: the cores that it is bound to, the machine's memory, and what its control groups leave it."""

import os
from math import ceil

import pytest

from mammo_fixtures import machine_share
from mammo_fixtures.machine_share import free_bytes, usable_cores

GB = 10**9


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Writes the files that a machine of 64 cores and 32 GB free would have; without groups there are none."""
    monkeypatch.setattr(machine_share, "_MEMBER_OF", tmp_path / "cgroup")
    monkeypatch.setattr(machine_share, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine_share, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    (tmp_path / "meminfo").write_text(f"MemTotal: 90000000 kB\nMemAvailable: {32 * GB // 1024} kB\n")

    def write(member_of, **files):
        (tmp_path / "cgroup").write_text(member_of)
        for name, text in files.items():
            path = tmp_path / "groups" / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


FIRST = "3:memory:/docker\n2:cpu,cpuacct:/docker\n1:cpuset:/\n0::/\n"
SECOND = "0::/\n"


def quota(cores):
    """Files of either version that leave a container so many cores."""
    return {"cpu_dot_max": f"{cores * 100000:.0f} 100000\n"}, {
        "cpu__docker__cpu_dot_cfs_quota_us": f"{cores * 50000:.0f}\n",
        "cpu__docker__cpu_dot_cfs_period_us": "50000\n",
        "cpu__cpu_dot_cfs_quota_us": "-1\n",
        "cpu__cpu_dot_cfs_period_us": "50000\n",
    }


def limit(most, used, files):
    """Files of either version that leave a container so many bytes."""
    return {
        "memory_dot_max": f"{most}\n",
        "memory_dot_current": f"{used}\n",
        "memory_dot_stat": f"anon {used - files}\ninactive_file {files}\n",
    }, {
        "memory__docker__memory_dot_limit_in_bytes": f"{most}\n",
        "memory__docker__memory_dot_usage_in_bytes": f"{used}\n",
        "memory__docker__memory_dot_stat": f"inactive_file 5\ntotal_inactive_file {files}\n",
        "memory__memory_dot_limit_in_bytes": "9223372036854771712\n",
        "memory__memory_dot_usage_in_bytes": f"{50 * GB}\n",
    }


@pytest.mark.parametrize("cores", [0.25, 1, 2, 2.5, 16, 200])
def test_a_containers_quota_bounds_the_cores(machine, cores):
    second, first = quota(cores)
    expected = min(64, ceil(cores))
    machine(SECOND, **second)
    assert usable_cores() == expected
    machine("0::/kubepods/pod1/container\n")  # its path as the machine sees it
    assert usable_cores() == expected
    machine(FIRST, cpu_dot_max="max 100000\n", **first)
    assert usable_cores() == expected


def test_a_containers_limit_bounds_the_memory_and_files_that_can_go_do_not_count(machine):
    second, first = limit(4 * GB, 3 * GB, GB)
    machine(SECOND, **second)
    assert free_bytes() == 2 * GB
    machine(FIRST, memory_dot_max="max\n", **first)
    assert free_bytes() == 2 * GB
    machine(FIRST, **limit(64 * GB, 50 * GB, 0)[1])
    assert free_bytes() == 14 * GB


def test_what_the_machine_has_left_bounds_it_too(machine):
    machine(SECOND, **limit(200 * GB, GB, 0)[0])
    assert free_bytes() == 32 * GB // 1024 * 1024


def test_every_group_above_counts_and_no_other(machine):
    machine(
        "0::/system_slice/runner\n",
        system_slice__cpu_dot_max="400000 100000\n",
        system_slice__runner__cpu_dot_max="max 100000\n",
        another_slice__cpu_dot_max="100000 100000\n",
    )
    assert usable_cores() == 4


@pytest.mark.parametrize("member_of", ["", SECOND, FIRST])
def test_without_limits_the_machine_counts(machine, member_of):
    machine(member_of)
    assert usable_cores() == 64
    assert free_bytes() == 32 * GB // 1024 * 1024


def test_where_nobody_tells_nothing_is_told(machine, monkeypatch, tmp_path):
    (tmp_path / "meminfo").unlink()
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert free_bytes() is None
    assert usable_cores() == os.cpu_count()
