"""The HTML report: whole, self-contained, safe to open, and right in its numbers."""

import math
from html.parser import HTMLParser

import pytest

from labelwise.evaluation.html_report import render_html

HOSTILE = "<script>alert('1')</script>\"><img src=x onerror=alert(2)>"
VOID = {"meta", "br", "img", "input", "link", "hr"}

CLASSIFIED = {
    "file": "reviews.jsonl",
    "accuracy": 0.7512,
    "macro_f1": 0.6934,
    "ece": 0.0567,
    "rows": 9815,
    "seconds": 12.5,
    "texts_per_s": 785.2,
    "pairs_per_s": 1570.4,
    "per_class": [
        {
            "label": "praise",
            "precision": 0.81,
            "recall": 0.72,
            "f1": 0.7623,
            "support": 4000,
            "predicted": 3500,
        },
        {
            "label": "complaint",
            "precision": 0.6,
            "recall": 0.7,
            "f1": 0.6461,
            "support": 5815,
            "predicted": 6315,
        },
    ],
    "confusion": {"labels": ["praise", "complaint"], "counts": [[2880, 1120], [1745, 4070]]},
    "reliability_bins": [
        {"lower": 0.0, "upper": 0.5, "count": 0, "mean_probability": None, "share_true": None},
        {"lower": 0.5, "upper": 1.0, "count": 9815, "mean_probability": 0.8079, "share_true": 0.7512},
    ],
    "threshold_curve": [
        {"threshold": 0.51, "precision": 0.75, "recall": 1.0, "f1": 0.8571},
        {"threshold": 0.93, "precision": 0.9, "recall": 0.4, "f1": 0.5538},
    ],
    "length_histogram": [
        {"lower": 10, "upper": 60, "count": 9000},
        {"lower": 60, "upper": 110, "count": 815},
    ],
}
READ = {
    "file": "dev-v2.0.json",
    "exact": 61.25,
    "f1": 64.81,
    "total": 1200,
    "HasAns_exact": 55.1,
    "HasAns_f1": 62.3,
    "NoAns_exact": 67.4,
    "NoAns_f1": 67.4,
    "best_f1_thresh": 0.412,
    "pr_f1_ap": 57.13,
    "rows": 1200,
    "precision_recall_curve": [{"recall": 0.0, "precision": 0.9}, {"recall": 0.8, "precision": 0.5}],
}


class Page(HTMLParser):
    """Checks that elements are closed in order, and gathers tags, attributes and text."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def test_the_measures_of_a_file_are_on_the_page():
    text = Page(render_html([CLASSIFIED], title="Night run")).text
    for number in ("0.751", "0.693", "0.057", "9,815", "785", "1,570", "0.762", "4,070", "ECE 0.057"):
        assert number in text
    assert "Best F1 0.857 at threshold 0.510" in text
    assert "praise read as complaint: 1,120 of 4,000" in render_html([CLASSIFIED], title="")


def test_a_file_with_everything_gets_every_figure():
    text = Page(render_html([CLASSIFIED], title="")).text
    for heading in ("Confusion matrix", "Reliability", "By threshold", "Length and speed", "By label (2)"):
        assert heading in text


def test_reading_is_told_in_per_cent():
    text = Page(render_html([READ], title="")).text
    for shown in ("61.2 %", "64.8 %", "62.3 %", "67.4 %", "0.412", "Average precision 57.1 %"):
        assert shown in text
    assert "Precision and recall" in text


def test_files_are_compared_in_one_table_and_as_bars():
    other = {**CLASSIFIED, "file": "news.jsonl", "macro_f1": 0.4}
    page = render_html([CLASSIFIED, other, READ], title="")
    assert "--share:0.6934" in page
    assert "--share:0.4000" in page
    assert "--share:0.6481" in page
    assert "3 data sets" in page


@pytest.mark.parametrize("place", ["file", "label", "confusion", "fact", "title", "measure"])
def test_a_hostile_name_stays_text(place):
    row = dict(CLASSIFIED)
    if place == "file":
        row["file"] = HOSTILE
    elif place == "label":
        row["per_class"] = [{**CLASSIFIED["per_class"][0], "label": HOSTILE}]
    elif place == "confusion":
        row["confusion"] = {"labels": [HOSTILE, "b"], "counts": [[1, 2], [3, 4]]}
    elif place == "fact":
        row["model"] = row["peer"] = HOSTILE
    elif place == "measure":
        row[HOSTILE] = 0.5
    page = Page(render_html([row], title=HOSTILE if place == "title" else "t"))
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "<script>alert('1')</script>" in page.text


def test_names_in_the_overview_lead_to_their_sections():
    attributes = Page(render_html([CLASSIFIED, READ, {}], title="")).attributes
    targets = [value for name, value in attributes if name == "href"]
    assert sorted(targets) == ["#result-1", "#result-2", "#result-3"]
    assert {target[1:] for target in targets} == {value for name, value in attributes if name == "id"}


def test_nothing_is_fetched_and_nothing_runs():
    page = render_html([CLASSIFIED, READ], title="")
    assert not [word for word in ("http", "url(", "@import", "src=", "<script") if word in page]
    assert not {"script", "link", "img", "iframe", "object"} & set(Page(page).tags)


def test_every_drawing_says_what_it_shows_and_tables_have_heads():
    page = render_html([CLASSIFIED, READ], title="")
    assert page.count("<svg") == page.count('role="img" aria-label="') == 4
    assert '<html lang="en">' in page
    assert 'name="viewport"' in page
    assert page.count("<table") <= page.count('scope="row"')


def test_the_page_is_the_same_each_time():
    assert render_html([CLASSIFIED, READ], title="x") == render_html([CLASSIFIED, READ], title="x")


def test_no_results_make_a_page_that_says_so():
    assert "There are no results" in Page(render_html([], title="Empty")).text


@pytest.mark.parametrize("key", sorted(CLASSIFIED))
def test_any_key_may_be_missing(key):
    row = {name: value for name, value in CLASSIFIED.items() if name != key}
    assert Page(render_html([row, {}], title="")).text


@pytest.mark.parametrize("value", [None, math.nan, math.inf, [], {}, "text", [{}], {"labels": []}])
@pytest.mark.parametrize("key", sorted({*CLASSIFIED, *READ} - {"file"}))
def test_a_value_that_cannot_be_drawn_is_left_out(key, value):
    row = {**CLASSIFIED, **READ, key: value}
    page = Page(render_html([row], title="")).text
    assert "nan" not in page.lower()
    assert "inf" not in page.lower()


def test_half_a_surrogate_pair_can_be_written():
    row = {**CLASSIFIED, "file": "a\ud800b"}
    assert render_html([row], title="").encode("utf-8")


def test_many_labels_start_folded():
    row = {"per_class": [{"label": f"label {number}"} for number in range(30)]}
    page = render_html([row], title="")
    assert "<details>" in page
    assert "label 29" in page
