//! A cache against its definition, at random: one caller after the other, time under control.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::advance;

use super::gate::{Refused, cache, settle};
use crate::{Loaded, PutOptions, Ttl};

const TTL: u64 = 10;
const NEGATIVE: u64 = 2;
const STALE: u64 = 5;
const FAIL_SAFE: u64 = 20;
const REST: u64 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Value,
    Tagged,
    Absent,
    Refused,
    Panic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Task,
    Caller,
    Thread,
}

#[derive(Debug, Clone)]
enum Step {
    Get(usize),
    Load(usize, How, Outcome),
    Put(usize, bool),
    Invalidate(usize),
    Prefix,
    Glob,
    Tag,
    Clear,
    Wait(u64),
}

const KEYS: [&str; 4] = ["a:1", "a:2", "b:1", "b:2"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Value),
        2 => Just(Outcome::Tagged),
        2 => Just(Outcome::Absent),
        3 => Just(Outcome::Refused),
        1 => Just(Outcome::Panic),
    ];
    let how = prop_oneof![Just(How::Task), Just(How::Caller), Just(How::Thread)];
    let key = 0..KEYS.len();
    let step = prop_oneof![
        2 => key.clone().prop_map(Step::Get),
        10 => (key.clone(), how, outcome).prop_map(|(key, how, what)| Step::Load(key, how, what)),
        1 => (key.clone(), any::<bool>()).prop_map(|(key, tagged)| Step::Put(key, tagged)),
        1 => key.prop_map(Step::Invalidate),
        1 => Just(Step::Prefix),
        1 => Just(Step::Glob),
        1 => Just(Step::Tag),
        1 => Just(Step::Clear),
        6 => (1..8_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..60)
}

#[derive(Debug, Clone, Copy)]
struct Known {
    value: Option<u64>,
    born: u64,
    tagged: bool,
    rest_until: u64,
}

/// The definition.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    loads: u64,
    known: HashMap<usize, Known>,
}

/// What a lookup gives.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Value(u64),
    Absent,
    Failed,
}

impl Model {
    fn age(&self, key: usize) -> Option<(Known, u64)> {
        self.known.get(&key).map(|&known| (known, self.now - known.born))
    }

    fn get(&self, key: usize) -> Option<u64> {
        self.age(key).filter(|(_, age)| *age < TTL).and_then(|(known, _)| known.value)
    }

    /// A lookup that takes absences for an answer.
    fn load(&mut self, key: usize, how: How, outcome: Outcome) -> Seen {
        let stale = match self.age(key) {
            Some((Known { value: Some(value), .. }, age)) if age < TTL => {
                return Seen::Value(value);
            }
            Some((Known { value: None, .. }, age)) if age < NEGATIVE => return Seen::Absent,
            Some((Known { value: Some(value), rest_until, .. }, age))
                if age < TTL + FAIL_SAFE.max(STALE) =>
            {
                if self.now < rest_until {
                    return Seen::Value(value);
                }
                Some((value, age))
            }
            _ => None,
        };
        self.loads += 1;
        let behind = how == How::Task && stale.is_some_and(|(_, age)| age < TTL + STALE);
        let loaded = match outcome {
            Outcome::Value | Outcome::Tagged => {
                self.put(key, Some(self.loads), outcome == Outcome::Tagged);
                Seen::Value(self.loads)
            }
            Outcome::Absent => {
                self.put(key, None, false);
                Seen::Absent
            }
            Outcome::Refused | Outcome::Panic => {
                if let Some((value, _)) = stale {
                    self.known.get_mut(&key).unwrap().rest_until = self.now + REST;
                    return Seen::Value(value);
                }
                return Seen::Failed;
            }
        };
        match stale {
            Some((value, _)) if behind => Seen::Value(value),
            _ => loaded,
        }
    }

    fn put(&mut self, key: usize, value: Option<u64>, tagged: bool) {
        self.known.insert(key, Known { value, born: self.now, tagged, rest_until: 0 });
    }

