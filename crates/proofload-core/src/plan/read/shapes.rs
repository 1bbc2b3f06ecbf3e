//! The load of a phase: from the words of the plan to piecewise-linear stages.

use std::time::Duration;

use super::Reader;
use super::table::Fields;
use crate::plan::diagnostic::Diagnostic;
use crate::plan::model::{
    ArrivalLoad, Load, Overload, RateStage, Spacing, StopRule, UserLoad, UserStage,
};
use crate::plan::overrides::tidy_rate;
use crate::plan::spec::{STAGE, STEP_RULE};
use crate::plan::tree::{Entry, Node, Value};
use crate::units::duration_text;
use crate::verdict::{Bound, Measure};

/// A load, and what comes with it.
pub(super) struct Shaped {
    pub(super) load: Load,
    pub(super) step_every: Option<Duration>,
    pub(super) stop_when: Vec<StopRule>,
}

impl From<Load> for Shaped {
    fn from(load: Load) -> Self {
        Self { load, step_every: None, stop_when: Vec::new() }
    }
}

/// A ready-made load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Normal,
    Peak,
    Stress,
    Spike,
    Endurance,
}

const SHAPES: &[(&str, Shape)] = &[
    ("normal", Shape::Normal),
    ("peak", Shape::Peak),
    ("stress", Shape::Stress),
    ("spike", Shape::Spike),
    ("endurance", Shape::Endurance),
];

/// A load that rises step by step has at most this many steps.
const MAX_STEPS: u64 = 10_000;

/// Starts that may wait when all users are at work, if the plan does not say.
const DEFAULT_QUEUE: u32 = 100_000;

/// How high the load is: users, or starts a second.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    Users(u32),
    Rate(f64),
}

impl Level {
    /// A share of the level; not nothing unless the share is.
    fn times(self, share: f64) -> Self {
        match self {
            Self::Users(users) if share > 0.0 => {
                Self::Users((f64::from(users) * share).round().max(1.0) as u32)
            }
            Self::Users(_) => Self::Users(0),
            Self::Rate(rate) => Self::Rate(tidy_rate(rate * share)),
        }
    }
}

/// A line to a level.
type Piece = (Level, Duration);

/// All keys that say something about the load.
const LOAD_KEYS: &[&str] = &[
    "shape",
    "users",
    "spawn_rate",
    "rate",
    "ramp_up",
    "duration",
    "ramp_down",
    "stages",
    "iterations",
    "shared_iterations",
    "requests",
    "max_users",
    "arrivals",
    "overload",
    "step",
    "max",
];

/// Keys of open-model load only.
const OPEN_KEYS: &[&str] = &["max_users", "arrivals", "overload", "requests"];

