"""Containers that keep processors busy: told after ten minutes without a break, by what they may use at most."""

import pytest

from seawall.runtime.collect import busy
from seawall.runtime.collect.busy import AGAIN, LEAST, Burning, usage
from seawall.runtime.model import Container

ONE = Container("1" * 64, "one", pid=7)


class Figures:
    """A container that uses so many processors, out of so many it may use."""

    def __init__(self, allowed=float("inf")):
        self.used, self.allowed = 0, allowed

    def read(self, pid):
        return self.used, self.allowed


def minutes(burning, figures, cores, start=0.0):
    """What is told after each minute at these loads."""
    told = []
    for number, load in enumerate(cores):
        figures.used += int(load * 60e9)
        told += [(number, one.minutes) for one in burning.look([ONE], start + number * 60.0)]
    return told


def test_ten_busy_minutes_are_told_once_and_again_after_an_hour():
    figures = Figures()
    told = minutes(Burning(figures.read), figures, [2.0] * (LEAST + AGAIN + 2))
    assert told == [(LEAST, LEAST), (LEAST + AGAIN, LEAST + AGAIN)]


def test_a_break_begins_anew():
    figures = Figures()
    told = minutes(Burning(figures.read), figures, [1.0] * 8 + [0.2] + [1.0] * 9 + [0.0] + [1.0] * 9)
    assert told == []


@pytest.mark.parametrize(("allowed", "load", "count"), [(0.5, 0.49, 1), (0.5, 0.3, 0), (4.0, 0.85, 0), (4.0, 0.95, 1)])
def test_what_counts_is_what_it_may_use(allowed, load, count):
    figures = Figures(allowed)
    assert len(minutes(Burning(figures.read), figures, [load] * 15)) == count


def test_one_pass_a_minute():
    calls = []
    burning = Burning(calls.append)
    for second in range(121):
        list(burning.look([ONE, Container("2" * 64)], float(second)))
    assert calls == [7, 7, 7], "and none for a container that does not run"


def test_a_counter_that_began_anew_is_no_load():
    figures = Figures()
    burning = Burning(figures.read)
    minutes(burning, figures, [2.0] * 5)
    figures.used = 0
    assert minutes(burning, figures, [0.1, 2.0], start=300.0) == []


def of(monkeypatch, text):
    monkeypatch.setattr(busy.procfs, "read", lambda pid, name: text.encode())


def test_figures_of_both_hierarchies(tmp_path, monkeypatch):
    new, old = tmp_path / "docker/x", tmp_path / "cpuacct/docker/x"
    old.mkdir(parents=True)
    new.mkdir(parents=True)
    (new / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1000000\n")
    (new / "cpu.max").write_text("50000 100000\n")
    (old / "cpuacct.usage").write_text("7000000000\n")
    of(monkeypatch, "0::/docker/x\n")
    assert usage(1, [str(tmp_path)]) == (1_500_000_000, 0.5)
    (new / "cpu.max").write_text("max 100000\n")
    assert usage(1, [str(tmp_path)]) == (1_500_000_000, float("inf"))
    of(monkeypatch, "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n")
    assert usage(1, [str(tmp_path)]) == (7_000_000_000, float("inf"))
    (old / "cpu.cfs_quota_us").write_text("-1\n")
    (old / "cpu.cfs_period_us").write_text("100000\n")
    assert usage(1, [str(tmp_path)]) == (7_000_000_000, float("inf"))
    for odd in ("0::/\n", "0::/../x\n", "0::/gone\n", "nonsense\n", ""):
        of(monkeypatch, odd)
        assert usage(1, [str(tmp_path)]) is None, odd
