//! The report as text.

use std::sync::LazyLock;

use proofload_core::result::{PhaseResult, RequestRow, RunResult};
use proofload_core::suite::SuiteResult;
use proofload_core::verdict::{ExitCode, Grade};
use proofload_report::html::{HtmlOptions, Overlay, SuiteOptions, page, sentence, suite_page};
use proptest::prelude::*;

use crate::{courses, hostile, scenes};

fn shown(result: &RunResult) -> String {
    page(result, &HtmlOptions::new(ExitCode::Passed))
}

/// The page without its own style and script.
fn body(page: &str) -> String {
    let mut body = page.to_owned();
    for element in ["style", "script"] {
        while let Some(start) = body.find(&format!("<{element}>")) {
            let end = start + body[start..].find(&format!("</{element}>")).unwrap();
            body.replace_range(start..end + element.len() + 3, "");
        }
    }
    body
}

/// That nothing foreign is an element, or acts upon the page.
fn assert_harmless(page: &str) {
    let body = body(page);
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!body.contains(acts));
    for element in ["<script", "<img", "<iframe", "href=\"javascript:"] {
        assert!(!body.contains(element), "{element}");
    }
}

#[test]
fn foreign_text_is_harmless() {
    let page = shown(&courses::foreign());
    assert_harmless(&page);
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"));
    assert!(page.contains("<bdi>"));
    assert!(page.len() < 400_000, "{}", page.len());
    assert!(!page.contains(&"a".repeat(500)), "a long URL is cut");
}

#[test]
fn the_page_of_a_suite_is_harmless_and_leads_to_its_tests() {
    let mut result = crate::suite::result();
    let reports = vec![Some("1-a/report.html".to_owned())];
    let options = SuiteOptions { exit_code: Some(ExitCode::Poor), reports: &reports };
    let page = suite_page(&result, &options);
    for part in ["<a href=\"1-a/report.html\">", "id=\"requirements\"", "could not run", "not run"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    let nasty = "</script><script>alert(1)</script>\u{202e}<img src=x>";
    result.suite.name = nasty.to_owned();
    result.suite.file = nasty.to_owned();
    for test in &mut result.tests {
        (test.name, test.kind, test.reason) =
            (nasty.to_owned(), nasty.to_owned(), Some(nasty.to_owned()));
    }
    for row in &mut result.requirements {
        (row.id, row.text, row.reason) =
            (nasty.to_owned(), nasty.to_owned(), Some(nasty.to_owned()));
    }
    assert_harmless(&suite_page(&result, &options));
    assert_harmless(&suite_page(&SuiteResult::default(), &SuiteOptions::default()));
}

#[test]
fn an_embedded_result_cannot_end_its_element() {
    let result = courses::foreign();
    let options = HtmlOptions { embed_result: true, ..HtmlOptions::new(ExitCode::Passed) };
    let page = page(&result, &options);
    let start = page.find("<script id=\"result\" type=\"application/json\">").unwrap();
    let data = page[start..].split_once('>').unwrap().1;
    let data = &data[..data.find('<').unwrap()];
    assert_eq!(RunResult::from_json(data).unwrap(), result);
}

#[test]
fn a_day_is_no_larger_than_an_hour() {
    let page = shown(&courses::day());
    assert!(page.len() < 400_000, "{}", page.len());
}

#[test]
fn more_of_everything_is_bounded() {
    let mut result = courses::typical();
    let mut phase = result.test_results[1].clone();
    let request = phase.requests[0].clone();
    phase.requests =
        (0..600).map(|at| RequestRow { name: format!("GET /{at}"), ..request.clone() }).collect();
    phase.errors = vec![phase.errors[0].clone(); 500];
    phase.checks = vec![phase.checks[0].clone(); 5000];
    phase.expectations = vec![phase.expectations[0].clone(); 100];
    result.test_results = vec![phase; 90];
    result.timeline = vec![result.timeline[3].clone(); 5000];
    result.marks = vec![result.marks[0].clone(); 5000];
    let page = shown(&result);
    assert!(page.len() < 2_000_000, "{}", page.len());
    for more in ["more requests", "more phases", "more events", "more expectations"] {
        assert!(page.contains(more), "{more}");
    }
}

#[test]
fn what_answers_cost() {
    let find = |name: &str| scenes::all().iter().find(|(known, _)| *known == name).unwrap();
    for name in ["cost", "cost_unknown"] {
        let page = shown(&find(name).1);
        let section = &page[page.find("<section id=\"cost\"").unwrap()..];
        let section = &section[..section.find("</section>").unwrap()];
        insta::assert_snapshot!(format!("html_{name}"), section.replace("><", ">\n<"));
    }
}

#[test]
fn steps_stand_by_themselves() {
    let find = |name: &str| &scenes::all().iter().find(|(known, _)| *known == name).unwrap().1;
    let section = |result: &RunResult| {
        let page = shown(result);
        let start = page.find("<section id=\"steps\"")?;
        let section = &page[start..];
        Some(section[..section.find("</section>").unwrap()].to_owned())
    };
    let told = section(find("in_steps")).unwrap();
    let parts = [
        "<h3><bdi>Users</bdi></h3>",
        "10 users</th>",
        "</span> met</td>",
        "</span> target missed: p99</td>",
        "</span> limit broken: p99, cut short</td>",
        "7.75%",
        "3.44 s",
        "<h3><bdi>Arrivals</bdi></h3>",
        "20.0/s</th>",
    ];
    let mut rest = told.as_str();
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} in its place in {told}"));
        rest = &rest[at..];
    }
    // Nothing was expected of the arrivals: no column for that.
    assert_eq!(told.matches("Outcome").count(), 1);
    assert!(section(find("in_short_steps")).unwrap().contains("too short"));
    assert_eq!(section(find("good")), None);
}