impl Reader<'_> {
    /// The load of a phase.
    pub(super) fn load(&mut self, fields: &Fields<'_>) -> Option<Shaped> {
        if let (Some(users), Some(rate)) = (fields.entry("users"), fields.entry("rate")) {
            let late = if users.key_at > rate.key_at { users } else { rate };
            self.error(Diagnostic::at(late.key_at, "`users` and `rate` exclude each other").help(
                "users wait for their answers (closed model), a rate does not (open model); \
                     max_users limits how many work on a rate",
            ));
            return None;
        }
        let main = ["shape", "stages", "step"].into_iter().find_map(|key| fields.entry(key));
        match main.map(|entry| entry.key.as_str()) {
            Some("shape") => self.preset(fields),
            Some("stages") => self.staged(fields).map(Shaped::from),
            Some(_) => self.stairs(fields),
            None if fields.get("rate").is_some() => self.constant_rate(fields).map(Shaped::from),
            None if fields.get("users").is_some() => self.constant_users(fields).map(Shaped::from),
            None => {
                self.error(Diagnostic::at(fields.at, "this phase has no load").help(
                    "give it users = 10 or rate = \"100/s\" with a duration, or stages, or a \
                         shape",
                ));
                None
            }
        }
    }

    /// Tells load keys that do not go with the main one.
    fn only(&mut self, fields: &Fields<'_>, main: &str, allowed: &[&[&str]]) {
        for entry in fields.present(LOAD_KEYS) {
            let key = entry.key.as_str();
            if key == main || allowed.iter().any(|keys| keys.contains(&key)) {
                continue;
            }
            let goes_with = match key {
                "max_users" | "arrivals" | "overload" => "it goes with `rate`",
                "users" | "rate" if main == "stages" => "the stages say it",
                "ramp_up" | "ramp_down" | "duration" | "spawn_rate" if main == "stages" => {
                    "the stages say how long and how steep"
                }
                "max" => "it goes with `step`",
                "spawn_rate" => "it goes with `users`",
                _ => "remove one of them",
            };
            let message = format!("`{key}` does not go with `{main}`");
            self.error(Diagnostic::at(entry.key_at, message).help(goes_with));
        }
    }

    fn optional_duration(&mut self, fields: &Fields<'_>, key: &str) -> Option<Duration> {
        fields.get(key).and_then(|node| self.positive_duration(node))
    }

    fn constant_users(&mut self, fields: &Fields<'_>) -> Option<Load> {
        let users = fields.get("users").and_then(|node| self.users(node, 1));
        if let Some(shared) = self.one_of(fields, &["shared_iterations", "requests"]) {
            let key = shared.key.clone();
            self.only(fields, &key, &[&["users", "duration", "shared_iterations", "requests"]]);
            let iterations = self.whole(&shared.node, 1, u64::MAX)?;
            let max_duration = self.optional_duration(fields, "duration");
            return Some(Load::SharedIterations { users: users?, iterations, max_duration });
        }
        self.only(
            fields,
            "users",
            &[&["spawn_rate", "ramp_up", "duration", "ramp_down", "iterations"]],
        );
        self.one_of(fields, &["spawn_rate", "ramp_up"]);
        let ramp_up = match fields.get("spawn_rate") {
            Some(node) => self.spawn_time(node, users?)?,
            None => self.optional_duration(fields, "ramp_up").unwrap_or_default(),
        };
        let iterations_per_user =
            fields.get("iterations").and_then(|node| self.whole(node, 1, u64::MAX));
        let users = users?;
        if fields.get("duration").is_none() && fields.get("iterations").is_some() {
            if let Some(entry) = fields.entry("ramp_down") {
                self.error(
                    Diagnostic::at(entry.key_at, "`ramp_down` without `duration`")
                        .help("users stop when their iterations are done"),
                );
            }
            let stages = vec![UserStage { users, over: ramp_up }];
            return Some(Load::Users(UserLoad { stages, iterations_per_user, unbounded: true }));
        }
        let pieces = self.trapezoid(fields, Level::Users(users), ramp_up)?;
        Some(user_load(&pieces, iterations_per_user))
    }

    /// How long it takes to start so many users at so many a second.
    fn spawn_time(&mut self, node: &Node, users: u32) -> Option<Duration> {
        let per_second = match node.value {
            Value::Whole(_) => self.whole(node, 1, 10_000_000)? as f64,
            Value::Float(rate) if rate > 0.0 => rate,
            Value::Text(ref text) if text.replaced && text.text.trim().parse::<f64>().is_ok() => {
                match text.text.trim().parse::<f64>() {
                    Ok(rate) if rate > 0.0 && rate.is_finite() => rate,
                    _ => return self.wrong(node, "must be above 0"),
                }
            }
            _ => self.positive_rate(node)?,
        };
        Duration::try_from_secs_f64(f64::from(users) / per_second).ok()
    }

    /// Up, hold, down. `duration` is the whole of it.
    fn trapezoid(
        &mut self,
        fields: &Fields<'_>,
        level: Level,
        ramp_up: Duration,
    ) -> Option<Vec<Piece>> {
        let Some(entry) = fields.entry("duration") else {
            let others = match level {
                Level::Users(_) => ", iterations or shared_iterations",
                Level::Rate(_) => " or requests",
            };
            self.missing(fields, "this phase has no end", &format!("give it a duration{others}"));
            return None;
        };
        let duration = self.positive_duration(&entry.node)?;
        let ramp_down = self.optional_duration(fields, "ramp_down").unwrap_or_default();
        let Some(hold) = duration.checked_sub(ramp_up + ramp_down) else {
            let message = format!(
                "the ramps take {}, longer than the whole phase",
                duration_text(ramp_up + ramp_down)
            );
            return self.wrong_help(
                &entry.node,
                message,
                "`duration` is the whole phase, ramps included",
            );
        };
        let mut pieces = vec![(level, ramp_up)];
        if !hold.is_zero() {
            pieces.push((level, hold));
        }
        if !ramp_down.is_zero() {
            pieces.push((level.times(0.0), ramp_down));
        }
        Some(pieces)
    }

    fn constant_rate(&mut self, fields: &Fields<'_>) -> Option<Load> {
        self.only(fields, "rate", &[OPEN_KEYS, &["ramp_up", "duration", "ramp_down"]]);
        let rate = self.positive_rate(fields.get("rate")?)?;
        let ramp_up = self.optional_duration(fields, "ramp_up").unwrap_or_default();
        let max_arrivals = match fields.get("requests") {
            Some(node) => Some(self.whole(node, 1, u64::MAX)?),
            None => None,
        };
        let open = self.open_settings(fields, rate)?;
        let pieces = match (max_arrivals, fields.get("duration")) {
            (Some(requests), None) => {
                // Room for the last one, and for Poisson gaps that come out long.
                let spread = if open.spacing == Spacing::Poisson { 6.0 } else { 0.0 };
                let length = requests as f64 + spread * (requests as f64).sqrt() + 1.0;
                let over = Duration::try_from_secs_f64(length / rate).ok()?;
                vec![(Level::Rate(rate), ramp_up), (Level::Rate(rate), over)]
            }
            _ => self.trapezoid(fields, Level::Rate(rate), ramp_up)?,
        };
        Some(arrivals(&pieces, ArrivalLoad { max_arrivals, ..open }))
    }

    /// What open-model load has besides its stages.
    fn open_settings(&mut self, fields: &Fields<'_>, peak: f64) -> Option<ArrivalLoad> {
        let max_users = match fields.get("max_users") {
            Some(node) => self.users(node, 1)?,
            None => (peak * 2.0).ceil().clamp(100.0, 10_000.0) as u32,
        };
        let spacing = match fields.get("arrivals") {
            Some(node) => self.word(node, Spacing::WORDS)?,
            None => Spacing::Even,
        };
        let overload = match fields.get("overload") {
            Some(node) => self.overload(node)?,
            None => Overload::Queue { limit: DEFAULT_QUEUE },
        };
        Some(ArrivalLoad { stages: Vec::new(), max_users, spacing, overload, max_arrivals: None })
    }

    fn overload(&mut self, node: &Node) -> Option<Overload> {
        if let Some(table) = node.as_table() {
            return match table {
                [Entry { key, node, .. }] if key == "queue" => {
                    Some(Overload::Queue { limit: self.whole_u32(node, 1)? })
                }
                _ => self.wrong(node, "expected { queue = 5000 }"),
            };
        }
        let words = [("queue", Overload::Queue { limit: DEFAULT_QUEUE }), ("drop", Overload::Drop)];
        self.word(node, &words)
    }

    fn staged(&mut self, fields: &Fields<'_>) -> Option<Load> {
        let list = fields.get("stages")?;
        let items = self.list(list, "stages");
        let mut pieces: Vec<Piece> = Vec::new();
        for item in items {
            pieces.extend(self.stage(item)?);
        }
        let is_open = pieces.iter().any(|(level, _)| matches!(level, Level::Rate(_)));
        if is_open && pieces.iter().any(|(level, _)| matches!(level, Level::Users(_))) {
            return self.wrong_help(
                list,
                "stages of users and of rate do not go together",
                "make them phases of their own",
            );
        }
        let total: Duration = pieces.iter().map(|(_, over)| *over).sum();
        if total.is_zero() {
            return self.wrong(list, "the stages have no length");
        }
        if peak(&pieces) <= 0.0 {
            return self.wrong(list, "the stages put no load on");
        }
        if !is_open {
            self.only(fields, "stages", &[&["iterations"]]);
            let iterations = fields.get("iterations").and_then(|n| self.whole(n, 1, u64::MAX));
            return Some(user_load(&pieces, iterations));
        }
        self.only(fields, "stages", &[OPEN_KEYS]);
        let max_arrivals = fields.get("requests").and_then(|node| self.whole(node, 1, u64::MAX));
        let open = self.open_settings(fields, peak(&pieces))?;
        Some(arrivals(&pieces, ArrivalLoad { max_arrivals, ..open }))
    }

    fn stage(&mut self, node: &Node) -> Option<Vec<Piece>> {
        let fields = self.open(node, &STAGE)?;
        let level = match self.one_of(&fields, &["users", "rate"]) {
            Some(Entry { key, node, .. }) if key == "users" => Level::Users(self.users(node, 0)?),
            Some(Entry { node, .. }) => Level::Rate(self.rate(node)?),
            None => return self.wrong(node, "expected `users` or `rate`"),
        };
        match self.one_of(&fields, &["over", "for"]) {
            Some(Entry { key, node, .. }) if key == "over" => {
                Some(vec![(level, self.duration(node)?)])
            }
            Some(Entry { node, .. }) => {
                Some(vec![(level, Duration::ZERO), (level, self.positive_duration(node)?)])
            }
            None => self.wrong_help(
                node,
                "expected `over` or `for`",
                "over = \"1m\" is a straight line to it, for = \"1m\" is at it from the start",
            ),
        }
    }

    /// Rising in steps.
    fn stairs(&mut self, fields: &Fields<'_>) -> Option<Shaped> {
        let step_node = fields.get("step")?;
        let step = self.open(step_node, &STEP_RULE)?;
        let every = match step.get("every") {
            Some(node) => self.positive_duration(node)?,
            None => return self.wrong(step_node, "expected `every`: the length of a step"),
        };
        let Some(by) = self.one_of(&step, &["users", "rate", "levels"]) else {
            return self.wrong(step_node, "expected one of users, rate or levels");
        };
        let levels = if by.key == "levels" {
            self.only(fields, "step", &[OPEN_KEYS]);
            self.listed_levels(&by.node)?
        } else {
            self.counted_levels(fields, by)?
        };
        let pieces: Vec<Piece> =
            levels.iter().flat_map(|&level| [(level, Duration::ZERO), (level, every)]).collect();
        let load = self.load_of(fields, &pieces)?;
        Some(Shaped { load, step_every: Some(every), stop_when: Vec::new() })
    }

    fn listed_levels(&mut self, node: &Node) -> Option<Vec<Level>> {
        let items = self.list(node, "levels");
        let mut levels = Vec::new();
        for item in items {
            levels.push(match item.value {
                Value::Whole(_) => Level::Users(self.users(item, 1)?),
                _ => Level::Rate(self.positive_rate(item)?),
            });
        }
        let same = |a: &Level, b: &Level| std::mem::discriminant(a) == std::mem::discriminant(b);
        match &*levels {
            [] => self.wrong(node, "expected at least one level"),
            [first, rest @ ..] if rest.iter().all(|level| same(first, level)) => Some(levels),
            _ => self.wrong(node, "levels are all users or all rates"),
        }
    }

    fn counted_levels(&mut self, fields: &Fields<'_>, by: &Entry) -> Option<Vec<Level>> {
        let main = by.key.as_str();
        let Some(max) = fields.get("max") else {
            self.error(
                Diagnostic::at(fields.at, "`step` without `max`")
                    .help("say where to stop even if nothing breaks, such as max = 1000"),
            );
            return None;
        };
        let is_open = main == "rate";
        let other = if is_open { "users" } else { "rate" };
        if let Some(entry) = fields.entry(other) {
            let message = format!("`{other}` does not go with steps of `{main}`");
            self.error(Diagnostic::at(entry.key_at, message));
            return None;
        }
        let open_keys = if is_open { OPEN_KEYS } else { &[] };
        self.only(fields, "step", &[&["max", main], open_keys]);
        let read = |reader: &mut Self, node: &Node| {
            if is_open { reader.positive_rate(node) } else { reader.users(node, 1).map(f64::from) }
        };
        let by_amount = read(self, &by.node)?;
        let end = read(self, max)?;
        let start = match fields.get(main) {
            Some(node) => read(self, node)?,
            None => by_amount,
        };
        if start > end {
            return self.wrong(max, "`max` is below the first step");
        }
        let count = ((end - start) / by_amount).ceil() as u64 + 1;
        if count > MAX_STEPS {
            return self.wrong(max, format!("that makes {count} steps, more than {MAX_STEPS}"));
        }
        let level = |at: u64| (start + by_amount * at as f64).min(end);
        Some(
            (0..count)
                .map(
                    |at| {
                        if is_open {
                            Level::Rate(level(at))
                        } else {
                            Level::Users(level(at) as u32)
                        }
                    },
                )
                .collect(),
        )
    }

    /// A load of pieces that are all users or all rates.
    fn load_of(&mut self, fields: &Fields<'_>, pieces: &[Piece]) -> Option<Load> {
        if matches!(pieces.first(), Some((Level::Users(_), _))) {
            return Some(user_load(pieces, None));
        }
        let open = self.open_settings(fields, peak(pieces))?;
        Some(arrivals(pieces, open))
    }

    /// A ready-made load.
    fn preset(&mut self, fields: &Fields<'_>) -> Option<Shaped> {
        let open_keys = if fields.get("rate").is_some() { &OPEN_KEYS[..3] } else { &[] };
        self.only(fields, "shape", &[&["users", "rate", "duration"], open_keys]);
        let shape = self.word(fields.get("shape")?, SHAPES)?;
        let (users, minutes) = match shape {
            Shape::Normal => (100, 10),
            Shape::Peak => (500, 5),
            Shape::Stress => (1000, 10),
            Shape::Spike => (1000, 3),
            Shape::Endurance => (200, 24 * 60),
        };
        let top = match (fields.get("rate"), fields.get("users")) {
            (Some(node), _) => Level::Rate(self.positive_rate(node)?),
            (None, Some(node)) => Level::Users(self.users(node, 1)?),
            (None, None) => Level::Users(users),
        };
        let duration = match fields.get("duration") {
            Some(node) => self.positive_duration(node)?,
            None => Duration::from_secs(minutes * 60),
        };
        // Shares of the top level and of the duration.
        let curve: Vec<(f64, f64)> = match shape {
            Shape::Normal | Shape::Peak => vec![(1.0, 0.1), (1.0, 0.9)],
            Shape::Endurance => vec![(1.0, 1.0 / 288.0), (1.0, 287.0 / 288.0)],
            Shape::Spike => {
                let sixth = 1.0 / 6.0;
                vec![(0.1, 0.0), (0.1, sixth), (1.0, 2.0 * sixth), (1.0, 2.0 * sixth), (0.1, sixth)]
            }
            Shape::Stress => (1..=10).map(|step| (f64::from(step) / 10.0, 0.1)).collect(),
        };
        let is_stress = shape == Shape::Stress;
        let pieces: Vec<Piece> = if is_stress {
            let step = |&(share, _): &(f64, f64)| {
                [(top.times(share), Duration::ZERO), (top.times(share), duration / 10)]
            };
            curve.iter().flat_map(step).collect()
        } else {
            let line = |&(share, part): &(f64, f64)| (top.times(share), duration.mul_f64(part));
            curve.iter().map(line).collect()
        };
        let load = self.load_of(fields, &pieces)?;
        Some(Shaped {
            load,
            step_every: is_stress.then(|| duration / 10),
            stop_when: if is_stress { default_breaking_point() } else { Vec::new() },
        })
    }
}