    /// How many values that were of any use are gone.
    fn remove(&mut self, covers: impl Fn(usize, &Known) -> bool) -> u64 {
        let now = self.now;
        let mut removed = 0;
        self.known.retain(|&key, known| {
            let life = if known.value.is_some() { TTL + FAIL_SAFE.max(STALE) } else { NEGATIVE };
            let gone = covers(key, known);
            removed += u64::from(gone && now - known.born < life);
            !gone
        });
        removed
    }
}

fn made(outcome: Outcome, number: u64) -> Result<Loaded<Option<u64>>, Refused> {
    match outcome {
        Outcome::Value => Ok(Loaded::new(Some(number))),
        Outcome::Tagged => Ok(Loaded::new(Some(number)).tags(["tag"])),
        Outcome::Absent => Ok(Loaded::new(None)),
        Outcome::Refused => Err(Refused(number)),
        Outcome::Panic => panic!("on purpose"),
    }
}

async fn check(steps: Vec<Step>) {
    let window = Duration::from_secs;
    let cache = cache(|builder| {
        builder
            .negative_ttl(Ttl::seconds(NEGATIVE))
            .stale_while_revalidate(window(STALE))
            .fail_safe(window(FAIL_SAFE))
            .retry_after_failure(window(REST))
    });
    let mut model = Model::default();
    for (at, step) in steps.iter().enumerate() {
        match *step {
            Step::Get(key) => {
                assert_eq!(cache.get(KEYS[key]), model.get(key), "step {at}: {step:?}");
            }
            Step::Load(key, how, outcome) => {
                let number = model.loads + 1;
                let load = || async move { made(outcome, number) };
                let loaded = match how {
                    How::Task => cache.get_or_load_option(KEYS[key], load).await,
                    How::Caller => cache.get_or_load_option_scoped(KEYS[key], load).await,
                    How::Thread => cache.get_or_compute_option(KEYS[key], || made(outcome, number)),
                };
                let seen = match loaded {
                    Ok(Some(value)) => Seen::Value(value),
                    Ok(None) => Seen::Absent,
                    Err(_) => Seen::Failed,
                };
                assert_eq!(seen, model.load(key, how, outcome), "step {at}: {step:?}");
            }
            Step::Put(key, tagged) => {
                let tags = if tagged { &["tag"][..] } else { &[] };
                let options = PutOptions::new().tags(tags.iter().copied());
                cache.put_with(KEYS[key], 1_000_000, options).await;
                model.put(key, Some(1_000_000), tagged);
            }
            Step::Invalidate(key) => {
                let removed = cache.invalidate(KEYS[key]).await;
                assert_eq!(removed, model.remove(|other, _| other == key), "step {at}");
            }
            Step::Prefix => {
                let removed = cache.invalidate_prefix("a:").await;
                assert_eq!(removed, model.remove(|key, _| key < 2), "step {at}");
            }
            Step::Glob => {
                let removed = cache.invalidate_glob("?:[2-9]").await;
                assert_eq!(removed, model.remove(|key, _| key % 2 == 1), "step {at}");
            }
            Step::Tag => {
                cache.invalidate_tag("tag").await;
                model.remove(|_, known| known.tagged);
            }
            Step::Clear => {
                assert_eq!(cache.clear().await, model.remove(|_, _| true), "step {at}");
            }
            Step::Wait(seconds) => {
                advance(window(seconds)).await;
                model.now += seconds;
            }
        }
        settle().await;
        assert_eq!(cache.stats().loads, model.loads, "step {at}: {step:?}");
        assert_eq!(cache.core.flights.len(), 0, "step {at}: {step:?}");
        let stats = cache.stats();
        assert_eq!(cache.core.memory.indexed() as u64, stats.entries, "step {at}: {step:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn does_what_it_is_defined_to(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(check(steps));
    }
}
