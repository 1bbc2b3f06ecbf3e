//! The share of look-ups that caches of the same size answer.

use std::sync::Arc;

use crate::Args;
use crate::contender::{Contender, Profile, all};
use crate::table::section;
use crate::trace::Trace;

/// A value is as good as gone that many look-ups after it was stored, as the time to live of a busy service would have it.
/// Counted in look-ups and for all alike, because contenders that are slower would expire sooner by the clock.
const LIVES_FOR: u32 = 200_000;

pub(crate) fn measure(args: &Args) -> String {
    const KEYS: u32 = 100_000;
    let traces = [
        Trace::Zipf { keys: KEYS, skew: 0.7 },
        Trace::Zipf { keys: KEYS, skew: 0.9 },
        Trace::Zipf { keys: KEYS, skew: 1.1 },
        Trace::Mixed { keys: KEYS },
    ];
    let mut head = vec!["trace, entries"];
    let names: Vec<&str> = all(16).iter().map(|contender| contender.name()).collect();
    head.extend(names);
    let mut rows = Vec::new();
    for trace in traces {
        let keys = trace.keys(args.trace, args.seed);
        for entries in [KEYS / 100, KEYS / 10] {
            let mut row = vec![format!("{}; {entries} entries", trace.name())];
            let contenders = all(entries as usize);
            row.extend(
                contenders.iter().map(|contender| {
                    format!("{:.1} %", 100.0 * hit_ratio(contender.as_ref(), &keys))
                }),
            );
            rows.push(row);
        }
    }
    let intro = format!(
        "{} look-ups a trace; what is missed is stored; what was stored {LIVES_FOR} look-ups ago counts as missed and is stored anew.",
        args.trace
    );
    section("Hit ratio", &intro, &head, &rows)
}

fn hit_ratio(contender: &dyn Contender, keys: &[u32]) -> f64 {
    let mut hits = 0_u64;
    let mut key = String::new();
    for (now, &id) in (0_u32..).zip(keys) {
        key.clear();
        // Writing to a `String` cannot fail.
        let _ = std::fmt::Write::write_fmt(&mut key, format_args!("user_profile:{id}"));
        let found = contender.get(&key);
        if found.is_some_and(|value| now - value.stored_at < LIVES_FOR) {
            hits += 1;
        } else {
            contender.put(&key, Arc::new(Profile { id, stored_at: now }));
        }
    }
    hits as f64 / keys.len() as f64
}
