//! The formats in which a result can be written: one table for `--out` and for `report --format`.

use std::path::{Path, PathBuf};

use proofload_core::result::RunResult;
use proofload_core::verdict::ExitCode;
use proofload_report::html::{self, HtmlOptions};
use proofload_report::{csv, junit, markdown};

use super::failure::Failure;

/// A format for files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// The report: one page with pictures, readable anywhere
    Html,
    /// The result itself
    Json,
    /// `JUnit` XML: a test case for each expectation, threshold and check
    Junit,
    /// A summary for a pull request
    Markdown,
    /// Locust's files: PREFIX_stats.csv, `_stats_history`, `_failures`, `_exceptions`
    Csv,
}

/// A file of a result.
#[derive(Debug)]
pub(super) struct Rendered {
    /// Where it goes.
    pub(super) path: PathBuf,
    /// What is in it.
    pub(super) text: String,
}

impl Format {
    /// All of them, with the word for each.
    pub(super) const ALL: [(&str, Self); 5] = [
        ("html", Self::Html),
        ("json", Self::Json),
        ("junit", Self::Junit),
        ("markdown", Self::Markdown),
        ("csv", Self::Csv),
    ];

    /// The name of the file where nobody gives one; of several files the beginning of their names.
    pub(super) fn default_name(self) -> &'static str {
        match self {
            Self::Html => "report.html",
            Self::Json => "result.json",
            Self::Junit => "junit.xml",
            Self::Markdown => "summary.md",
            Self::Csv => "locust",
        }
    }

    /// The paths that are written for `path`.
    pub(super) fn paths(self, path: &Path) -> Vec<PathBuf> {
        match self {
            Self::Html | Self::Json | Self::Junit | Self::Markdown => vec![path.to_owned()],
            Self::Csv => ["_stats.csv", "_stats_history.csv", "_failures.csv", "_exceptions.csv"]
                .map(|ending| with_ending(path, ending))
                .to_vec(),
        }
    }

    /// The result in this format.
    ///
    /// # Errors
    /// When a number of it is not finite, which a bug would be.
    pub(super) fn render(
        self,
        result: &RunResult,
        code: ExitCode,
        path: &Path,
    ) -> Result<Vec<Rendered>, Failure> {
        let texts = match self {
            Self::Html => vec![html::page(result, &HtmlOptions::new(code))],
            Self::Json => vec![result.to_json().map_err(Failure::internal)?],
            Self::Junit => vec![junit(result)],
            Self::Markdown => vec![markdown(result)],
            Self::Csv => {
                let files = csv(result);
                vec![files.stats, files.history, files.failures, files.exceptions]
            }
        };
        let files = self.paths(path).into_iter().zip(texts);
        Ok(files.map(|(path, text)| Rendered { path, text }).collect())
    }
}

/// `a/b` and `_stats.csv` make `a/b_stats.csv`.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
