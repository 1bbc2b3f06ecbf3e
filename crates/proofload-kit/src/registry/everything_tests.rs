//! A registry with one of everything, held against what the kit says of its metrics: the catalogue has all of
//! them and no others, and dashboard and alert rules ask for labels that are there.

use std::any::Any;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use deadpool::managed::{Manager, Metrics, RecycleResult};
use http::{Request, Response};
use tower_layer::Layer as _;
use tower_service::Service;

use super::catalogue::{Kind, METRICS};
use super::families::Value;
use super::{HttpMetricsLayer, Registry, monitoring};
use crate::breaker::CircuitBreaker;
use crate::limit::Limiter;
use crate::pool::WatchedPool;
use crate::retry::{Budget, Retry};
use crate::{Cache, Ttl};

/// Metrics of Redis are there with the feature only.
const REDIS: &str = "cache_redis_";

struct Numbers;

impl Manager for Numbers {
    type Type = u32;
    type Error = Infallible;

    async fn create(&self) -> Result<u32, Infallible> {
        Ok(0)
    }

    async fn recycle(&self, _: &mut u32, _: &Metrics) -> RecycleResult<Infallible> {
        Ok(())
    }
}

struct Hello;

impl Service<Request<()>> for Hello {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}

/// The parts, which the registry does not keep.
async fn everything(registry: &Registry) -> Vec<Box<dyn Any>> {
    let mut service = HttpMetricsLayer::new(registry).unwrap().layer(Hello);
    let Ok(_) = service.call(Request::new(())).await;
    let pool: WatchedPool<Numbers> =
        WatchedPool::builder("p", Numbers).registry(registry).build().unwrap();
    #[cfg_attr(not(feature = "redis"), expect(unused_mut, reason = "Redis is pushed"))]
    let mut parts: Vec<Box<dyn Any>> = vec![
        Box::new(Cache::<u32>::builder("c", Ttl::DATA).registry(registry).build().unwrap()),
        Box::new(CircuitBreaker::builder("b").registry(registry).build().unwrap()),
        Box::new(Limiter::builder("l").registry(registry).build().unwrap()),
        Box::new(Retry::builder("r").budget(Budget::new()).registry(registry).build().unwrap()),
        Box::new(pool),
    ];
    // Nobody is asked for it to be shown.
    #[cfg(feature = "redis")]
    parts.push(Box::new(
        crate::Redis::builder("redis://127.0.0.1:1").registry(registry).build().unwrap(),
    ));
    parts
}

#[tokio::test]
async fn the_catalogue_is_what_is_shown() {
    let registry = Registry::new();
    let _parts = everything(&registry).await;
    let families = registry.families();
    let shown: Vec<(&str, Kind)> = families
        .iter()
        .map(|(name, family)| match family.samples[0].value {
            Value::Counter(_) => (name, Kind::Counter),
            Value::Gauge(_) => (name, Kind::Gauge),
            Value::Histogram { .. } => (name, Kind::Histogram),
        })
        .collect();
    let has_redis = cfg!(feature = "redis");
    let known = METRICS.iter().copied();
    let known: Vec<(&str, Kind)> =
        known.filter(|(name, _)| has_redis || !name.starts_with(REDIS)).collect();
    assert_eq!(shown, known);
}

/// The matchers of an expression, as metric, label and values.
fn matchers(expression: &str) -> Vec<(&str, &str, Vec<&str>)> {
    let braces = expression.match_indices('{').map(|(at, _)| expression.split_at(at));
    braces
        .filter_map(|(before, after)| {
            let metric = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
            let (label, values) = after[1..].split_once("$}")?.0.split_once(['=', '!'])?;
            let values = values.trim_matches(['=', '~', '"']).split('|');
            Some((metric, label, values.collect()))
        })
        .collect()
}

#[tokio::test]
async fn dashboard_and_rules_ask_for_labels_that_are_there() {
    let registry = Registry::new();
    let _parts = everything(&registry).await;
    let text = registry.prometheus_text();
    let mut seen = BTreeSet::new();
    for expression in monitoring::expressions() {
        for (metric, label, values) in matchers(expression) {
            for value in values {
                // Statuses of HTTP are there when they were answered.
                let shown = if label == "status" { "200" } else { value };
                let series = text.lines().filter(|line| line.starts_with(&format!("{metric}{{")));
                let matcher = format!("{label}=\"{shown}\"");
                assert!(series.into_iter().any(|line| line.contains(&matcher)), "{expression}");
                seen.insert((label, value));
            }
        }
    }
    for expected in [("reason", "wait_timeout"), ("state", "forced_open"), ("status", "5..")] {
        assert!(seen.contains(&expected), "{seen:?}");
    }
}
