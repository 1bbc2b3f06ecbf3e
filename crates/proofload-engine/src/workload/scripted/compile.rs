//! A plan's users, prepared for one worker.

use std::rc::Rc;

use proofload_core::metrics::{SeriesId, SeriesMeta};
use proofload_core::plan::{
    BaseUrl, CounterSlot, FeedId, Header, Plan, RequestSpec, RequestUrl, Step, Target, Task,
    TaskOrder, ThinkTime, UserKind, VarSlot, Variable,
};
use proofload_core::template::{Escape, Template};

use super::super::SetupError;
use crate::http::{BodyUse, Headers, Origin};
use crate::worker::Recorder;

/// A kind of user.
#[derive(Debug)]
pub(super) struct CompiledKind {
    pub(super) think_time: ThinkTime,
    pub(super) on_start: Vec<CompiledStep>,
    pub(super) tasks: Vec<CompiledTask>,
    pub(super) on_stop: Vec<CompiledStep>,
    pub(super) order: TaskOrder,
    pub(super) total_weight: u64,
    pub(super) variables: Vec<Variable>,
    pub(super) counters: usize,
    pub(super) start_feeds: Vec<FeedId>,
}

#[derive(Debug)]
pub(super) struct CompiledTask {
    pub(super) weight: u64,
    pub(super) steps: Vec<CompiledStep>,
    pub(super) think_time: Option<ThinkTime>,
    pub(super) feeds: Vec<FeedId>,
}

#[derive(Debug)]
pub(super) enum CompiledStep {
    Request(Rc<CompiledRequest>),
    Pause(ThinkTime),
}

/// A request with everything about it that never changes put together.
#[derive(Debug)]
pub(super) struct CompiledRequest {
    pub(super) spec: RequestSpec,
    pub(super) series: SeriesId,
    pub(super) name: Rc<str>,
    pub(super) url: CompiledUrl,
    /// Headers whose values never change; the others are rendered behind them.
    pub(super) headers: Headers,
    pub(super) changing_headers: Vec<(String, Template)>,
    /// Headers that are sent only where the request turns out to go to the plan's target.
    pub(super) target_headers: Vec<(String, Template)>,
    pub(super) body_use: BodyUse,
    pub(super) is_static: bool,
}

/// Where a request goes, as far as it is known in advance.
#[derive(Debug)]
pub(super) enum CompiledUrl {
    /// All of it.
    Known { origin: Origin, target: Vec<u8> },
    /// All but path and query.
    Path { origin: Origin, prefix: Vec<u8>, path: Template },
    /// Nothing; if it turns out to be relative, it is so to this.
    Whole { base: Origin, prefix: Vec<u8>, url: Template },
}

/// Compiles all kinds of users and registers their series.
pub(super) fn kinds(plan: &Plan, recorder: &Recorder) -> Result<Vec<Rc<CompiledKind>>, SetupError> {
    let mut compiler = Compiler { plan, recorder, position: 0 };
    plan.users.iter().map(|kind| compiler.kind(kind).map(Rc::new)).collect()
}

struct Compiler<'a> {
    plan: &'a Plan,
    recorder: &'a Recorder,
    position: u32,
}

