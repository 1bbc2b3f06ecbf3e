//! `proofload suite`: tests one after the other, and what they prove.

mod prepare;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::Zoned;
use proofload_core::compare::{
    CompareError, ComparisonRules, NotComparable, RunEvidence, Side, compare,
};
use proofload_core::plan::Plan;
use proofload_core::result::{RunDigest, RunResult};
use proofload_core::suite::{
    Suite, SuiteInfo, SuiteInput, SuiteResult, SuiteTest, TestKind, TestOutcome, TestRow,
    TestState, TestWork,
};
use proofload_core::verdict::{ExitCode, Measure, Percentile, Statistic, Timing};
use proofload_report::html::{self, SuiteOptions};
use proofload_report::suite::{suite_summary, test_line};
use proofload_report::summary::SummaryOptions;

use self::prepare::{Against, Prepared, Work, prepare};
use super::args::{OutputArgs, OutputFlags};
use super::console::Console;
use super::execute::{self, Finished, Host, Job, perform};
use super::facts;
use super::failure::Failure;
use super::files::{self, RunFolder};
use super::formats::Rendered;
use super::output::{Destination, Written, put};
use super::outputs::Out;
use super::signals::Interrupts;

/// What a suite leaves behind in its folder, beside the folders of its tests.
const RESULT: &str = "suite.json";
const REPORT: &str = "report.html";

pub(super) const EXIT_CODES: &str = "\
Exit codes, the first that applies:
  130  interrupted; the report is still written
  70   a bug of Proofload in a test
  74   a result could not be written
  69   the target of a test was unreachable; the other tests were still run
  65   bad suite, plan or input file (then nothing is run), 64 bad command line
  4    a part of a load generator was lost
  3    a measurement is not trustworthy or a requirement is unproven (with --strict)
  2    POOR: a limit is broken or a requirement has failed
  1    FAIR: every limit kept, too few targets met
  0    EXCELLENT or GOOD, or nothing was expected";

#[derive(Debug, clap::Args)]
pub(super) struct SuiteArgs {
    /// The suite
    #[arg(value_name = "SUITE")]
    suite: PathBuf,
    /// Only tests of this kind; may be given several times
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    only: Vec<TestKind>,
    /// Another service for all tests: a URL, or `demo` [env: PROOFLOAD_TARGET, LOAD_TEST_HOST]
    #[arg(short, long, value_name = "URL", alias = "host")]
    target: Option<String>,
    /// Set a variable of the plans' `${KEY}`; may be given several times
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE", value_parser = super::args::parse_variable)]
    variables: Vec<(String, String)>,
    /// Do not run the tests that follow one that fails
    #[arg(long)]
    fail_fast: bool,
    /// Do not ask targets whether they are there before loading them
    #[arg(long)]
    no_health_check: bool,
    #[command(flatten, next_help_heading = "Output")]
    flags: OutputFlags,
}

fn kinds() -> impl TypedValueParser<Value = TestKind> {
    PossibleValuesParser::new(TestKind::ALL.map(TestKind::word)).try_map(|word| {
        TestKind::of_word(&word).ok_or_else(|| format!("`{word}` is not a kind of test"))
    })
}

