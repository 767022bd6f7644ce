"""Small charts: where values land, and what happens at the edges."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.evaluation.svg_charts import Columns, Series, histogram_chart, line_chart, reliability_chart

finite = st.floats(-1e6, 1e6)


def draw(points, **settings):
    return line_chart([Series("f1", points)], title="t", x_name="x", y_name="y", **settings)


def test_the_corners_of_the_unit_square_are_the_corners_of_the_plot():
    assert 'points="50,254 426,30"' in draw([(0.0, 0.0), (1.0, 1.0)])


def test_scores_outside_of_0_to_1_spread_over_the_whole_axis():
    assert 'points="50,30 426,254"' in draw([(-8.0, 1.0), (12.0, 0.0)])


@given(st.lists(st.tuples(finite, st.floats(0, 1)), min_size=1, max_size=20))
def test_every_line_stays_inside_its_frame(points):
    (drawn,) = re.findall(r'<polyline[^>]*points="([^"]*)"', draw(sorted(points)))
    for pair in drawn.split():
        x, y = map(float, pair.split(","))
        assert 49.9 <= x <= 426.1
        assert 29.9 <= y <= 254.1


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_an_axis_has_some_ticks_and_not_many(low, span):
    chart = histogram_chart([Columns(low, low + span, 3, "n")], title="t", x_name="x", y_name="y")
    on_x_axis = re.findall(r'<text x="[\d.]+" y="271"', chart)
    assert 1 <= len(on_x_axis) <= 7


def test_the_marked_point_tells_its_note():
    assert "<title>best &lt;here&gt;</title>" in draw([(0.5, 0.5)], marked=(0.5, 0.5, "best <here>"))


def test_a_column_is_as_high_as_its_share():
    chart = reliability_chart([Columns(0.5, 1.0, 0.5, "note", mean=0.75)], title="t")
    assert 'y="142" width="186" height="112"' in chart
    assert 'class="mean" x1="239" y1="86"' in chart


@pytest.mark.parametrize("count", [0, 1, 123456789])
def test_a_histogram_of_any_height_can_be_drawn(count):
    chart = histogram_chart([Columns(1, 2, count, "n")], title="<t>", x_name="x", y_name="y")
    assert 'aria-label="&lt;t&gt;"' in chart
