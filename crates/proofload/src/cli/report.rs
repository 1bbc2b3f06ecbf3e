//! `proofload report`: a stored result again, in the terminal or in another format.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use proofload_core::result::RunResult;
use proofload_core::suite::SuiteResult;
use proofload_core::verdict::ExitCode;
use proofload_output::journal;
use proofload_report::html::SuiteOptions;
use proofload_report::suite::suite_summary;
use proofload_report::summary::{SummaryOptions, summary};
use proofload_report::{Style, json};

use super::console::Console;
use super::execute;
use super::failure::Failure;
use super::formats::Format;
use super::output::{Destination, Written};

pub(super) const EXAMPLES: &str = "\
Examples:
  proofload report result.json                        the summary, as after the run
  proofload report result.json -f junit -o junit.xml
  proofload report result.json -f markdown >> \"$GITHUB_STEP_SUMMARY\"
  proofload report result.json -f csv -o locust       locust_stats.csv and three more
  proofload report proofload-results/shop-20260301-120000
                                                      what is left of a run that was killed, too";

/// The result in the folder of a suite.
const SUITE: &str = "suite.json";

#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// The result file, the folder of a run, or `-` for standard input
    #[arg(value_name = "RESULT")]
    pub(super) result: PathBuf,
    /// Into which format; what the name of FILE says if not given
    #[arg(short, long, value_name = "FORMAT", value_parser = formats())]
    pub(super) format: Option<Shown>,
    /// Write to this file, or into this folder; for csv the beginning of its files' names
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// What a result becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The summary.
    Text,
    /// A format for files.
    As(Format),
}

fn formats() -> impl TypedValueParser<Value = Shown> {
    let text = [PossibleValue::new("text").help("The summary in a terminal")];
    let words = Format::ALL.iter().map(|(word, _)| PossibleValue::new(*word));
    PossibleValuesParser::new(text.into_iter().chain(words)).map(|word| {
        let known = Format::ALL.iter().find(|(known, _)| *known == word);
        known.map_or(Shown::Text, |(_, format)| Shown::As(*format))
    })
}

/// Shows or converts a result.
pub(super) fn run(args: &ReportArgs, console: &Console) -> Result<ExitCode, Failure> {
    let shown = match (args.format, &args.output) {
        (Some(shown), _) => shown,
        (None, None) => Shown::Text,
        (None, Some(place)) => by_name(place)?,
    };
    let result = match stored(&args.result)? {
        Stored::Run(result) => result,
        Stored::Suite(result) => return suite(&result, shown, args, console),
    };
    match (shown, &args.output) {
        (Shown::Text, None) => {
            let shown = Written { file: Some(args.result.clone()), ..Written::default() };
            execute::show(&result, execute::code_of(&result), &shown, console);
        }
        (Shown::Text, Some(place)) => {
            let place = in_folder(place, "summary.txt");
            write(&place, &plain_summary(&result, &args.result), console)?;
        }
        (Shown::As(format), Some(place)) => {
            let place = in_folder(place, format.default_name());
            for file in format.render(&result, execute::code_of(&result), &place)? {
                write(&file.path, &file.text, console)?;
            }
        }
        (Shown::As(format), None) => {
            let code = execute::code_of(&result);
            let files = format.render(&result, code, Path::new(format.default_name()))?;
            let [file] = files.as_slice() else {
                let message = "these are several files: name the beginning of their names with -o";
                return Err(Failure::usage(message));
            };
            console.print_result(&file.text);
        }
    }
    Ok(ExitCode::Passed)
}

/// Shows or converts the result of a suite.
fn suite(
    result: &SuiteResult,
    shown: Shown,
    args: &ReportArgs,
    console: &Console,
) -> Result<ExitCode, Failure> {
    let (name, text) = match shown {
        Shown::As(format) => {
            (format.default_name(), format.render_suite(result, &SuiteOptions::default())?)
        }
        Shown::Text => {
            let path = args.result.to_string_lossy();
            let is_on_terminal = args.output.is_none();
            let style = if is_on_terminal { console.output_style() } else { Style::plain() };
            let options = SummaryOptions {
                style,
                exit_code: exit_code(result.summary.exit_code),
                result_path: Some(&path),
                report_path: None,
            };
            ("summary.txt", suite_summary(result, &options))
        }
    };
    match &args.output {
        Some(place) => write(&in_folder(place, name), &text, console)?,
        None => console.print_result(&text),
    }
    Ok(ExitCode::Passed)
}

