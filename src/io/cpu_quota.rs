//! How many whole CPUs a process' cgroup (v2) grants.

use std::path::Path;

/// Whole CPUs that the cgroup grants, from the tightest `cpu.max` between it and the root; nothing without a quota.
///
/// `own` is the text of the process' `/proc/PID/cgroup`, `read` gives the text of a file.
pub fn cpu_quota(own: &str, read: impl Fn(&str) -> Option<String>) -> Option<usize> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = Path::new("/sys/fs/cgroup");
    let between = root.join(path);
    let dirs = between.ancestors().take_while(|dir| dir.starts_with(root));
    dirs.filter_map(|dir| parse_cpu_max(&read(dir.join("cpu.max").to_str()?)?))
        .min()
}

/// `cpu.max` is "QUOTA PERIOD" in microseconds, or "max PERIOD". A fraction of a CPU counts as one.
fn parse_cpu_max(text: &str) -> Option<usize> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (usize, usize) = (quota.parse().ok()?, period.parse().ok()?);
    (period > 0).then(|| (quota / period).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_max_counts_whole_cpus_and_never_none() {
        assert_eq!(parse_cpu_max("max 100000\n"), None);
        assert_eq!(parse_cpu_max("250000 100000\n"), Some(2));
        assert_eq!(parse_cpu_max("50000 100000\n"), Some(1));
    }

    #[test]
    fn the_tightest_quota_on_the_way_to_the_root_counts() {
        let read = |path: &str| {
            let text = match path {
                "/sys/fs/cgroup/system.slice/vltava.service/cpu.max" => "max 100000",
                "/sys/fs/cgroup/system.slice/cpu.max" => "300000 100000",
                "/sys/fs/cgroup/cpu.max" => "800000 100000",
                _ => return None,
            };
            Some(text.to_owned())
        };
        let own = "1:cpu:/old\n0::/system.slice/vltava.service\n";
        assert_eq!(cpu_quota(own, read), Some(3));
        assert_eq!(cpu_quota("1:cpu:/old\n", read), None);
        assert_eq!(cpu_quota("0::/\n", read), Some(8));
    }
}
