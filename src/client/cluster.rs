//! A cluster as a client sees it: who leads which partition, a connection to each broker in use, and patience.
//!
//! It must never know records. What may pass (an election, a broker that restarts, a topic that is being created) is
//! tried again with growing pauses until the caller's time is up; what will not pass is an error at once.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use super::connection::{Connection, Timeouts};
use super::error::ClientError;
use crate::types::TopicId;
use crate::wire::ErrorCode;
use crate::wire::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseTopic,
};

/// Pause before the second try, and the longest between two tries; doubled each time.
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_LONGEST: Duration = Duration::from_secs(1);

/// How to reach a cluster.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// `HOST:PORT` of any of its brokers; the first that answers is used.
    pub bootstrap: Vec<String>,
    /// The name the brokers know us by.
    pub client_id: String,
    /// For each connection and request.
    pub timeouts: Timeouts,
    /// How long something retriable is tried, in all.
    pub patience: Duration,
}

/// One partition, from Metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionInfo {
    /// Its number in the topic.
    pub index: i32,
    /// The node that leads it; `None` while there is none.
    pub leader: Option<i32>,
    /// -1 if the broker is too old to say.
    pub leader_epoch: i32,
    /// The nodes that keep a copy.
    pub replicas: Vec<i32>,
    /// Those that are up to date.
    pub in_sync: Vec<i32>,
    /// Those whose disk or node is gone.
    pub offline: Vec<i32>,
}

/// One topic, from Metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its name.
    pub name: String,
    /// Its id; nil if the broker is too old to say.
    pub id: TopicId,
    /// Whether the broker keeps it for itself.
    pub internal: bool,
    /// In ascending order of the index, without gaps.
    pub partitions: Vec<PartitionInfo>,
}

/// Connections and metadata of one cluster.
#[derive(Debug)]
pub struct Cluster {
    options: ClusterOptions,
    /// `HOST:PORT` by node id, from the last Metadata answer.
    nodes: BTreeMap<i32, String>,
    controller: Option<i32>,
    topics: BTreeMap<String, TopicInfo>,
    connections: BTreeMap<i32, Connection>,
    /// To the bootstrap broker, whose node id may be any.
    bootstrap: Option<Connection>,
}

impl Cluster {
    /// Finds a broker that answers, and asks it for the others.
    ///
    /// # Errors
    /// The failure of the last bootstrap address, when none answers.
    pub fn connect(options: ClusterOptions) -> Result<Cluster, ClientError> {
        let mut cluster = Cluster {
            options,
            nodes: BTreeMap::new(),
            controller: None,
            topics: BTreeMap::new(),
            connections: BTreeMap::new(),
            bootstrap: None,
        };
        cluster.ask_metadata(Some(&[]), false)?;
        Ok(cluster)
    }

    /// How long something retriable is tried.
    pub fn patience(&self) -> Duration {
        self.options.patience
    }

    /// Node ids and addresses.
    pub fn nodes(&self) -> &BTreeMap<i32, String> {
        &self.nodes
    }

    /// Every topic there is, by name.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn all_topics(&mut self) -> Result<Vec<TopicInfo>, ClientError> {
        let answer = self.ask_metadata(None, false)?;
        let mut topics: Vec<TopicInfo> = answer.topics.into_iter().filter_map(topic_info).collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// One topic, from memory if [`Cluster::forget`] was not called since it was last asked for.
    ///
    /// # Errors
    /// Also when the topic is not there; with `create` the broker is asked to create it if it does that, and to a
    /// topic that is being created we return until it can be used or the patience is over.
    pub fn topic(&mut self, name: &str, create: bool) -> Result<TopicInfo, ClientError> {
        if let Some(topic) = self.topics.get(name) {
            return Ok(topic.clone());
        }
        self.patiently(|cluster| {
            let answer = cluster.ask_metadata(Some(&[name]), create)?;
            let topic = find_topic(answer, name, create)?;
            cluster.topics.insert(name.to_owned(), topic.clone());
            Ok(topic)
        })
    }

    /// Asks again next time: the leaders of this topic are not what we believed.
    pub fn forget(&mut self, topic: &str) {
        self.topics.remove(topic);
    }

    /// The node that leads a partition now.
    ///
    /// # Errors
    /// [`ClientError::NoSuchPartition`], [`ClientError::NoLeader`] or those of [`Cluster::topic`].
    pub fn leader(&mut self, topic: &str, partition: i32) -> Result<i32, ClientError> {
        if !self.topics.contains_key(topic) {
            self.topic(topic, false)?;
        }
        // Looked at where it is: of ten thousand partitions, each would copy them all.
        let partitions = self.topics.get(topic).map(|info| &info.partitions[..]);
        let partitions = partitions.unwrap_or_default();
        let found = usize::try_from(partition)
            .ok()
            .and_then(|index| partitions.get(index));
        let found = found.ok_or_else(|| ClientError::NoSuchPartition {
            topic: topic.to_owned(),
            partition,
            count: partitions.len(),
        })?;
        let nodes = &self.nodes;
        match found.leader.filter(|leader| nodes.contains_key(leader)) {
            Some(leader) => Ok(leader),
            None => {
                self.forget(topic);
                Err(ClientError::NoLeader {
                    topic: topic.to_owned(),
                    partition,
                })
            }
        }
    }

    /// The open connection to a node, opened if need be.
    ///
    /// # Errors
    /// When the node cannot be reached.
    pub fn node(&mut self, node: i32) -> Result<&mut Connection, ClientError> {
        if !self.connections.contains_key(&node) {
            let address = self.nodes.get(&node).ok_or_else(|| ClientError::Resolve {
                address: format!("node {node}"),
                source: std::io::Error::other("no broker of the cluster has this id"),
            })?;
            let opened = Connection::open(address, &self.options.client_id, self.options.timeouts)?;
            self.connections.insert(node, opened);
        }
        Ok(self.connections.get_mut(&node).expect("opened above"))
    }

