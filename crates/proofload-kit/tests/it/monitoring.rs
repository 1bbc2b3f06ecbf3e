//! The dashboard and the alert rules: Prometheus takes them, and they fire when they should.

use std::collections::BTreeSet;

use proofload_kit::registry::Monitoring;
use serde_json::Value;

use crate::promtool::{self, File};

fn shop() -> Monitoring {
    Monitoring::new("Bob's \"shop\"").label("job", "shop").unwrap().label("zone", "a\"b").unwrap()
}

#[test]
fn prometheus_takes_the_rules() {
    for monitoring in [shop(), Monitoring::new("plain"), shop().prefix("bob").unwrap()] {
        let rules = monitoring.rules();
        let alerts = rules.matches("- alert:").count();
        assert!(alerts >= 15, "{rules}");
        let arguments = ["check", "rules", "--lint=all", "--lint-fatal"];
        let said = promtool::run(&arguments, &File::new(&rules));
        let said = said.unwrap_or_else(|said| panic!("{said}\n{rules}"));
        assert!(said.contains(&format!("{alerts} rules found")), "{said}");
    }
}

/// Sick series and the alerts that they must raise: `name{labels}`, its values, the alerts with their labels.
const SICK: &[(&str, &str, &str)] = &[
    ("pool_leaks_total{pool=\"db\"}", "0+1x60", "ConnectionLeak pool=db"),
    ("pool_in_use{pool=\"db\"}", "17+0x60", "PoolNearlyUsedUp pool=db"),
    ("pool_max_size{pool=\"db\"}", "20+0x60", ""),
    (
        "pool_acquire_failures_total{pool=\"db\",reason=\"wait_timeout\"}",
        "0+1x60",
        "PoolTimeouts pool=db",
    ),
    (
        "pool_acquire_failures_total{pool=\"db\",reason=\"connect_error\"}",
        "0+1x60",
        "PoolCannotConnect pool=db",
    ),
    ("limiter_queued{limiter=\"api\"}", "101+0x60", "QueueDeep limiter=api"),
    (
        "limiter_refused_total{limiter=\"api\",reason=\"full\"}",
        "0+2x60",
        "CallsRefused limiter=api",
    ),
    ("limiter_granted_total{limiter=\"api\"}", "0+100x60", ""),
    (
        "circuit_breaker_state{breaker=\"pay\",state=\"open\"}",
        "1+0x60",
        "CircuitBreakerOpen breaker=pay",
    ),
    (
        "circuit_breaker_transitions_total{breaker=\"pay\",state=\"open\"}",
        "0+1x60",
        "CircuitBreakerFlaps breaker=pay",
    ),
    (
        "retry_given_up_total{retry=\"pay\",reason=\"budget\"}",
        "0+6x60",
        "RetriesExhausted retry=pay",
    ),
    ("retry_calls_total{retry=\"pay\"}", "0+100x60", ""),
    ("cache_redis_available{redis=\"r\"}", "0+0x60", "SharedCacheDown redis=r"),
    ("cache_hits_total{cache=\"c\"}", "0+60x60", "CacheHitRateLow cache=c"),
    ("cache_stale_hits_total{cache=\"c\"}", "0+60x60", "CacheServesStale cache=c"),
    ("cache_negative_hits_total{cache=\"c\"}", "0+1x60", ""),
    ("cache_misses_total{cache=\"c\"}", "0+180x60", ""),
    ("cache_load_duration_seconds_count{cache=\"c\"}", "0+100x60", ""),
    ("cache_load_failures_total{cache=\"c\"}", "0+10x60", "CacheLoadsFail cache=c"),
    ("cache_evictions_total{cache=\"c\"}", "0+60x60", "CacheTooSmall cache=c"),
    ("http_requests_total{route=\"/\",status=\"500\"}", "0+2x60", "RequestsFail"),
    ("http_requests_total{route=\"/\",status=\"200\"}", "0+98x60", ""),
];

/// Series of the same names on which nothing is wrong.
const WELL: &[(&str, &str)] = &[
    ("pool_leaks_total{pool=\"db\"}", "3+0x60"),
    ("pool_in_use{pool=\"db\"}", "15+0x60"),
    ("pool_max_size{pool=\"db\"}", "20+0x60"),
    ("pool_acquire_failures_total{pool=\"db\",reason=\"wait_timeout\"}", "5+0x60"),
    ("pool_acquire_failures_total{pool=\"db\",reason=\"cancelled\"}", "0+1x60"),
    ("limiter_queued{limiter=\"api\"}", "100+0x60"),
    ("limiter_refused_total{limiter=\"api\",reason=\"full\"}", "0+1x60"),
    ("limiter_granted_total{limiter=\"api\"}", "0+100x60"),
    ("circuit_breaker_state{breaker=\"pay\",state=\"open\"}", "0+0x60"),
    ("circuit_breaker_state{breaker=\"pay\",state=\"half_open\"}", "1+0x60"),
    ("circuit_breaker_state{breaker=\"pay\",state=\"closed\"}", "1+0x60"),
    ("circuit_breaker_transitions_total{breaker=\"pay\",state=\"closed\"}", "0+1x60"),
    ("retry_given_up_total{retry=\"pay\",reason=\"permanent\"}", "0+20x60"),
    ("retry_given_up_total{retry=\"pay\",reason=\"exhausted\"}", "0+4x60"),
    ("retry_calls_total{retry=\"pay\"}", "0+100x60"),
    ("cache_redis_available{redis=\"r\",instance=\"1\"}", "0+0x60"),
    ("cache_redis_available{redis=\"r\",instance=\"2\"}", "1+0x60"),
    ("cache_hits_total{cache=\"c\"}", "0+170x60"),
    ("cache_stale_hits_total{cache=\"c\"}", "0+10x60"),
    ("cache_negative_hits_total{cache=\"c\"}", "0+1x60"),
    ("cache_misses_total{cache=\"c\"}", "0+170x60"),
    ("cache_load_duration_seconds_count{cache=\"c\"}", "0+100x60"),
    ("cache_load_failures_total{cache=\"c\"}", "0+4x60"),
    ("cache_evictions_total{cache=\"c\"}", "0+40x60"),
    ("http_requests_total{route=\"/\",status=\"500\"}", "0+1x60"),
    ("http_requests_total{route=\"/\",status=\"404\"}", "0+99x60"),
];

