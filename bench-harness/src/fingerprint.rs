//! Where and how a run was made: the machine, the kernel and what bears on its speed, the command line, the broker.
//!
//! It must never hold what names a person or a network: no host name, no user, no address but the broker's own.

use std::fs;

use serde::{Deserialize, Serialize};

/// How and where a run was made. Two runs whose machines differ are not to be compared.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Of this program.
    pub generator_version: String,
    /// Whether this program was built without optimization: then it is the slow one.
    #[serde(default)]
    pub generator_debug_build: bool,
    /// What was typed.
    pub command_line: Vec<String>,
    /// Seconds since 1970 when the run began.
    pub began_unix_s: u64,
    /// The machine.
    pub machine: Machine,
    /// The broker's command line, if its process is known.
    pub broker_command_line: Option<String>,
}

/// What is said of a generator that was built without optimization.
pub const DEBUG_BUILD: &str =
    "vltava-bench itself is a debug build: build it with --release before you believe a figure";

/// The machine.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The CPU's name, as `/proc/cpuinfo` has it.
    pub cpu: String,
    /// How many of them this process may use.
    pub cpus: usize,
    /// Whether a hypervisor is below us: its neighbours are in the figures.
    pub virtual_machine: bool,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// The kernel's release.
    pub kernel: String,
    /// Of CPU 0, where the kernel has a say in it.
    pub cpu_governor: Option<String>,
    /// What the kernel reads the time from: others than `tsc` and `kvm-clock` make timestamps slow.
    pub clock_source: Option<String>,
    /// `always`, `madvise` or `never`.
    pub transparent_huge_pages: Option<String>,
    /// Runnable threads over the last minute, when the run began: above the run's own there was somebody else.
    pub load_average: Option<f64>,
}

impl Fingerprint {
    /// Of now, of this machine.
    pub fn new(command_line: Vec<String>, broker_pid: Option<u32>) -> Fingerprint {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Fingerprint {
            generator_version: env!("CARGO_PKG_VERSION").to_owned(),
            generator_debug_build: cfg!(debug_assertions),
            command_line,
            began_unix_s: since_1970.map_or(0, |since| since.as_secs()),
            machine: Machine::this(),
            broker_command_line: broker_pid.and_then(command_line_of),
        }
    }
}

impl Fingerprint {
    /// The machine, and a warning about ourselves where there is reason for one.
    pub fn text(&self) -> String {
        let machine = self.machine.text();
        match self.generator_debug_build {
            true => format!("{machine}\n({DEBUG_BUILD})"),
            false => machine,
        }
    }
}

impl Machine {
    /// The one we are on.
    pub fn this() -> Machine {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory_kib = crate::broker_process::number_after(&meminfo, "MemTotal:");
        Machine {
            cpu: field(&cpuinfo, "model name")
                .unwrap_or("unknown")
                .to_owned(),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            virtual_machine: field(&cpuinfo, "flags")
                .is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            memory_bytes: memory_kib.unwrap_or(0) * 1024,
            kernel: line("/proc/sys/kernel/osrelease").unwrap_or_default(),
            cpu_governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            clock_source: line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            transparent_huge_pages: line("/sys/kernel/mm/transparent_hugepage/enabled")
                .as_deref()
                .and_then(chosen)
                .map(ToOwned::to_owned),
            load_average: line("/proc/loadavg")
                .and_then(|text| text.split(' ').next().and_then(|first| first.parse().ok())),
        }
    }

    /// One line for people.
    pub fn text(&self) -> String {
        let kind = match self.virtual_machine {
            true => "virtual CPUs",
            false => "CPUs",
        };
        format!(
            "{}, {} {kind}, {:.0} GB, Linux {}",
            self.cpu,
            self.cpus,
            self.memory_bytes as f64 / 1e9,
            self.kernel
        )
    }
}

/// The value of the first line `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let after = |line: &'a str| line.strip_prefix(name)?.trim_start().strip_prefix(':');
    text.lines().find_map(after).map(str::trim)
}

fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

/// The word in brackets: `always [madvise] never`.
fn chosen(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(word, _)| word)
}

fn command_line_of(pid: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words = bytes.split(|&byte| byte == 0);
    let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
    Some(words.join(" ").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_choices_are_found_where_the_kernel_writes_them() {
        let cpuinfo = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nflags\t\t: fpu hypervisor\n";
        assert_eq!(field(cpuinfo, "model name"), Some("A CPU @ 2 GHz"));
        assert_eq!(field(cpuinfo, "bogomips"), None);
        assert_eq!(chosen("always [madvise] never"), Some("madvise"));
        assert_eq!(chosen("none"), None);
    }

    #[test]
    fn this_machine_has_a_kernel_memory_and_cpus() {
        let machine = Machine::this();
        assert!(machine.cpus > 0 && machine.memory_bytes > 0 && !machine.kernel.is_empty());
        let own = command_line_of(std::process::id()).unwrap();
        assert!(!own.is_empty() && !own.contains('\0'));
    }
}
