"""The HTTP contract, against a real server: what is sent, what is tried again, and what is said of wrong answers."""

import base64
import io
import time

import numpy as np
import pytest
import torch

from mammo_fixtures import UnusableInput, load_classifier
from mammo_fixtures.classifiers import http_classifier
from mammo_fixtures.classifiers.endpoint_settings import check_address
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.classifiers.tests.stored_networks import scoring, served

DECLARED = {"score": "probability", "intensity": [0, 1]}
VIEWS = [torch.full((1, 4, 3), value) for value in (0.25, 0.75)]


def mean(views):
    return views.mean(dim=(1, 2, 3))


def asked(answer, **how):
    """Scores of two views by an endpoint that gives these answers."""
    with served(answer) as address:
        classifier = http_classifier(address, first_pause_seconds=0.001, **how)
        return Inference(classifier, device="cpu").view_scores(VIEWS, ["one", "two"])


def refused(answer, **how):
    with pytest.raises(UnusableInput) as caught:
        asked(answer, **how)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def after_get(answer):
    return lambda method, body, headers: scoring(mean, DECLARED)(method, body, headers) if method == "GET" else answer


def test_one_request_a_batch_with_pixels_and_nothing_else():
    requests = []

    def answer(method, body, headers):
        requests.append((method, headers, body))
        return scoring(mean, DECLARED)(method, body, headers)

    assert asked(answer, headers={"Authorization": "Bearer secret"}) == [0.25, 0.75]
    (get, _, _), (post, headers, body) = requests
    assert (get, post, headers["Content-Type"]) == ("GET", "POST", "application/x-npy")
    assert headers["Authorization"] == "Bearer secret"
    sent = np.load(io.BytesIO(body), allow_pickle=False)
    assert (sent.shape, sent.dtype) == ((2, 1, 4, 3), np.dtype("<f4"))


def test_at_exam_level():
    declared = {**DECLARED, "level": "exam", "views": ["L-CC", "R-CC"]}

    def network(views):
        return {name[0]: mean(images) for name, images in views.items()}

    with served(scoring(network, declared)) as address:
        inference = Inference(load_classifier(address), device="cpu")
        given = {"L-CC": VIEWS[0], "R-CC": VIEWS[1]}
        assert inference.exam_scores(given, "exam 1") == {"L": 0.25, "R": 0.75}


def test_scores_are_kept_only_with_a_version():
    with served(scoring(mean, DECLARED, version="")) as address:
        assert fingerprint(load_classifier(address)) == ""
    prints = []
    for version in ("1", "2"):
        with served(scoring(mean, DECLARED, version=version)) as address:
            prints.append(fingerprint(load_classifier(address)))
    assert all(prints)
    assert len(set(prints)) == 2


def test_a_query_or_a_header_that_chooses_a_network_keeps_its_scores_apart():
    with served(scoring(mean, DECLARED)) as address:
        plain = fingerprint(load_classifier(address))
        one, other = (fingerprint(load_classifier(f"{address}?model={name}")) for name in "ab")
        headed = fingerprint(http_classifier(address, headers={"X-Model": "b"}))
        assert len({plain, one, other, headed}) == 4
        # Who asks decides no score: a new token must find the old one's scores.
        assert fingerprint(http_classifier(address, headers={"authorization": "Bearer secret"})) == plain


@pytest.mark.parametrize("version", [None, ""])
def test_no_version_is_no_version(version):
    answer = scoring(mean, DECLARED, version=version)
    with served(answer) as address:
        assert fingerprint(load_classifier(address)) == ""
    assert asked(answer) == [0.25, 0.75]


def test_scores_may_leave_the_version_out():
    assert asked(after_get((200, {"scores": [0.25, 0.75], "version": None}))) == [0.25, 0.75]


def test_a_version_that_is_no_text_or_comes_too_late():
    assert "its version must be a text, got ['1']" in refused(scoring(mean, DECLARED, version=["1"]))
    late = lambda method, body, headers: scoring(mean, DECLARED, "" if method == "GET" else "1")(method, body, headers)  # noqa: E731
    assert "its version must stand in the answer to GET too, got '1' with scores only" in refused(late)


