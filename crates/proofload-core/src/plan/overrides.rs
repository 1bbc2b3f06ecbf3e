//! What flags and the environment change in a plan that has been read.
//!
//! Overrides work on the resolved plan, after all else: the load keeps its form and is stretched.
//! `users` and `rate` scale stages so that their peak is the new value; `duration` scales the times
//! of stages, steps and bursts so that the phase takes as long in all.

use std::time::Duration;

use super::model::{Burst, BurstSize, Load, Plan, Target, ThinkTime, UserLoad, UserStage};
use super::read::{parse_base_url, parse_think_time};
use super::words::nearest;
use crate::units::{self, TimeUnit};

/// Changes to a plan. What is `None` or empty stays as the plan has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Another service under test: a URL or `demo`.
    pub target: Option<String>,
    /// Peak number of users of closed-model phases; `max_users` of open-model ones.
    pub users: Option<u32>,
    /// Peak rate of open-model phases, a second.
    pub rate: Option<f64>,
    /// Length of every phase.
    pub duration: Option<Duration>,
    /// Users that start a second, in closed-model phases that begin with a ramp to their peak.
    pub spawn_rate: Option<f64>,
    /// Iterations of each user, or shared by all where the phase shares them.
    pub iterations: Option<u64>,
    /// Instead of all think times.
    pub think_time: Option<ThinkTime>,
    /// Only these phases, in the order of the plan.
    pub phases: Vec<String>,
    /// Seed of every random choice.
    pub seed: Option<u64>,
}

/// An override that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default())]
pub struct OverrideError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl OverrideError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Names in the environment; `PROOFLOAD_…` wins over the others.
const TARGET: &[&str] = &["PROOFLOAD_TARGET", "LOAD_TEST_HOST"];
const USERS: &[&str] = &["PROOFLOAD_USERS", "LOAD_TEST_USERS"];
const RATE: &[&str] = &["PROOFLOAD_RATE"];
const DURATION: &[&str] = &["PROOFLOAD_DURATION", "LOAD_TEST_RUN_TIME"];
const SPAWN_RATE: &[&str] = &["PROOFLOAD_SPAWN_RATE", "LOAD_TEST_SPAWN_RATE"];

impl Overrides {
    /// Reads the environment: `PROOFLOAD_TARGET`, `_USERS`, `_RATE`, `_DURATION`, `_SPAWN_RATE`, and
    /// `LOAD_TEST_HOST`, `_USERS`, `_RUN_TIME`, `_SPAWN_RATE` where those are not set. Empty values
    /// count as not set.
    ///
    /// # Errors
    /// Every value that cannot be read, by name.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<OverrideError>> {
        let mut errors = Vec::new();
        let find = |names: &[&'static str]| {
            names.iter().find_map(|&name| {
                lookup(name).filter(|value| !value.trim().is_empty()).map(|value| (name, value))
            })
        };
        let mut overrides =
            Self { target: find(TARGET).map(|(_, value)| value), ..Self::default() };
        if let Some((name, value)) = find(USERS) {
            keep(&mut overrides.users, parse_users(&value), name, &mut errors);
        }
        if let Some((name, value)) = find(RATE) {
            keep(&mut overrides.rate, parse_rate(&value), name, &mut errors);
        }
        if let Some((name, value)) = find(DURATION) {
            keep(&mut overrides.duration, parse_duration(&value), name, &mut errors);
        }
        if let Some((name, value)) = find(SPAWN_RATE) {
            keep(&mut overrides.spawn_rate, parse_rate(&value), name, &mut errors);
        }
        if errors.is_empty() { Ok(overrides) } else { Err(errors) }
    }

    /// These overrides, and where they say nothing, the others.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            target: self.target.or(other.target),
            users: self.users.or(other.users),
            rate: self.rate.or(other.rate),
            duration: self.duration.or(other.duration),
            spawn_rate: self.spawn_rate.or(other.spawn_rate),
            iterations: self.iterations.or(other.iterations),
            think_time: self.think_time.or(other.think_time),
            phases: if self.phases.is_empty() { other.phases } else { self.phases },
            seed: self.seed.or(other.seed),
        }
    }

    /// Reads a number of users, as a flag gives it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_users(text: &str) -> Result<u32, String> {
        parse_users(text)
    }

    /// Reads a rate, as a flag gives it: `"100/s"`, `"6000/m"`, or a bare number a second.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_rate(text: &str) -> Result<f64, String> {
        parse_rate(text)
    }

    /// Reads a duration, as a flag gives it: `"30s"`, `"1h30m"`, or a bare number of seconds.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_duration(text: &str) -> Result<Duration, String> {
        parse_duration(text)
    }

    /// Reads a think time, as a flag gives it: `"1s"`, `"1s..3s"`, `"none"`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_think_time(text: &str) -> Result<ThinkTime, String> {
        parse_think_time(text)
    }
}

