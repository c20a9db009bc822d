"""Progress: rate and time left, not more often than is of use."""

from mammo_fixtures.plugin.progress import Progress


def lines(states, every_seconds=60.0, exams=0):
    now, said = [0.0], []
    progress = Progress(said.append, every_seconds=every_seconds, clock=lambda: now[0], exams=lambda: exams)
    for seconds, state in states:
        now[0] = seconds
        progress(*state)
    return said


def test_tells_rate_and_time_left_once_an_interval():
    said = lines([(10, (1000, 100, 0)), (60, (1000, 300, 100)), (70, (1000, 350, 100)), (120, (1000, 700, 100))])
    assert said == [
        "[mammo] 400 of 1,000 scores, 100 from the store, 5 scores/s, 2:00 min left",
        "[mammo] 800 of 1,000 scores, 100 from the store, 5.8 scores/s, 0:34 min left",
    ]


def test_a_warm_run_is_silent_and_a_long_one_tells_its_end():
    assert lines([(1, (1000, 0, 1000))]) == []
    assert lines([(60, (10, 5, 0)), (65, (10, 10, 0))])[-1] == "[mammo] 10 of 10 scores, 0.15 scores/s"


def test_tells_exams_once_their_number_is_known():
    """Exams by their share of scores; a slow classifier's rates keep their digits, and long times become hours."""
    said = lines([(60, (26_760, 100, 5_000)), (120, (26_760, 3_000, 5_000))], exams=200)
    assert said[0].startswith("[mammo] 38 of 200 exams (5,100 of 26,760 scores, 5,000 from the store), ")
    assert said[0].endswith(", 0.012 exams/s, 1.7 scores/s, 3.6 h left")
    assert said[1].startswith("[mammo] 59 of 200 exams (8,000 of 26,760 scores, 5,000 from the store), ")
    assert said[1].endswith(", 0.19 exams/s, 25 scores/s, 12:30 min left")