/// Runs a suite.
pub(super) fn run(args: &SuiteArgs, console: &Console) -> Result<ExitCode, Failure> {
    // Everything that is wrong is told before any load is put on.
    let Prepared { suite, work } = prepare(args, console)?;
    let began = Zoned::now();
    let asked = Destination::prepare(args.flags.output_file.as_deref())?;
    let folder = folder(args, &suite, &began, console)?;
    let at = folder.as_ref().map(RunFolder::path);
    args.flags.out.iter().try_for_each(|out| prepare_out(out, at))?;
    let interrupts = Interrupts::default();
    let started = Instant::now();
    let mut session = Session {
        args,
        suite: &suite,
        host: Host { console, interrupts: &interrupts },
        folder: folder.as_ref().map(RunFolder::path),
        is_quiet: args.flags.is_silent(),
        has_failed: false,
        kept: BTreeMap::new(),
    };
    let outcomes: Vec<TestOutcome> = suite
        .tests
        .iter()
        .zip(work)
        .enumerate()
        .map(|(index, (test, work))| session.test(index, test, work))
        .collect();
    let is_quiet = session.is_quiet;
    let ended = Zoned::now();
    let info = SuiteInfo {
        name: suite.name.to_string(),
        file: args.suite.display().to_string(),
        started: facts::time(&began),
        ended: facts::time(&ended),
        duration_seconds: started.elapsed().as_secs_f64(),
        only: args.only.iter().map(ToString::to_string).collect(),
        interrupted: interrupts.came(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let (result, code) = SuiteResult::build(&SuiteInput {
        suite: &suite,
        timestamp: facts::time(&ended),
        info,
        outcomes: &outcomes,
        is_strict: args.flags.strict,
    });
    let result = redacted(&result, console)?;
    let written = write(folder.as_ref(), &asked, &result, code, console)?;
    let (file, mut unwritten) = (written.file, written.failure);
    for out in &args.flags.out {
        let path = folder.as_ref().map(RunFolder::path);
        let written = write_out(out, &result, code, path);
        unwritten = unwritten.or(written.err());
    }
    if !is_quiet {
        let path = file.as_deref().map(Path::to_string_lossy);
        let report = written.report.as_deref().map(Path::to_string_lossy);
        let style = console.output_style();
        let options = SummaryOptions {
            style,
            exit_code: code,
            result_path: path.as_deref(),
            report_path: report.as_deref(),
        };
        console.print(&suite_summary(&result, &options));
    }
    unwritten.map_or(Ok(code), Err)
}

/// The folder of the suite. Somebody who said where the result goes may well run in a folder that is read-only.
fn folder(
    args: &SuiteArgs,
    suite: &Suite,
    began: &Zoned,
    console: &Console,
) -> Result<Option<RunFolder>, Failure> {
    let place = args.flags.root();
    match RunFolder::create(place, &suite.name, began) {
        Ok(folder) => Ok(Some(folder)),
        Err(error) if args.flags.results.is_none() && args.flags.output_file.is_some() => {
            let place = place.display();
            console
                .notice(&format!("{place} cannot be written ({error}): tests leave nothing there"));
            Ok(None)
        }
        Err(error) => Err(Failure::output(format!(
            "results cannot be written to {}: {error}\n  --results DIR puts them elsewhere",
            place.display()
        ))),
    }
}

/// A suite that is being run.
#[derive(Debug)]
struct Session<'a> {
    args: &'a SuiteArgs,
    suite: &'a Suite,
    host: Host<'a>,
    folder: Option<&'a Path>,
    is_quiet: bool,
    /// A test has failed.
    has_failed: bool,
    /// Runs that are compared later, by the place of their test.
    kept: BTreeMap<usize, Kept>,
}

/// What a comparison needs of a run.
#[derive(Debug)]
struct Kept {
    evidence: RunEvidence,
    rules: ComparisonRules,
    trustworthy: bool,
}

impl Session<'_> {
    /// Runs a test, if it is to be run, and says how it went.
    fn test(&mut self, index: usize, test: &SuiteTest, work: Option<Work>) -> TestOutcome {
        let is_selected = work.is_some();
        let reason = if !is_selected {
            Some("not asked for")
        } else if self.host.interrupts.came() {
            Some("the suite was interrupted before")
        } else if self.has_failed && self.args.fail_fast {
            Some("a test before it failed (--fail-fast)")
        } else {
            None
        };
        let row = TestRow {
            name: test.name.to_string(),
            kind: test.kind.word().to_owned(),
            reason: reason.map(str::to_owned),
            ..TestRow::default()
        };
        let outcome = match work.filter(|_| reason.is_none()) {
            Some(Work::Run(plan)) => self.load_test(index, row, *plan),
            Some(Work::Compare(against)) => {
                TestOutcome { row: self.comparison(row, &against), digest: None }
            }
            None => TestOutcome { row, digest: None },
        };
        self.has_failed |= outcome.row.exit_code.is_some_and(|code| code > 1);
        if !self.is_quiet && is_selected {
            self.host.console.print(&test_line(&outcome.row, &self.host.console.output_style()));
        }
        outcome
    }

    /// Compares the run of an earlier test with a baseline.
    fn comparison(&self, row: TestRow, against: &Against) -> TestRow {
        let console = self.host.console;
        let Some(kept) = self.kept.get(&against.of) else {
            let reason = "the test whose run it compares did not run to its end".to_owned();
            return TestRow { reason: Some(reason), ..row };
        };
        let label = self.suite.tests[against.of].name.to_string();
        let new = Side { label, runs: vec![kept.evidence.clone()] };
        match compare(&against.baseline, &new, &kept.rules, &against.allowed) {
            Ok(comparison) => {
                if !self.is_quiet && (self.args.flags.verbose || comparison.has_regressed) {
                    let style = console.output_style();
                    console.print(&proofload_report::comparison::comparison(&comparison, &style));
                }
                TestRow { trustworthy: kept.trustworthy, ..row.compared(comparison) }
            }
            Err(error) => {
                let failure = Failure::input(refusal(&error));
                console.error(&failure);
                TestRow {
                    state: TestState::Failed,
                    exit_code: Some(failure.code.code()),
                    reason: Some(failure.message),
                    ..row
                }
            }
        }
    }

    /// Runs a plan.
    fn load_test(&mut self, index: usize, row: TestRow, plan: Plan) -> TestOutcome {
        let (args, host) = (self.args, self.host);
        if !self.is_quiet {
            let all = self.suite.tests.len();
            host.console.print_error(&format!("\nTest {} of {all}: {}\n", index + 1, row.name));
        }
        let name = folder_name(index, &row.name);
        let out = args.flags.out.iter().filter_map(|out| out.of_run(&name, None)).collect();
        let output = OutputArgs {
            flags: OutputFlags {
                output_file: None,
                out,
                results: self.folder.map(Path::to_owned),
                quiet: self.is_quiet,
                ..args.flags.clone()
            },
            no_health_check: args.no_health_check,
            ..OutputArgs::default()
        };
        let rules = plan.comparison.clone();
        let job = Job { keeps_result: false, ..Job::new(plan, output) };
        let started = Instant::now();
        let finished = perform(job, host, &mut []);
        let row = TestRow { duration_seconds: started.elapsed().as_secs_f64(), ..row };
        match finished {
            Ok(finished) => {
                self.keep(index, &finished, rules);
                self.finished(index, row, finished)
            }
            Err(failure) => {
                host.console.error(&failure);
                let row = TestRow {
                    state: TestState::Failed,
                    exit_code: Some(failure.code.code()),
                    reason: Some(failure.message),
                    ..row
                };
                TestOutcome { row, digest: None }
            }
        }
    }

    /// Keeps what a later comparison needs of a run that came to its end.
    fn keep(&mut self, index: usize, finished: &Finished, rules: ComparisonRules) {
        let is_compared = |test: &SuiteTest| match test.work {
            TestWork::Baseline { of, .. } => of == index,
            TestWork::Plan { .. } => false,
        };
        let run = &finished.result.run;
        if self.suite.tests.iter().any(is_compared) && !run.interrupted && !run.incomplete {
            let evidence = RunEvidence::of(&finished.result);
            let trustworthy = finished.result.summary.trustworthy;
            self.kept.insert(index, Kept { evidence, rules, trustworthy });
        }
    }

    fn finished(&self, index: usize, row: TestRow, finished: Finished) -> TestOutcome {
        let Finished { result, code, mut written, .. } = finished;
        let console = self.host.console;
        rename_folder(&mut written, &folder_name(index, &row.name));
        if self.args.flags.verbose && !self.is_quiet {
            console.print(&proofload_report::summary::details(&result, &console.output_style()));
            execute::show(&result, code, &written, console);
        }
        let Written { file, failure: unwritten, .. } = written;
        let mut outcome = outcome_of(row, &result, code);
        outcome.row.result_path = file.map(|file| file.display().to_string());
        if let Some(failure) = unwritten {
            outcome.row.exit_code = Some(failure.code.code());
            outcome.row.reason = Some(failure.message);
        }
        outcome
    }
}

