//! CPUs: how fast they may go, how deep they sleep, and which share a core.

use super::tree::{Tree, cpu_list};

/// All CPUs of the host.
#[derive(Clone, Debug, Default)]
pub struct Cpus {
    /// Those online, by number.
    pub online: Vec<Cpu>,
    /// CPUs that the scheduler leaves alone (`isolcpus=`, `nohz_full=` do not count).
    pub isolated: Vec<usize>,
    /// The machine is a guest of a hypervisor, which has its own say in frequency and sleep.
    pub is_guest: bool,
}

/// One CPU.
#[derive(Clone, Debug, Default)]
pub struct Cpu {
    /// As Linux numbers them.
    pub number: usize,
    /// The CPUs on the same core, this one among them.
    pub siblings: Vec<usize>,
    /// Its memory's node.
    pub node: Option<usize>,
    /// `scaling_governor`
    pub governor: Option<String>,
    /// `scaling_driver`
    pub driver: Option<String>,
    /// States it may sleep in, the lightest first.
    pub idle: Vec<IdleState>,
}

/// A state that a CPU sleeps in when it has nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleState {
    /// Its name: `C6`.
    pub name: String,
    /// Time to wake up from it, in µs.
    pub exit_latency_us: u64,
    /// Switched off by somebody.
    pub is_disabled: bool,
}

impl Cpus {
    /// Reads what the host says of its CPUs.
    pub fn read(tree: &Tree) -> Cpus {
        let list = |name: &str| {
            let text = tree.text(&format!("{FOLDER}/{name}"))?;
            cpu_list(&text)
        };
        Cpus {
            online: list("online")
                .unwrap_or_default()
                .into_iter()
                .map(|number| cpu(tree, number))
                .collect(),
            isolated: list("isolated").unwrap_or_default(),
            is_guest: tree
                .text("/proc/cpuinfo")
                .is_some_and(|text| text.contains(" hypervisor")),
        }
    }

    /// The CPUs of these numbers.
    pub fn among<'a>(&'a self, numbers: &'a [usize]) -> impl Iterator<Item = &'a Cpu> {
        self.online
            .iter()
            .filter(|cpu| numbers.contains(&cpu.number))
    }
}

const FOLDER: &str = "/sys/devices/system/cpu";

fn cpu(tree: &Tree, number: usize) -> Cpu {
    let folder = format!("{FOLDER}/cpu{number}");
    let names = tree.names(&folder);
    let mut states: Vec<(usize, IdleState)> = tree
        .names(&format!("{folder}/cpuidle"))
        .iter()
        .filter_map(|name| {
            let place = name.strip_prefix("state")?.parse().ok()?;
            Some((
                place,
                idle_state(tree, &format!("{folder}/cpuidle/{name}"))?,
            ))
        })
        .collect();
    states.sort_by_key(|(place, _)| *place);
    Cpu {
        number,
        siblings: tree
            .text(&format!("{folder}/topology/thread_siblings_list"))
            .and_then(|text| cpu_list(&text))
            .unwrap_or_default(),
        node: names
            .iter()
            .find_map(|name| name.strip_prefix("node")?.parse().ok()),
        governor: tree.text(&format!("{folder}/cpufreq/scaling_governor")),
        driver: tree.text(&format!("{folder}/cpufreq/scaling_driver")),
        idle: states.into_iter().map(|(_, state)| state).collect(),
    }
}

fn idle_state(tree: &Tree, folder: &str) -> Option<IdleState> {
    Some(IdleState {
        name: tree.text(&format!("{folder}/name"))?,
        exit_latency_us: tree.number(&format!("{folder}/latency"))?,
        is_disabled: tree.number::<u64>(&format!("{folder}/disable")) == Some(1),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_cpu_is_read_with_its_siblings_its_node_and_its_states_in_order() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join("sys/devices/system/cpu").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("online", "0-1\n");
        put("isolated", "\n");
        put("cpu1/topology/thread_siblings_list", "1,3\n");
        put("cpu1/node2/cpulist", "1\n");
        put("cpu1/cpufreq/scaling_governor", "powersave\n");
        for (state, name, latency, disable) in [(10, "C10", 890, 1), (2, "C1E", 10, 0)] {
            put(&format!("cpu1/cpuidle/state{state}/name"), name);
            put(
                &format!("cpu1/cpuidle/state{state}/latency"),
                &latency.to_string(),
            );
            put(
                &format!("cpu1/cpuidle/state{state}/disable"),
                &disable.to_string(),
            );
        }
        let cpus = Cpus::read(&Tree::at(root.path()));
        assert_eq!(cpus.online.len(), 2);
        let cpu = cpus.among(&[1]).next().unwrap();
        assert_eq!((cpu.siblings.as_slice(), cpu.node), (&[1, 3][..], Some(2)));
        assert_eq!(cpu.governor.as_deref(), Some("powersave"));
        let states: Vec<_> = cpu.idle.iter().map(|state| state.name.as_str()).collect();
        assert_eq!(states, ["C1E", "C10"]);
        assert!(cpu.idle[1].is_disabled && !cpu.idle[0].is_disabled);
    }
}
