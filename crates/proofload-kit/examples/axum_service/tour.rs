//! One round of requests over loopback, each with what it must be answered.

use std::error::Error;

use axum::http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use proofload_kit::breaker::State;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::service::{self, Settings};

type Tried<T> = Result<T, Box<dyn Error>>;

/// What happened, line by line.
pub(crate) async fn run() -> Tried<Vec<String>> {
    let app = service::build(&Settings::default())?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let address = listener.local_addr()?.to_string();
    let server = axum::serve(listener, app.router.clone()).with_graceful_shutdown(async {
        // Told to stop, or whoever would tell is gone.
        let _ = stopped.await;
    });
    let server = tokio::spawn(async move { server.await });
    let mut round = Round {
        client: Client::builder(TokioExecutor::new()).build_http(),
        address,
        lines: Vec::new(),
    };

    round.note("A product is loaded once, and what does not exist is remembered too.");
    round.ask(Method::GET, "/products/7", 200, Some("MISS")).await?;
    round.ask(Method::GET, "/products/7", 200, Some("HIT")).await?;
    round.ask(Method::GET, "/products/0", 404, Some("MISS")).await?;
    round.ask(Method::GET, "/products/0", 404, Some("HIT")).await?;
    expect("two queries", app.backend.queries() == 2)?;

    round.note("A write takes the old value away.");
    round.ask(Method::PUT, "/products/7", 204, None).await?;
    let body = round.ask(Method::GET, "/products/7", 200, Some("MISS")).await?;
    expect("the new name", body.contains("Anvil"))?;

    round.note("Answers of a handler that knows of no cache.");
    let first = round.ask(Method::GET, "/reports/sales", 200, Some("MISS")).await?;
    let second = round.ask(Method::GET, "/reports/sales", 200, Some("HIT")).await?;
    expect("the same report", first == second)?;

    round.note("The database is down: what is known is served, the rest is refused, soon at once.");
    app.backend.set_down(true);
    round.ask(Method::GET, "/products/7", 200, Some("HIT")).await?;
    let before = app.backend.queries();
    for id in 100..120 {
        round.ask(Method::GET, &format!("/products/{id}"), 503, None).await?;
    }
    let asked = app.backend.queries() - before;
    round.note(&format!("20 requests, {asked} queries: the breaker is {}.", app.breaker.state()));
    expect("an open breaker", app.breaker.state() == State::Open && asked < 20)?;

    let stats = app.products.stats();
    round.note(&format!("Of products, {} look-ups hit, {} missed.", stats.hits, stats.misses));

    round.note("All of it is shown to Prometheus.");
    let metrics = round.ask(Method::GET, "/metrics", 200, None).await?;
    for shown in [
        "cache_hits_total",
        "circuit_breaker_state",
        "limiter_granted_total",
        "http_requests_total",
    ] {
        let line = metrics.lines().find(|line| line.starts_with(shown) && !line.ends_with(" 0"));
        round.lines.push(format!("  {}", line.ok_or(shown)?));
    }

    // Connections that are kept open would be waited for.
    let Round { client, lines, .. } = round;
    drop(client);
    // It fails only if the server has ended by itself, which the next line tells.
    let _ = stop.send(());
    server.await??;
    Ok(lines)
}

struct Round {
    client: Client<HttpConnector, Full<bytes::Bytes>>,
    address: String,
    lines: Vec<String>,
}

impl Round {
    fn note(&mut self, text: &str) {
        self.lines.push(text.to_owned());
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        status: u16,
        from: Option<&str>,
    ) -> Tried<String> {
        let uri = format!("http://{}{path}", self.address);
        // The new name. A request without a body is told from one with it: answers to the latter are not shared.
        let body = if method == Method::PUT { "Anvil" } else { "" };
        let request = Request::builder().method(&method).uri(uri).body(Full::from(body))?;
        let response = self.client.request(request).await?;
        let told = response.headers().get("x-cache").and_then(|value| value.to_str().ok());
        let line =
            format!("  {method} {path} -> {} {}", response.status(), told.unwrap_or_default());
        let right = response.status() == status && (from.is_none() || told == from);
        expect(&line, right)?;
        self.lines.push(line.trim_end().to_owned());
        let body = response.into_body().collect().await?.to_bytes();
        Ok(String::from_utf8(body.to_vec())?)
    }
}

fn expect(what: &str, right: bool) -> Tried<()> {
    if right { Ok(()) } else { Err(format!("not as expected: {what}").into()) }
}
