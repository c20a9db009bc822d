"""The page in a real browser: what works by hand works by keyboard, nothing is loaded, nothing complains."""

import os
import shutil
from pathlib import Path

import pytest

from mammo_fixtures.reports.html import html
from mammo_fixtures.reports.tests.example_findings import SUBGROUPS, beside, findings, gallery, hostile

CHROMIUM = os.environ.get("MAMMO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
LONGEST_TAB_ORDER = 400
SECONDS_TO_RENDER = 2.0


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no chromium on the PATH; name one in MAMMO_CHROMIUM")
    with playwright.sync_playwright() as session:
        launched = session.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


def drawn():
    plain = findings(perturbations=2, seen=gallery(), before_after=gallery(), notes=["a note"])
    return findings(
        perturbations=2, seen=gallery(), before_after=gallery(), notes=["a note"],
        beside=[beside(each, kind, kind, 0.02) for each in plain.curves for kind in ("snapshot", "baseline", "people")],
    )  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html(drawn().sorted()), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser):
    """Opens a page of its own; nothing may be requested and nothing be complained of, by the end of the test."""
    contexts, noise = [], []

    def go(path, **options):
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("request", lambda request: noise.append(request.url) if not _own(request.url) else None)
        page.goto(path.as_uri())
        return page

    def _own(url):
        return url.startswith(("file:", "data:"))

    yield go
    for context in contexts:
        context.close()
    assert not noise


def test_verdicts_on_the_page_are_those_of_the_file(opened, report):
    page = opened(report)
    shown = page.eval_on_selector_all(
        ".claim", "all => all.map(one => [one.querySelector('code').textContent, one.dataset.outcome, "
        "one.querySelector('.sentence').textContent, ...Array.from(one.querySelectorAll('dd'), dd => dd.textContent)])",
    )  # fmt: skip

    def number(value):
        return "–" if value is None else f"{value:.3f}"

    expected = [
        [v["test"].partition("[")[2][:-1], v["outcome"], v["sentence"], number(v["clean"]), number(v["perturbed"]),
         f"{number(v['drop'])} [{number(v['low'])}, {number(v['high'])}]", f"{v['margin']:g}",
         f"{v['positives']} / {v['negatives']}"]
        for v in drawn().verdicts
    ]  # fmt: skip
    assert sorted(shown) == sorted(expected)
    cells = page.eval_on_selector_all(
        ".matrix a", "all => all.map(a => [document.querySelector(a.hash + ' code').textContent, a.classList[1]])"
    )
    assert sorted(cells) == sorted([row[0], row[1]] for row in expected)


def test_hovering_and_the_slider_read_the_same_values_off(opened, report):
    page = opened(report)
    chart = page.locator(".chart").first
    box = chart.locator("svg").bounding_box()
    chart.locator("svg").hover(position={"x": box["width"] * 42 / 360, "y": box["height"] / 2})
    hovered = chart.locator(".readout").inner_text()
    assert hovered.startswith("clean\n")
    for group in SUBGROUPS:
        assert f"{group} 0.900 [0.860, 0.930], 40 malignant, 160 not" in hovered
    slider = chart.locator(".scrub")
    slider.focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    assert chart.locator(".readout").inner_text() == hovered
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext").startswith("0.17 mm. all 0.860 [0.820, 0.890], drop 0.040")


def test_subgroups_and_views_are_switched(opened, report):
    page = opened(report)
    chart = page.locator(".chart").first

    def visible(selector):
        return chart.locator(f"{selector} >> visible=true").count()

    assert visible('[data-view="value"] .series') == len(SUBGROUPS)
    assert visible('[data-view="value"] .limit') == visible(".outcome") == visible(".baseline") == 0
    page.get_by_label("masses", exact=True).check()
    assert visible('[data-view="value"] .series') == 1
    assert visible('[data-view="value"] .limit') == 8
    assert visible(".outcome") == 8
    for kind in ("snapshot", "baseline", "people"):
        assert visible(f'[data-view="value"] .{kind} .stroke') == 1
    readout = chart.locator(".readout").inner_text()
    assert "masses" in readout
    assert "baseline: " in readout
    assert "microcalcifications" not in readout
    page.get_by_label("its drop from clean").check()
    assert visible('[data-view="drop"] .series') == 1
    assert visible('[data-view="value"] .series') == 0


