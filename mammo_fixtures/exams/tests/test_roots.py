"""No path in a manifest leads out of its folder, by whatever way, unless its reader allows where it leads."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import read_cohort
from mammo_fixtures.exams.remote_file import RemoteFile, file_at
from mammo_fixtures.exams.roots import Roots, listed, roots_of


@pytest.fixture
def site(tmp_path):
    """A manifest's folder beside another one, each with an image and a region."""
    for name in ("site/images", "site2", "elsewhere"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        Image.fromarray(np.full((8, 6), 60000, np.uint16)).save(folder / "1.png")
        (folder / "outline.json").write_text("[[[1, 1], [1, 4], [4, 4]]]")
    return tmp_path / "site"


def cohort(site, path, region="", allowed=()):
    manifest = site / "site.csv"
    manifest.write_text(f"exam_id,side,view,path,pixel_spacing_mm,roi_path\n7,L,CC,{path},0.07,{region}\n")
    return read_cohort(manifest, allow_outside=[str(each) for each in allowed])


def links(site):
    (site / "link.png").symlink_to(site.parent / "elsewhere" / "1.png")
    (site / "folder").symlink_to(site.parent / "elsewhere")
    (site / "around").symlink_to(site / "images")


WAYS_OUT = [
    "../elsewhere/1.png", "images/../../elsewhere/1.png", "link.png", "folder/1.png", "around/../../elsewhere/1.png",
    "folder/../elsewhere/1.png", "../site2/1.png", "{parent}/elsewhere/1.png", "file://{parent}/elsewhere/1.png",
    "local://{parent}/elsewhere/1.png", "{parent}/site2/1.png", "/etc/passwd", "/dev/zero", "..", "/",
    "memory://elsewhere/1.png", "simplecache::file://{parent}/elsewhere/1.png", "zip://1.png::/etc/passwd",
    "reference://1.png::{parent}/site/refs.json", "https://host/1.png",
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS_OUT)
@pytest.mark.parametrize("column", ["path", "roi_path"])
def test_no_way_out(site, way, column):
    links(site)
    path = way.format(parent=site.parent)
    given = (path, "") if column == "path" else ("images/1.png", path)
    with pytest.raises(UnusableInput) as refusal:
        cohort(site, *given)
    said = str(refusal.value)
    assert said.startswith(f"site.csv, row 2: a path must stay in the folder of site.csv, got {path!r}")
    assert "allow its folder: --mammo-allow-outside=" in said


@pytest.mark.parametrize(
    "path", ["images/1.png", "./images/1.png", "images/../images/1.png", "around/1.png", "{parent}/site/images/1.png"]
)
def test_what_stays_inside_is_read(site, path):
    links(site)
    assert cohort(site, path.format(parent=site.parent)).exams[0].views[0].read().shape == (8, 6)


@pytest.mark.parametrize("way", WAYS_OUT[:8])
def test_what_is_allowed_is_read(site, way):
    links(site)
    view = (
        cohort(
            site,
            way.format(parent=site.parent),
            "../elsewhere/outline.json",
            allowed=[site.parent / "elsewhere", site.parent / "site2"],
        )
        .exams[0]
        .views[0]
    )
    assert view.read().region.any()


def test_the_folder_that_the_message_names_is_the_one_to_allow(site):
    links(site)
    with pytest.raises(UnusableInput) as refusal:
        cohort(site, "link.png")
    folder = str(refusal.value).rpartition("=")[2]
    assert cohort(site, "link.png", allowed=[folder]).exams


def test_a_folder_reached_by_a_link_of_its_own_is_one_folder(site):
    (site.parent / "mounted").symlink_to(site)
    cohort(site, "images/1.png")
    assert read_cohort(site.parent / "mounted" / "site.csv").exams
    assert cohort(site, f"{site.parent}/mounted/images/1.png").exams


def test_links_in_a_circle_and_names_no_file_can_have_are_one_line(site):
    (site / "loop").symlink_to(site / "loop")
    for path in ("loop/1.png", "loop", "im\0age.png", "x" * 5000 + ".png"):
        with pytest.raises(UnusableInput, match=r"site.csv, row 2: "):
            cohort(site, path)


INSIDE = [
    ("s3://a/b/site.csv", "1.png"), ("s3://a/b/site.csv", "c/../1.png"), ("s3://a/b/site.csv", "s3://a/b/c/1.png"),
    ("zip://x/site.csv::s3://a/c.zip", "1.png"), ("zip://site.csv::s3://a/c.zip", "y/1.png"),
    ("s3://a/b/site.csv", "zip://1.png::s3://a/b/c.zip"), ("s3://a/b/site.csv", "simplecache::s3://a/b/1.png"),
    ("https://h/a/site.csv?sig=1", "1.png"), ("s3://site.csv", "1.png"),
]  # fmt: skip
OUTSIDE = [
    ("s3://a/b/site.csv", "../1.png"), ("s3://a/b/site.csv", "s3://a/b2/1.png"), ("s3://a/b/site.csv", "s3://A/b/1.png"),
    ("s3://a/b/site.csv", "s3://a/b/../1.png"), ("https://h/a/site.csv", "https://h/a/%2e%2e/1.png"),
    ("https://h/site.csv", "https://h@other/1.png"), ("https://h/a/site.csv", "http://h/a/1.png"),
    ("zip://x/site.csv::s3://a/c.zip", "zip://x/1.png::s3://a/d.zip"), ("zip://x/site.csv::s3://a/c.zip", "../1.png"),
    ("s3://a/b/site.csv", "zip://1.png::s3://a/c.zip"), ("s3://a/b/site.csv", "reference://1.png::s3://a/b/r.json"),
    ("s3://a/b/site.csv", "/data/1.png"), ("s3://a/b/site.csv", "simplecache::file:///data/1.png"),
]  # fmt: skip


@pytest.mark.parametrize(("manifest", "text", "inside"), [(*c, True) for c in INSIDE] + [(*c, False) for c in OUTSIDE])
def test_urls_by_the_same_rule(manifest, text, inside):
    roots = Roots(manifest=RemoteFile(manifest))
    file = file_at(text, beside=RemoteFile(manifest))
    if inside:
        assert roots.check(file, text, "row 2") is file
    else:
        with pytest.raises(UnusableInput, match=r"row 2: a path must stay in the folder of site.csv"):
            roots.check(file, text, "row 2")


def test_what_is_allowed_may_be_a_url_or_a_folder(tmp_path):
    roots = Roots(manifest=tmp_path / "site.csv", allowed=roots_of(["s3://a/b/", str(tmp_path.parent)]))
    for text in ("s3://a/b/c/1.png", "../1.png"):
        assert roots.check(file_at(text, beside=tmp_path / "site.csv"), text, "")
    with pytest.raises(UnusableInput):
        roots.check(file_at("s3://a/bc/1.png"), "", "")


def test_a_list_as_it_is_written_in_options():
    assert listed("a, s3://b/c ,/d/", Path("/base")) == ("/base/a", "s3://b/c", "/d")
    assert listed("", Path("/base")) == ()
    assert listed("../x", Path("/base/y")) == ("/base/x",)


def test_a_cohort_that_moves_with_its_folder_still_reads(site):
    cohort(site, "images/1.png")
    shutil.move(site, site.parent / "moved")
    assert read_cohort(site.parent / "moved" / "site.csv").exams[0].views[0].read().shape == (8, 6)
