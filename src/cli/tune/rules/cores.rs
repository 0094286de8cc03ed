//! Where the executors run: quotas, neighbours on the same core.

use super::super::finding::{Advice, Finding, Remedy, Verdict};
use super::super::host::{Host, as_cpu_list};
use super::super::plan::Plan;

/// Whether a quota takes time away from all cores at once.
pub fn quota(host: &Host, plan: &Plan) -> Finding {
    const TOPIC: &str = "CPU quota";
    let allowed = host.process.cpus.len();
    if allowed == 0 {
        return Finding::unseen(TOPIC, "the CPUs of the process cannot be read");
    }
    let Some(quota) = host.process.quota.filter(|quota| *quota < allowed) else {
        return Finding::fine(
            TOPIC,
            format!("none below the {allowed} CPUs of the affinity"),
        );
    };
    let cpus = as_cpu_list(&plan.cpus);
    let advice = Advice {
        should: "whole CPUs, and no quota".to_owned(),
        why: "when a quota is used up every core stands still until the next period, and with it every partition",
        buys: "no pauses of some 10 to 100 ms (cpu.stat: nr_throttled stands still)",
        source: "kernel: Documentation/scheduler/sched-bwc.rst",
        remedy: Remedy::ByHand {
            set: vec![
                format!("systemd: AllowedCPUs={cpus} in place of CPUQuota="),
                format!("docker run --cpuset-cpus={cpus} in place of --cpus"),
                "Kubernetes: the static CPU manager, and equal whole requests and limits"
                    .to_owned(),
            ],
            undo: vec!["put the quota back".to_owned()],
        },
    };
    let is = format!("{quota} CPUs' worth of {allowed}");
    Finding::advise(TOPIC, Verdict::Change, is, advice)
}

/// Whether executors share a core with each other, memory with another node, or CPUs with anybody.
pub fn shared_cores(host: &Host, plan: &Plan) -> Finding {
    const TOPIC: &str = "core placement";
    if host.cpus.online.is_empty() || plan.cpus.is_empty() {
        return Finding::unseen(TOPIC, "/sys/devices/system/cpu cannot be read");
    }
    let cpus = as_cpu_list(&plan.cpus);
    if let Some((one, other)) = on_one_core(host, plan) {
        return advise_single_threads(host, plan, one, other);
    }
    let nodes = nodes(host, plan);
    if nodes.len() > 1 {
        return advise_one_node(&cpus, &nodes);
    }
    let is_alone = plan.cpus.iter().all(|cpu| host.cpus.isolated.contains(cpu));
    if is_alone {
        return Finding::fine(TOPIC, format!("CPUs {cpus}, kept free of other programs"));
    }
    advise_alone(host, plan, &cpus)
}

/// Two executors on threads of one core.
fn on_one_core(host: &Host, plan: &Plan) -> Option<(usize, usize)> {
    host.cpus.among(&plan.cpus).find_map(|cpu| {
        let mut others = cpu.siblings.iter().filter(|other| **other != cpu.number);
        let other = others.find(|other| plan.cpus.contains(other))?;
        Some((cpu.number, *other))
    })
}

