//! The cost of the bare HTTP client: one worker, closed loops, nothing recorded.
//!
//! `http_floor URL CONNECTIONS SECONDS [local-set]` prints requests, errors, requests per second and
//! processor time per request. `local-set` runs the users in a `LocalSet` on a plain current-thread
//! runtime instead of a `LocalRuntime`, to compare the two.

#![expect(clippy::print_stdout, reason = "a program that prints a measurement")]

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

use proofload_engine::http::{
    BodyUse, Client, ClientSettings, Headers, Origin, Prepared, Request, Shared,
};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};

#[derive(Default)]
struct Counts {
    requests: Cell<u64>,
    errors: Cell<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, connections, seconds, mode @ ..] = arguments.as_slice() else {
        return Err("usage: http_floor URL CONNECTIONS SECONDS [local-set]".into());
    };
    let connections: usize = connections.parse()?;
    let duration = Duration::from_secs_f64(seconds.parse()?);
    let settings = ClientSettings { accept_encoding: None, ..ClientSettings::default() };
    let prepared = Prepared::new(settings)?;
    let (origin, target) = Origin::parse(url)?;
    let counts = Rc::new(Counts::default());
    let begun = Instant::now();
    let run = {
        let counts = Rc::clone(&counts);
        async move {
            let shared = Shared::new(prepared);
            let until = Instant::now() + duration;
            let users: Vec<_> = (0..connections)
                .map(|_| {
                    let client = Client::new(Rc::clone(&shared));
                    let (origin, target) = (origin.clone(), target.clone());
                    spawn_local(user(client, origin, target, until, Rc::clone(&counts)))
                })
                .collect();
            for user in users {
                let _ = user.await;
            }
        }
    };
    if mode.iter().any(|word| word == "local-set") {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, run);
    } else {
        Builder::new_current_thread().enable_all().build_local(Default::default())?.block_on(run);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let cpu_us = spent.tv_sec as f64 * 1e6 + spent.tv_nsec as f64 / 1e3;
    let requests = counts.requests.get();
    println!(
        "requests {requests} errors {} rps {:.0} cpu_us_per_request {:.3}",
        counts.errors.get(),
        requests as f64 / elapsed,
        cpu_us / requests as f64,
    );
    Ok(())
}

async fn user(
    mut client: Client,
    origin: Origin,
    target: String,
    until: Instant,
    counts: Rc<Counts>,
) {
    let headers = Headers::new();
    loop {
        let request = Request {
            method: "GET",
            origin: &origin,
            target: target.as_bytes(),
            headers: &headers,
            body: b"",
            timeout: None,
        };
        let exchange =
            client.exchange(&request, BodyUse::Discard, |r| (r.status(), r.body_bytes())).await;
        match exchange.outcome {
            Ok((200, _)) => counts.requests.set(counts.requests.get() + 1),
            _ => counts.errors.set(counts.errors.get() + 1),
        }
        if exchange.timings.finished >= until {
            return;
        }
    }
}
