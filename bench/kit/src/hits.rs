//! What a hit costs.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;

use proofload_kit::cached;
use tokio::runtime::Runtime;

use crate::Args;
use crate::clock::nanoseconds_each;
use crate::contender::{Cached, Contender, Kit, Moka, Profile, Quick, TTL, Value, runtime};
use crate::median::Rounds;
use crate::table::section;
use crate::trace::Trace;

/// Keys in the caches, all of which fit.
const KEYS: u32 = 10_000;

/// One way to ask a cache: does that many look-ups.
type Way<'a> = (&'static str, Box<dyn Fn(&[u32]) + 'a>);

/// A function of a service, under the kit's attribute.
#[cached(ttl = 300, key_prefix = "user_profile", max_entries = 20_000)]
async fn user_profile(id: u32) -> Value {
    Arc::new(Profile { id, stored_at: 0 })
}

/// The same for code that is not async.
#[cached(ttl = 300, key_prefix = "user_profile_sync", max_entries = 20_000)]
fn user_profile_sync(id: u32) -> Value {
    Arc::new(Profile { id, stored_at: 0 })
}

pub(crate) fn measure(args: &Args) -> String {
    let keys: Vec<String> = (0..KEYS).map(|id| format!("user_profile:{id}")).collect();
    let trace = Trace::Zipf { keys: KEYS, skew: 0.9 }.keys(args.lookups, args.seed);
    let (moka, kit, quick, sharded) =
        (Moka::new(20_000), Kit::new(20_000), Quick::new(20_000), Cached::new(20_000));
    let moka_future = moka::future::Cache::builder().max_capacity(20_000).time_to_live(TTL).build();
    let runtime = runtime();
    for (id, key) in (0..).zip(&keys) {
        let value = Arc::new(Profile { id, stored_at: 0 });
        for contender in [&moka as &dyn Contender, &kit, &quick, &sharded] {
            contender.put(key, Arc::clone(&value));
        }
        runtime.block_on(moka_future.insert(Arc::from(key.as_str()), value));
        runtime.block_on(user_profile(id));
        user_profile_sync(id);
    }
    let ways: Vec<Way<'_>> = vec![
        direct("moka `sync` `get`", &keys, |key| moka.0.get(key)),
        polled("moka `future` `get`", &keys, &runtime, async |key| moka_future.get(key).await),
        direct("quick_cache `get` (no TTL)", &keys, |key| quick.0.get(key)),
        direct("cached, sharded LRU with TTL, `get`", &keys, |key| sharded.get(key)),
        direct("kit `get`", &keys, |key| kit.0.get(key)),
        polled("kit `get_or_load`", &keys, &runtime, async |key| {
            let load = async || Ok::<Value, Infallible>(absent());
            kit.0.get_or_load(key, load).await.ok()
        }),
        polled("kit `get_or_load_scoped`", &keys, &runtime, async |key| {
            let load = async || Ok::<Value, Infallible>(absent());
            kit.0.get_or_load_scoped(key, load).await.ok()
        }),
        ("kit `#[cached] async fn`", {
            let runtime = &runtime;
            Box::new(move |trace| {
                runtime.block_on(async {
                    for &id in trace {
                        black_box(user_profile(black_box(id)).await);
                    }
                });
            })
        }),
        (
            "kit `#[cached] fn`",
            Box::new(|trace| {
                for &id in trace {
                    black_box(user_profile_sync(black_box(id)));
                }
            }),
        ),
    ];
    let rounds = Rounds::run(args.rounds, ways.len(), |way| {
        nanoseconds_each(args.lookups, || (ways[way].1)(&trace))
    });
    let bare = ways.iter().position(|(name, _)| *name == "kit `get`").unwrap_or(0);
    let rows: Vec<Vec<String>> = ways
        .iter()
        .enumerate()
        .map(|(number, (name, way))| {
            let few = &trace[..trace.len().min(1_000)];
            let allocated = allocation_counter::measure(|| way(few)).count_total;
            vec![
                (*name).to_owned(),
                format!("{:.0}", rounds.median(number)),
                format!("{:.2}", rounds.ratio(number, 0)),
                format!("{:+.0}", rounds.difference(number, bare)),
                format!("{:.2}", allocated as f64 / few.len() as f64),
            ]
        })
        .collect();
    section(
        "A hit",
        &format!(
            "{KEYS} keys, all in the cache, asked for by a Zipf distribution (0.9); values are `Arc`s."
        ),
        &["way", "ns", "× moka", "ns over kit `get`", "allocations"],
        &rows,
    )
}

/// What a loader would give: on a hit it is not called.
fn absent() -> Value {
    unreachable!("everything is in the cache")
}

fn direct<'a>(
    name: &'static str,
    keys: &'a [String],
    get: impl Fn(&str) -> Option<Value> + 'a,
) -> Way<'a> {
    let all = move |trace: &[u32]| {
        for &id in trace {
            let value = get(black_box(&keys[id as usize])).expect("it is in the cache");
            black_box(value.id);
        }
    };
    (name, Box::new(all))
}

fn polled<'a>(
    name: &'static str,
    keys: &'a [String],
    runtime: &'a Runtime,
    get: impl AsyncFn(&str) -> Option<Value> + 'a,
) -> Way<'a> {
    let all = move |trace: &[u32]| {
        runtime.block_on(async {
            for &id in trace {
                let value = get(black_box(&keys[id as usize])).await.expect("it is in the cache");
                black_box(value.id);
            }
        });
    };
    (name, Box::new(all))
}
