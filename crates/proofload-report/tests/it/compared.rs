//! A run that was compared with a baseline: what Markdown and JUnit make of it.

use proofload_core::cost::{CostResult, CostRow, MonthCost};
use proofload_core::result::{
    ChangeRow, ChangeScale, ChangeVerdict, Comparison, ComparisonEntry, GoalOutcome, GoalRow,
    RequestName, RuleRow, RunResult, SideRow,
};
use proofload_report::{junit, markdown};

use crate::scenes;

fn change(measure: &str, texts: [&str; 4], verdict: ChangeVerdict) -> ChangeRow {
    let [old_text, new_text, change_text, interval_text] = texts.map(str::to_owned);
    ChangeRow {
        measure: measure.to_owned(),
        unit: "ms".to_owned(),
        old_text,
        new_text,
        scale: ChangeScale::Relative,
        change_text,
        interval_text,
        verdict,
        ..ChangeRow::default()
    }
}

/// The good run, slower than before in one phase.
pub(crate) fn result() -> RunResult {
    let (_, good) = scenes::all().iter().find(|(name, _)| *name == "good").unwrap();
    let side = |label: &str, requests: u64| SideRow {
        label: label.to_owned(),
        target: "http://127.0.0.1:8000".to_owned(),
        runs: vec!["2026-11-20T09:30:00Z".to_owned()],
        requests,
    };
    let entry = |phase: &str, request: Option<&str>, changes: Vec<ChangeRow>| ComparisonEntry {
        phase: phase.to_owned(),
        request: request
            .map(|name| RequestName { name: name.to_owned(), ..RequestName::default() }),
        changes,
    };
    let worse = ["41.0 ms", "54.0 ms", "+31.7%", "+28% … +35%"];
    let better = ["900/s", "1,000/s", "+11.1%", "+9% … +13%"];
    let same = ["11.4 ms", "11.5 ms", "+0.9%", "-1% … +2%"];
    let unknown = ["178 ms", "190 ms", "+6.7%", "-20% … +40%"];
    let comparison = Comparison {
        old: side("load/baseline.json", 8_100),
        new: side("dchat", 8_200),
        level: 0.95,
        false_discovery_rate: 0.01,
        entries: vec![
            entry(
                "Normal load",
                None,
                vec![
                    change("rps", better, ChangeVerdict::Better),
                    change("p50", same, ChangeVerdict::NoChange),
                    change("p95", worse, ChangeVerdict::Worse),
                    ChangeRow {
                        why: Some("too few requests".to_owned()),
                        ..change("p99", unknown, ChangeVerdict::CannotTell)
                    },
                ],
            ),
            entry(
                "Normal load",
                Some("POST /api/messages"),
                vec![change("p95", worse, ChangeVerdict::Worse)],
            ),
        ],
        rules: vec![
            RuleRow {
                text: "p95 of every phase".to_owned(),
                measure: "p95".to_owned(),
                limit: "+20%".to_owned(),
                fired: true,
                places: vec!["Normal load: +31.7% (+28% … +35%)".to_owned()],
                undecided: vec![],
            },
            RuleRow {
                text: "p99 of every phase".to_owned(),
                measure: "p99".to_owned(),
                limit: "+20%".to_owned(),
                undecided: vec!["Normal load: +6.7% (-20% … +40%)".to_owned()],
                ..RuleRow::default()
            },
            RuleRow {
                text: "error_rate of every phase".to_owned(),
                measure: "error_rate".to_owned(),
                limit: "+0.5 points".to_owned(),
                ..RuleRow::default()
            },
        ],
        goals: vec![
            GoalRow {
                measure: "p99".to_owned(),
                goal: "-85%".to_owned(),
                phase: "Normal load".to_owned(),
                measured: "+6.7% (-20% … +40%)".to_owned(),
                outcome: GoalOutcome::NotReached,
            },
            GoalRow {
                measure: "rps".to_owned(),
                goal: "+5%".to_owned(),
                phase: "Normal load".to_owned(),
                measured: "+11.1% (+9% … +13%)".to_owned(),
                outcome: GoalOutcome::Reached,
            },
        ],
        warnings: vec!["three of four findings are for the worse".to_owned()],
        has_regressed: true,
        hint: None,
    };
    RunResult { comparison: Some(comparison), ..good.clone() }
}

#[test]
fn what_people_read() {
    insta::assert_snapshot!("compared_markdown", markdown(&result()));
    let xml = junit(&result());
    let (_, suite) = xml.split_once("<testsuite name=\"comparison\"").expect("a suite");
    insta::assert_snapshot!("compared_junit", suite);
}

#[test]
fn a_regression_is_told_before_figures_and_is_red() {
    let text = markdown(&result());
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part} in {text}"));
    assert!(text.starts_with("## ❌ GOOD, worse than before · `dchat`\n"), "{text}");
    assert!(at("### Regressions") < at("### Compared with before"));
    assert!(
        at("| ❌ worse |") < at("| ✅ better |") && at("| ✅ better |") < at("| ❔ cannot tell |")
    );
    assert!(at("| ❔ cannot tell |") < at("| – no change |"));
    assert!(at("### Compared with before") < at("### Phases"));
    assert!(
        junit(&result()).contains("<failure message=\"p95 of every phase became worse than +20%\"")
    );
    let hint = Comparison { hint: Some("repeat it".to_owned()), ..Comparison::default() };
    let hinted = RunResult { comparison: Some(hint), ..result() };
    assert!(markdown(&hinted).contains("repeat it"));
    let nothing = RunResult { comparison: Some(Comparison::default()), ..result() };
    let text = markdown(&nothing);
    assert!(text.contains("nothing that both have measured"), "{text}");
}

#[test]
fn what_it_costs_is_a_table() {
    let cost = CostResult {
        currency: "$".to_owned(),
        cache_hit_rate: Some(0.8),
        run: Some(CostRow { without_cache: 3.6, with_cache: 0.72, saved: 2.88 }),
        month: Some(MonthCost {
            days: 30,
            cache_hit_rate: 0.8,
            hit_rate_assumed: true,
            without_cache: 4200.0,
            with_cache: 840.0,
            saved: 3360.0,
            ..MonthCost::default()
        }),
        ..CostResult::default()
    };
    let text = markdown(&RunResult { cost: Some(cost), ..result() });
    assert!(text.contains("| this run | 80% | \\$3.60 | \\$0.72 | \\$2.88 |"), "{text}");
    let month = "| 30 days, hits assumed | 80% | \\$4,200 | \\$840 | \\$3,360 |";
    assert!(text.contains(month), "{text}");
}