impl Compiler<'_> {
    fn kind(&mut self, kind: &UserKind) -> Result<CompiledKind, SetupError> {
        Ok(CompiledKind {
            think_time: kind.think_time,
            on_start: self.steps(kind, "on_start", &kind.on_start)?,
            tasks: kind.tasks.iter().map(|task| self.task(kind, task)).collect::<Result<_, _>>()?,
            on_stop: self.steps(kind, "on_stop", &kind.on_stop)?,
            order: kind.order,
            total_weight: kind.tasks.iter().map(|task| u64::from(task.weight)).sum(),
            variables: kind.variables.clone(),
            counters: kind.counters.len(),
            start_feeds: kind.start_feeds.clone(),
        })
    }

    fn task(&mut self, kind: &UserKind, task: &Task) -> Result<CompiledTask, SetupError> {
        Ok(CompiledTask {
            weight: u64::from(task.weight),
            steps: self.steps(kind, &task.name, &task.steps)?,
            think_time: task.think_time,
            feeds: task.feeds.clone(),
        })
    }

    fn steps(
        &mut self,
        kind: &UserKind,
        task: &str,
        steps: &[Step],
    ) -> Result<Vec<CompiledStep>, SetupError> {
        let mut compile = |step: &Step| match step {
            Step::Pause(time) => Ok(CompiledStep::Pause(*time)),
            Step::Request(spec) => {
                self.request(kind, task, spec).map(|r| CompiledStep::Request(Rc::new(r)))
            }
        };
        steps.iter().map(&mut compile).collect()
    }

    fn request(
        &mut self,
        kind: &UserKind,
        task: &str,
        spec: &RequestSpec,
    ) -> Result<CompiledRequest, SetupError> {
        let name = &self.plan.groups[spec.group.0 as usize];
        let url = self.url(&spec.url)?;
        let mut headers = Headers::new();
        let (mut changing_headers, mut target_headers) = (Vec::new(), Vec::new());
        let named = |header: &Header| (header.name.to_string(), header.value.clone());
        for header in &spec.headers {
            match header.value.as_literal() {
                _ if header.target_only => target_headers.push(named(header)),
                Some(value) => headers
                    .push(&header.name, value)
                    .map_err(|error| SetupError(format!("request `{name}`: {error}")))?,
                None => changing_headers.push(named(header)),
            }
        }
        let position = self.position;
        self.position += 1;
        let series = self.recorder.series(&SeriesMeta {
            position,
            user: kind.name.to_string(),
            task: task.to_owned(),
            name: name.to_string(),
            method: spec.method.as_str().to_owned(),
            url: url_text(&spec.url),
            group: String::new(),
            checks: spec.inspect.checks.iter().map(|check| check.name.to_string()).collect(),
        });
        let body_is_static =
            spec.body.as_ref().is_none_or(|body| body.content.as_literal().is_some());
        Ok(CompiledRequest {
            spec: spec.clone(),
            series,
            name: Rc::from(&**name),
            is_static: matches!(url, CompiledUrl::Known { .. })
                && changing_headers.is_empty()
                && target_headers.is_empty()
                && body_is_static
                && spec.sign.is_none(),
            url,
            headers,
            changing_headers,
            target_headers,
            body_use: if spec.inspect.needs_body() { BodyUse::Keep } else { BodyUse::Discard },
        })
    }

    fn url(&self, url: &RequestUrl) -> Result<CompiledUrl, SetupError> {
        match url {
            RequestUrl::Path { origin, path } => {
                let base = match origin {
                    Some(base) => base,
                    None => self.target()?,
                };
                let (origin, prefix) = parts(base)?;
                Ok(match path.as_literal() {
                    Some(path) => {
                        let target = [&prefix, path].concat();
                        CompiledUrl::Known { origin, target }
                    }
                    None => CompiledUrl::Path { origin, prefix, path: path.clone() },
                })
            }
            RequestUrl::Whole(url) => {
                let (base, prefix) = parts(self.target()?)?;
                Ok(CompiledUrl::Whole { base, prefix, url: url.clone() })
            }
        }
    }

    fn target(&self) -> Result<&BaseUrl, SetupError> {
        match &self.plan.target {
            Target::Url(base) => Ok(base),
            Target::Demo => Err(SetupError("the demo service is not running".to_owned())),
        }
    }
}

fn parts(base: &BaseUrl) -> Result<(Origin, Vec<u8>), SetupError> {
    let whole = BaseUrl { prefix: "".into(), ..base.clone() };
    let (origin, _) =
        Origin::parse(&whole.to_string()).map_err(|error| SetupError(error.to_string()))?;
    Ok((origin, base.prefix.as_bytes().to_vec()))
}

/// The URL as the plan has it, for the tags of a series.
fn url_text(url: &RequestUrl) -> String {
    match url {
        RequestUrl::Path { origin: None, path } => path.to_text(Escape::Path),
        RequestUrl::Path { origin: Some(base), path } => {
            format!("{base}{}", path.to_text(Escape::Path))
        }
        RequestUrl::Whole(url) => url.to_text(Escape::None),
    }
}

/// What a user starts with: its variables unset, its counters at zero.
impl CompiledKind {
    pub(super) fn slot_count(&self) -> usize {
        self.variables.len()
    }

    pub(super) fn initial(&self) -> impl Iterator<Item = (VarSlot, &Template)> {
        let slots = self.variables.iter().enumerate();
        slots.filter_map(|(at, variable)| Some((VarSlot(at as u16), variable.initial.as_ref()?)))
    }

    pub(super) fn counter_slots(&self) -> impl Iterator<Item = CounterSlot> {
        (0..self.counters).map(|at| CounterSlot(at as u16))
    }
}
