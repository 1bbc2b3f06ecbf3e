//! What comparisons are made of, read from files: results, folders of runs, baselines.

use std::fs;
use std::path::{Path, PathBuf};

use proofload_core::baseline::Baseline;
use proofload_core::compare::{Aspect, CompareError, RunEvidence, Side};

use super::failure::Failure;
use super::report;

/// A larger file is no baseline; results may be larger.
const MAX_BASELINE_BYTES: u64 = 64 << 20;

/// Reads one side: results of one or several runs, folders of runs, baselines, all taken together.
pub(super) fn read(places: &[PathBuf]) -> Result<Side, Failure> {
    let mut side = Side::default();
    for place in places {
        side.runs.extend(runs(place)?);
    }
    side.label = label(places);
    Ok(side)
}

/// `a.json`, `a.json and 2 more`
fn label(places: &[PathBuf]) -> String {
    let first = places.first().map(|place| place.display().to_string()).unwrap_or_default();
    match places.len() {
        0 | 1 => first,
        count => format!("{first} and {} more", count - 1),
    }
}

fn runs(place: &Path) -> Result<Vec<RunEvidence>, Failure> {
    if !place.is_dir()
        && let Some(baseline) = baseline_in(place)?
    {
        return Ok(baseline.runs);
    }
    Ok(RunEvidence::all_of(&report::read(place)?))
}

/// The baseline in a file, if it is meant to hold one.
fn baseline_in(place: &Path) -> Result<Option<Baseline>, Failure> {
    let is_small = fs::metadata(place).is_ok_and(|meta| meta.len() <= MAX_BASELINE_BYTES);
    if place.as_os_str() == "-" || !is_small {
        return Ok(None);
    }
    let bytes = fs::read(place).map_err(|error| unreadable(place, &error))?;
    let Ok(text) = String::from_utf8(bytes) else { return Ok(None) };
    if text.trim_start().starts_with('{') || !Baseline::is_meant_by(&text) {
        return Ok(None);
    }
    parsed(place, &text).map(Some)
}

/// Reads a file that has to be a baseline.
pub(super) fn baseline(place: &Path) -> Result<Baseline, Failure> {
    let bytes = fs::read(place).map_err(|error| unreadable(place, &error))?;
    parsed(place, &String::from_utf8_lossy(&bytes))
}

fn parsed(place: &Path, text: &str) -> Result<Baseline, Failure> {
    Baseline::parse(text).map_err(|error| Failure::input(format!("{}: {error}", place.display())))
}

fn unreadable(place: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format!("{} cannot be read: {error}", place.display()))
}

/// Runs that cannot be compared are bad input.
pub(super) fn refused(error: &CompareError) -> Failure {
    Failure::input(error)
}

/// What `--allow-different` names: `all` is all of it.
pub(super) fn parse_aspects(text: &str) -> Result<Aspects, String> {
    if text == "all" {
        return Ok(Aspects(Aspect::ALL.to_vec()));
    }
    let words = text.split(',').map(str::trim);
    words
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map(Aspects)
        .map_err(|error: String| format!("{error}, nor all of them (`all`)"))
}

/// What may differ between the sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Aspects(pub(super) Vec<Aspect>);
