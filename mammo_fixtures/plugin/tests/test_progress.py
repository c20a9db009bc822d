"""Progress: rate and time left, not more often than is of use."""

from mammo_fixtures.plugin.progress import Progress


def lines(states, every_seconds=60.0):
    now, said = [0.0], []
    progress = Progress(said.append, every_seconds=every_seconds, clock=lambda: now[0])
    for seconds, state in states:
        now[0] = seconds
        progress(*state)
    return said


def test_tells_rate_and_time_left_once_an_interval():
    said = lines([(10, (1000, 100, 0)), (60, (1000, 300, 100)), (70, (1000, 350, 100)), (120, (1000, 700, 100))])
    assert said == [
        "[mammo] 400 of 1,000 scores, 100 from the store, 5 scores/s, 2:00 min left",
        "[mammo] 800 of 1,000 scores, 100 from the store, 6 scores/s, 0:34 min left",
    ]


def test_a_warm_run_is_silent_and_a_long_one_tells_its_end():
    assert lines([(1, (1000, 0, 1000))]) == []
    assert lines([(60, (10, 5, 0)), (65, (10, 10, 0))])[-1] == "[mammo] 10 of 10 scores, 0 scores/s"
