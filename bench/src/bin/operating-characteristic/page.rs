//! The page: docs/operating-characteristic.md.

use std::fmt::Write as _;

use super::real::{Real, SEVERAL};
use super::simulated::{Bar, Case};
use super::tally::Tally;

/// Most comparisons of unchanged services that may call anything worse.
const MAX_FALSE: f64 = 0.01;
/// Fewest comparisons that must find what is there.
const MIN_POWER: f64 = 0.95;

/// Whether a case meets its bar.
fn case_is_met(case: &Case) -> bool {
    let tally = &case.tally;
    match case.bar {
        Bar::FalseAlarms => tally.share(tally.any_worse.max(tally.fired)) <= MAX_FALSE,
        Bar::Power => tally.share(tally.time_worse) >= MIN_POWER,
        Bar::Fires => tally.share(tally.fired) >= MIN_POWER,
        Bar::Shown => true,
    }
}

/// Whether all bars are met.
pub(crate) fn is_met(cases: &[Case], real: Option<&Real>) -> bool {
    let few = |tally: &Tally| tally.share(tally.any_worse.max(tally.fired)) <= MAX_FALSE;
    cases.iter().all(case_is_met)
        && real.is_none_or(|real| {
            let power = &real.slower;
            few(&real.pairs)
                && few(&real.several)
                && (power.comparisons == 0 || power.share(power.time_worse) >= MIN_POWER)
        })
}

/// The page as Markdown.
pub(crate) fn page(command: &str, comparisons: u32, cases: &[Case], real: Option<&Real>) -> String {
    let mut out = String::new();
    out.push_str(INTRO);
    // Writing into a text cannot fail, here and below.
    let _ = write!(out, "```sh\n{command}\n```\n\n");
    let _ = write!(
        out,
        "## Simulated: nothing was changed\n\n{comparisons} comparisons of each case. *Found* is any measure of \
         any phase or request called better or worse (28 measures a comparison); *worse* is any called worse; \
         *fired* is any of the usual rules: a release would have been stopped. The bar is 1% of *worse* and of *fired*: a false alarm.\n\n\
         | runs a side | service | found | worse | fired | |\n|---|---|---|---|---|---|\n"
    );
    for case in cases.iter().filter(|case| case.slower == 1.0) {
        let tally = &case.tally;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            runs(case),
            case.title,
            percent(tally, tally.any_finding),
            percent(tally, tally.any_worse),
            percent(tally, tally.fired),
            mark(case)
        );
    }
    let _ = write!(
        out,
        "\n## Simulated: it was made slower\n\n*Found* is avg, p50, p90 or p95 of the phase called worse. The bars \
         are 95%: of *found* at +5% with the number of runs that the spread between runs asks for, of *fired* \
         where the change is beyond a rule.\n\n\
         | change | runs a side | service | found | p50 | p95 | fired | |\n|---|---|---|---|---|---|---|---|\n"
    );
    for case in cases.iter().filter(|case| case.slower != 1.0) {
        let tally = &case.tally;
        let _ = writeln!(
            out,
            "| +{:.0}% | {} | {} | {} | {} | {} | {} | {} |",
            (case.slower - 1.0) * 100.0,
            runs(case),
            case.title,
            percent(tally, tally.time_worse),
            percent(tally, tally.p50_worse),
            percent(tally, tally.p95_worse),
            percent(tally, tally.fired),
            mark(case)
        );
    }
    match real {
        Some(real) => real_part(&mut out, real),
        None => out.push_str(
            "\n## Real runs\n\nNot made this time: `--real 200 --real-slower 20` makes them.\n",
        ),
    }
    out.push_str(SERVICES);
    out
}

const INTRO: &str = "\
# How often comparisons are wrong

`proofload compare`, `--baseline` and `--repeat` say *better*, *worse*, *no change* or *cannot tell*. This page
measures how often they say so where nothing was changed, and how often they find what was. It is written by

";

const SERVICES: &str = "
## The made-up services

A run lasts 30 s at 100 requests/s over three requests of different length. Response times are log-normal (standard
deviation of the logarithm 0.35) with a Pareto tail of infinite variance (1% of the requests). The level of each second
follows an autoregressive process, failures come in bursts, and each run has a level of its own, whose standard
deviation is given as *between runs*. *Steady*: level 3%, autocorrelation 0.6, 0.1% errors. *Rough*: level 8%,
autocorrelation 0.85, on average one stall of two seconds a run, 2% in the tail, 0.4% errors.

## How many runs

One run a side assumes what it cannot see: that runs of an unchanged service spread by 5% (averages, p50, p90, rate),
7% (p95) or 10% (p99 and beyond), more for runs below 10 s. So it finds changes of about a third and more, and its
false alarms stay rare only where runs do not spread by more than that. Three runs a side (or five against one) see the
spread themselves and assume nothing. `--repeat` prints the deviation between runs: the table above says how many runs
it takes to find 5%.
";

fn real_part(out: &mut String, real: &Real) {
    let _ = write!(
        out,
        "\n## Real runs\n\nThe demo service on loopback, a fresh process of it and of the generator for each run of \
         {} s; {}. {} runs of the unchanged service.\n\n\
         | comparison | comparisons | found | worse | fired |\n|---|---|---|---|---|\n",
        real.seconds, real.machine, real.runs
    );
    let mut row = |title: &str, tally: &Tally| {
        let _ = writeln!(
            out,
            "| {title} | {} | {} | {} | {} |",
            tally.comparisons,
            percent(tally, tally.any_finding),
            percent(tally, tally.any_worse),
            percent(tally, tally.fired)
        );
    };
    row("unchanged, one run with the next, disjoint", &real.pairs);
    row(&format!("unchanged, {SEVERAL} runs with {SEVERAL} in turns, disjoint"), &real.several);
    row(
        &format!("unchanged, {SEVERAL} with {SEVERAL}, every stretch (they overlap)"),
        &real.overlapping,
    );
    if real.slower.comparisons > 0 {
        let slower = &real.slower;
        let (before, after) = real.p50_ms;
        let _ = write!(
            out,
            "\n{} comparisons of {SEVERAL} runs with {SEVERAL} of a slower service, in turns (median p50 {before:.2} \
             ms and {after:.2} ms, {:+.1}%): called worse in avg, p50, p90 or p95 {}, in p50 {}, in p95 {}.\n",
            slower.comparisons,
            (after / before - 1.0) * 100.0,
            percent(slower, slower.time_worse),
            percent(slower, slower.p50_worse),
            percent(slower, slower.p95_worse)
        );
    }
}

fn runs(case: &Case) -> String {
    let (old, new) = case.runs;
    if old == new { old.to_string() } else { format!("{old} and {new}") }
}

fn percent(tally: &Tally, count: u32) -> String {
    format!("{:.1}%", tally.share(count) * 100.0)
}

fn mark(case: &Case) -> &'static str {
    match (case.bar, case_is_met(case)) {
        (Bar::Shown, _) => "",
        (_, true) => "met",
        (_, false) => "**not met**",
    }
}