/// The exit code of that number; one that no run ends with is a bug of whoever wrote it.
fn exit_code(number: u8) -> ExitCode {
    let known = [
        ExitCode::Passed,
        ExitCode::Fair,
        ExitCode::Poor,
        ExitCode::NotTrustworthy,
        ExitCode::Incomplete,
        ExitCode::TargetUnreachable,
        ExitCode::CannotWrite,
        ExitCode::Interrupted,
    ];
    known.into_iter().find(|code| code.code() == number).unwrap_or(ExitCode::Internal)
}

/// The format whose files are named like this one.
fn by_name(place: &Path) -> Result<Shown, Failure> {
    let extension = place.extension().map(|end| end.to_string_lossy().to_lowercase());
    if extension.as_deref() == Some("txt") {
        return Ok(Shown::Text);
    }
    let is_same = |format: &Format| {
        let usual = Path::new(format.default_name()).extension();
        usual.is_some() && usual.map(|end| end.to_string_lossy().into_owned()) == extension
    };
    let found = Format::ALL.iter().find(|(_, format)| is_same(format));
    found.map(|(_, format)| Shown::As(*format)).ok_or_else(|| {
        let place = place.display();
        Failure::usage(format!("`{place}` does not say which format is wanted: add --format"))
    })
}

fn in_folder(place: &Path, name: &str) -> PathBuf {
    if place.is_dir() { place.join(name) } else { place.to_owned() }
}

fn write(place: &Path, text: &str, console: &Console) -> Result<(), Failure> {
    Destination::prepare(Some(place))?.write(text, console).map(drop)
}

fn plain_summary(result: &RunResult, path: &Path) -> String {
    let path = path.to_string_lossy();
    let options = SummaryOptions {
        style: Style::plain(),
        exit_code: execute::code_of(result),
        result_path: Some(&path),
        report_path: None,
    };
    summary(result, &options)
}

/// Reads the result of a run: a file, standard input, or the folder of the run.
pub(super) fn read(place: &Path) -> Result<RunResult, Failure> {
    match stored(place)? {
        Stored::Run(result) => Ok(*result),
        Stored::Suite(_) => {
            let place = place.display();
            Err(Failure::input(format!(
                "{place} is of a suite: name the result of one of its tests"
            )))
        }
    }
}

/// What was stored.
enum Stored {
    Run(Box<RunResult>),
    Suite(Box<SuiteResult>),
}

/// Reads a result: a file, standard input, or the folder of a run or a suite. Where a run was killed
/// there is no result in its folder, but a journal that one is made of.
fn stored(place: &Path) -> Result<Stored, Failure> {
    let name = place.display();
    if place.is_dir() {
        let files = [Format::Json.default_name(), SUITE].map(|name| place.join(name));
        if let Some(file) = files.iter().find(|file| file.exists()) {
            return stored(file);
        }
        let journalled = journal::read(place).and_then(|found| found.result());
        return journalled.map(|run| Stored::Run(Box::new(run))).map_err(|error| {
            Failure::input(format!("{name} has no result in it, and no journal: {error}"))
        });
    }
    let mut bytes = Vec::new();
    let read = if place.as_os_str() == "-" {
        io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        fs::read(place).map(|read| bytes = read)
    };
    read.map_err(|error| Failure::input(format!("{name} cannot be read: {error}")))?;
    let told = |error: &dyn std::fmt::Display| Failure::input(format!("{name}: {error}"));
    match std::str::from_utf8(&bytes) {
        Ok(text) if SuiteResult::is_meant_by(text) => {
            let suite = SuiteResult::from_json(text).map_err(|error| told(&error))?;
            Ok(Stored::Suite(Box::new(suite)))
        }
        _ => {
            let run = json::from_bytes(&bytes).map_err(|error| told(&error))?;
            Ok(Stored::Run(Box::new(run)))
        }
    }
}
