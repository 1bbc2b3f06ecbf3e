//! The real part: runs of the built `proofload` against its own demo service, on loopback.
//!
//! Each run has a fresh demo process and a fresh generator process, as in practice: what differs between
//! processes is part of what differs between runs. Runs of the slower service alternate with those of the
//! usual one as A B B A.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use proofload_core::compare::{RunEvidence, Side};
use proofload_core::result::RunResult;

use super::say;
use super::tally::Tally;

/// Runs on each side where several are compared.
pub(crate) const SEVERAL: usize = 8;
/// Latency of the usual service, and of the slower one. An answer takes about 2.3 ms longer than the knob
/// says (half of the jitter, a tick of the timer, the way there and back), so that 1.15 ms are 5 %.
const USUAL: &str = "20ms";
const SLOWER: &str = "21.15ms";
/// No run takes nearly as long beyond its own length.
const PATIENCE: Duration = Duration::from_secs(60);

const PLAN: &str = r#"
name = "Operating characteristic"
target = "http://127.0.0.1:1"
[[user]]
think_time = "none"
[[user.task]]
name = "trades"
weight = 3
get = "/api/public-trades?limit=20"
[[user.task]]
name = "config"
get = "/api/config"
[[phase]]
name = "Steady"
users = 10
duration = "SECONDSs"
"#;

/// How much is to be measured.
pub(crate) struct Amount<'a> {
    /// Comparisons of one run with one other.
    pub(crate) pairs: u32,
    /// Comparisons of [`SEVERAL`] runs with as many of a slower service.
    pub(crate) slower: u32,
    /// Length of a run.
    pub(crate) seconds: u32,
    /// Where results are kept.
    pub(crate) keep: Option<&'a Path>,
}

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Real {
    /// Length of a run in seconds.
    pub(crate) seconds: u32,
    /// Runs of the usual service.
    pub(crate) runs: usize,
    /// One run with the next, each run used once.
    pub(crate) pairs: Tally,
    /// Eight runs with eight others, taken in turns; each run used once.
    pub(crate) several: Tally,
    /// The same for every stretch of sixteen runs that begins at an even number: they overlap.
    pub(crate) overlapping: Tally,
    /// Eight runs with eight of the slower service.
    pub(crate) slower: Tally,
    /// Median over all runs of p50 in the usual and in the slower service, in milliseconds.
    pub(crate) p50_ms: (f64, f64),
    /// What the machine is.
    pub(crate) machine: String,
}