/// Errors above 5 %.
fn default_breaking_point() -> Vec<StopRule> {
    let measure = Measure::parse("error_rate").ok();
    let rule = measure.and_then(|measure| {
        let bound = Bound::parse(">5%", &measure).ok()?;
        Some(StopRule { measure, bound })
    });
    rule.into_iter().collect()
}

fn peak(pieces: &[Piece]) -> f64 {
    let height = |(level, _): &Piece| match level {
        Level::Users(users) => f64::from(*users),
        Level::Rate(rate) => *rate,
    };
    pieces.iter().map(height).fold(0.0, f64::max)
}

fn user_load(pieces: &[Piece], iterations_per_user: Option<u64>) -> Load {
    let stages = pieces.iter().filter_map(|&(level, over)| match level {
        Level::Users(users) => Some(UserStage { users, over }),
        Level::Rate(_) => None,
    });
    Load::Users(UserLoad { stages: stages.collect(), iterations_per_user, unbounded: false })
}

fn arrivals(pieces: &[Piece], open: ArrivalLoad) -> Load {
    let stages = pieces.iter().filter_map(|&(level, over)| match level {
        Level::Rate(per_second) => Some(RateStage { per_second, over }),
        Level::Users(_) => None,
    });
    let mut load = open;
    load.stages = stages.collect();
    Load::Arrivals(load)
}