fn keep<T>(
    slot: &mut Option<T>,
    read: Result<T, String>,
    name: &str,
    errors: &mut Vec<OverrideError>,
) {
    match read {
        Ok(value) => *slot = Some(value),
        Err(message) => errors.push(OverrideError::new(format!("{name}: {message}"))),
    }
}

fn parse_users(text: &str) -> Result<u32, String> {
    match text.trim().replace('_', "").parse::<u32>() {
        Ok(users @ 1..=10_000_000) => Ok(users),
        Ok(_) => Err("the number of users is from 1 to 10000000".to_owned()),
        Err(_) => Err(format!("`{text}` is not a whole number of users")),
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = match units::parse_number(text) {
        Ok(number) => number,
        Err(_) => units::parse_rate(text).map_err(|error| error.to_string())?.as_per_second(),
    };
    if rate > 0.0 && rate <= 1e8 {
        Ok(rate)
    } else {
        Err("a rate is above 0 and at most 100000000/s".to_owned())
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = units::parse_duration_or_bare(text, TimeUnit::Seconds)
        .map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("a duration is longer than 0s".to_owned()) } else { Ok(duration) }
}

impl Plan {
    /// Applies overrides.
    ///
    /// # Errors
    /// Every override that cannot be: an unknown phase, a bad target, a value that no phase has a use
    /// for. The plan is in an unspecified, but valid state then.
    pub fn apply(&mut self, overrides: &Overrides) -> Result<(), Vec<OverrideError>> {
        let mut errors = Vec::new();
        if let Some(target) = &overrides.target {
            match parse_target(target) {
                Ok(target) => self.target = target,
                Err(error) => errors.push(error),
            }
        }
        self.pick_phases(&overrides.phases, &mut errors);
        self.apply_load(overrides, &mut errors);
        if let Some(think_time) = overrides.think_time {
            for phase in &mut self.phases {
                phase.think_time = Some(think_time);
            }
        }
        self.seed = overrides.seed.or(self.seed);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn pick_phases(&mut self, wanted: &[String], errors: &mut Vec<OverrideError>) {
        if wanted.is_empty() {
            return;
        }
        let names: Vec<&str> = self.phases.iter().map(|phase| &*phase.name).collect();
        let is = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted.trim());
        for unknown in wanted.iter().filter(|w| !names.iter().any(|name| is(name, w))) {
            let error = OverrideError::new(format!("there is no phase `{unknown}`"));
            errors.push(match nearest(unknown, names.iter().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("phases are {}", names.join(", "))),
            });
        }
        if errors.is_empty() {
            self.phases.retain(|phase| wanted.iter().any(|wanted| is(&phase.name, wanted)));
        }
    }

    fn apply_load(&mut self, overrides: &Overrides, errors: &mut Vec<OverrideError>) {
        let mut used = Used::default();
        for phase in &mut self.phases {
            if let Some(users) = overrides.users {
                set_users(&mut phase.load, users);
            }
            if let Some(rate) = overrides.rate {
                used.rate |= set_rate(&mut phase.load, rate);
            }
            if let Some(duration) = overrides.duration {
                let factor = set_duration(&mut phase.load, duration);
                if phase.step_every.is_some() {
                    phase.step_every = Some(even_steps(&mut phase.load));
                }
                for burst in &mut phase.bursts {
                    scale_burst(burst, factor);
                }
            }
            if let Some(spawn_rate) = overrides.spawn_rate {
                used.spawn_rate |= set_spawn_rate(&mut phase.load, spawn_rate);
            }
            if let Some(iterations) = overrides.iterations {
                used.iterations |= set_iterations(&mut phase.load, iterations);
            }
        }
        let unused = [
            (overrides.rate.is_some() && !used.rate, "rate", "no phase has a rate"),
            (
                overrides.spawn_rate.is_some() && !used.spawn_rate,
                "spawn rate",
                "no phase begins with a ramp of users to its peak",
            ),
            (
                overrides.iterations.is_some() && !used.iterations,
                "number of iterations",
                "no phase has users that could count them",
            ),
        ];
        for (_, what, why) in unused.into_iter().filter(|(is_unused, ..)| *is_unused) {
            errors.push(OverrideError::new(format!("the {what} cannot be overridden: {why}")));
        }
    }
}

/// Which overrides some phase had a use for.
#[derive(Default)]
struct Used {
    rate: bool,
    spawn_rate: bool,
    iterations: bool,
}

fn parse_target(text: &str) -> Result<Target, OverrideError> {
    let text = text.trim();
    if text == "demo" {
        return Ok(Target::Demo);
    }
    parse_base_url(text)
        .map(Target::Url)
        .map_err(|(message, help)| OverrideError::new(format!("target: {message}")).help(help))
}

fn set_users(load: &mut Load, users: u32) {
    let peak = load.peak_users();
    match load {
        Load::Users(load) => {
            for stage in &mut load.stages {
                let scaled = f64::from(stage.users) * f64::from(users) / f64::from(peak.max(1));
                let least = f64::from(u8::from(stage.users > 0));
                stage.users = scaled.round().max(least) as u32;
            }
        }
        Load::SharedIterations { users: own, .. } => *own = users,
        Load::Arrivals(load) => load.max_users = users,
    }
}

