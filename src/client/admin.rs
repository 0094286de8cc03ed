//! Changes to topics, and their properties: CreateTopics, DeleteTopics, DescribeConfigs.
//!
//! Each topic's outcome is its own: one that is refused does not spoil the others.

use std::collections::BTreeMap;

use super::cluster::Cluster;
use super::error::ClientError;
use crate::wire::ErrorCode;
use crate::wire::messages::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use crate::wire::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use crate::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use crate::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use crate::wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, TopicRequest,
};

/// A topic to create.
#[derive(Debug, Clone, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// `None`: the broker's default.
    pub partitions: Option<i32>,
    /// `None`: the broker's default.
    pub replication_factor: Option<i16>,
    /// The replicas of each partition, by hand; empty leaves it to the broker.
    pub assignment: Vec<Vec<i32>>,
    /// Properties that differ from the broker's.
    pub configs: Vec<(String, String)>,
}

/// What became of one topic of a request.
pub type Outcome = Result<(), ClientError>;

/// `CreatableTopic` says "the broker's default" with this number.
const BROKER_DEFAULT: i8 = -1;
/// `DescribeConfigsResource` of a topic.
const RESOURCE_TOPIC: i8 = 2;

/// Creates topics, or with `validate_only` asks whether that would work. One outcome for each, in the order given.
///
/// # Errors
/// When the request as a whole could not be made.
pub fn create_topics(
    cluster: &mut Cluster,
    topics: &[NewTopic],
    validate_only: bool,
) -> Result<Vec<Outcome>, ClientError> {
    let request = CreateTopicsRequest {
        topics: topics.iter().map(creatable).collect(),
        timeout_ms: patience_ms(cluster),
        validate_only,
    };
    let answer = cluster.patiently(|cluster| cluster.controller()?.call(&request))?;
    Ok(topics
        .iter()
        .map(|topic| {
            match answer
                .topics
                .iter()
                .find(|result| result.name == topic.name.as_str())
            {
                Some(result) => outcome(
                    &topic.name,
                    result.error_code,
                    result.error_message.as_deref(),
                ),
                None => Err(unanswered(&topic.name)),
            }
        })
        .collect())
}

/// Deletes topics by name. One outcome for each, in the order given.
///
/// # Errors
/// When the request as a whole could not be made.
pub fn delete_topics(cluster: &mut Cluster, names: &[String]) -> Result<Vec<Outcome>, ClientError> {
    let by_name = |name: &String| DeleteTopicState {
        name: Some(name.as_str().into()),
        ..Default::default()
    };
    let request = DeleteTopicsRequest {
        topics: names.iter().map(by_name).collect(),
        topic_names: names.iter().map(|name| name.as_str().into()).collect(),
        timeout_ms: patience_ms(cluster),
    };
    let answer = cluster.patiently(|cluster| cluster.controller()?.call(&request))?;
    Ok(names
        .iter()
        .map(|name| {
            match answer
                .responses
                .iter()
                .find(|result| result.name.as_deref() == Some(name))
            {
                Some(result) => outcome(name, result.error_code, result.error_message.as_deref()),
                None => Err(unanswered(name)),
            }
        })
        .collect())
}

/// Every property of one topic, with where its value comes from.
///
/// # Errors
/// When the broker refuses.
pub fn describe_topic_configs(
    cluster: &mut Cluster,
    topic: &str,
) -> Result<Vec<DescribeConfigsResourceResult>, ClientError> {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: RESOURCE_TOPIC,
            resource_name: topic.into(),
            configuration_keys: None,
        }],
        ..DescribeConfigsRequest::default()
    };
    let mut answer = cluster.patiently(|cluster| cluster.any()?.call(&request))?;
    let result = answer.results.pop().ok_or_else(|| unanswered(topic))?;
    outcome(topic, result.error_code, result.error_message.as_deref())?;
    let mut configs = result.configs;
    configs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(configs)
}