fn nodes(host: &Host, plan: &Plan) -> Vec<usize> {
    let mut nodes: Vec<_> = host
        .cpus
        .among(&plan.cpus)
        .filter_map(|cpu| cpu.node)
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

fn advise_single_threads(host: &Host, plan: &Plan, one: usize, other: usize) -> Finding {
    let first_threads: Vec<_> = host
        .cpus
        .among(&plan.cpus)
        .filter(|cpu| {
            cpu.siblings
                .first()
                .is_none_or(|first| *first == cpu.number)
        })
        .map(|cpu| cpu.number)
        .collect();
    let cpus = as_cpu_list(&first_threads);
    let advice = Advice {
        should: format!("one executor a core: {cpus}"),
        why: "two threads of a core share its execution units and caches, so each is slowed by what the other does",
        buys: "steadier latencies for less throughput in all; not measured: the machine of the runs shows no sibling threads",
        source: "kernel: Documentation/admin-guide/cputopology.rst",
        remedy: Remedy::ByHand {
            set: vec![format!(
                "vltava serve --cores {cpus} (in ExecStart= of the unit)"
            )],
            undo: vec!["drop --cores".to_owned()],
        },
    };
    let is = format!("CPUs {one} and {other} are threads of one core");
    Finding::advise("core placement", Verdict::Consider, is, advice)
}

fn advise_one_node(cpus: &str, nodes: &[usize]) -> Finding {
    let advice = Advice {
        should: "CPUs of one node: that of the disk and the network card".to_owned(),
        why: "what crosses between cores of two nodes, and page cache of the other node, comes over the link between them",
        buys: "shorter ways between cores; not measured: the machine of the runs has one node",
        source: "kernel: Documentation/admin-guide/mm/numaperf.rst",
        remedy: Remedy::ByHand {
            set: vec!["vltava serve --cores LIST, with CPUs of one node (lscpu; /sys/class/net/*/device/numa_node)".to_owned()],
            undo: vec!["drop --cores".to_owned()],
        },
    };
    let nodes: Vec<_> = nodes.iter().map(ToString::to_string).collect();
    let is = format!(
        "CPUs {cpus} are on the memory nodes {}",
        nodes.join(" and ")
    );
    Finding::advise("core placement", Verdict::Consider, is, advice)
}

fn advise_alone(host: &Host, plan: &Plan, cpus: &str) -> Finding {
    let rest: Vec<_> = host
        .cpus
        .online
        .iter()
        .map(|cpu| cpu.number)
        .filter(|cpu| !plan.cpus.contains(cpu))
        .collect();
    let others = match as_cpu_list(&rest) {
        none if none.is_empty() => {
            "fewer CPUs for the broker (--cores), and the rest for others".to_owned()
        }
        rest => format!("other programs on CPUs {rest} only"),
    };
    let advice = Advice {
        should: others,
        why: "an executor is pinned: while another program has its CPU, its partitions wait",
        buys: NEIGHBOUR_BUYS,
        source: super::MEASURED,
        remedy: Remedy::ByHand {
            set: vec![
                "systemctl set-property system.slice AllowedCPUs=OTHERS (and user.slice, init.scope)".to_owned(),
                "and the broker in a slice of its own: Slice=vltava.slice in the unit".to_owned(),
            ],
            undo: vec!["systemctl revert system.slice user.slice init.scope".to_owned()],
        },
    };
    let is = format!("CPUs {cpus}; other programs may run there too");
    Finding::advise("core placement", Verdict::Consider, is, advice)
}

const NEIGHBOUR_BUYS: &str = "a busy program on the broker's CPU doubled the median of a produce at 20 MB/s: 0.26 ms against 0.12";

#[cfg(test)]
mod tests {
    use super::super::super::host::{Cpu, Cpus, Process};
    use super::super::testing::{advice, plan_on};
    use super::*;

    fn host(siblings: &[&[usize]], nodes: &[usize]) -> Host {
        let cpu = |number: usize| Cpu {
            number,
            siblings: siblings[number].to_vec(),
            node: Some(nodes[number]),
            ..Cpu::default()
        };
        Host {
            cpus: Cpus {
                online: (0..siblings.len()).map(cpu).collect(),
                ..Cpus::default()
            },
            process: Process {
                cpus: (0..siblings.len()).collect(),
                ..Process::default()
            },
            ..Host::default()
        }
    }

    #[test]
    fn a_quota_below_the_affinity_is_worth_whole_cpus() {
        let mut host = host(&[&[0], &[1], &[2], &[3]], &[0; 4]);
        let plan = plan_on(&[0, 1]);
        assert_eq!(quota(&host, &plan).verdict, Verdict::Fine);
        host.process.quota = Some(2);
        let finding = quota(&host, &plan);
        assert_eq!(finding.verdict, Verdict::Change);
        assert!(
            matches!(&advice(&finding).remedy, Remedy::ByHand { set, .. } if set[0].contains("AllowedCPUs=0-1"))
        );
    }

    #[test]
    fn two_executors_on_one_core_are_named_and_so_is_the_list_without_them() {
        let host = host(&[&[0, 2], &[1, 3], &[0, 2], &[1, 3]], &[0; 4]);
        let finding = shared_cores(&host, &plan_on(&[0, 1, 2, 3]));
        assert!(finding.is.contains("0 and 2"), "{}", finding.is);
        assert!(advice(&finding).should.ends_with("0-1"));
    }

    #[test]
    fn cpus_of_two_nodes_are_worth_a_thought() {
        let host = host(&[&[0], &[1]], &[0, 1]);
        assert!(
            shared_cores(&host, &plan_on(&[0, 1]))
                .is
                .contains("nodes 0 and 1")
        );
        let one = shared_cores(&host, &plan_on(&[1]));
        assert!(advice(&one).should.contains("CPUs 0 only"), "{one:?}");
    }

    #[test]
    fn cpus_that_are_kept_free_need_nothing() {
        let mut host = host(&[&[0], &[1]], &[0; 2]);
        host.cpus.isolated = vec![1];
        assert_eq!(shared_cores(&host, &plan_on(&[1])).verdict, Verdict::Fine);
        assert_eq!(
            shared_cores(&host, &plan_on(&[0, 1])).verdict,
            Verdict::Consider
        );
    }
}
