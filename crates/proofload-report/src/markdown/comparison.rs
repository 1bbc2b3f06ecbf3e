//! What became of the service since a baseline: regressions first, then what changed, then requests.

use proofload_core::result::{
    ChangeRow, ChangeVerdict, Comparison, ComparisonEntry, GoalOutcome, RuleRow, RunResult, SideRow,
};

use super::sections::{MAX_FOLDED, MAX_OPEN};
use super::table::{Section, Table};
use super::text::{code, plain};
use crate::load_text::counted;

/// Every part of the comparison; nothing where nothing was compared.
pub(super) fn sections(result: &RunResult) -> Vec<Section> {
    let Some(comparison) = &result.comparison else { return Vec::new() };
    let sections =
        [rules(comparison), Some(phases(comparison)), goals(comparison), requests(comparison)];
    sections.into_iter().flatten().collect()
}

/// Rules that fired, then those that may have.
fn rules(comparison: &Comparison) -> Option<Section> {
    let mut table = Table::new(&["", "rule", "too much", "where"], MAX_OPEN);
    let fired = comparison.rules.iter().filter(|rule| rule.fired);
    let places = |rule: &RuleRow, places: &[String]| {
        let places: Vec<String> = places.iter().take(MAX_OPEN).map(|place| plain(place)).collect();
        (plain(&rule.text), plain(&rule.limit), places.join("<br>"))
    };
    for rule in fired {
        table.row(|| {
            let (text, limit, places) = places(rule, &rule.places);
            ["❌".to_owned(), text, limit, places]
        });
    }
    for rule in comparison.rules.iter().filter(|rule| !rule.undecided.is_empty()) {
        table.row(|| {
            let (text, limit, places) = places(rule, &rule.undecided);
            ["❔".to_owned(), text, limit, format!("may be chance: {places}")]
        });
    }
    let heading = if comparison.has_regressed { "Regressions" } else { "Regression or chance" };
    (!table.is_empty()).then(|| table.under(heading))
}

/// `3 runs of …, 12,345 requests`
fn side(side: &SideRow) -> String {
    let runs = counted(side.runs.len() as u64, "run");
    format!("{} ({runs}, {})", code(&side.label), counted(side.requests, "request"))
}

/// The measures of whole phases, with what is to be known before one concludes anything.
fn phases(comparison: &Comparison) -> Section {
    const HEADING: &str = "Compared with before";
    let mut table =
        Table::new(&["", "phase", "measure", ">before", ">now", ">change", "interval"], MAX_OPEN);
    changes(comparison, &mut table, |entry| entry.request.is_none(), |entry| code(&entry.phase));
    let mut intro = format!("{} against {}\n\n", side(&comparison.new), side(&comparison.old));
    for warning in comparison.warnings.iter().take(MAX_OPEN) {
        intro.push_str(&format!("> - ⚠️ {}\n", plain(warning)));
    }
    if !comparison.warnings.is_empty() {
        intro.push('\n');
    }
    if let Some(hint) = &comparison.hint {
        intro.push_str(&format!("{}\n\n", plain(hint)));
    }
    if table.is_empty() {
        let before =
            format!("### {HEADING}\n\n{intro}There is nothing that both have measured.\n\n");
        return Section { before, ..Section::default() };
    }
    table.under(&format!("{HEADING}\n\n{}", intro.trim_end()))
}

fn requests(comparison: &Comparison) -> Option<Section> {
    let mut table = Table::new(
        &["", "request", "measure", ">before", ">now", ">change", "interval"],
        MAX_FOLDED,
    );
    changes(
        comparison,
        &mut table,
        |entry| entry.request.is_some(),
        |entry| {
            let name = entry.request.as_ref().map_or("", |request| request.name.as_str());
            format!("{} {}", code(&entry.phase), code(name))
        },
    );
    let summary = format!("Changes of single requests ({})", table.len());
    (!table.is_empty()).then(|| table.folded(&summary))
}

/// Worse before better before what cannot be told before what stayed.
fn changes(
    comparison: &Comparison,
    table: &mut Table,
    is_wanted: fn(&ComparisonEntry) -> bool,
    name: fn(&ComparisonEntry) -> String,
) {
    let order = [
        ChangeVerdict::Worse,
        ChangeVerdict::Better,
        ChangeVerdict::CannotTell,
        ChangeVerdict::NoChange,
    ];
    for verdict in order {
        for entry in comparison.entries.iter().filter(|entry| is_wanted(entry)) {
            for change in entry.changes.iter().filter(|change| change.verdict == verdict) {
                table.row(|| cells(name(entry), change));
            }
        }
    }
}

fn cells(name: String, change: &ChangeRow) -> [String; 7] {
    let sign = match change.verdict {
        ChangeVerdict::Better => "✅",
        ChangeVerdict::Worse => "❌",
        ChangeVerdict::NoChange => "–",
        ChangeVerdict::CannotTell => "❔",
    };
    let mut interval = plain(&change.interval_text);
    if let Some(why) = &change.why {
        interval = format!("{interval} ({})", plain(why)).trim_start().to_owned();
    }
    [
        format!("{sign} {}", change.verdict.words()),
        name,
        code(&change.measure),
        plain(&change.old_text),
        plain(&change.new_text),
        plain(&change.change_text),
        interval,
    ]
}

fn goals(comparison: &Comparison) -> Option<Section> {
    let mut table = Table::new(&["", "phase", "measure", ">goal", "measured"], MAX_OPEN);
    for goal in &comparison.goals {
        let sign = match goal.outcome {
            GoalOutcome::Reached => "✅",
            GoalOutcome::NotReached => "⚠️",
            GoalOutcome::CannotTell => "❔",
        };
        table.row(|| {
            [
                format!("{sign} {}", goal.outcome.words()),
                code(&goal.phase),
                code(&goal.measure),
                plain(&goal.goal),
                plain(&goal.measured),
            ]
        });
    }
    (!table.is_empty()).then(|| table.under("What was wanted of the change"))
}
