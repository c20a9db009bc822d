"""What the store keeps is not computed again, and what decides a score makes it another score."""

import os
from dataclasses import replace

import numpy as np
import pytest

from mammo_fixtures import Classifier, View, read_cohort, score
from mammo_fixtures.exams import Breast, Cohort, Exam
from mammo_fixtures.scoring.engines.local import LocalEngine
from mammo_fixtures.scoring.one_pass import Pass
from mammo_fixtures.scoring.tests import tiny_cohort
from mammo_fixtures.scoring.tests.comparing import by_hand, same
from mammo_fixtures.scoring.tests.tiny_cohort import (
    CONDITIONS,
    PLAN,
    FourViews,
    Pattern,
    in_memory,
    on_disk,
    view_level,
)


def test_a_second_run_decodes_and_scores_nothing(tmp_path, run):
    manifest = on_disk(tmp_path)
    first, images, decoded = run(read_cohort(manifest))
    assert (images, decoded) == (6 * CONDITIONS, 6)
    again, images, decoded = run(read_cohort(manifest))
    assert (images, decoded) == (0, 0)
    assert same(first, again)


def test_a_part_then_the_whole_computes_what_is_missing(tmp_path, run):
    manifest = on_disk(tmp_path)
    _, images, _ = run(read_cohort(manifest), {"lowpass": (4.0,)})
    assert images == 6 * 2
    whole, images, decoded = run(read_cohort(manifest))
    assert (images, decoded) == (6 * (CONDITIONS - 2), 6)
    assert same(whole, score(read_cohort(manifest), view_level(), PLAN, device="cpu"))
    _, images, decoded = run(read_cohort(manifest), {"rotation": (5,), "contrast": (0.5,)})
    assert (images, decoded) == (0, 0)


def test_more_exams_cost_only_theirs(tmp_path, run):
    run(read_cohort(on_disk(tmp_path, 3)))
    _, images, decoded = run(read_cohort(on_disk(tmp_path, 13)))
    assert (images, decoded) == (20 * CONDITIONS, 20)


def test_a_changed_label_or_stratum_computes_nothing(tmp_path, run):
    run(read_cohort(on_disk(tmp_path)))
    relabelled = read_cohort(on_disk(tmp_path, labels=dict.fromkeys("012", "1"), density="d"))
    table, images, decoded = run(relabelled)
    assert (images, decoded) == (0, 0)
    assert table.malignant.tolist() == [1] * 6


def test_rows_in_another_order_compute_nothing(tmp_path, run):
    manifest = on_disk(tmp_path)
    first, _, _ = run(read_cohort(manifest))
    header, *rows = manifest.read_text().splitlines()
    manifest.write_text("\n".join([header, *reversed(rows)]) + "\n")
    again, images, decoded = run(read_cohort(manifest))
    assert (images, decoded) == (0, 0)
    assert again.exam_id.tolist() == first.exam_id.tolist()[::-1]
    assert np.array_equal(again.scores, first.scores[:, ::-1])


def test_a_changed_pixel_computes_that_breast(tmp_path, run):
    from PIL import Image

    manifest = on_disk(tmp_path)
    run(read_cohort(manifest))
    stored = tiny_cohort.pixels("1", "R", "CC")
    stored[12, 4] ^= 1
    Image.fromarray(stored).save(tmp_path / "1_R.png")
    os.utime(tmp_path / "1_R.png", ns=(1, 1))
    _, images, decoded = run(read_cohort(manifest))
    assert (images, decoded) == (CONDITIONS, 1)


def test_a_file_only_touched_is_decoded_and_not_scored(tmp_path, run):
    manifest = on_disk(tmp_path)
    run(read_cohort(manifest))
    os.utime(tmp_path / "1_R.png", ns=(1, 1))
    _, images, decoded = run(read_cohort(manifest))
    assert (images, decoded) == (0, 1)


def test_another_spacing_computes_everything(tmp_path, run, monkeypatch):
    run(read_cohort(on_disk(tmp_path)))
    monkeypatch.setattr(tiny_cohort, "SPACING_MM", 0.25)
    _, images, decoded = run(read_cohort(on_disk(tmp_path)))
    assert (images, decoded) == (6 * CONDITIONS, 6)


def test_another_seed_computes_what_is_keyed_on_it(tmp_path, run):
    manifest = on_disk(tmp_path)
    first, _, _ = run(read_cohort(manifest))
    again, images, _ = run(read_cohort(manifest), seed=1)
    assert images == 6
    changed = {c.perturbation for c, one, other in zip(first.conditions, first.scores, again.scores, strict=True)
               if not np.array_equal(one, other)}  # fmt: skip
    assert changed == {"gaussian_noise"}


def test_another_exam_id_computes_what_is_keyed_on_it(tmp_path, run):
    manifest = on_disk(tmp_path)
    run(read_cohort(manifest))
    manifest.write_text(manifest.read_text().replace("\n1,", "\nother,"))
    _, images, decoded = run(read_cohort(manifest))
    assert images == 2
    assert decoded == 2


