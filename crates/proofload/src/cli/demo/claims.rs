//! What the documents claim that a cache, pools and bounded queues bring to a service.

use proofload_core::improvement::{Claim, Figure, HeldLimits, Wanted};

/// The phase of open load.
pub(super) const RUSH: &str = "Rush";
/// The phase with steps of users.
pub(super) const USERS: &str = "Users";

/// When a number of users counts as held: the documents' largest response time and least success rate.
const LIMITS: HeldLimits = HeldLimits { p99_ms: 2_000.0, success_rate: 0.99 };

/// In the order in which they are shown.
pub(super) const CLAIMS: [Claim<'static>; 8] = [
    Claim {
        name: "P99",
        claimed: "14 s → 2 s, −85%",
        figure: Figure::Time { phase: RUSH, measure: "p99" },
        wanted: Wanted { figure: 2_000.0, change: -0.85 },
    },
    Claim {
        name: "average",
        claimed: "2 s → 0.5 s, −75%",
        figure: Figure::Time { phase: RUSH, measure: "avg" },
        wanted: Wanted { figure: 500.0, change: -0.75 },
    },
    Claim {
        name: "gain",
        claimed: "5 times by caching",
        figure: Figure::TimesFaster { phase: RUSH },
        wanted: Wanted { figure: 5.0, change: 5.0 },
    },
    Claim {
        name: "success",
        claimed: "85% → 99%",
        figure: Figure::Success { phase: RUSH },
        wanted: Wanted { figure: 0.99, change: 0.0 },
    },
    Claim {
        name: "users held",
        claimed: "20 → 500",
        figure: Figure::UsersHeld { phase: USERS, limits: LIMITS },
        wanted: Wanted { figure: 500.0, change: 25.0 },
    },
    Claim {
        name: "hit rate",
        claimed: "80%",
        figure: Figure::HitRate,
        wanted: Wanted { figure: 0.8, change: 0.8 },
    },
    Claim {
        name: "60 requests",
        claimed: "$3.60 → $0.72",
        figure: Figure::CostOf { requests: 60 },
        wanted: Wanted { figure: 0.72, change: 0.0 },
    },
    Claim {
        name: "a month",
        claimed: "$4,200 → $840",
        figure: Figure::CostOfMonth,
        wanted: Wanted { figure: 840.0, change: 0.0 },
    },
];