/// Makes the runs and compares them; none if nothing is asked for.
pub(crate) fn run(amount: &Amount<'_>) -> Result<Option<Real>, String> {
    if amount.pairs == 0 && amount.slower == 0 {
        return Ok(None);
    }
    let lab = Lab::new(amount)?;
    let mut real = Real { seconds: amount.seconds, ..Real::default() };
    let usual = lab.runs("usual", amount.pairs as usize * 2, USUAL)?;
    real.runs = usual.len();
    for pair in usual.chunks_exact(2) {
        real.pairs.add(&side(&pair[..1]), &side(&pair[1..]))?;
    }
    for stretch in usual.chunks_exact(2 * SEVERAL) {
        let (old, new) = in_turns(stretch);
        real.several.add(&old, &new)?;
    }
    for start in (0..usual.len().saturating_sub(2 * SEVERAL - 1)).step_by(2) {
        let (old, new) = in_turns(&usual[start..start + 2 * SEVERAL]);
        real.overlapping.add(&old, &new)?;
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for number in 0..amount.slower as usize {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for at in 0..SEVERAL {
            let at = number * SEVERAL + at;
            // A B, then B A.
            for second in [!at.is_multiple_of(2), at.is_multiple_of(2)] {
                if second {
                    new.push(lab.run(&format!("slower-{at}"), SLOWER)?);
                } else {
                    old.push(lab.run(&format!("beside-{at}"), USUAL)?);
                }
            }
        }
        real.slower.add(&side(&old), &side(&new))?;
        before.extend(old);
        after.extend(new);
        say(&format!("slower: {} of {}", number + 1, amount.slower));
    }
    real.p50_ms = (median_ms(&before), median_ms(&after));
    let any = usual.first().or_else(|| before.first());
    real.machine = any.map_or_else(String::new, |run| {
        let facts = &run.ground.environment;
        let fact = |key: &str| facts.get(key).map_or("?", String::as_str);
        format!("{}, {} cores, {}", fact("cpu_model"), fact("cpu_cores"), fact("kernel"))
    });
    Ok(Some(real))
}

fn side(runs: &[RunEvidence]) -> Side {
    Side { label: "runs".to_owned(), runs: runs.to_vec() }
}

/// A B B A …
fn in_turns(runs: &[RunEvidence]) -> (Side, Side) {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for (at, run) in runs.iter().enumerate() {
        if matches!(at % 4, 0 | 3) { old.push(run.clone()) } else { new.push(run.clone()) }
    }
    (side(&old), side(&new))
}

fn median_ms(runs: &[RunEvidence]) -> f64 {
    let p50 = |run: &RunEvidence| run.phases.first()?.all.response.value_at_quantile(0.5);
    let mut all: Vec<u64> = runs.iter().filter_map(p50).collect();
    all.sort_unstable();
    all.get(all.len() / 2).map_or(0.0, |ns| *ns as f64 / 1e6)
}

/// A folder for results, and the programs.
struct Lab {
    folder: PathBuf,
    keeps: bool,
    proofload: PathBuf,
    plan: PathBuf,
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !self.keeps {
            // What stays in a temporary folder does no harm.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Lab {
    fn new(amount: &Amount<'_>) -> Result<Self, String> {
        let folder = match amount.keep {
            Some(folder) => folder.to_owned(),
            None => {
                let name = format!("proofload-operating-characteristic-{}", std::process::id());
                std::env::temp_dir().join(name)
            }
        };
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let plan = folder.join("plan.toml");
        fs::write(&plan, PLAN.replace("SECONDS", &amount.seconds.to_string()))
            .map_err(|error| format!("{}: {error}", plan.display()))?;
        let proofload = built()?;
        Ok(Self { folder, keeps: amount.keep.is_some(), proofload, plan })
    }

    /// So many runs of one service; those that are kept from before are taken up.
    fn runs(&self, name: &str, count: usize, latency: &str) -> Result<Vec<RunEvidence>, String> {
        (0..count)
            .map(|at| {
                if at % 20 == 0 {
                    say(&format!("{name}: run {at} of {count}"));
                }
                self.run(&format!("{name}-{at}"), latency)
            })
            .collect()
    }

    fn run(&self, name: &str, latency: &str) -> Result<RunEvidence, String> {
        let file = self.folder.join(format!("{name}.json"));
        if !file.exists() {
            let demo = Demo::start(&self.proofload, latency)?;
            let mut command = Command::new(&self.proofload);
            command.args(["run", "--quiet", "--no-health-check", "--target", &demo.url]);
            command.args([OsStr::new("--output-file"), file.as_os_str()]);
            command.args([OsStr::new("--results"), self.folder.join("folders").as_os_str()]);
            command.arg(&self.plan).stdout(Stdio::null()).stderr(Stdio::null());
            let child = command.spawn().map_err(|error| format!("proofload: {error}"))?;
            end(child)?;
            // The folder of the run holds the same once more.
            let _ = fs::remove_dir_all(self.folder.join("folders"));
        }
        let text = fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
        let result = RunResult::from_json(&text).map_err(|error| format!("{name}: {error}"))?;
        let mut run = RunEvidence::of(&result);
        // The demo has another port in each run; it is the same service.
        run.ground.target = "demo".to_owned();
        Ok(run)
    }
}

/// Waits for a run; one that hangs is ended.
fn end(mut child: Child) -> Result<(), String> {
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => return Ok(()),
            Ok(None) if started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("a run did not end".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// `proofload demo --serve`, ended when dropped.
struct Demo {
    child: Child,
    url: String,
}

impl Demo {
    fn start(proofload: &Path, latency: &str) -> Result<Self, String> {
        let mut command = Command::new(proofload);
        command.args(["demo", "--serve", "--latency", latency]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("proofload demo: {error}"))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            // It says where it listens, in its first line.
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.map(str::to_owned);
        let demo = Self { child, url: url.unwrap_or_default() };
        if demo.url.is_empty() {
            Err("the demo does not say where it is".to_owned())
        } else {
            Ok(demo)
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The `proofload` beside this program, built if it is not there.
fn built() -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let proofload = here.with_file_name("proofload");
    if !proofload.exists() {
        say("building proofload");
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--release", "-p", "proofload"]);
        let status = command.status().map_err(|error| format!("cargo: {error}"))?;
        if !status.success() || !proofload.exists() {
            return Err(format!("{} is not there: build it first", proofload.display()));
        }
    }
    Ok(proofload)
}
