//! An axum service on the kit: a cache of objects, a cache of responses, a breaker and retries before the
//! backend, a limiter before everything, and metrics of all of it.
//!
//! `cargo run -p proofload-kit --example axum_service` serves on port 8080 until Ctrl-C and then lets requests
//! under way finish. `--port N` and `--entries N` (how many products the cache holds) change that; `--once` serves on
//! a free port, makes one round of requests that shows what each part does, and ends: with an error if one of them was
//! not answered as it should be.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod backend;
mod service;
mod tour;

use std::error::Error;

use service::Settings;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = Settings::default();
    let mut port = 8080;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().unwrap_or_default().parse::<u32>();
        match argument.as_str() {
            "--once" => {
                for line in tour::run().await? {
                    println!("{line}");
                }
                return Ok(());
            }
            "--port" => port = u16::try_from(number()?)?,
            "--entries" => settings.entries = usize::try_from(number()?)?,
            other => return Err(format!("{other} is none of --once, --port N, --entries N").into()),
        }
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}/products/7, /reports/sales, /metrics; Ctrl-C ends", listener.local_addr()?);
    let app = service::build(&settings)?;
    let stop = async {
        // Without signals the service runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    axum::serve(listener, app.router).with_graceful_shutdown(stop).await?;
    println!("{:#?}", app.products.stats());
    Ok(())
}