/// Lets a topic grow to `count` partitions; `assignment` says where the replicas of the new ones shall be, or is empty.
///
/// # Errors
/// What the broker refuses, or when it cannot be asked.
pub fn create_partitions(
    cluster: &mut Cluster,
    topic: &str,
    count: i32,
    assignment: &[Vec<i32>],
) -> Outcome {
    let by_hand = |broker_ids: &Vec<i32>| CreatePartitionsAssignment {
        broker_ids: broker_ids.clone(),
    };
    let request = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: topic.into(),
            count,
            assignments: (!assignment.is_empty()).then(|| assignment.iter().map(by_hand).collect()),
        }],
        timeout_ms: patience_ms(cluster),
        validate_only: false,
    };
    let answer = cluster.patiently(|cluster| cluster.controller()?.call(&request))?;
    match answer.results.first() {
        Some(result) => outcome(topic, result.error_code, result.error_message.as_deref()),
        None => Err(unanswered(topic)),
    }
}

/// The eligible leader replicas of each partition, and the last of them that were known.
pub type EligibleLeaders = BTreeMap<(String, i32), (Vec<i32>, Vec<i32>)>;

/// Of every partition of these topics (KIP-966), asked in pages of so many partitions; `None` if the broker does not tell.
///
/// # Errors
/// When the broker cannot be asked.
pub fn eligible_leaders(
    cluster: &mut Cluster,
    topics: &[String],
    page: i32,
) -> Result<Option<EligibleLeaders>, ClientError> {
    let mut found = BTreeMap::new();
    if topics.is_empty() {
        return Ok(Some(found));
    }
    let mut request = DescribeTopicPartitionsRequest {
        topics: topics
            .iter()
            .map(|name| TopicRequest {
                name: name.as_str().into(),
            })
            .collect(),
        response_partition_limit: page,
        cursor: None,
    };
    loop {
        let answer = match cluster.patiently(|cluster| cluster.any()?.call(&request)) {
            Err(ClientError::NoCommonVersion { .. }) => return Ok(None),
            answer => answer?,
        };
        for topic in answer.topics {
            let name = topic.name.map(|name| name.to_string()).unwrap_or_default();
            for partition in topic.partitions {
                let leaders = (
                    partition.eligible_leader_replicas.unwrap_or_default(),
                    partition.last_known_elr.unwrap_or_default(),
                );
                found.insert((name.clone(), partition.partition_index), leaders);
            }
        }
        let next = answer.next_cursor.map(|cursor| Cursor {
            topic_name: cursor.topic_name,
            partition_index: cursor.partition_index,
        });
        // A page that goes nowhere would be asked for for ever.
        if next.is_none() || next == request.cursor {
            return Ok(Some(found));
        }
        request.cursor = next;
    }
}

fn creatable(topic: &NewTopic) -> CreatableTopic {
    CreatableTopic {
        name: topic.name.as_str().into(),
        num_partitions: topic.partitions.unwrap_or(BROKER_DEFAULT.into()),
        replication_factor: topic.replication_factor.unwrap_or(BROKER_DEFAULT.into()),
        assignments: (0..).zip(&topic.assignment).map(assigned).collect(),
        configs: topic
            .configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig {
                name: name.as_str().into(),
                value: Some(value.as_str().into()),
            })
            .collect(),
    }
}

fn assigned((partition_index, broker_ids): (i32, &Vec<i32>)) -> CreatableReplicaAssignment {
    CreatableReplicaAssignment {
        partition_index,
        broker_ids: broker_ids.clone(),
    }
}

fn outcome(topic: &str, code: ErrorCode, message: Option<&str>) -> Outcome {
    match code {
        ErrorCode::NONE => Ok(()),
        code => Err(ClientError::Broker {
            what: format!("topic {topic}"),
            code,
            message: message.map(ToOwned::to_owned),
        }),
    }
}

/// The answer leaves out what was asked.
fn unanswered(topic: &str) -> ClientError {
    ClientError::Broker {
        what: format!("topic {topic}"),
        code: ErrorCode::UNKNOWN_SERVER_ERROR,
        message: None,
    }
}

fn patience_ms(cluster: &Cluster) -> i32 {
    i32::try_from(cluster.patience().as_millis()).unwrap_or(i32::MAX)
}
