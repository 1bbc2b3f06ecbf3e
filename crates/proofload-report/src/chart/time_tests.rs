//! Tests of charts over time.

use super::*;
use crate::chart::Tone;
use proptest::prelude::*;

fn chart(values: &[Option<f64>]) -> TimeChart {
    TimeChart {
        title: "Latency".to_owned(),
        x: XAxis::Elapsed { start_seconds: 0.0, end_seconds: 4.0 },
        at: (0..values.len()).map(|at| at as f64).collect(),
        series: vec![Series {
            name: "p99".to_owned(),
            values: values.to_vec(),
            ..Series::default()
        }],
        unit: Unit::Milliseconds,
        height: 100,
        ..TimeChart::default()
    }
}

/// A line for each element, to be read.
fn lines(svg: &str) -> String {
    svg.replace("><", ">\n<")
}

#[test]
fn a_small_chart() {
    let mut chart = chart(&[Some(10.0), Some(20.0), None, Some(5.0), Some(40.0)]);
    chart.bands = vec![
        Band { start: 0.0, end: 2.0, name: "a".to_owned(), phase: 0 },
        Band { start: 2.0, end: 4.0, name: "b".to_owned(), phase: 1 },
    ];
    chart.marks = vec![Mark {
        at: 3.0,
        until: Some(3.5),
        sign: "1".to_owned(),
        text: "p99 > 30 ms".to_owned(),
        tone: Tone::Bad,
    }];
    chart.levels =
        vec![Level { value: 30.0, text: "limit < 30 ms".to_owned(), tone: Tone::Bad, span: None }];
    insta::assert_snapshot!(lines(&chart.to_svg("latency")));
}

#[test]
fn a_figure_has_everything() {
    let figure = chart(&[Some(10.0), None, Some(40.0)]).figure("latency").into_string();
    insta::assert_snapshot!(lines(&figure));
}

/// The data of all paths with this class.
fn paths<'a>(svg: &'a str, class: &str) -> Vec<&'a str> {
    let start = format!("<path class=\"{class}\" d=\"");
    svg.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap_or_default()).collect()
}

#[test]
fn lines_as_they_are_drawn() {
    let check = |values: &[Option<f64>], expect: &[&str]| {
        assert_eq!(paths(&chart(values).to_svg("c"), "line"), expect);
    };
    check(&[], &[]);
    check(&[None, None], &[]);
    check(&[Some(10.0)], &["M0 0h0"]);
    check(&[Some(5.0), Some(5.0)], &["M0 167l1000 0"]);
    check(&[Some(0.0), Some(0.0)], &["M0 1000l1000 0"]);
    check(&[Some(10.0), None, Some(0.0), Some(f64::NAN)], &["M0 0h0M2000 1000h0"]);
    // What lies outside the axis is not drawn.
    let six = [Some(1.0); 6];
    check(&six, &["M0 0l1000 0 1000 0 1000 0 1000 0"]);
}

#[test]
fn stacked_series_stand_on_each_other() {
    let series = |name: &str, values: [f64; 2]| Series {
        name: name.to_owned(),
        values: values.map(Some).to_vec(),
        ..Series::default()
    };
    let chart = TimeChart {
        series: vec![series("ok", [6.0, 6.0]), series("failed", [4.0, 0.0])],
        is_stacked: true,
        ..chart(&[None, None])
    };
    let svg = chart.to_svg("c");
    // Only the lowest has a line: where another is zero, its line would hide that one.
    assert_eq!(paths(&svg, "line"), ["M0 400l1000 0"]);
    assert_eq!(paths(&svg, "fill")[1], "M0 0l1000 400 0 0-1000 0z");
    assert!(svg.contains("data-n=\"failed\" data-v=\"4.00 ms|0 s\""), "{svg}");
}

#[test]
fn thinning_keeps_peaks() {
    let mut values = vec![Some(1.0); 100_000];
    values[77_777] = Some(50.0);
    let mut chart = chart(&values);
    chart.x = XAxis::Elapsed { start_seconds: 0.0, end_seconds: 100_000.0 };
    let svg = chart.to_svg("c");
    assert!(svg.len() < 30_000, "{}", svg.len());
    assert!(svg.contains("50.0 ms"));
}

#[test]
fn many_series_are_bounded() {
    let mut chart = chart(&[Some(1.0)]);
    chart.series = vec![chart.series[0].clone(); 100];
    let svg = chart.to_svg("c");
    assert_eq!(svg.matches("class=\"line\"").count(), MAX_SERIES);
    assert!(svg.contains("92 more series not shown"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_numbers_give_a_drawing(
        values in prop::collection::vec(prop::option::of(any::<f64>()), 0..40),
        at in prop::collection::vec(any::<f64>(), 0..40),
        ends in any::<(f64, f64)>(),
        (kind, unit, is_stacked) in (0..3_usize, 0..7_usize, any::<bool>()),
        text in any::<String>(),
    ) {
        let series = Series { name: text.clone(), line: Line::Area, values, ..Series::default() };
        let units = [
            Unit::Milliseconds, Unit::Share, Unit::PerSecond, Unit::Bytes, Unit::BytesPerSecond,
            Unit::Count, Unit::Number,
        ];
        let mark = Mark { at: ends.0, until: Some(ends.1), sign: text.clone(), text: text.clone(), tone: Tone::Warn };
        let chart = TimeChart {
            title: text.clone(),
            x: XAxis::Elapsed { start_seconds: ends.0, end_seconds: ends.1 },
            at,
            series: vec![series.clone(), series],
            unit: units[unit],
            scale: [ScaleKind::Linear, ScaleKind::Log, ScaleKind::Auto][kind],
            is_stacked,
            bands: vec![Band { start: ends.1, end: ends.0, name: text.clone(), phase: 0 }],
            marks: vec![mark],
            levels: vec![Level { value: ends.0, text, tone: Tone::Bad, span: Some(ends) }],
            ..TimeChart::default()
        };
        let svg = chart.to_svg("c");
        for attribute in ["d", "x", "x1", "x2", "y", "y1", "y2", "width", "height", "data-x"] {
            for value in svg.split(&format!(" {attribute}=\"")).skip(1) {
                let value = value.split('"').next().unwrap_or_default();
                prop_assert!(value.chars().all(|c| "Mlhvz0123456789.-% ".contains(c)), "{attribute}={value}");
            }
        }
        prop_assert!(!svg.contains(|c: char| c.is_control()));
    }
}
