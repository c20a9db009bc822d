"""Phantom mammograms: exams that can be given away, with lesions whose place and size are known."""

from mammo_fixtures.exams.phantoms.cohort_files import cache_folder, phantom_cohort
from mammo_fixtures.exams.phantoms.recipe import Recipe, read_recipe
from mammo_fixtures.exams.phantoms.rendering import PhantomView, render_breast, render_exam

__all__ = ["PhantomView", "Recipe", "cache_folder", "phantom_cohort", "read_recipe", "render_breast", "render_exam"]