/// How a run that ended with this code counts as a test.
pub(super) fn outcome_of(row: TestRow, result: &RunResult, code: ExitCode) -> TestOutcome {
    let digest = RunDigest::from(result);
    let p95 = Measure::Time(Timing::Response, Statistic::Percentile(Percentile::P95));
    let row = TestRow {
        state: match code {
            ExitCode::Interrupted => TestState::Interrupted,
            _ => TestState::Finished,
        },
        exit_code: Some(code.code()),
        grade: result.summary.grade,
        trustworthy: result.summary.trustworthy,
        total_requests: result.summary.total_requests,
        failed: result.summary.failed,
        p95_latency_ms: digest.value(&p95).map(|ns| ns / 1e6),
        targets: result.summary.targets,
        targets_met: result.summary.targets_met,
        limits: result.summary.limits,
        limits_met: result.summary.limits_met,
        ..row
    };
    TestOutcome { row, digest: Some(digest) }
}

/// Why nothing is compared, with the word that a suite has for it.
fn refusal(error: &CompareError) -> String {
    let CompareError::NotComparable(NotComparable { differences }) = error else {
        return error.to_string();
    };
    let what: String = differences.iter().map(|one| format!("\n  {one}")).collect();
    let mut words: Vec<String> =
        differences.iter().map(|one| format!("\"{}\"", one.aspect.word())).collect();
    words.dedup();
    let words = words.join(", ");
    format!(
        "the run and its baseline are not comparable:{what}\n  to compare them all the same: \
         allow_different = [{words}] in the test"
    )
}

