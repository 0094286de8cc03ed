//! Network: interfaces with their queues and interrupts, and the kernel's bounds on sockets.

use super::tree::{Tree, cpu_list};

/// What the host's network gives.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Interfaces with hardware behind them that are up.
    pub interfaces: Vec<Interface>,
    /// `net.core.rmem_max`, in bytes: what a program may ask for as receive buffer
    pub receive_max: Option<u64>,
    /// `net.core.wmem_max`, in bytes: what a program may ask for as send buffer
    pub send_max: Option<u64>,
    /// `net.ipv4.tcp_rmem`: least, first and largest receive buffer that the kernel chooses by itself
    pub receive_own: Option<Vec<u64>>,
    /// `net.ipv4.tcp_wmem`: likewise for sending
    pub send_own: Option<Vec<u64>>,
    /// `net.core.somaxconn`
    pub backlog_max: Option<u64>,
}

/// A network interface.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    /// `eth0`
    pub name: String,
    /// Queues that packets are received into.
    pub receive_queues: usize,
    /// CPUs that received packets are handed to by software (RPS), over all queues.
    pub steered_to: Vec<usize>,
    /// Its interrupts for data.
    pub interrupts: Vec<Interrupt>,
}

/// An interrupt, and who takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interrupt {
    /// Its number.
    pub number: u32,
    /// The CPUs that take it.
    pub cpus: Vec<usize>,
}

impl Network {
    /// Reads what the host says of its network.
    pub fn read(tree: &Tree) -> Network {
        let names = tree.names("/sys/class/net").into_iter();
        Network {
            interfaces: names.filter_map(|name| interface(tree, name)).collect(),
            receive_max: tree.number("/proc/sys/net/core/rmem_max"),
            send_max: tree.number("/proc/sys/net/core/wmem_max"),
            receive_own: tree.numbers("/proc/sys/net/ipv4/tcp_rmem"),
            send_own: tree.numbers("/proc/sys/net/ipv4/tcp_wmem"),
            backlog_max: tree.number("/proc/sys/net/core/somaxconn"),
        }
    }
}

/// An interface that has a device and is up; bridges, tunnels and the loopback have none.
fn interface(tree: &Tree, name: String) -> Option<Interface> {
    let folder = format!("/sys/class/net/{name}");
    if !tree.has(&format!("{folder}/device"))
        || tree.text(&format!("{folder}/operstate"))? == "down"
    {
        return None;
    }
    let queues = tree.names(&format!("{folder}/queues"));
    let receive: Vec<_> = queues
        .iter()
        .filter(|name| name.starts_with("rx-"))
        .collect();
    let mut steered_to: Vec<_> = receive
        .iter()
        .filter_map(|queue| tree.text(&format!("{folder}/queues/{queue}/rps_cpus")))
        .flat_map(|mask| cpus_in_mask(&mask))
        .collect();
    steered_to.sort_unstable();
    steered_to.dedup();
    Some(Interface {
        receive_queues: receive.len(),
        steered_to,
        interrupts: interrupts(tree, &folder),
        name,
    })
}

/// The interrupts of the device, or of the one it sits on (virtio). Those that only tell of changes do not count.
fn interrupts(tree: &Tree, folder: &str) -> Vec<Interrupt> {
    let own = tree.names(&format!("{folder}/device/msi_irqs"));
    let numbers = if own.is_empty() {
        tree.names(&format!("{folder}/device/../msi_irqs"))
    } else {
        own
    };
    let mut found: Vec<_> = numbers
        .iter()
        .filter_map(|number| interrupt(tree, number.parse().ok()?))
        .collect();
    found.sort_by_key(|interrupt| interrupt.number);
    found
}

/// Words in the names of interrupts that carry no data.
const NO_DATA: [&str; 4] = ["config", "control", "mgmnt", "async"];

fn interrupt(tree: &Tree, number: u32) -> Option<Interrupt> {
    let folder = format!("/proc/irq/{number}");
    let mut actions = tree.names(&folder);
    actions.retain(|name| tree.has(&format!("{folder}/{name}/.")));
    let carries_data = |name: &String| !NO_DATA.iter().any(|word| name.contains(word));
    if !actions.iter().any(carries_data) {
        return None;
    }
    let cpus = ["effective_affinity_list", "smp_affinity_list"]
        .iter()
        .filter_map(|name| tree.text(&format!("{folder}/{name}")))
        .find(|text| !text.is_empty())?;
    Some(Interrupt {
        number,
        cpus: cpu_list(&cpus)?,
    })
}

/// CPUs of a mask such as `00000000,0000000f`: groups of 32 bits, the last one first.
fn cpus_in_mask(mask: &str) -> Vec<usize> {
    let groups = mask.trim().rsplit(',').enumerate();
    let bits = groups.flat_map(|(group, hex)| {
        let bits = u32::from_str_radix(hex, 16).unwrap_or(0);
        (0..32)
            .filter(move |bit| bits & (1 << bit) != 0)
            .map(move |bit| group * 32 + bit)
    });
    bits.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn an_interface_is_read_with_queues_and_the_interrupts_of_its_data() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        put(root, "sys/devices/pci0/virtio3/net/eth0/operstate", "up\n");
        put(
            root,
            "sys/devices/pci0/virtio3/net/eth0/queues/rx-0/rps_cpus",
            "3\n",
        );
        put(
            root,
            "sys/devices/pci0/virtio3/net/eth0/queues/tx-0/xps_cpus",
            "0\n",
        );
        put(root, "sys/devices/pci0/msi_irqs/40", "msix");
        put(root, "sys/devices/pci0/msi_irqs/41", "msix");
        symlink(
            "../..",
            root.join("sys/devices/pci0/virtio3/net/eth0/device"),
        )
        .unwrap();
        fs::create_dir_all(root.join("sys/class/net")).unwrap();
        symlink(
            "../../devices/pci0/virtio3/net/eth0",
            root.join("sys/class/net/eth0"),
        )
        .unwrap();
        put(root, "sys/class/net/lo/operstate", "unknown\n");
        for (number, name) in [(40, "virtio3-config"), (41, "virtio3-rx")] {
            put(
                root,
                &format!("proc/irq/{number}/effective_affinity_list"),
                "1\n",
            );
            fs::create_dir_all(root.join(format!("proc/irq/{number}/{name}"))).unwrap();
        }
        let network = Network::read(&Tree::at(root));
        let [eth0] = &network.interfaces[..] else {
            panic!("{network:?}")
        };
        assert_eq!((eth0.name.as_str(), eth0.receive_queues), ("eth0", 1));
        assert_eq!(eth0.steered_to, [0, 1]);
        let taken = Interrupt {
            number: 41,
            cpus: vec![1],
        };
        assert_eq!(eth0.interrupts, [taken]);
    }

    #[test]
    fn a_mask_counts_from_its_end() {
        assert_eq!(cpus_in_mask("00000001,80000001"), [0, 31, 32]);
        assert_eq!(cpus_in_mask("0"), []);
    }
}