def test_other_weights_or_another_precision_compute_everything(tmp_path, run):
    manifest = on_disk(tmp_path)
    run(read_cohort(manifest))
    _, images, decoded = run(read_cohort(manifest), classifier=view_level(Pattern(gain=1.5)))
    assert (images, decoded) == (6 * CONDITIONS, 6)
    _, images, _ = run(read_cohort(manifest), precision="bf16")
    assert images == 6 * CONDITIONS
    _, images, _ = run(read_cohort(manifest), classifier=view_level(aggregate="max"))
    assert images == 6 * CONDITIONS
    _, images, _ = run(read_cohort(manifest), classifier=Classifier(Pattern(), name="called otherwise"))
    assert images == 0


def test_at_exam_level_one_changed_view_computes_the_exam(run):
    four = Classifier(FourViews(), name="four", level="exam")
    first, images, _ = run(in_memory(3), classifier=four)
    assert images == 3 * 4 * CONDITIONS, "both breasts from one call"
    again, images, _ = run(in_memory(3), classifier=four)
    assert images == 0
    assert same(first, again)
    view = in_memory(3).exams[1].breasts[0].views[0]
    exams = list(in_memory(3).exams)
    left = exams[1].breasts[0]
    darker = View(
        pixels=view.pixels * np.float32(0.9), pixel_spacing_mm=view.pixel_spacing_mm, side="L", position="CC",
        exam_id="1", intensity_range=view.intensity_range,
    )  # fmt: skip
    changed = Breast(exam_id="1", side="L", views=(darker, left.views[1]), malignant=left.malignant)
    exams[1] = Exam(exam_id="1", breasts=(changed, exams[1].breasts[1]))
    _, images, _ = run(Cohort(name="tiny", exams=tuple(exams)), classifier=four)
    assert images == 4 * CONDITIONS


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE scores SET score = score + 0.001",
        "DELETE FROM scores",
    ],
)
def test_damaged_rows_are_computed_again(tmp_path, run, damage):
    manifest = on_disk(tmp_path)
    first, _, _ = run(read_cohort(manifest))
    by_hand(run.store, damage)
    again, images, _ = run(read_cohort(manifest))
    assert images == 6 * CONDITIONS
    assert same(first, again)


def test_rows_damaged_before_the_table_is_read_are_computed_again(run, monkeypatch):
    expected, _, _ = run(in_memory(3))
    run.store.unlink()
    table = Pass._table

    def damaged(self, work):
        by_hand(run.store, "UPDATE scores SET guard = 0 WHERE key IN (SELECT key FROM scores LIMIT 20)")
        return table(self, work)

    monkeypatch.setattr(Pass, "_table", damaged)
    again, images, _ = run(in_memory(3))
    assert same(expected, again)
    assert 0 < images - 12 * CONDITIONS <= 40


class OnGPUsElsewhere(LocalEngine):
    """Says that it scores on GPUs, as a cluster's driver without one does."""

    runs = 0

    def device_type(self, own):
        return "cuda"

    def run(self, work):
        self.runs += 1
        super().run(replace(work, name=f"{work.name} {self.runs}"))


def test_scores_of_a_gpu_and_of_a_cpu_are_kept_apart_and_never_mixed_in_a_table(run, monkeypatch):
    _, images, _ = run(in_memory(1), engine=OnGPUsElsewhere())
    assert images == 4 * CONDITIONS
    assert run(in_memory(1), engine=OnGPUsElsewhere())[1] == 0
    table, images, _ = run(in_memory(1))
    assert images == 4 * CONDITIONS, "nothing of the GPU's is taken for the CPU's"
    read = Pass._table

    def damaged(self, work):
        by_hand(run.store, "UPDATE scores SET guard = 0")
        return read(self, work)

    monkeypatch.setattr(Pass, "_table", damaged)
    engine = OnGPUsElsewhere()
    again, _, _ = run(in_memory(1), engine=engine)
    assert engine.runs == 2, "a damaged row is asked of the engine again, not made here"
    assert same(table, again)


def test_damaged_memories_of_files_cost_a_decoding(tmp_path, run):
    manifest = on_disk(tmp_path)
    first, _, _ = run(read_cohort(manifest))
    by_hand(run.store, "UPDATE files SET pixels = zeroblob(20) WHERE file IN (SELECT file FROM files LIMIT 2)")
    again, images, decoded = run(read_cohort(manifest))
    assert (images, decoded) == (0, 2)
    assert same(first, again)


def test_what_has_no_fingerprint_is_not_kept(run):
    def bare(batch):
        tiny_cohort.scored.append(len(batch))
        return batch.mean(dim=(1, 2, 3))

    for _ in range(2):
        _, images, _ = run(in_memory(2), {"contrast": (0.5,)}, Classifier(bare))
        assert images == 2 * 4 * 2
    for expected in (2 * 4 * 2, 0):
        _, images, _ = run(in_memory(2), {"contrast": (0.5,)}, Classifier(bare, fingerprint="bare 1"))
        assert images == expected