def test_user_and_password_are_sent():
    def answer(method, body, headers):
        given = base64.b64decode(headers.get("Authorization", "").removeprefix("Basic ")).decode()
        return scoring(mean, DECLARED)(method, body, headers) if given == "me:p w" else (401, b"who is it?")

    with served(answer) as address:
        asking = load_classifier(address.replace("://", "://me:p%20w@"))
        assert Inference(asking, device="cpu").view_scores(VIEWS, ["one", "two"]) == [0.25, 0.75]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"timeout_seconds": 0}, "timeout_seconds must be a time above 0, got 0"),
        ({"tries": 0}, "tries must be at least 1, got 0"),
        ({"first_pause_seconds": -1}, "first_pause_seconds must be a time of 0 or more, got -1"),
        ({"headers": {"Authorization": None}}, "header Authorization must be a text, got NoneType"),
        ({"headers": {"Authorization": "Bearer secret\n"}}, "header Authorization must be printable ASCII in one line"),
    ],
)
def test_settings_that_no_request_can_be_made_of(given, said):
    with pytest.raises(UnusableInput) as caught:
        http_classifier("http://127.0.0.1:9/score", **given)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://host:99999/score", "its port must be a number from 1 to 65535"),
        ("http://host:port/score", "its port must be a number from 1 to 65535"),
        ("http://host/score?token=secret one", "its address must be of ASCII characters without blanks"),
        ("http://host/größe?token=secret", "its address must be of ASCII characters without blanks"),
        ("ftp://host/score", "its address must be http://host:port/path or https://…, got 'ftp://host'"),
        ("htp://user:secret@host/score?token=secret", "http://host:port/path or https://…, got 'htp://host'"),
        ("user@host/score?token=secret", "http://host:port/path or https://…, got 'host/score'"),
        ("http://", "http://host:port/path or https://…, got 'http://'"),
    ],
)
@pytest.mark.parametrize("load", [check_address, http_classifier])
def test_addresses_that_no_request_can_be_made_of(address, said, load):
    with pytest.raises(UnusableInput) as caught:
        load(address)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_fails_on_the_way_is_tried_again():
    count = [0]

    def sometimes(method, body, headers):
        count[0] += 1
        return scoring(mean, DECLARED)(method, body, headers) if count[0] % 3 == 0 else (503, b"busy")

    assert asked(sometimes) == [0.25, 0.75]
    assert count == [6]
    count[0] = 0
    message = refused(sometimes, tries=2)
    assert message.startswith("endpoint http://127.0.0.1:")
    assert message.endswith("/score: it must answer with 200, 2 tries ended with 503, 'busy' (docs/http.md)")


def test_an_endpoint_that_is_not_there():
    with served(scoring(mean, DECLARED)) as address:
        pass
    with pytest.raises(UnusableInput, match=r"it must answer, 2 tries ended with ConnectionRefusedError"):
        http_classifier(address, tries=2, first_pause_seconds=0.001)


def test_a_slow_one_is_given_up():
    def slow(method, body, headers):
        time.sleep(0.3)
        return 200, {}

    assert "it must answer, 1 tries ended with TimeoutError: no whole answer within 0.05 s" in refused(
        slow, timeout_seconds=0.05, tries=1
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((400, b"bad\nshape"), "it must answer with 200, got 400, 'bad shape'"),
        ((302, b""), "it must answer with 200, got 302, an empty answer"),
        ((200, b"<html>"), "it must answer with JSON, got '<html>'"),
        ((200, [0.5]), "it must answer with a JSON object, got list"),
        ((200, {"score": [0.5]}), "its answer must hold scores, got score"),
        ((200, {"scores": 0.5}), "scores must be a list of numbers, one a view, got 0.5"),
        ((200, {"scores": ["a"]}), "scores must be a list of numbers, one a view, got ['a']"),
        ((200, {"scores": [True, None]}), "scores must be a list of numbers, one a view, got [True, None]"),
        ((200, {"scores": [10**400, 0.5]}), "scores must be a list of numbers, one a view, got [1000"),
        ((200, b"[" * 10**5), "it must answer with JSON, got '[[[[[["),
        ((200, b'{"a":' * 10**5), "it must answer with JSON, got '{"),
        ((200, {"scores": [0.5], "version": "2"}), "its version must stay the same during a run, got '2' after '1'"),
    ],
)
def test_wrong_answers(answer, said):
    assert said in refused(after_get(answer))


def test_scores_are_checked_as_any_others():
    assert "scores must be real numbers of shape (2,) or (2, 1), one a view, got (1,)" in refused(
        after_get((200, {"scores": [0.5]}))
    )
    assert "a probability must lie in [0, 1], got 1.5 for one" in refused(after_get((200, {"scores": [1.5, 0.5]})))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "a declaration must be a table of fields, got NoneType"),
        ({"declaration": {"score": "logit"}}, "a declaration needs score and intensity, got no intensity"),
        ({"declaration": DECLARED | {"size": 3}}, "'size' is no field of a classifier"),
    ],
)
def test_an_endpoint_must_declare_itself(answer, said):
    assert said in refused(lambda method, body, headers: (200, answer))


def test_secrets_in_the_address_are_not_repeated():
    with served(scoring(mean, DECLARED)) as address:
        secret = address.replace("://", "://me:secret@") + "?token=secret"
        classifier = http_classifier(secret)
        assert classifier.name == address
        assert "secret" not in str(fingerprint(classifier))
    with pytest.raises(UnusableInput) as caught:
        http_classifier(secret, tries=1)
    assert "secret" not in str(caught.value)
