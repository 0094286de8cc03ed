//! Everything there is to say of a broker at one moment, as it is told to the outside in JSON.

use super::{CoreMetrics, CoreReport, Count, Size, Stage, Values};
use serde::{Deserialize, Serialize};

/// Where in its life the broker is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It opens its logs.
    Starting,
    /// It accepts connections.
    Ready,
    /// It answers what it has and stops.
    Draining,
}

/// A broker at one moment. Counts and histograms are since its start: who wants a rate takes the difference of two.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Stats {
    /// Version of the broker.
    pub version: String,
    /// Its life.
    pub phase: Phase,
    /// Since the process began.
    pub uptime_ms: u64,
    /// Memory in use, in bytes.
    pub resident_bytes: u64,
    /// One entry a core.
    pub cores: Vec<CoreStats>,
}

/// One core at one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CoreStats {
    /// Its number among the broker's cores.
    pub core: usize,
    /// The CPU it is pinned to.
    pub cpu: usize,
    /// What the kernel says of its thread.
    pub times: CpuTimes,
    /// Counts by name, in the order of [`Count`].
    pub counts: Vec<(String, u64)>,
    /// Times of the stages, those that have any.
    pub stages: Vec<Named>,
    /// Sizes, those that have any.
    pub sizes: Vec<Named>,
    /// Times of requests by API, those that have any.
    pub requests: Vec<Named>,
    /// What the core itself says, without its partitions; `None` if it did not answer in time.
    pub report: Option<CoreReport>,
}

/// A histogram with its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Named {
    /// Of the stage, the size or the API.
    pub name: String,
    /// What it held.
    pub values: Values,
}

/// What the kernel counts for a core's thread.
#[derive(Clone, Copy, Default, PartialEq, Debug, Serialize, Deserialize)]
pub struct CpuTimes {
    /// CPU time in user mode, in ms.
    pub user_ms: u64,
    /// CPU time in the kernel, in ms.
    pub system_ms: u64,
    /// Times it went to sleep because there was nothing to do.
    pub parks: u64,
    /// Times it was put aside for another thread.
    pub preemptions: u64,
}

impl CoreStats {
    /// The numbers of a core now; `api_name` knows the names of the APIs.
    pub fn of(
        core: usize,
        cpu: usize,
        metrics: &CoreMetrics,
        api_name: impl Fn(i16) -> Option<String>,
    ) -> CoreStats {
        let named = |name: &str, values: Values| Named {
            name: name.to_owned(),
            values,
        };
        let some = |named: &Named| !named.values.buckets.is_empty();
        let stages = Stage::ALL
            .iter()
            .map(|&stage| named(stage.name(), metrics.stage(stage).values()));
        let sizes = Size::ALL
            .iter()
            .map(|&size| named(size.name(), metrics.sizes(size).values()));
        let requests = metrics.requests().filter_map(|(key, times)| {
            let values = times.values();
            let name = (!values.buckets.is_empty()).then(|| api_name(key))??;
            Some(Named { name, values })
        });
        CoreStats {
            core,
            cpu,
            times: CpuTimes::default(),
            counts: Count::ALL
                .iter()
                .map(|&count| (count.name().to_owned(), metrics.counted(count)))
                .collect(),
            stages: stages.filter(some).collect(),
            sizes: sizes.filter(some).collect(),
            requests: requests.collect(),
            report: None,
        }
    }

    /// A count by name; 0 if there is none of it.
    pub fn count(&self, what: Count) -> u64 {
        let found = self.counts.iter().find(|(name, _)| name == what.name());
        found.map_or(0, |(_, count)| *count)
    }
}

impl Stats {
    /// A count over all cores.
    pub fn count(&self, what: Count) -> u64 {
        self.cores.iter().map(|core| core.count(what)).sum()
    }

    /// A histogram over all cores, or over one, found by `pick` among each core's.
    pub fn merged<'a>(
        &'a self,
        name: &str,
        pick: impl Fn(&'a CoreStats) -> &'a [Named],
    ) -> Option<Values> {
        let mut all: Option<Values> = None;
        let found = self.cores.iter().flat_map(pick);
        for named in found.filter(|named| named.name == name) {
            match &mut all {
                Some(all) => all.add(&named.values),
                None => all = Some(named.values.clone()),
            }
        }
        all
    }
}