def test_the_keyboard_reaches_every_control(opened, report):
    page = opened(report)
    page.evaluate(
        "() => document.querySelectorAll('a, button, input, summary, [tabindex]').forEach((e, i) => e.dataset.n = i)"
    )
    reached = set()
    for _ in range(LONGEST_TAB_ORDER):
        page.keyboard.press("Tab")
        number = page.evaluate("() => document.activeElement.dataset.n")
        if number is None or number in reached:
            break
        reached.add(number)
        kind = page.evaluate("() => document.activeElement.type || document.activeElement.closest('.matrix')?.tagName")
        if kind == "radio":
            # A group is one stop; its arrows choose, and come back to where they began.
            name = page.evaluate("() => document.activeElement.name")
            for _ in range(page.locator(f'input[name="{name}"]').count()):
                reached.add(page.evaluate("() => document.activeElement.dataset.n"))
                page.keyboard.press("ArrowRight")
        if kind == "TABLE":
            before = None
            while before != (before := page.evaluate("() => document.activeElement.dataset.n")):
                reached.add(before)
                page.keyboard.press("ArrowRight")
    controls = page.eval_on_selector_all(
        "a, button, input, summary, [tabindex]",
        "all => all.filter(e => e.checkVisibility() && (e.tabIndex >= 0 || e.closest('.matrix')))"
        ".map(e => e.dataset.n)",
    )
    assert len(controls) > 60
    assert set(controls) - reached == set()


def test_a_cell_leads_to_its_claim_even_where_the_filter_hides_it(opened, report):
    page = opened(report)
    page.locator('input[name="shown"][value="inconclusive"]').check()
    assert page.locator(".claim >> visible=true").count() == sum(
        v["outcome"] == "inconclusive" for v in drawn().verdicts
    )
    page.locator(".matrix a.held").first.focus()
    page.keyboard.press("Enter")
    claim = page.locator(page.evaluate("() => location.hash"))
    # The page answers the change of its address a moment after the key.
    claim.wait_for(state="visible")
    page.wait_for_function("document.activeElement === document.querySelector(location.hash)")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(opened, report, tmp_path, width):
    for path in (report, _written(tmp_path, hostile("a_very_long_name_" * 12))):
        page = opened(path, viewport={"width": width, "height": 844})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_dark_follows_the_system_and_the_button_overrules_it(opened, report):
    def paper(page):
        return page.evaluate("() => getComputedStyle(document.body).backgroundColor")

    dark, light = opened(report, color_scheme="dark"), opened(report, color_scheme="light")
    assert paper(dark) != paper(light)
    button = dark.get_by_role("button", name="Theme: automatic")
    button.click()
    assert dark.get_by_role("button", name="Theme: light").is_visible()
    assert paper(dark) == paper(light)
    light.emulate_media(media="print")
    assert paper(light) == "rgb(255, 255, 255)"
    assert not light.locator(".controls >> visible=true").count()


def test_without_scripts_everything_can_be_read(opened, report):
    page = opened(report, java_script_enabled=False)
    assert page.locator(".claim >> visible=true").count() == len(drawn().verdicts)
    assert page.locator(".chart .series >> visible=true").count() >= 2 * len(SUBGROUPS)
    assert not page.locator("input >> visible=true").count()


