//! Right plans: what they mean.

use proofload_core::plan::Plan;

use crate::support::plan;

const DCHAT: &str = r#"
name   = "dchat"
target = "http://127.0.0.1:8000"

[[user]]
name = "member"
weight = 3
think_time = "1s..3s"

[[user.on_start]]
post    = "/api/auth/login"
json    = { address = "0x{{ random.hex(40) }}", signature = "0x00" }
extract = { token = "$.token" }

[[user.task]]
weight  = 3
get     = "/api/messages?limit=50"
headers = { authorization = "Bearer {{ token }}" }
check   = { status = 200, "$.messages" = "exists" }

[[user.task]]
post = "/api/messages"
json = { recipient = "0x01", content = "Test message", encrypted = true }
headers = { authorization = "Bearer {{ token }}" }

[[phase]]
name = "Normal load"
users = 100
ramp_up = "30s"
duration = "10m"
expect = { p95 = "<300ms", success_rate = ">99%" }

[[phase]]
name = "Spike"
stages = [{ users = 100, for = "10s" }, { users = 1000, over = "1m" }]
expect = { error_rate = { target = "<0.5%", limit = "<1%" }, p95 = { target = "<500ms", limit = "<2s" } }

[[phase]]
name = "Steady arrivals"
rate = "1000/s"
duration = "1m"
max_users = 2000

[thresholds]
"http_req_duration{task:send}" = ["p(99)<1s"]
http_req_failed = ["rate<0.01"]
"#;

#[test]
fn the_plan_of_the_manual() {
    let plan: Plan = plan(DCHAT);
    assert_eq!(plan.phases.len(), 3);
    assert_eq!(plan.thresholds.len(), 2);
}