fn set_rate(load: &mut Load, rate: f64) -> bool {
    let Some(peak) = load.peak_rate().filter(|peak| *peak > 0.0) else { return false };
    if let Load::Arrivals(load) = load {
        for stage in &mut load.stages {
            stage.per_second =
                if stage.per_second == peak { rate } else { stage.per_second * rate / peak };
        }
    }
    true
}

/// Without the noise of floating-point arithmetic behind the ninth decimal.
pub(super) fn tidy_rate(per_second: f64) -> f64 {
    (per_second * 1e9).round() / 1e9
}

/// Gives the factor by which time was stretched.
fn set_duration(load: &mut Load, duration: Duration) -> f64 {
    let before: Duration = match load {
        Load::Users(load) => load.stages.iter().map(|stage| stage.over).sum(),
        Load::SharedIterations { max_duration, .. } => max_duration.unwrap_or(duration),
        Load::Arrivals(load) => load.stages.iter().map(|stage| stage.over).sum(),
    };
    let factor = if before.is_zero() { 1.0 } else { duration.as_secs_f64() / before.as_secs_f64() };
    match load {
        Load::Users(load) if load.unbounded => end_after(load, duration),
        Load::Users(load) => {
            stretch(load.stages.iter_mut().map(|stage| &mut stage.over), factor, duration);
        }
        Load::SharedIterations { max_duration, .. } => *max_duration = Some(duration),
        Load::Arrivals(load) => {
            stretch(load.stages.iter_mut().map(|stage| &mut stage.over), factor, duration);
        }
    }
    factor
}

/// Makes all steps of a rising load exactly as long as each other, after rounding.
fn even_steps(load: &mut Load) -> Duration {
    let mut times: Vec<&mut Duration> = match load {
        Load::Users(load) => load.stages.iter_mut().map(|stage| &mut stage.over).collect(),
        Load::Arrivals(load) => load.stages.iter_mut().map(|stage| &mut stage.over).collect(),
        Load::SharedIterations { .. } => Vec::new(),
    };
    times.retain(|time| !time.is_zero());
    let every = times.iter().map(|time| **time).min().unwrap_or_default();
    for time in times {
        *time = every;
    }
    every
}

/// A load that ended with its iterations now ends with the time, whichever is first.
fn end_after(load: &mut UserLoad, duration: Duration) {
    let ramp: Duration = load.stages.iter().map(|stage| stage.over).sum();
    load.unbounded = false;
    if ramp >= duration {
        let factor = duration.as_secs_f64() / ramp.as_secs_f64();
        stretch(load.stages.iter_mut().map(|stage| &mut stage.over), factor, duration);
    } else if let Some(&UserStage { users, .. }) = load.stages.last() {
        load.stages.push(UserStage { users, over: duration - ramp });
    }
}

/// Stretches times; what rounding leaves over goes to the last one that has a length.
fn stretch<'t>(times: impl Iterator<Item = &'t mut Duration>, factor: f64, total: Duration) {
    let mut times: Vec<&mut Duration> = times.filter(|time| !time.is_zero()).collect();
    let mut rest = total;
    let last = times.len().saturating_sub(1);
    for (at, time) in times.iter_mut().enumerate() {
        **time = if at == last { rest } else { scale(**time, factor).min(rest) };
        rest = rest.saturating_sub(**time);
    }
}

fn scale(time: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

fn scale_burst(burst: &mut Burst, factor: f64) {
    burst.first_at = scale(burst.first_at, factor);
    burst.every = burst.every.map(|every| scale(every, factor));
    match &mut burst.size {
        BurstSize::Requests(_) => {}
        BurstSize::Users { lasts, .. } | BurstSize::Rate { lasts, .. } => {
            *lasts = scale(*lasts, factor);
        }
    }
}

/// Changes the length of a first ramp to the peak; the phase stays as long as it is where the next
/// stage has the time to give or take.
fn set_spawn_rate(load: &mut Load, per_second: f64) -> bool {
    let peak = load.peak_users();
    let Load::Users(UserLoad { stages, .. }) = load else { return false };
    let Some(first) = stages.first_mut().filter(|first| first.users == peak) else { return false };
    let Ok(ramp) = Duration::try_from_secs_f64(f64::from(peak) / per_second) else { return false };
    let before = first.over;
    first.over = ramp;
    if let Some(next) = stages.get_mut(1).filter(|next| next.users == peak) {
        next.over = (next.over + before).saturating_sub(ramp);
        if next.over.is_zero() {
            stages.remove(1);
        }
    }
    true
}

fn set_iterations(load: &mut Load, count: u64) -> bool {
    match load {
        Load::Users(load) => load.iterations_per_user = Some(count),
        Load::SharedIterations { iterations, .. } => *iterations = count,
        Load::Arrivals(_) => return false,
    }
    true
}
