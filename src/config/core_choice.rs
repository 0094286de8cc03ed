//! `--cores`: how many cores, or which.

use std::collections::BTreeSet;
use std::str::FromStr;

/// `--cores`: a number of cores, or the cores themselves as Linux numbers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoreChoice {
    /// So many of the cores the process may use; at least 1.
    Count(usize),
    /// Exactly these, ascending, none twice, at least one. A single one is written `3-3`.
    List(Vec<usize>),
}

/// Linux has no more CPUs than this (`CONFIG_NR_CPUS` of the largest configurations).
const CPU_NUMBER_LIMIT: usize = 8192;

impl FromStr for CoreChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<CoreChoice, String> {
        if let Ok(count) = text.trim().parse::<usize>() {
            return match count {
                0 => Err("at least one core is needed".to_owned()),
                n if n > CPU_NUMBER_LIMIT => Err(format!("{n} cores are more than Linux can have")),
                n => Ok(CoreChoice::Count(n)),
            };
        }
        let mut cpus = BTreeSet::new();
        for part in text.split(',') {
            let (first, last) = parse_cpu_range(part)?;
            cpus.extend(first..=last);
        }
        Ok(CoreChoice::List(cpus.into_iter().collect()))
    }
}

/// `7` or `4-7`, both ends included.
fn parse_cpu_range(part: &str) -> Result<(usize, usize), String> {
    let number = |text: &str| match text.trim().parse::<usize>() {
        Ok(cpu) if cpu < CPU_NUMBER_LIMIT => Ok(cpu),
        Ok(cpu) => Err(format!("there is no CPU {cpu}")),
        Err(_) => Err(format!("'{part}' is neither a CPU nor a range like 4-7")),
    };
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(format!("the range {part} runs backwards"));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_a_count_or_a_list() {
        assert_eq!("4".parse(), Ok(CoreChoice::Count(4)));
        assert_eq!("4,5".parse(), Ok(CoreChoice::List(vec![4, 5])));
        assert_eq!("3-3".parse(), Ok(CoreChoice::List(vec![3])));
        assert_eq!("6, 0-2,1".parse(), Ok(CoreChoice::List(vec![0, 1, 2, 6])));
    }

    #[test]
    fn cores_that_cannot_be_are_refused_with_a_reason() {
        for (text, reason) in [
            ("0", "at least one"),
            ("99999", "more than Linux"),
            ("0-99999", "no CPU 99999"),
            ("3-1", "backwards"),
            ("a,b", "neither a CPU"),
            ("1,", "neither a CPU"),
            ("-1", "neither a CPU"),
        ] {
            let error = text.parse::<CoreChoice>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
