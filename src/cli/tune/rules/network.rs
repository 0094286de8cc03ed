//! Queues of the network cards, and which CPUs take their interrupts.

use super::super::finding::{Advice, Finding, Remedy, Verdict};
use super::super::host::{Host, Interface, as_cpu_list};
use super::super::plan::Plan;

const TOPIC: &str = "network queues";

/// Whether packets are received on several CPUs, where several would have work to do.
pub fn queues(host: &Host, plan: &Plan) -> Finding {
    let interfaces = &host.network.interfaces;
    if interfaces.is_empty() {
        return Finding::unseen(
            TOPIC,
            "no interface with a device in /sys/class/net (a container?)",
        );
    }
    if host.cpus.online.len() < 2 {
        return Finding::fine(TOPIC, "one CPU takes them all");
    }
    let narrow = interfaces.iter().find(|interface| is_narrow(interface));
    match narrow {
        Some(interface) => advise(host, plan, interface),
        None => Finding::fine(
            TOPIC,
            interfaces.iter().map(shown).collect::<Vec<_>>().join("; "),
        ),
    }
}

/// The CPUs that take an interface's packets: by interrupt, or handed on by software.
fn receivers(interface: &Interface) -> Vec<usize> {
    let interrupts = interface
        .interrupts
        .iter()
        .flat_map(|interrupt| &interrupt.cpus);
    let mut cpus: Vec<_> = interrupts.chain(&interface.steered_to).copied().collect();
    cpus.sort_unstable();
    cpus.dedup();
    cpus
}

fn is_narrow(interface: &Interface) -> bool {
    let spread = receivers(interface).len() > 1;
    let by_software = interface.steered_to.len() > 1;
    !by_software && (interface.receive_queues < 2 || (!interface.interrupts.is_empty() && !spread))
}

fn shown(interface: &Interface) -> String {
    let on = match receivers(interface) {
        none if none.is_empty() => String::new(),
        cpus => format!(", received on CPUs {}", as_cpu_list(&cpus)),
    };
    let queues = match interface.receive_queues {
        1 => "one receive queue".to_owned(),
        count => format!("{count} receive queues"),
    };
    format!("{}: {queues}{on}", interface.name)
}

fn advise(host: &Host, plan: &Plan, interface: &Interface) -> Finding {
    let name = &interface.name;
    let queues = plan.cpus.len().max(1);
    let all: Vec<_> = host.cpus.online.iter().map(|cpu| cpu.number).collect();
    let mut set = vec![format!(
        "ethtool -L {name} combined {queues}, if `ethtool -l {name}` shows that many; irqbalance or smp_affinity_list spreads them"
    )];
    let mut undo = vec![format!(
        "ethtool -L {name} combined {}",
        interface.receive_queues
    )];
    if interface.receive_queues < 2 {
        set.push(format!(
            "with one queue in hardware: echo {} > /sys/class/net/{name}/queues/rx-0/rps_cpus",
            mask(&all)
        ));
        undo.push(format!(
            "echo 0 > /sys/class/net/{name}/queues/rx-0/rps_cpus"
        ));
    }
    let advice = Advice {
        should: "as many queues as the broker has CPUs, each with an interrupt on a CPU of its own"
            .to_owned(),
        why: "one CPU takes every packet in interrupt time; the executor pinned there has what is left, and the others wait for it",
        buys: "the card's full rate, and no core slower than the others; not measured: loopback has no queues",
        source: "kernel: Documentation/networking/scaling.rst",
        remedy: Remedy::ByHand { set, undo },
    };
    // A machine with little traffic loses nothing, so this has to be weighed.
    Finding::advise(TOPIC, Verdict::Consider, shown(interface), advice)
}

/// CPUs as the mask that `rps_cpus` takes: groups of 32 bits, the last one first.
fn mask(cpus: &[usize]) -> String {
    let groups = cpus.iter().max().map_or(1, |last| last / 32 + 1);
    let group = |group: usize| {
        let inside = cpus.iter().filter(|cpu| **cpu / 32 == group);
        inside.fold(0_u32, |bits, cpu| bits | 1 << (cpu % 32))
    };
    let first = format!("{:x}", group(groups - 1));
    let others = (0..groups - 1)
        .rev()
        .map(|number| format!("{:08x}", group(number)));
    std::iter::once(first)
        .chain(others)
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::super::super::host::{Cpu, Cpus, Interrupt, Network};
    use super::super::testing::{advice, plan_on};
    use super::*;

    fn host(interface: Interface) -> Host {
        let cpu = |number| Cpu {
            number,
            ..Cpu::default()
        };
        Host {
            cpus: Cpus {
                online: (0..4).map(cpu).collect(),
                ..Cpus::default()
            },
            network: Network {
                interfaces: vec![interface],
                ..Network::default()
            },
            ..Host::default()
        }
    }

    fn interface(receive_queues: usize, interrupts_on: &[usize]) -> Interface {
        let interrupt = |&cpu: &usize| Interrupt {
            number: 40,
            cpus: vec![cpu],
        };
        Interface {
            name: "eth0".to_owned(),
            receive_queues,
            interrupts: interrupts_on.iter().map(interrupt).collect(),
            ..Interface::default()
        }
    }

    #[test]
    fn one_queue_is_worth_a_thought_unless_software_spreads_it() {
        let plan = plan_on(&[0, 1, 2, 3]);
        let mut one = interface(1, &[0]);
        let finding = queues(&host(one.clone()), &plan);
        assert_eq!(finding.verdict, Verdict::Consider);
        let Remedy::ByHand { set, .. } = &advice(&finding).remedy else {
            panic!("{finding:?}")
        };
        assert!(
            set[0].contains("combined 4") && set[1].contains("echo f >"),
            "{set:?}"
        );
        one.steered_to = vec![0, 1, 2, 3];
        assert_eq!(queues(&host(one), &plan).verdict, Verdict::Fine);
    }

    #[test]
    fn many_queues_whose_interrupts_are_all_taken_by_one_cpu_are_as_one() {
        let plan = plan_on(&[0, 1]);
        assert_eq!(
            queues(&host(interface(4, &[2, 2, 2, 2])), &plan).verdict,
            Verdict::Consider
        );
        assert_eq!(
            queues(&host(interface(4, &[0, 1, 2, 3])), &plan).verdict,
            Verdict::Fine
        );
        assert_eq!(
            queues(&host(interface(4, &[])), &plan).verdict,
            Verdict::Fine
        );
    }

    #[test]
    fn a_mask_has_the_last_group_first() {
        assert_eq!(mask(&[0, 1, 2, 3]), "f");
        assert_eq!(mask(&[0, 31, 32]), "1,80000001");
    }
}