#[test]
fn what_became_of_it() {
    let (old, result) = courses::compared();
    let overlay = Overlay::of_side(&old);
    let options = HtmlOptions { overlay: Some(&overlay), ..HtmlOptions::new(ExitCode::Passed) };
    let page = page(&result, &options);
    let section = &page[page.find("<section id=\"comparison\"").unwrap()..];
    let section = &section[..section.find("</section>").unwrap()];
    assert!(section.contains("Regression: "), "{section}");
    for verdict in ["better", "worse"] {
        assert!(section.contains(&format!("</span></span> {verdict}")), "{verdict}: {section}");
    }
    assert_eq!(page.matches("data-n=\"baseline.json\"").count(), 2, "a curve in each phase");
    // Foreign words stay words.
    let mut hostile = result.clone();
    let comparison = hostile.comparison.as_mut().unwrap();
    comparison.old.label = "<script>".to_owned();
    comparison.warnings = vec!["<img src=x>".to_owned()];
    comparison.entries[0].changes[0].why = Some("<script>\u{202e}".to_owned());
    assert_harmless(&shown(&hostile));
}

#[test]
fn hostile_text_is_harmless_everywhere() {
    for text in hostile::TEXTS {
        assert_harmless(&shown(&hostile::with(text)));
    }
}

#[test]
fn the_verdict_in_one_sentence() {
    let check = |grade: Option<Grade>, change: fn(&mut RunResult), expect: &str| {
        let mut result = RunResult::default();
        result.summary.grade = grade;
        (result.summary.total_requests, result.summary.targets, result.summary.limits) = (9, 5, 5);
        (result.summary.targets_met, result.summary.limits_met) = (5, 5);
        change(&mut result);
        assert_eq!(sentence(&result), expect);
    };
    check(None, |_| {}, "Nothing was expected of this run, so there is no grade.");
    check(Some(Grade::Excellent), |_| {}, "Every target was met.");
    check(
        Some(Grade::Good),
        |r| r.summary.targets_met = 4,
        "Every limit was kept; 1 target was missed.",
    );
    check(
        Some(Grade::Fair),
        |r| r.summary.targets_met = 2,
        "Every limit was kept, but 3 targets were missed.",
    );
    check(Some(Grade::Poor), |r| r.summary.limits_met = 3, "2 limits were broken.");
    check(Some(Grade::Poor), |r| r.summary.total_requests = 0, "No request was made.");
    check(
        Some(Grade::Poor),
        |r| {
            r.run.interrupted = true;
            r.summary.limits_met = 4;
            r.test_results = vec![PhaseResult::default()];
        },
        "Stopped before its end. 1 limit was broken. 1 phase was never started.",
    );
}

/// The text of a page as it is read from top to bottom, without what is drawn and without rows of tables.
fn outline(page: &str) -> String {
    let body = body(page);
    let (mut text, mut drawings, mut in_rows) = (String::new(), 0, false);
    for piece in body[body.find("<main").unwrap()..].split('<').skip(1) {
        let (tag, words) = piece.split_once('>').unwrap();
        let element = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        match (element, tag.starts_with('/')) {
            ("svg", false) => drawings += 1,
            ("svg", true) => drawings -= 1,
            ("tbody", _) => in_rows = true,
            ("table", _) => in_rows = false,
            ("h2" | "h3", false) => text.push('\n'),
            _ => {}
        }
        if drawings == 0 && !in_rows && !words.trim().is_empty() {
            text.push_str(words.trim());
            text.push_str(" | ");
        }
    }
    text
}

#[test]
fn what_people_read() {
    insta::assert_snapshot!("html_typical", outline(&shown(&courses::typical())));
    insta::assert_snapshot!("html_empty", outline(&shown(&RunResult::default())));
}

static SMALL: LazyLock<RunResult> = LazyLock::new(|| {
    let course = courses::Course { intervals: 3, ..courses::Course::new("Load") };
    courses::result_of("Any", &[course], &[])
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_and_any_number_give_a_page(text in any::<String>(), numbers in prop::collection::vec(any::<f64>(), 8), counts in any::<[u64; 6]>()) {
        let mut result = SMALL.clone();
        (result.run.name, result.run.target) = (text.clone(), text.clone());
        result.run.duration_seconds = numbers[0];
        let phase = &mut result.test_results[0];
        (phase.scenario, phase.start_seconds, phase.elapsed_seconds) = (text.clone(), numbers[1], numbers[2]);
        (phase.p95_latency_ms, phase.max_latency_ms) = (Some(numbers[3]), Some(numbers[4]));
        (phase.total_requests, phase.failed, phase.bytes_received) = (counts[0], counts[1], counts[2]);
        phase.histograms.block_seconds = numbers[5];
        phase.expectations[0].measured = Some(numbers[6]);
        phase.requests[0].name = text.clone();
        phase.checks[0].name = text.clone();
        phase.checks[0].passes = counts[3];
        let row = &mut result.timeline[0];
        (row.start_seconds, row.length_seconds, row.p99_ms) = (numbers[3], numbers[7], Some(numbers[2]));
        (row.requests, row.failed) = (counts[4], counts[5]);
        row.monitors.insert(text, numbers[1]);
        let page = shown(&result);
        assert_harmless(&page);
        prop_assert!(!page.contains("=\"NaN") && !page.contains("=\"inf"));
    }
}

#[test]
fn a_day_is_covered_to_its_end() {
    let result = courses::day();
    let last = result.timeline.last().unwrap();
    assert!(result.timeline.len() > 150, "{}", result.timeline.len());
    assert!(last.start_seconds > 86_000.0, "{last:?}");
}
