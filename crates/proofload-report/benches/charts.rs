//! What drawing costs: the live page draws its charts anew every second, the report once.
//!
//! `cargo bench -p proofload-report --bench charts`. Charts have 300 points, as after five minutes.

#[path = "../tests/it/courses.rs"]
#[expect(dead_code, reason = "most of the results are for tests and examples")]
mod courses;

use std::sync::LazyLock;

use divan::{Bencher, black_box};
use proofload_core::result::RunResult;
use proofload_core::verdict::ExitCode;
use proofload_report::html::{self, HtmlOptions, View};

static FIVE_MINUTES: LazyLock<RunResult> = LazyLock::new(|| {
    let course = courses::Course { intervals: 300, ..courses::Course::new("Load") };
    courses::result_of("Bench", &[course], &[])
});

fn main() {
    divan::main();
}

/// Throughput, users and four series of latencies, twice: about what a live page shows.
#[divan::bench]
fn eight_time_charts(bencher: Bencher<'_, '_>) {
    let view = View::new(&FIVE_MINUTES);
    let charts = [
        html::throughput_chart(&view),
        html::users_chart(&view),
        html::latency_chart(&view),
        html::latency_chart(&view),
    ];
    bencher.bench_local(|| {
        for chart in charts.iter().chain(&charts) {
            black_box(chart.to_svg("chart"));
        }
    });
}

/// The same without what pointers are told.
#[divan::bench]
fn eight_time_charts_without_values(bencher: Bencher<'_, '_>) {
    let view = View::new(&FIVE_MINUTES);
    let mut charts = [
        html::throughput_chart(&view),
        html::users_chart(&view),
        html::latency_chart(&view),
        html::latency_chart(&view),
    ];
    charts.iter_mut().for_each(|chart| chart.has_hover = false);
    bencher.bench_local(|| {
        for chart in charts.iter().chain(&charts) {
            black_box(chart.to_svg("chart"));
        }
    });
}

#[divan::bench]
fn heat_map(bencher: Bencher<'_, '_>) {
    let view = View::new(&FIVE_MINUTES);
    let map = html::heat_map(&view);
    bencher.bench_local(|| black_box(map.to_svg("map")));
}

#[divan::bench]
fn whole_report(bencher: Bencher<'_, '_>) {
    let options = HtmlOptions::new(ExitCode::Passed);
    bencher.bench_local(|| black_box(html::page(&FIVE_MINUTES, &options)));
}