/// Asks promtool which alerts fire after 50 minutes of these series; gives its complaints.
fn fires(series: &[(&str, &str)], expected: &[&str]) -> Result<String, String> {
    let rules = File::new(&Monitoring::new("shop").rules());
    let text = Monitoring::new("shop").rules();
    let names = text.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let mut test = format!(
        "rule_files: ['{}']\ntests:\n  - interval: 1m\n    input_series:\n",
        rules.path().display()
    );
    for (series, values) in series {
        test += &format!("      - series: '{series}'\n        values: '{values}'\n");
    }
    test += "    promql_expr_test:\n";
    for name in names {
        let labels = expected.iter().filter_map(|alert| alert.strip_prefix(name));
        let labels: Vec<String> = labels
            .filter(|labels| labels.is_empty() || labels.starts_with(' '))
            .map(|labels| {
                let label = labels.trim().split_once('=');
                let label =
                    label.map(|(name, value)| format!("{name}=\"{value}\"")).unwrap_or_default();
                format!("{{{label}}}")
            })
            .collect();
        let found = format!(
            "count by (pool, limiter, breaker, redis, cache, retry) (ALERTS{{alertname=\"{name}\",alertstate=\"firing\"}})"
        );
        test += &format!("      - expr: '{found}'\n        eval_time: 50m\n");
        if labels.is_empty() {
            test += "        exp_samples: []\n";
        } else {
            test += "        exp_samples:\n";
            for labels in labels {
                test += &format!("          - labels: '{labels}'\n            value: 1\n");
            }
        }
    }
    promtool::run(&["test", "rules"], &File::new(&test))
}

#[test]
fn alerts_fire_on_what_is_sick_and_on_nothing_else() {
    let sick: Vec<(&str, &str)> =
        SICK.iter().map(|&(series, values, _)| (series, values)).collect();
    let expected: Vec<&str> =
        SICK.iter().map(|&(_, _, alert)| alert).filter(|alert| !alert.is_empty()).collect();
    fires(&sick, &expected).unwrap_or_else(|said| panic!("{said}"));
    fires(WELL, &[]).unwrap_or_else(|said| panic!("{said}"));
    fires(&[], &[]).unwrap_or_else(|said| panic!("{said}"));
    assert!(fires(&sick, &expected[1..]).is_err() && fires(WELL, &expected[..1]).is_err());
    // None that no series here raises.
    let rules = Monitoring::new("shop").rules();
    let names: BTreeSet<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let raised: BTreeSet<&str> =
        expected.iter().filter_map(|alert| alert.split(' ').next()).collect();
    assert_eq!(names, raised);
}

#[test]
fn the_dashboard_is_one_grafana_can_read() {
    let json = shop().dashboard();
    let dashboard: Value = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}\n{json}"));
    assert_eq!(dashboard["title"], "Bob's \"shop\"");
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    let mut fields = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let place = &panel["gridPos"];
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| place[key].as_u64().unwrap());
        assert!(x + w <= 24, "{panel}");
        for field in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(fields.insert(field), "panels overlap: {panel}");
        }
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            let expr = target["expr"].as_str().unwrap();
            assert!(expr.contains("job=\"shop\",zone=\"a\\\"b\"}"), "{expr}");
            assert!(!expr.contains("[w]") && !expr.contains("$}"), "{expr}");
        }
    }
    // Prometheus parses every expression, with Grafana's variable filled in.
    let expressions: Vec<&str> = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten()
        .filter_map(|target| target["expr"].as_str())
        .collect();
    assert!(expressions.len() > 40, "{}", expressions.len());
    let mut rules = String::from("groups:\n- name: a\n  rules:\n");
    for (number, expr) in expressions.iter().enumerate() {
        let expr = expr.replace("$__rate_interval", "1m").replace('\'', "''");
        rules += &format!("  - record: r{number}\n    expr: '{expr}'\n");
    }
    let said = promtool::run(&["check", "rules"], &File::new(&rules));
    let said = said.unwrap_or_else(|said| panic!("{said}"));
    assert!(said.contains(&format!("{} rules found", expressions.len())), "{said}");
}
