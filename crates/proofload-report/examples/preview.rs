//! Shows what a run looks like in this terminal: `cargo run -p proofload-report --example preview --
//! summary [NAME]` or `-- live [SECONDS]`.

#![expect(clippy::print_stdout, reason = "an example shows something")]

#[path = "../tests/it/scenes.rs"]
mod scenes;

use std::io::Write;
use std::time::{Duration, Instant};

use proofload_core::event::{Interval, RunEvent};
use proofload_core::metrics::{ErrorKind, RequestSample};
use proofload_core::plan::{Inputs, Overrides, Plan};
use proofload_report::Style;
use proofload_report::progress::{Mode, Progress, Redraw};
use proofload_report::summary::{SummaryOptions, summary};

fn main() {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let style = Style::detect(columns.or(Some(100)), |name| std::env::var(name).ok());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("live") => {
            let seconds = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(20);
            live(style, seconds);
        }
        _ => {
            let wanted = arguments.get(1).map_or("good", String::as_str);
            for (_, result) in scenes::all().iter().filter(|(name, _)| *name == wanted) {
                let exit_code = scenes::exit_code(result);
                let options = SummaryOptions {
                    style,
                    exit_code,
                    result_path: Some("results/dchat.json"),
                    report_path: None,
                };
                print!("{}", summary(result, &options));
            }
        }
    }
}

/// Plays a run that is made up.
fn live(style: Style, seconds: u64) {
    let text = "name = 'preview'\ntarget = 'http://127.0.0.1:1'\n\
        [[user]]\nname = 'visitor'\n[[user.task]]\nget = '/'\n\
        [[phase]]\nname = 'Normal load'\nusers = 100\nduration = '5s'\n\
        [[phase]]\nname = 'Steady arrivals'\nrate = '2000/s'\nduration = '30s'\nmax_users = 500\n";
    let Ok(plan) = Plan::parse("preview.toml", text, &Overrides::default(), &Inputs::NONE) else {
        return;
    };
    let mut progress = Progress::new(&plan, style, Mode::Live);
    let mut redraw = Redraw::new();
    let start = Instant::now();
    let mut draw = |progress: &mut Progress, event: Option<&RunEvent>| {
        let now = start.elapsed();
        let lines = event.map_or_else(Vec::new, |event| progress.on_event(event, now));
        print!("{}", redraw.frame(&lines, &progress.view(now)));
        let _ = std::io::stdout().flush();
    };
    for (phase, length) in [(0, 5.min(seconds)), (1, seconds.saturating_sub(5))] {
        draw(&mut progress, Some(&RunEvent::PhaseStarted { phase, at: Duration::ZERO, shards: 2 }));
        for second in 0..length {
            for _ in 0..5 {
                std::thread::sleep(Duration::from_millis(200));
                draw(&mut progress, None);
            }
            let interval = RunEvent::Interval(std::sync::Arc::new(interval(phase, second)));
            draw(&mut progress, Some(&interval));
        }
        draw(&mut progress, Some(&RunEvent::PhaseEnded { phase, at: Duration::ZERO, early: None }));
    }
}

fn interval(phase: usize, second: u64) -> Interval {
    let mut interval = Interval {
        phase,
        start: Duration::from_secs(second),
        length: Duration::from_secs(1),
        users_active: 87,
        ..Interval::default()
    };
    for at in 0..1500 + second * second % 7 * 100 {
        interval.requests.record(&RequestSample {
            response_ns: 4_000_000 + at * at * 13,
            error: (second == 8 && at < 12).then_some(ErrorKind::Http5xx),
            ..RequestSample::default()
        });
    }
    interval.iterations.completed = 1500;
    interval.iterations.queued = u64::from(phase == 1) * 3 * second;
    interval.generator.record_interval(230_000_000, 1_000_000_000);
    interval.generator.open_connections = 87;
    interval
}
