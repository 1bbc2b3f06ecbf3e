//! `proofload report`: a stored result again, in the terminal or in another format.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use proofload_core::result::RunResult;
use proofload_core::verdict::ExitCode;
use proofload_output::journal;
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
    let result = read(&args.result)?;
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

/// Reads a result: a file, standard input, or the folder of a run. Where a run was killed there is no
/// result in its folder, but a journal that one is made of.
pub(super) fn read(place: &Path) -> Result<RunResult, Failure> {
    let name = place.display();
    if place.is_dir() {
        let file = place.join(Format::Json.default_name());
        if file.exists() {
            return read(&file);
        }
        let journalled = journal::read(place).and_then(|found| found.result());
        return journalled.map_err(|error| {
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
    json::from_bytes(&bytes).map_err(|error| Failure::input(format!("{name}: {error}")))
}