    /// The connection to the controller, or to any broker if the cluster names none: for changes to topics.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn controller(&mut self) -> Result<&mut Connection, ClientError> {
        match self.controller.filter(|node| self.nodes.contains_key(node)) {
            Some(node) => self.node(node),
            None => self.any(),
        }
    }

    /// A connection to some broker.
    ///
    /// # Errors
    /// When no bootstrap address answers.
    pub fn any(&mut self) -> Result<&mut Connection, ClientError> {
        if self.bootstrap.is_none() {
            self.bootstrap = Some(self.open_bootstrap()?);
        }
        Ok(self.bootstrap.as_mut().expect("opened above"))
    }

    /// Drops a connection that is of no more use.
    pub fn disconnect(&mut self, node: i32) {
        self.connections.remove(&node);
    }

    /// Drops every connection; they are opened again as they are needed.
    pub fn disconnect_all(&mut self) {
        self.connections.clear();
        self.bootstrap = None;
    }

    /// Runs `attempt` until it succeeds, fails for good, or the patience is over; pauses between tries.
    ///
    /// # Errors
    /// A failure that is not retriable as it is, any other inside [`ClientError::GaveUp`].
    pub fn patiently<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Cluster) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut pause = Backoff::start(self.options.patience);
        loop {
            let error = match attempt(self) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if error.breaks_connection() {
                self.disconnect_all();
            }
            pause.after(error)?;
        }
    }

    fn open_bootstrap(&self) -> Result<Connection, ClientError> {
        let mut last = None;
        for address in &self.options.bootstrap {
            match Connection::open(address, &self.options.client_id, self.options.timeouts) {
                Ok(connection) => return Ok(connection),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| ClientError::Resolve {
            address: "the cluster".to_owned(),
            source: std::io::Error::other("no bootstrap server is given"),
        }))
    }

    /// Metadata for these topics (`None`: all), remembering the nodes it names.
    fn ask_metadata(
        &mut self,
        topics: Option<&[&str]>,
        create: bool,
    ) -> Result<MetadataResponse, ClientError> {
        let request = MetadataRequest {
            topics: topics.map(|names| {
                let named = |name: &&str| MetadataRequestTopic {
                    name: Some((*name).into()),
                    ..Default::default()
                };
                names.iter().map(named).collect()
            }),
            allow_auto_topic_creation: create,
            ..MetadataRequest::default()
        };
        let answer = self.any()?.call(&request);
        let answer = answer.inspect_err(|_| self.bootstrap = None)?;
        let address = |host: &str, port: i32| match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        self.nodes = answer
            .brokers
            .iter()
            .map(|b| (b.node_id, address(&b.host, b.port)))
            .collect();
        let nodes = &self.nodes;
        self.connections
            .retain(|node, connection| nodes.get(node).is_some_and(|a| a == connection.address()));
        self.controller = Some(answer.controller_id).filter(|&node| node >= 0);
        Ok(answer)
    }
}

/// Growing pauses up to a deadline.
#[derive(Debug)]
pub struct Backoff {
    started: Instant,
    patience: Duration,
    pause: Duration,
}

impl Backoff {
    /// The clock starts now.
    pub fn start(patience: Duration) -> Backoff {
        Backoff {
            started: Instant::now(),
            patience,
            pause: BACKOFF_FIRST,
        }
    }

    /// Sleeps after a failed try.
    ///
    /// # Errors
    /// The failure itself if it is not retriable; [`ClientError::GaveUp`] if there is no time for another try.
    pub fn after(&mut self, error: ClientError) -> Result<(), ClientError> {
        if !error.is_retriable() {
            return Err(error);
        }
        let after = self.started.elapsed();
        if after + self.pause > self.patience {
            return Err(ClientError::GaveUp {
                after,
                last: Box::new(error),
            });
        }
        thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(BACKOFF_LONGEST);
        Ok(())
    }
}

/// The one topic that was asked for. Not being there passes only if it was asked to be created.
fn find_topic(
    answer: MetadataResponse,
    name: &str,
    create: bool,
) -> Result<TopicInfo, ClientError> {
    let refused = |code| ClientError::Broker {
        what: format!("topic {name}"),
        code,
        message: None,
    };
    let topic = answer
        .topics
        .into_iter()
        .find(|topic| topic.name.as_deref() == Some(name));
    let topic = topic.ok_or_else(|| refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION))?;
    match topic.error_code {
        ErrorCode::NONE => {}
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION if !create => {
            return Err(ClientError::NoSuchTopic {
                topic: name.to_owned(),
            });
        }
        code => return Err(refused(code)),
    }
    topic_info(topic).ok_or_else(|| refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION))
}

fn topic_info(topic: MetadataResponseTopic) -> Option<TopicInfo> {
    let mut partitions: Vec<PartitionInfo> = topic
        .partitions
        .into_iter()
        .map(|partition| PartitionInfo {
            index: partition.partition_index,
            leader: Some(partition.leader_id).filter(|&node| node >= 0),
            leader_epoch: partition.leader_epoch,
            replicas: partition.replica_nodes,
            in_sync: partition.isr_nodes,
            offline: partition.offline_replicas,
        })
        .collect();
    partitions.sort_by_key(|partition| partition.index);
    let name = topic.name?.to_string();
    Some(TopicInfo {
        name,
        id: topic.topic_id,
        internal: topic.is_internal,
        partitions,
    })
}
