//! How fast the broker's CPUs go, and how deep they sleep.

use super::super::finding::{Advice, Finding, Remedy, Verdict};
use super::super::host::{Cpu, Host, as_cpu_list};
use super::super::plan::Plan;

const FREQUENCY: &str = "CPU frequency";

/// Whether a CPU with work to do is clocked up at once.
pub fn governor(host: &Host, plan: &Plan) -> Finding {
    let slow: Vec<&Cpu> = host
        .cpus
        .among(&plan.cpus)
        .filter(|cpu| {
            cpu.governor
                .as_ref()
                .is_some_and(|name| name != "performance")
        })
        .collect();
    if host
        .cpus
        .among(&plan.cpus)
        .all(|cpu| cpu.governor.is_none())
    {
        return Finding::unseen(FREQUENCY, hidden(host, "no cpufreq in /sys"));
    }
    let Some(first) = slow.first() else {
        return Finding::fine(FREQUENCY, "governor performance");
    };
    let (name, driver) = (
        first.governor.as_deref().unwrap_or("?"),
        first.driver.as_deref().unwrap_or("?"),
    );
    let numbers: Vec<_> = slow.iter().map(|cpu| cpu.number).collect();
    let advice = Advice {
        should: "performance".to_owned(),
        why: "a core with little to do is clocked down, and the next batch comes before it is clocked up again",
        buys: "lower latencies at low load, for more power; not measured: the machine of the runs hides its frequency",
        source: "kernel: Documentation/admin-guide/pm/cpufreq.rst, intel_pstate.rst",
        remedy: Remedy::ByHand {
            set: vec![format!(
                "cpupower -c {} frequency-set -g performance (and at every start: a unit, or tuned-adm profile)",
                as_cpu_list(&numbers)
            )],
            undo: vec![format!(
                "cpupower -c {} frequency-set -g {name}",
                as_cpu_list(&numbers)
            )],
        },
    };
    let is = format!(
        "governor {name} ({driver}) on CPUs {}",
        as_cpu_list(&numbers)
    );
    Finding::advise(FREQUENCY, Verdict::Change, is, advice)
}

/// Waking up from states beyond this takes longer than the broker's own work on a small request.
const EXIT_LATENCY_US: u64 = 20;

/// Whether idle CPUs sleep so deep that waking them shows.
pub fn idle_states(host: &Host, plan: &Plan) -> Finding {
    const TOPIC: &str = "idle states";
    let states = host.cpus.among(&plan.cpus).flat_map(|cpu| &cpu.idle);
    let deepest = states
        .filter(|state| !state.is_disabled)
        .max_by_key(|state| state.exit_latency_us);
    let Some(deepest) = deepest else {
        return Finding::unseen(TOPIC, hidden(host, "no cpuidle in /sys"));
    };
    let is = format!(
        "down to {}, {} µs to wake up",
        deepest.name, deepest.exit_latency_us
    );
    if deepest.exit_latency_us <= EXIT_LATENCY_US {
        return Finding::fine(TOPIC, is);
    }
    let advice = Advice {
        should: format!("none beyond {EXIT_LATENCY_US} µs"),
        why: "a request that finds its core asleep waits until it is awake; at low load that is every request",
        buys: "the named time to wake up, of each request at low load, for more power at rest; not measured: the machine of the runs \
               has no deep states of its own",
        source: "kernel: Documentation/admin-guide/pm/cpuidle.rst; the time is this machine's own",
        remedy: Remedy::ByHand {
            set: vec![format!(
                "cpupower idle-set -D {EXIT_LATENCY_US} (and at every start)"
            )],
            undo: vec!["cpupower idle-set -E".to_owned()],
        },
    };
    Finding::advise(TOPIC, Verdict::Consider, is, advice)
}

fn hidden(host: &Host, what: &str) -> String {
    if host.cpus.is_guest {
        format!("{what}: the hypervisor decides; ask for it there")
    } else {
        what.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::host::{Cpus, IdleState};
    use super::super::testing::{advice, plan_on};
    use super::*;

    fn host(cpus: Vec<Cpu>) -> Host {
        Host {
            cpus: Cpus {
                online: cpus,
                ..Cpus::default()
            },
            ..Host::default()
        }
    }

    fn governed(number: usize, governor: &str) -> Cpu {
        Cpu {
            number,
            governor: Some(governor.to_owned()),
            ..Cpu::default()
        }
    }

    #[test]
    fn only_the_governors_of_the_brokers_cpus_count() {
        let host = host(vec![
            governed(0, "powersave"),
            governed(1, "performance"),
            governed(2, "schedutil"),
        ]);
        assert_eq!(governor(&host, &plan_on(&[1])).verdict, Verdict::Fine);
        let finding = governor(&host, &plan_on(&[0, 1, 2]));
        assert_eq!(finding.verdict, Verdict::Change);
        assert!(finding.is.contains("CPUs 0,2"), "{}", finding.is);
        assert!(
            matches!(&advice(&finding).remedy, Remedy::ByHand { undo, .. } if undo[0].ends_with("-g powersave"))
        );
    }

    #[test]
    fn a_guest_that_sees_no_frequency_says_who_decides() {
        let mut host = host(vec![Cpu::default()]);
        host.cpus.is_guest = true;
        let finding = governor(&host, &plan_on(&[0]));
        assert!(finding.verdict == Verdict::Unseen && finding.is.contains("hypervisor"));
    }

    #[test]
    fn the_deepest_state_that_is_not_switched_off_counts() {
        let state = |name: &str, exit_latency_us, is_disabled| IdleState {
            name: name.to_owned(),
            exit_latency_us,
            is_disabled,
        };
        let on = |states: Vec<IdleState>| {
            let cpu = Cpu {
                idle: states,
                ..Cpu::default()
            };
            idle_states(&host(vec![cpu]), &plan_on(&[0]))
        };
        let deep = on(vec![state("C1", 2, false), state("C6", 133, false)]);
        assert!(deep.verdict == Verdict::Consider && deep.is.contains("C6"));
        let shallow = on(vec![state("C1", 2, false), state("C6", 133, true)]);
        assert_eq!(shallow.verdict, Verdict::Fine);
        assert_eq!(on(Vec::new()).verdict, Verdict::Unseen);
    }
}