@pytest.mark.parametrize("by", ["print", "no scripts"])
def test_whose_curve_a_line_is_can_be_read_where_nothing_can_be_chosen(opened, report, by):
    page = opened(report, java_script_enabled=by == "print")
    page.emulate_media(media="print" if by == "print" else "screen")
    keys = page.locator("#curves .lines li >> visible=true")
    assert [text.strip() for text in keys.all_inner_texts()] == sorted(
        SUBGROUPS, key=lambda name: (name != "all", name)
    )
    assert keys.locator("svg .mark").count() == len(SUBGROUPS)
    told = page.locator("main").inner_text()
    assert "slider" not in told, "of what works by hand nothing is said where it does not"
    assert "Arrow keys" not in told


def test_a_printed_key_names_the_subgroup_that_was_chosen(opened, report):
    page = opened(report)
    assert not page.locator("#curves .lines >> visible=true").count()
    page.get_by_label("masses", exact=True).check()
    page.emulate_media(media="print")
    assert page.locator("#curves .lines li >> visible=true").all_inner_texts() == [" masses"]


def test_a_printed_page_says_what_was_chosen_on_it(opened, report):
    """Of controls nothing is printed, and a part must not be taken for the whole."""
    page = opened(report)
    caption = page.locator(".chart figcaption").first
    assert "drop" not in caption.inner_text()
    page.get_by_label("its drop from clean").check()
    page.locator('input[name="shown"][value="not_run"]').check()
    page.emulate_media(media="print")
    assert "AUC, its drop from clean" in caption.inner_text()
    claims = page.locator(".claim >> visible=true").count()
    all_of_them = page.locator(".claim").count()
    assert f"{claims} of {all_of_them} claims: those not run" in page.locator("#claims").inner_text()
    page.emulate_media(media="screen")
    page.locator('input[name="shown"][value="all"]').check()
    assert "claims: those" not in page.locator("#claims").inner_text()


def test_a_long_id_hides_no_column_beside_it(opened, tmp_path):
    page = opened(_written(tmp_path, hostile("x" * 240)))
    for media in ("screen", "print"):
        page.emulate_media(media=media)
        last = page.locator("#moved table td").last.bounding_box()
        assert last["x"] + last["width"] <= 1280


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(browser, tmp_path, scheme):
    script = _axe()
    page = findings(perturbations=1, subgroups=("all", "masses"), seen=gallery(), notes=["a note"])
    report = _written(tmp_path, page)
    context = browser.new_context(color_scheme=scheme, bypass_csp=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(report.as_uri())
    page.get_by_label("masses", exact=True).check()
    page.add_script_tag(content=script)
    found = page.evaluate("async () => (await axe.run()).violations.map(v => [v.impact, v.id, v.nodes[0].html])")
    context.close()
    assert not [violation for violation in found if violation[0] in ("serious", "critical")]


def test_two_hundred_claims_in_four_subgroups_render_at_once(opened, tmp_path):
    found = findings(perturbations=40)
    assert len(found.verdicts) >= 800
    path = _written(tmp_path, found)
    assert path.stat().st_size < 6_000_000
    page = opened(_written(tmp_path, findings(perturbations=1), "warm.html"))
    told = page.context.new_cdp_session(page)
    # The browser's own time on the page, as others on this machine take time too.
    told.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(path.as_uri())
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    figures = {each["name"]: each["value"] for each in told.send("Performance.getMetrics")["metrics"]}
    assert page.locator(".claim").count() == len(found.verdicts)
    assert figures["TaskDuration"] < SECONDS_TO_RENDER


def _written(folder, found, name="page.html"):
    path = folder / name
    path.write_text(html(found.sorted()), encoding="utf-8")
    return path


def _axe():
    """axe-core's script: named in MAMMO_AXE, or that of the package axe-playwright-python."""
    if "MAMMO_AXE" in os.environ:
        return Path(os.environ["MAMMO_AXE"]).read_text(encoding="utf-8")
    package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    from importlib.resources import files

    return files(package).joinpath("axe.min.js").read_text(encoding="utf-8")
