//! Callers come at a steady rate, whatever becomes of those before them. Each asks two backends of
//! the same kind: one directly, one through a breaker and a limiter. Both backends are well, then
//! down, then well again.

use std::{
    error::Error,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use proofload_kit::{
    CircuitBreaker, Limiter,
    breaker::{CallError, CircuitBreakerStats, State, Transition, Window},
    limit::LimiterStats,
};
use tokio::{task::JoinSet, time::Instant};

use super::backend::Backend;

/// What happens when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Callers a second.
    pub(crate) rate: u32,
    /// How long each phase lasts, in the order of [`Phase::ALL`].
    pub(crate) phases: [Duration; 3],
    /// How long a caller waits for an answer of the backend.
    pub(crate) patience: Duration,
    /// How long the breaker stays open at first.
    pub(crate) open_for: Duration,
    pub(crate) minimum_calls: u32,
    pub(crate) limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Well,
    Outage,
    Recovery,
}

impl Phase {
    pub(crate) const ALL: [Self; 3] = [Self::Well, Self::Outage, Self::Recovery];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Good,
    Failed,
    TimedOut,
    RefusedByBreaker,
    RefusedByLimiter,
}

/// One caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    /// When it came.
    pub(crate) phase: Phase,
    pub(crate) ending: Ending,
    /// From when it came to when it had its answer, or knew that it gets none.
    pub(crate) took: Duration,
    /// From the start of the run to the end of the call.
    pub(crate) ended: Duration,
}

/// What became of the callers of one backend.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) calls: Vec<Call>,
    /// Requests that reached the backend.
    pub(crate) seen: u64,
}

#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) direct: Side,
    pub(crate) guarded: Side,
    /// What the breaker did, and how long after the start.
    pub(crate) steps: Vec<(Duration, Transition)>,
    pub(crate) breaker: CircuitBreakerStats,
    pub(crate) limiter: LimiterStats,
}

impl Side {
    pub(crate) fn count(&self, phase: Phase, which: impl Fn(Ending) -> bool) -> usize {
        self.calls.iter().filter(|call| call.phase == phase && which(call.ending)).count()
    }

    /// How long callers of a phase were kept, the shortest first.
    pub(crate) fn sorted(&self, phase: Phase) -> Vec<Duration> {
        let mut took: Vec<_> =
            self.calls.iter().filter(|call| call.phase == phase).map(|call| call.took).collect();
        took.sort_unstable();
        took
    }

    /// When the first caller of a phase got a good answer, after the start.
    pub(crate) fn first_good(&self, phase: Phase) -> Option<Duration> {
        let good =
            self.calls.iter().filter(|call| call.phase == phase && call.ending == Ending::Good);
        good.map(|call| call.ended).min()
    }
}

type HttpClient = Client<HttpConnector, Empty<Bytes>>;

/// The way to a backend, with or without guards.
#[derive(Clone)]
struct Way {
    client: HttpClient,
    address: SocketAddr,
    patience: Duration,
    guards: Option<(Limiter, CircuitBreaker)>,
}

impl Way {
    fn to(
        backend: &Backend,
        patience: Duration,
        guards: Option<(Limiter, CircuitBreaker)>,
    ) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, address: backend.address, patience, guards }
    }

    async fn ask(&self) -> Result<(), Ending> {
        let uri = format!("http://{}/", self.address).parse().map_err(|_| Ending::Failed)?;
        match tokio::time::timeout(self.patience, self.client.get(uri)).await {
            Err(_) => Err(Ending::TimedOut),
            Ok(Ok(response)) if response.status().is_success() => Ok(()),
            Ok(_) => Err(Ending::Failed),
        }
    }

    async fn call(&self) -> Ending {
        let Some((limiter, breaker)) = &self.guards else {
            return self.ask().await.err().unwrap_or(Ending::Good);
        };
        match limiter.call(breaker.call(self.ask())).await {
            Ok(()) => Ending::Good,
            Err(CallError::Refused(_)) => Ending::RefusedByLimiter,
            Err(CallError::Failed(CallError::Refused(_))) => Ending::RefusedByBreaker,
            Err(CallError::Failed(CallError::Failed(ending))) => ending,
        }
    }
}

type Steps = Arc<Mutex<Vec<(Duration, Transition)>>>;

fn guards(plan: Plan, start: Instant) -> Result<(Limiter, CircuitBreaker, Steps), Box<dyn Error>> {
    let steps = Steps::default();
    let seen = Arc::clone(&steps);
    let breaker = CircuitBreaker::builder("backend")
        .failure_rate(0.5)
        .window(Window::time(plan.patience))
        .minimum_calls(plan.minimum_calls)
        .open_for(plan.open_for)
        .half_open_calls(5)
        .half_open_timeout(plan.patience * 2)
        .on_transition(move |&transition| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push((start.elapsed(), transition));
        })
        .build()?;
    let limiter = Limiter::builder("backend")
        .limit(plan.limit)
        .queue(plan.limit)
        .deadline(plan.patience / 10)
        .build()?;
    Ok((limiter, breaker, steps))
}

/// Runs the plan, in as much time as it says and a caller's patience.
pub(crate) async fn run(plan: Plan) -> Result<Report, Box<dyn Error>> {
    let backends = [Backend::start().await?, Backend::start().await?];
    let start = Instant::now();
    let (limiter, breaker, steps) = guards(plan, start)?;
    let guards = Some((limiter.clone(), breaker.clone()));
    let ways =
        [Way::to(&backends[0], plan.patience, None), Way::to(&backends[1], plan.patience, guards)];
    let mut callers = [JoinSet::new(), JoinSet::new()];
    let gap = Duration::from_secs(1) / plan.rate;
    let mut due = start;
    let mut phase_ends = start;
    for (phase, duration) in Phase::ALL.into_iter().zip(plan.phases) {
        backends.iter().for_each(|backend| backend.set_down(phase == Phase::Outage));
        phase_ends += duration;
        while due < phase_ends {
            tokio::time::sleep_until(due).await;
            for (way, callers) in ways.iter().zip(&mut callers) {
                let way = way.clone();
                // From when it was due: a busy machine does not make answers look faster.
                callers.spawn(async move {
                    let ending = way.call().await;
                    Call { phase, ending, took: due.elapsed(), ended: start.elapsed() }
                });
            }
            due += gap;
        }
    }
    let [direct, guarded] = callers;
    let (direct, guarded) = (direct.join_all().await, guarded.join_all().await);
    let steps = steps.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Report {
        direct: Side { calls: direct, seen: backends[0].seen() },
        guarded: Side { calls: guarded, seen: backends[1].seen() },
        steps,
        breaker: breaker.stats(),
        limiter: limiter.stats(),
    })
}

/// How often the breaker went into this state.
pub(crate) fn times(steps: &[(Duration, Transition)], state: State) -> usize {
    steps.iter().filter(|(_, transition)| transition.to == state).count()
}
