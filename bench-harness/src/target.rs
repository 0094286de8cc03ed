//! The topic under load: made if it is not there, its leaders found, its partitions dealt out to connections.

use std::collections::BTreeMap;
use std::time::Duration;

use vltava::client::admin::{self, NewTopic};
use vltava::client::{
    Cluster, ClusterOptions, Connection, OffsetQuery, Timeouts, TopicInfo, list_offsets,
};

use crate::args::{CommonArgs, TopicArgs};
use crate::run::BenchError;

/// How we name ourselves to the broker.
const CLIENT_ID: &str = "vltava-bench";
/// How long leaders may take to be there.
const PATIENCE: Duration = Duration::from_secs(30);

/// The topic and where its partitions are led.
#[derive(Debug)]
pub struct Target {
    cluster: Cluster,
    /// The topic.
    pub topic: TopicInfo,
}

/// What one connection is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The broker that leads its partitions.
    pub address: String,
    /// One at least.
    pub partitions: Vec<i32>,
}

impl Target {
    /// Finds the topic; with `create`, makes it first if it is not there.
    ///
    /// # Errors
    /// When it is not there, or cannot be made.
    pub fn find(common: &CommonArgs, create: Option<&TopicArgs>) -> Result<Target, BenchError> {
        let mut cluster = connect(common)?;
        if let Some(args) = create {
            create_if_absent(&mut cluster, &common.topic, args)?;
        }
        let topic = cluster.topic(&common.topic, create.is_some())?;
        let mut target = Target { cluster, topic };
        if create.is_some() {
            // Leaders are named before they know it: they answer this when they do.
            target.offsets(OffsetQuery::Latest)?;
        }
        Ok(target)
    }

    /// Deals the partitions out to `connections` connections.
    ///
    /// # Errors
    /// When a partition has no leader, or there are more leaders than connections.
    pub fn lanes(&mut self, connections: usize) -> Result<Vec<Lane>, BenchError> {
        deal(self.by_leader()?, connections)
    }

    fn by_leader(&mut self) -> Result<BTreeMap<String, Vec<i32>>, BenchError> {
        let mut by_leader: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        for partition in &self.topic.partitions {
            let leader = self.cluster.leader(&self.topic.name, partition.index)?;
            by_leader
                .entry(self.cluster.nodes()[&leader].clone())
                .or_default()
                .push(partition.index);
        }
        Ok(by_leader)
    }

    /// One lane a leader, with all that it leads.
    ///
    /// # Errors
    /// When a partition has no leader.
    pub fn leaders(&mut self) -> Result<Vec<Lane>, BenchError> {
        let lane = |(address, partitions)| Lane {
            address,
            partitions,
        };
        Ok(self.by_leader()?.into_iter().map(lane).collect())
    }

    /// The first or the next offset of every partition.
    ///
    /// # Errors
    /// When a leader does not answer.
    pub fn offsets(&mut self, query: OffsetQuery) -> Result<BTreeMap<i32, i64>, BenchError> {
        let partitions: Vec<i32> = self
            .topic
            .partitions
            .iter()
            .map(|partition| partition.index)
            .collect();
        Ok(list_offsets(
            &mut self.cluster,
            &self.topic,
            &partitions,
            query,
            false,
        )?)
    }
}

impl Lane {
    /// Of its partitions, where each begins; 0 where that is not said.
    pub fn positions(&self, begin: &BTreeMap<i32, i64>) -> BTreeMap<i32, i64> {
        let position = |&partition: &i32| (partition, begin.get(&partition).copied().unwrap_or(0));
        self.partitions.iter().map(position).collect()
    }

    /// Opens the lane's connection.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub fn connect(&self) -> Result<Connection, BenchError> {
        Ok(Connection::open(
            &self.address,
            CLIENT_ID,
            Timeouts::default(),
        )?)
    }
}

/// Finds the cluster.
///
/// # Errors
/// When none of its brokers answers.
pub fn connect(common: &CommonArgs) -> Result<Cluster, BenchError> {
    Ok(Cluster::connect(ClusterOptions {
        bootstrap: common.bootstrap_server.clone(),
        client_id: CLIENT_ID.to_owned(),
        timeouts: Timeouts::default(),
        patience: PATIENCE,
    })?)
}

/// Creates a topic, if it is not there.
///
/// # Errors
/// When the broker refuses.
pub fn create_if_absent(
    cluster: &mut Cluster,
    name: &str,
    args: &TopicArgs,
) -> Result<(), BenchError> {
    if cluster.all_topics()?.iter().any(|topic| topic.name == name) {
        return Ok(());
    }
    let topic = NewTopic {
        name: name.to_owned(),
        partitions: Some(args.partitions),
        replication_factor: args.replication_factor,
        configs: args.config.clone(),
        ..NewTopic::default()
    };
    for outcome in admin::create_topics(cluster, &[topic], false)? {
        outcome?;
    }
    Ok(())
}

/// Connections go to the leaders in turn, and each leader's partitions to its connections in turn. A connection beyond
/// the number of partitions shares one with another.
fn deal(
    by_leader: BTreeMap<String, Vec<i32>>,
    connections: usize,
) -> Result<Vec<Lane>, BenchError> {
    let leaders = by_leader.len();
    if connections < leaders {
        return Err(BenchError::Other(format!(
            "the topic has {leaders} leaders: use --connections {leaders} or more"
        )));
    }
    let mut lanes = Vec::with_capacity(connections);
    for (turn, (address, partitions)) in by_leader.into_iter().enumerate() {
        let share = (connections - turn).div_ceil(leaders);
        for place in 0..share {
            let mut own: Vec<i32> = partitions
                .iter()
                .copied()
                .skip(place)
                .step_by(share)
                .collect();
            if own.is_empty() {
                own.push(partitions[place % partitions.len()]);
            }
            lanes.push(Lane {
                address: address.clone(),
                partitions: own,
            });
        }
    }
    Ok(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealt(leaders: &[(&str, &[i32])], connections: usize) -> Vec<(String, Vec<i32>)> {
        let by_leader = leaders
            .iter()
            .map(|(address, partitions)| ((*address).to_owned(), partitions.to_vec()));
        let lanes = deal(by_leader.collect(), connections).unwrap();
        lanes
            .into_iter()
            .map(|lane| (lane.address, lane.partitions))
            .collect()
    }

    #[test]
    fn partitions_are_spread_evenly_and_none_is_left_out() {
        assert_eq!(
            dealt(&[("a", &[0, 1, 2, 3, 4])], 2),
            [
                ("a".to_owned(), vec![0, 2, 4]),
                ("a".to_owned(), vec![1, 3])
            ]
        );
    }

    #[test]
    fn each_leader_has_connections_of_its_own() {
        assert_eq!(
            dealt(&[("a", &[0, 2]), ("b", &[1])], 3),
            [
                ("a".to_owned(), vec![0]),
                ("a".to_owned(), vec![2]),
                ("b".to_owned(), vec![1])
            ]
        );
        assert!(
            deal(
                BTreeMap::from([("a".into(), vec![0]), ("b".into(), vec![1])]),
                1
            )
            .is_err()
        );
    }

    #[test]
    fn connections_beyond_the_partitions_share() {
        assert_eq!(
            dealt(&[("a", &[0])], 2),
            [("a".to_owned(), vec![0]), ("a".to_owned(), vec![0])]
        );
    }
}
