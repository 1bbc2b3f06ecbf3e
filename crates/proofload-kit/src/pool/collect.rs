//! What a registry shows of a pool.

use deadpool::managed::{Manager, Object};

use super::watched::Shared;
use crate::registry::{Component, Families};

impl<M, W> Component for Shared<M, W>
where
    M: Manager + 'static,
    W: From<Object<M>> + 'static,
{
    fn name(&self) -> &str {
        &self.watch.name
    }

    fn collect(&self, families: &mut Families) {
        let stats = self.watch.stats(self.pool.status());
        let pool = [("pool", self.name())];
        let mut gauge = |name, help, value: usize| families.gauge(name, help, &pool, value as f64);
        gauge("pool_max_size", "Connections the pool may have.", stats.max_size);
        gauge("pool_size", "Connections the pool has, in use or idle.", stats.size);
        gauge("pool_in_use", "Connections handed out and not given back.", stats.in_use);
        gauge("pool_idle", "Connections there for the next caller.", stats.idle);
        gauge("pool_waiting", "Callers for whom the pool has no room.", stats.waiting);
        let help = "1 while the use of the pool is high, else 0.";
        gauge("pool_alert", help, usize::from(stats.is_alerting));

        let mut counter = |name, help, value| families.counter(name, help, &pool, value);
        counter("pool_acquired", "Times a connection was handed out.", stats.acquired);
        counter("pool_created", "Connections made.", stats.created);
        counter("pool_recycled", "Idle connections checked and handed out again.", stats.recycled);
        let help = "Idle connections thrown away because their check failed.";
        counter("pool_recycle_failures", help, stats.recycle_failures);
        counter(
            "pool_expired",
            "Idle connections thrown away because of their age.",
            stats.expired,
        );
        counter("pool_leaks", "Connections that were held for too long.", stats.leaks);
        counter("pool_alerts", "Times the use of the pool became high.", stats.alerts);

        for (reason, value) in [
            ("wait_timeout", stats.wait_timeouts),
            ("connect_timeout", stats.connect_timeouts),
            ("connect_error", stats.connect_errors),
            ("closed", stats.closed),
            ("cancelled", stats.cancelled),
        ] {
            let labels = [("pool", self.name()), ("reason", reason)];
            let help = "Callers that got no connection, by reason.";
            families.counter("pool_acquire_failures", help, &labels, value);
        }
        let help = "Time callers waited until they had a connection or none.";
        families.add("pool_wait_seconds", help, &pool, self.watch.waits.value());
        let help = "Time connections were held until they were given back.";
        families.add("pool_held_seconds", help, &pool, self.watch.holds.value());
    }
}
