//! Counters for `/metrics`, in the Prometheus text format.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// That many more.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the server counts of itself. No label has a name in it that a caller chose.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Requests answered with a status below 400.
    pub requests_ok: Counter,
    /// Requests answered with a status from 400 to 499.
    pub requests_refused: Counter,
    /// Requests answered with a status from 500.
    pub requests_failed: Counter,
    /// Connections that found no place.
    pub connections_refused: Counter,
    /// TLS handshakes that came to nothing.
    pub handshakes_failed: Counter,
    /// Machines that joined.
    pub machines_enrolled: Counter,
    /// Enrolments that were refused for their token.
    pub enrolments_refused: Counter,
    /// Heartbeats.
    pub heartbeats: Counter,
    /// Waits of agents for new settings.
    pub settings_waits: Counter,
    /// Batches stored.
    pub batches: Counter,
    /// Batches that had been stored before.
    pub batches_repeated: Counter,
    /// Reports in the batches stored.
    pub reports: Counter,
    /// Calls of the published ingestion interface whose records were stored.
    pub ingestions: Counter,
    /// Such calls whose records had been stored before.
    pub ingestions_repeated: Counter,
    /// Queries answered.
    pub queries: Counter,
    /// Queries that failed, by the user's mistake or ours.
    pub queries_failed: Counter,
    /// Sign-ins that failed.
    pub sign_ins_failed: Counter,
}

/// A number at the moment of asking.
#[derive(Clone, Copy, Debug)]
pub struct Gauge {
    /// The name without the prefix.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// The number.
    pub value: u64,
}

impl Metrics {
    /// Everything in the Prometheus text format.
    pub fn render(&self, gauges: &[Gauge]) -> String {
        let counters: [(&str, &str, &Counter); 17] = [
            ("http_requests_ok_total", "Requests answered with a status below 400.", &self.requests_ok),
            (
                "http_requests_refused_total",
                "Requests answered with a status from 400 to 499.",
                &self.requests_refused,
            ),
            (
                "http_requests_failed_total",
                "Requests answered with a status from 500.",
                &self.requests_failed,
            ),
            ("connections_refused_total", "Connections that found no place.", &self.connections_refused),
            ("tls_handshakes_failed_total", "TLS handshakes that came to nothing.", &self.handshakes_failed),
            ("machines_enrolled_total", "Machines that joined.", &self.machines_enrolled),
            (
                "enrolments_refused_total",
                "Enrolments that were refused for their token.",
                &self.enrolments_refused,
            ),
            ("heartbeats_total", "Heartbeats of agents.", &self.heartbeats),
            ("settings_waits_total", "Waits of agents for new settings.", &self.settings_waits),
            ("batches_total", "Batches of agents that were stored.", &self.batches),
            ("batches_repeated_total", "Batches that had been stored before.", &self.batches_repeated),
            ("reports_total", "Reports in the batches that were stored.", &self.reports),
            ("ingestions_total", "Calls of programs whose records were stored.", &self.ingestions),
            (
                "ingestions_repeated_total",
                "Calls of programs whose records had been stored before.",
                &self.ingestions_repeated,
            ),
            ("queries_total", "Queries answered.", &self.queries),
            ("queries_failed_total", "Queries that failed.", &self.queries_failed),
            ("sign_ins_failed_total", "Sign-ins that failed.", &self.sign_ins_failed),
        ];
        let mut text = String::new();
        for (name, help, counter) in counters {
            write_metric(&mut text, name, help, "counter", counter.get());
        }
        for gauge in gauges {
            write_metric(&mut text, gauge.name, gauge.help, "gauge", gauge.value);
        }
        text
    }
}

fn write_metric(text: &mut String, name: &str, help: &str, kind: &str, value: u64) {
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "# HELP steadfast_{name} {help}\n# TYPE steadfast_{name} {kind}\nsteadfast_{name} {value}\n"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_its_help_and_type() {
        let metrics = Metrics::default();
        metrics.batches.add(3);
        let text = metrics.render(&[Gauge { name: "machines", help: "Machines enrolled.", value: 2 }]);
        assert!(text.contains("# TYPE steadfast_batches_total counter\nsteadfast_batches_total 3\n"));
        assert!(text.ends_with("# TYPE steadfast_machines gauge\nsteadfast_machines 2\n"));
    }
}
