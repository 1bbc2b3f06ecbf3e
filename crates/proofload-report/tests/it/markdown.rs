//! The summary in Markdown: what reviewers read, and that nothing in it does more than be read.

use proofload_core::result::RunResult;
use proofload_core::verdict::ExitCode;
use proofload_report::markdown::{MAX_BYTES, markdown};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::{hostile, scenes};

#[test]
fn what_reviewers_read() {
    for name in ["good", "failing", "interrupted", "suspect", "no_requests"] {
        let (_, result) = scenes::all().iter().find(|(known, _)| *known == name).unwrap();
        insta::assert_snapshot!(format!("markdown_{name}"), markdown(result));
    }
}

/// The only tags of HTML that the summary writes itself.
const TAGS: &[&str] = &["<details>", "</details>", "<summary>", "</summary>", "<sub>", "</sub>"];

/// Reads it as GitHub does; gives the texts of all cells.
#[track_caller]
fn cells(name: &str, text: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let (mut cell, mut columns, mut in_row) = (None::<String>, 0, 0);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM;
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                let mut rest = html.trim().to_owned();
                TAGS.iter().for_each(|tag| rest = rest.replace(tag, ""));
                assert!(!rest.contains('<'), "{name}: {html:?}");
            }
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_)) => {
                panic!("{name}: {event:?}")
            }
            Event::Start(Tag::Table(alignments)) => columns = alignments.len(),
            Event::Start(Tag::TableHead | Tag::TableRow) => in_row = 0,
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                assert_eq!(in_row, columns, "{name}: {cells:?}");
            }
            Event::Start(Tag::TableCell) => {
                in_row += 1;
                cell = Some(String::new());
            }
            Event::End(TagEnd::TableCell) => cells.extend(cell.take()),
            Event::Text(part) | Event::Code(part) => {
                assert!(!part.contains(|c: char| c.is_control() && c != '\n'), "{name}: {part:?}");
                if let Some(cell) = &mut cell {
                    cell.push_str(&part);
                }
            }
            _ => {}
        }
    }
    cells
}

#[test]
fn names_stay_names() {
    for (name, result) in hostile::all() {
        let text = markdown(&result);
        cells(&name, &text);
        // Pipes would split cells, and a row's surplus cells are thrown away in silence.
        for line in text.lines().filter(|line| line.starts_with('|')) {
            assert!(line.ends_with('|'), "{name}: {line}");
        }
        assert_eq!(text.matches("<details>").count(), text.matches("\n</details>\n").count());
    }
    let cells = |text: &str| cells(text, &markdown(&hostile::with(text)));
    let check = |text: &str| assert!(cells(text).iter().any(|cell| cell == text), "{text:?}");
    check("<script>alert(1)</script>");
    check("a|b||c \\\\| \\");
    check("`code` ``` **bold** _it_ [a](javascript:x) ![i](http://x/y.png) #1 @user ~~x~~");
    check("\"quoted\" and 'quoted'");
    check("</details></td></table>");
}

#[test]
fn rows_have_the_cells_of_their_head() {
    let pipes = |line: &str| {
        let mut count = 0;
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                // What cmark-gfm's scanner of table rows takes as one: a backslash and what follows.
                '\\' => drop(chars.next()),
                '|' => count += 1,
                _ => {}
            }
        }
        count
    };
    let odd = hostile::all().chain(scenes::all().iter().map(|(n, r)| ((*n).to_owned(), r.clone())));
    for (name, result) in odd {
        let mut expected = None;
        for line in markdown(&result).lines() {
            if !line.starts_with('|') {
                expected = None;
                continue;
            }
            let found = pipes(line);
            assert_eq!(found, *expected.get_or_insert(found), "{name}: {line}");
        }
    }
}

#[test]
fn it_fits_into_a_comment() {
    let huge = |text: &str| {
        let mut result = hostile::with(text);
        let phase = result.test_results[1].clone();
        result.test_results = vec![phase; 200];
        for (at, phase) in result.test_results.iter_mut().enumerate() {
            phase.scenario = format!("{text} {at}");
            phase.requests = vec![phase.requests[0].clone(); 3];
        }
        result
    };
    for text in ["日本語 ".repeat(80), "&<>|`".repeat(500), "x".to_owned()] {
        let result = huge(&text);
        let text = markdown(&result);
        assert!(text.len() <= MAX_BYTES, "{}", text.len());
        assert!(text.contains("more, see the result"));
        assert!(text.ends_with("</sub>\n"));
        assert_eq!(text.matches("<details>").count(), text.matches("\n</details>\n").count());
        cells("huge", &text);
    }
    let nothing = markdown(&RunResult::default());
    assert!(nothing.contains("no grade"), "{nothing}");
    assert!(!nothing.contains("NaN"));
}

#[test]
fn what_is_broken_comes_before_what_is_missed_and_before_figures() {
    let (_, failing) = scenes::all().iter().find(|(name, _)| *name == "failing").unwrap();
    let mut result = failing.clone();
    let row = &mut result.test_results[0].expectations[0];
    row.target_met = Some(false);
    let text = markdown(&result);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part} in {text}"));
    assert!(at("POOR") < at("Broken limits"));
    assert!(at("Broken limits") < at("| ❌ | `Spike` | `p95`"));
    assert!(at("| ❌ | run | `http_req_failed`") < at("| ⚠️ | `Normal load`"));
    assert!(at("| ⚠️ | `Normal load`") < at("### Phases"));
}

#[test]
fn green_is_only_what_is_good_whole_and_trustworthy() {
    for (name, result) in scenes::all() {
        let is_green = markdown(result).starts_with("## ✅");
        let passes = scenes::exit_code(result) == ExitCode::Passed && result.summary.trustworthy;
        assert_eq!(is_green, passes && result.summary.grade.is_some(), "{name}");
    }
}

#[test]
fn steps_stand_by_themselves() {
    let find = |name: &str| &scenes::all().iter().find(|(known, _)| *known == name).unwrap().1;
    let text = markdown(find("in_steps"));
    for row in [
        "| `Users` | 10 users | 400 | 50.0/s | 0% | 52.5 ms | 105 ms | 210 ms | ✅ met |",
        "| `Users` | 50 users | 400 | 50.0/s | 0.5% | 190 ms | 380 ms | 760 ms | ⚠️ target missed: p99 |",
        "| `Users` | 100 users | 400 | 50.0/s | 7.75% | 860 ms | 1.72 s | 3.44 s | ❌ limit broken: p99, cut short |",
        "| `Arrivals` | 5.00/s | 400 | 50.0/s | 0% | 20.0 ms | 40.0 ms | 80.0 ms |  |",
    ] {
        assert!(text.contains(row), "no {row} in\n{text}");
    }
    assert!(!markdown(find("in_short_steps")).contains("Steps"));
}
