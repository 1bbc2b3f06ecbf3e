//! The formats in which a result can be written: one table for `--out` and for `report --format`.

use std::path::{Path, PathBuf};

use proofload_core::result::RunResult;
use proofload_core::suite::SuiteResult;
use proofload_core::verdict::ExitCode;
use proofload_report::html::{self, HtmlOptions, SuiteOptions};
use proofload_report::{csv, junit, junit_suite, markdown, markdown_suite};

use super::failure::Failure;
use super::files;

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

impl Rendered {
    /// Writes it.
    pub(super) fn write(&self) -> Result<(), Failure> {
        files::write(&self.path, self.text.as_bytes()).map_err(|error| {
            Failure::output(format!("{} could not be written: {error}", self.path.display()))
        })
    }
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

impl Format {
    /// The result of a suite in this format.
    ///
    /// # Errors
    /// When suites have no such format.
    pub(super) fn render_suite(
        self,
        result: &SuiteResult,
        options: &SuiteOptions<'_>,
    ) -> Result<String, Failure> {
        match self {
            Self::Html => Ok(html::suite_page(result, options)),
            Self::Json => result.to_json().map_err(Failure::internal),
            Self::Junit => Ok(junit_suite(result)),
            Self::Markdown => Ok(markdown_suite(result)),
            Self::Csv => Err(Failure::usage(
                "a suite has no such format: html, json, junit and markdown are there, and the results of its \
                 tests have all of them",
            )),
        }
    }
}

/// `a/b` and `_stats.csv` make `a/b_stats.csv`.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
