//! The rules: each looks at one thing of the host and says what it found. Pure functions; one small file a topic.
//!
//! What a rule advises has a reason, what it buys and where that is known from: a figure that is measured names the runs that
//! it comes from, anything else the kernel's documentation.

mod cores;
mod dirty_pages;
mod file_system;
mod huge_pages;
mod io_uring;
mod kernel;
mod limits;
mod network;
mod power;
mod sockets;

use super::finding::Finding;
use super::host::Host;
use super::plan::Plan;

/// Where the figures come from.
const MEASURED: &str = "measured: bench-harness/runs/2026-11-27-tuning";

/// Everything there is to say, the worst first.
pub fn look(host: &Host, plan: &Plan) -> Vec<Finding> {
    let mut findings = vec![
        kernel::look(host),
        io_uring::look(host),
        limits::locked_memory(host, plan),
        limits::open_files(host),
        cores::quota(host, plan),
        cores::shared_cores(host, plan),
        dirty_pages::look(host),
        huge_pages::look(host),
        power::governor(host, plan),
        power::idle_states(host, plan),
        network::queues(host, plan),
        sockets::buffers(host, plan),
        sockets::buffer_bounds(host, plan),
        sockets::backlog(host, plan),
    ];
    findings.extend(
        plan.data_dirs
            .iter()
            .map(|dir| file_system::look(host, dir)),
    );
    findings.sort_by_key(|finding| finding.verdict);
    findings
}

#[cfg(test)]
pub mod testing {
    use super::super::finding::{Advice, Finding, Remedy, Setting};
    use super::super::plan::Plan;

    /// A broker on these CPUs.
    pub fn plan_on(cpus: &[usize]) -> Plan {
        Plan {
            cpus: cpus.to_vec(),
            backlog: 50,
            ..Plan::default()
        }
    }

    /// The advice there must be.
    pub fn advice(finding: &Finding) -> &Advice {
        finding.advice.as_ref().expect("something to change")
    }

    /// The settings that would be written to a file.
    pub fn settings(finding: &Finding) -> Vec<String> {
        match &advice(finding).remedy {
            Remedy::Sysctl(settings) | Remedy::DropIn(settings) => settings
                .iter()
                .map(|Setting { key, value, .. }| format!("{key}={value}"))
                .collect(),
            Remedy::ByHand { .. } => Vec::new(),
        }
    }
}