/// The name of the folder that a test leaves behind: that of the test, with its place in the suite, for plans may
/// be run several times.
fn folder_name(index: usize, test: &str) -> String {
    format!("{}-{}", index + 1, files::plain(test))
}

/// Gives the folder of a run another name.
pub(super) fn rename_folder(written: &mut Written, name: &str) {
    let Some(folder) = written.file.as_deref().and_then(Path::parent).map(Path::to_owned) else {
        return;
    };
    let named = folder.with_file_name(name);
    // It stays where it is if it cannot be renamed: that is a matter of taste.
    if fs::rename(&folder, &named).is_ok() {
        for path in [&mut written.file, &mut written.report].into_iter().flatten() {
            if let Ok(name) = path.strip_prefix(&folder) {
                *path = named.join(name);
            }
        }
    }
}

/// The result without secrets, which may stand in names of tests and messages.
fn redacted(result: &SuiteResult, console: &Console) -> Result<SuiteResult, Failure> {
    let mut value = serde_json::to_value(result).map_err(Failure::internal)?;
    console.redactor().json(&mut value);
    serde_json::from_value(value).map_err(Failure::internal)
}

/// Makes sure that what is written at the end can be written, and that suites have such a format.
fn prepare_out(out: &Out, folder: Option<&Path>) -> Result<(), Failure> {
    if let Some(format) = out.format() {
        format.render_suite(&SuiteResult::default(), &SuiteOptions::default())?;
        out.prepare(folder)?;
    }
    Ok(())
}

/// Writes what was asked for with `--out`.
fn write_out(
    out: &Out,
    result: &SuiteResult,
    code: ExitCode,
    folder: Option<&Path>,
) -> Result<(), Failure> {
    let Some(format) = out.format() else { return Ok(()) };
    let path = out.path(format, folder);
    let in_folder = folder.filter(|folder| path.parent() == Some(folder));
    let reports = reports(result, in_folder);
    let options = SuiteOptions { exit_code: Some(code), reports: &reports };
    Rendered { path, text: format.render_suite(result, &options)? }.write()
}

/// Where the reports of the tests are, relative to the folder of the suite; nothing for a page elsewhere.
fn reports(result: &SuiteResult, folder: Option<&Path>) -> Vec<Option<String>> {
    let of = |test: &TestRow| {
        let report = Path::new(test.result_path.as_ref()?).with_file_name(REPORT);
        let path = report.strip_prefix(folder?).ok().filter(|_| report.is_file())?;
        path.to_str().map(str::to_owned)
    };
    result.tests.iter().map(of).collect()
}

/// Writes the result to every place where it goes. What fails does not keep the rest from being written.
fn write(
    folder: Option<&RunFolder>,
    asked: &Destination,
    result: &SuiteResult,
    code: ExitCode,
    console: &Console,
) -> Result<Written, Failure> {
    let json = result.to_json().map_err(Failure::internal)?;
    let mut written = Written::default();
    if let Some(folder) = folder.map(RunFolder::path) {
        // A test that left nothing behind has taken the folder with its own, if that was empty.
        let made = fs::create_dir_all(folder).map_err(|error| {
            Failure::output(format!("{} could not be made: {error}", folder.display()))
        });
        written.keep(made);
        written.file = written.keep(put(folder.join(RESULT), &json));
        let reports = reports(result, Some(folder));
        let options = SuiteOptions { exit_code: Some(code), reports: &reports };
        let page = html::suite_page(result, &options);
        written.report = written.keep(put(folder.join(REPORT), &page));
    }
    let asked = asked.write(&json, console).map(|path| path.map(Path::to_owned));
    written.file = written.keep(asked).flatten().or(written.file.take());
    Ok(written)
}
