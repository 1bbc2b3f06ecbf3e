//! `proofload history`: the runs in a results folder, and where a measure changed its level.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proofload_core::history::{History, SkippedFile};
use proofload_core::plan::Overrides;
use proofload_core::verdict::{ExitCode, Measure};

use super::console::Console;
use super::failure::Failure;
use super::runs::{self, Entry, Kept};
use super::{files, load};

#[derive(Debug, clap::Args)]
pub(super) struct HistoryArgs {
    /// Only runs of this plan: its name or its file
    #[arg(value_name = "PLAN")]
    plan: Option<String>,
    /// The measure that is charted, such as p99, error_rate or rps
    #[arg(short, long, value_name = "MEASURE", default_value = "p95", value_parser = parse_measure)]
    measure: Measure,
    /// Only what was measured in this phase; all phases together if not given
    #[arg(short, long, value_name = "NAME")]
    phase: Option<String>,
    /// So many runs, the latest ones
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    last: u32,
    /// The folder that runs have left their folders in; `proofload-results` if not given
    #[arg(long, value_name = "DIR", env = "PROOFLOAD_RESULTS", hide_env_values = true)]
    results: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

fn parse_measure(text: &str) -> Result<Measure, String> {
    Measure::parse(text).map_err(|error| match error.help {
        Some(help) => format!("{} ({help})", error.message),
        None => error.message,
    })
}

/// Shows the history.
pub(super) fn run(args: &HistoryArgs, console: &Console) -> Result<ExitCode, Failure> {
    let plan = args.plan.as_deref().map(|plan| plan_name(plan, console)).transpose()?;
    let root = args.results.as_deref().unwrap_or(Path::new(files::RESULTS));
    let mut skipped = Vec::new();
    let found = find(root, &mut skipped).map_err(|error| {
        Failure::input(format!(
            "{} cannot be read: {error}\n  --results DIR names another folder of results",
            root.display()
        ))
    })?;
    let mut runs = Vec::new();
    for candidate in found {
        if runs.len() >= args.last as usize {
            break;
        }
        let is_other = plan.as_ref().is_some_and(|plan| !candidate.may_be_of(plan));
        if is_other {
            continue;
        }
        let file = candidate.file.display().to_string();
        match runs::digest(&candidate.file) {
            Ok(digest) => {
                if plan.as_ref().is_none_or(|plan| digest.run.name == *plan) {
                    runs.push((file, digest));
                }
            }
            Err(reason) => skipped.push(SkippedFile { file, reason }),
        }
    }
    if let (true, Some(plan)) = (runs.is_empty(), &plan) {
        console.notice(&format!("no run of `{plan}` in {}", root.display()));
    }
    let history = History::new(&args.measure, args.phase.as_deref(), runs, skipped);
    if args.json {
        let json = serde_json::to_string_pretty(&history).map_err(Failure::internal)?;
        console.line(&json);
    } else {
        let style = console.output_style();
        console.print(&proofload_report::history::history(&history, &style, &local_time));
    }
    Ok(ExitCode::Passed)
}

/// The name of a plan that is given by its name or by its file.
fn plan_name(plan: &str, console: &Console) -> Result<String, Failure> {
    let path = Path::new(plan);
    let is_file = path.extension().is_some_and(|extension| extension == "toml") && path.is_file();
    if !is_file {
        return Ok(plan.to_owned());
    }
    load::plan(path, &[], Overrides::default(), console).map(|plan| plan.name.to_string())
}

/// A file that may be the result of a run.
#[derive(Debug)]
struct Candidate {
    file: PathBuf,
    /// When it was run: `YYYYMMDD-HHMMSS` from the name of its folder, or when the file was written.
    when: String,
    /// What stands before the time in the name of its folder.
    stem: Option<String>,
}

impl Candidate {
    fn new(file: PathBuf, folder: &str, is_named_after_plan: bool) -> Self {
        let (stem, when) = match split_name(folder) {
            Some((stem, when)) => (is_named_after_plan.then(|| stem.to_owned()), when.to_owned()),
            None => (None, written(&file)),
        };
        Self { file, when, stem }
    }

    /// Whether it can be a run of the plan, as far as names tell.
    fn may_be_of(&self, plan: &str) -> bool {
        self.stem.as_ref().is_none_or(|stem| *stem == files::plain(plan))
    }
}

/// Results in a folder, latest first. Only names are looked at. Repeated runs come one by one, and the tests of
/// suites. Files of other kinds are told, but not those beside a result: they belong to it.
fn find(root: &Path, skipped: &mut Vec<SkippedFile>) -> io::Result<Vec<Candidate>> {
    let mut found = Vec::new();
    for Entry { path, name, kept } in runs::entries(root)? {
        match kept {
            Kept::File => {
                let stem = name.trim_end_matches(".json");
                found.push(Candidate::new(path.clone(), stem, false));
            }
            Kept::Run(result) => found.push(Candidate::new(result, &name, true)),
            Kept::Repeats { runs, .. } => {
                found.extend(runs.into_iter().map(|run| Candidate::new(run, &name, true)));
            }
            Kept::Suite(tests) => {
                found.extend(tests.into_iter().map(|test| Candidate::new(test, &name, false)));
            }
            Kept::Nothing if path.is_dir() => {
                let reason = "there is no result in it: the run did not come to its end";
                skip(&path, reason, skipped);
            }
            Kept::Nothing => skip(&path, "not a result", skipped),
        }
    }
    found.sort_by(|a, b| b.when.cmp(&a.when).then_with(|| b.file.cmp(&a.file)));
    Ok(found)
}

fn skip(path: &Path, reason: &str, skipped: &mut Vec<SkippedFile>) {
    let file = path.display().to_string();
    skipped.push(SkippedFile { file, reason: reason.to_owned() });
}

/// `shop-20261121-030201` and `shop-20261121-030201-2` as `shop` and the time.
fn split_name(folder: &str) -> Option<(&str, &str)> {
    let is_time = |text: &str| {
        let shape: String =
            text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        shape == "00000000-000000"
    };
    let at_end = |text: &str| -> Option<usize> {
        let at = text.len().checked_sub(15)?;
        (text.is_char_boundary(at) && is_time(&text[at..])).then_some(at)
    };
    let numbered = folder
        .rsplit_once('-')
        .map_or(folder, |(before, number)| if number.len() < 6 { before } else { folder });
    let (text, at) = match at_end(folder) {
        Some(at) => (folder, at),
        None => (numbered, at_end(numbered)?),
    };
    Some((text[..at].trim_end_matches('-'), &text[at..]))
}

/// When a file was written, in the form that folders have in their names.
fn written(file: &Path) -> String {
    let time =
        fs::metadata(file).and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(TimeZone::system()).strftime("%Y%m%d-%H%M%S").to_string()
}

/// A time of a result in the local time zone, to the minute.
fn local_time(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::split_name;

    #[test]
    fn the_time_in_a_folders_name() {
        let check = |folder: &str, expect: Option<(&str, &str)>| {
            assert_eq!(split_name(folder), expect, "{folder}");
        };
        check("shop-20261121-030201", Some(("shop", "20261121-030201")));
        check("shop-20261121-030201-2", Some(("shop", "20261121-030201")));
        check("a-b-c-20261121-030201-17", Some(("a-b-c", "20261121-030201")));
        check("日本-20261121-030201", Some(("日本", "20261121-030201")));
        check("shop", None);
        check("20261121-030201", Some(("", "20261121-030201")));
        check("shop-20261121", None);
        check("", None);
    }
}
